"""The gate's decision: by hand at every threshold, and by hypothesis that it fails closed."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings, strategies as st

from sauce_appdist.verdict.checks import (
    Check,
    CheckState,
    Counts,
    Observation,
    Recorded,
    Thresholds,
    judge,
    percent,
    settled,
    worst,
)
from sauce_appdist.verdict.statistics import upper_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PASSED, PENDING, INCONCLUSIVE, ERROR, FAILED = CheckState
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
CONTEXT = {"confidence", "coverage_groups"}  # thresholds that another check is judged by


def sessions(fine: int = 0, crashed: int = 0, unknown: int = 0, **fields: Any) -> list[Recorded]:
    told = [False] * fine + [True] * crashed + [None] * unknown
    return [Recorded(one, **{"minutes": 5.0, "device": f"Pixel {turn}", **fields}) for turn, one in enumerate(told)]


# Everything is asked for, and everything is as good as it must be but no better.
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
CHECKS = [one.name.replace("_", "-") for one in dataclasses.fields(Thresholds) if one.name not in CONTEXT]


def only(check: str, **more: Any) -> Thresholds:
    """One check of ALL alone, with what it is judged by."""
    name = check.replace("-", "_")
    return Thresholds(**{name: getattr(ALL, name), **({"coverage_groups": ["QA"]} if "cover" in name else {}), **more})


def the(asked: Thresholds, seen: Observation, now: datetime = NOW) -> Check:
    [check] = judge(asked, seen, now)
    return check


def states(asked: Thresholds, seen: Observation, now: datetime = NOW) -> dict[str, CheckState]:
    return {check.name: check.state for check in judge(asked, seen, now)}


# --- By hand ------------------------------------------------------------------------------------------


def test_what_is_just_good_enough_passes_everything() -> None:
    checks = judge(ALL, GOOD, NOW)
    assert [check.name for check in checks] == CHECKS  # the order of the documentation
    assert {check.state for check in checks} == {PASSED}
    assert worst(checks) is PASSED


def counted(sessions: Any, crashes: Any, has_sdk: bool | None = True) -> dict[str, Any]:
    return {"counts": Counts(sessions, crashes, has_sdk)}


def ago(age: timedelta) -> dict[str, Any]:
    return {"uploaded_at": NOW - age}


# fmt: off
ROWS: list[tuple[str, dict[str, Any], dict[str, Any], CheckState]] = [
    # check, thresholds besides, what is seen otherwise than GOOD, state
    ("min-age", {}, ago(24 * HOUR), PASSED),
    ("min-age", {}, ago(24 * HOUR - SECOND), PENDING),
    ("min-age", {}, ago(timedelta(microseconds=-1)), ERROR),
    ("min-age", {"min_age": timedelta(0)}, ago(timedelta(0)), PASSED),
    ("min-age", {}, {"uploaded_at": (NOW - 24 * HOUR).replace(tzinfo=None)}, ERROR),
    ("min-age", {}, {"uploaded_at": datetime.min.replace(tzinfo=timezone(HOUR))}, PASSED),
    ("max-age", {}, ago(24 * HOUR), PASSED),
    ("max-age", {}, ago(24 * HOUR + SECOND), FAILED),
    ("max-age", {}, ago(-SECOND), ERROR),
    ("max-age", {}, {"uploaded_at": (NOW - HOUR).replace(tzinfo=None)}, ERROR),
    ("min-sessions", {}, counted(100, None), PASSED),
    ("min-sessions", {}, counted(99, 0), PENDING),
    ("min-sessions", {}, counted(0, 0, has_sdk=False), INCONCLUSIVE),  # and never will be more
    ("min-sessions", {}, counted(-1, 0), INCONCLUSIVE),
    ("min-sessions", {"min_sessions": 0}, counted(0, 0), PASSED),
    ("min-sessions", {"min_sessions": 0}, counted(None, 0), INCONCLUSIVE),
    ("min-downloads", {}, {"downloads": 7}, PASSED),
    ("min-downloads", {}, {"downloads": 6}, PENDING),
    ("min-downloads", {}, {"downloads": -1}, INCONCLUSIVE),
    ("min-testers", {}, {"testers": 5}, PASSED),
    ("min-testers", {}, {"testers": 4}, PENDING),
    ("min-testers", {}, {"testers": math.inf}, INCONCLUSIVE),
    ("max-crashes", {}, counted(1, 1), PASSED),
    ("max-crashes", {}, counted(10**9, 2), FAILED),
    ("max-crashes", {}, counted(None, 2, has_sdk=None), FAILED),  # what is known is enough
    ("max-crashes", {}, counted(0, 0), PENDING),
    ("max-crashes", {}, counted(5, -1), INCONCLUSIVE),
    ("max-crashes", {}, counted(5, math.nan), INCONCLUSIVE),
    ("max-crashes", {}, counted(5, False), INCONCLUSIVE),
    ("max-crashes", {}, counted(5, 0, has_sdk=False), INCONCLUSIVE),
    ("max-crash-rate", {}, counted(300, 3), PASSED),
    ("max-crash-rate", {}, counted(300, 4), FAILED),
    ("max-crash-rate", {}, counted(299, 3), FAILED),
    ("max-crash-rate", {}, counted(10**9, 10**7), PASSED),
    ("max-crash-rate", {}, counted(10**9, 10**7 + 1), FAILED),
    ("max-crash-rate", {"max_crash_rate": 1.0}, counted(3, 3), PASSED),
    ("max-crash-rate", {"max_crash_rate": 1.0}, counted(3, 4), FAILED),
    ("max-crash-rate", {"max_crash_rate": 0.07}, counted(100, 7), PASSED),
    ("max-crash-rate", {"max_crash_rate": Fraction(1, 3)}, counted(3, 1), PASSED),
    ("max-crash-rate", {}, counted(0, 0), PENDING),
    ("max-crash-rate", {}, counted(0, 9), PENDING),
    ("max-crash-rate", {}, counted(-5, 0), INCONCLUSIVE),
    ("max-crash-rate", {}, counted(300, -3), INCONCLUSIVE),
    ("max-crash-rate", {}, counted(math.inf, 3), INCONCLUSIVE),
    ("max-crash-rate", {}, counted(300, 0, has_sdk=False), INCONCLUSIVE),
    ("max-crash-rate", {"confidence": 0.95}, counted(299, 0), PASSED),  # ln(0.05) / ln(0.99) = 298.07
    ("max-crash-rate", {"confidence": 0.95}, counted(298, 0), PENDING),
    ("max-crash-rate", {"confidence": 0.95}, counted(473, 1), PASSED),
    ("max-crash-rate", {"confidence": 0.95}, counted(472, 1), PENDING),
    ("max-crash-rate", {"confidence": 0.95}, counted(299, 3), FAILED),
    ("max-crash-rate", {"confidence": 0.95, "max_crash_rate": 1.0}, counted(3, 4), FAILED),
    ("max-crash-rate", {"confidence": 1.0}, counted(10**9, 0), PENDING),
    ("max-feedbacks", {}, {"feedbacks": ["a", "b"]}, PASSED),
    ("max-feedbacks", {}, {"feedbacks": ["a", "b", "b"]}, FAILED),
    ("max-feedbacks", {}, {"feedbacks": ["a"], "feedbacks_complete": False}, INCONCLUSIVE),
    ("max-feedbacks", {}, {"feedbacks": ["a", "b", None], "feedbacks_complete": False}, FAILED),
    ("max-feedbacks", {"max_feedbacks": 0}, {"feedbacks": []}, PASSED),
    ("feedback-block-pattern", {}, {"feedbacks": ["fine", "fine"]}, PASSED),
    ("feedback-block-pattern", {}, {"feedbacks": []}, PASSED),
    ("feedback-block-pattern", {}, {"feedbacks": ["fine", "a\nBLOCKER: no sound"]}, FAILED),
    ("feedback-block-pattern", {}, {"feedbacks": ["fine"], "feedbacks_complete": False}, INCONCLUSIVE),
    ("feedback-block-pattern", {}, {"feedbacks": ["blocker"], "feedbacks_complete": False}, FAILED),
    ("feedback-block-pattern", {}, {"feedbacks": ["fine", None]}, INCONCLUSIVE),
    ("feedback-block-pattern", {}, {"feedbacks": [None, "blocker"]}, FAILED),
    ("min-coverage", {}, {"members": ["a", "A", "b"], "users": ["a", "x"]}, PASSED),
    ("min-coverage", {}, {"members": ["a", "b", "c"], "users": ["a", "a"]}, PENDING),
    ("min-coverage", {"min_coverage": 1.0}, {"members": ["a", ""], "users": ["a", ""]}, PENDING),
    ("min-coverage", {"min_coverage": Fraction(2, 3)}, {"members": ["a", "b", "c"], "users": ["a", "b"]}, PASSED),
    ("min-coverage", {"min_coverage": 0.07}, {"members": [str(one) for one in range(100)], "users": [*"1234567"]}, PASSED),
    ("min-coverage", {"min_coverage": 0.0}, {"members": [], "users": []}, INCONCLUSIVE),
    ("require-tags", {"require_tags": ["rc", "qa", "rc"]}, {"tags": ["qa", "rc"]}, PASSED),
    ("require-tags", {"require_tags": ["rc", "qa"]}, {"tags": ["rc"]}, FAILED),
    ("require-tags", {}, {"tags": ["RC", "rc2"]}, FAILED),
    ("require-tags", {}, {"tags": []}, FAILED),
    ("forbid-tags", {}, {"tags": []}, PASSED),
    ("forbid-tags", {}, {"tags": ["unblocked"]}, PASSED),
    ("forbid-tags", {}, {"tags": ["rc", " Blocked"]}, FAILED),
    ("max-crash-rate-increase", {}, {**counted(200, 2), "baseline": Counts(200, 1, has_sdk=True)}, PASSED),
    ("max-crash-rate-increase", {}, {**counted(1000, 11), "baseline": Counts(200, 1, has_sdk=True)}, FAILED),
    ("max-crash-rate-increase", {}, {**counted(200, 0), "baseline": Counts(200, 9, has_sdk=True)}, PASSED),
    ("max-crash-rate-increase", {"max_crash_rate_increase": 0.3}, {**counted(10, 4), "baseline": Counts(10, 1, has_sdk=True)}, PASSED),  # 0.4 - 0.1 > 0.3 where these are floats
    ("max-crash-rate-increase", {}, {"baseline": Counts(0, 0, has_sdk=True)}, INCONCLUSIVE),
    ("max-crash-rate-increase", {}, {"baseline": Counts(200, 9, has_sdk=False)}, INCONCLUSIVE),
    ("max-crash-rate-increase", {}, counted(0, 0), PENDING),
    ("max-crash-rate-increase", {}, counted(300, 0, has_sdk=False), INCONCLUSIVE),
    ("max-crashed-session-rate", {}, {**counted(200, 0), "recorded": sessions(198, 2)}, PASSED),
    ("max-crashed-session-rate", {}, {**counted(200, 0), "recorded": sessions(197, 3)}, FAILED),
    ("max-crashed-session-rate", {}, {**counted(200, 0), "recorded": sessions(198, 1, 1)}, INCONCLUSIVE),
    ("max-crashed-session-rate", {}, {**counted(200, 0), "recorded": sessions(196, 3, 1)}, FAILED),
    ("max-crashed-session-rate", {}, {**counted(200, 0), "recorded": sessions(199)}, PENDING),
    ("max-crashed-session-rate", {}, {**counted(200, 0), "recorded": sessions(9, 1)}, PENDING),  # may be 1 of 200
    ("max-crashed-session-rate", {}, {**counted(200, 0), "recorded": sessions(9, 3)}, FAILED),
    ("max-crashed-session-rate", {}, {**counted(None, 0), "recorded": sessions(9)}, INCONCLUSIVE),
    ("max-crashed-session-rate", {}, {**counted(0, 0), "recorded": []}, PENDING),
    ("max-crashed-session-rate", {}, {**counted(9, 0, has_sdk=False), "recorded": sessions(9)}, INCONCLUSIVE),
    ("min-session-minutes", {}, {"recorded": sessions(2, minutes=250.0)}, PASSED),
    ("min-session-minutes", {}, {"recorded": sessions(2, minutes=249.99)}, PENDING),
    ("min-session-minutes", {"min_session_minutes": 1}, {"recorded": sessions(60, minutes=1 / 60)}, PASSED),
    ("min-session-minutes", {}, {"recorded": sessions(2, minutes=math.inf)}, PENDING),
    ("min-session-minutes", {}, {"recorded": sessions(2, minutes=math.nan)}, PENDING),
    ("min-session-minutes", {}, {"recorded": [*sessions(2, minutes=250.0), Recorded(minutes=-9.0)]}, PASSED),
    ("min-session-minutes", {}, {"recorded": []}, PENDING),
    ("min-devices", {}, {"recorded": sessions(100)}, PASSED),
    ("min-devices", {}, {"recorded": sessions(99)}, PENDING),
    ("min-devices", {}, {**counted(99, 0, has_sdk=False), "recorded": sessions(99)}, INCONCLUSIVE),
    ("min-session-minutes", {}, {**counted(0, 0, has_sdk=False), "recorded": []}, INCONCLUSIVE),
    ("min-coverage", {}, {**counted(0, 0, has_sdk=False), "users": []}, INCONCLUSIVE),
    ("min-coverage", {}, counted(0, 0, has_sdk=False), PASSED),  # whatever it says
    ("min-devices", {"min_devices": 2}, {"recorded": [Recorded(device=one) for one in ("S9", "s9 ", " ")]}, PENDING),
    # rates are not judged below min-sessions
    *(
        (check, {"min_sessions": 10}, {**counted(count, count), "recorded": sessions(0, count)}, state)
        for check in ("max-crash-rate", "max-crash-rate-increase", "max-crashed-session-rate")
        for count, state in ((0, PENDING), (9, PENDING), (10, FAILED))
    ),
    ("max-crash-rate-increase", {"min_sessions": 10}, {"baseline": Counts(9, 9, has_sdk=True)}, INCONCLUSIVE),
    ("max-crash-rate-increase", {"min_sessions": 10}, {"baseline": Counts(10, 9, has_sdk=True)}, PASSED),
    ("max-crashes", {"min_sessions": 10}, counted(9, 0), PASSED),  # a number, no rate
]
# fmt: on


@pytest.mark.parametrize(("check", "more", "otherwise", "state"), ROWS)
def test_each_threshold(check: str, more: dict[str, Any], otherwise: dict[str, Any], state: CheckState) -> None:
    asked = only(check, **more)
    found = states(asked, replace(GOOD, **otherwise))
    assert found[check] is state
    assert set(found) == {check, *(["min-sessions"] if "min_sessions" in more else [])}


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


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_unknown_is_inconclusive_for_those_who_need_it_and_for_nobody_else(name: str) -> None:
    expected = {check: INCONCLUSIVE if name in needs else PASSED for check, needs in NEEDS.items()}
    assert states(ALL, without(GOOD, name)) == expected


def test_of_a_build_of_which_nothing_is_known_everything_is_inconclusive() -> None:
    assert states(ALL, Observation()) == dict.fromkeys(CHECKS, INCONCLUSIVE)
    assert states(only("max-feedbacks"), Observation(feedbacks=[])) == {"max-feedbacks": INCONCLUSIVE}  # are these all?
    assert worst(judge(ALL, Observation(), NOW)) is INCONCLUSIVE


@pytest.mark.parametrize("asked", [Thresholds(), Thresholds(require_tags=[], forbid_tags=[], coverage_groups=[])])
def test_nothing_asked_is_an_error(asked: Thresholds) -> None:
    assert judge(asked, GOOD, NOW) == []
    assert worst([]) is ERROR


NUMBERS = [
    one.name for one in dataclasses.fields(Thresholds) if one.type in {"int | None", "float | None", "Rate | None"}
]
RATES = ["confidence", "max_crash_rate", "max_crash_rate_increase", "max_crashed_session_rate", "min_coverage"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in NUMBERS for value in (-1, math.nan, math.inf, -math.inf)),
        *((name, value) for name in RATES for value in (1.0000001, Fraction(101, 100))),
        ("min_age", -SECOND),
        ("max_age", -SECOND),
    ],
)
def test_thresholds_that_nothing_can_be_judged_by_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Nothing can be judged by {name}="):
        replace(ALL, **{name: value})


@pytest.mark.parametrize(
    "alone", [{"coverage_groups": ["QA"]}, {"min_coverage": 0.5}, {"min_coverage": 0.0, "coverage_groups": []}]
)
def test_groups_and_their_coverage_belong_together(alone: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="coverage_groups and min_coverage belong together"):
        Thresholds(**alone)


class Berlin(tzinfo):
    """As of spring 2026: the clock goes forward on March 29th at 2:00."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        return 2 * HOUR if at and (at.year, at.month, at.day, at.hour) >= (2026, 3, 29, 2) else HOUR

    def dst(self, at: datetime | None) -> timedelta:
        return self.utcoffset(at) - HOUR

    def tzname(self, _: datetime | None) -> str:
        return "Berlin"


