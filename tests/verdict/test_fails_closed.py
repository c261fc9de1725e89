"""The verdict on whatever hypothesis can think of: less evidence never makes anything passed."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings, strategies as st

from sauce_appdist.verdict.checks import (
    CHECK_ROWS,
    Check,
    CheckState,
    Counts,
    Observation,
    Recorded,
    Thresholds,
    judge,
    settled,
    worst,
)
from verdict.support import (
    ALL,
    FAILED,
    FIELDS,
    GOOD,
    HOUR,
    INCONCLUSIVE,
    NOW,
    PASSED,
    PENDING,
    ROW,
    Berlin,
    counted,
    only,
    states,
    the,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    required = {name for row in CHECK_ROWS if row.threshold in asked for name in row.requires}
    return Thresholds(**asked, **{name: getattr(ALL, name) for name in required})


def names(asked: Thresholds) -> list[str]:
    """The checks that are set, by hand."""
    values = {name: getattr(asked, name) for name in ASKED if name != "confidence"}
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
            *ROW[check.name].requires,
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
