"""Whether a build is good enough, decided from thresholds, an observation and the time: pure functions.

A check is one row of `Thresholds`: its name and type, how it is judged, what has to be read for it, and its words in
the documentation. To add one, write its judgement, its row, and its input in `steps/gate/options.py`.

The gate fails closed: missing or insufficient data never counts as good. More crashes never improve a verdict, and less
evidence never turns one into a pass (`tests/verdict/test_fails_closed.py` holds both with hypothesis).
"""

from __future__ import annotations

import enum
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from sauce_appdist.text import folded, one_line, plural, span, visible
from sauce_appdist.verdict.statistics import upper_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
CLOCK_TOLERANCE = timedelta(minutes=5)  # an upload so far ahead of our clock was just now
# A float stands for the decimal that it is written as: 0.01 is exactly a hundredth.
Rate = float | Fraction

SAME_BUILD = "same-build"  # a check that no threshold sets: it appears only if the build may have been replaced


class Source(enum.StrEnum):
    """What the gate reads; the value is its name in the documentation."""

    BUILD = "build"  # read for every check, and to see whether it is still the same upload
    SESSIONS = "recorded sessions"
    FEEDBACKS = "feedbacks"
    MEMBERS = "group members"
    BASELINE = "baseline"


class CheckState(enum.IntEnum):
    """The result of a check; the gate takes the worst."""

    PASSED = 0
    PENDING = 1
    INCONCLUSIVE = 2
    ERROR = 3
    FAILED = 4

    def __str__(self) -> str:
        return self.name.lower()


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
    """What the service showed of a build at one moment; None is unknown."""

    uploaded_at: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    testers: int | None = None
    downloads: int | None = None
    feedbacks: Sequence[str | None] | None = None
    feedbacks_complete: bool = False  # False: this build may have more feedbacks than the service shows
    tags: Sequence[str] | None = None
    members: Sequence[str] | None = None
    users: Sequence[str] | None = None
    baseline: Counts | None = None
    recorded: Sequence[Recorded] | None = None


@dataclass(frozen=True)
class Check:
    """The result of one check: what was observed, the threshold, and the reason for the state.

    `to_go` is the least time until the check can pass.
    """

    name: str
    state: CheckState
    observed: str
    threshold: str
    reason: str = ""
    to_go: timedelta = timedelta(0)

    def __str__(self) -> str:
        return f"{self.observed}, expected {self.threshold}"


class Case(NamedTuple):
    """What a check is judged from, apart from its own threshold."""

    name: str
    thresholds: Thresholds
    observation: Observation
    now: datetime

    def check(self, state: CheckState, observed: str, threshold: str, reason: str = "") -> Check:
        """The result of this check."""
        return Check(self.name, state, observed, threshold, reason)

    def unknown(self, threshold: str, reason: str) -> Check:
        """An inconclusive result: the service does not show what the check needs."""
        return self.check(CheckState.INCONCLUSIVE, "unknown", threshold, reason)


# --- Judgements, in the order of the documentation ----------------------------------------------------


def _age(limit: timedelta, case: Case, *, younger: CheckState, older: CheckState) -> Check:
    """Judge the age. In the hour before the clock goes back a time has two meanings; the safe one counts."""
    uploaded, now = case.observation.uploaded_at, case.now
    threshold = f"at {'least' if older is CheckState.PASSED else 'most'} {span(limit.total_seconds())}"
    if uploaded is None:
        return case.unknown(threshold, "The service does not report when the build was uploaded.")
    shown = f"uploaded {_time(uploaded)}"
    offsets, now_offset = [uploaded.replace(fold=fold).utcoffset() for fold in (0, 1)], now.utcoffset()
    if None in offsets or now_offset is None:
        return case.check(CheckState.ERROR, shown, threshold, "The time zone of that time is unknown.")
    # Not `now - uploaded`: if both have the same zone, that ignores a change of the clock in between.
    apart = now.replace(tzinfo=None) - uploaded.replace(tzinfo=None) - now_offset
    ages = [age for offset in offsets if offset is not None and (age := apart + offset) >= -CLOCK_TOLERANCE]
    if not ages:
        reason = f"That is in the future (now is {_time(now)}): check timezone and this machine's clock."
        return case.check(CheckState.ERROR, shown, threshold, reason)
    age = max(min(ages) if older is CheckState.PASSED else max(ages), timedelta(0))
    state = older if age > limit else younger if age < limit else CheckState.PASSED
    check = case.check(state, span(age.total_seconds()), threshold)
    if state is CheckState.PENDING:
        return replace(check, reason=f"{span((limit - age).total_seconds())} to go.", to_go=limit - age)
    return check