def test_an_age_is_real_time_even_where_the_clock_went_forward() -> None:
    berlin = Berlin()
    build = Observation(uploaded_at=datetime(2026, 3, 28, 12, tzinfo=berlin))
    noon = datetime(2026, 3, 29, 12, tzinfo=berlin)
    assert the(only("min-age"), build, noon).state is PENDING  # 23 hours
    assert the(only("min-age"), build, noon + HOUR).state is PASSED
    assert the(only("min-age"), build, datetime(2026, 3, 29, 11, tzinfo=UTC)).state is PASSED
    assert the(only("max-age"), build, datetime(2026, 3, 29, 11, 0, 1, tzinfo=UTC)).state is FAILED


def test_of_the_two_times_of_the_hour_before_the_clock_goes_back_the_safe_one_counts() -> None:
    build = Observation(uploaded_at=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")))  # 0:30 or 1:30 UTC
    later = datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert the(only("min-age"), build, later).state is PASSED
    assert the(only("min-age"), build, later - SECOND).state is PENDING
    assert the(only("max-age"), build, later - HOUR).state is PASSED
    assert the(only("max-age"), build, later - HOUR + SECOND).state is FAILED
    half = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)  # the later one is yet to come
    assert the(only("min-age", min_age=HOUR / 2), build, half).state is PASSED


