"""Our templates and the example in gitlab-ci-local. What GitLab does otherwise is said where it matters."""

from __future__ import annotations

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
    told,
)
from runners.support import ROOT, SECRETS, dumped

if TYPE_CHECKING:
    from pathlib import Path

    from runners.support import GitLab, Service

EXAMPLE = ROOT / "examples" / "gitlab-promote.yml"


# --- The example ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("curl")
def test_example_promote(gitlab: GitLab, service: Service) -> None:
    """As it stands: the templates by their URL, the package by its default."""
    gitlab.files = {"gradlew": GRADLEW}
    # This runner expands the variable itself, which GitLab leaves as it is.
    run = gitlab(EXAMPLE.read_text("utf-8"), variables={"CI_COMMIT_MESSAGE": NOTES.replace("$", "$$")})
    assert run.code == 0
    assert run.dotenv("find-upload")["APPDIST_BUILD_ID"] == BUILD
    build, copy = service.build(BUILD), service.build(COPY)
    assert (build["tags"], build["folderPath"]) == ([], "/")
    assert (copy["folderPath"], copy["appVersion"]) == ("/Release Candidates", "5.0.0")
    assert copy["tags"] == ["release-candidate", "main"]
    assert copy["changelog"] == NOTES
    assert copy["metadata"].keys() >= {"commit", "branch", "pipeline_url"}
    mails = service.outbox
    assert sorted(mail["to"] for mail in mails) == sorted(QA + STAKEHOLDERS)
    assert {(mail["build_id"], mail["comment"]) for mail in mails} == {(COPY, NOTES)}
    log = run.log("announce")
    page = f"{service.url}/projects/{COPY_PROJECT}-northwindtravel/builds/{COPY}"
    assert f"\nThe copy is in /Release Candidates, for QA,Stakeholders - {page}\n" in log
    assert "\nTags: release-candidate main\n" in log
    assert log.endswith(f"\n{NOTES}\n")


@pytest.mark.usefixtures("curl")
def test_example_promote_tells_why_an_upload_was_refused(gitlab: GitLab, service: Service) -> None:
    gitlab.files = {"gradlew": GRADLEW}
    run = gitlab(EXAMPLE.read_text("utf-8"), variables={"APPDIST_API_KEY": "wrong"})
    assert run.code == 1
    assert run.exit_code("upload-app") == 1
    assert "Invalid API key" in run.log("upload-app")
    assert service.writes == []


# --- Each template by itself ----------------------------------------------------------------------


@pytest.mark.parametrize("service", ["classic", "compat"], indirect=True)
@pytest.mark.parametrize("step", CASES)
def test_each_template(gitlab: GitLab, service: Service, step: str) -> None:
    case, url = CASES[step], service.upload()
    run = gitlab.step(step, {"build-url": url, **case.inputs})
    assert (run.code, run.exit_code("it")) == (0, 0)
    outputs = run.outputs("it")
    assert told(outputs, case) == expected(case, service.dialect)
    build = service.build(case.on)
    assert {name: build[name] for name in case.holds} == case.holds
    assert [mail["to"] for mail in service.outbox] == {"invite": STAKEHOLDERS, "promote": QA}.get(step, [])
    if step == "check":  # it hands no build on
        return
    # What later jobs get says the same as the artifact.
    dotenv = run.dotenv("it")
    assert dotenv
    for name, value in dotenv.items():
        assert value == as_text_of(outputs, name)
    (links,) = run.annotations("it").values()
    # compat shows no `self`, and so no slug; nor has classic read the build where the ids were all that was needed
    pages = {url, url.replace("-northwindtravel", "")} | {outputs.get("promoted-build-url")}
    assert {link["external_link"]["url"] for link in links} <= pages
    assert links
    assert all(link["external_link"]["label"] for link in links)


def as_text_of(outputs: dict[str, Any], variable: str) -> str:
    value = outputs[variable.removeprefix("APPDIST_").lower().replace("_", "-")]
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def test_the_package_can_be_a_file(gitlab: GitLab, service: Service) -> None:
    (wheel,) = gitlab.machine.wheels.glob("sauce_appdist-*.whl")
    run = gitlab.step("tag", {"build-url": service.upload(), "tags": "a", "package": str(wheel)})
    assert run.code == 0
    assert service.build(BUILD)["tags"] == ["a"]


