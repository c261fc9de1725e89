"""`find`: which build it is, what it costs on the wire, and what it says of a search that fits none or many."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness import ANDROID, BUILD, NEWEST_ANDROID, Run, Service
from sauce_appdist.steps.find import in_folder
from steps.support import FOLDER_BUILD, GET_BUILD, GET_PROJECTS, PACKAGE, upload


def test_find_by_ids(run: Run, service: Service) -> None:
    done = run("find", **BUILD)
    assert done.code == 0, done.log
    shown: dict[str, Any] = {"sessions": 12, "crashes": 0, "testers": 3, "feedbacks": 0, "landing-page-mode": "closed"}
    page = f"{service.url}/projects/6905338-northwindtravel/builds/8911052"
    if service.dialect == "compat":
        shown = dict.fromkeys(shown)  # unknown, never 0
        page = f"{service.url}/projects/6905338/builds/8911052"
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
        "build-url": page,
        **shown,
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
    assert "3 builds match" in done.log
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
    assert "Not found yet" in done.log
    assert time.monotonic() - started > 1


def test_wait_for_build_ends(run: Run) -> None:
    done = run("find", project_id=ANDROID, build_id="1", wait_for_build="1s")
    assert done.code == 2
    assert "No build matches after 1 s: project 6905338 has no build 1" in done.log


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
