"""The whole promotion: its order, its cost on the wire, and what it says when it stops half-way."""

from __future__ import annotations

from typing import Any

import pytest

from harness import ANDROID, BUILD, NEWEST_ANDROID, Process, Run, Service
from steps.support import GET_BUILD, GET_GROUPS, GET_PROJECTS, POST_COPY

FULL: dict[str, Any] = {
    **BUILD,
    "to_folder": "QA",
    "tags": "rc, nightly",
    "release_notes": "# 4.3.0\n\n- Rails 🎉",
    "metadata": "ticket=APP-1",
    "groups": "QA, Beta Testers",
    "notify": "true",
    "allow_notify_everybody": "true",  # a newer server does not mail without it
}
COPY_PROJECT, COPY = "6940503", "8911080"  # the next ids of the emulator's default account
IN_COPY = f"/api/1/projects/{COPY_PROJECT}/builds/{COPY}"
PATCH, INVITE = f"PATCH {IN_COPY}/", f"POST {IN_COPY}/invites/"


def notified(service: Service) -> bool | str:
    """The output after a mail was requested: a newer server does not tell whom it mails."""
    return "unknown" if service.dialect == "compat" else True


def test_a_whole_promotion(run: Run, service: Service) -> None:
    done = run("promote", **FULL)
    assert done.code == 0, done.log
    copy = service.build(COPY_PROJECT, COPY)
    assert (copy["folderPath"], copy["tags"], copy["changelog"]) == ("/QA", ["rc", "nightly"], "# 4.3.0\n\n- Rails 🎉")
    assert copy["metadata"]["ticket"] == "APP-1"
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] != copy["tags"]
    mails = service.outbox
    assert len(mails) == len({mail["to"] for mail in mails}) > 3
    assert {mail["comment"] for mail in mails} == {"# 4.3.0\n\n- Rails 🎉"}
    assert {mail["build_id"] for mail in mails} == {COPY}
    assert done.outputs["completed-steps"] == ["find", "check", "copy", "annotate", "tag", "invite"]
    assert done.outputs["failed-step"] is None
    expected = {
        "project-id": ANDROID,
        "build-id": NEWEST_ANDROID,
        "package-name": "com.northwind.travel",
        "platform": "Android",
        "promoted-project-id": COPY_PROJECT,
        "promoted-build-id": COPY,
        "folder-path": "/QA",
        "copied": True,
        "changed": True,
        "tags": ["rc", "nightly"],
        "invited-groups": ["QA", "Beta Testers"],
        "notified": notified(service),
        "dry-run": False,
    }
    assert {name: done.outputs[name] for name in expected} == expected


def test_it_sends_the_least_there_is_over_one_connection(run: Run, service: Service) -> None:
    assert run("promote", **FULL).code == 0
    assert service.sent == [GET_BUILD, GET_GROUPS, POST_COPY, GET_PROJECTS, f"GET {IN_COPY}", PATCH, INVITE]
    assert len({request["connection"] for request in service.requests}) == 1


def test_the_original_is_tagged_as_well_if_that_is_wanted(run: Run, service: Service) -> None:
    done = run("promote", **FULL, source_tags="promoted")
    assert done.code == 0, done.log
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["promoted"]
    assert service.build(COPY_PROJECT, COPY)["tags"] == ["rc", "nightly"]
    assert done.outputs["completed-steps"][-2:] == ["source-tag", "invite"]


def test_without_a_folder_the_build_itself_is_promoted(run: Run, service: Service) -> None:
    done = run("promote", **{name: text for name, text in FULL.items() if name != "to_folder"}, message="Hi")
    assert done.code == 0, done.log
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["rc", "nightly"]
    assert {mail["build_id"] for mail in service.outbox} == {NEWEST_ANDROID}
    assert {mail["comment"] for mail in service.outbox} == {"Hi"}
    assert done.outputs["promoted-build-id"] is None
    assert len(service.sent) == 4


def test_tags_are_added_to_those_of_the_copy(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"build": ["tags"]}})
    build = {"project_id": ANDROID, "build_id": "8893377"}  # tagged ci
    done = run("promote", **build, to_folder="QA", tags="rc", tags_mode="add", source_tags="promoted")
    assert done.code == 0, done.log
    assert done.outputs["tags"] == ["ci", "rc"]
    assert service.build(**build)["tags"] == ["ci", "promoted"]
    assert service.build(done.outputs["promoted-project-id"], done.outputs["promoted-build-id"])["tags"] == ["ci", "rc"]


def test_a_second_run_with_if_exists_skip_copies_and_mails_nothing_twice(
    run: Run, service: Service, seed: dict[str, Any]
) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    attempt = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ATTEMPT": "1"}
    inputs = {**FULL, "if_exists": "skip", "notify": "first-attempt"}
    first = run("promote", env=attempt, **inputs)
    mails = len(service.outbox)
    second = run("promote", env={**attempt, "GITHUB_RUN_ATTEMPT": "2"}, **inputs)
    assert (first.code, second.code) == (0, 0), second.log
    assert first.outputs["promoted-build-id"] == second.outputs["promoted-build-id"]
    whom = "unknown" if service.dialect == "compat" else False  # it was invited again, and may mail whom it wants
    assert (second.outputs["copied"], second.outputs["notified"]) == (False, whom)
    assert len(service.outbox) == mails > 0


