"""The files and summaries that the gate leaves: readable, without secrets, and never greener than the verdict."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from gate.support import (
    AUTH,
    BUILD,
    FAILED,
    INCONCLUSIVE,
    INPUT,
    JSON,
    JUNIT,
    OK,
    ONE,
    PROJECT,
    QA,
    THIS,
    TRANSPORT,
    WORSE,
    Watch,
    account,
    agree,
    before,
    play,
    shows,
    stale,
)
from harness import API_KEY, Process, Run, Service
from sauce_appdist.interface.inputs import extra
from sauce_appdist.steps import promote

if TYPE_CHECKING:
    from pathlib import Path

NASTY = "]]> <b>&amp;\"'</b>\uffff\ufffe\x01\x1b[31m\u2028🎉 ünï | `x` ::error::pwned ##[error]x EOF"


@pytest.mark.parametrize(
    "env", [{}, {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}], ids=["shell", "github", "gitlab"]
)
def test_reports_hold_whatever_a_tester_wrote(process: Process, service: Service, env: dict[str, str]) -> None:
    feedback = {"text": NASTY, "reported_by": QA[0], "recorded_at": "-20h"}
    service.reset(account(recorded_feedbacks=[feedback], tags=[NASTY.replace(",", "")], version=NASTY))
    options = {"FEEDBACK_BLOCK_PATTERN": "ünï|x", "REQUIRE_TAGS": "rc", "PROJECT_ID": PROJECT, "BUILD_ID": BUILD}
    done = process("gate", env=env | {f"APPDIST_{name}": text for name, text in options.items()})
    assert done.code == FAILED, done.log
    told = json.loads(done.files[JSON])
    assert [check["state"] for check in told["checks"]] == ["failed", "failed"]
    assert "🎉 ünï" in told["checks"][0]["reason"]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u2028]", done.files[JSON])
    [suite] = ET.fromstring(done.files[JUNIT].encode())
    assert [case.get("name") for case in suite] == ["feedback-block-pattern", "require-tags"]
    assert all("🎉 ünï" in (case[0].text or "") and "]]>" in (case[0].get("message") or "") for case in suite)
    assert not re.search("^(::error::pwned|##)", done.text, re.MULTILINE)


def test_the_summary_on_github(process: Process, service: Service) -> None:
    service.reset(account(crashes=1))
    options = {"MAX_CRASHES": "0", "MIN_SESSIONS": "1", "FEEDBACK_BLOCK_PATTERN": "blocker|data loss", **THIS}
    env = {"GITHUB_ACTIONS": "true", **{f"APPDIST_{name.upper()}": text for name, text in options.items()}}
    done = process("gate", env=env)
    assert done.code == FAILED
    summary = done.files["summary.md"]
    assert summary.startswith("### ❌ Gate failed: Ferries 2.0 (20)\n")
    assert "| **Verdict** | failed, after 1 look |" in summary
    assert "| max-crashes | ❌ failed | 1 | at most 0 |  |" in summary
    assert "| min-sessions | ✅ passed | 40 | at least 1 |  |" in summary
    assert r"| feedback-block-pattern | ✅ passed | none of 1 | none with blocker\|data loss |  |" in summary
    assert done.outputs["failed-checks"] == "max-crashes"
    assert json.loads(done.outputs["checks"])["max-crashes"]["observed"] == "1"
    assert "::error title=The gate failed::Ferries 2.0 (20): max-crashes is 1" in done.text
    service.reset(account())
    env["APPDIST_GATE_MODE"] = "report"
    assert process("gate", env=env).files["summary.md"].count("### ✅ Gate passed: Ferries 2.0 (20)\n") == 1


def test_the_summary_of_a_verdict_that_is_no_pass_has_no_tick(process: Process, service: Service) -> None:
    service.reset(account())
    env = {"GITHUB_ACTIONS": "true", "APPDIST_MIN_SESSIONS": "41", "APPDIST_ON_INCONCLUSIVE": "pass"}
    env |= {f"APPDIST_{name.upper()}": text for name, text in THIS.items()}
    done = process("gate", env=env)
    assert done.code == OK
    assert done.files["summary.md"].startswith("### ❓ Gate inconclusive: Ferries 2.0 (20)\n")


def test_what_gitlab_gets(process: Process, service: Service) -> None:
    service.reset(account(crashes=1))
    options = {"MAX_CRASHES": "0", "MIN_DOWNLOADS": "6", **THIS}
    done = process("gate", env={"GITLAB_CI": "true", **{f"APPDIST_{k.upper()}": v for k, v in options.items()}})
    assert done.code == FAILED
    assert "APPDIST_VERDICT=failed\nAPPDIST_FAILED_CHECKS=max-crashes\n" in done.files["appdist.env"]
    assert json.loads(done.files["appdist-outputs.json"])["checks"]["max-crashes"]["state"] == "failed"
    assert "  ❌ max-crashes    1, expected at most 0\n" in done.text
    assert "  ✅ min-downloads  6, expected at least 6\n" in done.text


def test_everything_fits_into_gitlabs_20_variables() -> None:
    fields = promote.Outputs.model_fields.values()
    assert sum(bool(extra(one)["dotenv"]) for one in fields) <= 20


@pytest.mark.parametrize("env", [{}, {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}], ids=str)
@pytest.mark.parametrize("padding", ["", "x" * 104, "x" * 116, "x" * 117, "x" * 400])
def test_a_secret_comes_out_nowhere(process: Process, service: Service, env: dict[str, str], padding: str) -> None:
    feedback = {"text": f"{padding}{API_KEY} blocker", "reported_by": QA[0], "recorded_at": "-20h"}
    seed = account(before(), recorded_feedbacks=[feedback], tags=[API_KEY, "a"], version=f"2 {API_KEY}")
    seed["projects"][0]["name"] = f"{padding}App {API_KEY}"
    service.reset(seed)
    options = {"FEEDBACK_BLOCK_PATTERN": "blocker", "FORBID_TAGS": "a", "REQUIRE_TAGS": "b", **THIS}
    env = env | {f"APPDIST_{name.upper()}": text for name, text in options.items()}
    done = process("gate", env=env)
    assert done.code == FAILED
    masks = f"::add-mask::{API_KEY}"
    for name, text in {"stdout": done.text.replace(masks, ""), "log": done.log, **done.files}.items():
        assert API_KEY not in text, name
        assert API_KEY[:8] not in text, name
    assert "***" in done.files[JSON]
    assert "***" in done.files[JUNIT]
    ET.fromstring(done.files[JUNIT].encode())


@pytest.mark.parametrize("fields", [{"projectId": f"9-{API_KEY}"}, {"id": API_KEY}], ids=["project", "build"])
def test_not_even_as_an_id_that_the_service_tells(process: Process, service: Service, fields: dict[str, Any]) -> None:
    service.reset(account())
    service.fault(path="/builds/", status=200, times=None, body=shows(service, **fields))
    env = {f"APPDIST_{name.upper()}": text for name, text in {"MIN_SESSIONS": "41", **THIS}.items()}
    done = process("gate", env=env)
    assert done.code == INCONCLUSIVE, done.log
    for name, text in {"stdout": done.text, "log": done.log, **done.files}.items():
        assert API_KEY not in text, name


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("correct horse battery staple", "x" * 95 + " correct horse battery staple"),  # cut where it is not over
        ("correct  horse  battery", "It says correct  horse  battery"),  # whose white space is folded
    ],
)
def test_a_secret_of_several_words_is_none_of_a_report(
    watch: Watch, service: Service, tmp_path: Path, secret: str, said: str
) -> None:
    service.reset(account(recorded_feedbacks=[{"text": said, "reported_by": QA[0], "recorded_at": "-20h"}]))
    done = watch(feedback_block_pattern=".", mask=secret)
    assert done.code == FAILED
    for text in (done.log, json.dumps(done.outputs), (tmp_path / JSON).read_text(), (tmp_path / JUNIT).read_text()):
        assert "correct horse" not in text


@pytest.mark.parametrize(
    ("fault", "inputs", "code"),
    [
        (None, {"build_id": "99"}, INPUT),
        (None, {"coverage_groups": "Nope", "min_coverage": "1%"}, INPUT),
        (None, {"baseline": "99", "max_crash_rate_increase": "1%"}, INPUT),
        ({"status": 401, "body": WORSE}, {}, AUTH),
        ({"drop": "before"}, {}, TRANSPORT),
    ],
    ids=str,
)
@pytest.mark.parametrize("step", ["gate", "promote"])
def test_reports_of_an_earlier_run_are_gone_where_it_came_to_no_look(
    run: Run, service: Service, tmp_path: Path, step: str, fault: Any, inputs: dict[str, str], code: int
) -> None:
    stale(tmp_path)
    service.reset(account())
    if fault:
        service.fault(path=".", times=None, **fault)
    more = {"to_folder": "RC"} if step == "promote" else {}
    done = run(step, **{**THIS, **ONE, **more, **inputs}, retries="0")
    assert done.code == code, done.log
    assert not list(tmp_path.glob("appdist-gate*"))


def test_reports_go_where_they_are_wanted(run: Run, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = run("gate", **THIS, **ONE, gate_reports="out/of the/gate")
    agree(done.outputs, tmp_path / "out/of the/gate")
    assert sorted(path.name for path in (tmp_path / "out/of the/gate").iterdir()) == [JSON, JUNIT]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize("step", ["gate", "promote"])
def test_where_no_report_can_be_written_it_does_not_even_begin(
    run: Run, service: Service, tmp_path: Path, step: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken" / JSON).mkdir(parents=True)
    service.reset(account(crashes=1))
    more = {"to_folder": "RC"} if step == "promote" else {}
    # /proc is a directory in which not even root can make a file.
    for folder in ("file", "file/below", "taken", "/proc/none", "/proc"):
        done = run(step, **THIS, **more, min_downloads="1", gate_reports=folder)
        assert done.code == INPUT
        assert f"gate-reports is {folder}, where nothing can be written: " in done.log
        assert service.sent == [], folder


def test_a_report_that_cannot_be_written_in_the_end_lets_nothing_by(
    watch: Watch, service: Service, tmp_path: Path
) -> None:
    service.reset(account(sessions=0, testers=0))

    def block() -> None:
        play(service, {"sessions": 40})
        (tmp_path / JUNIT).mkdir()

    for mode in ("enforce", "report"):
        service.reset(account(sessions=0, testers=0))
        done = watch(block, step="promote", to_folder="RC", min_sessions="40", wait="1h", gate_mode=mode)
        assert done.code == INPUT
        assert "gate-reports is ., where nothing can be written: " in done.log
        assert service.writes == []
        assert (done.outputs["verdict"], done.outputs["failed-step"]) == ("error", "gate")
        (tmp_path / JUNIT).rmdir()


def test_a_report_that_cannot_be_written_does_not_hide_the_verdict(
    watch: Watch, service: Service, tmp_path: Path
) -> None:
    service.reset(account())

    def block() -> None:
        play(service, {"sessions": 1, "crashes": 1})
        (tmp_path / JUNIT).mkdir()

    done = watch(block, min_sessions="41", max_crashes="0", wait="1h")
    assert (done.code, done.outputs["verdict"]) == (FAILED, "failed")
    assert not (tmp_path / JSON).exists()  # rather than one that may be of before


def test_it_does_not_say_to_wait_for_what_waiting_does_not_fix(watch: Watch, service: Service) -> None:
    service.reset(account(shows=[]))
    done = watch(require_tags="rc", min_sessions="41", min_age="30h", wait="1h")
    assert (done.code, done.outputs["failed-checks"]) == (INCONCLUSIVE, ["min-age", "min-sessions", "require-tags"])
    assert "longer than wait" not in done.log
    assert "Set wait" not in done.log