def _min_age(limit: timedelta, case: Case) -> Check:
    return _age(limit, case, younger=CheckState.PENDING, older=CheckState.PASSED)


def _max_age(limit: timedelta, case: Case) -> Check:
    return _age(limit, case, younger=CheckState.PASSED, older=CheckState.FAILED)


def _at_least(limit: float, value: Rate | None, what: str, case: Case) -> Check:
    threshold = f"at least {limit:.10g}"
    if value is None:
        return case.unknown(threshold, f"The service does not report the {what}.")
    state = CheckState.PASSED if value >= _exact(limit) else CheckState.PENDING
    return case.check(state, f"{float(value):.10g}", threshold)


def _min_sessions(limit: int, case: Case) -> Check:
    return _recordable(_at_least(limit, known(case.observation.counts.sessions), "sessions", case), case)


def _min_downloads(limit: int, case: Case) -> Check:
    return _at_least(limit, known(case.observation.downloads), "downloads", case)


def _min_testers(limit: int, case: Case) -> Check:
    return _at_least(limit, known(case.observation.testers), "testers", case)


_NO_SDK = "The build does not contain the SDK, so nothing is recorded."


def _recordable(check: Check, case: Case) -> Check:
    """The same check, inconclusive instead of pending if the build has no SDK: no more will be recorded."""
    if check.state is CheckState.PENDING and case.observation.counts.has_sdk is False:
        return replace(check, state=CheckState.INCONCLUSIVE, reason=_NO_SDK)
    return check


def _evidence(counts: Counts, least: int | None = None) -> tuple[CheckState, str, str]:
    """Passed if crashes can be judged; else the state of the check, what to show as observed, and the reason."""
    sessions = known(counts.sessions)
    if counts.has_sdk is not True:
        reason = _NO_SDK if counts.has_sdk is False else "The service does not report whether the build has the SDK."
    elif sessions is None or known(counts.crashes) is None:
        reason = "The service does not report crashes and sessions as numbers."
    elif sessions < (least or 0):
        reason = f"Not judged below min-sessions ({least}): {plural(sessions, 'session')} so far."
        return CheckState.PENDING, "not judged yet", reason
    elif sessions == 0:
        return CheckState.PENDING, "not judged yet", "Without sessions there is no evidence."
    else:
        return CheckState.PASSED, "", ""
    return CheckState.INCONCLUSIVE, "unknown", reason


def _max_crashes(limit: int, case: Case) -> Check:
    counts = case.observation.counts
    crashes = known(counts.crashes)
    state, shown, reason = _evidence(counts)
    if crashes is not None:
        shown = str(crashes)
        if crashes > limit:  # whatever else is unknown
            state, reason = CheckState.FAILED, ""
        elif state is CheckState.PASSED:
            reason = _proves(counts)
    return case.check(state, shown, f"at most {limit}", reason)


