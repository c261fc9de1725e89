"""Audits: the deprecated list, the three of v2, and what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.support import BUILD, OWNER, READER, TESTER, failure

if TYPE_CHECKING:
    from emulator.support import Ask, Look

ALL, ADMIN, TESTERS = "/api/2/audits/", "/api/2/audits/admin-trail/", "/api/2/audits/tester-trail/"
FIELDS = {
    "id": int,
    "timestamp": str,
    "enterpriseId": int,
    "siteName": str,
    "userId": int,
    "userEmail": str,
    "ipAddress": str,
    "actionType": int,
    "actionLabel": str,
    "actionData": dict,
}


def audits(api: Ask, path: str = ALL, **query: Any) -> list[dict[str, Any]]:
    """Every audit that a list has, page by page."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        body = api("GET", path, params={"page": page, **query}).json()
        assert body["status"] == "ok"
        assert body["pagination"]["page"] == page
        found += body["audits"]
        if page >= body["pagination"]["total_pages"]:
            assert len(found) == body["pagination"]["total"]
            return found
        page += 1


# --- reading ----------------------------------------------------------------------------------


def test_the_deprecated_list(api: Ask) -> None:
    body = api("GET", "/api/1/audits").json()
    assert body == api("GET", "/api/1/audits/").json()
    assert body["status"] == "ok"
    assert len(body["audits"]) == 100
    assert [one["id"] for one in body["audits"]] == [one["id"] for one in audits(api)[:100]]
    download = next(one for one in body["audits"] if one["eventType"] == "download_app")
    assert sorted(download) == ["eventData", "eventType", "id", "ipAddress", "timestamp"]
    data = {name: type(value) for name, value in download["eventData"].items()}
    assert data == {
        "projectId": int,
        "buildId": int,
        "appName": str,
        "appVersion": str,
        "filesize": int,
        "testerEmail": str,
    }


@pytest.mark.parametrize("path", [ALL, ADMIN, TESTERS])
def test_v2_lists_are_as_documented_and_newest_first(api: Ask, path: str) -> None:
    found = audits(api, path)
    assert all({name: type(value) for name, value in one.items()} == FIELDS for one in found)
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
    assert [one["timestamp"] for one in found] == sorted((one["timestamp"] for one in found), reverse=True)


def test_the_history_is_long_and_always_the_same(api: Ask) -> None:
    found = audits(api)
    assert len(found) == 180
    api("POST", "/_emulator/reset")
    assert audits(api) == found
    assert {one["timestamp"] >= "2026-03-03 09:00:00" for one in found} == {True}
    uploads = {one["actionData"]["buildId"]: one["timestamp"] for one in found if one["actionType"] == 1100}
    assert len(uploads) == 10
    assert uploads[8911052] == "2026-05-29 17:31:56"
    # Nothing is done with a build before it was uploaded.
    assert [one for one in found if one["timestamp"] < uploads.get(one["actionData"].get("buildId"), "")] == []


def test_the_two_trails_are_all_audits(api: Ask) -> None:
    admin, testers = audits(api, ADMIN), audits(api, TESTERS)
    assert sorted([*admin, *testers], key=lambda one: one["id"]) == audits(api)[::-1]
    assert 1905 in {one["actionType"] for one in admin}
    assert 1200 in {one["actionType"] for one in testers}
    assert not {one["actionType"] for one in admin} & {one["actionType"] for one in testers}


def test_pages(api: Ask) -> None:
    body = api("GET", ALL).json()
    assert body["pagination"] == {"page": 1, "per_page": 50, "total": 180, "total_pages": 4}
    assert len(body["audits"]) == 50
    whole = api("GET", ALL, params={"per_page": "200"}).json()
    assert whole["pagination"] == {"page": 1, "per_page": 200, "total": 180, "total_pages": 1}
    assert audits(api, per_page=7) == audits(api) == whole["audits"]
    beyond = api("GET", ALL, params={"page": "5"}).json()
    assert beyond == {
        "status": "ok",
        "audits": [],
        "pagination": {"page": 5, "per_page": 50, "total": 180, "total_pages": 4},
    }


def test_filter_by_action(api: Ask) -> None:
    invited = audits(api, action_type=1200)
    assert invited
    assert invited == [one for one in audits(api) if one["actionLabel"] == "Invited testers"]
    assert audits(api, ADMIN, action_type=1200) == []
    assert api("GET", ALL, params={"action_type": "7"}).json()["pagination"]["total_pages"] == 0


