"""The compat dialect says that it ends, and who may ask (docs/reference/api-facts.md#the-newer-server)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from appdist_emulator import Emulator, SeedError
from appdist_emulator.seed import default_seed
from emulator.compat.support import SUNSET, failure, in_each, reset, signed
from emulator.support import BUILD, KEY, OIDC, PROJECT, PROJECTS, READER, in_both, unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emulator.support import Ask, Look


@in_each("told", (None, None), ("true", SUNSET))
@pytest.mark.parametrize(
    ("path", "status"),
    [(PROJECTS, 200), ("/api/2/audits/", 200), ("/api/1/nowhere", 404), ("/api/2/nowhere", 404)],
)
def test_each_answer_of_the_api_tells_its_end(api: Ask, told: Any, path: str, status: int) -> None:
    answer = api("GET", path)
    assert answer.status_code == status
    assert (answer.headers.get("Deprecation"), answer.headers.get("Sunset")) == told


def test_other_answers_tell_the_end_too(api: Ask) -> None:
    answers = [
        api("GET", PROJECTS, auth=None),
        api("DELETE", BUILD, auth=READER),
        api("PUT", BUILD),
        api("GET", f"{PROJECT}/builds/1"),
        api("GET", f"{BUILD}/download/"),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 405, 200, 302]
    for answer in answers:
        assert (answer.headers["Deprecation"], answer.headers["Sunset"]) == ("true", SUNSET)


@pytest.mark.parametrize("path", ["/_emulator/", "/api/upload/", "/api/3/projects/", "/"])
def test_nothing_else_tells_an_end(api: Ask, path: str) -> None:
    answer = api("POST" if "upload" in path else "GET", path)
    assert {"Deprecation", "Sunset"}.isdisjoint(answer.headers)


def test_the_seed_can_set_the_end(api: Ask) -> None:
    reset(api, settings={"sunset": "Fri, 01 Jan 2027 00:00:00 GMT"})
    assert api("GET", PROJECTS).headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"


@pytest.mark.parametrize(
    "sunset", ["2026-12-31", "Fri,\n01 Jan 2027 00:00:00 GMT", "Mon, 01 Jan 2027 00:00:00 GMT", ""]
)
def test_an_end_that_is_no_http_date(sunset: str) -> None:
    with pytest.raises(SeedError, match=r"settings\.sunset: must be a time like Thu, 31"):
        Emulator({**default_seed(), "settings": {"sunset": sunset}}, dialect="compat")


# --- who asks ---------------------------------------------------------------------------------


@in_each("status", 401, 200)
def test_a_key_without_an_email(api: Ask, look: Look, status: int) -> None:
    assert api("GET", PROJECTS, **signed()).status_code == status
    assert api("PATCH", f"{BUILD}/", auth=None, data={"api_key": KEY, "tags": "x"}).status_code == status
    assert [entry["auth"] for entry in look("requests")] == ["x-api-key", "api_key"]
    assert look("requests")[1]["form"] == {"api_key": "***", "tags": "x"}
    changed = next(one for one in look("state")["projects"][0]["builds"] if one["id"] == "8911052")
    assert changed["tags"] == (["x"] if status == 200 else ["ci"])


def test_the_key_tells_who_asks(api: Ask) -> None:
    assert api("GET", PROJECTS, **signed(READER[1])).status_code == 200
    assert failure(api("PATCH", f"{BUILD}/", data={"tags": "x"}, **signed(READER[1]))) == (403, 99)


@in_both
def test_oidc_signs_in(api: Ask) -> None:
    assert api("GET", PROJECTS, auth=unsigned, headers=OIDC).status_code == 200
    assert failure(api("GET", PROJECTS, auth=unsigned, headers={**OIDC, "X-OIDC-Config-Key": "x"})) == (401, 104)


@pytest.mark.parametrize(
    "credentials",
    [
        signed("wrong"),
        signed(""),
        {"auth": None, "data": {"api_key": "wrong"}},
        {"auth": ("ci@northwind.example", "wrong")},
        {"auth": ("", KEY)},
    ],
)
def test_wrong_credentials(api: Ask, credentials: Mapping[str, Any]) -> None:
    answer = api("GET", PROJECTS, **credentials)
    assert answer.status_code == 401
    assert answer.json() == {"status": "fail", "code": 104, "message": "User not found"}


def test_nobody_is_refused(api: Ask) -> None:
    assert failure(api("GET", PROJECTS, auth=None)) == (401, 104)


@in_each("status", 200, 401)
def test_basic_can_be_switched_off(api: Ask, status: int) -> None:
    assert api("GET", PROJECTS).status_code == 200
    reset(api, settings={"basic_auth": False})
    answer = api("GET", PROJECTS)
    assert answer.status_code == status
    if status == 401:
        assert answer.json() == {"status": "fail", "code": 104, "message": "User not found"}
        assert api("GET", PROJECTS, **signed()).status_code == 200
        assert api("GET", PROJECTS, auth=unsigned, headers=OIDC).status_code == 200


@pytest.mark.parametrize(
    "credentials", [signed("nw-demo-key-0004"), {"auth": None, "data": {"api_key": "nw-demo-key-0004"}}]
)
def test_a_blocked_tester_is_told_so(api: Ask, credentials: Mapping[str, Any]) -> None:
    tester = {"email": "helen.ward@northwind.example", "blocked": True}
    reset(api, testers=[tester])
    assert failure(api("GET", PROJECTS, **credentials)) == (401, 5)


def test_authorization_counts_before_a_key(api: Ask, look: Look) -> None:
    answer = api("PATCH", f"{BUILD}/", data={"tags": "x"}, auth=READER, headers={"X-API-Key": KEY})
    assert failure(answer) == (403, 99)
    assert look("requests")[-1]["auth"] == "basic"


@in_each("status", "fail", "ok")
def test_the_upload_takes_the_header_too(api: Ask, status: str) -> None:
    answer = api("POST", "/api/upload/", files={"file": ("a.apk", b"x")}, **signed())
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert answer.json().get("code") == (5 if status == "fail" else None)


@in_both
def test_the_upload_as_ever(api: Ask) -> None:
    file = {"file": ("a.apk", b"x")}
    assert api("POST", "/api/upload/", auth=None, data={"api_key": KEY}, files=file).json()["status"] == "ok"
    assert api("POST", "/api/upload/", auth=unsigned, headers=OIDC, files=file).json()["status"] == "ok"
    assert failure(api("POST", "/api/upload/", auth=None, data={"api_key": "wrong"}, files=file)) == (200, 5)
    assert failure(api("POST", "/api/upload/", files=file)) == (200, 5)  # Basic is none of its ways