def test_every_run_after_the_first_writes_nothing(run: Run, service: Service, seed: dict[str, Any]) -> None:
    """As a job that runs every hour wants it."""
    service.reset({**seed, "shows": {"build": ["tags"], "project": ["folderPath"]}})
    tags = {"tags": "rc", "source_tags": "promoted", "tags_mode": "add"}
    inputs = {**BUILD, **tags, "to_folder": "QA", "if_exists": "skip", "groups": "QA", "notify": "if-copied"}
    inputs["allow_notify_everybody"] = "true"
    dry = run("promote", **inputs, dry_run="true")
    assert "Would invite" in dry.log
    first = run("promote", **inputs)
    assert (first.code, first.outputs["copied"], first.outputs["notified"]) == (0, True, notified(service)), first.log
    writes, mails = service.writes, service.outbox
    assert {mail["build_id"] for mail in mails} == {first.outputs["promoted-build-id"]}
    second = run("promote", **inputs)
    assert (second.code, second.outputs["copied"], second.outputs["changed"]) == (0, False, False), second.log
    assert (second.outputs["invited-groups"], second.outputs["notified"]) == ([], False)
    assert "Invited nobody: the copy already existed" in second.log
    assert second.outputs["tags"] == first.outputs["tags"]
    assert (service.writes, service.outbox) == (writes, mails)


FAILURES: dict[str, tuple[str, list[str], list[str], list[str]]] = {
    # where it fails: (path, done before, not done, requests that write)
    "copy": ("/copy$", [], ["copy", "annotate", "tag", "invite"], [POST_COPY]),
    "annotate": ("/builds/8911080/$", ["copy"], ["annotate", "tag", "invite"], [POST_COPY, PATCH]),
    "invite": ("/invites/$", ["copy", "annotate", "tag"], ["invite"], [POST_COPY, PATCH, INVITE]),
}


@pytest.mark.parametrize("part", FAILURES)
def test_it_stops_where_a_part_is_refused_and_says_how_to_go_on(run: Run, service: Service, part: str) -> None:
    path, done_before, not_done, writes = FAILURES[part]
    service.fault(
        path=path,
        method="PATCH" if part == "annotate" else "POST",
        status=400,
        body={"status": "fail", "code": 99, "message": "No permissions"},
    )
    done = run("promote", **FULL)
    assert service.writes == writes
    assert service.outbox == []
    assert done.outputs["failed-step"] == part
    assert done.outputs["completed-steps"] == ["find", "check", *done_before]
    assert done.outputs["build-id"] == NEWEST_ANDROID
    assert "No permissions" in done.log
    assert "needs write access to this project" in done.log
    if not done_before:
        assert done.code == 4  # nothing was written: the cause's own code
        return
    assert done.code == 6
    assert done.outputs["promoted-build-id"] == COPY
    assert f"Done: {', '.join(done_before)}. Not done: {', '.join(not_done)}." in done.log
    assert f"run promote with project-id: {COPY_PROJECT}, build-id: {COPY} (the copy) and omit to-folder" in done.log


def test_going_on_as_told_finishes_without_a_second_copy(run: Run, service: Service) -> None:
    service.fault(path="/invites/$", status=400, body={"status": "fail", "code": 99, "message": "No permissions"})
    assert run("promote", **FULL).code == 6
    rest = {**FULL, "project_id": COPY_PROJECT, "build_id": COPY, "to_folder": "off"}
    assert run("promote", **rest).code == 0
    assert service.sent.count(POST_COPY) == 1
    assert len(service.outbox) == len({mail["to"] for mail in service.outbox}) > 0


def test_an_invite_of_unknown_fate_is_the_end_and_is_not_repeated(run: Run, service: Service) -> None:
    service.fault(path="/invites/$", drop="after", times=None)
    done = run("promote", **FULL)
    assert done.code == 6
    assert done.outputs["notified"] == "unknown"
    assert done.outputs["failed-step"] == "invite"
    assert service.sent.count(INVITE) == 1
    assert "the step did not send it again" in done.log
    assert "Done: copy, annotate, tag. Unknown: invite.\n" in done.log
    assert f"run the invite step with project-id: {COPY_PROJECT}, build-id: {COPY}" in done.log
    assert "To continue" not in done.log


