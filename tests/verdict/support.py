"""A build that is just good enough, and one check at a time."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sauce_appdist.verdict.checks import (
    CHECK_ROWS,
    Check,
    CheckState,
    Counts,
    Observation,
    Recorded,
    Thresholds,
    judge,
)

PASSED, PENDING, INCONCLUSIVE, ERROR, FAILED = CheckState
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def sessions(fine: int = 0, crashed: int = 0, unknown: int = 0, **fields: Any) -> list[Recorded]:
    told = [False] * fine + [True] * crashed + [None] * unknown
    return [Recorded(one, **{"minutes": 5.0, "device": f"Pixel {turn}", **fields}) for turn, one in enumerate(told)]


# Every check is set, and everything is as good as it must be but no better.
ALL = Thresholds(
    min_age=24 * HOUR,
    max_age=24 * HOUR,
    min_sessions=100,
    min_downloads=7,
    min_testers=5,
    max_crashes=1,
    max_crash_rate=0.01,
    max_feedbacks=2,
    feedback_block_pattern=re.compile("(?i)blocker"),
    coverage_groups=["QA"],
    min_coverage=0.5,
    require_tags=["rc"],
    forbid_tags=["blocked"],
    baseline="previous",
    max_crash_rate_increase=0.005,
    max_crashed_session_rate=0.01,
    min_session_minutes=500,
    min_devices=100,
)
GOOD = Observation(
    uploaded_at=NOW - 24 * HOUR,
    counts=Counts(100, 1, has_sdk=True),
    testers=5,
    downloads=7,
    feedbacks=["Nice", "Fine"],
    feedbacks_complete=True,
    tags=["rc"],
    members=["mara@example.com", "noor@example.com"],
    users=["Mara@example.com"],
    baseline=Counts(200, 1, has_sdk=True),
    recorded=sessions(99, 1),
)
ROW = {row.name: row for row in CHECK_ROWS}
CHECKS = list(ROW)


def only(check: str, **more: Any) -> Thresholds:
    """One check of ALL alone, with what it requires."""
    names = [ROW[check].threshold, *ROW[check].requires]
    return Thresholds(**{name: getattr(ALL, name) for name in names} | more)


def the(asked: Thresholds, seen: Observation, now: datetime = NOW) -> Check:
    [check] = judge(asked, seen, now)
    return check


def states(asked: Thresholds, seen: Observation, now: datetime = NOW) -> dict[str, CheckState]:
    return {check.name: check.state for check in judge(asked, seen, now)}


def counted(sessions: Any, crashes: Any, has_sdk: bool | None = True) -> dict[str, Any]:
    return {"counts": Counts(sessions, crashes, has_sdk)}


def ago(age: timedelta) -> dict[str, Any]:
    return {"uploaded_at": NOW - age}


# What a check needs to know; a name with a dot is a field of `counts` or `baseline`.
NEEDS = {
    "min-age": ["uploaded_at"],
    "max-age": ["uploaded_at"],
    "min-sessions": ["counts.sessions"],
    "min-downloads": ["downloads"],
    "min-testers": ["testers"],
    "max-crashes": ["counts.sessions", "counts.crashes", "counts.has_sdk"],
    "max-crash-rate": ["counts.sessions", "counts.crashes", "counts.has_sdk"],
    "max-feedbacks": ["feedbacks", "feedbacks_complete"],
    "feedback-block-pattern": ["feedbacks", "feedbacks_complete"],
    "min-coverage": ["members", "users"],
    "require-tags": ["tags"],
    "forbid-tags": ["tags"],
    "max-crash-rate-increase": [
        *("counts.sessions", "counts.crashes", "counts.has_sdk"),
        *("baseline", "baseline.sessions", "baseline.crashes", "baseline.has_sdk"),
    ],
    "max-crashed-session-rate": ["counts.sessions", "counts.has_sdk", "recorded"],
    "min-session-minutes": ["recorded"],
    "min-devices": ["recorded"],
}


def without(seen: Observation, name: str) -> Observation:
    """The same where one field is unknown."""
    outer, _, inner = name.partition(".")
    known = getattr(seen, outer)
    unknown: Any = False if outer == "feedbacks_complete" else None
    return replace(seen, **{outer: replace(known, **{inner: None}) if known and inner else unknown})


FIELDS = sorted({name for names in NEEDS.values() for name in names})
NUMBERS = [
    one.name for one in dataclasses.fields(Thresholds) if one.type in {"int | None", "float | None", "Rate | None"}
]
RATES = ["confidence", "max_crash_rate", "max_crash_rate_increase", "max_crashed_session_rate", "min_coverage"]


class Berlin(tzinfo):
    """As of spring 2026: the clock goes forward on March 29th at 2:00."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        return 2 * HOUR if at and (at.year, at.month, at.day, at.hour) >= (2026, 3, 29, 2) else HOUR

    def dst(self, at: datetime | None) -> timedelta:
        return self.utcoffset(at) - HOUR

    def tzname(self, _: datetime | None) -> str:
        return "Berlin"
