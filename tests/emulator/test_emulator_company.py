"""Webhooks and sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.support import CREW_LEAD, MANAGER, OWNER, READER, TESTER, failure

if TYPE_CHECKING:
    from emulator.support import Ask, Look


CHAT = {
    "id": 31,
    "status": "1",
    "name": "Chat, mobile team",
    "url": "https://chat.northwind.example/hooks/mobile",
    "actions": "crash,feedback,upload",
    "projectIds": "6905338,6905339",
}
GOOD = {"webhook-name": "New", "webhook-url": "https://x.example/hook"}


# --- webhooks ---------------------------------------------------------------------------------


def test_webhooks_are_listed_as_documented(api: Ask) -> None:
    body = api("GET", "/api/1/webhooks/").json()
    assert body["status"] == "ok"
    assert body["webhooks"] == [
        CHAT,
        {
            "id": 34,
            "status": "0",
            "name": "Device register",
            "url": "https://devices.northwind.example/udid",
            "actions": "new-udid",
            "projectIds": "",
        },
    ]
    assert api("GET", "/api/1/webhook/31/").json() == {"status": "ok", "webhook": CHAT}


def test_a_new_webhook(api: Ask, look: Look) -> None:
    sent = GOOD | {
        "webhook-status": "true",
        "actions": "new-udid, crash,feedback,upload,crash",
        "webhook-project-ids": "6931217,6905338-northwindtravel",
    }
    assert api("POST", "/api/1/webhook/", data=sent).json() == {"status": "ok"}
    expected = {
        "id": 35,
        "status": "1",
        "name": "New",
        "url": "https://x.example/hook",
        "actions": "new-udid,crash,feedback,upload",
        "projectIds": "6931217,6905338",
    }
    assert api("GET", "/api/1/webhook/35/").json()["webhook"] == expected
    assert look("state")["webhooks"][-1] == expected


@pytest.mark.parametrize("more", [{}, {"webhook-status": "false", "actions": "", "webhook-project-ids": ""}])
def test_a_new_webhook_is_off_and_without_actions_unless_told(api: Ask, more: dict[str, str]) -> None:
    api("POST", "/api/1/webhook/", data=GOOD | more)
    webhook = api("GET", "/api/1/webhooks/").json()["webhooks"][-1]
    assert (webhook["id"], webhook["status"], webhook["actions"], webhook["projectIds"]) == (35, "0", "", "")


def test_modifying_a_webhook(api: Ask) -> None:
    assert api("POST", "/api/1/webhook/31/", data=GOOD).json() == {"status": "ok"}
    # What is left out stays.
    changed = CHAT | {"name": "New", "url": "https://x.example/hook"}
    assert api("GET", "/api/1/webhooks/").json()["webhooks"][0] == changed
    sent = GOOD | {"webhook-status": "false", "actions": "upload", "webhook-project-ids": ""}
    api("POST", "/api/1/webhook/31/", data=sent)
    changed |= {"status": "0", "actions": "upload", "projectIds": ""}
    assert api("GET", "/api/1/webhook/31/").json()["webhook"] == changed


def test_a_webhook_outlives_its_project(api: Ask) -> None:
    api("POST", "/api/1/webhook/34/", data=GOOD | {"webhook-project-ids": "6940502"})
    api("DELETE", "/api/1/projects/6940502/builds/8864810")
    sent = {"webhook-project-ids": "6940502,6931217"}
    assert api("POST", "/api/1/webhook/34/", data=GOOD | sent).status_code == 200
    assert api("GET", "/api/1/webhook/34/").json()["webhook"]["projectIds"] == "6940502,6931217"
    assert failure(api("POST", "/api/1/webhook/31/", data=GOOD | sent))[:2] == (400, 1)


def test_deleting_a_webhook(api: Ask) -> None:
    assert api("DELETE", "/api/1/webhook/31/").json() == {"status": "ok"}
    assert [webhook["id"] for webhook in api("GET", "/api/1/webhooks/").json()["webhooks"]] == [34]
    assert failure(api("GET", "/api/1/webhook/31/"))[:2] == (400, 1)


@pytest.mark.parametrize("path", ["/api/1/webhook/", "/api/1/webhook/31/"])
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"webhook-name": ""}, 104),
        ({"webhook-name": " ", "webhook-url": ""}, 104),
        ({"webhook-url": ""}, 1),
        ({"webhook-url": "x.example"}, 1),
        ({"webhook-status": "1"}, 1),
        ({"webhook-status": ""}, 1),
        ({"actions": "crash,explode"}, 1),
        ({"webhook-project-ids": "6905338,1"}, 1),
    ],
)
def test_a_webhook_that_is_refused(api: Ask, look: Look, path: str, sent: dict[str, str], code: int) -> None:
    before = look("state")
    assert failure(api("POST", path, data=GOOD | sent))[:2] == (400, code)
    assert look("state") == before


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("webhook", ["1", "0", "x"])
def test_an_unknown_webhook(api: Ask, method: str, webhook: str) -> None:
    answer = api(method, f"/api/1/webhook/{webhook}/", data=GOOD if method == "POST" else None)
    assert failure(answer) == (400, 1, "Missing or invalid webhook-id")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/1/webhook/"), ("POST", "/api/1/webhook/31/"), ("DELETE", "/api/1/webhook/31/")],
)
def test_who_may_not_change_webhooks(api: Ask, look: Look, method: str, path: str) -> None:
    before = look("state")
    for who in (READER, TESTER):
        assert failure(api(method, path, data=GOOD, auth=who))[:2] == (403, 5)
    assert look("state") == before


@pytest.mark.parametrize("path", ["/api/1/webhooks/", "/api/1/webhook/31/", "/api/1/site/"])
def test_who_may_read_them(api: Ask, path: str) -> None:
    assert api("GET", path, auth=READER).status_code == 200
    assert failure(api("GET", path, auth=TESTER))[:2] == (403, 5)


def test_a_project_that_one_may_not_see_is_no_webhook_s(api: Ask) -> None:
    sent = GOOD | {"webhook-project-ids": "6905339"}
    assert failure(api("POST", "/api/1/webhook/", data=sent, auth=CREW_LEAD))[:2] == (403, 99)


# --- sites ------------------------------------------------------------------------------------


def test_sites_are_listed_as_documented(api: Ask) -> None:
    assert api("GET", "/api/1/site/").json() == {
        "status": "ok",
        "site": {
            "accounts": [
                {
                    "id": "20131",
                    "name": "northwind-rail",
                    "buildsCount": 14,
                    "users": [
                        {"email": "[site-subaccount-682ae46476f9f]", "role": "Account Owner"},
                        {"email": "rail.manager@northwind.example", "role": "Account Manager"},
                    ],
                },
                {
                    "id": "20158",
                    "name": "northwind_cruises",
                    "buildsCount": 0,
                    "users": [{"email": "[site-subaccount-6a01f7d2c3b18]", "role": "Account Owner"}],
                },
            ],
            "managers": [{"email": "owner@northwind.example"}, {"email": "manager@northwind.example"}],
        },
    }


@pytest.mark.parametrize("who", [OWNER, MANAGER])
@pytest.mark.parametrize("more", [{}, {"loginMethod": "0"}, {"loginMethod": "1"}])
def test_a_new_site(api: Ask, look: Look, who: tuple[str, str], more: dict[str, str]) -> None:
    assert api("POST", "/api/1/site/", data={"name": "Rail_2-b", **more}, auth=who).json() == {"status": "ok"}
    site = api("GET", "/api/1/site/").json()["site"]["accounts"][-1]
    assert (site["id"], site["name"], site["buildsCount"]) == ("20159", "Rail_2-b", 0)
    assert [user["role"] for user in site["users"]] == ["Account Owner"]
    assert look("state")["site"]["accounts"][-1] == site


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, 1),
        ({"name": "abc"}, 1),
        ({"name": "with space"}, 1),
        ({"name": "züge"}, 1),
        ({"name": "rail\n"}, 1),
        ({"name": "good", "loginMethod": "2"}, 1),
        ({"name": "good", "loginMethod": ""}, 1),
        ({"name": "northwind-rail"}, 2),
        ({"name": "Northwind-Rail"}, 2),
    ],
)
def test_a_site_that_is_refused(api: Ask, look: Look, sent: dict[str, str], code: int) -> None:
    before = look("state")
    assert failure(api("POST", "/api/1/site/", data=sent, auth=OWNER))[:2] == (400, code)
    assert look("state") == before


def test_deleting_a_site(api: Ask) -> None:
    assert api("DELETE", "/api/1/site/20131/", auth=OWNER).json() == {"status": "ok"}
    assert [site["id"] for site in api("GET", "/api/1/site/").json()["site"]["accounts"]] == ["20158"]
    for site in ("20131", "20114", "x"):
        assert failure(api("DELETE", f"/api/1/site/{site}/", auth=OWNER)) == (400, 1, "Missing or invalid site-id")


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/1/site/"), ("DELETE", "/api/1/site/20131/")])
def test_who_may_not_change_sites(api: Ask, look: Look, method: str, path: str) -> None:
    before = look("state")
    ci = ("ci@northwind.example", "nw-demo-key-0001")
    for who in (ci, CREW_LEAD, READER, TESTER):
        assert failure(api(method, path, data={"name": "good"}, auth=who))[:2] == (403, 5)
    assert look("state") == before


def test_a_read_only_owner_changes_no_sites(api: Ask) -> None:
    owner = {"email": "o@b.example", "api_key": "k", "role": "account-owner", "permissions": ["*:r"]}
    api("POST", "/_emulator/reset", json={"users": [owner], "sites": [{"id": 1, "name": "site"}]})
    me = ("o@b.example", "k")
    assert failure(api("POST", "/api/1/site/", data={"name": "good"}, auth=me))[:2] == (403, 5)
    assert failure(api("DELETE", "/api/1/site/1/", auth=me))[:2] == (403, 5)
    assert api("GET", "/api/1/site/", auth=me).json()["site"]["accounts"][0]["id"] == "1"