def test_filter_by_date(api: Ask) -> None:
    day = audits(api, start_date="2026-04-14", end_date="2026-04-14")
    assert day
    assert day == [one for one in audits(api) if one["timestamp"].startswith("2026-04-14")]
    assert audits(api, start_date="2026-04-15") + audits(api, end_date="2026-04-14") == audits(api)
    assert audits(api, start_date="2026-04-15", end_date="2026-04-14") == []


@pytest.mark.parametrize(
    ("wanted", "number", "name"),
    [
        (["20131", "northwind-rail", "Northwind-Rail"], 20131, "northwind-rail"),
        (["20114", "northwind-travel"], 20114, "Northwind Travel"),
    ],
)
def test_filter_by_site(api: Ask, wanted: list[str], number: int, name: str) -> None:
    expected = [one for one in audits(api) if one["enterpriseId"] == number]
    assert expected
    assert {one["siteName"] for one in expected} == {name}
    assert all(audits(api, site=one) == expected for one in wanted)


@pytest.mark.parametrize("path", [ALL, ADMIN, TESTERS])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("site", "nowhere"),
        ("site", "1"),
        ("site", ""),
        ("action_type", "upload"),
        ("action_type", ""),
        ("start_date", "2026-02-30"),
        ("start_date", "20260301"),
        ("end_date", "yesterday"),
        ("end_date", "2026-03-01 10:00:00"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "x"),
        ("per_page", "0"),
        ("per_page", "201"),
        ("per_page", "9999999999"),
    ],
)
def test_bad_filters(api: Ask, path: str, name: str, value: str) -> None:
    answer = api("GET", path, params={name: value})
    assert failure(answer) == (400, 1, f"Missing or invalid parameter: {name}")


@pytest.mark.parametrize("path", ["/api/1/audits", "/api/1/audits/", ALL, ADMIN, TESTERS])
def test_who_may_read_audits(api: Ask, path: str) -> None:
    for who in (OWNER, READER):
        assert api("GET", path, auth=who).status_code == 200
    assert failure(api("GET", path, auth=TESTER))[:2] == (403, 5)
    assert failure(api("GET", path, auth=None))[:2] == (401, 104)


def test_without_a_history_there_is_none(api: Ask) -> None:
    api("POST", "/_emulator/reset", json={"users": [{"email": "a@b.example", "api_key": "k"}]})
    body = api("GET", ALL, auth=("a@b.example", "k")).json()
    assert body["pagination"] == {"page": 1, "per_page": 50, "total": 0, "total_pages": 0}


@pytest.mark.parametrize("testers", [[], [{"email": "t@b.example"}]])
def test_a_history_of_an_empty_account(api: Ask, testers: list[dict[str, str]]) -> None:
    history = {"entries": 9, "since": "2026-01-01 00:00:00", "until": "2026-01-10 00:00:00"}
    seed = {"users": [{"email": "a@b.example", "api_key": "k"}], "testers": testers, "audit_history": history}
    assert api("POST", "/_emulator/reset", json=seed).status_code == 200
    body = api("GET", ALL, auth=("a@b.example", "k")).json()
    assert [one["timestamp"][:10] for one in body["audits"]] == [f"2026-01-{day:02}" for day in range(9, 0, -1)]


# --- what is recorded -------------------------------------------------------------------------


ABOUT = {"projectId": 6905338, "buildId": 8911052, "appName": "Northwind Travel", "appVersion": "4.3.0 (4300)"}


def new_ones(api: Ask, look: Look) -> list[tuple[str, dict[str, Any]]]:
    """What was recorded since the start, the oldest first."""
    recorded = look("state")["audits"]
    assert recorded[::-1] == api("GET", ALL).json()["audits"][: len(recorded)]
    return [(one["actionLabel"], one["actionData"]) for one in recorded]


