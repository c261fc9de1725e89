"""The gate as a step, on the emulator: what ends it how, when it looks again, what it tells, and what it never lets by."""

from __future__ import annotations

import functools
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from xml.etree import ElementTree as ET

import pytest
import requests
from hypothesis import given, strategies as st
from pydantic import ConfigDict

from appdist_emulator.seed import named_seed
from harness import API_KEY, EMAIL, Outcome, Process, Run, Service, connection, github_outputs
from sauce_appdist.auth.signing import BasicAuth
from sauce_appdist.ci.terminal import Terminal
from sauce_appdist.client import Client
from sauce_appdist.clock import Clock
from sauce_appdist.errors import AppDistError
from sauce_appdist.interface.environment import parse
from sauce_appdist.interface.inputs import extra
from sauce_appdist.steps import load, promote
from sauce_appdist.steps.context import Context
from sauce_appdist.steps.gate.options import LONGEST_INTERVAL, SHORTEST_INTERVAL
from sauce_appdist.steps.gate.schedule import PollSchedule
from sauce_appdist.steps.gate.step import Inputs as GateInputs
from sauce_appdist.verdict.checks import Check, CheckState, Thresholds
from sauce_appdist.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


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
BOTH = pytest.mark.parametrize("service", ["classic", "compat"], indirect=True)


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


@pytest.fixture
def judge(run: Run, service: Service, tmp_path: Path) -> Judge:
    def judge(*, env: Any = None, **inputs: str) -> Outcome:
        done = run("gate", env=env, **{**THIS, **inputs})
        assert service.writes == []
        if done.outputs["verdict"]:
            agree(done.outputs, tmp_path)
        return done

    return judge


# --- Every check, how it ends ---------------------------------------------------------------------------

FUTURE = "2999-01-01 00:00:00"
RATE = {"max_crash_rate": "1%", "min_sessions": "40"}
INCREASE = {"baseline": "previous", "max_crash_rate_increase": "0.5%"}
COVER = {"coverage_groups": "QA"}
# fmt: off
ROWS: list[tuple[str, dict[str, Any], dict[str, str], str, str]] = [
    # the check, what is otherwise of the build, inputs, how it ends on classic, and on compat
    ("min-age", {}, {"min_age": "26h"}, "passed", "passed"),
    ("min-age", {}, {"min_age": "27h"}, "pending", "pending"),
    ("min-age", {"uploaded_at": FUTURE}, {"min_age": "1h"}, "error", "error"),
    ("min-age", {"uploaded_at": "-1h"}, {"min_age": "3h", "timezone": "+02:00"}, "passed", "passed"),
    ("min-age", {"uploaded_at": "-1h"}, {"min_age": "0s", "timezone": "-05:00"}, "error", "error"),
    ("min-age", {"uploaded_at": "-1h"}, {"min_age": "9h", "timezone": "Asia/Tokyo"}, "passed", "passed"),
    ("max-age", {}, {"max_age": "27h"}, "passed", "passed"),
    ("max-age", {}, {"max_age": "25h"}, "failed", "failed"),
    ("max-age", {"uploaded_at": FUTURE}, {"max_age": "1h"}, "error", "error"),
    ("min-sessions", {}, {"min_sessions": "40"}, "passed", "inconclusive"),
    ("min-sessions", {}, {"min_sessions": "41"}, "pending", "inconclusive"),
    ("min-sessions", {"has_testfairy_sdk": False}, {"min_sessions": "41"}, "inconclusive", "inconclusive"),
    ("min-downloads", {}, {"min_downloads": "6"}, "passed", "passed"),
    ("min-downloads", {}, {"min_downloads": "7"}, "pending", "pending"),
    ("min-testers", {}, {"min_testers": "2"}, "passed", "inconclusive"),
    ("min-testers", {}, {"min_testers": "3"}, "pending", "inconclusive"),
    ("max-crashes", {"crashes": 2}, {"max_crashes": "2"}, "passed", "inconclusive"),
    ("max-crashes", {"crashes": 3}, {"max_crashes": "2"}, "failed", "inconclusive"),
    ("max-crashes", {"sessions": 0, "testers": 0}, {"max_crashes": "0"}, "pending", "inconclusive"),
    ("max-crashes", {"has_testfairy_sdk": False}, {"max_crashes": "0"}, "inconclusive", "inconclusive"),
    ("max-crash-rate", {"sessions": 100, "crashes": 1}, RATE, "passed", "inconclusive"),
    ("max-crash-rate", {"sessions": 99, "crashes": 1}, RATE, "failed", "inconclusive"),
    ("max-crash-rate", {"sessions": 39, "crashes": 20}, RATE, "pending", "inconclusive"),
    ("max-crash-rate", {"sessions": 0, "testers": 0}, {"max_crash_rate": "100%"}, "pending", "inconclusive"),
    ("max-crash-rate", {"has_testfairy_sdk": False}, {"max_crash_rate": "100%"}, "inconclusive", "inconclusive"),
    ("max-crash-rate", {"sessions": 299}, {**RATE, "confidence": "0.95"}, "passed", "inconclusive"),
    ("max-crash-rate", {"sessions": 298}, {**RATE, "confidence": "0.95"}, "pending", "inconclusive"),
    ("max-crash-rate", {"sessions": 298, "crashes": 3}, {**RATE, "confidence": "0.95"}, "failed", "inconclusive"),
    ("max-feedbacks", {}, {"max_feedbacks": "1"}, "passed", "passed"),
    ("max-feedbacks", {}, {"max_feedbacks": "0"}, "failed", "failed"),
    ("feedback-block-pattern", {}, {"feedback_block_pattern": "lovely"}, "passed", "passed"),
    ("feedback-block-pattern", {}, {"feedback_block_pattern": "(?i)lovely|x"}, "failed", "failed"),
    ("min-coverage", {}, {**COVER, "min_coverage": "50%"}, "passed", "passed"),
    ("min-coverage", {}, {"coverage_groups": "12\nNobody", "min_coverage": "50%"}, "passed", "passed"),
    ("min-coverage", {}, {**COVER, "min_coverage": "50.1%"}, "pending", "pending"),
    ("min-coverage", {}, {"coverage_groups": "Nobody", "min_coverage": "0%"}, "inconclusive", "inconclusive"),
    ("require-tags", {"tags": ["a", "b"]}, {"require_tags": "b, a"}, "passed", "passed"),
    ("require-tags", {"tags": ["A"]}, {"require_tags": "a"}, "failed", "failed"),
    ("forbid-tags", {"tags": ["a"]}, {"forbid_tags": "b"}, "passed", "passed"),
    ("forbid-tags", {"tags": ["a", "B"]}, {"forbid_tags": "b"}, "failed", "failed"),
    ("max-crash-rate-increase", {"sessions": 200, "crashes": 3}, INCREASE, "passed", "inconclusive"),
    ("max-crash-rate-increase", {"sessions": 200, "crashes": 4}, INCREASE, "failed", "inconclusive"),
    ("max-crash-rate-increase", {"sessions": 0, "testers": 0}, INCREASE, "pending", "inconclusive"),
    ("max-crashed-session-rate", {"crashes": 1}, {"max_crashed_session_rate": "2.5%"}, "passed", "inconclusive"),
    ("max-crashed-session-rate", {"crashes": 1}, {"max_crashed_session_rate": "2.4%"}, "failed", "inconclusive"),
    ("max-crashed-session-rate", {"sessions": 51}, {"max_crashed_session_rate": "1%"}, "pending", "inconclusive"),
    ("min-session-minutes", {}, {"min_session_minutes": "60.5"}, "passed", "passed"),
    ("min-session-minutes", {}, {"min_session_minutes": "6000"}, "pending", "pending"),
    ("min-devices", {}, {"min_devices": "2"}, "passed", "passed"),
    ("min-devices", {}, {"min_devices": "3"}, "pending", "pending"),
]
# fmt: on


@BOTH
@pytest.mark.parametrize(("check", "build", "inputs", "classic", "compat"), ROWS)
def test_a_check(
    judge: Judge, service: Service, check: str, build: dict[str, Any], inputs: dict[str, str], classic: str, compat: str
) -> None:
    service.reset(account(before(), **build))
    ending = classic if service.dialect == "classic" else compat
    done = judge(**inputs)
    assert done.code == CODES[ending], done.log
    told = {"pending": "inconclusive"}.get(ending, ending)
    assert done.outputs["verdict"] == done.outputs["checks"][check]["state"] == told
    assert (check in done.outputs["failed-checks"]) is (ending != "passed")
    assert check in done.outputs["reason"]
    assert ("Give wait, or run this again later." in done.log) is (ending == "pending")


def test_every_check_is_in_the_table_with_both_its_ends() -> None:
    names = set(Thresholds.__dataclass_fields__) - {"confidence", "coverage_groups"}
    for ends in ({"passed"}, {"failed", "pending"}):
        assert {check.replace("-", "_") for check, *_, classic, _ in ROWS if classic in ends} == names


def test_no_crash_says_what_that_proves(judge: Judge, service: Service) -> None:
    service.reset(account(sessions=50))
    done = judge(max_crashes="0", max_crash_rate="1%")
    proof = "No crash in 50 sessions proves a rate of at most 5.82 % (at 95 %, about 3/n)."
    assert {check["reason"] for check in done.outputs["checks"].values()} == {proof}
    assert proof in (Path(JSON).read_text("utf-8"))


# --- What it tells --------------------------------------------------------------------------------------

EVERYTHING = {
    "min_age": "24h",
    "max_age": "48h",
    "min_sessions": "40",
    "min_downloads": "6",
    "min_testers": "2",
    "max_crashes": "1",
    "max_crash_rate": "2.5%",
    "max_feedbacks": "1",
    "feedback_block_pattern": "(?i)blocker|data loss",
    "coverage_groups": "QA",
    "min_coverage": "50%",
    "require_tags": "candidate",
    "forbid_tags": "blocked",
    **INCREASE,
    "max_crash_rate_increase": "1.5%",
    "max_crashed_session_rate": "2.5%",
    "min_session_minutes": "1",
    "min_devices": "2",
}
FACTS = {
    "dry-run": False,
    "project-id": PROJECT,
    "build-id": BUILD,
    "app-name": "Ferries",
    "app-version": "2.0",
    "version-code": "20",
    "landing-page-mode": "closed",
    "sessions": 40,
    "crashes": 1,
    "testers": 2,
    "feedbacks": 1,
    "downloads": 6,
    "crash-rate": "0.025",
    "baseline-build-id": BEFORE,
    "looks": 1,
}


def test_all_that_a_pass_tells_with_the_least_requests(judge: Judge, service: Service) -> None:
    service.reset(account(before(), crashes=1))
    done = judge(**EVERYTHING)
    assert done.code == OK, done.log
    out = done.outputs
    assert {name: out[name] for name in FACTS} == FACTS
    assert (out["verdict"], out["reason"], out["failed-checks"]) == (
        "passed",
        f"Passed: {', '.join(out['checks'])}.",
        [],
    )
    assert out["build-url"] == f"{service.url}/projects/1-ferries/builds/7"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", out["judged-at"])
    assert out["checks"]["max-crash-rate"] == {
        "state": "passed",
        "observed": "2.5 % (1 in 40 sessions)",
        "threshold": "at most 2.5 %",
        "reason": "",
        "since": out["judged-at"],
    }
    assert service.sent == [
        GET_BUILD,
        GET_GROUPS,
        f"GET /api/1/projects/{PROJECT}/builds/",
        GET_BUILD,
        GET_SESSIONS,
        GET_FEEDBACKS,
    ]
    assert len({request["connection"] for request in service.requests}) == 1


