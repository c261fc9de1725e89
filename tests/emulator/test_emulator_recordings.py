"""Sessions and feedbacks."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from emulator.support import BUILD, CREW_LEAD, PROJECT, READER, TESTER, failure

if TYPE_CHECKING:
    from emulator.support import Ask, Look

MINE = {"email": "a@b.example", "api_key": "k"}
ME = ("a@b.example", "k")


def start_with(api: Ask, *builds: dict[str, Any], **more: Any) -> None:
    """Start over with one project, 1."""
    project = {"id": 1, "name": "My App", "package_name": "a.b", "platform": "Android"}
    whole = [{"version": f"1.{number}", "version_code": "1", **build} for number, build in enumerate(builds)]
    seed = {"users": [MINE], "projects": [{**project, "builds": whole}], **more}
    answer = api("POST", "/_emulator/reset", json=seed)
    assert answer.status_code == 200, answer.text


# --- sessions ---------------------------------------------------------------------------------


def test_sessions_are_listed_as_documented(api: Ask) -> None:
    body = api("GET", f"{BUILD}/sessions/").json()
    assert body["status"] == "ok"
    first = body["sessions"][0]
    assert first == {
        "id": 8911052001,
        "self": "/projects/6905338-northwindtravel/builds/8911052/sessions/8911052001",
        "startTime": "2026-05-29 19:31:56",
        "duration": "00:27",
        "testerEmail": "mara.lindholm@northwind.example",
        "device": "Samsung - Samsung Galaxy S24",
        "ipAddress": "203.0.113.1",
        "crashed": False,
        "countryName": "United States",
        "countryCode": "us",
    }
    assert {session["testerEmail"] for session in body["sessions"]} == {
        f"{name}@northwind.example" for name in ("mara.lindholm", "tomas.vega", "ines.okafor")
    }


@pytest.mark.parametrize(("build", "sessions", "crashes"), [("8911052", 12, 0), ("8830728", 50, 4), ("8893377", 50, 1)])
def test_as_many_sessions_and_crashes_as_are_counted(api: Ask, build: str, sessions: int, crashes: int) -> None:
    listed = api("GET", f"{PROJECT}/builds/{build}/sessions/").json()["sessions"]
    assert Counter(session["crashed"] for session in listed) == Counter({False: sessions - crashes, True: crashes})
    assert len({session["id"] for session in listed}) == sessions
    assert [session["startTime"] for session in listed] == sorted(session["startTime"] for session in listed)


def test_devices_are_of_the_platform(api: Ask) -> None:
    sessions = api("GET", "/api/1/projects/6905339/builds/8911079/sessions/").json()["sessions"]
    assert len(sessions) == 9
    assert all(session["device"].startswith("Apple - ") for session in sessions)


@pytest.mark.parametrize("params", [{}, {"fields": "meta"}])
def test_a_single_session(api: Ask, params: dict[str, str]) -> None:
    assert api("GET", f"{BUILD}/sessions/8911052002/", params=params).json() == {
        "status": "ok",
        "session": {
            "id": 8911052002,
            "sessionStartTime": "2026-05-30 00:42:09",
            "duration": "03:44",
            "testerEmail": "tomas.vega@northwind.example",
            "device": "Google - Pixel 8",
            "ipAddress": "203.0.113.2",
            "crashed": False,
            "identity": {"correlationId": "tomas.vega@northwind.example", "attr1": "Version 4.3.0"},
        },
    }


def crashed_session(api: Ask) -> str:
    sessions = api("GET", f"{PROJECT}/builds/8893377/sessions/").json()["sessions"]
    (crashed,) = [session for session in sessions if session["crashed"]]
    return f"{PROJECT}/builds/8893377/sessions/{crashed['id']}/"


def test_events_of_a_session(api: Ask) -> None:
    meta = api("GET", f"{BUILD}/sessions/8911052002/").json()["session"]
    session = api("GET", f"{BUILD}/sessions/8911052002/", params={"fields": "events"}).json()["session"]
    events = session.pop("events")
    assert session == meta
    assert {event["type"] for event in events} == {"start", "screen", "screenshot", "touch", "cpu", "end"}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert events[-1]["time"] == 3 * 60 + 44
    crashed = api("GET", crashed_session(api), params={"fields": "events"}).json()["session"]
    assert crashed["events"][-1]["type"] == "crash"


def test_logs_are_text(api: Ask) -> None:
    answer = api("GET", f"{BUILD}/sessions/8911052002/", params={"fields": "logs"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/text")
    lines = answer.text.splitlines()
    assert lines[0] == "2026-05-30 00:42:09 I/App: Northwind Travel 4.3.0 (4300) on Google - Pixel 8"
    assert "crashed" not in answer.text
    assert "crashed" in api("GET", crashed_session(api), params={"fields": "logs"}).text.splitlines()[-1]


def test_sessions_that_are_refused(api: Ask) -> None:
    for session in ("1", "x", "8830728001"):
        assert "session-id" in failure(api("GET", f"{BUILD}/sessions/{session}/"))[2]
        assert failure(api("GET", f"{BUILD}/sessions/{session}/"))[:2] == (400, 1)
    for fields in ("", "all", "meta,logs"):
        answer = api("GET", f"{BUILD}/sessions/8911052001/", params={"fields": fields})
        assert failure(answer) == (400, 1, "Missing or invalid parameter: fields")
    assert failure(api("GET", f"{PROJECT}/builds/1/sessions/"))[:2] == (400, 1)
    assert failure(api("GET", "/api/1/projects/1/builds/8911052/sessions/"))[:2] == (400, 1)


@pytest.mark.parametrize("path", ["/sessions/", "/sessions/8911052001/"])
def test_who_may_read_sessions(api: Ask, path: str) -> None:
    assert api("GET", BUILD + path, auth=READER).status_code == 200
    assert failure(api("GET", BUILD + path, auth=TESTER))[:2] == (403, 5)
    ios = "/api/1/projects/6905339/builds/8911079"
    assert failure(api("GET", ios + path, auth=CREW_LEAD))[:2] == (403, 99)


def test_a_copy_has_no_sessions_yet(api: Ask, look: Look) -> None:
    api("POST", f"{BUILD}/copy", data={"folder_name": "F"})
    (home,) = [project for project in look("state")["projects"] if project["folderPath"] == "/F"]
    path = f"/api/1/projects/{home['id']}/builds/{home['builds'][0]['id']}/sessions/"
    assert api("GET", path).json() == {"status": "ok", "sessions": []}


def test_sessions_of_a_seed(api: Ask) -> None:
    listed = {
        "start_time": "2026-01-02 03:04:05",
        "duration": "15:01",
        "tester": "t@b.example",
        "device": "Phone",
        "identity": {"attr1": "x"},
    }
    start_with(
        api,
        {
            "id": 7,
            "sessions": 3,
            "crashes": 1,
            "recorded_sessions": [listed, {**listed, "id": "12", "crashed": True, "country_code": "ng"}],
        },
    )
    sessions = api("GET", "/api/1/projects/1/builds/7/sessions/", auth=ME).json()["sessions"]
    assert [(one["id"], one["crashed"], one["countryCode"]) for one in sessions] == [
        (7001, False, "us"),
        (12, True, "ng"),
    ]
    session = api("GET", "/api/1/projects/1/builds/7/sessions/12/", auth=ME).json()["session"]
    assert (session["identity"], session["duration"]) == ({"attr1": "x"}, "15:01")


def test_sessions_where_nobody_is_known(api: Ask) -> None:
    start_with(api, {"id": 7, "sessions": 2, "crashes": 9})
    sessions = api("GET", "/api/1/projects/1/builds/7/sessions/", auth=ME).json()["sessions"]
    assert [(one["testerEmail"], one["crashed"]) for one in sessions] == [("", True), ("", True)]


# --- feedbacks --------------------------------------------------------------------------------


def test_feedbacks_are_listed_as_documented(api: Ask) -> None:
    body = api("GET", "/api/1/feedbacks/").json()
    assert body["status"] == "ok"
    assert len(body["feedbacks"]) == 19
    newest = body["feedbacks"][0]
    assert newest == {
        "recorded_at": "2026-05-12 17:02:16",
        "text": "Rotating the boarding pass works now.",
        "feedbackId": newest["feedbackId"],
        "screenshotUrl": newest["screenshotUrl"],
        "buildId": "8893377",
        "projectId": "6905338",
        "recordedAt": "2026-05-13 03:02:16",
        "source": "shake",
        "reported_by": "tomas.vega@northwind.example",
        "session_id": "8893377002",
    }
    assert newest["feedbackId"].isdigit()
    assert newest["screenshotUrl"].startswith("http://127.0.0.1:")
    times = [feedback["recorded_at"] for feedback in body["feedbacks"]]
    assert times == sorted(times, reverse=True)
    for feedback in body["feedbacks"]:
        early, late = (datetime.fromisoformat(feedback[name]) for name in ("recorded_at", "recordedAt"))
        assert late - early == timedelta(hours=10)


def test_feedbacks_fit_counters_and_sessions(api: Ask) -> None:
    feedbacks = api("GET", "/api/1/feedbacks/").json()["feedbacks"]
    counted = Counter(feedback["buildId"] for feedback in feedbacks)
    for project in ("6905338", "6905339", "6931217", "6940502"):
        for build in api("GET", f"/api/1/projects/{project}/builds/").json()["builds"]:
            assert counted[build["id"]] == build["feedbacks"]
    for feedback in feedbacks:
        path = (
            f"/api/1/projects/{feedback['projectId']}/builds/{feedback['buildId']}/sessions/{feedback['session_id']}/"
        )
        assert api("GET", path).json()["session"]["testerEmail"] == feedback["reported_by"]


def test_the_latest_100_feedbacks(api: Ask) -> None:
    one = {"text": "t", "reported_by": "t@b.example"}
    entries = [{**one, "id": number, "recorded_at": f"2026-01-01 00:{number % 60:02}:00"} for number in range(1, 106)]
    start_with(api, {"feedbacks": 105, "recorded_feedbacks": entries})
    feedbacks = api("GET", "/api/1/feedbacks/", auth=ME).json()["feedbacks"]
    # Of two in the same minute, the later id is the newer one.
    assert [feedback["feedbackId"] for feedback in feedbacks[:2]] == ["59", "58"]
    assert [feedback["feedbackId"] for feedback in feedbacks[-3:]] == ["4", "63", "3"]
    assert len(feedbacks) == 100
    assert {feedback["session_id"] for feedback in feedbacks} == {""}


def test_feedbacks_of_a_session_of_the_seed(api: Ask) -> None:
    session = {"start_time": "2026-01-02 03:04:05", "duration": "01:10", "tester": "T@b.example", "device": "Phone"}
    start_with(
        api,
        {
            "sessions": 2,
            "recorded_sessions": [{**session, "id": 8}, {**session, "id": 9, "tester": "u@b.example"}],
            "feedbacks": 2,
            "recorded_feedbacks": [
                {"text": "found", "reported_by": "t@b.example"},
                {"text": "told", "reported_by": "t@b.example", "session_id": 9, "recorded_at": "2026-02-02 00:00:00"},
            ],
        },
    )
    told, found = api("GET", "/api/1/feedbacks/", auth=ME).json()["feedbacks"]
    assert (found["session_id"], found["recorded_at"]) == ("8", "2026-01-02 03:05:15")
    assert (told["session_id"], told["recorded_at"]) == ("9", "2026-02-02 00:00:00")


def test_who_may_read_feedbacks(api: Ask) -> None:
    assert len(api("GET", "/api/1/feedbacks/", auth=READER).json()["feedbacks"]) == 19
    assert failure(api("GET", "/api/1/feedbacks/", auth=TESTER))[:2] == (403, 5)
    mine = api("GET", "/api/1/feedbacks/", auth=CREW_LEAD).json()["feedbacks"]
    assert {feedback["projectId"] for feedback in mine} == {"6905338", "6931217"}


def test_a_hidden_build_has_no_feedbacks_yet(api: Ask) -> None:
    entry = {"text": "t", "reported_by": "t@b.example"}
    start_with(api, {"feedbacks": 1, "recorded_feedbacks": [entry], "visible_after": 60})
    assert api("GET", "/api/1/feedbacks/", auth=ME).json()["feedbacks"] == []


def test_sessions_and_feedbacks_go_with_their_build(api: Ask, look: Look) -> None:
    path = f"{PROJECT}/builds/8830728"
    assert len([one for one in look("state")["feedbacks"] if one["buildId"] == "8830728"]) == 6
    api("DELETE", path)
    assert not [one for one in api("GET", "/api/1/feedbacks/").json()["feedbacks"] if one["buildId"] == "8830728"]
    assert len(look("state")["feedbacks"]) == 13
    assert failure(api("GET", f"{path}/sessions/"))[:2] == (400, 1)
    assert failure(api("GET", f"{path}/sessions/8830728001/"))[:2] == (400, 1)
