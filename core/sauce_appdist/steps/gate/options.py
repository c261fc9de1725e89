"""The gate's inputs and outputs: thresholds, how long to wait, and the verdict."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, timedelta, timezone, tzinfo
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from sauce_appdist.interface import kebab
from sauce_appdist.interface.inputs import ConnectionInputs, option
from sauce_appdist.interface.outputs import StepOutputs, output
from sauce_appdist.interface.types import Age, Duration, Identifier, Items, Line, Name, Tags, keyword
from sauce_appdist.steps.gate.report_files import JSON_REPORT, JUNIT_REPORT
from sauce_appdist.text import one_line, span
from sauce_appdist.verdict.checks import CHECK_ROWS, Thresholds

SHORTEST_INTERVAL, LONGEST_INTERVAL = 10.0, 600.0  # seconds between looks
# No input of the gate may be empty: a threshold that vanishes must not open the gate.
gate_option = partial(option, group="gate")
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
    if re.fullmatch(r"\$(?:\w+|\{\w+\})", value):
        raise ValueError(f"is {one_line(value, 60)!r}, which matches nothing: it is a variable that was not expanded")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # of patterns that a later Python reads differently
            found = re.search(value, "")
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        raise ValueError(f"is not a valid regular expression: {error}") from None
    if found:
        raise ValueError("matches an empty text: set a regular expression that does not")
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
            f"is {one_line(name, 40)!r}, which this machine does not know: set UTC, a name like America/New_York, or "
            "an offset like +02:00"
        ) from None


def _zone(value: str) -> str:
    zone(value)
    return value


Percent = Annotated[Fraction, BeforeValidator(_percent)]
Count = Annotated[int, AfterValidator(_count)]


class ThresholdInputs(ConnectionInputs):
    """An input for each threshold of the verdict, and no other. Every check is optional."""

    min_age: Age | None = gate_option(None, "Minimum time since upload.", example="24h")
    max_age: Age | None = gate_option(None, "Maximum time since upload.", example="14d")
    min_sessions: Count | None = gate_option(None, "Minimum number of sessions. No crash rate is judged below it.")
    min_downloads: Count | None = gate_option(None, "Minimum number of downloads.")
    min_testers: Count | None = gate_option(None, "Minimum number of testers, as the service counts them.")
    max_crashes: Count | None = gate_option(None, "Maximum number of crashes.")
    max_crash_rate: Percent | None = gate_option(None, "Maximum number of crashes per session.", example="1%")
    confidence: Annotated[float, BeforeValidator(_number), AfterValidator(_confidence)] | None = gate_option(
        None,
        "Judge the exact upper bound of the crash rate at this confidence instead of the rate itself.",
        example="0.95",
    )
    max_feedbacks: Count | None = gate_option(None, "Maximum number of feedbacks on this build.")
    feedback_block_pattern: Annotated[Name, AfterValidator(_pattern)] | None = gate_option(
        None,
        "Regular expression. The gate fails if any feedback on this build matches it.",
        example="(?i)blocker|data loss",
        multiline=True,  # a `$` is the end of the text
    )
    coverage_groups: Items | None = gate_option(None, "Tester groups (name or id) for min-coverage.")
    min_coverage: Percent | None = gate_option(
        None, "Minimum share of the testers in coverage-groups who have recorded a session.", example="80%"
    )
    require_tags: Tags | None = gate_option(None, "Tags that the build must have, if the service shows tags.")
    forbid_tags: Tags | None = gate_option(None, "Tags that the build must not have.", example="blocked")
    baseline: Annotated[Identifier, keyword("previous")] | None = gate_option(
        None, "Build to compare the crash rate with: previous (the build before it), or an id.", example="previous"
    )
    max_crash_rate_increase: Percent | None = gate_option(
        None, "Maximum increase of the crash rate over the baseline's, in percentage points.", example="0.5%"
    )
    max_crashed_session_rate: Percent | None = gate_option(
        None, "Maximum share of recorded sessions that crashed, if the service shows sessions."
    )
    min_session_minutes: Annotated[float, BeforeValidator(_number), AfterValidator(_minutes)] | None = gate_option(
        None, "Minimum total length of the recorded sessions, in minutes."
    )
    min_devices: Count | None = gate_option(None, "Minimum number of different devices in the recorded sessions.")

    @model_validator(mode="after")
    def _thresholds_belong_together(self) -> Self:
        for row in CHECK_ROWS:
            for name in row.requires:
                if self._has(row.threshold) and not self._has(name):
                    raise ValueError(f"{row.name} needs {kebab(name)}: set both, or neither")
        for name in {name: None for row in CHECK_ROWS for name in (*row.requires, *row.accepts)}:
            checks = [row for row in CHECK_ROWS if name in (*row.requires, *row.accepts)]
            if self._has(name) and not any(self._has(row.threshold) for row in checks):
                needed = " or ".join(row.name for row in checks)
                raise ValueError(f"{kebab(name)} needs {needed}: set both, or neither")
        if self.min_age is not None and self.max_age is not None and self.min_age > self.max_age:
            raise ValueError(
                f"min-age is {span(self.min_age)} and max-age is {span(self.max_age)}: no build passes both."
                " Set a longer max-age"
            )
        both = {tag.casefold() for tag in self.require_tags or ()} & {tag.casefold() for tag in self.forbid_tags or ()}
        if both:
            raise ValueError(f"require-tags and forbid-tags both have {min(both)!r}: no build passes that")
        return self

    def _has(self, name: str) -> bool:
        return getattr(self, name) is not None

    def thresholds(self) -> Thresholds:
        """The thresholds as the verdict takes them."""
        values = {name: getattr(self, name) for name in Thresholds.__dataclass_fields__}
        for name in ("min_age", "max_age"):
            values[name] = None if values[name] is None else timedelta(seconds=values[name])
        if self.feedback_block_pattern is not None:
            values["feedback_block_pattern"] = re.compile(self.feedback_block_pattern)
        return Thresholds(**values)

    def gates(self) -> bool:
        """Whether any check is set."""
        return bool(self.thresholds().rows())


class GateOptions(ThresholdInputs):
    """The thresholds, how long the gate waits for them, and what follows from its verdict."""

    timezone: Annotated[Line, AfterValidator(_zone)] = gate_option(
        "UTC",
        "Time zone of the service's times, which do not name one: a name or an offset.",
        example="America/New_York",
    )
    wait: Duration = gate_option(0.0, "Maximum time to wait while a check is pending; 0s looks once.", example="2h")
    interval: Duration = gate_option(60.0, "Time between two looks, at least 10s. It grows slowly.")
    consecutive_passes: int = gate_option(1, "Number of looks in a row that must pass.")
    max_consecutive_errors: int = gate_option(4, "Number of errors in a row that end the wait.")
    on_inconclusive: Literal["fail", "warn", "pass"] = gate_option(
        "fail", "What to do if the verdict is inconclusive: data is missing, or wait ended too soon."
    )
    gate_mode: Literal["enforce", "report"] = gate_option(
        "enforce", "enforce fails the job on a failed verdict; report only reports it."
    )
    gate_reports: Name = gate_option(
        ".", f"Directory for {JSON_REPORT} and {JUNIT_REPORT} (JUnit, for GitLab and test reporters)."
    )

    @model_validator(mode="after")
    def _waits_sensibly(self) -> Self:
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
            raise ValueError("consecutive-passes needs wait: a single look cannot pass twice")
        return self

    @property
    def fails_if_inconclusive(self) -> bool:
        """Whether an inconclusive verdict fails the job."""
        return self.gate_mode == "enforce" and self.on_inconclusive == "fail"

    def without_check(self) -> list[str]:
        """The inputs of the gate that are set although no check is."""
        if self.gates():
            return []
        return [
            kebab(name)
            for name, field in GateOptions.model_fields.items()
            if name not in ConnectionInputs.model_fields and getattr(self, name) != field.default
        ]


Verdict = Literal["passed", "failed", "inconclusive", "error"]


class GateOutputs(StepOutputs):
    """The verdict and how it was reached."""

    verdict: Verdict | None = output(
        "passed, failed or inconclusive; error if the build could not be judged, empty if the gate did not start.",
        dotenv=True,
    )
    reason: str | None = output("Reason for the verdict, in one line.")
    failed_checks: list[str] | None = output("Checks that did not pass, worst first.", dotenv=True)
    checks: dict[str, dict[str, str]] | None = output(
        "Every check by its name, as JSON: state, observed, threshold, reason and since."
    )
    crash_rate: str | None = output("Crashes per session (0.01 is 1 %); empty if the service does not report them.")
    baseline_build_id: str | None = output("Id of the build that the crash rate was compared with.")
    looks: int | None = output("Number of looks.")
    judged_at: str | None = output("Time of the last look (UTC).")
