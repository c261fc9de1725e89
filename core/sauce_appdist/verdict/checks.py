"""Whether a build is good enough, decided from what was seen of it: a pure function of thresholds, sightings and time.

It fails closed: what cannot be read, or is not enough, never counts as good. More crashes never make a verdict better,
less evidence never makes one passed (`tests/verdict/test_fails_closed.py` holds that for everything that hypothesis can think of).
"""

from __future__ import annotations

import enum
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context
from fractions import Fraction
from typing import TYPE_CHECKING

from sauce_appdist.text import one_line, plural, span
from sauce_appdist.verdict.statistics import upper_bound

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence

# A float is the decimal that it is written as: 0.01 is exactly a hundredth.
Rate = float | Fraction


SAME_BUILD = "same-build"  # a check that is only there where it did not pass: the build may not be the one that it was


class CheckState(enum.IntEnum):
    """How a check ended; the gate takes the worst."""

    PASSED = 0
    PENDING = 1
    INCONCLUSIVE = 2
    ERROR = 3
    FAILED = 4

    def __str__(self) -> str:
        return self.name.lower()


_RATES = {"max_crash_rate", "confidence", "min_coverage", "max_crash_rate_increase", "max_crashed_session_rate"}


@dataclass(frozen=True)
class Thresholds:
    """What is asked for; None is not asked, nor is an empty list. Rates are fractions of 1.

    Raises ValueError for what nothing could be judged by.
    """

    min_age: timedelta | None = None
    max_age: timedelta | None = None
    min_sessions: int | None = None
    min_downloads: int | None = None
    min_testers: int | None = None
    max_crashes: int | None = None
    max_crash_rate: Rate | None = None
    confidence: float | None = None
    max_feedbacks: int | None = None
    feedback_block_pattern: re.Pattern[str] | None = None
    coverage_groups: Sequence[str] | None = None
    min_coverage: Rate | None = None
    require_tags: Sequence[str] | None = None
    forbid_tags: Sequence[str] | None = None
    max_crash_rate_increase: Rate | None = None
    max_crashed_session_rate: Rate | None = None
    min_session_minutes: float | None = None
    min_devices: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            number = value.total_seconds() if isinstance(value, timedelta) else value
            most = 1 if name in _RATES else sys.float_info.max
            if isinstance(number, (int, float, Fraction)) and not 0 <= number <= most:
                raise ValueError(f"Nothing can be judged by {name}={value}.")
        if bool(self.coverage_groups) is (self.min_coverage is None):
            raise ValueError("coverage_groups and min_coverage belong together.")


@dataclass(frozen=True)
class Counts:
    """Crashes and sessions of a build; None is unknown."""

    sessions: int | None = None
    crashes: int | None = None
    has_sdk: bool | None = None


@dataclass(frozen=True)
class Recorded:
    """A recorded session."""

    crashed: bool | None = None
    minutes: float | None = None
    device: str | None = None


@dataclass(frozen=True)
class Observation:
    """What one look at a build told; None is unknown."""

    uploaded_at: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    testers: int | None = None
    downloads: int | None = None
    feedbacks: Sequence[str | None] | None = None
    feedbacks_complete: bool = False  # False: there may be more of this build than the service shows
    tags: Sequence[str] | None = None
    members: Sequence[str] | None = None
    users: Sequence[str] | None = None
    baseline: Counts | None = None
    recorded: Sequence[Recorded] | None = None


@dataclass(frozen=True)
class Check:
    """One check: what was seen, what was asked for, and why it ended so.

    So much time `to_go` is needed for it in any case.
    """

    name: str
    state: CheckState
    observed: str
    threshold: str
    reason: str = ""
    to_go: timedelta = timedelta(0)

    def __str__(self) -> str:
        return f"{self.observed}, asked for {self.threshold}"


def judge(asked: Thresholds, seen: Observation, now: datetime) -> list[Check]:
    """Every check that is asked for, in the order of the documentation."""
    return [check for make in _CHECKS if (check := make(asked, seen, now))]


def worst(checks: Iterable[Check]) -> CheckState:
    """The state of the gate: the worst of its checks; without any it is an error, never a pass."""
    return max((check.state for check in checks), default=CheckState.ERROR)


def settled(checks: Iterable[Check]) -> list[Check]:
    """The checks when no more time is left: what was pending cannot be told."""
    return [
        replace(one, state=CheckState.INCONCLUSIVE, reason=one.reason or "Not met so far.")
        if one.state is CheckState.PENDING
        else one
        for one in checks
    ]


# --- The checks, in the order of the documentation ----------------------------------------------------


