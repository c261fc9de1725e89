"""A build's life: what happens to it while nobody asks."""

from __future__ import annotations

import io
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator, SeedError
from appdist_emulator.cli import main
from appdist_emulator.seed import SEEDS, named_seed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[..., requests.Response]
    Look = Callable[[str], Any]

ME = ("a@b.example", "k")
USER = {"email": ME[0], "api_key": ME[1]}
MARA, TOM, INES = (f"{name}@b.example" for name in ("mara", "tom", "ines"))
BUILD = "/api/1/projects/1/builds/7"
AT_ONCE = 1e9
COUNTERS = ("sessions", "crashes", "testers", "feedbacks", "downloads")
HOUR = 3600


def seed(*builds: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One project, 1, whose first build is 7; its life is over when somebody looks."""
    whole = [
        {"id": number, "version": f"1.{number}", "version_code": "1", **build} for number, build in enumerate(builds, 7)
    ]
    project = {"id": 1, "name": "My App", "package_name": "a.b", "platform": "Android", "groups": ["QA"]}
    return {
        "settings": {"life_speed": AT_ONCE},
        "users": [USER],
        "groups": [{"name": "QA", "testers": [MARA, TOM, INES]}],
        "projects": [{**project, "builds": whole}],
        **more,
    }


def start(api: Ask, *builds: dict[str, Any], **more: Any) -> None:
    answer = api("POST", "/_emulator/reset", json=seed(*builds, **more))
    assert answer.status_code == 200, answer.text


def play(api: Ask, *events: dict[str, Any], build: int = 7, **more: Any) -> dict[str, Any]:
    answer = api("POST", "/_emulator/life", json={"build_id": build, "events": list(events), **more})
    assert answer.status_code == 200, answer.text
    life: dict[str, Any] = answer.json()["life"]
    return life


def counters(api: Ask, path: str = BUILD) -> tuple[int, ...]:
    build = api("GET", path, auth=ME).json()["build"]
    return tuple(build[name] for name in COUNTERS)


def sessions(api: Ask, path: str = BUILD) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("GET", f"{path}/sessions/", auth=ME).json()["sessions"]
    return found


def feedbacks(api: Ask) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("GET", "/api/1/feedbacks/", auth=ME).json()["feedbacks"]
    return found


def audits(api: Ask, *labels: str) -> list[dict[str, Any]]:
    found = api("GET", "/api/2/audits/", params={"per_page": "200"}, auth=ME).json()["audits"]
    return [audit for audit in found if not labels or audit["actionLabel"] in labels]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(look: Callable[[], bool]) -> None:
    """Wait for something that happens by itself; the limit is only for when it never does."""
    end = time.monotonic() + 30
    while not look():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


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


# --- the seeds with a name --------------------------------------------------------------------

GATE = "/api/1/projects/6950110/builds/"
CI = ("ci@northwind.example", "nw-demo-key-0001")


def test_one_build_turns_out_well_and_one_does_not(api: Ask) -> None:
    account = named_seed("gate")
    account["settings"]["life_speed"] = AT_ONCE
    api("POST", "/_emulator/reset", json=account)
    released, good, bad = api("GET", GATE).json()["builds"]
    assert [tuple(one[name] for name in COUNTERS) for one in (released, good, bad)] == [
        (220, 1, 5, 1, 12),
        (40, 0, 5, 2, 6),
        (20, 4, 5, 1, 5),
    ]
    told = {one["text"]: one["buildId"] for one in api("GET", "/api/1/feedbacks/").json()["feedbacks"]}
    assert {build for text, build in told.items() if text.startswith("blocker: ")} == {bad["id"]}
    for build in (good, bad):
        listed = api("GET", f"{GATE}{build['id']}/sessions/").json()["sessions"]
        assert (len(listed), sum(one["crashed"] for one in listed)) == (build["sessions"], build["crashes"])
        assert {one["testerEmail"] for one in listed} == set(account["groups"][0]["testers"])
        assert max(moment(one["startTime"]) for one in listed) < datetime.now(UTC)


def test_a_seed_by_name(api: Ask, look: Look) -> None:
    northwind = look("state")
    api("POST", "/_emulator/reset?seed=gate")
    builds = api("GET", GATE).json()["builds"]
    assert [build["id"] for build in builds] == ["8920001", "8920002", "8920003"]
    assert [life["build_id"] for life in look("life")] == ["8920002", "8920003"]
    api("POST", "/_emulator/reset?seed=northwind")
    assert look("state") == northwind


def test_a_seed_by_name_on_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []
    start = Emulator.start

    def started(emulator: Emulator, **_options: Any) -> None:
        start(emulator)
        seen.append(requests.get(f"{emulator.url}/_emulator/state", timeout=10).json()["company"])
        raise KeyboardInterrupt

    monkeypatch.setattr(Emulator, "start", started)
    monkeypatch.chdir(tmp_path)
    for name in SEEDS:
        assert main(["--port", "0", "--seed", name]) == 0
    assert main(["--port", "0"]) == 0
    assert seen == ["Northwind Travel", "Northwind Ferries", "Northwind Travel"]
    assert main(["--seed", "gates"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "one of northwind, gate" in err
