"""A build that is good, what happens to it, and what the gate says of it."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from xml.etree import ElementTree as ET

import requests

from harness import API_KEY, EMAIL, Outcome, Service
from sauce_appdist.ci.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

PROJECT, BUILD, BEFORE = "1", "7", "6"
THIS: dict[str, Any] = {"project_id": PROJECT, "build_id": BUILD}
PATH = f"/api/1/projects/{PROJECT}/builds/{BUILD}"
GET_BUILD, GET_GROUPS, GET_PROJECTS = f"GET {PATH}", "GET /api/1/testers/groups", "GET /api/1/projects/"
GET_SESSIONS, GET_FEEDBACKS = f"GET {PATH}/sessions/", "GET /api/1/feedbacks/"
POST_COPY = f"POST {PATH}/copy"
QA = ["mara@northwind.example", "tomas@northwind.example", "ines@northwind.example", "jonas@northwind.example"]
JSON, JUNIT = "appdist-gate.json", "appdist-gate.xml"
OK, INPUT, AUTH, API, TRANSPORT, PARTIAL, FAILED, INCONCLUSIVE, CANCELLED = 0, 2, 3, 4, 5, 6, 7, 8, 130
CODES = {"passed": OK, "failed": FAILED, "pending": INCONCLUSIVE, "inconclusive": INCONCLUSIVE, "error": INPUT}
WORSE = {"code": 1, "message": "Not found", "status": "fail"}


def account(*beside: Any, others: Sequence[Any] = (), shows: Sequence[str] = ("tags",), **build: Any) -> dict[str, Any]:
    """An app with a build that is good, but for what is said of it; builds `beside` it, and other apps."""
    judged = {
        "id": BUILD,
        "version": "2.0",
        "version_code": "20",
        "uploaded_at": "-26h",
        "sessions": 40,
        "testers": 2,
        "downloads": 6,
        "feedbacks": 1,
        "has_testfairy_sdk": True,
        "tags": ["candidate"],
        "groups": ["QA"],
        "recorded_feedbacks": [{"text": "Lovely", "reported_by": QA[0], "recorded_at": "-20h"}],
    }
    app = {"id": PROJECT, "name": "Ferries", "package_name": "com.example.ferries", "platform": "Android"}
    return {
        "users": [{"email": EMAIL, "api_key": API_KEY}],
        "groups": [{"id": 12, "name": "QA", "testers": QA}, {"id": 13, "name": "Nobody"}],
        "shows": {"build": list(shows), "project": ["folderPath"]},
        "projects": [{**app, "builds": [judged | build, *beside]}, *others],
    }


def before(**build: Any) -> dict[str, Any]:
    """A build that was uploaded before."""
    fields = {"version": "1.0", "version_code": "10", "sessions": 200, "crashes": 2, "has_testfairy_sdk": True}
    return {"id": BEFORE, "uploaded_at": "-9d", **fields, **build}


def elsewhere(*ages: str) -> dict[str, Any]:
    """Another app, with feedbacks that are so old."""
    feedbacks = [{"text": "blocker", "reported_by": QA[0], "recorded_at": age} for age in ages]
    build = {"id": 70, "version": "1", "version_code": "1", "feedbacks": len(ages), "recorded_feedbacks": feedbacks}
    return {"id": 2, "name": "Other", "package_name": "com.example.other", "platform": "iOS", "builds": [build]}


def play(service: Service, *events: Mapping[str, Any], build_id: str = BUILD) -> None:
    """Let this happen to the build now."""
    life = {"build_id": build_id, "events": [{"after": 0, **event} for event in events]}
    requests.post(f"{service.url}/_emulator/life", json=life, timeout=10).raise_for_status()


def upload_again(service: Service) -> None:
    """As a pipeline does with the same version."""
    fields = {"package_name": "com.example.ferries", "app_version": "2.0", "app_version_code": "20"}
    answer = requests.post(
        f"{service.url}/api/upload/",
        data={"api_key": API_KEY, **fields},
        files={"file": ("ferries.apk", b"not really an apk")},
        timeout=10,
    ).json()
    assert (answer["status"], answer["build_id"]) == ("ok", BUILD), answer


def shows(service: Service, **fields: Any) -> dict[str, Any]:
    """The reply of the build with other fields; `...` leaves one out."""
    view = service.build(PROJECT, BUILD) | fields
    return {"status": "ok", "build": {name: value for name, value in view.items() if value is not ...}}


def ago(**time_: float) -> str:
    return (datetime.now(UTC) - timedelta(**time_)).strftime("%Y-%m-%d %H:%M:%S")


def agree(outputs: Mapping[str, Any], folder: Path) -> None:
    """Outputs and both reports say the same, and nothing but a pass looks like one."""
    told = json.loads((folder / JSON).read_text("utf-8"))
    for name in ("verdict", "reason", "project-id", "build-id", "app-name", "app-version", "looks", "judged-at"):
        assert told[name] == outputs[name]
    assert told["checks"] == [{"name": name, **fields} for name, fields in outputs["checks"].items()]
    [suite] = ET.parse(folder / JUNIT).getroot()
    cases = {case.get("name"): case[0].tag for case in suite}
    kinds = {"passed": {"system-out"}, "failed": {"failure"}, "error": {"error"}}
    for name, fields in outputs["checks"].items():
        assert cases[name] in kinds.get(fields["state"], {"error", "skipped"})
    assert (set(cases.values()) == {"system-out"}) is (outputs["verdict"] == "passed"), cases
    bad = [name for name, fields in outputs["checks"].items() if fields["state"] != "passed"]
    assert sorted(outputs["failed-checks"]) == sorted(bad)


class Judge(Protocol):
    """Run the gate on the build of `account`."""

    def __call__(self, *, env: Any = None, **inputs: str) -> Outcome: ...


FUTURE = "2999-01-01 00:00:00"
INCREASE = {"baseline": "previous", "max_crash_rate_increase": "0.5%"}
COVER = {"coverage_groups": "QA"}
BAD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "failed": ({"crashes": 1}, {"max_crashes": "0"}),
    "pending": ({}, {"min_sessions": "41"}),
    "inconclusive": ({"has_testfairy_sdk": False}, {"max_crashes": "0"}),
    "error": ({"uploaded_at": FUTURE}, {"min_age": "1h"}),
}
ONE = {"min_downloads": "1"}


class Stage(Terminal):
    """Notes what is said, and lets something happen where a part of a promotion begins."""

    def __init__(self, at: Mapping[str, Callable[[], object]]) -> None:
        self.said = io.StringIO()
        super().__init__({}, self.said)
        self._at = dict(at)

    def warning(self, text: str) -> None:
        self.info(f"Warning: {text}")

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        self._at.pop(title, lambda: None)()
        with super().section(title):
            yield


@dataclass
class Watched:
    """How a step ended on a clock that only its pauses move."""

    code: int
    outputs: dict[str, Any]
    log: str
    pauses: list[float] = field(default_factory=list)

    @property
    def progress(self) -> list[str]:
        return [line for line in self.log.splitlines() if " left: " in line]


OVER = "the time is over"  # a pause of all of `wait`


class Watch(Protocol):
    """Run a step in which something happens in each pause; there must be just as many."""

    def __call__(
        self,
        *happenings: Callable[[], object] | str | None,
        step: str = "gate",
        at: Any = None,
        mask: str = "",
        **inputs: str,
    ) -> Watched: ...


def down(service: Service, **fault: Any) -> Callable[[], None]:
    """Order a fault of the build's next look."""
    return lambda: service.fault(**{"path": f"{PATH}$", "status": 503, "body": "Down", **fault})


def played(service: Service, *events: Mapping[str, Any]) -> Callable[[], None]:
    return lambda: play(service, *events)


TWICE = {"consecutive_passes": "2", "wait": "1h", "min_sessions": "40"}


def stale(folder: Path) -> None:
    for name in (JSON, JUNIT):
        (folder / name).write_text("of an earlier run")
