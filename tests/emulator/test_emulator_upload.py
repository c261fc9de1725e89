"""POST /api/upload/ (docs/reference/api-facts.md#uploading), and what the emulator adds to it."""

from __future__ import annotations

import io
import json
import time
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from appdist_emulator import Emulator
from emulator.support import KEY, OIDC

if TYPE_CHECKING:
    from appdist_emulator.dialects import DialectName
    from emulator.support import Ask, Look

REPLY = {
    "status": str,
    "build_id": str,
    "project_id": str,
    "app_name": str,
    "app_version": str,
    "file_size": int,
    "build_url": str,
    "download_page_url": str,
    "app_url": str,
    "invite_testers_url": str,
    "icon_url": str,
    "options": str,
    "platform": str,
    "tags": list,
    "metadata": dict,
    "has_testfairy_sdk": bool,
    "symbols_download_url": str,
    "attachments": list,
    "landing_page_url": str,
    "build_specific_landing_page_url": str,
    "landing_page_mode": str,
}


def send(
    api: Ask,
    name: str = "travel.apk",
    /,
    *,
    content: bytes = b"not really an app",
    fields: dict[str, str] | None = None,
) -> requests.Response:
    data = {"api_key": KEY, **(fields or {})}
    return api("POST", "/api/upload/", auth=None, files={"file": (name, content)}, data=data)


def travel(version: str, code: str, **more: str) -> dict[str, str]:
    return {"package_name": "com.northwind.travel", "app_version": version, "app_version_code": code, **more}


def failed(answer: requests.Response) -> tuple[int, int]:
    body = answer.json()
    assert body["status"] == "fail"
    return answer.status_code, body["code"]


def test_an_upload_answers_as_documented_and_can_be_found(api: Ask) -> None:
    sent = travel("5.0.0", "5000", tags="ci,nightly", comment="Fresh", groups="QA,nobody")
    sent |= {"metadata.commit": "abc", "metadata_branch": "main"}
    body = send(api, fields=sent).json()
    assert {name: type(value) for name, value in body.items()} == REPLY
    assert (body["app_name"], body["project_id"]) == ("Northwind Travel", "6905338")
    assert (body["app_version"], body["file_size"], body["platform"]) == ("5.0.0", 17, "Android")
    assert (body["tags"], body["metadata"]) == (["ci", "nightly"], {"commit": "abc", "branch": "main"})
    path = f"/projects/6905338-northwindtravel/builds/{body['build_id']}"
    assert body["build_url"].endswith(path)
    assert body["build_url"].startswith("http://127.0.0.1:")
    build = api("GET", f"/api/1/projects/6905338/builds/{body['build_id']}").json()["build"]
    assert (build["self"], build["appVersionCode"]) == (path, "5000")
    # It is now, without a zone, and in UTC.
    uploaded = datetime.strptime(build["uploadedAt"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - uploaded).total_seconds()) < 30
    assert api("GET", f"/api/1{path}/download/").content == b"not really an app"


def test_ids_are_the_same_in_every_run(api: Ask) -> None:
    assert send(api, fields=travel("5.0.0", "1")).json()["build_id"] == "8911080"
    assert send(api, "other.apk").json()["project_id"] == "6940503"


def test_oidc_signs_an_upload_in(api: Ask) -> None:
    files = {"file": ("a.ipa", b"x")}
    answer = api("POST", "/api/upload/", auth=lambda request: request, headers=OIDC, files=files)
    assert answer.json()["platform"] == "iOS"


@pytest.mark.parametrize(
    ("headers", "fields", "message"),
    [
        ({}, {"api_key": "wrong"}, "Invalid API key"),
        ({}, {"api_key": ""}, "Invalid API key"),
        ({}, {}, "Invalid API key"),
        ({**OIDC, "X-OIDC-Config-Key": "x"}, {}, "Invalid config key"),
        ({"Authorization": "Bearer demo-oidc-token"}, {}, "X-OIDC-Config-Key header required"),
    ],
)
def test_wrong_credentials_are_http_200_with_code_5(
    api: Ask, look: Look, headers: dict[str, str], fields: dict[str, str], message: str
) -> None:
    before = look("state")
    answer = api(
        "POST",
        "/api/upload/",
        auth=lambda request: request,
        headers=headers,
        data=fields,
        files={"file": ("a.apk", b"x")},
    )
    assert failed(answer) == (200, 5)
    assert answer.json()["message"] == message
    assert look("state") == before


def test_who_may_not_upload(api: Ask) -> None:
    assert failed(send(api, fields={"api_key": "nw-demo-key-0003"})) == (403, 99)
    assert failed(send(api, fields={"api_key": "nw-demo-key-0004"})) == (403, 5)


