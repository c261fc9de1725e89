"""Our actions and examples in act, a real runner. What GitHub does otherwise is said where it matters."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from runners.cases import (
    BUILD,
    CASES,
    COPY,
    COPY_PROJECT,
    GRADLEW,
    LONG_NOTES,
    NOTES,
    PROJECT,
    QA,
    STAKEHOLDERS,
    evil,
    expected,
    hostile,
    hostile_seed,
    hostile_workspace,
    inputs_of,
    told,
)
from runners.support import CONNECTION, EMAIL, KEY, ROOT, SECRETS, uses

if TYPE_CHECKING:
    from pathlib import Path

    from runners.support import Act, ActRun, Service

# --- The examples ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("curl")
def test_example_promote(act: Act, service: Service) -> None:
    message = 'Seat maps 🚆\n\n* "quoted", `$HOME`, ${{ secrets.APPDIST_API_KEY }}'
    act.files = {"gradlew": GRADLEW}
    run = act(
        (ROOT / "examples" / "github-promote.yml").read_text("utf-8"), payload={"head_commit": {"message": message}}
    )
    assert run.code == 0
    copy = service.build(COPY)
    assert (copy["folderPath"], copy["appVersion"]) == ("/Release Candidates", "5.0.0")
    assert copy["tags"] == ["release-candidate", "main"]
    assert re.fullmatch(re.escape(f"{message}\n\nVersion 5.0.0, commit ") + "[0-9a-f]{40}\n?", copy["changelog"])
    assert copy["metadata"].keys() == {"commit", "branch", "pipeline_url", "actor"}
    assert service.build(BUILD)["tags"] == []
    mails = service.outbox
    assert sorted(mail["to"] for mail in mails) == sorted(QA + STAKEHOLDERS)
    assert {mail["build_id"] for mail in mails} == {COPY}
    assert {mail["comment"] for mail in mails} == {copy["changelog"]}
    page = f"{service.url}/projects/{COPY_PROJECT}-northwindtravel/builds/{COPY}"
    assert run.log("announce").strip() == (
        f"Version 5.0.0 (build {COPY}) is in /Release Candidates for QA,Stakeholders - {page}"
    )
    for text in ("Promoted Northwind Travel 5.0.0 (5000)", page, "release-candidate, main", "5 testers"):
        assert text in run.summary


@pytest.mark.usefixtures("curl")
def test_example_promote_tells_why_an_upload_was_refused(act: Act, service: Service) -> None:
    """Wrong credentials are HTTP 200 there."""
    act.files = {"gradlew": GRADLEW}
    run = act(
        (ROOT / "examples" / "github-promote.yml").read_text("utf-8"),
        secrets={"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": "wrong"},
    )
    assert run.code == 1
    assert "Invalid API key" in run.log("promote", "upload")
    assert service.writes == []


def release(act: Act) -> ActRun:
    inputs = {"version-code": "5000", "release-notes": "Seat maps 🚆"}
    workflow = (ROOT / "examples" / "github-steps.yml").read_text("utf-8")
    return act(workflow, event="workflow_dispatch", payload={"inputs": inputs})


def test_example_steps(act: Act, service: Service) -> None:
    service.upload(visible_after="5")  # it shows up while the first step waits
    run = release(act)
    assert run.code == 0
    assert "Not found yet" in run.log("prepare", "find")
    build, copy = service.build(BUILD), service.build(COPY)
    assert (build["tags"], build["changelog"], build["folderPath"]) == (["candidate"], "Seat maps 🚆", "/")
    assert build["metadata"]["branch"] == "main"
    assert (copy["tags"], copy["changelog"], copy["folderPath"]) == (["released"], "Seat maps 🚆", "/Releases")
    assert copy["groups"] == ["Beta Testers"]
    to = [mail["to"] for mail in service.outbox]
    assert len(to) == len(set(to)) == 4
    assert "### Released 5.0.0" in run.log("report")
    assert f"/builds/{COPY}), invited: Beta Testers" in run.log("report")
    assert run.commands("warning") == []


def test_example_steps_that_stops_tells_how_far_it_got(act: Act, service: Service) -> None:
    service.upload()
    service.fault(method="POST", path="/invites/", status=503)
    run = release(act)
    assert (run.code, run.result("prepare"), run.result("release")) == (1, "success", "failure")
    (warning,) = run.commands("warning")
    assert warning.endswith(f"/builds/{COPY}, testers mailed unknown")
    assert service.outbox == []
    assert run.log("report") == ""


# --- Each action by itself ------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["classic", "compat"], indirect=True)
@pytest.mark.parametrize("step", CASES)
def test_each_action(act: Act, service: Service, step: str) -> None:
    case, url = CASES[step], service.upload()
    run = act.step(step, {"build-url": url, **case.inputs})
    assert (run.code, run.result("job")) == (0, "success")
    assert told(run.outputs(), case) == expected(case, service.dialect)
    warnings = [text for text in run.commands("warning") if "switch it off on Thu, 31 Dec 2026" in text]
    assert len(warnings) == (1 if service.dialect == "compat" else 0)
    if step in {"find", "promote"}:
        # compat shows no `self`, and so no slug
        assert run.outputs()["build-url"] == (
            url.replace("-northwindtravel", "") if service.dialect == "compat" else url
        )
    build = service.build(case.on)
    assert {name: build[name] for name in case.holds} == case.holds
    assert run.summary.startswith("### ✅ ")
    assert ("which shows 4 projects" if step == "check" else "Northwind Travel 5.0.0 (5000)") in run.summary
    assert [mail["to"] for mail in service.outbox] == {"invite": STAKEHOLDERS, "promote": QA}.get(step, [])


def test_steps_share_one_install_and_hand_on_outputs(act: Act, service: Service) -> None:
    url = service.upload()
    ids = {"project-id": "${{ steps.find.outputs.project-id }}", "build-id": "${{ steps.find.outputs.build-id }}"}
    run = act.steps(
        {"id": "find", "uses": uses("find"), "with": {"build-url": url}},
        {"id": "tag", "uses": uses("tag"), "with": {**ids, "tags": "a"}},
    )
    assert run.code == 0
    assert service.build(BUILD)["tags"] == ["a"]
    assert "installed its dependencies" in run.log("job", "find")
    assert "install" not in run.log("job", "tag")


def test_a_checkout_of_the_actions_works_as_well(act: Act, service: Service, checkout: Path) -> None:
    """`uses: ./actions/tag`, as forks and copies have it."""
    act.files = {
        str(path.relative_to(checkout)): path.read_bytes()
        for part in ("actions", "core")
        for path in (checkout / part).rglob("*")
        if path.is_file()
    }
    run = act.steps({"id": "it", "uses": "./actions/tag", "with": {"build-url": service.upload(), "tags": "a"}})
    assert run.code == 0
    assert service.build(BUILD)["tags"] == ["a"]


# --- Where inputs come from -----------------------------------------------------------------------


def test_an_input_wins_over_the_jobs_environment(act: Act, service: Service) -> None:
    wrong = {
        "APPDIST_EMAIL": "nobody@northwind.example",
        "APPDIST_API_KEY": "wrong",
        "APPDIST_BASE_URL": "http://[::1]:9",
    }
    right = {name.removeprefix("APPDIST_").lower().replace("_", "-"): value for name, value in CONNECTION.items()}
    wanted = {"build-url": service.upload(), "tags": "a"}
    run = act.step("tag", {**right, **wanted}, env=wrong)
    assert run.code == 0
    assert service.build(BUILD)["tags"] == ["a"]
    run = act.step("tag", {"api-key": "wrong-key", "email": EMAIL, **wanted, "tags": "b"})
    assert run.exit_code() == 3
    assert service.build(BUILD)["tags"] == ["a"]


def test_a_step_takes_its_build_from_the_jobs_environment(act: Act, service: Service) -> None:
    older = {"APPDIST_BUILD_ID": "8893377", "APPDIST_PROJECT_ID": PROJECT}
    service.upload()
    assert act.step("tag", {"tags": "a"}, env=CONNECTION | older).code == 0
    assert service.build("8893377")["tags"] == ["a"]
    # What the job says of the build must not mix with what the step is told.
    run = act.step(
        "tag", {"package-name": "com.northwind.travel", "platform": "Android", "version": "5.0.0", "tags": "b"}
    )
    assert run.code == 0
    assert service.build(BUILD)["tags"] == ["b"]


def test_no_credentials(act: Act) -> None:
    run = act.step("find", {"build-url": "/projects/1/builds/2"}, env={})
    assert (run.code, run.exit_code()) == (1, 2)
    (error,) = run.commands("error")
    assert error.startswith("no credentials: set email and api-key")


# --- When it fails --------------------------------------------------------------------------------


def test_a_promotion_that_stops_has_told_what_it_did(act: Act, service: Service) -> None:
    service.fault(
        method="POST", path="/invites/", status=404, body={"status": "fail", "code": 404, "message": "group not found"}
    )
    promote = {
        "build-url": service.upload(),
        "to-folder": "Release Candidates",
        "tags": "rc",
        "groups": "QA",
        "notify": "true",
    }
    later = {
        "if": "failure()",
        "env": {"COPY": "${{ steps.it.outputs.promoted-build-id }}", "FAILED": "${{ steps.it.outputs.failed-step }}"},
        "run": 'echo "the copy is $COPY, failed is $FAILED"',
    }
    run = act.steps({"id": "it", "uses": uses("promote"), "with": promote}, later)
    assert (run.code, run.result("job"), run.exit_code()) == (1, "failure", 6)
    assert f"the copy is {COPY}, failed is invite" in run.log()
    outputs = run.outputs()
    assert outputs["completed-steps"] == "find,check,copy,tag"
    assert (outputs["promoted-project-id"], outputs["tags"]) == (COPY_PROJECT, "rc")
    assert not {"invited-groups", "notified"} & outputs.keys()
    (error,) = run.commands("error")
    assert "group not found" in error
    assert f"build-id: {COPY} (the copy)" in error
    assert run.summary.startswith("### ❌ Promotion stopped at invite")
    for row in (
        "| find | ✅ done |",
        "| copy | ✅ done |",
        "| tag | ✅ done |",
        "| invite | ❌ failed |",
    ):
        assert row in run.summary
    assert service.build(COPY)["tags"] == ["rc"]
    assert service.outbox == []


def test_wrong_inputs_are_all_named_and_nothing_is_asked(act: Act, service: Service) -> None:
    service.fault(path="/api/1/", status=500, times=None)
    run = act.step("promote", {"build-url": "x", "region": "us-west-1", "ci-metadata": "maybe", "wait-for-build": "10"})
    assert run.exit_code() == 2
    (error,) = run.commands("error")
    for name in ("region is 'us-west-1'", "ci-metadata is 'maybe'", "wait-for-build is '10'"):
        assert name in error
    assert service.ask("GET", "/_emulator/requests") == []
    assert run.summary.startswith("### ❌")


def test_dry_run(act: Act, service: Service) -> None:
    promote = {"build-url": service.upload(), "to-folder": "New", "tags": "rc", "groups": "QA", "notify": "true"}
    run = act.step("promote", promote, env=CONNECTION | {"APPDIST_DRY_RUN": "true"})
    assert run.code == 0
    assert service.writes == []
    outputs = run.outputs()
    assert (outputs["dry-run"], outputs["copied"], outputs["changed"], outputs["notified"]) == ("true",) + (
        "false",
    ) * 3
    assert outputs["completed-steps"] == "find,check"
    assert "📝 planned" in run.summary
    assert "Would copy" in run.log()


def test_the_log_has_a_group_for_each_part(act: Act, service: Service) -> None:
    run = act.step("promote", {"build-url": service.upload(), "to-folder": "New", "tags": "rc", "groups": "QA"})
    assert run.commands("group") == ["find", "check", "copy", "tag", "invite"]
    assert len(run.commands("endgroup")) == 5


def test_notify_first_attempt(act: Act, service: Service) -> None:
    invite = {"build-url": service.upload(), "groups": "QA", "notify": "first-attempt"}
    step = {"id": "it", "uses": uses("invite"), "with": invite}
    assert act.steps(step).outputs()["notified"] == "true"
    assert len(service.outbox) == 3
    run = act.steps(step, runner_env={"GITHUB_RUN_ATTEMPT": "2"})
    assert run.outputs()["notified"] == "false"
    assert len(run.commands("warning")) == 1
    assert len(service.outbox) == 3


# --- Secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
def test_the_key_is_masked_first_and_never_shown(act: Act, service: Service, fails: bool) -> None:
    url = service.upload()
    said = f"What is {SECRETS[0]} or {SECRETS[1]}?"
    body = (
        {"status": "fail", "code": 1, "message": said} if fails else {"status": "ok", "changelog": said, "tags": [KEY]}
    )
    service.fault(method="PATCH", status=400 if fails else 200, body=body)
    # It comes as plain text, so that the runner knows nothing of it until we tell.
    env = CONNECTION | {"APPDIST_API_KEY": KEY, "APPDIST_DEBUG": "true"}
    annotate = {"build-url": url, "release-notes": "x"}
    run = act.steps(
        {"id": "warm", "uses": uses("find"), "with": {"build-url": url}},  # what installs says so before
        {"id": "it", "uses": uses("annotate"), "with": annotate},
        env=env,
        secrets={"APPDIST_EMAIL": EMAIL},
    )
    assert run.exit_code() == (4 if fails else 6)  # it answers with other notes than were sent
    first = run.first("it")
    assert (first["command"], first["arg"]) == ("add-mask", KEY)
    assert set(run.commands("add-mask", "it")) == set(SECRETS)
    # Our part, before the runner masks: commands' arguments and summaries come here unmasked.
    shown = [
        json.dumps(line)
        for line in run.lines
        if (line.get("stepID") or [""])[0] in {"warm", "it"} and line.get("command") != "add-mask"
    ]
    assert not [line for line in shown if any(secret in line for secret in SECRETS)]
    assert not any(secret in json.dumps(run.outputs("it")) for secret in SECRETS)
    assert "debug:" in run.log("job", "it")
    if not fails:
        assert run.outputs()["release-notes"] == "What is *** or ***?"


# --- Text of any kind -----------------------------------------------------------------------------


@pytest.mark.parametrize("notes", [NOTES, LONG_NOTES], ids=["special", "100 kB"])
def test_release_notes_as_an_input(act: Act, service: Service, notes: str) -> None:
    run = act.step("annotate", {"build-url": service.upload(), "release-notes": notes})
    assert run.code == 0
    assert service.build(BUILD)["changelog"] == notes
    assert run.outputs()["release-notes"] == notes


@pytest.mark.parametrize("notes", [NOTES, LONG_NOTES], ids=["special", "100 kB"])
def test_release_notes_from_a_file(act: Act, service: Service, notes: str) -> None:
    act.files = {"docs/Änderungen 1.md": notes}
    inputs = {
        "build-url": service.upload(),
        "release-notes-file": "docs/Änderungen 1.md",
        "groups": "QA",
        "notify": "on",
    }
    run = act.step("promote", {**inputs, "notify": "true"})
    assert run.code == 0
    assert service.build(BUILD)["changelog"] == notes
    assert run.outputs()["release-notes"] == notes
    assert {mail["comment"] for mail in service.outbox} == {notes}


def test_text_inputs_stay_text(act: Act, service: Service, tmp_path: Path) -> None:
    witness = tmp_path / "pwned"
    text = f"x {evil(witness)}"  # a quote in front would open a quoted item of a list
    folder = text.replace("/", "-")  # which would be folders in folders
    run = act.step("promote", {"build-url": service.upload(), **hostile(folder, text, text)})
    assert run.code == 0
    assert not witness.exists()
    copy = service.build(COPY)
    assert (copy["folderPath"], copy["appName"], copy["tags"]) == (f"/{folder}", text, [text])
    assert (copy["changelog"], copy["metadata"]) == (text, {"key": text})
    assert {mail["comment"] for mail in service.outbox} == {text}
    assert next(csv.reader([run.outputs()["tags"]])) == [text]


@pytest.mark.parametrize("step", CASES)
def test_no_input_reaches_a_shell(act: Act, tmp_path: Path, step: str) -> None:
    witness = tmp_path / "pwned"
    run = act.step(step, dict.fromkeys(inputs_of(step), evil(witness)))
    assert run.exit_code() == 2
    assert not witness.exists()


def test_text_of_the_service_stays_text(act: Act, service: Service) -> None:
    service.reset(hostile_seed())
    promote: dict[str, Any] = {"package-name": "com.example.travel", "to-folder": "RC", "groups": "1", "tags": "rc"}
    run = act.step("promote", promote)
    assert run.code == 0
    assert run.outputs()["build-id"] == "70"
    assert "\n::error::owned\n" in run.outputs()["app-name"], "outputs are exact, whatever is in them"
    assert_no_commands(run)
    rows = [line for line in run.summary.splitlines() if line.startswith("|")]
    cells = {len(re.findall(r"(?<!\\)\|", row)) for row in rows if row.startswith(("| **", "| | |\n"))}
    assert cells == {3}
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3, 4}


def test_an_error_of_the_service_stays_text(act: Act, service: Service) -> None:
    service.reset(hostile_seed())
    message = "no\n::error::owned\n##[error]owned\n  ::set-output name=build-id::666\n::add-mask::70"
    service.fault(method="PATCH", status=400, body={"status": "fail", "code": 1, "message": message})
    run = act.step("tag", {"project-id": "7", "build-id": "70", "tags": "a"})
    assert run.exit_code() == 4
    (error,) = run.commands("error")
    assert "owned" in error
    assert_no_commands(run, errors=1)
    assert "666" not in json.dumps(run.outputs())


def assert_no_commands(run: ActRun, errors: int = 0) -> None:
    """Nothing but ours was understood as a command; nor would GitHub's runner, which knows more of them."""
    assert len(run.commands("error")) == errors
    assert set(run.commands("add-mask")) == set(SECRETS)
    assert "owned" not in [line.get("name") for line in run.lines]
    assert not re.search(r"^\s*::|##\[", run.log(), re.MULTILINE)


# --- Whose code runs ------------------------------------------------------------------------------


def test_nothing_in_the_workspace_is_imported(act: Act, service: Service, tmp_path: Path) -> None:
    witness = tmp_path / "imported"
    act.files = hostile_workspace(witness)
    env = CONNECTION | {
        "PYTHONPATH": "${{ github.workspace }}",
        "PYTHONSTARTUP": "${{ github.workspace }}/startup.py",
        "PYTHONHOME": "/nowhere",
        "PYTHONSAFEPATH": "",
    }
    run = act.step("tag", {"build-url": service.upload(), "tags": "a"}, env=env)
    assert run.code == 0
    assert not witness.exists(), witness.read_text()
    assert service.build(BUILD)["tags"] == ["a"]


def test_the_workspace_is_hostile_indeed(act: Act, tmp_path: Path) -> None:
    """The test above can fail: a plain Python there does import what lies about."""
    witness = tmp_path / "imported"
    act.files = hostile_workspace(witness)
    run = act.steps({"run": "python3 -c 'import requests, sauce_appdist'", "env": {"PYTHONPATH": "."}})
    assert run.code == 0
    assert {"sitecustomize", "requests", "sauce_appdist"} <= set(witness.read_text().split())