@pytest.mark.parametrize("check", ["min-age", "max-age"])
def test_a_time_of_an_unknown_zone_is_an_error_on_either_side(check: str) -> None:
    for uploaded, now in ((NOW, NOW.replace(tzinfo=None)), (NOW.replace(tzinfo=None),) * 2):
        assert the(only(check), Observation(uploaded_at=uploaded), now).state is ERROR


@pytest.mark.parametrize(
    ("check", "otherwise", "observed", "threshold", "reason"),
    [
        ("min-age", ago(26 * HOUR + 5 * SECOND), "1d 2h 5s", "at least 1d", ""),
        ("min-age", ago(timedelta(0)), "0s", "at least 1d", "1d to go."),
        ("min-age", ago(-HOUR), "uploaded 2026-03-10 13:00:00+00:00", "at least 1d", "That is in the future (now is 2026-03-10 12:00:00+00:00): check timezone and this machine's clock."),
        ("min-sessions", counted(1234567, 0), "1234567", "at least 100", ""),
        ("min-sessions", counted(0, 0, has_sdk=False), "0", "at least 100", "The build is without the SDK, so nothing of it is recorded."),
        ("max-crashes", counted(300, 0), "0", "at most 1", "No crash in 300 sessions proves a rate of at most 0.994 % (at 95 %, about 3/n)."),
        ("max-crashes", counted(0, 0), "0", "at most 1", "Nobody has used it yet: zero sessions show nothing."),
        ("max-crash-rate", counted(300, 3), "1 % (3 in 300 sessions)", "at most 1 %", ""),
        ("max-crash-rate", counted(1, 0), "0 % (0 in 1 session)", "at most 1 %", "No crash in 1 session proves a rate of at most 95.1 % (at 95 %, about 3/n)."),
        ("max-crash-rate", counted(9, 0, has_sdk=None), "unknown", "at most 1 %", "The service does not tell whether the build has the SDK."),
        ("feedback-block-pattern", {"feedbacks": ["a", "blocker:\n no sound"]}, "1 of 2", "none with (?i)blocker", "One says: blocker: no sound"),
        ("min-coverage", {}, "1 of 2 testers", "at least 50 % of QA", ""),
        ("require-tags", {"tags": []}, "none", "all of rc", "Missing: rc."),
        ("forbid-tags", {"tags": ["a", "Blocked"]}, "a, Blocked", "none of blocked", "There: blocked."),
        ("max-crash-rate-increase", {}, "1 %, was 0.5 %", "at most 0.5 % points more", ""),
        ("max-crashed-session-rate", counted(101, 0), "1 % (1 of 100)", "at most 1 %", "The service shows 100 of 101 sessions."),
    ],
)  # fmt: skip
def test_what_a_check_tells(check: str, otherwise: dict[str, Any], observed: str, threshold: str, reason: str) -> None:
    found = the(only(check), replace(GOOD, **otherwise))
    assert (found.observed, found.threshold, found.reason) == (observed, threshold, reason)