def test_a_failure_tells_as_much_the_worst_first(judge: Judge, service: Service) -> None:
    service.reset(account(before(), crashes=1, tags=["candidate", "mine"]))
    done = judge(**{**EVERYTHING, "min_downloads": "7", "max_crashes": "0", "forbid_tags": "mine"})
    assert done.code == FAILED
    out = done.outputs
    assert {name: out[name] for name in FACTS} == FACTS
    assert out["verdict"] == "failed"
    assert out["failed-checks"] == ["max-crashes", "forbid-tags", "min-downloads"]
    assert len(out["checks"]) == 16
    assert out["checks"]["min-downloads"]["state"] == "inconclusive"  # it is over
    assert "max-crashes is 1, asked for at most 0" in out["reason"]
    assert "The gate failed: Ferries 2.0 (20): max-crashes is 1, asked for at most 0" in done.log


def test_where_counters_are_missing_there_is_no_crash_rate(judge: Judge, service: Service) -> None:
    builds: list[dict[str, Any]] = [{"shows_counters": {"crashes": None}}, {"has_testfairy_sdk": False}]
    builds += [{"shows_counters": {"sessions": shown}} for shown in ("n/a", 0, "missing", -4)]
    for shown in builds:
        service.reset(account(**shown))
        done = judge(max_crash_rate="1%", on_inconclusive="pass")
        assert (done.code, done.outputs["verdict"], done.outputs["crash-rate"]) == (OK, "inconclusive", None), shown


@pytest.mark.parametrize(
    "which",
    [
        {"build_url": "/projects/1-ferries/builds/7"},
        {"package_name": "com.example.ferries", "version": "2.0"},
        {"app_name": "Ferries", "build_id": "latest", "with_tags": "candidate"},
    ],
    ids=str,
)
def test_the_build_may_be_searched(run: Run, service: Service, which: dict[str, str]) -> None:
    service.reset(account(before()))
    done = run("gate", **which, min_sessions="40", **INCREASE)
    assert (done.code, done.outputs["build-id"], done.outputs["baseline-build-id"]) == (OK, BUILD, BEFORE), done.log


def test_an_upload_that_tells_its_zone_needs_none(judge: Judge, service: Service) -> None:
    service.reset(account())
    at = (datetime.now(UTC) - timedelta(hours=2)).astimezone(timezone(timedelta(hours=9))).isoformat()
    service.fault(path=f"{PATH}$", status=200, times=None, body=shows(service, uploadedAt=at))
    assert judge(min_age="2h", max_age="3h", timezone="-12:00").code == OK


def test_no_more_is_read_than_the_checks_need(judge: Judge, service: Service) -> None:
    service.reset(account())
    assert judge(min_downloads="1").code == OK
    assert service.sent == [GET_BUILD, GET_BUILD]


def test_a_dry_run_judges_all_the_same(judge: Judge, service: Service) -> None:
    service.reset(account(crashes=1))
    done = judge(max_crashes="0", dry_run="true")
    assert (done.code, done.outputs["verdict"], done.outputs["dry-run"]) == (FAILED, "failed", True)


# --- What nobody can tell -------------------------------------------------------------------------------

COUNTERS: dict[str, tuple[str, dict[str, str]]] = {
    "min-sessions": ("sessions", {"min_sessions": "1"}),
    "min-downloads": ("downloads", {"min_downloads": "1"}),
    "min-testers": ("testers", {"min_testers": "1"}),
    "max-crashes": ("crashes", {"max_crashes": "99"}),
    "max-crash-rate": ("crashes", {"max_crash_rate": "100%"}),
    "max-crash-rate-increase": ("crashes", {**INCREASE, "max_crash_rate_increase": "100%"}),
    "max-crashed-session-rate": ("sessions", {"max_crashed_session_rate": "100%"}),
}


@pytest.mark.parametrize("shown", [None, "missing", "n/a", "", "-", "1.5", 1.5, -1, False, True], ids=repr)
@pytest.mark.parametrize("check", COUNTERS)
def test_a_counter_that_is_none_is_never_good(judge: Judge, service: Service, check: str, shown: Any) -> None:
    counter, inputs = COUNTERS[check]
    service.reset(account(before(), shows_counters={counter: shown}))
    done = judge(**inputs)
    assert (done.code, done.outputs["checks"][check]["state"]) == (INCONCLUSIVE, "inconclusive"), done.outputs
    assert done.outputs["failed-checks"] == [check]


@pytest.mark.parametrize("check", ["max-crashes", "max-crash-rate", "max-crash-rate-increase"])
def test_sessions_that_nobody_counted_are_no_evidence(judge: Judge, service: Service, check: str) -> None:
    service.reset(account(before(), shows_counters={"sessions": None}))
    assert judge(**COUNTERS[check][1]).outputs["verdict"] == "inconclusive"


UNTOLD: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    # the check, inputs, fields of the build
    *((check, {f"{check[:3]}_age": "1h"}, {"uploadedAt": at})
      for check in ("min-age", "max-age") for at in (..., None, "", "soon", "0000-00-00 00:00:00", False)),
    ("min-age", {"min_age": "1h"}, {"uploadedAt": 0}),  # which is no time, but PHP's for none
    *((check, inputs, {"hasTestFairySdk": sdk})
      for check, (_, inputs) in COUNTERS.items() if "crash" in check for sdk in (..., None, "maybe", "", False)),
    *((f"{check}-tags", {f"{check}_tags": "candidate" if check == "require" else "blocked"}, {"tags": tags})
      for check in ("require", "forbid") for tags in (..., None, [["x"]], {"a": "b"}, 1.5, False)),
]  # fmt: skip


@pytest.mark.parametrize(("check", "inputs", "fields"), UNTOLD, ids=str)
def test_what_the_build_does_not_tell(
    judge: Judge, service: Service, check: str, inputs: dict[str, str], fields: dict[str, Any]
) -> None:
    service.reset(account(before()))
    service.fault(path=f"{PATH}$", status=200, times=None, body=shows(service, **fields))
    done = judge(**inputs)
    assert (done.code, done.outputs["checks"][check]["state"]) == (INCONCLUSIVE, "inconclusive"), done.outputs


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 404, "body": "Not Found"},
        {"status": 404, "body": {"status": "fail", "code": 404}},
        {"status": 405, "body": "Method Not Allowed"},
        {"status": 501, "body": "Not Implemented"},
        {"status": 400, "body": WORSE},
        {"status": 200, "body": WORSE},
    ],
    ids=str,
)
def test_a_service_without_sessions(judge: Judge, service: Service, fault: dict[str, Any]) -> None:
    service.reset(account())
    service.fault(path="/sessions/$", **fault)
    done = judge(max_crashed_session_rate="100%", min_session_minutes="0", min_devices="0", min_coverage="0%", **COVER)
    assert done.code == INCONCLUSIVE, done.log
    assert {check["state"] for check in done.outputs["checks"].values()} == {"inconclusive"}


def test_a_service_without_feedbacks(judge: Judge, service: Service) -> None:
    service.reset(account())
    service.fault(path="/feedbacks/$", status=404, body="Not Found")
    done = judge(max_feedbacks="0", feedback_block_pattern="x")
    assert (done.code, done.outputs["failed-checks"]) == (INCONCLUSIVE, ["max-feedbacks", "feedback-block-pattern"])


def test_sessions_that_do_not_say_whether_they_crashed(judge: Judge, service: Service) -> None:
    service.reset(account(sessions=2))
    listed = [{"id": "1", "crashed": False}, {"id": "2", "crashed": "perhaps"}]
    service.fault(path="/sessions/$", status=200, body={"status": "ok", "sessions": listed})
    assert judge(max_crashed_session_rate="50%").outputs["verdict"] == "inconclusive"


ANYBODY = [{"email": QA[0]}, {}, {}]
GROUPS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"id": "12", "name": "QA"}], "50%", "inconclusive"),
    ([{"id": "12", "name": "QA", "testers": None}], "50%", "inconclusive"),
    ([{"id": "12", "name": "QA", "testers": [{"email": QA[0]}]}], "100%", "passed"),
    ([{"id": "12", "name": "QA", "testers": [{"email": QA[0]}, {"id": "5"}]}], "60%", "pending"),
    ([{"id": "12", "name": "QA", "testers": ANYBODY}], "50%", "pending"),  # of three, two of whom nobody knows
    ([{"id": "12", "name": "QA", "testers": [[{"email": QA[0].upper()}], [{"email": QA[3]}]]}], "51%", "pending"),
    ([{"id": "12", "name": "QA", "testers": [[{"email": QA[0].upper()}], [{"email": QA[3]}]]}], "50%", "passed"),
]


@pytest.mark.parametrize(("groups", "least", "ending"), GROUPS, ids=str)
def test_groups_as_services_list_them(
    judge: Judge, service: Service, groups: list[dict[str, Any]], least: str, ending: str
) -> None:
    service.reset(account())
    service.fault(path="/groups$", status=200, body={"status": "ok", "groups": groups})
    done = judge(min_coverage=least, **COVER)
    assert (done.code, "Give wait" in done.log) == (CODES[ending], ending == "pending"), done.outputs


def test_one_group_whose_testers_are_not_listed_is_enough(judge: Judge, service: Service) -> None:
    service.reset(account())
    groups = [{"id": "12", "name": "QA", "testers": [{"email": QA[0]}]}, {"id": "13", "name": "Nobody"}]
    service.fault(path="/groups$", status=200, body={"status": "ok", "groups": groups})
    assert judge(min_coverage="0%", coverage_groups="QA, Nobody").outputs["verdict"] == "inconclusive"


# --- Feedbacks ------------------------------------------------------------------------------------------

NO_BLOCKER = {"max_feedbacks": "1", "feedback_block_pattern": "(?i)blocker"}
NEWER, OLDER = "-2h", "-30d"


@BOTH
@pytest.mark.parametrize(
    ("ages", "ending"),
    [
        ([NEWER] * 98, "passed"),  # with the build's own 99, and there are no more
        ([NEWER] * 99, "inconclusive"),
        ([NEWER] * 150, "inconclusive"),
        ([NEWER] * 98 + [OLDER], "passed"),  # what is newer than that was all shown
        ([NEWER] * 98 + [OLDER] * 9, "passed"),
        ([NEWER] * 98 + ["-40h"], "inconclusive"),  # ten hours later by its other time, and in any zone
        ([NEWER] * 99 + [OLDER], "inconclusive"),  # which is not shown
    ],
    ids=lambda one: f"{len(one)}" if isinstance(one, list) else one,
)
def test_only_the_latest_100_feedbacks_are_shown(judge: Judge, service: Service, ages: list[str], ending: str) -> None:
    service.reset(account(others=[elsewhere(*ages)]))
    done = judge(**NO_BLOCKER)
    assert done.code == CODES[ending], done.outputs["checks"]
    assert {check["state"] for check in done.outputs["checks"].values()} == {ending}


def test_what_is_seen_of_too_many_feedbacks_still_counts(judge: Judge, service: Service) -> None:
    service.reset(account(others=[elsewhere(*[NEWER] * 150)]))
    play(service, {"feedback": {"tester": QA[0], "text": "A BLOCKER"}})
    assert judge(feedback_block_pattern="(?i)blocker").code == FAILED
    assert judge(max_feedbacks="0").code == FAILED


