"""Builds with a life, and what the emulator shows of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.support import Ask

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