def test_two_includes_of_one_template_and_a_later_job_without_wiring(gitlab: GitLab, service: Service) -> None:
    service.upload()
    older = {"build-id": "8893377", "project-id": PROJECT}
    find = {"package-name": "com.northwind.travel", "platform": "Android"}
    pipeline = {
        "stages": ["first", "second", "third"],
        "include": [
            gitlab.include("find", "new", {"stage": "first", "version": "5.0.0", **find}),
            gitlab.include("tag", "tag-new", {"stage": "second", "tags": "a", "rules": [{"if": "$CI_COMMIT_BRANCH"}]}),
            gitlab.include("tag", "tag-old", {"stage": "second", "tags": "b", **older}),
            gitlab.include("tag", "never", {"stage": "second", "tags": "c", "rules": [{"when": "never"}]}),
        ],
        "look": {
            "stage": "third",
            "script": ['echo "$APPDIST_BUILD_ID $APPDIST_CHANGED $(cat appdist-outputs.json)"'],
            "needs": ["new", "tag-old"],
        },
    }
    run = gitlab(dumped(pipeline))
    assert run.code == 0
    assert service.build(BUILD)["tags"] == ["a"], "the build that the job before it found"
    assert service.build("8893377")["tags"] == ["b"], "an input wins"
    assert [path for _, path in service.writes] != []
    assert "never" not in run.output
    assert f"\n{BUILD} true {{" in run.log("look")


def test_no_credentials(gitlab: GitLab) -> None:
    run = gitlab(
        dumped({"include": [gitlab.include("find", "it", {"build-url": "/projects/1/builds/2"})]}), connected=False
    )
    assert run.exit_code("it") == 2
    assert "no credentials: set email and api-key" in run.log("it")


# --- When it fails --------------------------------------------------------------------------------


def test_a_promotion_that_stops_has_told_what_it_did(gitlab: GitLab, service: Service) -> None:
    refusal = {"status": "fail", "code": 404, "message": "group not found"}
    service.fault(method="POST", path="/invites/", status=404, body=refusal)
    promote = {"to-folder": "Release Candidates", "tags": "rc", "groups": "QA", "notify": "true"}
    pipeline = {
        "stages": ["test", "after"],
        "include": [gitlab.include("promote", "it", {"build-url": service.upload(), **promote})],
        "clean-up": {
            "stage": "after",
            "when": "on_failure",
            "script": [
                'echo "$APPDIST_FAILED_STEP failed, the copy is $APPDIST_PROMOTED_BUILD_ID"',
                "cat appdist-outputs.json",
            ],
        },
    }
    run = gitlab(dumped(pipeline))
    assert (run.code, run.exit_code("it")) == (1, 6)
    assert f"\ninvite failed, the copy is {COPY}\n" in run.log("clean-up")
    assert '"completed-steps": [\n' in run.log("clean-up")
    assert run.outputs("it")["completed-steps"] == ["find", "check", "copy", "tag"]
    assert run.dotenv("it")["APPDIST_PROMOTED_PROJECT_ID"] == COPY_PROJECT
    log = run.log("it")
    assert "group not found" in log
    assert f"build-id: {COPY} (the copy)" in log
    assert service.build(COPY)["tags"] == ["rc"]
    assert service.outbox == []


def test_an_input_that_has_options_takes_no_other(gitlab: GitLab) -> None:
    """GitLab refuses the pipeline before any job starts."""
    run = gitlab.step("tag", {"tags": "a", "tags-mode": "replaced", "build-url": "/projects/1/builds/2"})
    assert run.code == 1
    assert "not in the list of allowed options" in run.output


def test_notify_first_attempt_cannot_be_told_here(gitlab: GitLab, service: Service) -> None:
    run = gitlab.step("invite", {"build-url": service.upload(), "groups": "QA", "notify": "first-attempt"})
    assert run.exit_code("it") == 2
    assert "only GitHub Actions tells a job which attempt" in run.log("it")
    assert service.writes == []