OURS: dict[str, Any] = {"text": "Fine", "buildId": BUILD, "projectId": PROJECT}
FOREIGN: dict[str, Any] = {"text": "blocker", "buildId": "70", "projectId": "2"}
RECENT, OLD = {"recorded_at": "2998-01-01 00:00:00"}, {"recorded_at": "2020-01-01 00:00:00"}
# fmt: off
FEEDBACKS: list[tuple[str, list[dict[str, Any]], str]] = [
    ("of another build", [FOREIGN], "passed"),
    ("of another build, of no project", [{**FOREIGN, "projectId": None}], "passed"),
    ("of no build", [{"text": "blocker"}], "inconclusive"),
    ("of no build, of our project", [{**FOREIGN, "buildId": None, "projectId": PROJECT}], "inconclusive"),
    ("of no build, of our project with its name", [{**FOREIGN, "buildId": None, "projectId": "1-ferries"}], "inconclusive"),
    ("of no build, of another project", [{**FOREIGN, "buildId": None}], "passed"),
    ("of no build, of long ago", [{**OLD, "text": "blocker"}], "passed"),
    ("of no build, of long ago by one of its times", [{**OLD, "recordedAt": RECENT["recorded_at"], "text": "blocker"}], "inconclusive"),
    ("of a build that cannot be read", [{**FOREIGN, "buildId": {"id": 7}, "projectId": PROJECT}], "inconclusive"),
    ("of an empty build, of our project", [{**FOREIGN, "buildId": "", "projectId": PROJECT}], "inconclusive"),
    ("of no build, of an empty project", [{**FOREIGN, "buildId": None, "projectId": ""}], "inconclusive"),
    ("of nothing, as PHP writes it", [{**FOREIGN, "buildId": "", "projectId": ""}], "inconclusive"),
    ("ours, fine", [OURS], "passed"),
    ("ours, the id as a number", [{**OURS, "buildId": 7, "text": "blocker"}], "failed"),
    ("ours, whatever its time", [{**OURS, **OLD, "text": "a Blocker"}], "failed"),
    ("ours, without a text", [{**OURS, "text": None}], "inconclusive"),
    ("ours, with a text that is none", [{**OURS, "text": ["blocker"]}], "inconclusive"),
    ("ours, among one of no build", [{"text": "x"}, {**OURS, "text": "blocker"}], "failed"),
    ("100 of no time", [FOREIGN] * 100, "inconclusive"),
    ("100 of a time that cannot be read", [{**FOREIGN, "recorded_at": "yesterday"}] * 100, "inconclusive"),
    ("100, one of them old", [FOREIGN] * 99 + [{**FOREIGN, **OLD}], "passed"),
    ("100, one of them old by one of its times", [FOREIGN] * 99 + [{**FOREIGN, **OLD, "recordedAt": RECENT["recorded_at"]}], "inconclusive"),
    ("100, one of them of the end of time", [FOREIGN] * 99 + [{**FOREIGN, "recorded_at": "9999-12-31 23:59:59"}], "inconclusive"),
]
# fmt: on


@pytest.mark.parametrize(("feedbacks", "ending"), [pytest.param(*row[1:], id=row[0]) for row in FEEDBACKS])
def test_whose_feedback_it_is(judge: Judge, service: Service, feedbacks: list[dict[str, Any]], ending: str) -> None:
    service.reset(account(feedbacks=0, recorded_feedbacks=[]))
    service.fault(path="/feedbacks/$", status=200, body={"status": "ok", "feedbacks": feedbacks})
    done = judge(feedback_block_pattern="(?i)blocker")
    assert done.code == CODES[ending], done.log


@pytest.mark.parametrize("zone", ["UTC", "+14:00", "-12:00", "Pacific/Kiritimati"])
def test_a_feedback_is_older_only_if_it_is_so_in_every_zone(judge: Judge, service: Service, zone: str) -> None:
    """The service writes neither zone, and may write both times in different ones."""
    service.reset(account(uploaded_at="-48h", feedbacks=0, recorded_feedbacks=[]))
    # Written twelve hours behind UTC, that is two hours after an upload that was written fourteen ahead of it.
    at = {"recorded_at": ago(hours=48 + 12 + 14 - 2)}
    service.fault(path="/feedbacks/$", status=200, body={"status": "ok", "feedbacks": [{"text": "blocker", **at}]})
    ahead = zone in {"+14:00", "Pacific/Kiritimati"}
    assert judge(max_feedbacks="0", timezone=zone).code == (INCONCLUSIVE if ahead else OK)


@pytest.mark.parametrize("inputs", [{"max_feedbacks": "2"}, {"feedback_block_pattern": "blocker"}], ids=str)
def test_feedbacks_that_are_counted_but_not_shown_are_not_good(
    judge: Judge, service: Service, inputs: dict[str, str]
) -> None:
    """The build counts three of which the list has one: the others may say anything."""
    service.reset(account(feedbacks=3))
    assert judge(**inputs).outputs["verdict"] != "passed"


# --- The baseline ---------------------------------------------------------------------------------------

COMPARED = {"baseline": "previous", "max_crash_rate_increase": "100%"}


@pytest.mark.parametrize(
    ("beside", "uploaded_at", "expected"),
    [
        ([("6", "-9d"), ("9", "-2d"), ("8", "-1h"), ("5", "-3d")], "-26h", "9"),  # the upload counts, not the id
        ([("8", "2026-03-01 00:00:00"), ("6", "2026-03-01 00:00:00")], "2026-03-01 00:00:00", "6"),  # then the id
        ([("60", "2026-03-01 00:00:00"), ("6", "2026-02-01 00:00:00")], "2026-03-01 00:00:00", "6"),  # a number
        ([("8", "-1h")], "-26h", None),
        ([], "-26h", None),
    ],
)
def test_the_previous_build(
    judge: Judge, service: Service, beside: list[tuple[str, str]], uploaded_at: str, expected: str | None
) -> None:
    builds = [before(id=one, uploaded_at=at) for one, at in beside]
    service.reset(account(*builds, uploaded_at=uploaded_at, others=[elsewhere()]))
    done = judge(**COMPARED)
    assert (done.code, done.outputs["baseline-build-id"]) == (OK if expected else INCONCLUSIVE, expected), done.log


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"sessions": 0, "crashes": 0}, "Of the build before: Not judged below min-sessions (40): 0 sessions so far"),
        ({"has_testfairy_sdk": False}, "Of the build before: The build is without the SDK"),
        ({"shows_counters": {"crashes": None}}, "Of the build before: The service does not tell crashes"),
        ({"shows_counters": {"crashes": False}}, "Of the build before: The service does not tell crashes"),
        ({"sessions": 39}, "Of the build before: Not judged below min-sessions (40)"),
    ],
)
def test_a_baseline_without_evidence(judge: Judge, service: Service, fields: dict[str, Any], why: str) -> None:
    service.reset(account(before(**fields)))
    done = judge(**COMPARED, min_sessions="40")
    assert done.code == INCONCLUSIVE
    assert why in done.outputs["reason"]


def test_a_baseline_by_its_id(judge: Judge, service: Service) -> None:
    service.reset(account(before(), before(id="9", uploaded_at="-2d", crashes=0), crashes=1))
    inputs = {"max_crash_rate_increase": "2%"}
    assert judge(baseline=BEFORE, **inputs).code == OK
    done = judge(baseline="9", **inputs)
    assert (done.code, done.outputs["baseline-build-id"]) == (FAILED, "9")


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (BUILD, "baseline is 7, the build itself"),
        ("07", "the build itself"),  # however it is written
        ("99", "baseline is 99, which project 1 does not have"),
        ("70", "baseline is 70, which project 1 does not have"),  # it is of another app
    ],
)
def test_a_baseline_that_is_none(judge: Judge, service: Service, baseline: str, expected: str) -> None:
    service.reset(account(before(), others=[elsewhere()]))
    done = judge(baseline=baseline, max_crash_rate_increase="1%", wait="1h", gate_mode="report")
    assert done.code == INPUT, done.outputs
    assert expected in done.log
    assert done.outputs["verdict"] is None


# --- What follows ---------------------------------------------------------------------------------------

BAD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "failed": ({"crashes": 1}, {"max_crashes": "0"}),
    "pending": ({}, {"min_sessions": "41"}),
    "inconclusive": ({"has_testfairy_sdk": False}, {"max_crashes": "0"}),
    "error": ({"uploaded_at": FUTURE}, {"min_age": "1h"}),
}


@pytest.mark.parametrize("ending", BAD)
@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize("what", ["fail", "warn", "pass"])
def test_what_follows_from_a_verdict(judge: Judge, service: Service, ending: str, mode: str, what: str) -> None:
    build, inputs = BAD[ending]
    service.reset(account(**build))
    done = judge(**inputs, gate_mode=mode, on_inconclusive=what)
    lenient = ending != "error" and (mode == "report" or (what != "fail" and ending != "failed"))
    assert done.code == (OK if lenient else CODES[ending])
    assert done.outputs["verdict"] == {"pending": "inconclusive"}.get(ending, ending)
    assert ("Going on, as " in done.log) is lenient
    assert ("Warning: " in done.log) is (lenient and not (what == "pass" and mode == "enforce"))
    kinds = {child.tag for case in ET.parse(JUNIT).getroot().iter("testcase") for child in case}
    expected = "skipped" if lenient else "error"
    assert kinds == {{"failed": "failure", "error": "error"}.get(ending, expected)}


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 401, "body": WORSE}, AUTH),
        ({"status": 403, "body": WORSE}, AUTH),
        ({"status": 404, "body": WORSE}, API),
        ({"status": 500, "body": WORSE}, API),
        ({"status": 503, "body": "Down"}, TRANSPORT),
        ({"status": 200, "body": "<html>"}, TRANSPORT),
        ({"drop": "before"}, TRANSPORT),
    ],
    ids=str,
)
def test_a_service_that_does_not_answer_is_no_pass(
    judge: Judge, service: Service, fault: dict[str, Any], code: int, mode: str
) -> None:
    service.reset(account())
    service.fault(path=f"{PATH}$", skip=1, times=None, **fault)
    done = judge(min_sessions="1", gate_mode=mode, on_inconclusive="pass", retries="0")
    assert done.code == code, done.log
    assert (done.outputs["verdict"], done.outputs["looks"], done.outputs["checks"]) == ("error", 0, {})
    assert done.outputs["judged-at"] is None
    assert done.outputs["reason"]
    assert done.outputs["sessions"] == 40  # from before


def test_wrong_inputs_fail_in_every_mode(judge: Judge, service: Service) -> None:
    service.reset(account())
    for mode in ("enforce", "report"):
        done = judge(coverage_groups="Q", min_coverage="1%", gate_mode=mode)
        assert done.code == INPUT
        assert "coverage-groups names no tester group: 'Q' (did you mean 'QA'?)" in done.log
        assert done.outputs["verdict"] is None
        assert done.outputs["sessions"] == 40


def bad(expected: str, step: str = "gate", **inputs: str) -> Any:
    return pytest.param(step, inputs, expected, id=f"{step} {inputs}"[:80])


ONE = {"min_downloads": "1"}
COPY = {"to_folder": "RC"}