def test_bad_files(api: Ask) -> None:
    assert failed(send(api, content=b"")) == (400, 112)
    assert failed(send(api, "notes.txt")) == (400, 121)
    assert failed(send(api, content=archive("{"))) == (400, 105)
    assert failed(send(api, content=archive("[]"))) == (400, 105)
    assert failed(api("POST", "/api/upload/", auth=None, data={"api_key": KEY})) == (400, 1)


@pytest.mark.parametrize("seconds", ["soon", "-1", "inf", "nan"])
def test_a_bad_visible_after(api: Ask, seconds: str) -> None:
    assert failed(send(api, fields={"visible_after": seconds})) == (400, 1)


def test_a_bad_landing_page_mode(api: Ask, look: Look) -> None:
    before = look("state")
    assert failed(send(api, fields=travel("4.3.0", "4300", landing_page_mode="x"))) == (400, 135)
    assert failed(send(api, "new.apk", fields={"landing_page_mode": "x"})) == (400, 135)
    assert look("state") == before


def test_the_same_version_again_overwrites_the_build(api: Ask, look: Look) -> None:
    count = len(api("GET", "/api/1/projects/6905338/builds/").json()["builds"])
    body = send(api, fields=travel("4.3.0", "4300", comment="again")).json()
    assert body["build_id"] == "8911052"
    builds = api("GET", "/api/1/projects/6905338/builds/").json()["builds"]
    assert len(builds) == count
    assert builds[-1]["uploadedAt"] != "2026-05-29 17:31:56"
    (project,) = [one for one in look("state")["projects"] if one["id"] == "6905338"]
    assert (project["builds"][-1]["changelog"], project["builds"][-1]["tags"]) == ("again", ["ci"])
    # Another code, or another place, is another build.
    assert send(api, fields=travel("4.3.0", "4301")).json()["build_id"] != "8911052"
    elsewhere = send(api, fields=travel("4.3.0", "4300", folder_name="Elsewhere")).json()
    assert elsewhere["build_id"] != "8911052"


def test_a_folder_has_projects_of_its_own(api: Ask, look: Look) -> None:
    into = send(api, fields=travel("9.0", "9", folder_name="Release Candidates")).json()
    assert into["project_id"] == "6940502"
    new = send(api, fields=travel("9.0", "9", folder_name="/A/B")).json()
    assert new["project_id"] not in {"6905338", "6940502"}
    assert {"/A", "/A/B"} <= set(look("state")["folders"])