def _max_crash_rate(limit: Rate, case: Case) -> Check:
    confidence, counts = case.thresholds.confidence, case.observation.counts
    threshold = f"at most {_limit(limit)}" + ("" if confidence is None else f" at {float(confidence):.10g} confidence")
    state, shown, reason = _evidence(counts, case.thresholds.min_sessions)
    if state is CheckState.PASSED:
        crashes, sessions = counts.crashes or 0, counts.sessions or 0
        shown = f"{percent(_rate(counts))} ({crashes} in {plural(sessions, 'session')})"
        if _rate(counts) > _exact(limit):
            state = CheckState.FAILED
        elif confidence is None:
            reason = _proves(counts)
        else:
            bound = upper_bound(crashes, sessions, float(confidence))
            shown += f", at most {_bound(bound)} at {float(confidence):.10g}"
            if bound > _exact(limit):
                state, reason = CheckState.PENDING, "This confidence needs more sessions."
    return case.check(state, shown, threshold, reason)


_NO_FEEDBACKS = "The service does not show feedbacks."
_MORE = (
    "There may be more feedbacks on this build: the service shows only some, or does not say which build they are on."
)


def _max_feedbacks(limit: int, case: Case) -> Check:
    feedbacks, complete = case.observation.feedbacks, case.observation.feedbacks_complete
    threshold = f"at most {limit}"
    if feedbacks is None:
        return case.unknown(threshold, _NO_FEEDBACKS)
    shown = str(len(feedbacks)) + ("" if complete else " or more")
    if len(feedbacks) > limit:
        return case.check(CheckState.FAILED, shown, threshold)
    if not complete:
        return case.check(CheckState.INCONCLUSIVE, shown, threshold, _MORE)
    return case.check(CheckState.PASSED, shown, threshold)


def _feedback_block_pattern(pattern: re.Pattern[str], case: Case) -> Check:
    feedbacks, complete = case.observation.feedbacks, case.observation.feedbacks_complete
    threshold = f"none with {pattern.pattern}"
    if feedbacks is None:
        return case.unknown(threshold, _NO_FEEDBACKS)
    matches = [text for text in feedbacks if text is not None and _finds(pattern, text)]
    shown = f"{len(matches) or 'none'} of {len(feedbacks)}"
    if matches:
        return case.check(CheckState.FAILED, shown, threshold, f"First match: {one_line(matches[0], 120)}")
    if not complete or None in feedbacks:
        reason = "The service does not report the text of every feedback." if complete else _MORE
        return case.check(CheckState.INCONCLUSIVE, f"{shown} so far", threshold, reason)
    return case.check(CheckState.PASSED, shown, threshold)


