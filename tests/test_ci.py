"""What GitHub, GitLab and a terminal get: outputs, summary, log. Text from the service stays text."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness import ANDROID, API_KEY, NEWEST_ANDROID, Outcome, Process, Service, connection, github_outputs
from sauce_appdist.ci.base import Job
from sauce_appdist.ci.github import summary
from sauce_appdist.ci.report import Fact, PartResult, Report
from sauce_appdist.errors import InputError
from sauce_appdist.interface.outputs import StepOutputs
from sauce_appdist.steps import STEPS, load
from sauce_appdist.text import Redactor, markdown, markdown_block, one_line, printable

BUILD: dict[str, Any] = {"APPDIST_PROJECT_ID": ANDROID, "APPDIST_BUILD_ID": NEWEST_ANDROID}
GITHUB, GITLAB = {"GITHUB_ACTIONS": "true", **BUILD}, {"GITLAB_CI": "true", **BUILD}
PROMOTE = {
    "APPDIST_TO_FOLDER": "QA",
    "APPDIST_TAGS": "rc",
    "APPDIST_RELEASE_NOTES": "Line 1\nLine 2 🎉",
    "APPDIST_GROUPS": "QA",
    "APPDIST_NOTIFY": "true",
}
EVIL = "x\n::error::pwned\r\n  ::set-output name=build-id::9\n##[warning]w | y\x1b[31m`</details>` [l](javascript:1) <b> ghadelimiter_1\nEOF\nname<<EOF"


def evil(service: Service) -> None:
    """The app, its version and its folder have names that try to break out."""
    service.fault(
        method="GET",
        path=f"/builds/{NEWEST_ANDROID}$",
        status=200,
        times=None,
        body={
            "status": "ok",
            "build": {
                "id": NEWEST_ANDROID,
                "projectId": ANDROID,
                "self": "/projects/1/builds/2)\n::error::x|<script>",
                "appName": EVIL,
                "appVersion": EVIL,
                "appVersionCode": "1",
                "platform": EVIL,
                "packageName": EVIL,
            },
        },
    )


def commands(text: str) -> list[str]:
    """What a GitHub runner would take for a command."""
    return [line for line in re.split(r"[\n\r]", text) if re.match(r"\s*::", line) or "##[" in line]


# --- GitHub -----------------------------------------------------------------------------------------


def test_github_outputs_and_summary(process: Process, service: Service) -> None:
    done = process("promote", env=GITHUB | PROMOTE)
    assert done.code == 0, done.log
    assert set(done.outputs) == set(load("promote").Outputs().given())
    assert done.outputs["release-notes"] == "Line 1\nLine 2 🎉"
    assert (done.outputs["copied"], done.outputs["dry-run"], done.outputs["failed-step"]) == ("true", "false", "")
    page = done.files["summary.md"]
    assert page.startswith("### ✅ Promoted Northwind Travel 4.3.0 (4300)\n")
    copy = f"{service.url}/projects/6940503-northwindtravel/builds/8911080"
    for part in (
        f"| **Copied to** | [/QA: build 8911080 in project 6940503]({copy}) |",
        "| **Tags** | rc |",
        "| **Invited** | QA (3 testers); mailed to 3 testers |",
        "| copy | ✅ done | Northwind Travel 4.3.0 (4300) to QA |",
        "Line 1\nLine 2 🎉",
    ):
        assert part in page


def test_github_masks_before_anything_else_is_said(process: Process) -> None:
    done = process("tag", env=GITHUB | {"APPDIST_TAGS": "rc", "APPDIST_DEBUG": "true"})
    lines = done.text.splitlines()
    assert lines[0] == f"::add-mask::{API_KEY}"
    rest = "\n".join(line for line in lines if not line.startswith("::add-mask::"))
    assert API_KEY not in rest + str(done.files)


@pytest.mark.parametrize("step", STEPS)
def test_github_failure_has_its_annotation_its_outputs_and_its_summary(process: Process, step: str) -> None:
    done = process(step, env={"GITHUB_ACTIONS": "true", "APPDIST_REGION": "mars"})
    assert done.code == 2
    assert "::error title=Wrong input::region is 'mars'" in done.text
    assert set(done.outputs) == set(load(step).Outputs().given())
    assert "❌" in done.files["summary.md"]
    assert "region is 'mars'" in done.files["summary.md"]


def test_a_promotion_that_stops_half_way_is_told_in_the_summary(process: Process, service: Service) -> None:
    service.fault(path="/invites/$", status=400, body={"status": "fail", "code": 99, "message": "No permissions"})
    done = process("promote", env=GITHUB | PROMOTE)
    assert done.code == 6
    assert done.outputs["promoted-build-id"] == "8911080"
    page = done.files["summary.md"]
    assert "### ❌ Promotion stopped at invite" in page
    assert "| copy | ✅ done |" in page
    assert "| invite | ❌ failed |" in page
    assert "run promote with project-id: 6940503, build-id: 8911080 (the copy)" in page


def test_what_the_service_says_cannot_speak_to_github(process: Process, service: Service) -> None:
    evil(service)
    for _ in range(2):
        done = process("find", env=GITHUB | {"APPDIST_DEBUG": "true"})
        assert done.code == 0, done.log
        assert all(line.startswith(("::add-mask::", "::group", "::endgroup")) for line in commands(done.text)), (
            done.text
        )
        assert done.outputs["app-name"] == EVIL  # unharmed, and in its place
        assert done.outputs["build-id"] == NEWEST_ANDROID
        rows = [line for line in done.files["summary.md"].splitlines() if line.startswith("|")]
        assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows), rows
        assert "<b>" not in re.sub(r"\\<", "", "".join(rows))
        service.fault(path=".*", times=1, status=400, body={"status": "fail", "code": 7, "message": EVIL})
        failed = process("tag", env=GITHUB | {"APPDIST_TAGS": "x"})
        assert failed.code == 4
        assert [line.split(" ")[0] for line in commands(failed.text) if "add-mask" not in line] == ["::error"]


@given(st.text())
def test_no_text_becomes_a_command(text: str) -> None:
    assert not commands(printable(text))
    assert not commands("debug: " + printable(text))
    assert one_line(text).isprintable() or not text.isprintable()


@given(st.text(), st.text(), st.sampled_from(["done", "failed", "unknown"]))
def test_no_text_breaks_the_summary(label: str, text: str, state: Any) -> None:
    report = Report(text, [Fact("Label", text, "https://x.example/")], [PartResult("copy", state, text)], text)
    report.problem = InputError(text)
    lines = summary(report).split("\n")
    rows = [line for line in lines if line.startswith(("| **Label", "| copy"))]
    assert len(rows) >= 2
    assert all(row.endswith("|") for row in rows[:1])
    assert "|" not in re.sub(r"\\.", "", markdown(label))


@given(st.text(st.sampled_from("`~\n a"), max_size=30))
def test_no_text_closes_its_own_fence(text: str) -> None:
    block = markdown_block(text)
    fence = block.partition("text\n")[0]
    assert fence not in block.removeprefix(fence).removesuffix(fence)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.text())))
def test_secrets_are_hidden_in_every_spelling(parts: list[tuple[str, str]]) -> None:
    secret = "s3cr&t/key=="
    redact = Redactor([secret, "first\nlines"])
    text = "".join(noise + secret for _, noise in parts) + " s3cr%26t%2Fkey%3D%3D and first, lines"
    assert secret not in redact(text)
    assert "s3cr%26t" not in redact(text)
    assert redact("first lines") == "*** ***"


def test_long_notes_are_cut_in_the_summary_only(process: Process, service: Service) -> None:
    notes = "🎉 Zeile\n" * 9500
    done = process("annotate", env=GITHUB | {"APPDIST_RELEASE_NOTES": notes})
    assert done.code == 0, done.log
    assert len(notes.encode()) > 100_000
    assert done.outputs["release-notes"] == notes
    assert service.build(ANDROID, NEWEST_ANDROID)["changelog"] == notes
    assert len(done.files["summary.md"]) < 6000


# --- GitLab -----------------------------------------------------------------------------------------


def test_gitlab_files_and_sections(process: Process, service: Service) -> None:
    done = process("promote", env=GITLAB | PROMOTE)
    assert done.code == 0, done.log
    values = json.loads(done.files["appdist-outputs.json"])
    assert values["release-notes"] == "Line 1\nLine 2 🎉"
    assert (values["copied"], values["tags"]) == (True, ["rc"])
    lines = done.files["appdist.env"].splitlines()
    dotenv = dict(line.split("=", 1) for line in lines)
    assert dotenv["APPDIST_PROMOTED_BUILD_ID"] == "8911080"
    assert dotenv["APPDIST_BUILD_ID"] == NEWEST_ANDROID
    links = json.loads(done.files["appdist-annotations.json"])["Mobile App Distribution"]
    assert links[-1]["external_link"]["url"] == f"{service.url}/projects/6940503-northwindtravel/builds/8911080"
    starts = re.findall(r"\x1b\[0Ksection_start:\d+:(\w+)\r\x1b\[0K", done.text)
    ends = re.findall(r"\x1b\[0Ksection_end:\d+:(\w+)\r\x1b\[0K", done.text)
    assert (
        starts
        == ends
        == ["appdist_find", "appdist_check", "appdist_copy", "appdist_annotate_and_tag", "appdist_invite"]
    )


@pytest.mark.parametrize("step", STEPS)
def test_gitlab_dotenv_keeps_within_the_limits(step: str) -> None:
    outputs = load(step).Outputs
    assert len(outputs().dotenv()) == 0
    declared = [name for name in outputs.model_fields if outputs.model_fields[name].json_schema_extra["dotenv"]]
    assert len(declared) <= 20


def test_gitlab_dotenv_leaves_out_what_it_cannot_hold(process: Process, service: Service) -> None:
    evil(service)
    done = process("find", env=GITLAB)
    assert done.code == 0, done.log
    assert {line.split("=")[0] for line in done.files["appdist.env"].splitlines()} == {
        "APPDIST_PROJECT_ID",
        "APPDIST_BUILD_ID",
        "APPDIST_VERSION_CODE",
        "APPDIST_BUILD_URL",
    }
    assert "Only in appdist-outputs.json, because GitLab's dotenv cannot hold it: APPDIST_APP_VERSION" in done.text
    assert json.loads(done.files["appdist-outputs.json"])["app-name"] == EVIL
    assert "\x1b[31m" not in done.text


def test_a_later_gitlab_job_finds_its_build_without_wiring(process: Process, service: Service) -> None:
    first = process("promote", env=GITLAB | PROMOTE)
    dotenv = dict(line.split("=", 1) for line in first.files["appdist.env"].splitlines())
    later = process("tag", env={"GITLAB_CI": "true", **dotenv, "APPDIST_INPUT_TAGS": "later"})
    assert later.code == 0, later.text
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["later"]
    other = process(
        "tag",
        env={
            "GITLAB_CI": "true",
            **dotenv,
            "APPDIST_INPUT_TAGS": "copy",
            "APPDIST_INPUT_BUILD_URL": dotenv["APPDIST_PROMOTED_BUILD_URL"],
        },
    )
    assert other.code == 0, other.text
    assert service.build("6940503", "8911080")["tags"] == ["copy"]


# --- Terminal ---------------------------------------------------------------------------------------


def test_json_is_all_there_is_on_stdout(process: Process) -> None:
    done = process("promote", "--json", env=BUILD | PROMOTE | {"APPDIST_DEBUG": "true"})
    assert done.code == 0
    assert json.loads(done.text)["completed-steps"][-1] == "invite"
    assert "debug: " in done.log
    failed = process("tag", "--json", env=BUILD)
    assert failed.code == 2
    assert json.loads(failed.text)["changed"] is None
    assert failed.log == "Wrong input: tags is required: Tags, separated by commas or newlines.\n"


def test_json_carries_the_release_notes_unharmed(process: Process, service: Service) -> None:
    notes = "🎉 Zeile\t$HOME `x` \"q\" 'q' \\n\n" * 3000
    done = process("annotate", "--json", "--release-notes", notes, env=BUILD)
    assert json.loads(done.text)["release-notes"] == notes
    assert service.build(ANDROID, NEWEST_ANDROID)["changelog"] == notes


def test_plain_text_for_pipes(process: Process) -> None:
    done = process("find", env=BUILD)
    assert "✅ Found Northwind Travel 4.3.0 (4300)\n" in done.text
    assert re.search(r"^  version-code +4300$", done.text, re.MULTILINE)
    assert "\x1b" not in done.text


def test_tables_for_a_terminal(service: Service) -> None:
    """A real pseudo-terminal, so that rich draws."""
    done = in_terminal(service, "promote", "--tags", "rc", "--to-folder", "Q[red]A")
    assert done.code == 0, done.text
    plain = re.sub(r"\x1b[^m\\]*(m|\\)", "", done.text)
    assert "Promoted Northwind Travel 4.3.0" in plain
    assert "/Q[red]A" in plain
    assert "─" in plain or "━" in plain


def in_terminal(service: Service, *argv: str) -> Outcome:
    primary, secondary = pty.openpty()
    env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "140"}
    env |= connection(service.url) | BUILD
    command = [sys.executable, "-m", "sauce_appdist", *argv]
    with subprocess.Popen(command, env=env, stdout=secondary, stderr=secondary, stdin=subprocess.DEVNULL) as running:
        os.close(secondary)
        text = b""
        while True:
            try:
                part = os.read(primary, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not part:
                break
            text += part
    os.close(primary)
    return Outcome(running.returncode, {}, "", text.decode())


def test_outputs_that_cannot_be_written_are_an_error_without_a_traceback(process: Process, tmp_path: Path) -> None:
    done = process("tag", env=GITHUB | {"APPDIST_TAGS": "x", "GITHUB_OUTPUT": str(tmp_path / "no" / "such")})
    assert done.code == 6  # not 2, which says that nothing was written
    assert "The outputs cannot be written" in done.text
    assert "The step itself did everything that it was asked for" in done.text


def test_a_reader_that_goes_away_does_not_stop_a_promotion(service: Service, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], **connection(service.url)}
    service.fault(path="/groups$", delay=1)
    command = [sys.executable, "-m", "sauce_appdist", "promote"]
    with subprocess.Popen(
        command, env=env | BUILD | PROMOTE, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.stdout.close()
        log = running.stderr.read().decode()
    assert log == ""
    assert running.returncode == 0
    assert len(service.outbox) == 3


def test_neither_does_one_of_the_messages(service: Service, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], **connection(service.url)}
    service.fault(path="/groups$", delay=1)
    command = [sys.executable, "-m", "sauce_appdist", "promote", "--json"]
    with (tmp_path / "out.json").open("wb") as out:
        with subprocess.Popen(
            command, env=env | BUILD | PROMOTE, cwd=tmp_path, stdout=out, stderr=subprocess.PIPE
        ) as running:
            assert running.stderr
            running.stderr.readline()
            running.stderr.close()
        assert running.returncode == 0
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["notified"] is True
    with Path("/dev/full").open("wb", buffering=0) as full:
        helped = subprocess.run([*command[:3], "--help"], env=env, stdout=full, stderr=subprocess.PIPE, check=False)
    assert b"Traceback" not in helped.stderr


def test_a_secret_is_known_before_its_line_is_cut_or_escaped(process: Process, service: Service) -> None:
    token = "tok_" + "a1_" * 200
    service.fault(path=".*", status=400, times=None, body={"status": "fail", "code": 7, "message": f"bad {token} here"})
    env = {
        "APPDIST_EMAIL": "",
        "APPDIST_API_KEY": "",
        "APPDIST_OIDC_TOKEN": token,
        "APPDIST_OIDC_CONFIG_KEY": "oidc_cfg_12345",
    }
    done = process("find", env=GITHUB | env)
    assert "bad *** here" in done.text
    assert "a1_a1" not in done.text.replace(f"::add-mask::{token}", "") + done.files["summary.md"]
    report = Report("x", [Fact("App", "oidc_cfg_12345", None)])
    assert "oidc" not in summary(report, Redactor(["oidc_cfg_12345"]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("path", "code", "told"), [("/invites/$", 6, "is unknown"), ("/groups$", 130, "The job was cancelled")]
)
def test_a_cancelled_job_has_told_what_happened(
    service: Service, tmp_path: Path, number: signal.Signals, path: str, code: int, told: str
) -> None:
    service.fault(path=path, delay=4)
    env = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(tmp_path / "out")}
    env |= GITHUB | PROMOTE | connection(service.url)
    command = [sys.executable, "-m", "sauce_appdist", "promote"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        while not any(re.search(path, request) for request in service.sent):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(number)
        text, log = running.communicate(timeout=20)
    assert running.returncode == code, text + log
    assert told in text
    outputs = github_outputs((tmp_path / "out").read_text("utf-8"))
    assert outputs["build-id"] == NEWEST_ANDROID
    assert outputs["notified"] == ("unknown" if code == 6 else "")
    assert "Traceback" not in log


def test_the_emulator_is_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sauce_appdist", "emulator", "--port", "0", "--quiet"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        url = running.stdout.readline().strip().rpartition(" ")[2]
        env = {"PATH": os.environ["PATH"], **connection(url)}
        found = subprocess.run(
            [*command[:3], "find", "--json"], env=env | BUILD, capture_output=True, text=True, check=True
        )
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert json.loads(found.stdout)["build-id"] == NEWEST_ANDROID


# --- The parts --------------------------------------------------------------------------------------


def test_metadata_of_the_run_leaves_out_what_is_unknown() -> None:
    assert Job(commit="a", attempt=3).metadata() == {"commit": "a"}


def test_outputs_as_text() -> None:
    class Sample(StepOutputs):
        flag: bool | None = None
        items: list[str] | None = None
        data: dict[str, Any] | None = None
        count: int | None = None

    full = Sample(flag=True, items=["a", "b, c"], data={"ü": 1}, count=0)
    assert full.texts() == {"dry-run": "", "flag": "true", "items": 'a,"b, c"', "data": '{"ü": 1}', "count": "0"}
    assert set(Sample().texts().values()) == {""}


def test_the_reader_of_output_files_is_strict() -> None:
    assert github_outputs("a<<E\n1\n2\nE\nb<<F\n\nF\n") == {"a": "1\n2", "b": ""}