@pytest.mark.parametrize(
    ("step", "inputs", "expected"),
    [
        bad("no check is asked for: give at least one, like min-sessions, max-crash-rate or min-age"),
        bad("min-age is '9999d', expected at most 3650d", min_age="9999d"),
        bad("confidence is '95%', expected a number", max_crash_rate="1%", confidence="95%"),
        bad("min-session-minutes is '1:30', expected a number", min_session_minutes="1:30"),
        bad("is no regular expression: Possible nested set at position 1", feedback_block_pattern="[[a]"),
        bad("no check is asked for", wait="1h", gate_mode="report", timezone="+01:00", gate_reports="x"),
        bad("confidence is given without max-crash-rate: give both, or neither", confidence="0.95", **ONE),
        bad("confidence is given without max-crash-rate", confidence="0.95"),
        bad("coverage-groups is given without min-coverage", coverage_groups="QA", **ONE),
        bad("min-coverage is given without coverage-groups", min_coverage="80%", **ONE),
        bad("baseline is given without max-crash-rate-increase", baseline="previous", **ONE),
        bad("max-crash-rate-increase is given without baseline", max_crash_rate_increase="1%", **ONE),
        bad("min-age is 2d and max-age is 1d, which no build is", min_age="48h", max_age="24h"),
        bad("require-tags and forbid-tags both have 'b': no build passes that", require_tags="a, B", forbid_tags="b"),
        bad("interval is 9s, expected at least 10s", interval="9s", **ONE),
        bad("interval is 0s, expected at least 10s", interval="0s", wait="1h", **ONE),
        bad("wait is 9s, expected at least 10s, or 0s to look once", wait="9s", **ONE),
        bad("wait is '2', expected a whole number with its unit", wait="2", **ONE),
        bad("wait is '31d', expected at most 30d", wait="31d", **ONE),
        bad("consecutive-passes is given without wait: a single look cannot pass twice", consecutive_passes="2", **ONE),
        bad("consecutive-passes is 0, expected 1 to 1000", consecutive_passes="0", **ONE),
        bad("consecutive-passes is 1001, expected 1 to 1000", consecutive_passes="1001", wait="1h", **ONE),
        bad("max-consecutive-errors is 0, expected 1 to 1000", max_consecutive_errors="0", **ONE),
        bad("max-consecutive-errors is 'x', expected a whole number", max_consecutive_errors="x", **ONE),
        *(
            bad(f"{name} is '{wrong}', expected a percentage like 1% or 0.5%, at most 100%", **{**more, name.replace("-", "_"): wrong})
            for name, more in (
                ("max-crash-rate", {}),
                ("min-coverage", COVER),
                ("max-crash-rate-increase", {"baseline": "previous"}),
                ("max-crashed-session-rate", {}),
            )
            for wrong in ("1", "0.01", "-1%", "100.1%", "101%", "1,5%", "%", "1e1%", "nan%", "٣%", ".5%")
        ),
        *(
            bad(f"confidence is {wrong}, expected a confidence like 0.95", confidence=wrong, max_crash_rate="1%")
            for wrong in ("0.4", "1", "1.5", "-0.95", "nan", "inf")
        ),
        bad("confidence is '95%'", confidence="95%", max_crash_rate="1%"),
        *(
            bad(f"{name.replace('_', '-')} is -1, expected 0 to 1000000000", **{name: "-1"})
            for name in ("min_sessions", "min_downloads", "min_testers", "max_crashes", "max_feedbacks", "min_devices")
        ),
        bad("min-sessions is '1.5', expected a whole number", min_sessions="1.5"),
        bad("min-sessions is 99999999999, expected 0 to 1000000000", min_sessions="99999999999"),
        bad("min-session-minutes is -1, expected a number of minutes, 0 or more", min_session_minutes="-1"),
        bad("min-session-minutes is nan, expected a number of minutes", min_session_minutes="nan"),
        bad("min-session-minutes is inf, expected a number of minutes", min_session_minutes="inf"),
        bad("feedback-block-pattern is no regular expression: missing )", feedback_block_pattern="(a"),
        bad("feedback-block-pattern is no regular expression", feedback_block_pattern="a{99999999999999999999}"),
        bad("feedback-block-pattern is no regular expression", feedback_block_pattern="a(?i)b"),
        bad("finds something even in an empty text", feedback_block_pattern="blocker|"),
        bad("finds something even in an empty text", feedback_block_pattern="(blocker)?"),
        bad("feedback-block-pattern is only white space", feedback_block_pattern="  "),
        *(
            bad(f"timezone is '{wrong}', which this machine does not know: give UTC, a name like America/New_York, or an offset", timezone=wrong, **ONE)
            for wrong in ("Mars/Olympus", "CEST", "+2", "+25:00", "+02:60", "../../etc/passwd", "/etc/localtime", "Europe")
        ),
        bad("on-inconclusive is 'ignore', expected one of fail, warn, pass", on_inconclusive="ignore", **ONE),
        bad("gate-mode is 'enforced', expected one of enforce, report (did you mean 'enforce'?)", gate_mode="enforced", **ONE),
        bad("max-age is '1w', expected a whole number with its unit", max_age="1w"),
        bad("require-tags has no item in it", require_tags=" , "),
        bad("forbid-tags has 'a, b', but a tag cannot contain a comma", forbid_tags='"a, b"'),
        bad("baseline is '../6', which is no id", baseline="../6", max_crash_rate_increase="1%"),
        bad("wait is given, but no check of the gate is: give one, like min-sessions", "promote", wait="1h", **COPY),
        bad("gate-mode is given, but no check of the gate is", "promote", gate_mode="report", **COPY),
        bad("timezone is given, but no check of the gate is", "promote", timezone="Z", **COPY),
        bad("gate-reports is given, but no check of the gate is", "promote", gate_reports="out", **COPY),
        bad("min-coverage is given without coverage-groups", "promote", min_coverage="1%", **COPY),
        bad("interval is 9s", "promote", interval="9s", **ONE, **COPY),
        bad("nothing to promote", "promote", **ONE),
    ],
)  # fmt: skip
def test_bad_input(run: Run, service: Service, step: str, inputs: dict[str, str], expected: str) -> None:
    done = run(step, **THIS, **inputs)
    assert expected in done.log
    assert done.code == INPUT
    assert done.log.count("\n") < 12
    assert "bug" not in done.log
    assert service.sent == []


@pytest.mark.parametrize("name", ["UTC", "z", "+02:00", "-0930", "+14:00", "America/New_York", "Asia/Kolkata"])
def test_a_zone_that_is_one(judge: Judge, service: Service, name: str) -> None:
    service.reset(account())
    assert judge(timezone=name, **ONE).code == OK


def test_every_wrong_input_is_told_at_once(run: Run) -> None:
    done = run("gate", **THIS, min_age="soon", max_crash_rate="1", timezone="Mars", feedback_block_pattern="(")
    assert all(f"{name} " in done.log for name in ("min-age", "max-crash-rate", "timezone", "feedback-block-pattern"))


# --- Patience -------------------------------------------------------------------------------------------

LOOKS: dict[str, list[CheckState]] = {
    "passed": [CheckState.PASSED, CheckState.PASSED],
    "pending": [CheckState.PASSED, CheckState.PENDING],
    "mixed": [CheckState.INCONCLUSIVE, CheckState.PENDING],
    "inconclusive": [CheckState.PASSED, CheckState.INCONCLUSIVE],
    "error": [CheckState.ERROR, CheckState.PENDING],
    "failed": [CheckState.PENDING, CheckState.FAILED, CheckState.ERROR],
}
OPTIONS = st.builds(
    lambda wait, interval, passes, errors, doubt: GateInputs.model_construct(
        wait=wait if passes == 1 else max(wait, 10.0),
        interval=interval,
        consecutive_passes=passes,
        max_consecutive_errors=errors,
        gate_mode="enforce",
        on_inconclusive=doubt,
    ),
    st.one_of(st.just(0.0), st.floats(10, 60), st.floats(10, 90_000)),
    st.one_of(st.floats(10, 60), st.floats(10, 5000)),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["fail", "warn", "pass"]),
)
STORY = st.lists(st.tuples(st.sampled_from([*LOOKS, "passed", "pending", "no answer"]), st.floats(0, 40)), max_size=30)


def checks(kind: str) -> list[Check]:
    return [Check("a check", state, "1", "2") for state in LOOKS[kind]]


@given(OPTIONS, STORY)
def test_when_it_looks_again(options: Any, story: list[tuple[str, float]]) -> None:
    patience, now, passes, errors = PollSchedule(options), 0.0, 0, 0
    for kind, took in story:
        now += took
        if kind == "no answer":
            pause = patience.after_error(now)
            passes, errors = 0, errors + 1
        else:
            pause = patience.after(checks(kind), now)
            passes, errors = passes + 1 if kind == "passed" else 0, 0
        assert patience.passes == passes
        assert patience.satisfied is (passes >= options.consecutive_passes)
        final = (
            kind in {"failed", "error", "inconclusive"}
            or (kind == "mixed" and options.on_inconclusive == "fail")  # it will not pass any more
            or passes >= options.consecutive_passes
            or errors >= options.max_consecutive_errors
        )
        if pause is None:
            assert final or now >= options.wait  # as long as there is hope it waits to the end
            return
        assert not final
        assert now < options.wait
        assert pause >= SHORTEST_INTERVAL
        assert now + pause <= options.wait + SHORTEST_INTERVAL + 1e-6
        now += pause


@given(OPTIONS, st.sampled_from(["pending", "mixed", "no answer"]), st.floats(0, 40))
def test_it_ends_and_asks_no_more_often_than_it_may(options: Any, kind: str, took: float) -> None:
    options = options.model_copy(update={"max_consecutive_errors": 10**9, "on_inconclusive": "warn"})
    patience, now, looks = PollSchedule(options), 0.0, 0
    pause: float | None = 0.0
    while pause is not None:
        now, looks = now + pause + took, looks + 1
        pause = patience.after_error(now) if kind == "no answer" else patience.after(checks(kind), now)
    assert now >= options.wait  # the last look comes when the time is over
    assert looks <= options.wait / options.interval + 2


@given(st.floats(10, 5000), st.integers(1, 80))
def test_it_slows_down_but_not_for_ever(interval: float, count: int) -> None:
    month = 30 * 86400.0
    options = GateInputs.model_construct(wait=month, interval=interval, consecutive_passes=1, max_consecutive_errors=99)
    patience, slowest = PollSchedule(options), max(LONGEST_INTERVAL, interval)
    for turn in range(count):
        pause = patience.after_error(0.0) if turn % 3 else patience.after(checks("pending"), 0.0)
        least = min(interval * 1.1**turn, slowest)
        assert pause is not None
        assert least - 1e-6 <= pause <= min(1.2 * least, slowest) + 1e-6


# --- Waiting --------------------------------------------------------------------------------------------


def hasty(inputs: Any) -> Any:
    """The same inputs, whose `wait` can come to its end without anybody waiting."""
    return type(inputs)("Inputs", (inputs,), {"model_config": ConfigDict(frozen=False), "__module__": __name__})


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
    """How a step ended whose pauses take no time."""

    code: int
    outputs: dict[str, Any]
    log: str
    pauses: list[float] = field(default_factory=list)

    @property
    def progress(self) -> list[str]:
        return [line for line in self.log.splitlines() if " left: " in line]


OVER = "the time is over"


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