def test_how_sure_it_is_stands_beside_the_rate() -> None:
    found = the(only("max-crash-rate", confidence=0.95, max_crash_rate=0.1234567), replace(GOOD, **counted(100, 5)))
    assert found.observed == "5 % (5 in 100 sessions), at most 10.3 % at 0.95"  # 10.225 %, rounded up
    assert found.threshold == "at most 12.34567 % at 0.95 confidence"


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.01, "1 %"), (0.0035, "0.35 %"), (Fraction(1, 3), "33.3 %"), (0.07, "7 %"), (12, "1200 %"), (0.0, "0 %")],
)
def test_percent(rate: float | Fraction, text: str) -> None:
    assert percent(rate) == text


# --- The statistics -----------------------------------------------------------------------------------


def at_most(crashes: int, count: int, rate: Fraction) -> Fraction:
    """The binomial probability of at most so many crashes, exactly."""
    return sum(
        (math.comb(count, one) * rate**one * (1 - rate) ** (count - one) for one in range(crashes + 1)), Fraction(0)
    )


@pytest.mark.parametrize(
    ("crashes", "count", "confidence", "bound"),
    [
        (0, 1, 0.95, 0.95),
        (0, 20, 0.95, 0.1391083),
        (0, 300, 0.95, 0.00993608),
        (1, 10, 0.95, 0.3941633),
        (1, 300, 0.95, 0.01571455),
        (10, 100, 0.975, 0.1762226),  # the upper end of the two-sided interval at 95 %
        (5, 10, 0.975, 0.8129136),
        (9, 10, 0.95, 0.9948838),
        (0, 10**9, 0.95, 2.9957323e-9),
        (7, 7, 0.95, 1.0),
        (8, 7, 0.95, 1.0),
        (0, 0, 0.95, 1.0),
        (-1, 7, 0.95, 1.0),
        (0, -7, 0.95, 1.0),
        (0, 7, 1.0, 1.0),
        (0, 7, 0.0, 1.0),
        (0, 7, math.nan, 1.0),
        (50, 100, 0.05, 0.5),  # where it would be below the rate itself
    ],
)
def test_known_bounds(crashes: int, count: int, confidence: float, bound: float) -> None:
    assert upper_bound(crashes, count, confidence) == pytest.approx(bound, rel=1e-6 if bound < 1 else 0)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))), st.floats(0.5, 0.999999))