def test_a_copy_whose_project_cannot_be_found_is_not_lost(run: Run, service: Service) -> None:
    service.fault(path="/projects/$", status=200, body={"status": "ok", "projects": []}, times=None)
    done = run("promote", **FULL)
    assert done.code == 6
    assert done.outputs["promoted-build-id"] == COPY
    assert done.outputs["copied"] is True
    assert "as build 8911080, but no visible project has that build" in done.log
    assert "find the copy (build-id: 8911080) in the dashboard" in done.log
    assert service.writes == [POST_COPY]


def test_nothing_is_written_when_a_check_fails(run: Run, service: Service) -> None:
    for wrong in ({"groups": "QA, Bta Testers"}, {"copy_groups": "Nope"}, {"permission_groups": "Nope"}):
        done = run("promote", **{**FULL, **wrong})
        assert done.code == 2
        assert done.outputs["failed-step"] == "check"
    assert service.writes == []


def test_the_plan_is_told_before_anything_is_written(run: Run, service: Service) -> None:
    done = run("promote", **FULL, source_tags="promoted", debug="true")
    platform = " for Android" if service.dialect == "compat" else ""  # only there it is shown with a build
    plan = done.log.index(
        f"The plan:\n  1. copy       Northwind Travel 4.3.0 (4300){platform} to QA\n"
        "  2. annotate   the copy: release notes"
    )
    assert plan < done.log.index("debug: POST")
    whom = "every tester of the app may be invited and mailed" if service.dialect == "compat" else "will mail 6 testers"
    assert f"  5. invite     QA (3 testers), Beta Testers (4 testers); {whom}\n  Gate: none\n" in done.log


def test_a_passing_fault_on_a_get_does_not_stop_it(run: Run, service: Service) -> None:
    service.fault(method="GET", path="/groups$", status=503, headers={"Retry-After": "0"}, times=2)
    service.fault(method="POST", path="/invites/$", status=429, headers={"Retry-After": "0"})
    assert run("promote", **FULL).code == 0
    assert service.sent.count(INVITE) == 2  # the first was refused, not lost
    assert len(service.outbox) == len({mail["to"] for mail in service.outbox})


def test_a_copy_without_its_groups_counts_as_done(run: Run, service: Service) -> None:
    body = {
        "status": "ok",
        "build_id": "8864810",
        "folder_path": "/RC",
        "app_name": "Northwind Travel",
        "invalid_groups": ["gone"],
    }
    service.fault(path="/copy$", status=200, body=body)
    done = run("promote", **FULL)
    assert done.code == 6
    assert done.outputs["failed-step"] == "copy"
    assert "Done: copy. Not done: annotate, tag, invite." in done.log
    assert "project-id: 6940502, build-id: 8864810 (the copy)" in done.log
    assert service.writes == [POST_COPY]


def test_the_plan_names_what_is_not_done(run: Run) -> None:
    def plan(**inputs: str) -> str:
        done = run("promote", **BUILD, **inputs, dry_run="true")
        assert done.code == 0, done.log
        return done.log.partition("The plan (dry run: nothing is written):\n")[2]

    no_copy = "  No copy: to-folder is off. All of this happens to the build itself.\n"
    nobody, no_mail = "  Nobody is invited: groups is not set.\n", "  No mail is requested: notify is false.\n"
    assert f"  Gate: none\n{no_copy}{nobody}" in plan(tags="rc", to_folder="off")
    alone = plan(groups="QA", to_folder="RC")
    assert f"  Gate: none\n{no_mail}" in alone
    assert "No copy" not in alone
    full = plan(groups="QA", to_folder="RC", notify="true", allow_notify_everybody="true", min_downloads="0")
    assert "  Gate: min-downloads at least 0\n" in full
    assert not any(text in full for text in ("No copy", "Nobody is invited", "No mail"))


def test_allowing_to_mail_everybody_needs_somebody(run: Run, service: Service) -> None:
    done = run("promote", **BUILD, tags="rc", allow_notify_everybody="true")
    assert done.code == 2
    assert "allow-notify-everybody needs groups" in done.log
    assert service.sent == []


def test_a_promotion_that_goes_on_names_the_build(run: Run, service: Service) -> None:
    """By then, another build may be the latest."""
    service.fault(path="/invites/$", status=400, body={"status": "fail", "code": 99, "message": "No permissions"})
    inputs = {name: text for name, text in FULL.items() if name not in {"to_folder", "build_id"}}
    done = run("promote", **inputs, build_id="latest")
    assert done.code == 6
    assert f"run promote again with project-id: {ANDROID}, build-id: {NEWEST_ANDROID}: writing the same" in done.log


def test_a_copy_that_was_there_is_not_told_as_made(process: Process, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    inputs = {**BUILD, "to_folder": "QA", "if_exists": "skip"}
    env = {"GITHUB_ACTIONS": "true", **{f"APPDIST_INPUT_{name.upper()}": text for name, text in inputs.items()}}
    assert process("promote", env=env).outputs["copied"] == "true"
    done = process("promote", env=env)
    assert done.outputs["copied"] == "false"
    assert f"not made: there is build {COPY} in project {COPY_PROJECT} already" in done.files["summary.md"]