@pytest.fixture
def watch(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.chdir(tmp_path)

    def watch(
        *happenings: Callable[[], object] | str | None,
        step: str = "gate",
        at: Any = None,
        mask: str = "",
        **inputs: str,
    ) -> Watched:
        texts = {"email": EMAIL, "api_key": API_KEY, "base_url": service.url, **THIS, **inputs}
        module = load(step)
        options: Any = parse(hasty(module.Inputs), texts)
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            assert len(pauses) <= len(happenings), f"it waits again: {stage.said.getvalue()}"
            happening = happenings[len(pauses) - 1]
            if happening == OVER:
                options.wait = 1e-9
            elif callable(happening):
                happening()

        stage, outputs, code = Stage(at or {}), module.Outputs(), 0
        for secret in filter(None, (API_KEY, mask)):
            stage.mask(secret)
        with Client(Transport(service.url, BasicAuth(EMAIL, API_KEY), sleep=sleep, retries=0, timeout=5)) as client:
            try:
                module.run(options, Context(client, stage, Clock(sleep=sleep)), outputs)
            except AppDistError as error:
                code = int(error.exit_code)
                stage.error(error)
                stage.info(f"{error.title}: {error}")
        assert len(pauses) == len(happenings), f"it waits only {len(pauses)} times: {stage.said.getvalue()}"
        return Watched(code, json.loads(json.dumps(stage.values(outputs))), stage.said.getvalue(), pauses)

    return watch


def down(service: Service, **fault: Any) -> Callable[[], None]:
    """Order a fault of the build's next look."""
    return lambda: service.fault(**{"path": f"{PATH}$", "status": 503, "body": "Down", **fault})


def played(service: Service, *events: Mapping[str, Any]) -> Callable[[], None]:
    return lambda: play(service, *events)


TWICE = {"consecutive_passes": "2", "wait": "1h", "min_sessions": "40"}


def test_it_waits_until_there_is_enough(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account(sessions=0, testers=0))
    done = watch(
        None,
        played(service, {"sessions": 30}),
        None,
        None,
        played(service, {"sessions": 10, "testers": [QA[3]]}),
        min_sessions="40",
        max_crash_rate="1%",
        min_coverage="25%",
        **COVER,
        wait="1h",
    )
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 6)
    assert (done.outputs["sessions"], done.outputs["crash-rate"]) == (40, "0")
    assert len(done.progress) == 2, done.log  # nothing, then thirty sessions; the last look is told by the verdict
    assert re.search(
        r"^\d\d:\d\d:\d\d UTC, (1h|59m \d+s) left: min-sessions 0, asked for at least 40; ", done.progress[0]
    )
    assert (
        "min-sessions 30, asked for at least 40; max-crash-rate not judged yet, asked for at most 1 %"
        in done.progress[1]
    )
    assert "min-coverage" not in done.progress[1]
    assert all(10 <= pause <= 120 for pause in done.pauses)
    assert service.sent.count(GET_GROUPS) == 1
    assert service.sent.count(GET_BUILD) == 1 + 6
    assert service.writes == []
    agree(done.outputs, tmp_path)


def test_an_age_is_told_once(watch: Watch, service: Service) -> None:
    service.reset(account())
    second = functools.partial(time.sleep, 1.1)  # by then it is another second
    done = watch(second, None, OVER, min_age="48h", wait="1h", on_inconclusive="pass")
    assert (done.code, len(done.progress)) == (OK, 1), done.log


def test_it_says_since_when_a_check_is_so(watch: Watch, service: Service) -> None:
    service.reset(account())
    done = watch(played(service, {"sessions": 1}), OVER, min_sessions="41", min_downloads="7", wait="1h")
    since = {name: check["since"] for name, check in done.outputs["checks"].items()}
    assert since["min-downloads"] <= since["min-sessions"] <= done.outputs["judged-at"]


def test_when_the_time_is_over_it_is_inconclusive(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = watch(None, OVER, min_sessions="41", min_downloads="1", wait="1h")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (INCONCLUSIVE, "inconclusive", 3)
    assert done.outputs["failed-checks"] == ["min-sessions"]
    assert done.outputs["checks"]["min-sessions"]["state"] == "inconclusive"
    assert done.outputs["checks"]["min-sessions"]["reason"] == "Not met so far."
    assert "min-sessions is 40, asked for at least 41" in done.log
    agree(done.outputs, tmp_path)


@pytest.mark.parametrize(
    ("event", "check"),
    [
        ({"sessions": 1, "crashes": 1}, "max-crashes"),
        ({"feedback": {"tester": QA[1], "text": "blocker: no sound"}}, "feedback-block-pattern"),
        ({"update": {"tags": ["blocked"]}}, "forbid-tags"),
        ({"reupload": True}, "same-build"),
    ],
    ids=str,
)
def test_a_failure_ends_the_wait_at_once(
    watch: Watch, service: Service, event: dict[str, Any], check: str, tmp_path: Path
) -> None:
    service.reset(account())
    inputs = {"max_crashes": "0", "feedback_block_pattern": "blocker", "forbid_tags": "blocked", "min_downloads": "99"}
    done = watch(None, played(service, event), **inputs, wait="1h", on_inconclusive="pass")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (FAILED, "failed", 3)
    assert done.outputs["failed-checks"][0] == check
    agree(done.outputs, tmp_path)


def test_uploaded_anew_is_told_and_in_report_mode_too(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = watch(lambda: upload_again(service), min_downloads="99", wait="1h", gate_mode="report")
    assert (done.code, done.outputs["verdict"]) == (OK, "failed")
    assert "It was uploaded anew in between: what testers showed is of another file" in done.outputs["reason"]
    agree(done.outputs, tmp_path)


def test_it_waits_for_the_pending_though_something_else_cannot_be_told(watch: Watch, service: Service) -> None:
    service.reset(account(shows=[]))
    inputs = {"require_tags": "rc", "min_sessions": "41", "wait": "1h"}
    done = watch(None, played(service, {"sessions": 1}), **inputs, on_inconclusive="warn")
    assert (done.code, done.outputs["failed-checks"], done.outputs["looks"]) == (OK, ["require-tags"], 3)
    crash = played(service, {"sessions": 1, "crashes": 1})
    assert (
        watch(crash, **{**inputs, "min_sessions": "99"}, max_crashes="0", gate_mode="report").outputs["verdict"]
        == "failed"
    )
    # Where the job fails in any case, it does so at once.
    service.reset(account(shows=[]))
    assert watch(**inputs).outputs["failed-checks"] == ["min-sessions", "require-tags"]


@pytest.mark.parametrize("ending", ["failed", "inconclusive", "error"])
def test_it_does_not_wait_for_what_will_not_change(watch: Watch, service: Service, ending: str) -> None:
    build, inputs = BAD[ending]
    service.reset(account(**build))
    done = watch(**inputs, wait="30d")
    assert (done.code, done.outputs["looks"]) == (CODES[ending], 1)


def test_it_does_not_wait_for_an_age_that_takes_longer(watch: Watch, service: Service) -> None:
    service.reset(account())  # 26 hours old
    done = watch(min_age="30h", min_sessions="99", wait="2h")
    assert (done.code, done.outputs["looks"]) == (INCONCLUSIVE, 1)
    assert re.search(r"\((4h|3h 59m \d+s) to go\)", done.outputs["reason"])
    assert "That takes longer than wait: run this again later." in done.log
    assert watch(OVER, min_age="27h", wait="2h").outputs["looks"] == 2
    assert watch(OVER, min_age="30h", wait="2h", on_inconclusive="warn").outputs["looks"] == 2


def test_enough_looks_in_a_row_must_pass(watch: Watch, service: Service) -> None:
    service.reset(account())
    done = watch(None, **TWICE)
    assert (done.code, done.outputs["looks"]) == (OK, 2)
    assert "left: passed, 1 of 2 looks in a row" in done.progress[0]


def less(service: Service) -> Callable[[], None]:
    return lambda: service.fault(path=f"{PATH}$", status=200, body=shows(service, sessions=39))


@pytest.mark.parametrize("between", [less, down], ids=["pending", "no answer"])
def test_a_row_of_passes_begins_anew_after(
    watch: Watch, service: Service, between: Callable[[Service], Callable[[], None]]
) -> None:
    service.reset(account())
    done = watch(between(service), None, None, **TWICE)
    assert (done.code, done.outputs["looks"]) == (OK, 3 if between is down else 4)


def test_too_few_passes_in_time_are_no_pass(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = watch(None, OVER, **{**TWICE, "consecutive_passes": "4"})
    assert (done.code, done.outputs["verdict"]) == (INCONCLUSIVE, "inconclusive")
    assert "It passed, but not 4 looks in a row" in done.outputs["reason"]
    assert json.loads((tmp_path / JSON).read_text("utf-8"))["verdict"] == "inconclusive"


def test_too_few_passes_do_not_look_like_a_pass_in_a_merge_request(
    watch: Watch, service: Service, tmp_path: Path
) -> None:
    service.reset(account())
    watch(OVER, **{**TWICE, "consecutive_passes": "4"})
    root = ET.parse(tmp_path / JUNIT).getroot()
    assert (root.get("failures"), root.get("errors")) != ("0", "0")


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"body": {"status": "fail", "code": 7, "message": "Down"}},
        {"status": 500, "body": WORSE | {"code": 7}},
        {"status": 429},
        {"status": 200, "body": "<html>"},
        {"status": None, "body": None, "drop": "after"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", [f"{PATH}$", "/sessions/$", "/feedbacks/$"])
def test_a_service_that_is_down_for_a_moment(watch: Watch, service: Service, path: str, fault: dict[str, Any]) -> None:
    service.reset(account(sessions=39))
    wanted = {"min_sessions": "40", "min_devices": "1", "max_feedbacks": "1", "wait": "1h"}
    broken = down(service, path=path, times=2, **fault)
    done = watch(broken, None, played(service, {"sessions": 1}), max_consecutive_errors="3", **wanted)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 2), done.log
    assert done.log.count(" Looking again in ") == 2


def test_errors_that_are_not_in_a_row_do_not_add_up(watch: Watch, service: Service) -> None:
    service.reset(account(sessions=0, testers=0))
    story = [down(service), None] * 4 + [played(service, {"sessions": 40})]
    done = watch(*story, min_sessions="40", max_consecutive_errors="2", wait="1h")
    assert (done.code, done.outputs["looks"]) == (OK, 6)


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ({}, TRANSPORT, "HTTP 503"),
        ({"body": {"status": "fail", "code": 7, "message": "Down"}}, API, "the service refused (HTTP 503, code 7)"),
        ({"status": None, "body": None, "drop": "before"}, TRANSPORT, "the connection to"),
    ],
)
def test_too_many_errors_in_a_row_end_it_with_their_own_code(
    watch: Watch, service: Service, fault: dict[str, Any], code: int, said: str, mode: str, tmp_path: Path
) -> None:
    service.reset(account())
    broken = down(service, times=None, **fault)
    inputs = {"min_sessions": "41", "max_consecutive_errors": "3", "wait": "1h", "on_inconclusive": "pass"}
    done = watch(broken, None, None, **inputs, gate_mode=mode)
    assert done.code == code
    assert (done.outputs["verdict"], done.outputs["looks"]) == ("error", 1)
    assert said in done.outputs["reason"]
    assert done.outputs["checks"]["min-sessions"]["observed"] == "40"  # as it was seen last
    agree(done.outputs, tmp_path)


