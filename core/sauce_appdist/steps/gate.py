"""Let a build through only when its testers have shown that it is good."""

from __future__ import annotations

import random
import re
import time
import warnings
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from sauce_appdist import gate
from sauce_appdist.errors import (
    ApiError,
    AppDistError,
    Cancelled,
    GateFailed,
    GateInconclusive,
    InputError,
    ServiceError,
    TransportError,
)
from sauce_appdist.interface import kebab
from sauce_appdist.interface.inputs import BuildInputs, ConnectionInputs, option
from sauce_appdist.interface.outputs import BuildOutputs, StepOutputs, output
from sauce_appdist.interface.types import Age, Duration, Identifier, Items, Line, Tags
from sauce_appdist.reports import JSON_REPORT, JUNIT_REPORT, Reports, junit
from sauce_appdist.steps import find
from sauce_appdist.steps.groups import Directory
from sauce_appdist.text import one_line, plural, span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sauce_appdist.ci import Ci
    from sauce_appdist.client import Client
    from sauce_appdist.steps.sight import Look, Sight

SHORTEST_INTERVAL, LONGEST_INTERVAL = 10.0, 600.0  # seconds between looks
_SLOWER = 1.1  # from one pause to the next
_MOST = 10**9  # of anything that is counted
_QUIET = 600.0  # seconds after which a wait says that it still waits


# --- Its inputs -----------------------------------------------------------------------------------


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

    def thresholds(self) -> gate.Thresholds:
        """What is asked for, as the decision takes it."""
        asked = {name: getattr(self, name) for name in gate.Thresholds.__dataclass_fields__}
        for name in ("min_age", "max_age"):
            asked[name] = None if asked[name] is None else timedelta(seconds=asked[name])
        if self.feedback_block_pattern is not None:
            asked["feedback_block_pattern"] = re.compile(self.feedback_block_pattern)
        return gate.Thresholds(**asked)

    @property
    def stops_in_doubt(self) -> bool:
        """Whether the job fails where nobody can tell."""
        return self.gate_mode == "enforce" and self.on_inconclusive == "fail"

    def gates(self) -> bool:
        """Whether any check is asked for."""
        return self.thresholds() != gate.Thresholds()

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