def archive(manifest: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("appdist.json", manifest)
    return out.getvalue()


def test_a_manifest_in_the_file_names_the_app(api: Ask) -> None:
    manifest = {
        "packageName": "com.acme.app",
        "appName": "Acme",
        "appVersion": "3.1",
        "appVersionCode": 310,
    }
    body = send(api, "x.ipa", content=archive(json.dumps(manifest))).json()
    assert (body["app_name"], body["app_version"], body["platform"]) == ("Acme", "3.1", "iOS")
    (project,) = [one for one in api("GET", "/api/1/projects/").json()["projects"] if one["name"] == "Acme"]
    assert (project["packageName"], project["id"]) == ("com.acme.app", body["project_id"])
    (build,) = api("GET", f"/api/1/projects/{project['id']}/builds/").json()["builds"]
    assert build["appVersionCode"] == "310"
    # A field has the last word.
    assert (
        send(api, "x.ipa", content=archive(json.dumps(manifest)), fields={"app_version": "3.2"}).json()["app_version"]
        == "3.2"
    )


@pytest.mark.parametrize(
    ("filename", "name", "version", "code", "platform"),
    [
        ("hello-world-1.2.3-45.apk", "hello world", "1.2.3", "45", "Android"),
        ("Hello_World_v2.0 (7).aab", "Hello World", "2.0", "7", "Android"),
        ("out/app.ipa", "app", "1.0", "1", "iOS"),
        ("sim.zip", "sim", "1.0", "1", "iOS"),
    ],
)
def test_else_the_file_name_tells(
    api: Ask, look: Look, filename: str, name: str, version: str, code: str, platform: str
) -> None:
    body = send(api, filename).json()
    project = look("state")["projects"][-1]
    build = project["builds"][0]
    assert build["id"] == body["build_id"]
    assert (project["name"], build["appVersion"], build["appVersionCode"]) == (name, version, code)
    assert project["platform"] == platform


def test_platform_for_other_files(api: Ask) -> None:
    assert send(api, "game.exe", fields={"platform": "Windows"}).json()["platform"] == "windows"
    assert send(api, "game.zip", fields={"platform": "Xbox"}).json()["platform"] == "Xbox"
    assert failed(send(api, "game.exe", fields={"platform": "toaster"})) == (400, 121)


def test_notify_mails_the_groups_of_the_upload(api: Ask, look: Look) -> None:
    send(api, fields=travel("6.0", "6", groups="Stakeholders", notify="on", release_notes="hi"))
    assert [mail["comment"] for mail in look("outbox")] == ["hi", "hi"]


@pytest.mark.parametrize("path", ["/api/upload", "/api/upload/"])
def test_the_path_with_a_slash_and_without(api: Ask, path: str) -> None:
    files = {"file": ("a.apk", b"x")}
    answer = api("POST", path, auth=None, files=files, data={"api_key": KEY, **travel("6.0", "6")})
    assert (answer.status_code, answer.json()["status"], answer.json()["app_version"]) == (200, "ok", "6.0")


@pytest.mark.parametrize(
    ("dialect", "named", "mailed"),
    [
        ("classic", "groups", 2),
        ("classic", "testers_groups", 2),
        ("classic", "invitation_groups", 2),
        ("compat", "groups", 2),
        ("compat", "testers_groups", 0),
        ("compat", "invitation_groups", 0),
    ],
)
def test_the_older_names_of_groups(dialect: DialectName, named: str, mailed: int) -> None:
    with Emulator(dialect=dialect) as emulator:
        for notify in ("off", "on"):
            answer = requests.post(
                f"{emulator.url}/api/upload/",
                files={"file": ("a.apk", b"x")},
                data={"api_key": KEY, named: "Stakeholders", "notify": notify, **travel(notify, "6")},
                timeout=5,
            )
            assert answer.json()["status"] == "ok"
        state = requests.get(f"{emulator.url}/_emulator/state", timeout=5).json()
    made = state["projects"][0]["builds"][-1]
    assert (made["appVersion"], made["groups"]) == ("on", ["Stakeholders"] if mailed else [])
    assert [mail["build_id"] for mail in state["outbox"]] == [made["id"]] * mailed


def test_groups_count_before_their_older_names(api: Ask, look: Look) -> None:
    send(api, fields=travel("6.0", "6", groups="Stakeholders", testers_groups="QA", invitation_groups="QA"))
    assert look("state")["projects"][0]["builds"][-1]["groups"] == ["Stakeholders"]


@pytest.mark.parametrize(
    ("dialect", "name", "value", "on"),
    [
        ("classic", "auto_update", "on", True),
        ("classic", "auto-update", "on", True),
        ("classic", "auto-update", "off", False),
        ("compat", "auto-update", "on", False),
    ],
)
def test_auto_update_with_a_hyphen_too(dialect: DialectName, name: str, value: str, on: bool) -> None:
    with Emulator(dialect=dialect) as emulator:
        answer = requests.post(
            f"{emulator.url}/api/upload",
            files={"file": ("a.apk", b"x")},
            data={"api_key": KEY, name: value, **travel("6.0", "6")},
            timeout=5,
        )
        assert answer.json()["status"] == "ok"
        state = requests.get(f"{emulator.url}/_emulator/state", timeout=5).json()
    assert state["projects"][0]["builds"][-1]["autoUpdate"] is on


def test_a_symbols_file_is_taken(api: Ask) -> None:
    files = {"file": ("a.apk", b"x"), "symbols_file": ("mapping.txt", b"y")}
    body = api("POST", "/api/upload/", auth=None, files=files, data={"api_key": KEY}).json()
    assert body["symbols_download_url"].endswith("mapping.txt")


def test_a_build_that_shows_up_later(api: Ask, look: Look) -> None:
    old = send(api, fields=travel("7.0", "7", visible_after="1")).json()
    new = send(api, "fresh.apk", fields={"visible_after": "1"}).json()

    def ids() -> tuple[set[str], set[str]]:
        projects = api("GET", "/api/1/projects/").json()["projects"]
        builds = api("GET", f"/api/1/projects/{old['project_id']}/builds/").json()["builds"]
        return {one["id"] for one in projects}, {one["id"] for one in builds}

    projects, builds = ids()
    assert new["project_id"] not in projects
    assert old["build_id"] not in builds
    assert api("GET", f"/api/1/projects/{new['project_id']}/builds/").json()["builds"] == []
    hidden = f"/api/1/projects/{old['project_id']}/builds/{old['build_id']}"
    assert failed(api("GET", hidden)) == (400, 1)
    assert failed(api("PATCH", hidden + "/", data={"tags": "t"})) == (400, 1)
    assert look("state")["projects"][-1]["builds"][0]["visible"] is False
    deadline = time.monotonic() + 10
    later = f"/api/1/projects/{new['project_id']}/builds/{new['build_id']}"
    while api("GET", later).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    projects, builds = ids()
    assert new["project_id"] in projects
    assert old["build_id"] in builds
    assert api("GET", hidden).status_code == 200
