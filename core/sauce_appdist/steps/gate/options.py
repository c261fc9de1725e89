"""What the gate takes and what it hands on: thresholds, how long to wait, and the verdict."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from sauce_appdist.interface import kebab
from sauce_appdist.interface.inputs import ConnectionInputs, option
from sauce_appdist.interface.outputs import StepOutputs, output
from sauce_appdist.interface.types import Age, Duration, Identifier, Items, Line, Tags
from sauce_appdist.steps.gate.report_files import JSON_REPORT, JUNIT_REPORT
from sauce_appdist.text import one_line, span
from sauce_appdist.verdict.checks import Thresholds

SHORTEST_INTERVAL, LONGEST_INTERVAL = 10.0, 600.0  # seconds between looks
_MOST = 10**9  # of anything that is counted


def _percent(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)\s*%", value.strip(), re.ASCII)
    if not found or Fraction(found[1]) > 100:
        raise ValueError(f"is {one_line(value, 40)!r}, expected a percentage like 1% or 0.5%, at most 100%")
    return Fraction(found[1]) / 100


def _number(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"is {one_line(str(value), 40)!r}, expected a number") from None


def _confidence(value: float) -> float:
    if not 0.5 <= value < 1:
        raise ValueError(f"is {value:g}, expected a confidence like 0.95: at least 0.5 and less than 1")
    return value


def _count(value: int) -> int:
    if not 0 <= value <= _MOST:
        raise ValueError(f"is {value}, expected 0 to {_MOST}")
    return value


def _minutes(value: float) -> float:
    if not 0 <= value <= _MOST:
        raise ValueError(f"is {value:g}, expected a number of minutes, 0 or more")
    return value


def _pattern(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # of what Python will read otherwise some day
            found = re.search(value, "")
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if found:
        raise ValueError("is a regular expression that finds something even in an empty text: give one that does not")
    return value


def zone(name: str) -> tzinfo:
    """A time zone by its name or offset. Raises ValueError for one that this machine does not know."""
    if name.upper() in {"UTC", "Z"}:
        return UTC
    if found := re.fullmatch(r"([+-])([01]\d):?([0-5]\d)", name, re.ASCII):
        ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(ahead if found[1] == "+" else -ahead)
    from zoneinfo import ZoneInfo  # not every machine has the names

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(
            f"is {one_line(name, 40)!r}, which this machine does not know: give UTC, a name like America/New_York, or "
            "an offset like +02:00"
        ) from None


def _zone(value: str) -> str:
    zone(value)
    return value


Percent = Annotated[Fraction, BeforeValidator(_percent)]
Count = Annotated[int, AfterValidator(_count)]


class GateOptions(ConnectionInputs):
    """What a build must have shown, and how long that may take. Every check is optional."""

    min_age: Age | None = option(None, "Time since the upload, at least.", example="24h")
    max_age: Age | None = option(None, "Time since the upload, at most.", example="14d")
    timezone: Annotated[Line, AfterValidator(_zone)] = option(
        "UTC", "Zone of the service's times, which name none: a name or an offset.", example="America/New_York"
    )
    min_sessions: Count | None = option(None, "Recorded sessions, at least; no rate is judged below it.")
    min_downloads: Count | None = option(None, "Downloads, at least.")
    min_testers: Count | None = option(None, "Testers, at least, as the service counts them.")
    max_crashes: Count | None = option(None, "Crashes, at most.")
    max_crash_rate: Percent | None = option(None, "Crashes per session, at most.", example="1%")
    confidence: Annotated[float, BeforeValidator(_number), AfterValidator(_confidence)] | None = option(
        None,
        "Judge the exact upper bound of the crash rate at this confidence instead of the rate itself.",
        example="0.95",
    )
    max_feedbacks: Count | None = option(None, "Feedbacks of this build, at most.")
    feedback_block_pattern: Annotated[Line, AfterValidator(_pattern)] | None = option(
        None,
        "Regular expression (Python's); a feedback of this build that it finds something in blocks.",
        example="(?i)blocker|data loss",
        multiline=True,  # a `$` is the end of the text
    )
    coverage_groups: Items | None = option(None, "Tester groups (name or id) whose testers are to use it.")
    min_coverage: Percent | None = option(
        None, "How many of those testers have recorded a session, at least.", example="80%"
    )
    require_tags: Tags | None = option(None, "Tags that it must have, where the service shows tags.")
    forbid_tags: Tags | None = option(None, "Tags that it must not have.", example="blocked")
    baseline: Identifier | None = option(
        None, "Compare with the build before it (previous), or with the build of this id.", example="previous"
    )
    max_crash_rate_increase: Percent | None = option(
        None, "How much higher than the baseline's its crash rate may be, in percentage points.", example="0.5%"
    )
    max_crashed_session_rate: Percent | None = option(
        None, "Recorded sessions that crashed, at most, where the service shows sessions."
    )
    min_session_minutes: Annotated[float, BeforeValidator(_number), AfterValidator(_minutes)] | None = option(
        None, "Minutes of all recorded sessions together, at least."
    )
    min_devices: Count | None = option(None, "Different devices among the recorded sessions, at least.")
    wait: Duration = option(0.0, "How long to wait for what is not enough yet; 0s looks once.", example="2h")
    interval: Duration = option(60.0, "Time between two looks, at least 10s; grows slowly.")
    consecutive_passes: int = option(1, "How many looks in a row must pass.")
    max_consecutive_errors: int = option(4, "How many looks in a row may go wrong while it waits.")
    on_inconclusive: Literal["fail", "warn", "pass"] = option(
        "fail", "What to do where nobody can tell, or not enough was seen in time."
    )
    gate_mode: Literal["enforce", "report"] = option(
        "enforce", "report tells the true verdict and never fails the job for it."
    )
    gate_reports: Line = option(
        ".", f"Directory for {JSON_REPORT} and {JUNIT_REPORT} (JUnit, for GitLab and test reporters)."
    )

    @model_validator(mode="after")
    def _gate(self) -> Self:
        pairs = (
            ("confidence", "max-crash-rate"),
            ("coverage-groups", "min-coverage"),
            ("min-coverage", "coverage-groups"),
            ("baseline", "max-crash-rate-increase"),
            ("max-crash-rate-increase", "baseline"),
        )
        for given, needed in pairs:
            if self._has(given) and not self._has(needed):
                raise ValueError(f"{given} is given without {needed}: give both, or neither")
        if self.min_age is not None and self.max_age is not None and self.min_age > self.max_age:
            raise ValueError(
                f"min-age is {span(self.min_age)} and max-age is {span(self.max_age)}, which no build is:"
                " give a max-age that is longer"
            )
        both = {tag.casefold() for tag in self.require_tags or ()} & {tag.casefold() for tag in self.forbid_tags or ()}
        if both:
            raise ValueError(f"require-tags and forbid-tags both have {min(both)!r}: no build passes that")
        if self.interval < SHORTEST_INTERVAL:
            raise ValueError(f"interval is {span(self.interval)}, expected at least {span(SHORTEST_INTERVAL)}")
        if 0 < self.wait < SHORTEST_INTERVAL:
            raise ValueError(
                f"wait is {span(self.wait)}, expected at least {span(SHORTEST_INTERVAL)}, or 0s to look once"
            )
        for name in ("consecutive_passes", "max_consecutive_errors"):
            if not 1 <= getattr(self, name) <= 1000:
                raise ValueError(f"{kebab(name)} is {getattr(self, name)}, expected 1 to 1000")
        if self.consecutive_passes > 1 and not self.wait:
            raise ValueError("consecutive-passes is given without wait: a single look cannot pass twice")
        return self

    def _has(self, name: str) -> bool:
        return getattr(self, name.replace("-", "_")) is not None

    def thresholds(self) -> Thresholds:
        """What is asked for, as the decision takes it."""
        asked = {name: getattr(self, name) for name in Thresholds.__dataclass_fields__}
        for name in ("min_age", "max_age"):
            asked[name] = None if asked[name] is None else timedelta(seconds=asked[name])
        if self.feedback_block_pattern is not None:
            asked["feedback_block_pattern"] = re.compile(self.feedback_block_pattern)
        return Thresholds(**asked)

    @property
    def stops_in_doubt(self) -> bool:
        """Whether the job fails where nobody can tell."""
        return self.gate_mode == "enforce" and self.on_inconclusive == "fail"

    def gates(self) -> bool:
        """Whether any check is asked for."""
        return self.thresholds() != Thresholds()

    def without_check(self) -> list[str]:
        """Inputs of the gate that are given, though no check is."""
        if self.gates():
            return []
        return [
            kebab(name)
            for name, field in GateOptions.model_fields.items()
            if name not in ConnectionInputs.model_fields and getattr(self, name) != field.default
        ]


Verdict = Literal["passed", "failed", "inconclusive", "error"]


class GateOutputs(StepOutputs):
    """What the gate says."""

    verdict: Verdict | None = output(
        "passed, failed or inconclusive; error where it could not be judged, empty where it did not begin.",
        dotenv=True,
    )
    reason: str | None = output("Why, in a line.")
    failed_checks: list[str] | None = output("Checks that did not pass, the worst first.", dotenv=True)
    checks: dict[str, dict[str, str]] | None = output(
        "Every check by its name, as JSON: state, observed, threshold, reason and since."
    )
    crash_rate: str | None = output("Crashes per session, 0.01 is 1 %; empty where the service does not tell.")
    baseline_build_id: str | None = output("Id of the build that it was compared with.")
    looks: int | None = output("How often it looked.")
    judged_at: str | None = output("Time of the last look (UTC).")
