"""The single steps against the emulator: what they do, what they tell, what they cost on the wire."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given, strategies as st

from harness import ANDROID, API_KEY, IOS, NEWEST_ANDROID, Run, Service
from sauce_appdist.steps.find import in_folder

if TYPE_CHECKING:
    from pathlib import Path

DIALECTS = ["classic", "compat"]  # a step does not know whom it talks to
BUILD: dict[str, Any] = {"project_id": ANDROID, "build_id": NEWEST_ANDROID}
PACKAGE = "com.northwind.travel"
FOLDER_PROJECT, FOLDER_BUILD = "6940502", "8864810"  # /Release Candidates of the default seed
TAG_BUILD = f"PATCH /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/"
GET_BUILD = f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"
GET_PROJECTS, GET_GROUPS = "GET /api/1/projects/", "GET /api/1/testers/groups"


def upload(service: Service, **fields: str) -> dict[str, Any]:
    """What a pipeline does before our steps."""
    defaults = {"package_name": PACKAGE, "app_version": "4.4.0", "app_version_code": "4400"}
    answer = requests.post(
        f"{service.url}/api/upload/",
        data={"api_key": API_KEY, **defaults, **fields},
        files={"file": ("travel.apk", b"not really an apk")},
        timeout=10,
    ).json()
    assert answer["status"] == "ok", answer
    return answer  # type: ignore[no-any-return]


# --- find -------------------------------------------------------------------------------------------


def test_find_by_ids(run: Run, service: Service) -> None:
    done = run("find", **BUILD)
    assert done.code == 0, done.log
    counters: dict[str, Any] = {"sessions": 12, "crashes": 0, "testers": 3, "feedbacks": 0}
    if service.dialect == "compat":
        counters = dict.fromkeys(counters)  # unknown, never 0
    assert done.outputs == {
        "dry-run": False,
        "project-id": ANDROID,
        "build-id": NEWEST_ANDROID,
        "app-name": "Northwind Travel",
        "package-name": PACKAGE,
        "platform": "Android",
        "app-version": "4.3.0",
        "version-code": "4300",
        "uploaded-at": "2026-05-29 17:31:56",
        "landing-page-mode": "closed",
        "build-url": f"{service.url}/projects/6905338-northwindtravel/builds/8911052",
        **counters,
        "downloads": 5,
    }
    assert service.sent == [GET_BUILD, GET_PROJECTS]
    assert len({request["connection"] for request in service.requests}) == 1


def test_find_needs_one_request_where_the_service_shows_package_and_platform(
    run: Run, service: Service, seed: dict[str, Any]
) -> None:
    service.reset({**seed, "shows": {"build": ["packageName", "platform"]}})
    done = run("find", **BUILD)
    assert (done.outputs["package-name"], done.outputs["platform"]) == (PACKAGE, "Android")
    assert service.sent == [GET_BUILD]


@pytest.mark.parametrize(
    "path", ["/projects/6905338-northwindtravel/builds/8911052", "/projects/6905338/builds/8911052"]
)
def test_find_by_what_an_upload_returns(run: Run, service: Service, path: str) -> None:
    for build_url in (path, service.url + path):
        done = run("find", build_url=build_url)
        assert (done.outputs["project-id"], done.outputs["build-id"]) == (ANDROID, NEWEST_ANDROID)


def test_a_slug_that_is_the_id_itself_is_tried_too(run: Run, service: Service) -> None:
    """The older document has ids like 19-groupshot."""
    body = {
        "status": "ok",
        "build": {"id": "5", "projectId": "19-groupshot", "appName": "G", "platform": "iOS", "packageName": "g"},
    }
    service.fault(path="/projects/19-groupshot/builds/5$", status=200, body=body)
    done = run("find", build_url="/projects/19-groupshot/builds/5")
    assert done.outputs["project-id"] == "19-groupshot"
    assert service.sent == ["GET /api/1/projects/19/builds/5", "GET /api/1/projects/19-groupshot/builds/5"]


def test_the_id_that_answered_is_the_one_that_is_written_to(run: Run, service: Service) -> None:
    body = {"status": "ok", "build": {"id": "5", "projectId": "19", "appVersionCode": "7"}}
    service.fault(path="/projects/19-groupshot/builds/5$", status=200, body=body, times=None)
    service.fault(path="/projects/19-groupshot/builds/5/$", status=200, body={"status": "ok"}, times=None)
    for build in ({"build_url": "/projects/19-groupshot/builds/5"}, {"project_id": "19-groupshot", "build_id": "5"}):
        for more in ({}, {"version_code": "7"}):
            assert run("tag", tags="a", **build, **more).code == 0
    assert set(service.writes) == {"PATCH /api/1/projects/19-groupshot/builds/5/"}


def test_a_project_id_with_a_name_behind_it_is_taken(run: Run) -> None:
    done = run("find", project_id="6905338-northwindtravel", version_code="4300")
    assert (done.code, done.outputs["build-id"]) == (0, NEWEST_ANDROID), done.log


@pytest.mark.parametrize(
    ("search", "build_id"),
    [
        ({"package_name": PACKAGE, "platform": "android", "version": "4.2.1"}, "8893377"),
        ({"package_name": PACKAGE, "platform": "iOS", "build_id": "latest"}, "8911079"),
        ({"package_name": PACKAGE, "build_id": "latest"}, "8911079"),
        ({"app_name": "Northwind Travel", "platform": "Android", "version_code": "4300"}, NEWEST_ANDROID),
        ({"project_id": ANDROID, "version_code": "4120"}, "8830728"),
        ({"project_id": ANDROID, "build_id": "latest"}, NEWEST_ANDROID),
        ({"package_name": PACKAGE, "build_id": FOLDER_BUILD}, FOLDER_BUILD),
        ({**BUILD, "version": "4.3.0"}, NEWEST_ANDROID),
    ],
)
def test_find_by_search(run: Run, search: dict[str, str], build_id: str) -> None:
    done = run("find", **search)
    assert done.code == 0, done.log
    assert done.outputs["build-id"] == build_id


def test_ids_and_criteria_must_agree(run: Run) -> None:
    done = run("find", **BUILD, version="1.0")
    assert done.code == 2
    assert "none with version '1.0' and build-id 8911052" in done.log


def test_an_ambiguous_search_lists_the_candidates(run: Run) -> None:
    done = run("find", package_name=PACKAGE, version="4.2.0")
    assert done.code == 2
    assert "3 builds fit" in done.log
    assert "project-id 6940502, build-id 8864810, version 4.2.0, code 4200, uploaded 2026-04-16 11:00:38" in done.log


def test_latest_goes_by_upload_then_by_id(run: Run, service: Service, seed: dict[str, Any]) -> None:
    when = "2026-06-01 00:00:00"
    seed["projects"] = [
        {
            "name": "A",
            "package_name": "a",
            "platform": "Android",
            "builds": [
                {"id": "9", "version": "1", "version_code": "1", "uploaded_at": when},
                {"id": "10", "version": "1", "version_code": "2", "uploaded_at": when},
                {"id": "999", "version": "2", "version_code": "3", "uploaded_at": "2026-05-31 23:59:59"},
            ],
        }
    ]
    service.reset(seed)
    assert run("find", package_name="a", build_id="latest").outputs["build-id"] == "10"


def test_folders_are_searched_where_the_service_shows_them(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    search = {"package_name": PACKAGE, "platform": "Android", "version": "4.2.0"}
    assert run("find", **search, folder="Release Candidates").outputs["build-id"] == FOLDER_BUILD
    assert run("find", **search, folder="/").outputs["build-id"] == "8861204"
    done = run("find", **search, folder="Release Candidate")
    assert "folder 'Release Candidate' (did you mean '/Release Candidates'?)" in done.log


@given(st.lists(st.text("ab c", min_size=1).filter(str.strip), min_size=1, max_size=3))
def test_a_folder_is_found_by_its_whole_path_and_by_its_name(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    assert in_folder(path, path)
    assert in_folder(path, parts[-1])
    assert not in_folder(path, path + "/x")
    assert not in_folder(path, "/")


def test_wait_for_build_waits_for_a_fresh_upload(run: Run, service: Service) -> None:
    upload(service, visible_after="1.5")
    started = time.monotonic()
    done = run("find", package_name=PACKAGE, version_code="4400", wait_for_build="20s")
    assert done.code == 0, done.log
    assert done.outputs["app-version"] == "4.4.0"
    assert "Not there yet" in done.log
    assert time.monotonic() - started > 1


def test_wait_for_build_ends(run: Run) -> None:
    done = run("find", project_id=ANDROID, build_id="1", wait_for_build="1s")
    assert done.code == 2
    assert "No build fits after 1 s: project 6905338 has no build 1" in done.log


def test_a_missing_counter_is_unknown_and_never_0(run: Run, service: Service) -> None:
    body = {
        "status": "ok",
        "build": {"id": "5", "projectId": "1", "crashes": None, "packageName": "p", "platform": "iOS"},
    }
    service.fault(path="/builds/5$", status=200, body=body)
    done = run("find", project_id="1", build_id="5")
    assert done.code == 0, done.log
    assert [done.outputs[name] for name in ("sessions", "crashes", "testers", "feedbacks", "downloads")] == [None] * 5


def test_oidc_signs_in(run: Run, service: Service) -> None:
    done = run(
        "find",
        env={"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""},
        oidc_token="demo-oidc-token",
        oidc_config_key="oidc_northwind_demo",
        **BUILD,
    )
    assert done.code == 0, done.log
    assert {request["auth"] for request in service.requests} == {"oidc"}


def test_an_expired_token_says_what_to_do(run: Run) -> None:
    env = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
    done = run("find", env=env, oidc_token="expired-oidc-token", oidc_config_key="oidc_northwind_demo", **BUILD)
    assert done.code == 3
    assert "Token has expired" in done.log
    assert "fetch a new token right before this step" in done.log


# --- tag --------------------------------------------------------------------------------------------


def test_tag_replaces_with_one_request(run: Run, service: Service) -> None:
    done = run("tag", tags="rc, nightly", **BUILD)
    assert done.outputs == {"dry-run": False, "tags": ["rc", "nightly"], "changed": True}
    assert service.sent == [TAG_BUILD]
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["rc", "nightly"]


@pytest.mark.parametrize(
    ("mode", "tags", "expected"),
    [("add", "rc, ci", ["ci", "rc"]), ("remove", "ci, never", []), ("replace", "x", ["x"])],
)
def test_tag_modes(run: Run, service: Service, seed: dict[str, Any], mode: str, tags: str, expected: list[str]) -> None:
    service.reset({**seed, "shows": {"build": ["tags"]}})
    build = {"project_id": ANDROID, "build_id": "8893377"}  # tagged ci
    done = run("tag", tags=tags, tags_mode=mode, **build)
    assert done.code == 0, done.log
    assert done.outputs["tags"] == expected
    assert done.outputs["changed"] is True
    assert service.build(**build)["tags"] == expected


@pytest.mark.parametrize(("mode", "tags"), [("add", "ci"), ("remove", "never")])
def test_tags_that_are_as_wanted_are_not_sent(
    run: Run, service: Service, seed: dict[str, Any], mode: str, tags: str
) -> None:
    service.reset({**seed, "shows": {"build": ["tags"]}})
    done = run("tag", tags=tags, tags_mode=mode, project_id=ANDROID, build_id="8893377")
    assert done.outputs == {"dry-run": False, "tags": ["ci"], "changed": False}
    assert service.writes == []


def test_a_service_that_adds_instead_of_replacing_is_told(run: Run, service: Service) -> None:
    service.fault(method="PATCH", path="builds", status=200, body={"status": "ok", "tags": ["old", "new"]})
    done = run("tag", tags="new", **BUILD)
    assert done.code == 0
    assert done.outputs["tags"] == ["old", "new"]
    assert "answers that they are old, new" in done.log


# --- annotate ---------------------------------------------------------------------------------------


def test_annotate_writes_everything_with_one_patch(run: Run, service: Service) -> None:
    done = run(
        "annotate",
        release_notes="# New\n\n- 🎉 Seats & rails",
        metadata="ticket=APP-123\n# a comment\n\nempty=\nurl=https://x.example/?a=b",
        landing_page_mode="open",
        permission_groups="14, QA",
        tags="rc",
        **BUILD,
    )
    assert done.code == 0, done.log
    assert service.sent == [GET_GROUPS, TAG_BUILD]
    build = service.build(ANDROID, NEWEST_ANDROID)
    assert build["changelog"] == "# New\n\n- 🎉 Seats & rails"
    assert build["metadata"] == {"commit": "e41f7c8", "ticket": "APP-123", "empty": "", "url": "https://x.example/?a=b"}
    assert (build["landingPageMode"], build["groups"], build["tags"]) == ("open", ["Beta Testers", "QA"], ["rc"])
    assert done.outputs == {
        "dry-run": False,
        "changed": True,
        "release-notes": "# New\n\n- 🎉 Seats & rails",
        "tags": ["rc"],
        "permission-groups": ["Beta Testers", "QA"],
        "landing-page-mode": "open",
        "metadata": build["metadata"],
    }


def test_what_is_left_away_is_left_as_it_is(run: Run, service: Service) -> None:
    before = service.build(ANDROID, NEWEST_ANDROID)
    assert run("annotate", metadata="a=b", **BUILD).code == 0
    after = service.build(ANDROID, NEWEST_ANDROID)
    assert after == {**before, "metadata": {**before["metadata"], "a": "b"}}
    assert service.sent == [TAG_BUILD]


def test_permission_groups_are_cleared_only_on_demand(run: Run, service: Service) -> None:
    assert service.build(ANDROID, NEWEST_ANDROID)["groups"] == ["QA"]
    done = run("annotate", clear_permission_groups="true", **BUILD)
    assert done.outputs["permission-groups"] == []
    assert service.build(ANDROID, NEWEST_ANDROID)["groups"] == []
    assert [request["form"] for request in service.requests] == [{"groups": ""}]


@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_notes_from_a_file(run: Run, service: Service, tmp_path: Path, bom: str) -> None:
    notes = "Zeile 1\n\n" + "🎉 ünï\r\n" * 9000  # more than 100 kB
    (tmp_path / "notes.md").write_bytes((bom + notes).encode())
    done = run("annotate", release_notes_file=str(tmp_path / "notes.md"), **BUILD)
    assert done.outputs["release-notes"] == notes
    assert service.build(ANDROID, NEWEST_ANDROID)["changelog"] == notes


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SHA": "abc",
                "GITHUB_REF_TYPE": "branch",
                "GITHUB_REF_NAME": "main",
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "7",
                "GITHUB_ACTOR": "mona",
            },
            {"commit": "abc", "branch": "main", "pipeline_url": "https://github.example/o/r/actions/runs/7", "actor": "mona"},
        ),
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "3/merge", "GITHUB_HEAD_REF": "fix"},
            {"branch": "fix"},
        ),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}, {"tag": "v1"}),
        (
            {
                "GITLAB_CI": "true",
                "CI_COMMIT_SHA": "abc",
                "CI_COMMIT_TAG": "v1",
                "CI_PIPELINE_URL": "https://gitlab.example/o/r/-/pipelines/7",
                "GITLAB_USER_LOGIN": "tanuki",
            },
            {"commit": "abc", "tag": "v1", "pipeline_url": "https://gitlab.example/o/r/-/pipelines/7", "actor": "tanuki"},
        ),
        ({"GITLAB_CI": "true", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix"}, {"branch": "fix"}),
    ],
)  # fmt: skip
def test_ci_metadata(run: Run, service: Service, env: dict[str, str], expected: dict[str, str]) -> None:
    done = run(
        "annotate", env=env, ci_metadata="true", metadata="commit=mine" if "actor" not in expected else "x=y", **BUILD
    )
    assert done.code == 0, done.log
    extra = {"x": "y"} if "actor" in expected else {"commit": "mine"}
    assert service.build(ANDROID, NEWEST_ANDROID)["metadata"] == {"commit": "e41f7c8"} | expected | extra


def test_what_the_service_refuses_is_said(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "settings": {"require_login": True}})
    done = run("annotate", landing_page_mode="open", **BUILD)
    assert done.code == 4
    assert "code 156" in done.log
    assert "use landing-page-mode: closed" in done.log


def test_an_update_of_unknown_fate_says_that_it_may_be_sent_again(run: Run, service: Service) -> None:
    service.fault(method="PATCH", path="builds", drop="after")
    done = run("annotate", tags="rc", **BUILD)
    assert done.code == 5
    assert "Whether the update was made is unknown; to send it again does no harm" in done.log
    assert service.writes == [TAG_BUILD]


# --- copy -------------------------------------------------------------------------------------------

COPY = f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/copy"


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
    assert service.sent == [GET_GROUPS, COPY, GET_PROJECTS, f"GET /api/1/projects/{project}/builds/{copy}"]


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
    assert "copy-groups names no tester group: Gone" in done.log
    assert done.outputs["invalid-groups"] == ["Gone"]
    assert done.outputs["assigned-project-groups"] == ["QA"]


def test_if_exists_skip_takes_the_copy_that_is_there(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    first = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    second = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    assert (first.outputs["copied"], second.outputs["copied"]) == (True, False)
    names = ("promoted-build-id", "promoted-project-id", "promoted-build-url", "folder-path", "promoted-app-name")
    assert {name: first.outputs[name] for name in names} == {name: second.outputs[name] for name in names}
    assert service.sent.count(COPY) == 1
    assert run("copy", to_folder="Other", if_exists="skip", **BUILD).outputs["copied"] is True


def test_if_exists_skip_does_not_guess_where_folders_are_not_shown(run: Run, service: Service) -> None:
    assert run("copy", to_folder="QA", if_exists="skip", **BUILD).outputs["copied"] is True  # nothing to mix it up with
    done = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    assert done.code == 2
    assert "cannot tell whether build" in done.log
    assert "copied-app-name" in done.log
    assert service.sent.count(COPY) == 1
    named = {"to_folder": "QA", "if_exists": "skip", "copied_app_name": "Travel QA", **BUILD}
    assert [run("copy", **named).outputs["copied"] for _ in range(2)] == [True, False]


LOST = [{"drop": "after"}, {"status": 504, "after": True}, {"status": 200, "body": "<html>", "after": True}]


@pytest.mark.parametrize("shows", [["folderPath"], []])
@pytest.mark.parametrize("fault", LOST)
def test_a_copy_of_unknown_fate_is_found_where_there_was_none_before(
    run: Run, service: Service, seed: dict[str, Any], shows: list[str], fault: dict[str, Any]
) -> None:
    seed["projects"] = [project for project in seed["projects"] if not project.get("folder")]
    service.reset({**seed, "shows": {"project": shows}})
    service.fault(path="/copy$", **fault)
    done = run("copy", to_folder="QA", if_exists="skip", **BUILD)
    assert done.code == 0, done.log
    assert service.sent.count(COPY) == 1
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
    assert service.sent.count(COPY) == 1
    assert "Whether build 8911052 was copied to QA is unknown, and it was not copied again" in done.log
    assert "It may be build 8911080 in project 6940503, or that is an earlier copy" in done.log
    assert "go on with its build-id and project-id, without to-folder, source-tags" in done.log
    assert done.outputs["copied"] is None


def test_a_copy_that_was_not_made_after_all_is_not_made_up(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    service.fault(path="/copy$", drop="before")
    done = run("copy", to_folder="QA", **BUILD)
    assert done.code == 6
    assert "It did not show up so far" in done.log
    assert service.sent.count(COPY) == 1


def test_copy_groups_with_a_comma_are_named_by_their_id(run: Run, service: Service, seed: dict[str, Any]) -> None:
    seed["groups"].append({"id": 77, "name": "QA, Berlin", "testers": ["b@northwind.example"]})
    service.reset(seed)
    done = run("copy", to_folder="F", copy_groups='"QA, Berlin"', copy_project_groups="12", **BUILD)
    assert done.code == 0, done.log
    form = next(request["form"] for request in service.requests if request["method"] == "POST")
    assert (form["groups"], form["projectGroups"]) == ("77", "QA")
    assert service.build(done.outputs["promoted-project-id"], done.outputs["promoted-build-id"])["groups"] == [
        "QA, Berlin"
    ]


def test_a_search_never_copies_what_is_in_the_folder_already(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    search = {"package_name": PACKAGE, "platform": "Android", "build_id": "latest", "to_folder": "QA"}
    for _ in range(2):
        assert run("copy", **{**search, "to_folder": "Release Candidates"}).code == 0
    assert service.writes == [COPY, COPY]
    done = run("copy", **search)
    assert done.code == 2
    assert "may be a copy in a folder, which would be copied once more. Give project-id as well, or folder" in done.log
    assert run("copy", **search, folder="/").code == 0
    assert service.writes == [COPY, COPY, COPY]
    only = {**search, "folder": "/QA"}
    assert "what fits is in QA already and passed over" in run("copy", **only).log


def test_a_service_that_finds_a_build_under_any_project_is_no_riddle(run: Run, service: Service) -> None:
    body = {"status": "ok", "build": {"id": "77", "projectId": IOS, "platform": "iOS", "packageName": PACKAGE}}
    service.fault(path="/builds/77$", status=200, body=body, times=None)
    done = run("find", package_name=PACKAGE, build_id="77")
    assert (done.code, done.outputs["project-id"]) == (0, IOS), done.log


def test_a_reply_without_folder_and_name_is_filled_from_what_is_known(run: Run, service: Service) -> None:
    service.fault(path="/copy$", status=200, body={"status": "ok", "build_id": FOLDER_BUILD})
    done = run("copy", to_folder="Release Candidates", **BUILD)
    assert done.code == 0, done.log
    assert done.outputs["folder-path"] == "Release Candidates"
    assert done.outputs["promoted-app-name"] == "Northwind Travel"
    assert done.outputs["promoted-project-id"] == FOLDER_PROJECT


# --- invite -----------------------------------------------------------------------------------------

INVITE = f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/invites/"


def test_invite_is_silent_by_default(run: Run, service: Service) -> None:
    done = run("invite", groups="QA, 14", **BUILD)
    assert done.outputs == {"dry-run": False, "invited-groups": ["QA", "Beta Testers"], "notified": False}
    assert service.sent == [GET_GROUPS, INVITE]
    assert service.outbox == []


def test_invite_mails_everybody_once(run: Run, service: Service) -> None:
    done = run("invite", groups="QA, Beta Testers", message="Please\ntest 🎉", notify="true", **BUILD)
    assert done.outputs["notified"] is True
    mails = service.outbox
    assert len(mails) == len({mail["to"] for mail in mails}) > 3
    assert {mail["comment"] for mail in mails} == {"Please\ntest 🎉"}


@pytest.mark.parametrize(("attempt", "mails"), [("1", True), ("2", False)])
def test_first_attempt_mails_only_then(run: Run, service: Service, attempt: str, mails: bool) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ATTEMPT": attempt}
    done = run("invite", env=env, groups="QA", notify="first-attempt", **BUILD)
    assert done.code == 0, done.log
    assert done.outputs["notified"] is mails
    assert bool(service.outbox) is mails


@pytest.mark.parametrize(
    "fault",
    [{"drop": "after"}, {"drop": "before"}, {"status": 502, "after": True}, {"status": 200, "body": "", "after": True}],
)
def test_an_invite_of_unknown_fate_is_reported_and_never_sent_twice(
    run: Run, service: Service, fault: dict[str, Any]
) -> None:
    service.fault(path="/invites/$", times=None, **fault)
    done = run("invite", groups="QA", notify="true", **BUILD)
    assert done.code == 6
    assert done.outputs["notified"] == "unknown"
    assert "is unknown, and it was not sent a second time" in done.log
    assert service.sent.count(INVITE) == 1
    assert len(service.outbox) <= 3


def test_a_group_with_a_comma_is_named_by_its_id(run: Run, service: Service, seed: dict[str, Any]) -> None:
    seed["groups"].append({"id": 77, "name": "QA, Berlin", "testers": ["b@northwind.example"]})
    service.reset(seed)
    assert run("invite", groups='"QA, Berlin"', **BUILD).outputs["invited-groups"] == ["QA, Berlin"]
    assert service.requests[-1]["form"]["groups"] == "77"
    done = run("annotate", permission_groups="77", **BUILD)
    assert done.code == 2
    assert "rename the group" in done.log


# --- every step -------------------------------------------------------------------------------------

ALL: dict[str, dict[str, Any]] = {
    "find": {},
    "tag": {"tags": "rc"},
    "annotate": {"release_notes": "x"},
    "copy": {"to_folder": "QA"},
    "invite": {"groups": "QA", "notify": "true"},
    "promote": {"to_folder": "QA", "tags": "rc", "groups": "QA", "notify": "true", "source_tags": "promoted"},
}


@pytest.mark.parametrize("step", ALL)
def test_a_dry_run_only_reads(run: Run, service: Service, step: str) -> None:
    before = service.state
    done = run(step, dry_run="true", **ALL[step], **BUILD)
    assert done.code == 0, done.log
    assert service.writes == []
    assert service.state == before
    assert done.outputs["dry-run"] is True
    for name in ("changed", "copied", "notified"):
        assert done.outputs.get(name, False) is False
    assert done.outputs.get("invited-groups", []) == []
    assert done.outputs.get("promoted-build-id") is None


def test_a_slash_at_the_end_of_base_url_does_no_harm(run: Run, service: Service) -> None:
    done = run("find", base_url=service.url + "/", **BUILD)
    assert done.outputs["build-url"] == f"{service.url}/projects/6905338-northwindtravel/builds/8911052"


@pytest.mark.parametrize("step", ALL)
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_key_that_is_not_accepted_points_at_the_region_first(run: Run, step: str, region: str) -> None:
    done = run(step, region=region, api_key="a-key-of-another-region", **ALL[step], **BUILD)
    assert done.code == 3
    assert "first check that region is the one of the account" in done.log
    assert "a-key-of-another-region" not in done.log


@pytest.mark.parametrize("step", [step for step in ALL if step != "find"])
def test_a_read_only_account_is_told_so(run: Run, service: Service, step: str) -> None:
    done = run(step, email="audit@northwind.example", api_key="nw-demo-key-0003", **ALL[step], **BUILD)
    assert done.code in {3, 4}
    assert "write to this project" in done.log
    assert service.outbox == []


def test_debug_tells_every_request_and_no_secret(run: Run) -> None:
    done = run("tag", tags="rc", debug="on", **BUILD)
    assert "debug: PATCH /api/1/projects/6905338/builds/8911052/ -> 200 in" in done.log
    assert API_KEY not in done.log


def test_two_runs_at_once_do_not_disturb_each_other(service: Service, run: Run) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda tag=tag: codes.append(run("tag", tags=tag, project_id=IOS, build_id="8911079").code)
        )
        for tag in ("a", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0]
    assert service.build(IOS, "8911079")["tags"][0] in {"a", "b", "c"}