def test_dry_run(gitlab: GitLab, service: Service) -> None:
    promote = {"build-url": service.upload(), "to-folder": "New", "tags": "rc", "groups": "QA", "notify": "true"}
    run = gitlab.step("promote", promote, variables={"APPDIST_DRY_RUN": "true"})
    assert run.code == 0
    assert service.writes == []
    outputs = run.outputs("it")
    assert (outputs["dry-run"], outputs["copied"], outputs["notified"]) == (True, False, False)
    assert "Would copy" in run.log("it")


# --- What it leaves -------------------------------------------------------------------------------


def test_the_log_has_a_section_for_each_part(gitlab: GitLab, service: Service) -> None:
    run = gitlab.step("promote", {"build-url": service.upload(), "to-folder": "New", "tags": "rc", "groups": "QA"})
    # The runner knows a section by its marks and puts this in their place.
    marks = re.findall(r"^(appdist_\w+)(?:_started| took \d+ms)$", run.log("it"), re.MULTILINE)
    parts = ["appdist_find", "appdist_check", "appdist_copy", "appdist_tag", "appdist_invite"]
    assert marks == [part for part in parts for _ in ("started", "took")]


def test_what_dotenv_cannot_hold_is_in_the_artifact(gitlab: GitLab, service: Service) -> None:
    folder = "F" * 6000
    run = gitlab.step("promote", {"build-url": service.upload(), "to-folder": folder, "tags": "rc"}, schema=False)
    assert run.code == 0
    dotenv = run.dotenv("it")
    assert "APPDIST_FOLDER_PATH" not in dotenv
    assert dotenv["APPDIST_PROMOTED_BUILD_ID"] == COPY
    assert run.outputs("it")["folder-path"] == f"/{folder}"
    assert "Only in appdist-outputs.json" in run.log("it")


@pytest.mark.parametrize("fails", [False, True])
def test_the_key_is_never_shown(gitlab: GitLab, service: Service, fails: bool) -> None:
    """This runner masks nothing: it is all our doing."""
    url = service.upload()
    said = f"What is {SECRETS[0]} or {SECRETS[1]}?"
    body = {"status": "fail", "code": 1, "message": said} if fails else {"status": "ok", "changelog": said}
    service.fault(method="PATCH", status=400 if fails else 200, body=body)
    run = gitlab.step("annotate", {"build-url": url, "release-notes": "x", "debug": "true"})
    assert run.exit_code("it") == (4 if fails else 6)  # it answers with other notes than were sent
    assert "debug:" in run.log("it")
    left = run.output + run.log("it") + json.dumps(run.outputs("it")) + json.dumps(run.dotenv("it"))
    assert not any(secret in left for secret in SECRETS)


# --- Text of any kind -----------------------------------------------------------------------------


@pytest.mark.parametrize("notes", [NOTES, LONG_NOTES], ids=["special", "100 kB"])
def test_release_notes_as_an_input(gitlab: GitLab, service: Service, notes: str) -> None:
    # GitLab's schema for editors, which this runner goes by, has 1024 characters as the longest input.
    annotate = {"build-url": service.upload(), "release-notes": notes, "groups": "QA", "notify": "true"}
    run = gitlab.step("promote", annotate, schema=len(notes) < 1024)
    assert run.code == 0
    assert service.build(BUILD)["changelog"] == notes
    assert run.outputs("it")["release-notes"] == notes
    assert {mail["comment"] for mail in service.outbox} == {notes}


@pytest.mark.parametrize("notes", [NOTES, LONG_NOTES], ids=["special", "100 kB"])
def test_release_notes_from_a_file(gitlab: GitLab, service: Service, notes: str) -> None:
    gitlab.files = {"docs/Änderungen 1.md": notes}
    run = gitlab.step("annotate", {"build-url": service.upload(), "release-notes-file": "docs/Änderungen 1.md"})
    assert run.code == 0
    assert service.build(BUILD)["changelog"] == notes
    assert run.outputs("it")["release-notes"] == notes