def _finds(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a pattern finds something in a text, in whatever Unicode form and with whatever blanks each is typed."""
    plain, blanks = re.compile(_typed_plainly(pattern.pattern), pattern.flags), _typed_plainly(text)
    return bool(pattern.search(text) or plain.search(blanks) or plain.search(re.sub(" +", " ", blanks)))


def _typed_plainly(text: str) -> str:
    """In one Unicode form (NFC), with plain blanks, and without what nobody sees."""
    return text if text.isascii() else re.sub(r"[^\S\n\r\t\v\f]", " ", unicodedata.normalize("NFC", visible(text)))


def _min_coverage(limit: Rate, case: Case) -> Check:
    observation = case.observation
    threshold = f"at least {_limit(limit)} of {', '.join(case.thresholds.coverage_groups or ())}"
    if observation.members is None or observation.users is None:
        return case.unknown(threshold, "The service does not report who has used the build.")
    members = {member.casefold() for member in observation.members}
    if not members:
        return case.unknown(threshold, "These groups have no testers.")
    used = members & {user.casefold() for user in observation.users if user}
    state = CheckState.PASSED if Fraction(len(used), len(members)) >= _exact(limit) else CheckState.PENDING
    return _recordable(case.check(state, f"{len(used)} of {plural(len(members), 'tester')}", threshold), case)


def _tags(threshold: str, wrong: Sequence[str], problem: str, case: Case) -> Check:
    """A check that fails if any tag is wrong."""
    tags = case.observation.tags
    if tags is None:
        return case.unknown(threshold, "The service does not show tags.")
    state, reason = (CheckState.FAILED, f"{problem}: {', '.join(wrong)}.") if wrong else (CheckState.PASSED, "")
    return case.check(state, ", ".join(tags) or "none", threshold, reason)


def _require_tags(wanted: Sequence[str], case: Case) -> Check:
    missing = [tag for tag in wanted if tag not in (case.observation.tags or ())]
    return _tags(f"all of {', '.join(wanted)}", missing, "Missing", case)


def _forbid_tags(unwanted: Sequence[str], case: Case) -> Check:
    # `Blocked` is `blocked`, in whatever Unicode form and with whatever blanks: the safe side.
    tags = {folded(tag).casefold() for tag in case.observation.tags or ()}
    found = [tag for tag in unwanted if folded(tag).casefold() in tags]
    return _tags(f"none of {', '.join(unwanted)}", found, "Found", case)


def _max_crash_rate_increase(limit: Rate, case: Case) -> Check:
    counts, baseline, least = case.observation.counts, case.observation.baseline, case.thresholds.min_sessions
    threshold = f"at most {_limit(limit)} points more"
    state, shown, reason = _evidence(counts, least)
    if state is not CheckState.PASSED:
        return case.check(state, shown, threshold, reason)
    if baseline is None:
        return case.unknown(threshold, "There is no earlier build to compare with, or it cannot be determined.")
    state, shown, reason = _evidence(baseline, least)
    if state is not CheckState.PASSED:
        return case.check(CheckState.INCONCLUSIVE, shown, threshold, f"Baseline: {reason}")
    if _rate(counts) - _rate(baseline) > _exact(limit):
        state = CheckState.FAILED
    return case.check(state, f"{percent(_rate(counts))}, was {percent(_rate(baseline))}", threshold)


def _max_crashed_session_rate(limit: Rate, case: Case) -> Check:
    recorded, counts = case.observation.recorded, case.observation.counts
    threshold = f"at most {_limit(limit)}"
    if recorded is None:
        return case.unknown(threshold, _NO_SESSIONS)
    crashed = sum(session.crashed is True for session in recorded)
    state, shown, reason = _evidence(Counts(len(recorded), crashed, counts.has_sdk), case.thresholds.min_sessions)
    if state is CheckState.PASSED:
        counted = known(counts.sessions)
        shown = f"{percent(Fraction(crashed, len(recorded)))} ({crashed} of {len(recorded)})"
        if Fraction(crashed, max(len(recorded), counted or 0)) > _exact(limit):  # whatever else is unknown
            state = CheckState.FAILED
        elif counted is None or any(session.crashed is None for session in recorded):
            state, reason = CheckState.INCONCLUSIVE, "The service does not report for every session whether it crashed."
        elif counted != len(recorded):
            state, reason = CheckState.PENDING, f"The service shows {len(recorded)} of {plural(counted, 'session')}."
    return case.check(state, shown, threshold, reason)


_NO_SESSIONS = "The service does not show recorded sessions."


def _min_session_minutes(limit: float, case: Case) -> Check:
    minutes = None
    if case.observation.recorded is not None:  # in whole milliseconds, so that thirds of a minute add up
        lengths = [one.minutes for one in case.observation.recorded if one.minutes and 0 < one.minutes < 1e9]
        minutes = Fraction(sum(round(length * 60_000) for length in lengths), 60_000)
    return _recordable(_at_least(limit, minutes, "recorded sessions", case), case)


def _min_devices(limit: int, case: Case) -> Check:
    devices = None
    if case.observation.recorded is not None:
        devices = len({(one.device or "").strip().casefold() for one in case.observation.recorded} - {""})
    return _recordable(_at_least(limit, devices, "recorded sessions", case), case)


# --- The table ----------------------------------------------------------------------------------------


class CheckRow(NamedTuple):
    """A check as the table has it; `threshold` is its field in `Thresholds`.

    `passes` and `otherwise` are its words in the documentation. `requires` and `accepts` are the thresholds that it is
    judged with: it makes no sense without the former, and the latter are optional.
    """

    threshold: str
    judgement: Callable[[Any, Case], Check]
    passes: str
    otherwise: str
    reads: frozenset[Source]
    requires: tuple[str, ...]
    accepts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the check and of its input."""
        return self.threshold.replace("_", "-")


def judged_by(
    judgement: Callable[[T, Case], Check],
    passes: str,
    otherwise: str,
    *reads: Source,
    requires: tuple[str, ...] = (),
    accepts: tuple[str, ...] = (),
) -> T | None:
    """Declare a threshold that is a check: a row of the table. Not set unless it is given."""
    row = {"judgement": judgement, "passes": passes, "otherwise": otherwise, "requires": requires, "accepts": accepts}
    return cast("T | None", field(default=None, metadata={**row, "reads": frozenset({Source.BUILD, *reads})}))


@dataclass(frozen=True)
class Thresholds:
    """The checks to run, in the order of the documentation, and what they are judged with.

    None and an empty list are not set. Rates are fractions of 1. Raises ValueError for a threshold by which nothing can
    be judged.
    """

    min_age: timedelta | None = judged_by(_min_age, "at least this time has passed since the upload", "pending")
    max_age: timedelta | None = judged_by(_max_age, "at most this time has passed since the upload", "failed")
    min_sessions: int | None = judged_by(_min_sessions, "the service counts at least this many sessions", "pending")
    min_downloads: int | None = judged_by(_min_downloads, "the service counts at least this many downloads", "pending")
    min_testers: int | None = judged_by(_min_testers, "the service counts at least this many testers", "pending")
    max_crashes: int | None = judged_by(
        _max_crashes, "the service counts at most this many crashes", "failed; pending without sessions"
    )
    max_crash_rate: Rate | None = judged_by(
        _max_crash_rate,
        "crashes ÷ sessions is at most this; with `confidence`, the upper bound of that rate is at most this",
        "failed; pending without sessions, below `min-sessions`, or if only the upper bound is higher",
        accepts=("confidence",),
    )
    confidence: Rate | None = None
    max_feedbacks: int | None = judged_by(
        _max_feedbacks, "this build has at most this many feedbacks", "failed", Source.FEEDBACKS
    )
    feedback_block_pattern: re.Pattern[str] | None = judged_by(
        _feedback_block_pattern, "it matches no feedback on this build", "failed", Source.FEEDBACKS
    )
    coverage_groups: Sequence[str] | None = None
    min_coverage: Rate | None = judged_by(
        _min_coverage,
        "at least this share of the testers in `coverage-groups` have recorded a session",
        "pending",
        *(Source.SESSIONS, Source.MEMBERS),
        requires=("coverage_groups",),
    )
    require_tags: Sequence[str] | None = judged_by(_require_tags, "the build has all of these tags", "failed")
    forbid_tags: Sequence[str] | None = judged_by(
        _forbid_tags, "the build has none of these tags, in upper or lower case", "failed"
    )
    baseline: str | None = None
    max_crash_rate_increase: Rate | None = judged_by(
        _max_crash_rate_increase,
        "the crash rate is at most this many percentage points above the `baseline`'s",
        "failed; pending without sessions, or below `min-sessions`",
        Source.BASELINE,
        requires=("baseline",),
    )
    max_crashed_session_rate: Rate | None = judged_by(
        _max_crashed_session_rate,
        "at most this share of the recorded sessions crashed",
        "failed; pending without sessions, below `min-sessions`, or until the service shows all of them",
        Source.SESSIONS,
    )
    min_session_minutes: float | None = judged_by(
        _min_session_minutes,
        "the recorded sessions last at least this many minutes in total",
        "pending",
        Source.SESSIONS,
    )
    min_devices: int | None = judged_by(
        _min_devices, "the recorded sessions are from at least this many devices", "pending", Source.SESSIONS
    )

    def __post_init__(self) -> None:
        for threshold in fields(self):
            value = getattr(self, threshold.name)
            number = value.total_seconds() if isinstance(value, timedelta) else value
            most = 1 if threshold.type == "Rate | None" else sys.float_info.max
            if isinstance(number, (int, float, Fraction)) and not 0 <= number <= most:
                raise ValueError(f"Nothing can be judged by {threshold.name}={value}.")
        for row in CHECK_ROWS:
            for name in row.requires:
                if self.has(name) is not self.has(row.threshold):
                    raise ValueError(f"{name} and {row.threshold} belong together.")

    def has(self, name: str) -> bool:
        """Whether a threshold is set."""
        value = getattr(self, name)
        return bool(value) if isinstance(value, Sequence) else value is not None

    def rows(self) -> list[CheckRow]:
        """The rows of the checks to run."""
        return [row for row in CHECK_ROWS if self.has(row.threshold)]

    def reads(self) -> frozenset[Source]:
        """What has to be read to judge them."""
        return frozenset({Source.BUILD}).union(*(row.reads for row in self.rows()))


CHECK_ROWS = tuple(CheckRow(row.name, **row.metadata) for row in fields(Thresholds) if row.metadata)


def judge(thresholds: Thresholds, observation: Observation, now: datetime) -> list[Check]:
    """The result of every check to run, in the order of the table; `now` is an aware time."""
    return [
        row.judgement(getattr(thresholds, row.threshold), Case(row.name, thresholds, observation, now))
        for row in thresholds.rows()
    ]


def worst(checks: Iterable[Check]) -> CheckState:
    """The state of the gate: the worst of its checks; without any it is an error, never a pass."""
    return max((check.state for check in checks), default=CheckState.ERROR)


def settled(checks: Iterable[Check]) -> list[Check]:
    """The checks when no time is left: what was pending is inconclusive."""
    return [
        replace(check, state=CheckState.INCONCLUSIVE, reason=check.reason or "Not met so far.")
        if check.state is CheckState.PENDING
        else check
        for check in checks
    ]


# --- Numbers and their texts -------------------------------------------------------------------------------------


def crash_rate(counts: Counts) -> float | None:
    """Crashes per session; None if crashes cannot be judged."""
    return float(_rate(counts)) if _evidence(counts)[0] is CheckState.PASSED else None


def known(count: int | None) -> int | None:
    """The counter, or None if it is negative, not a whole number, or too large for one."""
    return count if type(count) is int and 0 <= count < 1 << 63 else None


def _exact(rate: Rate) -> Fraction:
    return Fraction(str(rate))


def _rate(counts: Counts) -> Fraction:
    """The crash rate of counts that are evidence."""
    return Fraction(counts.crashes or 0, counts.sessions or 0)


def _proves(counts: Counts) -> str:
    """What it proves that there was no crash in so many sessions (the rule of three: about 3/n)."""
    if counts.crashes or not counts.sessions:
        return ""
    bound = _bound(upper_bound(0, counts.sessions, 0.95))
    return f"No crash in {plural(counts.sessions, 'session')} proves a rate of at most {bound} (at 95 %, about 3/n)."


def percent(rate: Rate, *, digits: int = 3, rounding: str = ROUND_HALF_EVEN) -> str:
    """`1 %`, `0.35 %`."""
    number = Context(prec=digits, rounding=rounding).create_decimal_from_float(float(rate) * 100)
    return f"{float(number):.10g} %"


def _limit(rate: Rate) -> str:
    """A threshold as it was set."""
    return percent(rate, digits=10)


def _bound(rate: float) -> str:
    """An upper bound, rounded up: no lower one is proved."""
    return percent(rate, rounding=ROUND_CEILING)


def _time(at: datetime) -> str:
    return at.isoformat(" ", "seconds")