def test_an_error_when_the_time_is_over_is_that_error(watch: Watch, service: Service) -> None:
    service.reset(account())
    broken = down(service, times=None)
    done = watch(broken, OVER, min_sessions="41", wait="1h", max_consecutive_errors="9")
    assert (done.code, done.outputs["verdict"]) == (TRANSPORT, "error")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 401, "body": WORSE}, AUTH),
        ({"status": 403, "body": WORSE}, AUTH),
        ({"status": 404, "body": WORSE | {"code": 404}}, API),
        ({"status": 400, "body": WORSE}, API),
    ],
    ids=str,
)
def test_what_waiting_cannot_mend_ends_it_at_once(
    watch: Watch, service: Service, fault: dict[str, Any], code: int, tmp_path: Path
) -> None:
    service.reset(account())
    done = watch(down(service, **fault), min_sessions="41", wait="1h", max_consecutive_errors="9")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (code, "error", 1)
    agree(done.outputs, tmp_path)


def test_a_build_that_is_gone_is_no_pass(watch: Watch, service: Service) -> None:
    service.reset(account(before()))
    done = watch(played(service, {"delete": True}), on_inconclusive="pass", **TWICE)
    assert (done.code, done.outputs["verdict"]) == (API, "error")


# --- In a process of its own ----------------------------------------------------------------------------


