"""Builds, refusals and bodies of the compat dialect, and its request log, faults and reset."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from appdist_emulator import Emulator
from appdist_emulator.cli import main
from emulator.compat.support import CLASSIC_BUILD, COMPAT_BUILD, failure, in_each, link_to, reset, signed
from emulator.support import BUILD, KEY, PROJECT, PROJECTS, READER, in_both

if TYPE_CHECKING:
    from emulator.support import Ask, Look

# --- builds -----------------------------------------------------------------------------------


@in_each("fields", CLASSIC_BUILD, COMPAT_BUILD)
def test_the_fields_of_a_build(api: Ask, fields: list[str]) -> None:
    builds = api("GET", f"{PROJECT}/builds/").json()["builds"]
    assert len(builds) == 4
    assert [list(build) for build in builds] == [fields] * 4
    assert api("GET", BUILD).json()["build"] == builds[-1]


def test_what_a_build_shows(api: Ask) -> None:
    notes = "Fixes the crash when a boarding pass is rotated."
    build = api("GET", f"{PROJECT}/builds/8893377").json()["build"]
    assert (build["platform"], build["comment"], build["tags"]) == ("Android", notes, ["ci"])
    assert (build["isDistributionEnabled"], build["downloads"]) == (True, 14)


def test_the_seed_can_show_more(api: Ask) -> None:
    reset(api, shows={"build": ["metadata", "tags"], "project": ["folderPath"]})
    assert list(api("GET", BUILD).json()["build"]) == [*COMPAT_BUILD, "metadata"]
    assert api("GET", PROJECTS).json()["projects"][0]["folderPath"] == "/"


def test_the_state_tells_everything(look: Look) -> None:
    build = look("state")["projects"][0]["builds"][0]
    assert (build["sessions"], build["hasTestFairySdk"]) == (311, True)


# --- refusals ---------------------------------------------------------------------------------


@in_each("status", 400, 200)
@pytest.mark.parametrize(
    ("method", "path", "form", "code"),
    [
        ("GET", "/api/1/projects/1/builds/", {}, 1),
        ("GET", f"{PROJECT}/builds/1", {}, 1),
        ("PATCH", f"{BUILD}/", {"landing_page_mode": "ajar"}, 135),
        ("POST", f"{BUILD}/copy", {}, 1),
        ("POST", f"{BUILD}/invites/", {}, 1),
        ("POST", "/api/1/testers/groups", {"groupName": "QA"}, 2),
        ("POST", "/api/upload/", {"api_key": KEY}, 1),
    ],
)
def test_a_no_of_the_service(api: Ask, status: int, method: str, path: str, form: Any, code: int) -> None:
    assert failure(api(method, path, data=form)) == (status, code)


@in_both
def test_what_keeps_its_status(api: Ask) -> None:
    assert failure(api("GET", PROJECTS, auth=None)) == (401, 104)
    assert failure(api("DELETE", BUILD, auth=READER)) == (403, 99)
    assert failure(api("POST", "/api/1/testers/", auth=READER)) == (403, 5)
    assert failure(api("POST", f"{BUILD}/invites/", data={"groups": "nobody"})) == (404, 404)
    assert failure(api("GET", "/api/1/nowhere")) == (404, 404)
    assert failure(api("PUT", BUILD)) == (405, 405)
    assert failure(api("POST", "/_emulator/faults", json={})) == (400, 400)


# --- bodies -----------------------------------------------------------------------------------


@in_each("accepted", True, False)
def test_patch_as_json(api: Ask, look: Look, accepted: bool) -> None:
    answer = api("PATCH", f"{BUILD}/", json={"tags": "x"})
    if accepted:
        assert answer.json()["tags"] == ["x"]
    else:
        assert failure(answer) == (200, 1)
        assert look("state")["projects"][0]["builds"][-1]["tags"] == ["ci"]
    assert api("PATCH", f"{BUILD}/", data={"tags": "y"}).json()["tags"] == ["y"]


def test_post_as_json(api: Ask) -> None:
    path = "/api/1/testers/"
    assert failure(api("POST", path, json={"email": "a@b.example"})) == (200, 1)
    assert failure(api("POST", path, json={"email": "a@b.example"}, auth=None)) == (401, 104)  # who asks comes first
    assert api("GET", path, headers={"Content-Type": "application/json"}).json()["status"] == "ok"


# --- the request log, faults, reset, the command line -----------------------------------------


def test_the_log_holds_no_secret(api: Ask, look: Look, follow: Ask) -> None:
    link = link_to(api)
    signature = parse_qs(urlsplit(link).query)["X-Amz-Signature"][0]
    for _ in range(2):  # the second time, it is used up
        follow(link)
        api("PATCH", f"{BUILD}/", data={"comment": f"see {link}"}, **signed())
    api("GET", PROJECTS, **signed("somebody-elses-key"))
    follow(link.replace(signature, "somebody-elses-signature"))
    log = look("requests")
    assert [entry["status"] for entry in log] == [302, 200, 200, 403, 200, 401, 403]
    assert [entry["auth"] for entry in log] == ["basic", None, "x-api-key", None, "x-api-key", "x-api-key", None]
    for entry in (log[1], log[3], log[6]):
        assert entry["query"] == {"X-Amz-Signature": "***", "X-Amz-Expires": "300"}
    assert "X-Amz-Signature=***" in log[2]["form"]["comment"]
    text = json.dumps(log)
    assert not [one for one in (signature, KEY, "somebody-elses") if one in text]


def test_faults(api: Ask, follow: Ask) -> None:
    for order in ({"path": "/projects/$", "status": 503}, {"path": "^/_storage/", "status": 500, "body": "broken"}):
        assert api("POST", "/_emulator/faults", json=order).status_code == 200
    assert [api("GET", PROJECTS).status_code for _ in range(2)] == [503, 200]
    link = link_to(api)
    assert (follow(link).text, follow(link).status_code) == ("broken", 200)


@in_each("name", "classic", "compat")
def test_reset_keeps_the_dialect(api: Ask, name: str) -> None:
    for change in (
        {},
        {"json": {"users": [{"email": "a@b.example", "api_key": "k"}]}},
        {"params": {"seed": "default"}},
    ):
        assert api("POST", "/_emulator/reset", **change).status_code == 200
        assert api("GET", "/_emulator/").json()["dialect"] == name
        assert ("Sunset" in api("GET", PROJECTS).headers) == (name == "compat")
    assert list(api("GET", BUILD).json()["build"]) == (CLASSIC_BUILD if name == "classic" else COMPAT_BUILD)


def test_the_command_line_takes_the_dialect() -> None:
    command = [sys.executable, "-m", "appdist_emulator", "--port", "0", "--dialect", "compat"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            assert requests.get(f"{url}/_emulator/", timeout=5).json()["dialect"] == "compat"
        finally:
            process.kill()


def test_a_dialect_that_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dialect", "v3"]) == 2
    out, err = capsys.readouterr()
    assert (out, "--dialect" in err) == ("", True)
    assert "compat" in err
    with pytest.raises(ValueError, match="'v3' is not one of classic, compat"):
        Emulator(dialect="v3")  # type: ignore[arg-type]