def test_text_inputs_stay_text(gitlab: GitLab, service: Service, tmp_path: Path) -> None:
    witness = tmp_path / "pwned"
    text = f"x {evil(witness)}"  # a quote in front would open a quoted item of a list
    line = text.replace("${IFS}", "")  # outside of free text GitLab expands variables, as users expect
    folder = line.replace("/", "-")  # which would be folders in folders
    run = gitlab.step("promote", {"build-url": service.upload(), **hostile(folder, line, text)})
    assert run.code == 0
    assert not witness.exists()
    copy = service.build(COPY)
    assert (copy["folderPath"], copy["appName"], copy["tags"]) == (
        f"/{folder}".rstrip(),
        line.rstrip(),
        [line.rstrip()],
    )
    assert (copy["changelog"], copy["metadata"]) == (text, {"key": text})
    assert {mail["comment"] for mail in service.outbox} == {text}


def test_no_input_reaches_a_shell(gitlab: GitLab, tmp_path: Path) -> None:
    step = "promote"  # it has the inputs of all the others
    witness = tmp_path / "pwned"
    given = gitlab.spec(step)
    # The rest is not for the step; an input with options is refused by GitLab.
    not_text = {"job-name", "stage", "image", "rules"}
    texts = [
        name
        for name, field in given.items()
        if name not in not_text and field.get("type", "string") == "string" and "options" not in field
    ]
    assert len(texts) > 10
    run = gitlab.step(step, dict.fromkeys(texts, evil(witness)))
    assert not witness.exists()
    assert run.exit_code("it") != 0, "pip was given the package as a line of a file"
    run = gitlab.step(step, dict.fromkeys(set(texts) - {"package"}, evil(witness)))
    assert not witness.exists()
    assert run.exit_code("it") == 2


def test_text_of_the_service_stays_text(gitlab: GitLab, service: Service) -> None:
    service.reset(hostile_seed())
    promote = {"package-name": "com.example.travel", "to-folder": "RC", "groups": "1", "tags": "rc"}
    run = gitlab.step("promote", promote)
    assert run.code == 0
    assert run.dotenv("it")["APPDIST_BUILD_ID"] == "70"
    assert "\n::error::owned\n" in run.outputs("it")["app-name"], "outputs are exact, whatever is in them"
    log = run.log("it")
    assert "owned_started" not in log
    assert "\r" not in log
    labels = [link["external_link"]["label"] for links in run.annotations("it").values() for link in links]
    assert labels
    assert not [label for label in labels if re.search(r"[\x00-\x1f\x7f]", label)]


def test_an_error_of_the_service_stays_text(gitlab: GitLab, service: Service) -> None:
    service.reset(hostile_seed())
    message = "no\r\x1b[0Ksection_start:1:owned\r\x1b[0Kowned\nAPPDIST_BUILD_ID=666"
    service.fault(method="PATCH", status=400, body={"status": "fail", "code": 1, "message": message})
    run = gitlab.step("tag", {"project-id": "7", "build-id": "70", "tags": "a"})
    assert run.exit_code("it") == 4
    log = run.log("it")
    assert "section_start:1:owned" in log
    assert "owned_started" not in log
    assert "\r" not in log
    assert run.dotenv("it") == {}


# --- Whose code runs ------------------------------------------------------------------------------


def test_nothing_in_the_workspace_is_imported(gitlab: GitLab, service: Service, tmp_path: Path) -> None:
    witness = tmp_path / "imported"
    gitlab.files = hostile_workspace(witness)
    control = {"script": ["python3 -c 'import requests, sauce_appdist'"], "variables": {"PYTHONPATH": "."}}
    pipeline = {
        "include": [gitlab.include("tag", "it", {"build-url": service.upload(), "tags": "a"})],
        "control": control,
    }
    run = gitlab(dumped({"control": control}))
    assert run.code == 0
    assert {"sitecustomize", "requests", "sauce_appdist"} <= set(witness.read_text().split()), "hostile indeed"
    witness.unlink()
    del pipeline["control"]
    variables = {"PYTHONPATH": ".", "PYTHONSTARTUP": "startup.py", "PYTHONHOME": "/nowhere", "PYTHONSAFEPATH": ""}
    run = gitlab(dumped(pipeline), variables=variables)
    assert run.code == 0
    assert not witness.exists(), witness.read_text()
    assert service.build(BUILD)["tags"] == ["a"]
