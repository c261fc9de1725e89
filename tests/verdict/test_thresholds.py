"""Each threshold by hand: which state it ends in, and what it tells."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sauce_appdist.verdict.checks import (
    CLOCK_TOLERANCE,
    CheckState,
    Counts,
    Observation,
    Recorded,
    Thresholds,
    judge,
    percent,
    worst,
)
from verdict.support import (
    ALL,
    CHECKS,
    ERROR,
    FAILED,
    FIELDS,
    GOOD,
    HOUR,
    INCONCLUSIVE,
    NEEDS,
    NOW,
    NUMBERS,
    PASSED,
    PENDING,
    RATES,
    SECOND,
    Berlin,
    ago,
    counted,
    only,
    sessions,
    states,
    the,
    without,
)


def test_what_is_just_good_enough_passes_everything() -> None:
    checks = judge(ALL, GOOD, NOW)
    assert [check.name for check in checks] == CHECKS  # the order of the documentation
    assert {check.state for check in checks} == {PASSED}
    assert worst(checks) is PASSED


# fmt: off
ROWS: list[tuple[str, dict[str, Any], dict[str, Any], CheckState]] = [
    # check, thresholds besides, what is seen otherwise than GOOD, state
    ("min-age", {}, ago(24 * HOUR), PASSED),
    ("min-age", {}, ago(24 * HOUR - SECOND), PENDING),
    ("min-age", {}, ago(-CLOCK_TOLERANCE - timedelta(microseconds=1)), ERROR),
    ("min-age", {"min_age": timedelta(0)}, ago(timedelta(0)), PASSED),
    ("min-age", {}, {"uploaded_at": (NOW - 24 * HOUR).replace(tzinfo=None)}, ERROR),
    ("min-age", {}, {"uploaded_at": datetime.min.replace(tzinfo=timezone(HOUR))}, PASSED),
    ("max-age", {}, ago(24 * HOUR), PASSED),
    ("max-age", {}, ago(24 * HOUR + SECOND), FAILED),
    ("max-age", {}, ago(-CLOCK_TOLERANCE - SECOND), ERROR),
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
        ("min-sessions", counted(0, 0, has_sdk=False), "0", "at least 100", "The build does not contain the SDK, so nothing is recorded."),
        ("max-crashes", counted(300, 0), "0", "at most 1", "No crash in 300 sessions proves a rate of at most 0.994 % (at 95 %, about 3/n)."),
        ("max-crashes", counted(0, 0), "0", "at most 1", "Without sessions there is no evidence."),
        ("max-crash-rate", counted(300, 3), "1 % (3 in 300 sessions)", "at most 1 %", ""),
        ("max-crash-rate", counted(1, 0), "0 % (0 in 1 session)", "at most 1 %", "No crash in 1 session proves a rate of at most 95.1 % (at 95 %, about 3/n)."),
        ("max-crash-rate", counted(9, 0, has_sdk=None), "unknown", "at most 1 %", "The service does not report whether the build has the SDK."),
        ("feedback-block-pattern", {"feedbacks": ["a", "blocker:\n no sound"]}, "1 of 2", "none with (?i)blocker", "First match: blocker: no sound"),
        ("min-coverage", {}, "1 of 2 testers", "at least 50 % of QA", ""),
        ("require-tags", {"tags": []}, "none", "all of rc", "Missing: rc."),
        ("forbid-tags", {"tags": ["a", "Blocked"]}, "a, Blocked", "none of blocked", "Found: blocked."),
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


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("St\u00fcrzt ab", "Stu\u0308rzt ab"),
        ("Stu\u0308rzt ab", "St\u00fcrzt ab"),
        ("data loss", "data\u00a0loss"),
        ("data\u00a0loss", "data loss"),
        ("data loss", "data \u00a0loss"),
        ("St\u00fcrzt$", "fine\nStu\u0308rzt"),
    ],
)
def test_a_blocking_feedback_is_found_however_it_is_typed(pattern: str, text: str) -> None:
    thresholds = Thresholds(feedback_block_pattern=re.compile(pattern))
    for said, state in ((text, FAILED), ("fine", PASSED)):
        [check] = judge(thresholds, Observation(feedbacks=[said], feedbacks_complete=True), NOW)
        assert check.state is state


@pytest.mark.parametrize("ahead", [timedelta(seconds=2), timedelta(minutes=5)])
def test_clocks_may_differ_by_minutes(ahead: timedelta) -> None:
    """An upload that is ahead of this machine's clock has the age 0: pending, and not an error."""
    observation = Observation(uploaded_at=NOW + ahead)
    checks = judge(Thresholds(min_age=timedelta(hours=1), max_age=timedelta(hours=2)), observation, NOW)
    assert [(check.state, check.observed) for check in checks] == [(PENDING, "0s"), (PASSED, "0s")]
    [later] = judge(Thresholds(min_age=timedelta(0)), Observation(uploaded_at=NOW + ahead + timedelta(minutes=5)), NOW)
    assert later.state is ERROR