def test_the_bound_is_the_rate_at_which_so_few_crashes_are_just_too_unlikely(few: tuple[int, int], sure: float) -> None:
    bound = Fraction(upper_bound(*few, sure))
    accuracy = Fraction(1, 10**11)
    assert at_most(*few, bound * (1 - accuracy)) > 1 - Fraction(sure)
    assert at_most(*few, min(Fraction(1), bound * (1 + accuracy))) < 1 - Fraction(sure)


@pytest.mark.parametrize(("crashes", "count"), [(3, 10**9), (1000, 10**6), (2 * 10**5, 10**9), (10**6, 10**9)])
def test_the_bound_holds_for_huge_counters(crashes: int, count: int) -> None:
    bound = Decimal(upper_bound(crashes, count, 0.95))
    odds = bound / (1 - bound)
    total = term = (count * (1 - bound).ln()).exp()  # 28 digits, from no crash at all upwards
    for one in range(crashes):
        term *= (count - one) * odds / (one + 1)
        total += term
    assert float(total) == pytest.approx(0.05, rel=1e-7)


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(0, 3000), st.floats(0.5, 0.999999))
def test_the_bound_falls_with_sessions_and_rises_with_crashes_and_confidence(n: int, k: int, sure: float) -> None:
    bound = upper_bound(k, n, sure)
    assert min(1.0, k / n) <= bound <= 1.0
    assert upper_bound(k, n + 1, sure) <= bound <= upper_bound(k + 1, n, sure)
    assert upper_bound(k, n, (sure + 1) / 2) >= bound


