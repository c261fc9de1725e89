"""Every check of the gate on the emulator: how it ends, and what it tells."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gate.support import (
    BEFORE,
    BUILD,
    CODES,
    COVER,
    FAILED,
    FUTURE,
    GET_BUILD,
    GET_FEEDBACKS,
    GET_GROUPS,
    GET_SESSIONS,
    INCREASE,
    INPUT,
    JSON,
    OK,
    PATH,
    PROJECT,
    Judge,
    account,
    before,
    shows,
)
from harness import in_both
from sauce_appdist.verdict.checks import CHECK_ROWS

if TYPE_CHECKING:
    from harness import Run, Service

RATE = {"max_crash_rate": "1%", "min_sessions": "40"}
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
@in_both
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
    assert ("Set wait, or run this again later." in done.log) is (ending == "pending")


def test_every_check_is_in_the_table_with_both_its_ends() -> None:
    names = {row.name for row in CHECK_ROWS}
    for ends in ({"passed"}, {"failed", "pending"}):
        assert {check for check, *_, classic, _ in ROWS if classic in ends} == names


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
    assert "max-crashes is 1, expected at most 0" in out["reason"]
    assert "The gate failed: Ferries 2.0 (20): max-crashes is 1, expected at most 0" in done.log


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


def test_the_checks_are_listed_before_anything_is_read(judge: Judge, service: Service) -> None:
    service.reset(account())
    done = judge(max_crash_rate="1%", min_sessions="41", min_age="24h", forbid_tags="blocked", build_id="404404")
    assert done.code == INPUT
    checks = "min-age at least 1d, min-sessions at least 41, max-crash-rate at most 1 %, forbid-tags none of blocked"
    assert done.log.startswith(f"Gate: {checks}\n")