class Inputs(GateOptions, BuildInputs):
    """A build, and what it must have shown."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.gates():
            raise ValueError("no check is asked for: give at least one, like min-sessions, max-crash-rate or min-age")
        return self


class Outputs(GateOutputs, BuildOutputs):
    """The build and the verdict."""


def run(inputs: Inputs, client: Client, ci: Ci, out: Outputs) -> None:
    """GETs only: one a look for the build, one for its sessions and one for the feedbacks where checks need them."""
    this = Gate(inputs, client, ci, out)
    target = find.resolve(inputs, client, ci, read=True)
    find.describe(target, client, ci, out)
    this.aim(target, Directory(client))
    this.judge()
    ci.report.state = "done" if out.verdict == "passed" else "unknown"


# --- How long to look ---------------------------------------------------------------------------------


class Patience:
    """Decides after each look whether there is another, and when. Times are seconds since the first one began."""

    def __init__(self, inputs: GateOptions) -> None:
        self._inputs = inputs
        self._pause = inputs.interval
        self._errors = 0
        self.passes = 0  # in a row

    @property
    def satisfied(self) -> bool:
        """Whether enough looks in a row have passed."""
        return self.passes >= self._inputs.consecutive_passes

    def after(self, checks: Sequence[gate.Check], elapsed: float) -> float | None:
        """The pause before the next look; None where it would change nothing, or the time is over."""
        state = gate.worst(checks)
        self._errors = 0
        self.passes = self.passes + 1 if state is gate.State.PASSED else 0
        last = timedelta(seconds=max(self._inputs.wait - elapsed, SHORTEST_INTERVAL))
        pending = [check for check in checks if check.state is gate.State.PENDING]
        hopeless = state is gate.State.INCONCLUSIVE or any(check.to_go > last for check in pending)
        # It will not pass any more. Where that would not stop it, something that is pending still may.
        hopeless = hopeless and (self._inputs.stops_in_doubt or not pending)
        if self.satisfied or hopeless or state in {gate.State.FAILED, gate.State.ERROR}:
            return None
        return self._next(elapsed)

    def after_error(self, elapsed: float) -> float | None:
        """The pause after a look that went wrong; None where it is to be told."""
        self._errors += 1
        self.passes = 0
        return None if self._errors >= self._inputs.max_consecutive_errors else self._next(elapsed)

    def _next(self, elapsed: float) -> float | None:
        left = self._inputs.wait - elapsed
        if left <= 0:
            return None
        slowest = max(LONGEST_INTERVAL, self._inputs.interval)
        pause = min(self._pause * random.uniform(1.0, 1.2), slowest)  # noqa: S311 - so that not all jobs look at once
        self._pause = min(self._pause * _SLOWER, slowest)
        # The last look comes when the time is over, and none so soon after another.
        return max(left if left - pause < SHORTEST_INTERVAL else pause, SHORTEST_INTERVAL)


# --- The gate -----------------------------------------------------------------------------------------


class Ending(NamedTuple):
    """How it ended: the verdict, why, and what the step fails with if it does."""

    verdict: Verdict
    reason: str
    problem: AppDistError | None = None


class Gate:
    """Looks at a build until the verdict is final or the time is over, and tells it.

    `writes` says that a pass has consequences: then another build than the one that was judged stops in every mode.
    """

    def __init__(self, inputs: GateOptions, client: Client, ci: Ci, out: Any, *, writes: bool = False) -> None:
        """Takes the reports of an earlier run away. Raises InputError where there can be none."""
        self._inputs, self._client, self._ci, self._out, self._writes = inputs, client, ci, out, writes
        self._reports = Reports(inputs.gate_reports)
        self._began = datetime.now(UTC)
        self._last: Look | None = None
        self._looks = 0
        self._waited = 0.0  # seconds
        self._since: dict[str, tuple[gate.State, datetime]] = {}
        self._progressed: object = None
        self._progressed_at = 0.0
        self._patience = Patience(inputs)
        self._warned: object = None

    def aim(self, target: find.Target, directory: Directory) -> None:
        """At this build. Raises InputError for groups or a baseline that do not exist, before anybody waits."""
        from sauce_appdist.steps.sight import Sight  # a promotion without a gate needs none

        inputs = self._inputs
        self._name = find.name_of(target)
        self._sight: Sight = Sight(
            inputs.thresholds(),
            inputs.baseline,
            zone(inputs.timezone),
            target,
            directory,
            self._client,
            self._ci.without_secrets,
        )

    def judge(self) -> None:
        """Wait for the verdict, as long as the inputs say.

        Outputs, summary and reports have it in any case. Raises GateFailed and GateInconclusive as the inputs want
        it, InputError where the build's times cannot be right, and the service's error where it could not be asked.
        """
        self._conclude(self._wait, hint=self._hint)
        if self._out.verdict == "passed":
            self._ci.info(f"{self._name}: the gate passed. {self._out.reason}")

    def look_again(self) -> None:
        """One look more, right before what cannot be undone. Raises as `judge`."""
        self._waited = 0.0
        self._conclude(self._once)

    def as_seen(self, target: find.Target) -> find.Target:
        """The target with its build as it was in the last look."""
        build = self._last.build if self._last else None
        return target._replace(build=build) if build and find.shows_tags(build) else target

    # --- Looking ---

    def _once(self) -> bool:
        self._look()
        return self._patience.satisfied or self._inputs.consecutive_passes == 1

    def _wait(self) -> bool:
        """Whether enough looks in a row have passed."""
        inputs, patience, began = self._inputs, self._patience, time.monotonic()
        while True:
            try:
                look = self._look()
            except (ApiError, TransportError) as error:
                pause = patience.after_error(time.monotonic() - began)
                if pause is None or (isinstance(error, ApiError) and error.not_found):
                    raise
                self._ci.info(f"{one_line(str(error), 400).rstrip('.')}. Looking again in {span(pause)}.")
            else:
                self._waited = elapsed = time.monotonic() - began
                pause = patience.after(look.checks, elapsed)
                if pause is None:
                    return patience.satisfied
                self._progress(look, max(0.0, inputs.wait - elapsed), patience.passes)
            self._client.transport.sleep(pause)

    def _look(self) -> Look:
        look = self._sight.look()
        self._looks += 1
        for check in look.checks:
            state, since = self._since.get(check.name, (None, look.at))
            self._since[check.name] = (check.state, since if state is check.state else look.at)
        self._last = look
        return look

    def _progress(self, look: Look, left: float, passes: int) -> None:
        """A line when something changed, or when it was quiet for long."""
        # An age changes all the time.
        seen = [(one.name, one.state, "" if "age" in one.name.split("-") else one.observed) for one in look.checks]
        now = time.monotonic()
        if (seen, passes) == self._progressed and now - self._progressed_at < _QUIET:
            return
        self._progressed, self._progressed_at = (seen, passes), now
        text = "; ".join(f"{one.name} {one}" for one in look.checks if one.state is not gate.State.PASSED)
        text = text or f"passed, {passes} of {self._inputs.consecutive_passes} looks in a row"
        left = round(left / 60) * 60 if left > 90 else left
        self._ci.info(f"{look.at:%H:%M:%S} UTC, {span(left)} left: {text}")

    # --- Ending ---

    def _conclude(self, looking: Callable[[], bool], *, hint: Callable[[], str] = str) -> None:
        """Look, and tell how it ended whatever happens."""
        enough, problem = False, None
        try:
            enough = looking()
        except ServiceError as error:
            problem = error
        advice = hint()  # while what is pending can be told from what is inconclusive
        if self._last:
            self._last = self._last._replace(checks=gate.settled(self._last.checks))
        ending = self._broken_off(problem) if problem else self._ending(advice, enough=enough)
        self._tell(ending)
        try:
            self._write(ending)
        except InputError as unwritten:
            if not self._stops(ending):
                ending = Ending("error", str(unwritten), unwritten)
                self._tell(ending)
        self._end(ending)

    def _hint(self) -> str:
        """What may help where nothing is wrong but that it is too early."""
        open_ = self._bad()
        if any(one.state is not gate.State.PENDING for one in open_):
            return ""
        if not self._inputs.wait:
            return " Give wait, or run this again later."
        late = any(one.to_go.total_seconds() > self._inputs.wait - self._waited for one in open_)
        return " That takes longer than wait: run this again later." if late else ""

    def _broken_off(self, problem: ServiceError) -> Ending:
        if isinstance(problem, Cancelled):
            reason = f"The job was cancelled before there was a verdict. {self._open()}".strip()
            return Ending("inconclusive", reason, problem)
        return Ending("error", one_line(str(problem), 600), problem)

    def _ending(self, hint: str, *, enough: bool) -> Ending:
        name, checks = self._name, self._checks
        state, reason = gate.worst(checks), self._open()
        waited = f" (waited {span(self._waited)})" if self._waited >= 1 else ""
        if state is gate.State.PASSED and enough:
            return Ending("passed", f"Passed: {', '.join(one.name for one in checks)}.")
        if state is gate.State.PASSED:
            reason = f"It passed, but not {self._inputs.consecutive_passes} looks in a row{waited}."
            return Ending("inconclusive", reason, GateInconclusive(f"{name}: {reason}"))
        if state is gate.State.FAILED:
            return Ending("failed", reason, GateFailed(f"{name}: {reason}"))
        if state is gate.State.ERROR:
            return Ending("error", reason, InputError(f"{name} cannot be judged: {reason}"))
        return Ending("inconclusive", reason, GateInconclusive(f"{name}{waited}: {reason}{hint}"))

    @property
    def _checks(self) -> list[gate.Check]:
        """Those of the last look."""
        return self._last.checks if self._last else []

    def _bad(self) -> list[gate.Check]:
        """What did not pass, the worst first."""
        return sorted((one for one in self._checks if one.state is not gate.State.PASSED), key=lambda one: -one.state)

    def _open(self) -> str:
        texts = [f"{one.name} is {one}" + (f" ({one.reason.rstrip('.')})" if one.reason else "") for one in self._bad()]
        return f"{one_line('; '.join(texts), 900)}." if texts else ""

    def _stops(self, ending: Ending) -> bool:
        """Whether the step fails with the ending's problem."""
        if ending.problem is None:
            return False
        if isinstance(ending.problem, Cancelled) or ending.verdict == "error":
            return True
        if self._writes and any(one.name == gate.SAME_BUILD for one in self._bad()):
            return True
        return self._inputs.gate_mode == "enforce" if ending.verdict == "failed" else self._inputs.stops_in_doubt

    def _end(self, ending: Ending) -> None:
        """Fail, warn or go on."""
        if ending.problem is None:
            return
        if self._stops(ending):
            raise ending.problem
        reported = self._inputs.gate_mode == "report"
        said = f"{self._name}: {ending.reason} Going on, as {'gate-mode' if reported else 'on-inconclusive'} says."
        why = [(one.name, one.state) for one in self._bad()]  # an age in the text changes all the time
        if why != self._warned:
            (self._ci.warning if reported or self._inputs.on_inconclusive == "warn" else self._ci.info)(said)
        self._warned = why

    # --- Telling ---

    def _tell(self, ending: Ending) -> None:
        """Outputs and summary."""
        out, report, look = self._out, self._ci.report, self._last
        out.verdict, out.reason, out.looks = ending.verdict, ending.reason, self._looks
        out.failed_checks = [one.name for one in self._bad()]
        out.baseline_build_id = self._sight.baseline.id if self._sight.baseline else None
        out.checks = {
            one.name: {
                "state": str(one.state),
                "observed": one.observed,
                "threshold": one.threshold,
                "reason": one.reason,
                "since": _utc(self._since[one.name][1]),
            }
            for one in self._checks
        }
        if look:
            out.read(look.build)
            out.judged_at = _utc(look.at)
            rate = look.crash_rate
            out.crash_rate = None if rate is None else f"{rate:.6g}"
        report.title = f"Gate {ending.verdict}: {self._name}"
        report.fact("Uploaded", out.uploaded_at)
        report.fact("Verdict", f"{ending.verdict}, after {plural(self._looks, 'look')}")
        report.checks = self._checks

    def _write(self, ending: Ending) -> None:
        """The reports, without secrets. Raises InputError where they cannot be written."""
        out, clean = self._out, self._ci.clean
        told = {name: clean(text) for name, text in out.texts().items()}
        about = {
            "verdict": ending.verdict,
            "reason": told["reason"],
            **{name: told[name] for name in ("project-id", "build-id", "app-name", "app-version", "version-code")},
            "began-at": _utc(self._began),
            "judged-at": out.judged_at,
            "looks": self._looks,
            "checks": [
                {"name": name, **{key: clean(text) for key, text in fields.items()}}
                for name, fields in out.checks.items()
            ],
        }
        cases = [(one.name, str(one.state), clean(f"{one}. {one.reason}".strip())) for one in self._checks]
        if isinstance(ending.problem, ServiceError) or (ending.problem and not self._bad()):
            cases.append(("gate", ending.verdict, told["reason"]))  # no check tells it
        xml = junit(
            f"Gate of {clean(self._name)}",
            f"appdist-gate.{told['project-id']}",
            cases,
            inconclusive_is_error=self._inputs.stops_in_doubt or self._stops(ending),
            at=self._began,
        )
        self._reports.write(about, xml)


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
