"""A build's life: what happens to it while nobody asks, and how it is shown."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator
from emulator.lives import (
    BUILD,
    HOUR,
    INES,
    MARA,
    ME,
    TOM,
    audits,
    counters,
    feedbacks,
    moment,
    play,
    seed,
    sessions,
    start,
)

if TYPE_CHECKING:
    from emulator.support import Ask, Look

# --- what happens -----------------------------------------------------------------------------


def test_everything_agrees(api: Ask, look: Look) -> None:
    start(
        api,
        {
            "uploaded_at": "-26h",
            "life": [
                {"after": 4 * HOUR, "sessions": 6, "crashes": 2},
                {"after": 0, "downloads": 4},
                {"after": HOUR, "session": {"tester": MARA, "device": "Phone", "duration": "12:30", "crashed": True}},
                {"after": 2 * HOUR, "session": {"tester": "new@b.example", "minutes": 1.5}},
                {"after": 5 * HOUR, "feedback": {"tester": MARA, "text": "It crashed.", "source": "in-app"}},
                {"after": 6 * HOUR, "feedback": {"tester": "nobody@b.example", "text": "Nice."}},
            ],
        },
    )
    assert counters(api) == (8, 3, 4, 2, 4)
    uploaded = moment(api("GET", BUILD, auth=ME).json()["build"]["uploadedAt"])

    def after(text: str) -> int:
        return round((moment(text) - uploaded).total_seconds())

    listed = sessions(api)
    first, second = listed[:2]
    assert {name: first[name] for name in ("testerEmail", "device", "duration", "crashed")} == {
        "testerEmail": MARA,
        "device": "Phone",
        "duration": "12:30",
        "crashed": True,
    }
    assert (second["testerEmail"], second["duration"]) == ("new@b.example", "01:30")
    assert [after(one["startTime"]) for one in listed] == [HOUR, 2 * HOUR, *[4 * HOUR] * 6]
    assert [one["id"] for one in listed] == list(range(7001, 7009))
    assert sum(one["crashed"] for one in listed) == 3
    assert Counter(one["testerEmail"] for one in listed[2:]) == {MARA: 2, TOM: 2, INES: 2}
    assert api("GET", f"{BUILD}/sessions/7001/", auth=ME).json()["session"]["testerEmail"] == MARA

    nice, crashed = feedbacks(api)
    assert (nice["text"], nice["session_id"], nice["reported_by"]) == ("Nice.", "", "nobody@b.example")
    assert (crashed["source"], after(crashed["recorded_at"])) == ("in-app", 5 * HOUR)
    (session,) = [one for one in listed if str(one["id"]) == crashed["session_id"]]
    assert session["testerEmail"] == MARA

    downloads = audits(api, "App downloaded")
    assert [(one["userEmail"], after(one["timestamp"])) for one in reversed(downloads)] == [
        (email, 0) for email in (MARA, TOM, INES, MARA)
    ]
    assert downloads[0]["actionData"]["filesize"] == len(api("GET", f"{BUILD}/download/", auth=ME).content)
    # The people agree too.
    people = {
        one["email"]: one for one in api("GET", "/api/1/testers/", params={"buildId": "7"}, auth=ME).json()["testers"]
    }
    assert all(one["downloaded"] and one["sessions"] for one in people.values())
    assert people[MARA]["lastLogin"] == listed[-1]["startTime"]
    assert look("state")["audits"] == list(reversed(audits(api)))


def test_a_counter_that_began_before_its_life(api: Ask) -> None:
    start(api, {"uploaded_at": "2026-03-01 09:30:00", "sessions": 80, "crashes": 4, "testers": 3, "feedbacks": 9})
    assert len(sessions(api)) == 50
    play(api, {"after": 0, "sessions": 3, "crashes": 1}, {"after": 0, "session": {"tester": "New@b.example"}})
    play(
        api,
        {"after": 0, "session": {"tester": "new@b.example"}},
        {"after": 0, "feedback": {"tester": TOM, "text": "t"}},
    )
    assert counters(api) == (85, 5, 4, 10, 0)
    assert len(sessions(api)) == 55
    assert len({one["id"] for one in sessions(api)}) == 55
    assert [one["startTime"] for one in sessions(api)] == sorted(one["startTime"] for one in sessions(api))


def test_the_testers_named_take_turns_and_the_blocked_do_not(api: Ask) -> None:
    testers = [{"email": MARA, "blocked": True}]
    start(
        api,
        {"life": [{"after": 0, "sessions": 4}, {"after": 0, "sessions": 2, "testers": ["x@b.example"]}]},
        testers=testers,
    )
    assert Counter(one["testerEmail"] for one in sessions(api)) == {TOM: 2, INES: 2, "x@b.example": 2}
    assert counters(api)[2] == 3


def test_where_nobody_tests(api: Ask) -> None:
    life = [{"after": 0, "sessions": 2}, {"after": 0, "downloads": 1}]
    start(api, {"life": life}, groups=[{"name": "QA"}])
    assert counters(api) == (2, 0, 0, 0, 1)
    assert [one["testerEmail"] for one in sessions(api)] == ["", ""]
    assert [one["userEmail"] for one in audits(api)] == [ME[0]]


def test_the_build_changes(api: Ask, look: Look) -> None:
    start(api, {"uploaded_at": "-2h", "tags": ["ci"], "metadata": {"commit": "a"}, "groups": ["QA"]})
    change = {
        "tags": ["bad"],
        "comment": "Do not use.",
        "metadata": {"by": "x"},
        "groups": [],
        "landing_page_mode": "open",
    }
    play(api, {"after": 0, "update": change})
    build = look("state")["projects"][0]["builds"][0]
    assert (build["tags"], build["changelog"], build["groups"], build["landingPageMode"]) == (
        ["bad"],
        "Do not use.",
        [],
        "open",
    )
    assert build["metadata"] == {"commit": "a", "by": "x"}
    play(api, {"after": 0, "update": {"comment": ""}})
    build = look("state")["projects"][0]["builds"][0]
    assert (build["tags"], build["changelog"]) == (["bad"], "")
    assert [one["userEmail"] for one in audits(api, "Build updated")] == [ME[0]] * 2


def test_the_build_is_uploaded_anew(api: Ask) -> None:
    life = [
        {"after": 0, "sessions": 5, "crashes": 5},
        {"after": 10, "feedback": {"tester": TOM, "text": "Crashed."}},
        {"after": 20, "downloads": 3},
        {"after": HOUR, "reupload": True},
        {"after": 2 * HOUR, "sessions": 2},
    ]
    start(api, {"uploaded_at": "2026-03-01 09:30:00", "life": life})
    build = api("GET", BUILD, auth=ME).json()["build"]
    assert (build["id"], build["uploadedAt"]) == ("7", "2026-03-01 10:30:00")
    assert counters(api) == (2, 0, 2, 0, 0)
    assert [one["startTime"] for one in sessions(api)] == ["2026-03-01 11:30:00"] * 2
    assert feedbacks(api) == []
    assert [one["timestamp"] for one in audits(api, "Build uploaded")] == ["2026-03-01 10:30:00"]


def test_the_build_is_deleted(api: Ask, look: Look) -> None:
    start(api, {"life": [{"after": 5, "delete": True}, {"after": 1, "sessions": 1}]}, {})
    assert api("GET", BUILD, auth=ME).json()["code"] == 1
    assert [one["id"] for one in look("state")["projects"][0]["builds"]] == ["8"]
    play(api, {"after": 0, "delete": True}, build=8)
    assert look("state")["projects"] == []
    assert [one["actionData"]["buildId"] for one in audits(api, "Build deleted")] == [8, 7]
    assert [life["state"] for life in look("life")] == ["over", "over"]


def test_a_life_ends_with_its_build(api: Ask, look: Look) -> None:
    start(api, {}, {})
    play(api, {"after": 0, "downloads": 1}, {"after": HOUR, "downloads": 1}, speed=1)
    assert api("DELETE", BUILD, auth=ME).status_code == 200
    (life,) = look("life")
    assert (life["state"], len(life["happened"]), life["to_come"]) == ("over", 1, [])


# --- how it is shown --------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [None, "n/a", "12", -1, 0.5, True])
def test_a_counter_that_is_odd(api: Ask, look: Look, shown: Any) -> None:
    start(api, {"shows_counters": {"crashes": shown}, "life": [{"after": 0, "sessions": 4, "crashes": 1}]})
    build = api("GET", BUILD, auth=ME).json()["build"]
    assert (build["sessions"], build["crashes"]) == (4, shown)
    assert api("GET", "/api/1/projects/1/builds/", auth=ME).json()["builds"] == [build]
    assert look("state")["projects"][0]["builds"][0]["crashes"] == 1


def test_a_counter_that_is_missing(api: Ask) -> None:
    start(api, {"shows_counters": {"crashes": "missing", "testers": "missing"}})
    build = api("GET", BUILD, auth=ME).json()["build"]
    assert not {"crashes", "testers"} & build.keys()
    assert build["sessions"] == 0


def test_the_other_dialect_shows_no_counters() -> None:
    odd = {"shows_counters": {"crashes": "n/a", "downloads": None}, "life": [{"after": 0, "sessions": 1}]}
    with Emulator(seed(odd), dialect="compat") as emulator:
        build = requests.get(emulator.url + BUILD, auth=ME, timeout=5).json()["build"]
        listed = requests.get(f"{emulator.url}{BUILD}/sessions/", auth=ME, timeout=5).json()["sessions"]
    assert not {"sessions", "crashes", "testers", "feedbacks"} & build.keys()
    assert build["downloads"] is None
    assert len(listed) == 1


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("-26h", timedelta(hours=26)),
        ("-90m", timedelta(minutes=90)),
        ("-14d", timedelta(days=14)),
        ("-0s", timedelta()),
    ],
)
def test_a_time_before_the_start(api: Ask, text: str, ago: timedelta) -> None:
    before = datetime.now(UTC)
    start(api, {"uploaded_at": text})
    uploaded = moment(api("GET", BUILD, auth=ME).json()["build"]["uploadedAt"])
    assert before - timedelta(seconds=1) <= uploaded + ago <= datetime.now(UTC)
