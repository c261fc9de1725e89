"""Projects, builds, PATCH, copy, invites: what the two vendor documents promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator
from emulator.support import BUILD, PROJECT, READER, TESTER

if TYPE_CHECKING:
    from emulator.support import Ask, Look


PROJECT_FIELDS = ["id", "self", "name", "packageName", "platform", "icon", "landingPageMode"]
BUILD_FIELDS = {
    "id": str,
    "self": str,
    "projectId": str,
    "appName": str,
    "appVersion": str,
    "appVersionCode": str,
    "appDisplayName": str,
    "iconUrl": str,
    "appUrl": str,
    "landingPageMode": str,
    "sessions": int,
    "crashes": int,
    "testers": int,
    "feedbacks": int,
    "downloads": int,
    "uploadedAt": str,
    "uploadedVia": str,
    "hasTestFairySdk": bool,
    "insightsEnabled": bool,
    "videoEnabled": bool,
}


def refused(answer: requests.Response, http: int, code: int) -> str:
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (http, "fail", code)
    assert sorted(body) == ["code", "message", "status"]
    return str(body["message"])


def build_in(state: dict[str, Any], build_id: str) -> dict[str, Any]:
    found = [one for project in state["projects"] for one in project["builds"] if one["id"] == build_id]
    assert len(found) == 1
    return dict(found[0])


def project_of(state: dict[str, Any], build_id: str) -> dict[str, Any]:
    return next(project for project in state["projects"] if any(one["id"] == build_id for one in project["builds"]))


# --- reading ----------------------------------------------------------------------------------


def test_projects_have_the_documented_fields(api: Ask) -> None:
    body = api("GET", "/api/1/projects/").json()
    assert body["status"] == "ok"
    assert all(list(project) == PROJECT_FIELDS for project in body["projects"])
    same = [one for one in body["projects"] if one["packageName"] == "com.northwind.travel"]
    # Two platforms are two projects, and a folder holds a project of its own.
    assert sorted(one["platform"] for one in same) == ["Android", "Android", "iOS"]
    assert same[0]["self"] == "/projects/6905338-northwindtravel"


def test_builds_have_the_documented_fields_and_types(api: Ask) -> None:
    builds = api("GET", f"{PROJECT}/builds/").json()["builds"]
    assert len(builds) == 4
    for build in builds:
        assert {name: type(value) for name, value in build.items()} == BUILD_FIELDS
    one = api("GET", BUILD).json()
    assert one == {"status": "ok", "build": builds[-1]}
    assert one["build"]["self"] == "/projects/6905338-northwindtravel/builds/8911052"
    assert one["build"]["appDisplayName"] == "Northwind Travel - 4.3.0 (4300)"
    assert one["build"]["uploadedAt"] == "2026-05-29 17:31:56"


def test_the_slug_form_of_a_project_id_works(api: Ask) -> None:
    assert api("GET", "/api/1/projects/6905338-whatever/builds/8911052").status_code == 200


@pytest.mark.parametrize("project", ["1", "abc", "6905338x", "9" * 5000])
def test_an_unknown_project(api: Ask, project: str) -> None:
    assert "project-id" in refused(api("GET", f"/api/1/projects/{project}/builds/"), 400, 1)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("build", ["1", "abc", "8830741"])  # the last one is another project's
def test_an_unknown_build(api: Ask, method: str, build: str) -> None:
    assert "build-id" in refused(api(method, f"{PROJECT}/builds/{build}"), 400, 1)


def test_a_newer_server_shows_more_fields() -> None:
    seed = {
        "users": [{"email": "a@b.example", "api_key": "k"}],
        "shows": {"build": ["tags", "comment", "platform", "folderPath"], "project": ["folderPath"]},
        "projects": [
            {
                "name": "App",
                "package_name": "a.b",
                "platform": "iOS",
                "folder": "x/y",
                "builds": [{"version": "1.0", "version_code": "1", "tags": ["t"], "comment": "c"}],
            }
        ],
    }
    with Emulator(seed) as emulator:
        ask: dict[str, Any] = {"auth": ("a@b.example", "k"), "timeout": 5}
        (project,) = requests.get(f"{emulator.url}/api/1/projects/", **ask).json()["projects"]
        assert project["folderPath"] == "/x/y"
        url = f"{emulator.url}/api/1/projects/{project['id']}/builds/"
        (build,) = requests.get(url, **ask).json()["builds"]
        assert (build["tags"], build["comment"]) == (["t"], "c")
        assert (build["platform"], build["folderPath"]) == ("iOS", "/x/y")


def test_download_gives_a_file(api: Ask) -> None:
    answer = api("GET", f"{BUILD}/download/")
    assert answer.status_code == 200
    assert answer.content.startswith(b"PK")
    assert "northwindtravel-4.3.0.apk" in answer.headers["Content-Disposition"]
    assert api("GET", BUILD).json()["build"]["downloads"] == 6


# --- delete -----------------------------------------------------------------------------------


def test_deleting_the_last_build_removes_the_project(api: Ask) -> None:
    path = "/api/1/projects/6940502/builds/8864810"
    assert api("DELETE", path).json() == {"status": "ok"}
    ids = [project["id"] for project in api("GET", "/api/1/projects/").json()["projects"]]
    assert "6940502" not in ids
    refused(api("GET", path), 400, 1)


def test_deleting_one_of_several_builds_keeps_the_project(api: Ask) -> None:
    api("DELETE", BUILD)
    ids = [build["id"] for build in api("GET", f"{PROJECT}/builds/").json()["builds"]]
    assert ids == ["8830728", "8861204", "8893377"]


# --- PATCH ------------------------------------------------------------------------------------


def test_patch_answers_as_documented(api: Ask) -> None:
    sent = {
        "comment": "New release notes",
        "tags": "production, v2,production,",
        "groups": "Beta Testers,QA",
        "landing_page_mode": "open",
        "metadata_title": "My App Title",
    }
    body = api("PATCH", f"{BUILD}/", data=sent).json()
    assert body == {
        "status": "ok",
        "build_id": "8911052",
        "tags": ["production", "v2"],
        "metadata": {"commit": "e41f7c8", "title": "My App Title"},
        "changelog": "New release notes",
        "groups": ["Beta Testers", "QA"],
        "landing_page_mode": "open",
    }
    assert api("GET", BUILD).json()["build"]["landingPageMode"] == "open"
    # What is not sent stays, and the reply has it all the same.
    assert api("PATCH", f"{BUILD}/").json() == body


def test_patch_takes_json(api: Ask, look: Look) -> None:
    notes = "Zeile 1\nLine 2 🎒 " + "x" * 700_000
    body = api("PATCH", f"{BUILD}/", json={"comment": notes, "tags": "a,b"}).json()
    assert body["tags"] == ["a", "b"]
    assert build_in(look("state"), "8911052")["changelog"] == notes


def test_patch_takes_long_notes_in_a_form(api: Ask) -> None:
    notes = "🎒\r\n" * 100_000
    assert api("PATCH", f"{BUILD}/", data={"comment": notes}).json()["changelog"] == notes


@pytest.mark.parametrize("name", ["release_notes", "changelog"])
def test_patch_knows_other_names_of_the_comment(api: Ask, name: str) -> None:
    assert api("PATCH", f"{BUILD}/", data={name: "n"}).json()["changelog"] == "n"
    both = api("PATCH", f"{BUILD}/", data={name: "other", "comment": "documented"}).json()
    assert both["changelog"] == "documented"


@pytest.mark.parametrize("name", ["groups", "app_permission_groups"])
def test_empty_groups_clear_and_omitted_ones_stay(api: Ask, name: str) -> None:
    assert api("PATCH", f"{BUILD}/", data={"tags": "t"}).json()["groups"] == ["QA"]
    assert api("PATCH", f"{BUILD}/", data={name: ""}).json()["groups"] == []
    assert api("PATCH", f"{BUILD}/", data={name: "QA,nobody,14"}).json()["groups"] == ["QA"]


def test_tags_are_replaced(api: Ask) -> None:
    api("PATCH", f"{BUILD}/", data={"tags": "one,two"})
    assert api("PATCH", f"{BUILD}/", data={"tags": "three"}).json()["tags"] == ["three"]
    assert api("PATCH", f"{BUILD}/", data={"tags": ""}).json()["tags"] == []


@pytest.mark.parametrize("mode", ["", "ajar", "Open"])
def test_patch_refuses_a_bad_landing_page_mode_and_changes_nothing(api: Ask, look: Look, mode: str) -> None:
    before = look("state")
    refused(api("PATCH", f"{BUILD}/", data={"tags": "new", "landing_page_mode": mode}), 400, 135)
    assert look("state") == before


def test_the_landing_page_cannot_be_open_where_login_is_required(api: Ask) -> None:
    seed = {
        "settings": {"require_login": True},
        "users": [{"email": "ci@northwind.example", "api_key": "nw-demo-key-0001"}],
        "projects": [
            {
                "id": 6905338,
                "name": "App",
                "package_name": "a.b",
                "platform": "Android",
                "builds": [{"id": 8911052, "version": "1", "version_code": "1"}],
            }
        ],
    }
    assert api("POST", "/_emulator/reset", json=seed).status_code == 200
    refused(api("PATCH", f"{BUILD}/", data={"landing_page_mode": "open"}), 400, 156)
    assert api("PATCH", f"{BUILD}/", data={"landing_page_mode": "closed"}).status_code == 200


def test_patch_refuses_multipart_and_other_bodies(api: Ask) -> None:
    assert "multipart" in refused(api("PATCH", f"{BUILD}/", files={"comment": (None, "x")}), 400, 1)
    refused(api("PATCH", f"{BUILD}/", data=b"comment=x"), 400, 1)
    refused(api("PATCH", f"{BUILD}/", json=["comment"]), 400, 1)
    refused(api("PATCH", f"{BUILD}/", json={"tags": ["a", "b"]}), 400, 1)


def test_patch_of_an_unknown_build(api: Ask) -> None:
    refused(api("PATCH", f"{PROJECT}/builds/1/", data={"tags": "t"}), 400, 1)


def test_only_writers_patch(api: Ask, look: Look) -> None:
    before = look("state")
    refused(api("PATCH", f"{BUILD}/", data={"tags": "t"}, auth=READER), 403, 99)
    assert "Tester accounts" in refused(api("PATCH", f"{BUILD}/", data={"tags": "t"}, auth=TESTER), 400, 133)
    assert look("state") == before


# --- copy -------------------------------------------------------------------------------------


def test_copy_into_a_folder_that_has_the_app(api: Ask, look: Look) -> None:
    api("PATCH", f"{BUILD}/", data={"comment": "notes", "tags": "a,b", "landing_page_mode": "open"})
    body = api("POST", f"{BUILD}/copy", data={"folder_name": "Release Candidates"}).json()
    copy_id = body["build_id"]
    assert body == {
        "status": "ok",
        "build_id": copy_id,
        "folder_path": "/Release Candidates",
        "app_name": "Northwind Travel",
        "assigned_groups": ["QA"],
        "invalid_groups": [],
        "assigned_project_groups": ["QA"],
        "invalid_project_groups": [],
    }
    builds = api("GET", "/api/1/projects/6940502/builds/").json()["builds"]
    assert [build["id"] for build in builds] == ["8864810", copy_id]
    copy = build_in(look("state"), copy_id)
    assert (copy["changelog"], copy["tags"], copy["landingPageMode"]) == ("notes", ["a", "b"], "open")
    assert (copy["metadata"], copy["groups"]) == ({"commit": "e41f7c8"}, ["QA"])
    assert (copy["appVersion"], copy["appVersionCode"], copy["sessions"]) == ("4.3.0", "4300", 0)
    assert project_of(look("state"), copy_id)["groups"] == ["Stakeholders", "QA"]


def test_copy_makes_folders_and_projects_and_finds_them_again(api: Ask, look: Look) -> None:
    first = api("POST", f"{BUILD}/copy", data={"folder_name": "/Trains/Nightly"}).json()
    assert first["folder_path"] == "/Trains/Nightly"
    state = look("state")
    assert {"/Trains", "/Trains/Nightly"} <= set(state["folders"])
    home = project_of(state, first["build_id"])
    assert home["id"] not in {"6905338", "6905339", "6931217", "6940502"}
    assert (home["packageName"], home["platform"]) == ("com.northwind.travel", "Android")
    second = api("POST", f"{BUILD}/copy", data={"folder_name": "Trains/Nightly/"}).json()
    assert second["build_id"] != first["build_id"]
    assert project_of(look("state"), second["build_id"])["id"] == home["id"]


def test_a_name_and_a_path_are_the_same_folder(api: Ask, look: Look) -> None:
    for folder in ("Folder1", "/Folder1"):
        assert api("POST", f"{BUILD}/copy", data={"folder_name": folder}).json()["folder_path"] == "/Folder1"
    assert look("state")["folders"] == ["/Release Candidates", "/Folder1"]


def test_copy_renames(api: Ask, look: Look) -> None:
    sent = {"folder_name": "Release Candidates", "app_name": "Travel RC"}
    body = api("POST", f"{BUILD}/copy", data=sent).json()
    assert body["app_name"] == "Travel RC"
    # Another name is another project, even in a folder that has the package already.
    assert project_of(look("state"), body["build_id"])["id"] != "6940502"


def test_copy_lists_invalid_groups_and_is_ok_all_the_same(api: Ask, look: Look) -> None:
    sent = {"folder_name": "F", "groups": "14,QA,abcd,14", "projectGroups": "Stakeholders,99"}
    body = api("POST", f"{BUILD}/copy", data=sent).json()
    assert body["status"] == "ok"
    assert (body["assigned_groups"], body["invalid_groups"]) == (["14", "QA"], ["abcd"])
    assert (body["assigned_project_groups"], body["invalid_project_groups"]) == (["Stakeholders"], ["99"])
    assert build_in(look("state"), body["build_id"])["groups"] == ["Beta Testers", "QA"]


@pytest.mark.parametrize(("sent", "expected"), [({}, True), ({"allowAllTesters": "0"}, False)])
def test_copy_and_all_testers(api: Ask, look: Look, sent: dict[str, str], expected: bool) -> None:
    source = "/api/1/projects/6931217/builds/8899610/copy"  # lets all testers in
    body = api("POST", source, data={"folder_name": "F", **sent}).json()
    assert build_in(look("state"), body["build_id"])["allowAllTesters"] is expected


@pytest.mark.parametrize(
    "sent",
    [{}, {"folder_name": " "}, {"folder_name": " / "}, {"folder_name": "F", "allowAllTesters": "yes"}],
)
def test_copy_refuses_bad_parameters(api: Ask, look: Look, sent: dict[str, str]) -> None:
    before = look("state")
    refused(api("POST", f"{BUILD}/copy", data=sent), 400, 1)
    assert look("state") == before


def test_who_may_not_copy(api: Ask) -> None:
    refused(api("POST", f"{BUILD}/copy", data={"folder_name": "F"}, auth=READER), 403, 99)
    refused(api("POST", f"{BUILD}/copy", data={"folder_name": "F"}, auth=TESTER), 403, 5)
    refused(api("POST", f"{PROJECT}/builds/1/copy", data={"folder_name": "F"}), 400, 1)


# --- invites ----------------------------------------------------------------------------------


@pytest.mark.parametrize("notify", ["on", "1"])
def test_an_invitation_mails_each_tester_once(api: Ask, look: Look, notify: str) -> None:
    sent = {"groups": "14,QA", "comment": "please test", "notify": notify}
    assert api("POST", f"{BUILD}/invites/", data=sent).json() == {"status": "ok"}
    outbox = look("outbox")
    to = [mail["to"] for mail in outbox]
    assert len(to) == len(set(to)) == 6  # QA has 3 and Beta Testers 4, one of them is in both
    first = outbox[0]
    assert sorted(first) == ["at", "build_id", "comment", "groups", "project_id", "subject", "to"]
    assert (first["build_id"], first["project_id"]) == ("8911052", "6905338")
    assert (first["groups"], first["comment"]) == (["Beta Testers", "QA"], "please test")
    build = build_in(look("state"), "8911052")
    assert build["groups"] == ["QA", "Beta Testers"]  # an invitation lets them in
    (invitation,) = build["invitations"]
    assert (invitation["notify"], invitation["groups"]) == (True, ["Beta Testers", "QA"])
    assert invitation["by"] == "ci@northwind.example"


@pytest.mark.parametrize("notify", [None, "", "true", "yes", "ON", "0", "off"])
def test_any_other_notify_mails_nobody(api: Ask, look: Look, notify: str | None) -> None:
    assert api("POST", f"{BUILD}/invites/", data={"groups": "QA", "notify": notify}).status_code == 200
    assert look("outbox") == []
    assert look("state")["invitations"][0]["notify"] is False


def test_an_invitation_of_an_unknown_group_invites_nobody(api: Ask, look: Look) -> None:
    sent = {"groups": "QA,nobody", "notify": "on"}
    assert refused(api("POST", f"{BUILD}/invites/", data=sent), 404, 404) == "group not found"
    state = look("state")
    assert (state["invitations"], state["outbox"]) == ([], [])


def test_an_invitation_needs_groups_and_rights(api: Ask) -> None:
    refused(api("POST", f"{BUILD}/invites/", data={"comment": "x"}), 400, 1)
    refused(api("POST", f"{BUILD}/invites/", data={"groups": " , "}), 400, 1)
    refused(api("POST", f"{PROJECT}/builds/1/invites/", data={"groups": "QA"}), 400, 1)
    refused(api("POST", f"{BUILD}/invites/", data={"groups": "QA"}, auth=READER), 403, 99)
    refused(api("POST", f"{BUILD}/invites/", data={"groups": "QA"}, auth=TESTER), 403, 5)
