"""The gate as a part of a promotion: nothing is written before it has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from gate.support import (
    API,
    AUTH,
    BAD,
    BUILD,
    CODES,
    FAILED,
    GET_BUILD,
    GET_GROUPS,
    GET_PROJECTS,
    INCONCLUSIVE,
    INPUT,
    JSON,
    JUNIT,
    OK,
    OVER,
    PARTIAL,
    PATH,
    POST_COPY,
    PROJECT,
    THIS,
    TRANSPORT,
    WORSE,
    Watch,
    account,
    agree,
    before,
    down,
    play,
    played,
    shows,
    stale,
    upload_again,
)
from harness import in_both

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness import Process, Run, Service

PROMOTE: dict[str, Any] = {**THIS, "to_folder": "RC", "tags": "rc", "groups": "QA"}
GATE = {"min_sessions": "40", "max_crashes": "0"}


def after_copy(service: Service) -> list[str]:
    """The requests that come with the copy and after it."""
    return service.sent[service.sent.index(POST_COPY) :]


def test_the_gate_is_a_part_of_a_promotion(run: Run, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **GATE)
    assert done.code == OK, done.log
    assert done.outputs["completed-steps"] == ["find", "check", "gate", "copy", "tag", "invite"]
    assert (done.outputs["verdict"], done.outputs["failed-checks"], done.outputs["looks"]) == ("passed", [], 2)
    assert done.outputs["copied"] is True
    agree(done.outputs, tmp_path)
    gated = service.sent
    assert gated[:5] == [GET_BUILD, GET_GROUPS, GET_BUILD, GET_BUILD, POST_COPY]
    rest = after_copy(service)
    service.reset(account())
    assert run("promote", **PROMOTE).code == OK
    assert [GET_BUILD, GET_GROUPS, *rest] == service.sent


def test_without_a_gate_there_are_no_reports_and_nothing_more_is_read(
    run: Run, service: Service, tmp_path: Path
) -> None:
    service.reset(account())
    stale(tmp_path)
    done = run("promote", **PROMOTE, if_exists="skip")
    assert done.code == OK
    assert done.outputs["completed-steps"] == ["find", "check", "copy", "tag", "invite"]
    assert (done.outputs["verdict"], done.outputs["checks"], done.outputs["looks"]) == (None, None, None)
    assert (tmp_path / JSON).read_text() == "of an earlier run"  # which is not ours to take away
    assert service.sent[:4] == [GET_BUILD, GET_GROUPS, GET_PROJECTS, POST_COPY]


@in_both
@pytest.mark.parametrize("ending", BAD)
@pytest.mark.parametrize("more", [{}, {"to_folder": "off"}, {"dry_run": "true"}], ids=["copy", "no copy", "dry run"])
def test_nothing_is_written_before_the_gate_has_passed(
    run: Run, service: Service, ending: str, more: dict[str, str]
) -> None:
    build, inputs = BAD[ending]
    service.reset(account(**build))
    done = run("promote", **{**PROMOTE, **inputs, **more})
    compat = ending == "failed" and service.dialect == "compat"
    assert done.code == (INCONCLUSIVE if compat else CODES[ending]), done.log
    assert service.writes == []
    assert (done.outputs["completed-steps"], done.outputs["failed-step"]) == (["find", "check"], "gate")
    assert done.outputs["copied"] is None
    assert done.outputs["verdict"] != "passed"


def test_what_is_wrong_with_the_gates_inputs_is_found_before_anybody_waits(run: Run, service: Service) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **GATE, coverage_groups="Nope", min_coverage="1%", wait="30d")
    assert (done.code, done.outputs["failed-step"]) == (INPUT, "check")
    assert service.writes == []


@pytest.mark.parametrize(
    ("inputs", "ending"),
    [
        ({"min_sessions": "41", "on_inconclusive": "warn"}, "inconclusive"),
        ({"min_sessions": "41", "on_inconclusive": "pass"}, "inconclusive"),
        ({"max_feedbacks": "0", "gate_mode": "report"}, "failed"),
    ],
    ids=str,
)
def test_it_goes_on_where_that_is_wanted(run: Run, service: Service, inputs: dict[str, str], ending: str) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **inputs)
    assert (done.code, done.outputs["verdict"], done.outputs["copied"]) == (OK, ending, True), done.log


def test_the_summary_of_a_gated_promotion(process: Process, service: Service) -> None:
    service.reset(account())
    env = {f"APPDIST_{name.upper()}": text for name, text in {**PROMOTE, **GATE}.items()}
    done = process("promote", env=env | {"GITHUB_ACTIONS": "true"})
    assert done.code == OK, done.log
    summary = done.files["summary.md"]
    assert summary.startswith("### ✅ Promoted Ferries 2.0 (20) for Android (com.example.ferries)\n")
    assert "| gate | ✅ done | Passed: min-sessions, max-crashes. |" in summary
    assert "| min-sessions | ✅ passed | 40 | at least 40 |  |" in summary
    assert "::group::gate\n" in done.text


def test_a_promotion_waits_for_its_gate(watch: Watch, service: Service) -> None:
    service.reset(account(sessions=0, testers=0))
    wait = {**PROMOTE, **GATE, "wait": "1h"}
    done = watch(None, played(service, {"sessions": 40}), step="promote", **wait)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 4), done.log
    assert service.writes[0] == POST_COPY
    assert service.sent[: service.sent.index(POST_COPY)].count(GET_BUILD) == 1 + 3 + 1


def upload_and_go_down(service: Service) -> None:
    upload_again(service)
    down(service)()


CHANGES: dict[str, Callable[[Service], object]] = {
    "upload": upload_again,
    "as new": lambda service: play(service, {"reupload": True}),
    "upload, then down": upload_and_go_down,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "mode",
    [{}, {"gate_mode": "report"}, {"on_inconclusive": "warn"}, {"on_inconclusive": "pass", "gate_mode": "report"}],
    ids=str,
)
def test_a_build_that_changed_right_before_the_copy_is_not_copied(
    watch: Watch, service: Service, tmp_path: Path, change: str, mode: dict[str, str]
) -> None:
    """Where it cannot be read, nobody knows whether it changed."""
    service.reset(account())
    done = watch(step="promote", at={"copy": lambda: CHANGES[change](service)}, **PROMOTE, **GATE, **mode)
    assert [one for one in service.writes if "upload" not in one] == []
    assert done.code == (TRANSPORT if "down" in change else FAILED)
    assert (done.outputs["completed-steps"], done.outputs["failed-step"]) == (["find", "check"], "gate")
    assert done.outputs["verdict"] == ("error" if "down" in change else "failed")
    assert done.outputs["copied"] is None
    agree(done.outputs, tmp_path)


@pytest.mark.parametrize("mode", ["enforce", "report"])
def test_nor_is_one_of_which_nobody_knows_any_more_whether_it_changed(
    watch: Watch, service: Service, mode: str
) -> None:
    service.reset(account())

    def change() -> None:
        upload_again(service)
        service.fault(path=f"{PATH}$", status=200, times=None, body=shows(service, uploadedAt=None))

    done = watch(step="promote", at={"copy": change}, **PROMOTE, **GATE, gate_mode=mode)
    assert [one for one in service.writes if "upload" not in one] == []
    assert done.code in {FAILED, INCONCLUSIVE}
    assert done.outputs["verdict"] != "passed"
    root = ET.parse(JUNIT).getroot()
    assert (root.get("failures"), root.get("errors")) != ("0", "0")  # in report mode too: it does stop


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize("folder", ["RC", ""])
def test_nor_is_one_promoted_that_changed_while_its_gate_waited(
    watch: Watch, service: Service, folder: str, mode: str
) -> None:
    service.reset(account())
    inputs = {**PROMOTE, "to_folder": folder, "min_sessions": "41", "wait": "1h", "gate_mode": mode}
    if not folder:
        del inputs["to_folder"]
    done = watch(played(service, {"reupload": True}), step="promote", **inputs)
    assert (done.code, service.writes) == (FAILED, [])


@pytest.mark.parametrize("where", [{"to_folder": "RC", "source_tags": "promoted"}, {"tags": "promoted"}], ids=str)
def test_tags_that_came_while_the_gate_waited_are_kept(watch: Watch, service: Service, where: dict[str, str]) -> None:
    service.reset(account())
    happened = played(service, {"update": {"tags": ["candidate", "signed-off"]}}, {"sessions": 1})
    wait = {"min_sessions": "41", "wait": "1h", "tags_mode": "add", **where}
    assert watch(happened, step="promote", **wait).code == OK
    assert service.build(PROJECT, BUILD)["tags"] == ["candidate", "signed-off", "promoted"]


@pytest.mark.parametrize(
    ("mode", "code"),
    [({}, FAILED), ({"on_inconclusive": "pass"}, FAILED), ({"gate_mode": "report"}, OK)],
    ids=str,
)
def test_a_crash_right_before_the_copy_stops_it(
    watch: Watch, service: Service, mode: dict[str, str], code: int
) -> None:
    service.reset(account())
    crash = played(service, {"sessions": 1, "crashes": 1})
    done = watch(step="promote", at={"copy": crash}, **PROMOTE, **GATE, **mode)
    assert (done.code, done.outputs["verdict"], done.outputs["crashes"]) == (code, "failed", 1)
    assert (service.writes == []) is (code == FAILED)


def test_a_build_that_is_gone_right_before_the_copy(watch: Watch, service: Service) -> None:
    service.reset(account(before()))
    done = watch(step="promote", at={"copy": played(service, {"delete": True})}, **PROMOTE, **GATE)
    assert (done.code, service.writes, done.outputs["verdict"]) == (API, [], "error")


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 404}, {"status": 503}], ids=str)
def test_nothing_is_written_where_the_gate_could_not_look(
    watch: Watch, service: Service, fault: dict[str, Any]
) -> None:
    """Though it would only report."""
    service.reset(account())
    down(service, skip=1, times=None, **fault)()
    inputs = {"tags": "rc", "groups": "QA", "notify": "true", "gate_mode": "report", "on_inconclusive": "pass"}
    done = watch(step="promote", min_sessions="1", **inputs)
    assert done.code in {AUTH, API, TRANSPORT}
    assert (done.outputs["verdict"], done.outputs["failed-step"]) == ("error", "gate")
    assert (service.writes, service.outbox) == ([], [])


@pytest.mark.parametrize(("uploaded", "copied"), [("-3d", True), ("-26h", False), ("-1h", False)])
def test_what_was_in_the_folder_before_the_upload_is_no_copy_of_it(
    run: Run, service: Service, uploaded: str, copied: bool
) -> None:
    """Of the version that was uploaded again since then; whether copies keep the time of the original is not known."""
    there = {"id": 90, "version": "2.0", "version_code": "20", "uploaded_at": uploaded}
    app = {"id": 9, "name": "Ferries", "package_name": "com.example.ferries", "platform": "Android", "folder": "/RC"}
    service.reset(account(others=[{**app, "builds": [there]}]))
    done = run("promote", **THIS, to_folder="RC", if_exists="skip", max_age="30d")
    assert (done.code, done.outputs["copied"]) == (OK, copied), done.log


def test_a_copy_that_was_found_is_nothing_that_was_done(watch: Watch, service: Service) -> None:
    """So that a job that runs again is neither told to mail everybody once more nor kept from trying again."""
    service.reset(account())
    inputs = {**PROMOTE, **GATE, "notify": "if-copied", "if_exists": "skip", "tags": "rc", "tags_mode": "add"}
    assert watch(step="promote", **inputs).outputs["notified"] is True
    mails = len(service.outbox)
    service.fault(method="PATCH", path="/builds/", status=503, body="Down")
    done = watch(step="promote", **{**inputs, "tags": "rc2"})
    assert done.code == TRANSPORT, done.log
    assert "Give notify: true" not in done.log
    again = watch(step="promote", **{**inputs, "tags": "rc2"})
    assert (again.code, again.outputs["copied"], len(service.outbox)) == (OK, False, mails)


def test_who_is_left_uninvited_is_told(watch: Watch, service: Service) -> None:
    service.reset(account())
    service.fault(method="POST", path="/invites/", status=429, body="slow", times=None)
    done = watch(step="promote", **{**PROMOTE, **GATE, "notify": "if-copied"})
    assert (done.code, done.outputs["failed-step"]) == (PARTIAL, "invite")
    assert "Set notify: true there: a later run of this promotion mails nobody." in done.log


@pytest.mark.parametrize("lenient", [{"on_inconclusive": "warn"}, {"gate_mode": "report"}], ids=str)
def test_the_look_before_the_copy_does_not_make_up_for_passes_that_are_missing(
    watch: Watch, service: Service, tmp_path: Path, lenient: dict[str, str]
) -> None:
    service.reset(account())
    done = watch(OVER, step="promote", **{**PROMOTE, **GATE, **lenient}, wait="1h", consecutive_passes="3")
    assert (done.code, done.outputs["verdict"], done.outputs["copied"]) == (OK, "inconclusive", True)
    agree(done.outputs, tmp_path)


def test_how_to_go_on_after_the_copy_was_made(watch: Watch, service: Service) -> None:
    """The copy has no sessions: the gate would never let it through."""
    service.reset(account())
    service.fault(method="PATCH", path="/builds/", status=400, body=WORSE)
    inputs = {**PROMOTE, **GATE, "notify": "if-copied", "if_exists": "skip"}
    done = watch(step="promote", **inputs)
    assert done.code == PARTIAL
    assert "omit to-folder, source-tags, if-exists, the copy-… inputs and the inputs of the gate" in done.log
    assert "Set notify: true there: a later run of this promotion mails nobody." in done.log
    ids = {"project_id": done.outputs["promoted-project-id"], "build_id": done.outputs["promoted-build-id"]}
    assert watch(step="promote", **{**ids, "tags": "rc", "groups": "QA", "notify": "true"}).code == OK
    assert {mail["build_id"] for mail in service.outbox} == {ids["build_id"]}


def test_a_copy_that_is_there_already_is_not_made_again(run: Run, service: Service) -> None:
    service.reset(account())
    again = {**PROMOTE, **GATE, "if_exists": "skip", "groups": ""}
    first, made = run("promote", **again), len(service.sent)
    second = run("promote", **again)
    assert (first.code, second.code) == (OK, OK), second.log
    assert (first.outputs["copied"], second.outputs["copied"]) == (True, False)
    assert first.outputs["promoted-build-id"] == second.outputs["promoted-build-id"]
    assert second.outputs["looks"] == 1
    assert service.sent[made:].count(GET_BUILD) == 2
    assert service.writes.count(POST_COPY) == 1


def test_a_dry_run_is_judged_once(run: Run, service: Service) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **GATE, dry_run="true")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 1)
    assert done.outputs["completed-steps"] == ["find", "check", "gate"]
    assert service.writes == []
