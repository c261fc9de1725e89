"""Who may ask, and testers and groups."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    Ask = Callable[..., requests.Response]
    Look = Callable[[str], Any]

PROJECTS = "/api/1/projects/"
OIDC = {"Authorization": "Bearer demo-oidc-token", "X-OIDC-Config-Key": "oidc_northwind_demo"}
READER = ("audit@northwind.example", "nw-demo-key-0003")
TESTER = ("helen.ward@northwind.example", "nw-demo-key-0004")


def unsigned(request: Any) -> Any:
    return request  # keeps requests from adding credentials of its own


def failure(answer: requests.Response) -> tuple[int, int, str]:
    body = answer.json()
    assert body["status"] == "fail"
    return answer.status_code, body["code"], body["message"]


# --- credentials ------------------------------------------------------------------------------


def test_nobody_is_refused(api: Ask) -> None:
    assert failure(api("GET", PROJECTS, auth=None)) == (401, 104, "Missing API key")


@pytest.mark.parametrize(
    "credentials",
    [
        ("ci@northwind.example", "wrong"),
        ("nobody@northwind.example", "nw-demo-key-0001"),
        ("ci@northwind.example", "nw-demo-key-0002"),
        ("", ""),
    ],
)
def test_wrong_credentials_are_refused_and_not_repeated(api: Ask, credentials: tuple[str, str]) -> None:
    assert failure(api("GET", PROJECTS, auth=credentials)) == (401, 104, "User not found")


@pytest.mark.parametrize("header", ["Basic !!!", "Basic", "Basic " + b64encode(b"nocolon").decode(), "Digest a=b", "x"])
def test_malformed_credentials_are_refused(api: Ask, header: str) -> None:
    answer = api("GET", PROJECTS, auth=unsigned, headers={"Authorization": header})
    assert failure(answer)[:2] == (401, 104)


def test_oidc_signs_in(api: Ask) -> None:
    assert api("GET", PROJECTS, auth=unsigned, headers=OIDC).status_code == 200


@pytest.mark.parametrize(
    ("token", "config_key", "message"),
    [
        ("demo-oidc-token", None, "X-OIDC-Config-Key header required"),
        ("demo-oidc-token", "oidc_other", "Invalid config key"),
        ("forged", "oidc_northwind_demo", "Invalid token signature"),
        (None, "oidc_northwind_demo", "Invalid token signature"),
        ("expired-oidc-token", "oidc_northwind_demo", "Token has expired"),
    ],
)
def test_oidc_refusals(api: Ask, token: str | None, config_key: str | None, message: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if config_key:
        headers["X-OIDC-Config-Key"] = config_key
    assert failure(api("GET", PROJECTS, auth=unsigned, headers=headers)) == (401, 104, message)


def test_oidc_where_there_is_none(api: Ask) -> None:
    api("POST", "/_emulator/reset", json={"users": [{"email": "a@b.example", "api_key": "k"}]})
    message = "OIDC not enabled for this organization"
    assert failure(api("GET", PROJECTS, auth=unsigned, headers=OIDC)) == (401, 104, message)


# --- roles and permissions --------------------------------------------------------------------


def test_permissions_of_single_projects(api: Ask) -> None:
    app = {"package_name": "a.b", "platform": "iOS", "builds": [{"version": "1", "version_code": "1"}]}
    seed = {
        "users": [
            {"email": "m@b.example", "api_key": "k", "permissions": ["1:rw", "2:r"]},
        ],
        "projects": [{"id": number, "name": f"App {number}", **app} for number in (1, 2, 3)],
    }
    api("POST", "/_emulator/reset", json=seed)
    me = ("m@b.example", "k")
    assert [one["id"] for one in api("GET", PROJECTS, auth=me).json()["projects"]] == ["1", "2"]
    one, two, three = (
        api("PATCH", f"/api/1/projects/{project}/builds/880000{project}/", auth=me) for project in (1, 2, 3)
    )
    assert one.status_code == 200
    assert failure(two)[:2] == failure(three)[:2] == (403, 99)
    assert failure(api("GET", "/api/1/projects/3/builds/", auth=me))[:2] == (403, 99)
    # A new app is covered by "*" alone.
    upload = api("POST", "/api/upload/", auth=None, data={"api_key": "k"}, files={"file": ("n.apk", b"x")})
    assert failure(upload)[:2] == (403, 99)


def test_a_reader_reads(api: Ask) -> None:
    for path in (PROJECTS, "/api/1/testers", "/api/1/testers/groups"):
        assert api("GET", path, auth=READER).status_code == 200
    assert failure(api("DELETE", "/api/1/projects/6905338/builds/8911052", auth=READER))[:2] == (403, 99)
    assert failure(api("POST", "/api/1/testers/", auth=READER))[:2] == (403, 5)
    assert failure(api("POST", "/api/1/testers/groups", auth=READER))[:2] == (403, 5)


def test_a_tester_reads_builds_but_no_people(api: Ask) -> None:
    assert api("GET", PROJECTS, auth=TESTER).status_code == 200
    for method, path in [
        ("GET", "/api/1/testers"),
        ("GET", "/api/1/testers/groups"),
        ("POST", "/api/1/testers/"),
        ("POST", "/api/1/testers/groups"),
        ("DELETE", "/api/1/projects/6905338/builds/8911052"),
    ]:
        assert failure(api(method, path, auth=TESTER))[:2] == (403, 5)


# --- testers and groups -----------------------------------------------------------------------


def test_testers_are_listed_as_documented(api: Ask) -> None:
    body = api("GET", "/api/1/testers").json()
    assert body == api("GET", "/api/1/testers/").json()
    ines = next(one for one in body["testers"] if one["email"].startswith("ines"))
    assert ines == {
        "email": "ines.okafor@northwind.example",
        "groups": [{"id": 12, "name": "QA"}, {"id": 14, "name": "Beta Testers"}],
        "lastLogin": "2026-05-30 09:12:33",
        "createdAt": "2025-01-13 10:30:00",
    }


def test_members_of_a_group_are_a_list_in_a_list(api: Ask) -> None:
    body = api("GET", "/api/1/testers/groups").json()
    assert body["status"] == "ok"
    stakeholders = next(group for group in body["groups"] if group["name"] == "Stakeholders")
    assert stakeholders == {
        "id": 21,
        "name": "Stakeholders",
        "testers": [[{"email": "helen.ward@northwind.example"}, {"email": "david.cho@northwind.example"}]],
    }


def test_a_new_group(api: Ask) -> None:
    made = api("POST", "/api/1/testers/groups", data={"groupName": "Pilots"}).json()
    assert made == {"status": "ok", "id": "28", "name": "Pilots"}
    groups = api("GET", "/api/1/testers/groups").json()["groups"]
    assert groups[-1] == {"id": 28, "name": "Pilots", "testers": [[]]}
    assert failure(api("POST", "/api/1/testers/groups", data={"groupName": "Pilots"}))[:2] == (400, 2)
    assert failure(api("POST", "/api/1/testers/groups", data={"groupName": " "}))[:2] == (400, 1)
    assert failure(api("POST", "/api/1/testers/groups"))[:2] == (400, 1)


def test_new_testers(api: Ask, look: Look) -> None:
    sent = {"email": "a@x.example, b@x.example,mara.lindholm@northwind.example", "group": "Pilots"}
    assert api("POST", "/api/1/testers/", data=sent).json() == {"status": "ok"}
    pilots = api("GET", "/api/1/testers/groups").json()["groups"][-1]
    assert [one["email"] for one in pilots["testers"][0]] == [
        "a@x.example",
        "b@x.example",
        "mara.lindholm@northwind.example",
    ]
    emails = [tester["email"] for tester in api("GET", "/api/1/testers").json()["testers"]]
    assert len(emails) == len(set(emails)) == 12
    assert look("outbox") == []
    api("POST", "/api/1/testers/", data={"email": "a@x.example", "group": "Pilots", "notify": "on"})
    assert [(mail["to"], mail["build_id"]) for mail in look("outbox")] == [("a@x.example", None)]
    assert len(api("GET", "/api/1/testers/groups").json()["groups"][-1]["testers"][0]) == 3


def test_a_tester_without_a_sensible_address(api: Ask) -> None:
    assert failure(api("POST", "/api/1/testers/", data={"email": "nobody"}))[:2] == (400, 1)
    assert api("POST", "/api/1/testers/").json() == {"status": "ok"}  # `email` is documented as optional