def test_what_becomes_of_builds_is_recorded(api: Ask, look: Look) -> None:
    assert new_ones(api, look) == []
    fields = {"api_key": "nw-demo-key-0001", "package_name": "n.w", "app_version": "1.0", "app_version_code": "1"}
    made = api("POST", "/api/upload/", auth=None, data=fields, files={"file": ("new.apk", b"four")}).json()
    api("PATCH", f"{BUILD}/", data={"tags": "t"})
    copied = api("POST", f"{BUILD}/copy", data={"folder_name": "F"}).json()["build_id"]
    api("POST", f"{BUILD}/invites/", data={"groups": "Stakeholders"})
    api("DELETE", BUILD)
    uploaded = {
        "projectId": int(made["project_id"]),
        "buildId": int(made["build_id"]),
        "appName": "new",
        "appVersion": "1.0 (1)",
        "filesize": 4,
    }
    people = ["helen.ward@northwind.example", "david.cho@northwind.example"]
    assert new_ones(api, look) == [
        ("Build uploaded", uploaded),
        ("Build updated", ABOUT),
        ("Build copied", ABOUT | {"folderPath": "/F", "copyBuildId": int(copied)}),
        ("Invited testers", ABOUT | {"emails": people, "groups": ["Stakeholders"]}),
        ("Build deleted", ABOUT),
    ]


def test_a_download_is_recorded_with_who_did_it(api: Ask) -> None:
    size = len(api("GET", f"{BUILD}/download/", auth=TESTER).content)
    newest = api("GET", "/api/1/audits").json()["audits"][0]
    assert (newest["eventType"], newest["ipAddress"]) == ("download_app", "127.0.0.1")
    assert newest["eventData"] == ABOUT | {"testerEmail": "helen.ward@northwind.example", "filesize": size}
    (audit, *_) = api("GET", TESTERS).json()["audits"]
    assert (audit["userEmail"], audit["userId"]) == ("helen.ward@northwind.example", 507)
    assert (audit["enterpriseId"], audit["siteName"]) == (20114, "Northwind Travel")


def test_what_becomes_of_people_is_recorded(api: Ask, look: Look) -> None:
    leo, mara = "leo.marchetti@northwind.example", "mara.lindholm@northwind.example"
    api("POST", "/api/1/testers/", data={"email": "new@x.example", "group": "QA"})
    api("POST", "/api/1/testers/groups", data={"groupName": "Pilots"})
    api("POST", "/api/1/testers/groups/28", data={"email": leo})
    api("DELETE", "/api/1/testers/groups/12", data={"email": mara})
    api("DELETE", "/api/1/testers/510/block/")
    api("POST", "/api/1/testers/510/block/")
    api("DELETE", "/api/1/testers/510")
    assert new_ones(api, look) == [
        ("Testers added", {"emails": ["new@x.example"], "group": "QA"}),
        ("Tester group created", {"groupId": 28, "group": "Pilots"}),
        ("Testers added to group", {"groupId": 28, "group": "Pilots", "emails": [leo]}),
        ("Testers removed from group", {"groupId": 12, "group": "QA", "emails": [mara]}),
        ("Tester unblocked", {"testerEmail": leo}),
        ("Tester blocked", {"testerEmail": leo}),
        ("Tester deleted", {"testerEmail": leo}),
    ]


def test_what_becomes_of_webhooks_and_sites_is_recorded(api: Ask, look: Look) -> None:
    sent = {"webhook-name": "Chat", "webhook-url": "https://x.example/hook/that-is-secret"}
    api("POST", "/api/1/webhook/", data=sent)
    api("POST", "/api/1/webhook/35/", data=sent | {"webhook-name": "Talk"})
    api("DELETE", "/api/1/webhook/35/")
    api("POST", "/api/1/site/", data={"name": "rail2"}, auth=OWNER)
    api("DELETE", "/api/1/site/20159/", auth=OWNER)
    assert new_ones(api, look) == [
        ("Webhook added", {"webhookId": 35, "name": "Chat"}),
        ("Webhook changed", {"webhookId": 35, "name": "Talk"}),
        ("Webhook deleted", {"webhookId": 35, "name": "Talk"}),
        ("Site created", {"siteId": 20159, "site": "rail2"}),
        ("Site deleted", {"siteId": 20159, "site": "rail2"}),
    ]
    assert audits(api, site="20114", action_type=1900)[0]["userEmail"] == "owner@northwind.example"
    assert failure(api("GET", ALL, params={"site": "rail2"}))[:2] == (400, 1)


def test_what_is_refused_or_does_nothing_is_not_recorded(api: Ask, look: Look) -> None:
    api("PATCH", f"{BUILD}/", data={"landing_page_mode": "x"})
    api("DELETE", BUILD, auth=READER)
    api("POST", "/api/1/testers/510/block/")
    api("POST", "/api/1/testers/groups/12", data={"email": "mara.lindholm@northwind.example"})
    api("POST", "/api/1/testers/")
    api("POST", "/api/1/webhook/")
    api("POST", "/api/1/site/", data={"name": "rail2"})
    assert new_ones(api, look) == []
