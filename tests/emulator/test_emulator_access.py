"""Who may ask: credentials, roles, permissions and admins."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from emulator.support import OIDC, PROJECTS, READER, TESTER, failure, unsigned

if TYPE_CHECKING:
    from emulator.support import Ask, Look

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


# --- who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/1/testers/501"), ("POST", "/api/1/testers/501/block/"), ("DELETE", "/api/1/testers/510/block/")],
)
def test_who_may_not_change_testers(api: Ask, look: Look, method: str, path: str) -> None:
    before = look("state")
    assert failure(api(method, path, auth=READER))[:2] == (403, 5)
    assert failure(api(method, path, auth=TESTER))[:2] == (403, 5)
    assert look("state") == before
    assert api(method, path).status_code == 200
    assert look("state") != before


def test_who_may_read_testers(api: Ask) -> None:
    assert api("GET", "/api/1/testers/501", auth=READER).status_code == 200
    assert failure(api("GET", "/api/1/testers/501", auth=TESTER))[:2] == (403, 5)
    assert failure(api("GET", "/api/1/testers", params={"buildId": "8911052"}, auth=TESTER))[:2] == (403, 5)


# --- admins -----------------------------------------------------------------------------------


def test_permissions(api: Ask) -> None:
    assert api("GET", "/api/1/cpanel/permissions/").json() == {
        "status": "ok",
        "admins": [
            {"email": "ci@northwind.example", "role": "admin", "permissions": ["*:rw"]},
            {"email": "owner@northwind.example", "role": "account-owner", "permissions": ["*:rw"]},
            {"email": "audit@northwind.example", "role": "admin", "permissions": ["*:r"]},
            {"email": "manager@northwind.example", "role": "account-manager", "permissions": ["*:rw"]},
            {"email": "crew.lead@northwind.example", "role": "admin", "permissions": ["6931217:rw", "6905338:r"]},
        ],
    }
    assert api("GET", "/api/1/cpanel/permissions/", auth=READER).status_code == 200
    assert failure(api("GET", "/api/1/cpanel/permissions/", auth=TESTER))[:2] == (403, 5)


def test_an_admin_without_permissions_in_the_seed_may_everything(api: Ask) -> None:
    api("POST", "/_emulator/reset", json={"users": [{"email": "a@b.example", "api_key": "k"}]})
    (admin,) = api("GET", "/api/1/cpanel/permissions/", auth=("a@b.example", "k")).json()["admins"]
    assert admin == {"email": "a@b.example", "role": "admin", "permissions": ["*:rw"]}
