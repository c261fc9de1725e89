"""`copy`: where the copy ends up, and that it is never made twice."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from harness import ANDROID, BUILD, IOS, NEWEST_ANDROID, Process, Run, Service
from sauce_appdist.api.projects import Project
from sauce_appdist.errors import InputError
from sauce_appdist.steps.copy import CopyOptions, check_recognizable
from sauce_appdist.steps.find import Target
from steps.support import FOLDER_BUILD, FOLDER_PROJECT, GET_GROUPS, GET_PROJECTS, PACKAGE, POST_COPY

IDS = {"PROJECT_ID": ANDROID, "BUILD_ID": NEWEST_ANDROID}


def test_copy_to_a_new_folder(run: Run, service: Service) -> None:
    done = run("copy", to_folder="/QA/Sign-off", copy_groups="14", allow_all_testers="true", **BUILD)
    assert done.code == 0, done.log
    copy, project = done.outputs["promoted-build-id"], done.outputs["promoted-project-id"]
    held = service.build(project, copy)
    assert (held["folderPath"], held["appVersion"], held["allowAllTesters"]) == ("/QA/Sign-off", "4.3.0", True)
    assert held["groups"] == ["Beta Testers"]
    assert done.outputs["copied"] is True
    assert done.outputs["folder-path"] == "/QA/Sign-off"
    assert done.outputs["promoted-app-name"] == "Northwind Travel"
    assert done.outputs["promoted-build-url"].endswith(f"/builds/{copy}")
    assert service.sent == [GET_GROUPS, POST_COPY, GET_PROJECTS, f"GET /api/1/projects/{project}/builds/{copy}"]


def test_copy_into_a_folder_that_has_the_app_and_among_many_projects(
    run: Run, service: Service, seed: dict[str, Any]
) -> None:
    """The newest of the same app is looked into first, then the others, and never one of another app."""
    for number in range(3):
        seed["projects"].append(
            {
                "name": "Northwind Travel",
                "package_name": PACKAGE,
                "platform": "Android",
                "folder": f"/F{number}",
                "builds": [{"version": "1", "version_code": "1"}],
            }
        )
    service.reset(seed)
    done = run("copy", to_folder="Release Candidates", **BUILD)
    assert done.code == 0, done.log
    assert done.outputs["promoted-project-id"] == FOLDER_PROJECT
    assert len(service.sent) == 2 + 4  # three wrong folders, then the right one
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    done = run("copy", to_folder="Release Candidates", **BUILD)
    assert done.outputs["promoted-project-id"] == FOLDER_PROJECT
    assert len(service.sent) == 3  # the folder is shown: straight to it


def test_copy_under_another_name(run: Run, service: Service) -> None:
    done = run("copy", to_folder="QA", copied_app_name="Travel | QA", **BUILD)
    assert done.outputs["promoted-app-name"] == "Travel | QA"
    assert len(service.sent) == 3


def test_copy_waits_for_a_copy_that_does_not_show_up_at_once(run: Run, service: Service) -> None:
    service.fault(path="/projects/$", status=200, body={"status": "ok", "projects": []})
    done = run("copy", to_folder="QA", **BUILD)
    assert done.code == 0, done.log
    assert service.sent.count(GET_PROJECTS) == 2


def test_groups_that_the_service_refuses_fail_or_warn(run: Run, service: Service) -> None:
    body = {
        "status": "ok",
        "build_id": FOLDER_BUILD,
        "folder_path": "/RC",
        "app_name": "Northwind Travel",
        "invalid_groups": ["gone"],
        "assigned_groups": [12],
    }
    for mode, code in (("fail", 6), ("warn", 0)):
        service.fault(path="/copy$", status=200, body=body)
        done = run("copy", to_folder="RC", on_invalid_groups=mode, **BUILD)
        assert done.code == code, done.log
        assert "does not know the groups gone" in done.log
        assert done.outputs["invalid-groups"] == ["gone"]
        assert done.outputs["assigned-groups"] == ["12"]
        assert done.outputs["promoted-project-id"] == FOLDER_PROJECT


def test_unknown_groups_are_copied_with_a_warning_if_that_is_wanted(run: Run) -> None:
    done = run(
        "copy", to_folder="QA", copy_groups="QA, Gone", copy_project_groups="12", on_invalid_groups="warn", **BUILD
    )
    assert done.code == 0, done.log
    assert "copy-groups names unknown tester groups: Gone" in done.log
    assert done.outputs["invalid-groups"] == ["Gone"]
    assert done.outputs["assigned-project-groups"] == ["12"]


def test_if_exists_skip_takes_the_copy_that_is_there(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    first = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    second = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    assert (first.outputs["copied"], second.outputs["copied"]) == (True, False)
    names = ("promoted-build-id", "promoted-project-id", "promoted-build-url", "folder-path", "promoted-app-name")
    assert {name: first.outputs[name] for name in names} == {name: second.outputs[name] for name in names}
    assert service.sent.count(POST_COPY) == 1
    assert run("copy", to_folder="Other", if_exists="skip", **BUILD).outputs["copied"] is True


def test_if_exists_skip_does_not_guess_where_folders_are_not_shown(run: Run, service: Service) -> None:
    """Green on the first night and red from the second on would be worse than red at once."""
    done = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    assert done.code == 2
    assert "cannot determine whether QA has a copy: this service does not show folders. Set copied-app-name" in done.log
    assert service.sent.count(POST_COPY) == 0
    named = {"to_folder": "QA", "if_exists": "skip", "copied_app_name": "Travel QA", **BUILD}
    first, second = run("copy", **named), run("copy", **named)
    assert [first.outputs["copied"], second.outputs["copied"]] == [True, False]
    assert "was already copied as Travel QA: build" in second.log


def test_no_folder_is_stated_that_nobody_told(run: Run, service: Service) -> None:
    """One name for two folders, on a service that shows none: the second may not have it."""
    named = {"if_exists": "skip", "copied_app_name": "Travel QA", **BUILD}
    assert run("copy", to_folder="QA", **named).outputs["folder-path"] == "/QA"
    again = run("copy", to_folder="QA", **named)
    assert (again.code, again.outputs["folder-path"]) == (0, None)  # the name alone tells
    assert "/QA" not in again.log + again.text
    for step in ("copy", "promote"):
        done = run(step, to_folder="/Release", **named)
        assert done.code == 2
        assert (done.outputs["folder-path"], done.outputs["copied"]) == (None, None)
        assert "copied-app-name is 'Travel QA', which does not end with 'Release': with one name for two" in done.log
    assert service.sent.count(POST_COPY) == 1
    assert run("copy", to_folder="/Release", **{**named, "copied_app_name": "Travel Release"}).outputs["copied"] is True


@pytest.mark.parametrize(
    ("name", "folder", "tells"),
    [
        ("Travel QA", "QA", True),
        ("Travel | qa", "/QA/", True),
        ("Travel (QA)", "QA", True),
        ("Travel Team/QA", "/Team/QA", True),
        ("Travel QA", "/Team/QA", False),
        ("TravelQA", "QA", False),
        ("QA Travel", "QA", False),
        ("Travel", "Travel", False),  # the original's name
        ("Travel", "QA", False),
        ("", "QA", False),
    ],
)
def test_a_name_tells_the_folder_where_the_service_does_not(name: str, folder: str, *, tells: bool) -> None:
    options = CopyOptions.model_construct(copied_app_name=name or None)
    projects = [Project.model_validate({"id": "1", "name": "Travel"})]
    with nullcontext() if tells else pytest.raises(InputError, match="does not show folders"):
        check_recognizable(options, folder, Target("1", "2"), projects)
    shown = [Project.model_validate({"id": "1", "name": "Travel", "folderPath": "/"})]
    check_recognizable(options, folder, Target("1", "2"), shown)
    with pytest.raises(InputError, match="project 1 is not in the list of visible projects"):
        check_recognizable(options, folder, Target("1", "2"), [])


def copy_in(folder: str, number: int, **more: Any) -> dict[str, Any]:
    """A project with a copy of the newest build, as a seed has it."""
    build = {"id": number + 1, "version": "4.3.0", "version_code": "4300", "uploaded_at": "2026-06-01 10:00:00", **more}
    app = {"name": "Northwind Travel", "package_name": PACKAGE, "platform": "Android"}
    return {**app, "id": number, "folder": folder, "builds": [build]}


def test_a_folder_s_name_that_several_folders_have_is_not_guessed(
    run: Run, service: Service, seed: dict[str, Any]
) -> None:
    copies = [copy_in("/A/QA", 9000000), copy_in("/B/QA", 9000010)]
    service.reset({**seed, "projects": [*seed["projects"], *copies], "shows": {"project": ["folderPath"]}})
    done = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    assert done.code == 2
    assert "if-exists: skip finds copies in several folders (build 9000011 in project 9000010, build" in done.log
    assert "Set to-folder to the whole path" in done.log
    found = run("copy", to_folder="/A/QA", if_exists="skip", **BUILD)
    assert (found.outputs["promoted-build-id"], found.outputs["folder-path"]) == ("9000001", "/A/QA")
    assert service.writes == []


def test_a_copy_whose_time_cannot_be_read_may_be_of_an_earlier_upload(
    run: Run, service: Service, seed: dict[str, Any]
) -> None:
    copies = [copy_in("/QA", 9000000, shows_uploaded_at=None)]
    service.reset({**seed, "projects": [*seed["projects"], *copies], "shows": {"project": ["folderPath"]}})
    done = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    assert done.code == 2
    assert "build 9000001 has no upload time that can be read" in done.log
    assert service.writes == []


def test_a_copy_that_lands_in_another_folder_is_told(run: Run, service: Service) -> None:
    service.fault(path="/copy$", status=200, body={"status": "ok", "build_id": FOLDER_BUILD, "folder_path": "/Other"})
    done = run("copy", to_folder="QA", **BUILD)
    assert "to-folder is QA, but the service says that the copy is in /Other" in done.log
    assert done.outputs["folder-path"] == "/Other"


def test_the_headline_states_no_folder_that_nobody_told(process: Process, service: Service) -> None:
    inputs = {"TO_FOLDER": "/QA", "IF_EXISTS": "skip", "COPIED_APP_NAME": "Travel QA", **IDS}
    env = {"GITHUB_ACTIONS": "true", **{f"APPDIST_INPUT_{name}": text for name, text in inputs.items()}}
    first, second = process("copy", env=env), process("copy", env=env)
    assert "Copied Northwind Travel 4.3.0 (4300) for Android (com.northwind.travel) to /QA" in first.files["summary.md"]
    assert "Found Northwind Travel 4.3.0 (4300) for Android (com.northwind.travel) as Travel QA" in second.log + str(
        second.files
    )
    assert service.sent.count(POST_COPY) == 1


def test_a_gate_does_not_wait_for_hours_before_it_says_that_skip_needs_a_name(run: Run) -> None:
    gate = {"min_sessions": "100000", "wait": "1h", "interval": "1m"}
    done = run("promote", to_folder="QA", if_exists="skip", **gate, **BUILD)
    assert (done.code, done.outputs["failed-step"]) == (2, "check")
    assert "Set copied-app-name to a name that only the copies in that folder have" in done.log


LOST = [{"drop": "after"}, {"status": 504, "after": True}, {"status": 200, "body": "<html>", "after": True}]


@pytest.mark.parametrize("shows", [["folderPath"], []])
@pytest.mark.parametrize("fault", LOST)
def test_a_copy_of_unknown_fate_is_found_where_there_was_none_before(
    run: Run, service: Service, seed: dict[str, Any], shows: list[str], fault: dict[str, Any]
) -> None:
    seed["projects"] = [project for project in seed["projects"] if not project.get("folder")]
    service.reset({**seed, "shows": {"project": shows}})
    service.fault(path="/copy$", **fault)
    name = {} if shows else {"copied_app_name": "Travel QA"}
    done = run("copy", to_folder="QA", if_exists="skip", **name, **BUILD)
    assert done.code == 0, done.log
    assert service.sent.count(POST_COPY) == 1
    assert service.build(done.outputs["promoted-project-id"], done.outputs["promoted-build-id"])["folderPath"] == "/QA"
    assert done.outputs["copied"] is True


@pytest.mark.parametrize("fault", LOST)
def test_a_copy_of_unknown_fate_is_never_made_twice_nor_guessed(
    run: Run, service: Service, seed: dict[str, Any], fault: dict[str, Any]
) -> None:
    """There may have been an equal one before."""
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    service.fault(path="/copy$", **fault)
    done = run("copy", to_folder="QA", **BUILD)
    assert done.code == 6
    assert service.sent.count(POST_COPY) == 1
    assert "It is unknown whether build 8911052 was copied to QA; the step did not copy it again" in done.log
    assert "It may be build 8911080 in project 6940503, unless that is an earlier copy" in done.log
    assert "continue with its build-id and project-id, and omit to-folder, source-tags" in done.log
    assert done.outputs["copied"] == "unknown"


def test_a_copy_that_was_not_made_after_all_is_not_made_up(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    service.fault(path="/copy$", drop="before")
    done = run("copy", to_folder="QA", **BUILD)
    assert done.code == 6
    assert "It has not shown up yet" in done.log
    assert service.sent.count(POST_COPY) == 1


def test_copy_groups_with_a_comma_are_named_by_their_id(run: Run, service: Service, seed: dict[str, Any]) -> None:
    seed["groups"].append({"id": 77, "name": "QA, Berlin", "testers": ["b@northwind.example"]})
    service.reset(seed)
    done = run("copy", to_folder="F", copy_groups='"QA, Berlin"', copy_project_groups="12", **BUILD)
    assert done.code == 0, done.log
    form = next(request["form"] for request in service.requests if request["method"] == "POST")
    assert (form["groups"], form["projectGroups"]) == ("77", "12")
    assert service.build(done.outputs["promoted-project-id"], done.outputs["promoted-build-id"])["groups"] == [
        "QA, Berlin"
    ]


def test_a_search_never_copies_what_is_in_the_folder_already(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    search = {"package_name": PACKAGE, "platform": "Android", "build_id": "latest", "to_folder": "QA"}
    for _ in range(2):
        assert run("copy", **{**search, "to_folder": "Release Candidates"}).code == 0
    assert service.writes == [POST_COPY, POST_COPY]
    done = run("copy", **search)
    assert done.code == 2
    assert "other apps, or copies in folders. Set project-id or folder (/ for none). The projects:" in done.log
    assert run("copy", **search, folder="/").code == 0
    assert service.writes == [POST_COPY, POST_COPY, POST_COPY]
    only = {**search, "folder": "/QA"}
    assert "every match is already in QA and is skipped" in run("copy", **only).log


def test_a_service_that_finds_a_build_under_any_project_is_no_riddle(run: Run, service: Service) -> None:
    body = {"status": "ok", "build": {"id": "77", "projectId": IOS, "platform": "iOS", "packageName": PACKAGE}}
    service.fault(path="/builds/77$", status=200, body=body, times=None)
    done = run("find", package_name=PACKAGE, build_id="77")
    assert (done.code, done.outputs["project-id"]) == (0, IOS), done.log


def test_a_reply_without_folder_and_name_is_filled_from_what_is_known(run: Run, service: Service) -> None:
    service.fault(path="/copy$", status=200, body={"status": "ok", "build_id": FOLDER_BUILD})
    done = run("copy", to_folder="Release Candidates", **BUILD)
    assert done.code == 0, done.log
    assert done.outputs["folder-path"] is None
    assert done.outputs["promoted-app-name"] == "Northwind Travel"
    assert done.outputs["promoted-project-id"] == FOLDER_PROJECT
