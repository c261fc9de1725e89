"""Many clients at once: what they write is all there, and what the emulator keeps has a bound."""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator, request_log
from appdist_emulator.state import base
from emulator.support import BUILD, CI, PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emulator.support import Ask, Look

CLIENTS, ROUNDS = 8, 12
EVERYBODY = range(CLIENTS * ROUNDS)


class SlowIds:
    """Ids that take a while: other threads run meanwhile, and get the same one unless a lock keeps them out."""

    def __init__(self, taken: Iterable[int | None], first: int) -> None:
        self._last = max([first - 1, *(one for one in taken if one)])

    def __next__(self) -> int:
        number = self._last + 1
        time.sleep(0.001)
        self._last = number
        return number


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "ids", SlowIds)


def together(emulator: Emulator, work: Callable[[Callable[..., Any], int], Any]) -> list[Any]:
    """What `work` returns for each number; every client has a connection of its own, and one number a round."""
    round_begins = Barrier(CLIENTS, timeout=30)

    def client(first: int) -> dict[int, Any]:
        with requests.Session() as session:
            session.trust_env, session.auth = False, CI

            def ask(method: str, path: str, **form: Any) -> Any:
                answer = session.request(method, emulator.url + path, data=form, timeout=30)
                assert answer.status_code == 200, answer.text
                return answer.json()

            found = {}
            for number in EVERYBODY[first::CLIENTS]:
                round_begins.wait()
                found[number] = work(ask, number)
            return found

    with ThreadPoolExecutor(CLIENTS) as pool:
        found = {number: one for part in pool.map(client, range(CLIENTS)) for number, one in part.items()}
    return [found[number] for number in EVERYBODY]


@pytest.mark.usefixtures("slow")
def test_concurrent_writes_are_all_there(emulator: Emulator, look: Look) -> None:
    before = look("state")
    (qa,) = (group for group in before["groups"] if group["name"] == "QA")

    def copy(ask: Callable[..., Any], number: int) -> str:
        here = f"load-{number // CLIENTS}"  # all clients of a round want the same new folder, group and tester
        ask("POST", "/api/1/testers/", email=f"{here}@northwind.example, {number}@northwind.example", group=here)
        return str(ask("POST", f"{BUILD}/copy", folder_name=f"/{here}")["build_id"])

    def write(ask: Callable[..., Any], number: int) -> str:
        there = f"/api/1/projects/{places[copies[number]]}/builds/{copies[number]}"
        tags = ask("PATCH", f"{there}/", tags=f"rc, load-{number}", metadata_number=str(number))["tags"]
        assert tags == ["rc", f"load-{number}"]
        ask("POST", f"{BUILD}/invites/", groups="QA", comment=f"load-{number}", notify="on")
        assert ask("GET", there)["build"]["id"] == copies[number]
        return copy(ask, number)

    copies = together(emulator, copy)
    places = {build["id"]: project["id"] for project in look("state")["projects"] for build in project["builds"]}
    more = together(emulator, write)
    after = look("state")

    builds = {build["id"]: build for project in after["projects"] for build in project["builds"]}
    assert len({*copies, *more}) == 2 * len(EVERYBODY)
    assert sum(len(project["builds"]) for project in after["projects"]) == len(builds)
    assert len(builds) == sum(len(project["builds"]) for project in before["projects"]) + 2 * len(EVERYBODY)
    for number, build_id in enumerate(copies):
        assert builds[build_id]["tags"] == ["rc", f"load-{number}"]
        assert builds[build_id]["metadata"]["number"] == str(number)
    folders = Counter(project["folderPath"] for project in after["projects"] if "/load-" in project["folderPath"])
    assert folders == {f"/load-{number}": 1 for number in range(ROUNDS)}

    assert Counter(one["comment"] for one in after["invitations"]) == {f"load-{number}": 1 for number in EVERYBODY}
    mails = Counter(mail["comment"] for mail in after["outbox"])
    assert mails == {f"load-{number}": len(qa["testers"]) for number in EVERYBODY}
    groups = {group["name"]: group["testers"] for group in after["groups"][len(before["groups"]) :]}
    assert {name: len(testers) for name, testers in groups.items()} == {
        f"load-{number}": CLIENTS + 1 for number in range(ROUNDS)
    }
    assert len(after["groups"]) == len(before["groups"]) + ROUNDS
    assert len(set(after["testers"])) == len(after["testers"]) == len(before["testers"]) + ROUNDS + len(EVERYBODY)

    audits = [audit["id"] for audit in after["audits"]]
    assert len(set(audits)) == len(audits) == len(before["audits"]) + 6 * len(EVERYBODY)


def test_the_log_and_the_faults_count_concurrent_requests(emulator: Emulator, api: Ask, look: Look) -> None:
    order = {"path": "/testers/groups", "times": 10, "headers": {"X-Fault": "here"}}
    assert api("POST", "/_emulator/faults", json=order, auth=None).status_code == 200
    together(emulator, lambda ask, _: [ask("GET", path) for path in ("/api/1/testers/groups", f"{PROJECT}/builds/")])
    requests_seen = look("requests")
    assert [one["number"] for one in requests_seen] == list(range(1, 2 * len(EVERYBODY) + 1))
    assert len({one["connection"] for one in requests_seen}) == CLIENTS
    assert {one["status"] for one in requests_seen} == {200}
    (fault,) = look("faults")
    assert (fault["hits"], fault["left"]) == (10, 0)
    assert sum(one["fault"] is not None for one in requests_seen) == 10


def test_the_log_keeps_the_latest_requests_up_to_a_size(api: Ask, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "_LENGTH", 20)
    monkeypatch.setattr(request_log, "_SIZE", 10_000)
    for _ in range(30):
        api("GET", "/api/1/projects/")
    assert [one["number"] for one in look("requests")] == list(range(11, 31))
    for size in (3000, 3000, 3000, 3000):
        api("PATCH", f"{BUILD}/", data={"comment": "x" * size})
    assert [one["number"] for one in look("requests") if one["form"]] == [32, 33, 34]
    api("PATCH", f"{BUILD}/", data={"comment": "x" * 20_000})
    (latest,) = look("requests")
    assert (latest["number"], len(latest["form"]["comment"])) == (35, 20_000)


def test_clients_that_go_away_leave_nothing_behind(
    emulator: Emulator, api: Ask, look: Look, capfd: pytest.CaptureFixture[str]
) -> None:
    order = {"path": "/projects/", "times": 8, "delay": 0.2, "body": "x" * 2**20}
    assert api("POST", "/_emulator/faults", json=order, auth=None).status_code == 200
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", emulator._port or 0)) as connection:
            connection.sendall(b"GET /api/1/projects/ HTTP/1.1\r\nHost: x\r\n\r\n")
            # Closed with a reset, so that the emulator cannot write.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    until = time.monotonic() + 30
    while [one["status"] for one in look("requests")] != [200] * 8 or len(emulator._open._sockets) > 1:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert capfd.readouterr().err == ""