def _age(
    name: str, limit: timedelta | None, seen: Observation, now: datetime, *, younger: CheckState, older: CheckState
) -> Check | None:
    """Of the two times that the hour before the clock goes back may mean, it is the one that is the safe side."""
    if limit is None:
        return None
    uploaded = seen.uploaded_at
    threshold = f"at {'least' if older is CheckState.PASSED else 'most'} {span(limit.total_seconds())}"
    if uploaded is None:
        why = "The service does not tell when it was uploaded."
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, why)
    offsets, now_offset = [uploaded.replace(fold=fold).utcoffset() for fold in (0, 1)], now.utcoffset()
    if None in offsets or now_offset is None:
        return Check(
            name, CheckState.ERROR, f"uploaded {_time(uploaded)}", threshold, "The zone of that time is unknown."
        )
    # Not `now - uploaded`: where both have the same zone, that forgets a change of the clock in between.
    apart = now.replace(tzinfo=None) - uploaded.replace(tzinfo=None) - now_offset
    ages = [age for offset in offsets if offset is not None and (age := apart + offset) >= timedelta(0)]
    if not ages:
        why = f"That is in the future (now is {_time(now)}): check timezone and this machine's clock."
        return Check(name, CheckState.ERROR, f"uploaded {_time(uploaded)}", threshold, why)
    age = min(ages) if older is CheckState.PASSED else max(ages)
    state = older if age > limit else younger if age < limit else CheckState.PASSED
    if state is CheckState.PENDING:
        why = f"{span((limit - age).total_seconds())} to go."
        return Check(name, state, span(age.total_seconds()), threshold, why, to_go=limit - age)
    return Check(name, state, span(age.total_seconds()), threshold)


def _min_age(asked: Thresholds, seen: Observation, now: datetime) -> Check | None:
    return _age("min-age", asked.min_age, seen, now, younger=CheckState.PENDING, older=CheckState.PASSED)


def _max_age(asked: Thresholds, seen: Observation, now: datetime) -> Check | None:
    return _age("max-age", asked.max_age, seen, now, younger=CheckState.PASSED, older=CheckState.FAILED)


def _at_least(name: str, wanted: float | None, value: Rate | None, what: str) -> Check | None:
    if wanted is None:
        return None
    threshold = f"at least {wanted:.10g}"
    if value is None:
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, f"The service does not tell {what}.")
    state = CheckState.PASSED if value >= _exact(wanted) else CheckState.PENDING
    return Check(name, state, f"{float(value):.10g}", threshold)


