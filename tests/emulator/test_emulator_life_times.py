"""When the events of a life happen, and how a life is ordered."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from appdist_emulator import Emulator, SeedError
from emulator.lives import BUILD, HOUR, MARA, ME, TOM, audits, counters, moment, play, seed, sessions, start, until

if TYPE_CHECKING:
    from emulator.support import Ask, Look

# --- when it happens --------------------------------------------------------------------------


def test_it_happens_by_itself(api: Ask, look: Look) -> None:
    start(api, {}, settings={"life_speed": 100})
    play(api, {"after": 30, "sessions": 2}, {"after": 0, "downloads": 1})
    until(lambda: counters(api) == (2, 0, 2, 0, 1))
    (life,) = look("life")
    assert (life["speed"], life["state"]) == (100, "over")


def test_what_is_to_come(api: Ask, look: Look) -> None:
    start(
        api, {"uploaded_at": "-26h", "life": [{"after": 600, "sessions": 2}, {"after": 0, "downloads": 1}]}, settings={}
    )
    (life,) = look("life")
    elapsed, (to_come,) = life.pop("elapsed"), life.pop("to_come")
    at = life["happened"][0].pop("at")
    assert life == {"build_id": "7", "speed": 1, "state": "running", "happened": [{"after": 0, "downloads": 1}]}
    assert at == audits(api)[0]["timestamp"] == api("GET", BUILD, auth=ME).json()["build"]["uploadedAt"]
    due_in = to_come.pop("due_in")
    assert to_come == {"after": 600, "sessions": 2}
    assert due_in + elapsed == pytest.approx(600, abs=0.01)
    assert counters(api) == (0, 0, 0, 0, 1)


def test_it_begins_when_the_build_is_visible(api: Ask, look: Look) -> None:
    start(api, {"visible_after": 600, "life": [{"after": 0, "sessions": 1}]})
    play(api, {"after": 0, "downloads": 1})
    assert {(life["state"], life["elapsed"]) for life in look("life")} == {("waiting", 0)}
    start(api, {"visible_after": 0.2, "life": [{"after": 0, "sessions": 1}]})
    until(lambda: api("GET", BUILD, auth=ME).status_code == 200)
    assert counters(api)[0] == 1


@pytest.mark.parametrize("uploaded", [None, "-2h", "2026-03-01 09:30:00"])
def test_nothing_is_in_the_future(api: Ask, uploaded: str | None) -> None:
    life: list[dict[str, Any]] = [
        {"after": 48 * HOUR, "sessions": 1},
        {"after": 0, "downloads": 1},
        {"after": 0, "feedback": {"tester": TOM, "text": "t"}},
    ]
    start(api, {"uploaded_at": uploaded})
    play(api, *life)
    start(api, {"uploaded_at": uploaded, "life": life})
    play(api, *life, {"after": 99 * HOUR, "reupload": True}, {"after": 100 * HOUR, "sessions": 1})
    build = api("GET", BUILD, auth=ME).json()["build"]
    stamps = [
        build["uploadedAt"],
        *(one["startTime"] for one in sessions(api)),
        *(one["timestamp"] for one in audits(api)),
    ]
    assert max(map(moment, stamps)) <= datetime.now(UTC)
    assert sessions(api)[0]["startTime"] >= build["uploadedAt"]


def test_nothing_is_before_an_upload_in_the_future(api: Ask) -> None:
    start(api, {"uploaded_at": "9999-12-31 00:00:00", "life": [{"after": HOUR, "sessions": 1}]})
    assert [one["startTime"] for one in sessions(api)] == ["9999-12-31 00:00:00"]


def test_sessions_that_are_only_counted_are_not_in_the_future_either(api: Ask) -> None:
    start(api, {"uploaded_at": "-26h", "sessions": 40})
    times = [moment(one["startTime"]) for one in sessions(api)]
    assert len(set(times)) == 40
    assert times == sorted(times)
    assert times[-1] <= datetime.now(UTC)


def test_lives_are_lived_side_by_side(api: Ask) -> None:
    start(
        api,
        {"uploaded_at": "2026-03-01 09:00:00", "life": [{"after": HOUR, "update": {"tags": ["a"]}}]},
        {
            "uploaded_at": "2026-03-01 08:00:00",
            "life": [{"after": 0, "reupload": True}, {"after": 3 * HOUR, "delete": True}],
        },
    )
    told = [(one["actionData"]["buildId"], one["timestamp"][11:13]) for one in reversed(audits(api))]
    assert told == [(8, "08"), (7, "10"), (8, "11")]


def test_each_thing_happens_once(api: Ask) -> None:
    start(api, {"life": [{"after": 0.001 * turn, "sessions": 1} for turn in range(200)]}, settings={"life_speed": 1})
    # More at once than the emulator could be asked about one after the other.
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: counters(api)[0], range(40)))
    until(lambda: counters(api)[0] == 200)
    assert all(0 < count <= 200 for count in seen)
    assert len(sessions(api)) == 200


# --- ordering a life --------------------------------------------------------------------------


def test_the_life_of_an_upload(api: Ask) -> None:
    start(api)
    fields = {"api_key": ME[1], "package_name": "a.b", "app_version": "2.0", "app_version_code": "2"}
    up = api("POST", "/api/upload/", data=fields, files={"file": ("a.apk", io.BytesIO(b"x"))}, auth=None).json()
    assert up["status"] == "ok"
    path = f"/api/1/projects/{up['project_id']}/builds/{up['build_id']}"
    assert not api("GET", path, auth=ME).json()["build"]["hasTestFairySdk"]
    play(api, {"after": 0, "downloads": 2}, build=up["build_id"])
    assert not api("GET", path, auth=ME).json()["build"]["hasTestFairySdk"]
    life = play(api, {"after": HOUR, "sessions": 2}, build=up["build_id"], speed=0.001)
    assert (life["speed"], life["state"]) == (0.001, "running")
    # What records sessions has the SDK, before the first of them too.
    assert api("GET", path, auth=ME).json()["build"]["hasTestFairySdk"]
    assert counters(api, path) == (0, 0, 0, 0, 2)


def test_reset_ends_all_lives(api: Ask, look: Look) -> None:
    start(api, {"life": [{"after": HOUR, "sessions": 1}]}, settings={})
    play(api, {"after": HOUR, "sessions": 1})
    assert len(look("life")) == 2
    api("POST", "/_emulator/reset")
    assert look("life") == []


@pytest.mark.parametrize(
    ("events", "hint"),
    [
        ([{"sessions": 1}], "[0].after: field required"),
        ([{"after": -1, "sessions": 1}], "[0].after: input should be greater"),
        ([{"after": "1", "sessions": 1}], "[0].after: "),
        ([{"after": 1e10, "sessions": 1}], "[0].after: "),
        ([{"after": 0}], "[0]: an event needs exactly one of session, sessions, feedback"),
        ([{"after": 0, "sessions": 1, "downloads": 1}], "[0]: an event needs exactly one of"),
        ([{"after": 0, "sesions": 1}], "[0].sesions: unknown key (did you mean sessions?)"),
        ([{"after": 0, "sessions": 0}], "[0].sessions: "),
        ([{"after": 0, "sessions": 1001}], "[0].sessions: "),
        ([{"after": 0, "sessions": 1, "crashes": 2}], "[0]: crashes: more than sessions"),
        ([{"after": 0, "downloads": 1, "crashes": 1}], "[0]: crashes: more than sessions"),
        ([{"after": 0, "downloads": 1, "testers": [MARA]}], "[0]: testers: needs sessions"),
        ([{"after": 0, "sessions": 1, "testers": []}], "[0].testers: "),
        ([{"after": 0, "downloads": -1}], "[0].downloads: "),
        ([{"after": 0, "session": {"device": "Phone"}}], "[0].session.tester: field required"),
        ([{"after": 0, "session": {"tester": MARA, "duration": "1h"}}], "[0].session.duration: "),
        ([{"after": 0, "session": {"tester": MARA, "minutes": -1}}], "[0].session.minutes: "),
        ([{"after": 0, "session": {"tester": MARA, "minutes": 1, "duration": "01:00"}}], "[0].session: set either"),
        ([{"after": 0, "feedback": {"tester": MARA}}], "[0].feedback.text: field required"),
        ([{"after": 0, "update": {}}], "[0].update: set at least one of tags, comment"),
        ([{"after": 0, "update": {"groups": ["nobody"]}}], "[0].update.groups: no group is named 'nobody'"),
        ([{"after": 0, "update": {"landing_page_mode": "ajar"}}], "[0].update.landing_page_mode: "),
        ([{"after": 0, "delete": False}], "[0].delete: "),
        ([{"after": 9, "sessions": 1}, {"after": 8, "delete": True}], "[0]: an earlier event deletes the build"),
    ],
)
def test_a_bad_script_is_explained(api: Ask, look: Look, events: list[dict[str, Any]], hint: str) -> None:
    with pytest.raises(SeedError) as caught:
        Emulator(seed({"life": events}))
    assert f"projects[0].builds[0].life{hint}" in str(caught.value)
    start(api, {})
    answer = api("POST", "/_emulator/life", json={"build_id": 7, "events": events})
    assert (answer.status_code, answer.json()["status"]) == (400, "fail")
    assert f"events{hint}" in answer.json()["message"]
    assert look("life") == []


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        ([], "a JSON object"),
        ({"build_id": 7}, "events: field required"),
        ({"build_id": 7, "events": []}, "events: "),
        ({"events": [{"after": 0, "sessions": 1}]}, "build_id: field required"),
        ({"build_id": 999, "events": [{"after": 0, "sessions": 1}]}, "build_id: there is no such build"),
        ({"build_id": 7, "speed": 0, "events": [{"after": 0, "sessions": 1}]}, "speed: "),
        ({"build_id": 7, "speed": "60", "events": [{"after": 0, "sessions": 1}]}, "speed: "),
    ],
)
def test_a_bad_order_is_explained(api: Ask, look: Look, order: Any, hint: str) -> None:
    start(api, {})
    answer = api("POST", "/_emulator/life", json=order)
    assert (answer.status_code, answer.json()["status"]) == (400, "fail")
    assert hint in answer.json()["message"]
    assert look("life") == []


@pytest.mark.parametrize(
    ("build", "hint"),
    [
        (
            {"has_testfairy_sdk": False, "life": [{"after": 0, "sessions": 1}]},
            ".life[0]: sessions need has_testfairy_sdk",
        ),
        ({"shows_counters": {"crash": None}}, ".shows_counters.crash"),
        ({"shows_counters": {"crashes": []}}, ".shows_counters.crashes"),
        ({"uploaded_at": "-26"}, ".uploaded_at: must be a time like 2026-03-01 09:30:00, or like -26h"),
        ({"uploaded_at": "-999999d"}, ".uploaded_at: "),
    ],
)
def test_a_bad_build_is_explained(build: dict[str, Any], hint: str) -> None:
    with pytest.raises(SeedError) as caught:
        Emulator(seed(build))
    assert f"projects[0].builds[0]{hint}" in str(caught.value)


def test_a_bad_speed_is_explained() -> None:
    with pytest.raises(SeedError, match=r"^settings\.life_speed: "):
        Emulator(seed(settings={"life_speed": 0}))