# --- Whatever is seen ---------------------------------------------------------------------------------

# The ordinary is likelier: most of what is odd makes all the rest of no account.
ODD = [None, -1, math.nan, math.inf]
COUNTERS: st.SearchStrategy[Any] = st.sampled_from([*[*range(13)] * 4, 1000, 10**9, *ODD])
SDK = st.sampled_from([*[True] * 10, False, None])


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Sometimes None."""
    return st.sampled_from([True] * 7 + [False]).flatmap(lambda known: values if known else st.none())


COUNTS = st.builds(Counts, COUNTERS, COUNTERS, SDK)
CRASHED = st.sampled_from([*[False] * 4, True, True, None])
MINUTES = st.sampled_from([0.0, 0.5, 1 / 3, 2.0, 7.25, -3.0, math.nan, math.inf, None])
PEOPLE = st.lists(st.sampled_from(["a", "A", "b", "c", "d", ""]), max_size=5)
RECORDED = st.lists(st.builds(Recorded, CRASHED, MINUTES, st.sampled_from(["S9", "s9", "Pixel", "", None])), max_size=6)
TAGS = st.lists(st.sampled_from(["rc", "RC", "qa", "blocked", "Blocked"]), max_size=3)
TEXTS = st.lists(st.sampled_from(["fine", "blocker", "BLOCKER: no sound", None]), max_size=4)


@st.composite
def seens(draw: st.DrawFn) -> Observation:
    """What may be seen; in most of it the sessions are as many as are counted."""
    recorded = draw(maybe(RECORDED))
    counts = draw(COUNTS)
    if recorded is not None and draw(st.sampled_from([True] * 5 + [False])):
        counts = replace(counts, sessions=len(recorded))
    return Observation(
        uploaded_at=draw(maybe(TIMES)),
        counts=counts,
        testers=draw(COUNTERS),
        downloads=draw(COUNTERS),
        feedbacks=draw(maybe(TEXTS)),
        feedbacks_complete=draw(st.sampled_from([True, True, True, False])),
        tags=draw(maybe(TAGS)),
        members=draw(maybe(PEOPLE)),
        users=draw(maybe(PEOPLE)),
        baseline=draw(maybe(COUNTS)),
        recorded=recorded,
    )


ZONES = st.sampled_from([UTC, timezone(14 * HOUR), timezone(-12 * HOUR), Berlin(), None])
TIMES = st.datetimes(timezones=ZONES) | st.builds(
    lambda hours, zone: (NOW + hours * HOUR).replace(tzinfo=zone), st.integers(-60, 20), ZONES
)
SPANS = st.integers(0, 50).map(lambda hours: hours * HOUR)
SOME_RATES = st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.25, Fraction(1, 3), 0.5, 0.75, 1.0])
FEW = st.integers(0, 8)
EVIDENCE = {"min_sessions", "confidence"}
ASKED: dict[str, st.SearchStrategy[Any]] = {
    "min_age": SPANS,
    "max_age": SPANS,
    "min_sessions": FEW,
    "min_downloads": FEW,
    "min_testers": FEW,
    "max_crashes": FEW,
    "max_crash_rate": SOME_RATES,
    "confidence": st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.999999, 1.0]),
    "max_feedbacks": st.integers(0, 3),
    "feedback_block_pattern": st.sampled_from([re.compile("(?i)blocker"), re.compile("^blocker$"), re.compile("")]),
    "min_coverage": SOME_RATES,
    "require_tags": TAGS,
    "forbid_tags": TAGS,
    "max_crash_rate_increase": SOME_RATES,
    "max_crashed_session_rate": SOME_RATES,
    "min_session_minutes": st.sampled_from([0.0, 0.5, 1, 7.25, 20]),
    "min_devices": st.integers(0, 3),
}


@st.composite
def thresholds(draw: st.DrawFn, *, of: st.SearchStrategy[bool] = st.just(True)) -> Thresholds:  # noqa: B008
    """Everything, or some of what can be asked for; with and without what others are judged by."""
    either = st.booleans()
    asked = {name: draw(values) for name, values in ASKED.items() if draw(either if name in EVIDENCE else of)}
    return Thresholds(**asked, coverage_groups=["QA"] if "min_coverage" in asked else None)


def names(asked: Thresholds) -> list[str]:
    """The checks that are asked for."""
    values = {name: getattr(asked, name) for name in ASKED if name not in CONTEXT}
    return [name.replace("_", "-") for name, value in values.items() if value is not None and value != []]


@settings(deadline=None)
@given(thresholds(of=st.booleans()), seens(), TIMES)
def test_every_check_that_is_asked_for_has_one_result(asked: Thresholds, seen: Observation, now: datetime) -> None:
    checks = judge(asked, seen, now)
    assert [check.name for check in checks] == names(asked)
    for check in checks:
        assert check.observed
        assert check.threshold or check.name == "feedback-block-pattern"
        assert check.reason or check.state in {PASSED, PENDING, FAILED}
        assert "\n" not in check.reason


@settings(deadline=None)
@given(thresholds(), seens(), TIMES, st.randoms(use_true_random=False))
def test_neither_order_nor_company_of_checks_matters(
    asked: Thresholds, seen: Observation, now: datetime, chance: Any
) -> None:
    checks = judge(asked, seen, now)
    shuffled = chance.sample(checks, len(checks))
    assert worst(shuffled) is worst(checks)
    assert sorted(settled(shuffled), key=repr) == sorted(settled(checks), key=repr)
    for check in checks:
        wanted = {
            check.name.replace("-", "_"),
            *EVIDENCE,
            *(["coverage_groups"] if check.name == "min-coverage" else []),
        }
        alone = Thresholds(**{name: value for name, value in vars(asked).items() if name in wanted})
        assert check in judge(alone, seen, now)


def more_crashes(seen: Observation, more: int, which: Sequence[bool]) -> Observation:
    """The same with more crashes, and with sessions crashed that were not."""
    crashes, recorded = seen.counts.crashes, seen.recorded
    if type(crashes) is int:
        crashes += more
    if recorded is not None:
        turned = [*which, *[False] * len(recorded)]
        recorded = [
            replace(one, crashed=True) if one.crashed is False and turn else one
            for one, turn in zip(recorded, turned, strict=False)
        ]
    return replace(seen, counts=replace(seen.counts, crashes=crashes), recorded=recorded)


@settings(deadline=None, max_examples=800)
@given(thresholds(), seens(), st.integers(0, 20), st.lists(st.booleans(), max_size=6))
def test_more_crashes_never_make_anything_better(
    asked: Thresholds, seen: Observation, more: int, which: list[bool]
) -> None:
    assume(seen.counts.crashes != -1)  # one more than no counter is one
    worse = more_crashes(seen, more, which)
    before, after = states(asked, seen), states(asked, worse)
    assert all(after[name] >= state for name, state in before.items())
    assert worst(judge(asked, worse, NOW)) >= worst(judge(asked, seen, NOW))


def fewer(count: Any, by: int) -> Any:
    return count - by if type(count) is int else count


def fewer_sessions(seen: Observation, by: int) -> Observation:
    """So many sessions without a crash never were."""
    if seen.recorded is None:
        return replace(seen, counts=replace(seen.counts, sessions=fewer(seen.counts.sessions, by)))
    fine = [one for one in seen.recorded if one.crashed is False][:by]
    left = [one for one in seen.recorded if not any(one is gone for gone in fine)]
    gone = len(seen.recorded) - len(left)
    return replace(seen, counts=replace(seen.counts, sessions=fewer(seen.counts.sessions, gone)), recorded=left)


def hide_sessions(seen: Observation, kinds: set[bool | None]) -> Observation:
    """Sessions that crashed, did not, or may have, are not shown any more; as many are counted."""
    recorded, count = seen.recorded, seen.counts.sessions
    if recorded is None or (type(count) is int and count < len(recorded)):  # none is shown that is not counted
        return seen
    return replace(seen, recorded=[one for one in recorded if one.crashed not in kinds])


def change(items: Sequence[Any] | None, which: int, **fields: Any) -> list[Any] | None:
    """One of the recorded sessions with a field unknown."""
    return items and [  # type: ignore[return-value]
        replace(one, **fields) if turn == which % len(items) else one for turn, one in enumerate(items)
    ]


WEAKER: dict[str, Callable[[Observation, int], Observation]] = {
    **{f"no {name}": lambda seen, _, name=name: without(seen, name) for name in FIELDS},  # type: ignore[misc]
    "fewer sessions": fewer_sessions,
    "fewer testers": lambda seen, by: replace(seen, testers=fewer(seen.testers, by)),
    "fewer downloads": lambda seen, by: replace(seen, downloads=fewer(seen.downloads, by)),
    "fewer users": lambda seen, by: replace(seen, users=seen.users and seen.users[by:]),
    "text unknown": lambda seen, by: replace(
        seen, feedbacks=seen.feedbacks and [None if turn == by else text for turn, text in enumerate(seen.feedbacks)]
    ),
    "older feedbacks pushed out": lambda seen, by: replace(
        seen, feedbacks=seen.feedbacks and seen.feedbacks[by:], feedbacks_complete=False
    ),
    "crashed sessions not shown": lambda seen, _: hide_sessions(seen, {True}),
    "crashed and unclear sessions not shown": lambda seen, _: hide_sessions(seen, {True, None}),
    "fine sessions not shown": lambda seen, _: hide_sessions(seen, {False}),
    **{
        f"{name} of a session unknown": lambda seen, by, name=name: replace(  # type: ignore[misc]
            seen, recorded=change(seen.recorded, by, **{name: None})
        )
        for name in ("crashed", "minutes", "device")
    },
}


@settings(deadline=None, max_examples=800)
@given(thresholds(), seens(), st.integers(0, 8), TIMES | st.just(NOW))
def test_less_evidence_never_makes_anything_passed(
    asked: Thresholds, seen: Observation, by: int, now: datetime
) -> None:
    before = states(asked, seen, now)
    for how, weaken in WEAKER.items():
        after = states(asked, weaken(seen, by), now)
        better = [name for name in before if before[name] is not PASSED and after[name] is PASSED]
        assert not better, how


@settings(deadline=None)
@given(thresholds(), seens(), TIMES, st.timedeltas(timedelta(0), timedelta(days=900)))
def test_time_only_ends_youth(asked: Thresholds, seen: Observation, now: datetime, later: timedelta) -> None:
    try:
        now_later = (now.astimezone(UTC) if now.tzinfo else now) + later
    except OverflowError:
        return
    before, after = states(asked, seen, now), states(asked, seen, now_later)
    assert (before.get("max-age"), after.get("max-age")) != (FAILED, PASSED)
    assert before.get("min-age") is not PASSED or after["min-age"] is PASSED
    assert all(after[name] is state for name, state in before.items() if "age" not in name.split("-"))


@settings(deadline=None)
@given(st.integers(1, 10**6), st.data())
def test_a_rate_exactly_at_its_threshold_passes_and_one_crash_more_fails(count: int, data: st.DataObject) -> None:
    crashes = data.draw(st.integers(0, count - 1))
    asked = only("max-crash-rate", max_crash_rate=Fraction(crashes, count))
    assert the(asked, replace(GOOD, **counted(count, crashes))).state is PASSED
    assert the(asked, replace(GOOD, **counted(count, crashes + 1))).state is FAILED


@settings(deadline=None)
@given(st.integers(0, 9999), st.integers(1, 10**5))
def test_a_float_is_the_decimal_that_it_is_written_as(points: int, times: int) -> None:
    asked = only("max-crash-rate", max_crash_rate=float(f"0.{points:04}"))
    assert the(asked, replace(GOOD, **counted(10_000 * times, points * times))).state is PASSED
    assert the(asked, replace(GOOD, **counted(10_000 * times, points * times + 1))).state is FAILED
    increase = only("max-crash-rate-increase", max_crash_rate_increase=float(f"0.{points:04}"))
    seen = replace(GOOD, baseline=Counts(7, 0, has_sdk=True))
    assert the(increase, replace(seen, **counted(10_000 * times, points * times))).state is PASSED
    assert the(increase, replace(seen, **counted(10_000 * times, points * times + 1))).state is FAILED


# --- The whole gate -----------------------------------------------------------------------------------

SOME_CHECKS = st.lists(
    st.builds(
        Check, st.just("a"), st.sampled_from(CheckState), st.just("1"), st.just("2"), st.sampled_from(["", "Why."])
    )
)


@settings(deadline=None)
@given(SOME_CHECKS)
def test_the_gate_is_as_bad_as_its_worst_check(checks: list[Check]) -> None:
    order = ["passed", "pending", "inconclusive", "error", "failed"]
    assert str(worst(checks)) == order[max((order.index(str(check.state)) for check in checks), default=3)]


@settings(deadline=None)
@given(SOME_CHECKS)
def test_when_no_time_is_left_nothing_is_pending_and_nothing_else_is_changed(checks: list[Check]) -> None:
    after = settled(checks)
    assert len(after) == len(checks)
    for old, new in zip(checks, after, strict=True):
        if old.state is PENDING:
            reason = "Why." if old.reason else "Not met so far."
            assert new == replace(old, state=INCONCLUSIVE, reason=reason)
        else:
            assert new == old