@contextmanager
def started(
    service: Service, folder: Path, step: str, until: Callable[[str], bool], **inputs: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A step as GitHub runs it, as soon as its log is so; afterwards its log is a file beside the others."""
    env = {"PATH": os.environ["PATH"], "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(folder / "out")}
    env |= {"GITHUB_STEP_SUMMARY": str(folder / "summary.md"), **connection(service.url)}
    env |= {f"APPDIST_{name.upper()}": text for name, text in {**THIS, **inputs}.items()}
    command = [sys.executable, "-m", "sauce_appdist", step]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT) as running,
    ):
        try:
            while not until((folder / "log").read_text("utf-8")):
                assert running.poll() is None, (folder / "log").read_text("utf-8")
                time.sleep(0.02)
            yield running
        finally:
            running.kill()  # it would wait for hours


def ended(running: subprocess.Popen[bytes], folder: Path) -> Outcome:
    running.wait(30)
    files = {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}
    assert "Traceback" not in files["log"]
    return Outcome(running.returncode, github_outputs(files["out"]), files["log"], files=files)


def test_a_real_wait(service: Service, tmp_path: Path) -> None:
    service.reset(account())
    wait = {"min_sessions": "41", "max_crash_rate": "0%", "wait": "10s", "interval": "10s"}
    with started(service, tmp_path, "gate", lambda log: " left: min-sessions 40" in log, **wait) as running:
        play(service, {"sessions": 1})
        done = ended(running, tmp_path)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", "2"), done.log
    assert done.log.count(" left: ") == 1
    assert service.writes == []


def cancelled(service: Service, folder: Path, step: str, until: Callable[[str], bool], **inputs: str) -> Outcome:
    with started(service, folder, step, until, **inputs) as running:
        running.send_signal(signal.SIGTERM)
        return ended(running, folder)


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize("step", ["gate", "promote"])
def test_a_job_that_is_cancelled_while_it_waits(service: Service, tmp_path: Path, step: str, mode: str) -> None:
    service.reset(account(before()))
    inputs = {"min_sessions": "41", "max_crashes": "0", "wait": "5h", "gate_mode": mode, "on_inconclusive": "pass"}
    more = {"to_folder": "RC", "tags": "rc"} if step == "promote" else {}
    done = cancelled(service, tmp_path, step, lambda log: " left: min-sessions 40" in log, **inputs, **more)
    assert done.code == CANCELLED, done.log
    assert service.writes == []
    out = done.outputs
    assert (out["verdict"], out["looks"], out["sessions"]) == ("inconclusive", "1", "40")
    why = "The job was cancelled before there was a verdict. min-sessions is 40, asked for at least 41"
    assert out["reason"].startswith(why)
    assert out["failed-checks"] == "min-sessions"
    assert json.loads(out["checks"])["min-sessions"]["state"] == "inconclusive"
    told = json.loads(done.files[JSON])
    assert [told["verdict"], *(check["state"] for check in told["checks"])] == [*["inconclusive"] * 2, "passed"]
    assert ET.fromstring(done.files[JUNIT].encode()).get("tests") == "3"  # and that it was cancelled
    assert "| min-sessions | ❓ inconclusive | 40 | at least 41 |" in done.files["summary.md"]
    if step == "promote":
        assert (out["completed-steps"], out["failed-step"], out["copied"]) == ("find,check", "gate", "")


@pytest.mark.parametrize("looks", ["0", "1"])
def test_neither_a_job_that_is_cancelled_nor_its_report_is_green(service: Service, tmp_path: Path, looks: str) -> None:
    """In its first look, or while it waits for the second pass."""
    service.reset(account())
    service.fault(path=f"{PATH}$", skip=1 + int(looks), delay=60)

    def there(log: str) -> bool:
        return "1 of 2 looks in a row" in log if looks == "1" else service.sent.count(GET_BUILD) == 2

    done = cancelled(service, tmp_path, "gate", there, **TWICE)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (CANCELLED, "inconclusive", looks)
    assert json.loads(done.files[JSON])["verdict"] == "inconclusive"
    root = ET.fromstring(done.files[JUNIT].encode())
    assert (root.get("failures"), root.get("errors")) != ("0", "0"), done.files[JUNIT]


# --- Reports --------------------------------------------------------------------------------------------

NASTY = "]]> <b>&amp;\"'</b>\uffff\ufffe\x01\x1b[31m\u2028🎉 ünï | `x` ::error::pwned ##[error]x EOF"


@pytest.mark.parametrize(
    "env", [{}, {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}], ids=["shell", "github", "gitlab"]
)
def test_reports_hold_whatever_a_tester_wrote(process: Process, service: Service, env: dict[str, str]) -> None:
    feedback = {"text": NASTY, "reported_by": QA[0], "recorded_at": "-20h"}
    service.reset(account(recorded_feedbacks=[feedback], tags=[NASTY.replace(",", "")], version=NASTY))
    options = {"FEEDBACK_BLOCK_PATTERN": "ünï|x", "REQUIRE_TAGS": "rc", "PROJECT_ID": PROJECT, "BUILD_ID": BUILD}
    done = process("gate", env=env | {f"APPDIST_{name}": text for name, text in options.items()})
    assert done.code == FAILED, done.log
    told = json.loads(done.files[JSON])
    assert [check["state"] for check in told["checks"]] == ["failed", "failed"]
    assert "🎉 ünï" in told["checks"][0]["reason"]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u2028]", done.files[JSON])
    [suite] = ET.fromstring(done.files[JUNIT].encode())
    assert [case.get("name") for case in suite] == ["feedback-block-pattern", "require-tags"]
    assert all("🎉 ünï" in (case[0].text or "") and "]]>" in (case[0].get("message") or "") for case in suite)
    assert not re.search("^(::error::pwned|##)", done.text, re.MULTILINE)


def test_the_summary_on_github(process: Process, service: Service) -> None:
    service.reset(account(crashes=1))
    options = {"MAX_CRASHES": "0", "MIN_SESSIONS": "1", "FEEDBACK_BLOCK_PATTERN": "blocker|data loss", **THIS}
    env = {"GITHUB_ACTIONS": "true", **{f"APPDIST_{name.upper()}": text for name, text in options.items()}}
    done = process("gate", env=env)
    assert done.code == FAILED
    summary = done.files["summary.md"]
    assert summary.startswith("### ❌ Gate failed: Ferries 2.0 (20)\n")
    assert "| **Verdict** | failed, after 1 look |" in summary
    assert "| max-crashes | ❌ failed | 1 | at most 0 |  |" in summary
    assert "| min-sessions | ✅ passed | 40 | at least 1 |  |" in summary
    assert r"| feedback-block-pattern | ✅ passed | none of 1 | none with blocker\|data loss |  |" in summary
    assert done.outputs["failed-checks"] == "max-crashes"
    assert json.loads(done.outputs["checks"])["max-crashes"]["observed"] == "1"
    assert "::error title=The gate failed::Ferries 2.0 (20): max-crashes is 1" in done.text
    service.reset(account())
    env["APPDIST_GATE_MODE"] = "report"
    assert process("gate", env=env).files["summary.md"].count("### ✅ Gate passed: Ferries 2.0 (20)\n") == 1


def test_the_summary_of_a_verdict_that_is_no_pass_has_no_tick(process: Process, service: Service) -> None:
    service.reset(account())
    env = {"GITHUB_ACTIONS": "true", "APPDIST_MIN_SESSIONS": "41", "APPDIST_ON_INCONCLUSIVE": "pass"}
    env |= {f"APPDIST_{name.upper()}": text for name, text in THIS.items()}
    done = process("gate", env=env)
    assert done.code == OK
    assert done.files["summary.md"].startswith("### ❓ Gate inconclusive: Ferries 2.0 (20)\n")


def test_what_gitlab_gets(process: Process, service: Service) -> None:
    service.reset(account(crashes=1))
    options = {"MAX_CRASHES": "0", "MIN_DOWNLOADS": "6", **THIS}
    done = process("gate", env={"GITLAB_CI": "true", **{f"APPDIST_{k.upper()}": v for k, v in options.items()}})
    assert done.code == FAILED
    assert "APPDIST_VERDICT=failed\nAPPDIST_FAILED_CHECKS=max-crashes\n" in done.files["appdist.env"]
    assert json.loads(done.files["appdist-outputs.json"])["checks"]["max-crashes"]["state"] == "failed"
    assert "  ❌ max-crashes    1, asked for at most 0\n" in done.text
    assert "  ✅ min-downloads  6, asked for at least 6\n" in done.text


def test_everything_fits_into_gitlabs_20_variables() -> None:
    fields = promote.Outputs.model_fields.values()
    assert sum(bool(extra(one)["dotenv"]) for one in fields) <= 20


@pytest.mark.parametrize("env", [{}, {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}], ids=str)
@pytest.mark.parametrize("padding", ["", "x" * 104, "x" * 116, "x" * 117, "x" * 400])
def test_a_secret_comes_out_nowhere(process: Process, service: Service, env: dict[str, str], padding: str) -> None:
    feedback = {"text": f"{padding}{API_KEY} blocker", "reported_by": QA[0], "recorded_at": "-20h"}
    seed = account(before(), recorded_feedbacks=[feedback], tags=[API_KEY, "a"], version=f"2 {API_KEY}")
    seed["projects"][0]["name"] = f"{padding}App {API_KEY}"
    service.reset(seed)
    options = {"FEEDBACK_BLOCK_PATTERN": "blocker", "FORBID_TAGS": "a", "REQUIRE_TAGS": "b", **THIS}
    env = env | {f"APPDIST_{name.upper()}": text for name, text in options.items()}
    done = process("gate", env=env)
    assert done.code == FAILED
    masks = f"::add-mask::{API_KEY}"
    for name, text in {"stdout": done.text.replace(masks, ""), "log": done.log, **done.files}.items():
        assert API_KEY not in text, name
        assert API_KEY[:8] not in text, name
    assert "***" in done.files[JSON]
    assert "***" in done.files[JUNIT]
    ET.fromstring(done.files[JUNIT].encode())


@pytest.mark.parametrize("fields", [{"projectId": f"9-{API_KEY}"}, {"id": API_KEY}], ids=["project", "build"])
def test_not_even_as_an_id_that_the_service_tells(process: Process, service: Service, fields: dict[str, Any]) -> None:
    service.reset(account())
    service.fault(path="/builds/", status=200, times=None, body=shows(service, **fields))
    env = {f"APPDIST_{name.upper()}": text for name, text in {"MIN_SESSIONS": "41", **THIS}.items()}
    done = process("gate", env=env)
    assert done.code == INCONCLUSIVE, done.log
    for name, text in {"stdout": done.text, "log": done.log, **done.files}.items():
        assert API_KEY not in text, name


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("correct horse battery staple", "x" * 95 + " correct horse battery staple"),  # cut where it is not over
        ("correct  horse  battery", "It says correct  horse  battery"),  # whose white space is folded
    ],
)
def test_a_secret_of_several_words_is_none_of_a_report(
    watch: Watch, service: Service, tmp_path: Path, secret: str, said: str
) -> None:
    service.reset(account(recorded_feedbacks=[{"text": said, "reported_by": QA[0], "recorded_at": "-20h"}]))
    done = watch(feedback_block_pattern=".", mask=secret)
    assert done.code == FAILED
    for text in (done.log, json.dumps(done.outputs), (tmp_path / JSON).read_text(), (tmp_path / JUNIT).read_text()):
        assert "correct horse" not in text


def stale(folder: Path) -> None:
    for name in (JSON, JUNIT):
        (folder / name).write_text("of an earlier run")


@pytest.mark.parametrize(
    ("fault", "inputs", "code"),
    [
        (None, {"build_id": "99"}, INPUT),
        (None, {"coverage_groups": "Nope", "min_coverage": "1%"}, INPUT),
        (None, {"baseline": "99", "max_crash_rate_increase": "1%"}, INPUT),
        ({"status": 401, "body": WORSE}, {}, AUTH),
        ({"drop": "before"}, {}, TRANSPORT),
    ],
    ids=str,
)
@pytest.mark.parametrize("step", ["gate", "promote"])
def test_reports_of_an_earlier_run_are_gone_where_it_came_to_no_look(
    run: Run, service: Service, tmp_path: Path, step: str, fault: Any, inputs: dict[str, str], code: int
) -> None:
    stale(tmp_path)
    service.reset(account())
    if fault:
        service.fault(path=".", times=None, **fault)
    more = {"to_folder": "RC"} if step == "promote" else {}
    done = run(step, **{**THIS, **ONE, **more, **inputs}, retries="0")
    assert done.code == code, done.log
    assert not list(tmp_path.glob("appdist-gate*"))


def test_reports_go_where_they_are_wanted(run: Run, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = run("gate", **THIS, **ONE, gate_reports="out/of the/gate")
    agree(done.outputs, tmp_path / "out/of the/gate")
    assert sorted(path.name for path in (tmp_path / "out/of the/gate").iterdir()) == [JSON, JUNIT]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize("step", ["gate", "promote"])
def test_where_no_report_can_be_written_it_does_not_even_begin(
    run: Run, service: Service, tmp_path: Path, step: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken" / JSON).mkdir(parents=True)
    service.reset(account(crashes=1))
    more = {"to_folder": "RC"} if step == "promote" else {}
    # /proc is a directory in which not even root can make a file.
    for folder in ("file", "file/below", "taken", "/proc/none", "/proc"):
        done = run(step, **THIS, **more, min_downloads="1", gate_reports=folder)
        assert done.code == INPUT
        assert f"gate-reports is {folder}, where nothing can be written: " in done.log
        assert service.sent == [], folder


def test_a_report_that_cannot_be_written_in_the_end_lets_nothing_by(
    watch: Watch, service: Service, tmp_path: Path
) -> None:
    service.reset(account(sessions=0, testers=0))

    def block() -> None:
        play(service, {"sessions": 40})
        (tmp_path / JUNIT).mkdir()

    for mode in ("enforce", "report"):
        service.reset(account(sessions=0, testers=0))
        done = watch(block, step="promote", to_folder="RC", min_sessions="40", wait="1h", gate_mode=mode)
        assert done.code == INPUT
        assert "gate-reports is ., where nothing can be written: " in done.log
        assert service.writes == []
        assert (done.outputs["verdict"], done.outputs["failed-step"]) == ("error", "gate")
        (tmp_path / JUNIT).rmdir()


def test_a_report_that_cannot_be_written_does_not_hide_the_verdict(
    watch: Watch, service: Service, tmp_path: Path
) -> None:
    service.reset(account())

    def block() -> None:
        play(service, {"sessions": 1, "crashes": 1})
        (tmp_path / JUNIT).mkdir()

    done = watch(block, min_sessions="41", max_crashes="0", wait="1h")
    assert (done.code, done.outputs["verdict"]) == (FAILED, "failed")
    assert not (tmp_path / JSON).exists()  # rather than one that may be of before


def test_it_does_not_say_to_wait_for_what_waiting_does_not_mend(watch: Watch, service: Service) -> None:
    service.reset(account(shows=[]))
    done = watch(require_tags="rc", min_sessions="41", min_age="30h", wait="1h")
    assert (done.code, done.outputs["failed-checks"]) == (INCONCLUSIVE, ["min-age", "min-sessions", "require-tags"])
    assert "longer than wait" not in done.log
    assert "Give wait" not in done.log


# --- In a promotion -------------------------------------------------------------------------------------

PROMOTE: dict[str, Any] = {**THIS, "to_folder": "RC", "tags": "rc", "groups": "QA"}
GATE = {"min_sessions": "40", "max_crashes": "0"}


def after_copy(service: Service) -> list[str]:
    """The requests that come with the copy and after it."""
    return service.sent[service.sent.index(POST_COPY) :]


def test_the_gate_is_a_part_of_a_promotion(run: Run, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **GATE)
    assert done.code == OK, done.log
    assert done.outputs["completed-steps"] == ["find", "check", "gate", "copy", "tag", "invite"]
    assert (done.outputs["verdict"], done.outputs["failed-checks"], done.outputs["looks"]) == ("passed", [], 2)
    assert done.outputs["copied"] is True
    agree(done.outputs, tmp_path)
    gated = service.sent
    assert gated[:5] == [GET_BUILD, GET_GROUPS, GET_BUILD, GET_BUILD, POST_COPY]
    rest = after_copy(service)
    service.reset(account())
    assert run("promote", **PROMOTE).code == OK
    assert [GET_BUILD, GET_GROUPS, *rest] == service.sent


def test_without_a_gate_there_are_no_reports_and_nothing_more_is_read(
    run: Run, service: Service, tmp_path: Path
) -> None:
    service.reset(account())
    stale(tmp_path)
    done = run("promote", **PROMOTE, if_exists="skip")
    assert done.code == OK
    assert done.outputs["completed-steps"] == ["find", "check", "copy", "tag", "invite"]
    assert (done.outputs["verdict"], done.outputs["checks"], done.outputs["looks"]) == (None, None, None)
    assert (tmp_path / JSON).read_text() == "of an earlier run"  # which is not ours to take away
    assert service.sent[:4] == [GET_BUILD, GET_GROUPS, GET_PROJECTS, POST_COPY]


@BOTH
@pytest.mark.parametrize("ending", BAD)
@pytest.mark.parametrize("more", [{}, {"to_folder": ""}, {"dry_run": "true"}], ids=["copy", "no copy", "dry run"])
def test_nothing_is_written_before_the_gate_has_passed(
    run: Run, service: Service, ending: str, more: dict[str, str]
) -> None:
    build, inputs = BAD[ending]
    service.reset(account(**build))
    done = run("promote", **{**PROMOTE, **inputs, **more})
    compat = ending == "failed" and service.dialect == "compat"
    assert done.code == (INCONCLUSIVE if compat else CODES[ending]), done.log
    assert service.writes == []
    assert (done.outputs["completed-steps"], done.outputs["failed-step"]) == (["find", "check"], "gate")
    assert done.outputs["copied"] is None
    assert done.outputs["verdict"] != "passed"


def test_what_is_wrong_with_the_gates_inputs_is_found_before_anybody_waits(run: Run, service: Service) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **GATE, coverage_groups="Nope", min_coverage="1%", wait="30d")
    assert (done.code, done.outputs["failed-step"]) == (INPUT, "check")
    assert service.writes == []


@pytest.mark.parametrize(
    ("inputs", "ending"),
    [
        ({"min_sessions": "41", "on_inconclusive": "warn"}, "inconclusive"),
        ({"min_sessions": "41", "on_inconclusive": "pass"}, "inconclusive"),
        ({"max_feedbacks": "0", "gate_mode": "report"}, "failed"),
    ],
    ids=str,
)
def test_it_goes_on_where_that_is_wanted(run: Run, service: Service, inputs: dict[str, str], ending: str) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **inputs)
    assert (done.code, done.outputs["verdict"], done.outputs["copied"]) == (OK, ending, True), done.log


def test_the_summary_of_a_gated_promotion(process: Process, service: Service) -> None:
    service.reset(account())
    env = {f"APPDIST_{name.upper()}": text for name, text in {**PROMOTE, **GATE}.items()}
    done = process("promote", env=env | {"GITHUB_ACTIONS": "true"})
    assert done.code == OK, done.log
    summary = done.files["summary.md"]
    assert summary.startswith("### ✅ Promoted Ferries 2.0 (20)\n")
    assert "| gate | ✅ done | Passed: min-sessions, max-crashes. |" in summary
    assert "| min-sessions | ✅ passed | 40 | at least 40 |  |" in summary
    assert "::group::gate\n" in done.text


def test_a_promotion_waits_for_its_gate(watch: Watch, service: Service) -> None:
    service.reset(account(sessions=0, testers=0))
    wait = {**PROMOTE, **GATE, "wait": "1h"}
    done = watch(None, played(service, {"sessions": 40}), step="promote", **wait)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 4), done.log
    assert service.writes[0] == POST_COPY
    assert service.sent[: service.sent.index(POST_COPY)].count(GET_BUILD) == 1 + 3 + 1


def upload_and_go_down(service: Service) -> None:
    upload_again(service)
    down(service)()


CHANGES: dict[str, Callable[[Service], object]] = {
    "upload": upload_again,
    "as new": lambda service: play(service, {"reupload": True}),
    "upload, then down": upload_and_go_down,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "mode",
    [{}, {"gate_mode": "report"}, {"on_inconclusive": "warn"}, {"on_inconclusive": "pass", "gate_mode": "report"}],
    ids=str,
)
def test_a_build_that_changed_right_before_the_copy_is_not_copied(
    watch: Watch, service: Service, tmp_path: Path, change: str, mode: dict[str, str]
) -> None:
    """Where it cannot be read, nobody knows whether it changed."""
    service.reset(account())
    done = watch(step="promote", at={"copy": lambda: CHANGES[change](service)}, **PROMOTE, **GATE, **mode)
    assert [one for one in service.writes if "upload" not in one] == []
    assert done.code == (TRANSPORT if "down" in change else FAILED)
    assert (done.outputs["completed-steps"], done.outputs["failed-step"]) == (["find", "check"], "gate")
    assert done.outputs["verdict"] == ("error" if "down" in change else "failed")
    assert done.outputs["copied"] is None
    agree(done.outputs, tmp_path)


@pytest.mark.parametrize("mode", ["enforce", "report"])
def test_nor_is_one_of_which_nobody_knows_any_more_whether_it_changed(
    watch: Watch, service: Service, mode: str
) -> None:
    service.reset(account())

    def change() -> None:
        upload_again(service)
        service.fault(path=f"{PATH}$", status=200, times=None, body=shows(service, uploadedAt=None))

    done = watch(step="promote", at={"copy": change}, **PROMOTE, **GATE, gate_mode=mode)
    assert [one for one in service.writes if "upload" not in one] == []
    assert done.code in {FAILED, INCONCLUSIVE}
    assert done.outputs["verdict"] != "passed"
    root = ET.parse(JUNIT).getroot()
    assert (root.get("failures"), root.get("errors")) != ("0", "0")  # in report mode too: it does stop


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize("folder", ["RC", ""])
def test_nor_is_one_promoted_that_changed_while_its_gate_waited(
    watch: Watch, service: Service, folder: str, mode: str
) -> None:
    service.reset(account())
    inputs = {**PROMOTE, "to_folder": folder, "min_sessions": "41", "wait": "1h", "gate_mode": mode}
    if not folder:
        del inputs["to_folder"]
    done = watch(played(service, {"reupload": True}), step="promote", **inputs)
    assert (done.code, service.writes) == (FAILED, [])


@pytest.mark.parametrize("where", [{"to_folder": "RC", "source_tags": "promoted"}, {"tags": "promoted"}], ids=str)
def test_tags_that_came_while_the_gate_waited_are_kept(watch: Watch, service: Service, where: dict[str, str]) -> None:
    service.reset(account())
    happened = played(service, {"update": {"tags": ["candidate", "signed-off"]}}, {"sessions": 1})
    wait = {"min_sessions": "41", "wait": "1h", "tags_mode": "add", **where}
    assert watch(happened, step="promote", **wait).code == OK
    assert service.build(PROJECT, BUILD)["tags"] == ["candidate", "signed-off", "promoted"]


@pytest.mark.parametrize(
    ("mode", "code"),
    [({}, FAILED), ({"on_inconclusive": "pass"}, FAILED), ({"gate_mode": "report"}, OK)],
    ids=str,
)
def test_a_crash_right_before_the_copy_stops_it(
    watch: Watch, service: Service, mode: dict[str, str], code: int
) -> None:
    service.reset(account())
    crash = played(service, {"sessions": 1, "crashes": 1})
    done = watch(step="promote", at={"copy": crash}, **PROMOTE, **GATE, **mode)
    assert (done.code, done.outputs["verdict"], done.outputs["crashes"]) == (code, "failed", 1)
    assert (service.writes == []) is (code == FAILED)


def test_a_build_that_is_gone_right_before_the_copy(watch: Watch, service: Service) -> None:
    service.reset(account(before()))
    done = watch(step="promote", at={"copy": played(service, {"delete": True})}, **PROMOTE, **GATE)
    assert (done.code, service.writes, done.outputs["verdict"]) == (API, [], "error")


@pytest.mark.parametrize("fault", [{"status": 401}, {"status": 404}, {"status": 503}], ids=str)
def test_nothing_is_written_where_the_gate_could_not_look(
    watch: Watch, service: Service, fault: dict[str, Any]
) -> None:
    """Though it would only report."""
    service.reset(account())
    down(service, skip=1, times=None, **fault)()
    inputs = {"tags": "rc", "groups": "QA", "notify": "true", "gate_mode": "report", "on_inconclusive": "pass"}
    done = watch(step="promote", min_sessions="1", **inputs)
    assert done.code in {AUTH, API, TRANSPORT}
    assert (done.outputs["verdict"], done.outputs["failed-step"]) == ("error", "gate")
    assert (service.writes, service.outbox) == ([], [])


@pytest.mark.parametrize(("uploaded", "copied"), [("-3d", True), ("-26h", False), ("-1h", False)])
def test_what_was_in_the_folder_before_the_upload_is_no_copy_of_it(
    run: Run, service: Service, uploaded: str, copied: bool
) -> None:
    """Of the version that was uploaded anew since then; whether copies keep the time of the original is not known."""
    there = {"id": 90, "version": "2.0", "version_code": "20", "uploaded_at": uploaded}
    app = {"id": 9, "name": "Ferries", "package_name": "com.example.ferries", "platform": "Android", "folder": "/RC"}
    service.reset(account(others=[{**app, "builds": [there]}]))
    done = run("promote", **THIS, to_folder="RC", if_exists="skip", max_age="30d")
    assert (done.code, done.outputs["copied"]) == (OK, copied), done.log


def test_a_copy_that_was_found_is_nothing_that_was_done(watch: Watch, service: Service) -> None:
    """So that a job that runs again is neither told to mail everybody once more nor kept from trying again."""
    service.reset(account())
    inputs = {**PROMOTE, **GATE, "notify": "if-copied", "if_exists": "skip", "tags": "rc", "tags_mode": "add"}
    assert watch(step="promote", **inputs).outputs["notified"] is True
    mails = len(service.outbox)
    service.fault(method="PATCH", path="/builds/", status=503, body="Down")
    done = watch(step="promote", **{**inputs, "tags": "rc2"})
    assert done.code == TRANSPORT, done.log
    assert "Give notify: true" not in done.log
    again = watch(step="promote", **{**inputs, "tags": "rc2"})
    assert (again.code, again.outputs["copied"], len(service.outbox)) == (OK, False, mails)


def test_who_is_left_uninvited_is_told(watch: Watch, service: Service) -> None:
    service.reset(account())
    service.fault(method="POST", path="/invites/", status=429, body="slow", times=None)
    done = watch(step="promote", **{**PROMOTE, **GATE, "notify": "if-copied"})
    assert (done.code, done.outputs["failed-step"]) == (PARTIAL, "invite")
    assert "Give notify: true there; no later run of this one mails them." in done.log


@pytest.mark.parametrize("lenient", [{"on_inconclusive": "warn"}, {"gate_mode": "report"}], ids=str)
def test_the_look_before_the_copy_does_not_make_up_for_passes_that_are_missing(
    watch: Watch, service: Service, tmp_path: Path, lenient: dict[str, str]
) -> None:
    service.reset(account())
    done = watch(OVER, step="promote", **{**PROMOTE, **GATE, **lenient}, wait="1h", consecutive_passes="3")
    assert (done.code, done.outputs["verdict"], done.outputs["copied"]) == (OK, "inconclusive", True)
    agree(done.outputs, tmp_path)


def test_how_to_go_on_after_the_copy_was_made(watch: Watch, service: Service) -> None:
    """The copy has no sessions: the gate would never let it through."""
    service.reset(account())
    service.fault(method="PATCH", path="/builds/", status=400, body=WORSE)
    inputs = {**PROMOTE, **GATE, "notify": "if-copied", "if_exists": "skip"}
    done = watch(step="promote", **inputs)
    assert done.code == PARTIAL
    assert "without to-folder, source-tags, if-exists, the copy-… inputs and those of the gate" in done.log
    assert "Give notify: true there; no later run of this one mails them." in done.log
    ids = {"project_id": done.outputs["promoted-project-id"], "build_id": done.outputs["promoted-build-id"]}
    assert watch(step="promote", **{**ids, "tags": "rc", "groups": "QA", "notify": "true"}).code == OK
    assert {mail["build_id"] for mail in service.outbox} == {ids["build_id"]}


def test_a_copy_that_is_there_already_is_not_made_again(run: Run, service: Service) -> None:
    service.reset(account())
    again = {**PROMOTE, **GATE, "if_exists": "skip", "groups": ""}
    first, made = run("promote", **again), len(service.sent)
    second = run("promote", **again)
    assert (first.code, second.code) == (OK, OK), second.log
    assert (first.outputs["copied"], second.outputs["copied"]) == (True, False)
    assert first.outputs["promoted-build-id"] == second.outputs["promoted-build-id"]
    assert second.outputs["looks"] == 1
    assert service.sent[made:].count(GET_BUILD) == 2
    assert service.writes.count(POST_COPY) == 1


def test_a_dry_run_is_judged_once(run: Run, service: Service) -> None:
    service.reset(account())
    done = run("promote", **PROMOTE, **GATE, dry_run="true")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 1)
    assert done.outputs["completed-steps"] == ["find", "check", "gate"]
    assert service.writes == []


# --- The search by tags ---------------------------------------------------------------------------------

FERRIES = {"package_name": "com.northwind.ferries"}


@BOTH
@pytest.mark.parametrize(
    ("inputs", "build_id"),
    [
        ({**FERRIES, "with_tags": "released"}, "8920001"),
        ({**FERRIES, "with_tags": "candidate", "build_id": "latest"}, "8920003"),
        ({**FERRIES, "with_tags": "candidate", "version": "2.4.0"}, "8920002"),
        ({"project_id": "6950110", "with_tags": "candidate", "build_id": "latest"}, "8920003"),
        ({"project_id": "6950110", "with_tags": "candidate", "build_id": "8920002"}, "8920002"),
    ],
    ids=str,
)
def test_find_by_tags(run: Run, service: Service, inputs: dict[str, str], build_id: str) -> None:
    service.reset(named_seed("gate"))
    done = run("find", **inputs)
    assert (done.code, done.outputs["build-id"]) == (OK, build_id), done.log


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({**FERRIES, "with_tags": "candidate"}, "2 builds fit. Give build-id and project-id"),
        ({**FERRIES, "with_tags": "candidate, gone"}, "has 3 builds, none with the tags candidate, gone. The newest are: build-id 8920003"),
        ({**FERRIES, "with_tags": "Candidate"}, "none with the tags Candidate"),
        ({**FERRIES, "with_tags": "x", "version": "2.4.0"}, "none with version '2.4.0' and the tags x"),
        ({"project_id": "6950110", "build_id": "8920001", "with_tags": "candidate"}, "none with the tags candidate and build-id 8920001"),
        ({"with_tags": "candidate"}, "no build: give build-id and project-id"),
        ({**FERRIES, "with_tags": '"a, b"'}, "with-tags has 'a, b', but a tag cannot contain a comma"),
    ],
    ids=str,
)  # fmt: skip
def test_no_build_has_the_tags(run: Run, service: Service, inputs: dict[str, str], expected: str) -> None:
    service.reset(named_seed("gate"))
    done = run("find", **inputs)
    assert done.code == INPUT
    assert expected in done.log


@pytest.mark.parametrize("build", [{}, {"build_id": "8920002"}, {"build_id": "latest", "version": "2.4.0"}], ids=str)
def test_where_the_service_shows_no_tags_nobody_can_search_by_them(
    run: Run, service: Service, build: dict[str, str]
) -> None:
    service.reset(named_seed("gate") | {"shows": {}})
    done = run("find", project_id="6950110", with_tags="candidate", **build)
    assert done.code == INPUT
    assert "with-tags is given, but this service does not show the tags of builds: give build-id" in done.log


def test_the_newest_candidate_every_hour(run: Run, service: Service) -> None:
    """What a scheduled job does: it goes on once, and finds nothing new to do the next time."""
    service.reset(named_seed("gate") | {"settings": {"life_speed": 1e9}})
    search = {**FERRIES, "folder": "/", "with_tags": "candidate", "build_id": "latest"}
    bad_one = run("promote", **search, to_folder="RC", max_crashes="0", if_exists="skip")
    assert (bad_one.code, bad_one.outputs["build-id"], service.writes) == (FAILED, "8920003", [])
    search["version"] = "2.4.0"
    good = {**search, "to_folder": "RC", "max_crashes": "0", "min_sessions": "40", "if_exists": "skip"}
    hours = [run("promote", **good) for _ in range(2)]
    assert [(done.code, done.outputs["copied"]) for done in hours] == [(OK, True), (OK, False)], hours[1].log
    assert len(service.writes) == 1
