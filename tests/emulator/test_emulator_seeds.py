"""The seeds with a name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests

from appdist_emulator import Emulator
from appdist_emulator.cli import main
from appdist_emulator.seed import SEEDS, named_seed
from emulator.lives import AT_ONCE, COUNTERS, moment

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from emulator.support import Ask, Look

GATE = "/api/1/projects/6950110/builds/"


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