def _min_sessions(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    return _recordable(_at_least("min-sessions", asked.min_sessions, known(seen.counts.sessions), "the sessions"), seen)


def _min_downloads(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    return _at_least("min-downloads", asked.min_downloads, known(seen.downloads), "the downloads")


def _min_testers(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    return _at_least("min-testers", asked.min_testers, known(seen.testers), "the testers")


_NO_SDK = "The build is without the SDK, so nothing of it is recorded."


def _recordable(check: Check | None, seen: Observation) -> Check | None:
    """Without the SDK there will never be more than there is."""
    if check and check.state is CheckState.PENDING and seen.counts.has_sdk is False:
        return replace(check, state=CheckState.INCONCLUSIVE, reason=_NO_SDK)
    return check


def _evidence(counts: Counts, least: int | None = None) -> tuple[CheckState, str, str]:
    """Passed where crashes can be judged; else the state of the check, what to show as seen, and why."""
    sessions = known(counts.sessions)
    if counts.has_sdk is not True:
        why = _NO_SDK if counts.has_sdk is False else "The service does not tell whether the build has the SDK."
    elif sessions is None or known(counts.crashes) is None:
        why = "The service does not tell crashes and sessions as numbers."
    elif sessions < (least or 0):
        why = f"Not judged below min-sessions ({least}): {plural(sessions, 'session')} so far."
        return CheckState.PENDING, "not judged yet", why
    elif sessions == 0:
        return CheckState.PENDING, "not judged yet", "Nobody has used it yet: zero sessions show nothing."
    else:
        return CheckState.PASSED, "", ""
    return CheckState.INCONCLUSIVE, "unknown", why


def _max_crashes(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    if asked.max_crashes is None:
        return None
    crashes = known(seen.counts.crashes)
    state, shown, why = _evidence(seen.counts)
    if crashes is not None:
        shown = str(crashes)
        if crashes > asked.max_crashes:  # whatever else is unknown
            state, why = CheckState.FAILED, ""
        elif state is CheckState.PASSED:
            why = _proves(seen.counts)
    return Check("max-crashes", state, shown, f"at most {asked.max_crashes}", why)


def _max_crash_rate(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    limit, confidence, counts = asked.max_crash_rate, asked.confidence, seen.counts
    if limit is None:
        return None
    threshold = f"at most {_limit(limit)}" + ("" if confidence is None else f" at {confidence:.10g} confidence")
    state, shown, why = _evidence(counts, asked.min_sessions)
    if state is CheckState.PASSED:
        crashes, sessions = counts.crashes or 0, counts.sessions or 0
        shown = f"{percent(_rate(counts))} ({crashes} in {plural(sessions, 'session')})"
        if _rate(counts) > _exact(limit):
            state = CheckState.FAILED
        elif confidence is None:
            why = _proves(counts)
        else:
            bound = upper_bound(crashes, sessions, confidence)
            shown += f", at most {_bound(bound)} at {confidence:.10g}"
            if bound > _exact(limit):
                state, why = CheckState.PENDING, "More sessions are needed to be that sure."
    return Check("max-crash-rate", state, shown, threshold, why)


_NO_FEEDBACKS = "The service does not tell the feedbacks."
_MORE = "There may be more of this build, which the service does not show, or does not say the build of."


def _max_feedbacks(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    if asked.max_feedbacks is None:
        return None
    name, threshold = "max-feedbacks", f"at most {asked.max_feedbacks}"
    if seen.feedbacks is None:
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, _NO_FEEDBACKS)
    shown = str(len(seen.feedbacks)) + ("" if seen.feedbacks_complete else " or more")
    if len(seen.feedbacks) > asked.max_feedbacks:
        return Check(name, CheckState.FAILED, shown, threshold)
    if not seen.feedbacks_complete:
        return Check(name, CheckState.INCONCLUSIVE, shown, threshold, _MORE)
    return Check(name, CheckState.PASSED, shown, threshold)


def _feedback_block_pattern(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    pattern = asked.feedback_block_pattern
    if pattern is None:
        return None
    name, threshold = "feedback-block-pattern", f"none with {pattern.pattern}"
    if seen.feedbacks is None:
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, _NO_FEEDBACKS)
    blocking = [text for text in seen.feedbacks if text is not None and pattern.search(text)]
    shown = f"{len(blocking) or 'none'} of {len(seen.feedbacks)}"
    if blocking:
        return Check(name, CheckState.FAILED, shown, threshold, f"One says: {one_line(blocking[0], 120)}")
    if not seen.feedbacks_complete or None in seen.feedbacks:
        why = _MORE if not seen.feedbacks_complete else "The service does not tell what every feedback says."
        return Check(name, CheckState.INCONCLUSIVE, f"{shown} so far", threshold, why)
    return Check(name, CheckState.PASSED, shown, threshold)


def _coverage(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    if asked.min_coverage is None:
        return None
    groups = ", ".join(asked.coverage_groups or [])
    name, threshold = "min-coverage", f"at least {_limit(asked.min_coverage)} of {groups}"
    if seen.members is None or seen.users is None:
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, "The service does not tell who has used it.")
    members = {one.casefold() for one in seen.members}
    if not members:
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, "These groups have no testers.")
    used = members & {one.casefold() for one in seen.users if one}
    state = CheckState.PASSED if Fraction(len(used), len(members)) >= _exact(asked.min_coverage) else CheckState.PENDING
    return _recordable(Check(name, state, f"{len(used)} of {plural(len(members), 'tester')}", threshold), seen)


def _tags(name: str, threshold: str, seen: Observation, found: Sequence[str], what: str) -> Check:
    if seen.tags is None:
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, "This service does not show tags.")
    state, why = (CheckState.FAILED, f"{what}: {', '.join(found)}.") if found else (CheckState.PASSED, "")
    return Check(name, state, ", ".join(seen.tags) or "none", threshold, why)


def _require_tags(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    if not (tags := asked.require_tags):
        return None
    missing = [tag for tag in tags if tag not in (seen.tags or ())]
    return _tags("require-tags", f"all of {', '.join(tags)}", seen, missing, "Missing")


def _forbid_tags(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    if not (tags := asked.forbid_tags):
        return None
    there = {tag.strip().casefold() for tag in seen.tags or ()}  # `Blocked` is `blocked`: that is the safe side
    found = [tag for tag in tags if tag.strip().casefold() in there]
    return _tags("forbid-tags", f"none of {', '.join(tags)}", seen, found, "There")


def _increase(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    limit, before = asked.max_crash_rate_increase, seen.baseline
    if limit is None:
        return None
    state, shown, why = _evidence(seen.counts, asked.min_sessions)
    if state is CheckState.PASSED:
        if before is None:
            state, shown, why = CheckState.INCONCLUSIVE, "unknown", "There is no build to compare it with."
        else:
            state, shown, why = _evidence(before, asked.min_sessions)
            if state is CheckState.PASSED:
                shown = f"{percent(_rate(seen.counts))}, was {percent(_rate(before))}"
                if _rate(seen.counts) - _rate(before) > _exact(limit):
                    state = CheckState.FAILED
            else:
                state, why = CheckState.INCONCLUSIVE, f"Of the build before: {why}"
    return Check("max-crash-rate-increase", state, shown, f"at most {_limit(limit)} points more", why)


def _crashed_sessions(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    limit = asked.max_crashed_session_rate
    if limit is None:
        return None
    name, threshold, recorded = "max-crashed-session-rate", f"at most {_limit(limit)}", seen.recorded
    if recorded is None:
        return Check(name, CheckState.INCONCLUSIVE, "unknown", threshold, "The service shows no recorded sessions.")
    crashed = sum(one.crashed is True for one in recorded)
    state, shown, why = _evidence(Counts(len(recorded), crashed, seen.counts.has_sdk), asked.min_sessions)
    if state is CheckState.PASSED:
        counted = known(seen.counts.sessions)
        shown = f"{percent(Fraction(crashed, len(recorded)))} ({crashed} of {len(recorded)})"
        if Fraction(crashed, max(len(recorded), counted or 0)) > _exact(limit):  # whatever else is unknown
            state = CheckState.FAILED
        elif counted is None or any(one.crashed is None for one in recorded):
            state, why = CheckState.INCONCLUSIVE, "The service does not tell of every session whether it crashed."
        elif counted != len(recorded):
            state, why = CheckState.PENDING, f"The service shows {len(recorded)} of {plural(counted, 'session')}."
    return Check(name, state, shown, threshold, why)


def _session_minutes(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    minutes = None
    if seen.recorded is not None:  # in whole milliseconds, so that thirds of a minute add up
        lengths = [one.minutes for one in seen.recorded if one.minutes and 0 < one.minutes < 1e9]
        minutes = Fraction(sum(round(length * 60_000) for length in lengths), 60_000)
    check = _at_least("min-session-minutes", asked.min_session_minutes, minutes, "the recorded sessions")
    return _recordable(check, seen)


def _devices(asked: Thresholds, seen: Observation, _: datetime) -> Check | None:
    devices = None
    if seen.recorded is not None:
        devices = len({(one.device or "").strip().casefold() for one in seen.recorded} - {""})
    return _recordable(_at_least("min-devices", asked.min_devices, devices, "the recorded sessions"), seen)


# --- Small things -------------------------------------------------------------------------------------


def crash_rate(counts: Counts) -> float | None:
    """Crashes per session; None where nothing can be said of crashes."""
    return float(_rate(counts)) if _evidence(counts)[0] is CheckState.PASSED else None


def known(count: int | None) -> int | None:
    """A counter, if it is one. What is below zero, or no whole number, is no counter."""
    return count if type(count) is int and count >= 0 else None


def _exact(rate: Rate) -> Fraction:
    return Fraction(str(rate))


def _rate(counts: Counts) -> Fraction:
    """Of counts that are evidence."""
    return Fraction(counts.crashes or 0, counts.sessions or 0)


def _proves(counts: Counts) -> str:
    """What no crash in so many sessions proves (the rule of three: about 3/n)."""
    if counts.crashes or not counts.sessions:
        return ""
    bound = _bound(upper_bound(0, counts.sessions, 0.95))
    return f"No crash in {plural(counts.sessions, 'session')} proves a rate of at most {bound} (at 95 %, about 3/n)."


def percent(rate: Rate, *, digits: int = 3, rounding: str = ROUND_HALF_EVEN) -> str:
    """`1 %`, `0.35 %`."""
    number = Context(prec=digits, rounding=rounding).create_decimal_from_float(float(rate) * 100)
    return f"{float(number):.10g} %"


def _limit(rate: Rate) -> str:
    """A threshold as it was asked for."""
    return percent(rate, digits=10)


def _bound(rate: float) -> str:
    """Rounded up: no more is proved."""
    return percent(rate, rounding=ROUND_CEILING)


def _time(at: datetime) -> str:
    return at.isoformat(" ", "seconds")


_CHECKS: tuple[Callable[[Thresholds, Observation, datetime], Check | None], ...] = (
    _min_age,
    _max_age,
    _min_sessions,
    _min_downloads,
    _min_testers,
    _max_crashes,
    _max_crash_rate,
    _max_feedbacks,
    _feedback_block_pattern,
    _coverage,
    _require_tags,
    _forbid_tags,
    _increase,
    _crashed_sessions,
    _session_minutes,
    _devices,
)
