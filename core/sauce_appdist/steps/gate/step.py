"""Let a build through only when its testers have shown that it is good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import model_validator

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
from sauce_appdist.interface.inputs import BuildInputs
from sauce_appdist.interface.outputs import BuildOutputs
from sauce_appdist.steps import find
from sauce_appdist.steps.gate.options import GateOptions, GateOutputs, Verdict, zone
from sauce_appdist.steps.gate.report_files import ReportFiles
from sauce_appdist.steps.gate.schedule import PollSchedule
from sauce_appdist.steps.groups import Directory
from sauce_appdist.text import one_line, plural, span
from sauce_appdist.verdict.checks import SAME_BUILD, Check, CheckState, Observation, judge, settled, worst
from sauce_appdist.verdict.reports import describe_check, json_report, junit, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sauce_appdist.steps.context import Context
    from sauce_appdist.steps.gate.observe import Observer, Sample

_QUIET = 600.0  # seconds without a change after which the log says that the gate still waits


class Inputs(GateOptions, BuildInputs):
    """A build and its thresholds."""

    @model_validator(mode="after")
    def _sets_a_check(self) -> Self:
        if not self.gates():
            raise ValueError("no check is set: set at least one, such as min-sessions, max-crash-rate or min-age")
        return self


class Outputs(GateOutputs, BuildOutputs):
    """The build and the verdict."""


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Judge the build. Sends only GETs: each look reads the build, and the lists that the checks need."""
    gate = Gate(inputs, context, out)
    context.ci.info(f"Gate: {gate.checks}")
    target = find.resolve(inputs, context, read=True)
    find.describe(target, context, out)
    gate.prepare(target, Directory(context.client, context.ci.info))
    gate.judge()
    context.ci.report.state = "done" if out.verdict == "passed" else "unknown"


class Ending(NamedTuple):
    """How the gate ended: the verdict, the reason, and the error that the step may fail with."""

    verdict: Verdict
    reason: str
    problem: AppDistError | None = None


class Gate:
    """Looks at a build until the verdict is final or the time is over, and reports it.

    With `writes` something is written after a pass: then a build that was replaced fails the step in every mode.
    """

    def __init__(self, inputs: GateOptions, context: Context, out: Any, *, writes: bool = False) -> None:
        """Remove the reports of an earlier run. Raises InputError if none can be written."""
        self._inputs, self._context, self._out, self._writes = inputs, context, out, writes
        self._reports = ReportFiles(inputs.gate_reports)
        self._began = context.clock.now()
        self._last: Sample | None = None
        self._looks = 0
        self._waited = 0.0  # seconds
        self._since: dict[str, tuple[CheckState, datetime]] = {}
        self._progressed: object = None
        self._progressed_at = 0.0
        self._schedule = PollSchedule(inputs)
        self._warned: object = None

    @property
    def checks(self) -> str:
        """`min-sessions at least 50, max-crash-rate at most 1 %`: the checks and their thresholds."""
        checks = judge(self._inputs.thresholds(), Observation(), self._began)
        return one_line(", ".join(f"{check.name} {check.threshold}" for check in checks), 900)

    def prepare(self, target: find.Target, directory: Directory) -> None:
        """Read what does not change. Raises InputError for groups or a baseline that do not exist."""
        from sauce_appdist.steps.gate.observe import Observer  # a promotion without a gate needs none

        self._target, self._name = target, find.name_of(target)
        thresholds, timezone = self._inputs.thresholds(), zone(self._inputs.timezone)
        self._observer: Observer = Observer(thresholds, timezone, target, directory, self._context)

    def judge(self) -> None:
        """Wait for the verdict, `wait` at most. Outputs, summary and reports have it in any case.

        Raises GateFailed and GateInconclusive as the inputs say, InputError if the build's times cannot be right, and
        the service's error if it did not answer.
        """
        self._conclude(self._wait, hint=self._hint)
        if self._out.verdict == "passed":
            self._context.ci.info(f"{self._name}: the gate passed. {self._out.reason}")

    def judge_again(self) -> None:
        """Judge once more without waiting, right before what cannot be undone. Raises as `judge`."""
        self._waited = 0.0
        self._conclude(self._once)

    def as_sampled(self, target: find.Target) -> find.Target:
        """The target with its build as it was at the last look."""
        build = self._last.build if self._last else None
        return target._replace(build=build) if build and find.shows_tags(build) else target

    # --- Looking ---

    def _once(self) -> bool:
        """Look once. Whether that is enough to pass."""
        self._sample()
        return self._schedule.satisfied or self._inputs.consecutive_passes == 1

    def _wait(self) -> bool:
        """Look until the schedule ends. Whether enough looks in a row have passed."""
        schedule, clock = self._schedule, self._context.clock
        began = clock.monotonic()
        while True:
            try:
                sample = self._sample()
            except (ApiError, TransportError) as error:
                pause = schedule.after_error(clock.monotonic() - began)
                if pause is None or (isinstance(error, ApiError) and error.not_found):
                    raise
                self._context.ci.info(f"{one_line(str(error), 400).rstrip('.')}. Looking again in {span(pause)}.")
            else:
                self._waited = elapsed = clock.monotonic() - began
                pause = schedule.after(sample.checks, elapsed)
                if pause is None:
                    return schedule.satisfied
                self._progress(sample, max(0.0, self._inputs.wait - elapsed), schedule.passes)
            clock.sleep(pause)

    def _sample(self) -> Sample:
        sample = self._observer.sample()
        self._looks += 1
        for check in sample.checks:
            state, since = self._since.get(check.name, (None, sample.at))
            self._since[check.name] = (check.state, since if state is check.state else sample.at)
        self._last = sample
        return sample

    def _progress(self, sample: Sample, left: float, passes: int) -> None:
        """Log a line if something has changed, or after a long time without a change."""
        observed = [
            (check.name, check.state, "" if "age" in check.name.split("-") else check.observed)  # ages always change
            for check in sample.checks
        ]
        now = self._context.clock.monotonic()
        if (observed, passes) == self._progressed and now - self._progressed_at < _QUIET:
            return
        self._progressed, self._progressed_at = (observed, passes), now
        text = "; ".join(f"{check.name} {check}" for check in sample.checks if check.state is not CheckState.PASSED)
        text = text or f"passed, {passes} of {self._inputs.consecutive_passes} looks in a row"
        left = round(left / 60) * 60 if left > 90 else left
        self._context.ci.info(f"{sample.at:%H:%M:%S} UTC, {span(left)} left: {text}")

    # --- Ending ---

    def _conclude(self, looking: Callable[[], bool], *, hint: Callable[[], str] = str) -> None:
        """Look, and report how that ended, whatever happens."""
        enough, problem = False, None
        try:
            enough = looking()
        except ServiceError as error:
            problem = error
        advice = hint()  # before pending checks become inconclusive
        if self._last:
            self._last = self._last._replace(checks=settled(self._last.checks))
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
        """Advice if every open check is pending: it is only too early."""
        open_ = self._bad()
        if any(check.state is not CheckState.PENDING for check in open_):
            return ""
        if not self._inputs.wait:
            return " Set wait, or run this again later."
        late = any(check.to_go.total_seconds() > self._inputs.wait - self._waited for check in open_)
        return " That takes longer than wait: run this again later." if late else ""

    def _broken_off(self, problem: ServiceError) -> Ending:
        if isinstance(problem, Cancelled):
            reason = f"The job was cancelled before there was a verdict. {self._open()}".strip()
            return Ending("inconclusive", reason, problem)
        return Ending("error", one_line(str(problem), 600), problem)

    def _ending(self, hint: str, *, enough: bool) -> Ending:
        name, checks = self._name, self._checks
        state, reason = worst(checks), self._open()
        waited = f" (waited {span(self._waited)})" if self._waited >= 1 else ""
        if state is CheckState.PASSED and enough:
            return Ending("passed", f"Passed: {', '.join(check.name for check in checks)}.")
        if state is CheckState.PASSED:
            reason = f"The checks passed, but not in {self._inputs.consecutive_passes} looks in a row{waited}."
            return Ending("inconclusive", reason, GateInconclusive(f"{name}: {reason}"))
        if state is CheckState.FAILED:
            return Ending("failed", reason, GateFailed(f"{name}: {reason}"))
        if state is CheckState.ERROR:
            return Ending("error", reason, InputError(f"{name} cannot be judged: {reason}"))
        return Ending("inconclusive", reason, GateInconclusive(f"{name}{waited}: {reason}{hint}"))

    @property
    def _checks(self) -> list[Check]:
        """The checks of the last look."""
        return self._last.checks if self._last else []

    def _bad(self) -> list[Check]:
        """The checks that did not pass, worst first."""
        bad = [check for check in self._checks if check.state is not CheckState.PASSED]
        return sorted(bad, key=lambda check: -check.state)

    def _open(self) -> str:
        """The checks that did not pass, as a sentence."""
        texts = [
            f"{check.name} is {check}" + (f" ({check.reason.rstrip('.')})" if check.reason else "")
            for check in self._bad()
        ]
        return f"{one_line('; '.join(texts), 900)}." if texts else ""

    def _stops(self, ending: Ending) -> bool:
        """Whether the step fails with the problem of the ending."""
        if ending.problem is None:
            return False
        if isinstance(ending.problem, Cancelled) or ending.verdict == "error":
            return True
        if self._writes and any(check.name == SAME_BUILD for check in self._bad()):
            return True
        return self._inputs.gate_mode == "enforce" if ending.verdict == "failed" else self._inputs.fails_if_inconclusive

    def _end(self, ending: Ending) -> None:
        """Fail, warn or continue."""
        if ending.problem is None:
            return
        if self._stops(ending):
            raise ending.problem
        reported = self._inputs.gate_mode == "report"
        said = f"{self._name}: {ending.reason} Continuing, as {'gate-mode' if reported else 'on-inconclusive'} says."
        states = [(check.name, check.state) for check in self._bad()]  # not the texts: ages always change
        if states != self._warned:
            (self._context.ci.warning if reported or self._inputs.on_inconclusive == "warn" else self._context.ci.info)(
                said
            )
        self._warned = states

    # --- Reporting ---

    def _tell(self, ending: Ending) -> None:
        """Fill outputs and summary."""
        out, report, sample = self._out, self._context.ci.report, self._last
        out.verdict, out.reason, out.looks = ending.verdict, ending.reason, self._looks
        out.failed_checks = [check.name for check in self._bad()]
        out.baseline_build_id = self._observer.baseline.id if self._observer.baseline else None
        out.checks = {check.name: describe_check(check, self._since[check.name][1]) for check in self._checks}
        if sample:
            out.read(sample.build)
            out.judged_at = utc_text(sample.at)
            rate = sample.crash_rate
            out.crash_rate = None if rate is None else f"{rate:.6g}"
        report.title = f"Gate {ending.verdict}: {find.headline(self._target, out)}"
        report.fact("Uploaded", out.uploaded_at)
        report.fact("Verdict", f"{ending.verdict}, after {plural(self._looks, 'look')}")
        report.checks = self._checks

    def _write(self, ending: Ending) -> None:
        """Write the reports, without secrets. Raises InputError if they cannot be written."""
        out, clean = self._out, self._context.ci.clean
        texts = {name: clean(text) for name, text in out.texts().items()}
        json_text = json_report(
            verdict=ending.verdict,
            reason=texts["reason"],
            build={name: texts[name] for name in ("project-id", "build-id", "app-name", "app-version", "version-code")},
            began=self._began,
            judged_at=out.judged_at,
            looks=self._looks,
            checks={name: {key: clean(text) for key, text in check.items()} for name, check in out.checks.items()},
        )
        cases = [(check.name, str(check.state), clean(f"{check}. {check.reason}".strip())) for check in self._checks]
        if isinstance(ending.problem, ServiceError) or (ending.problem and not self._bad()):
            cases.append(("gate", ending.verdict, texts["reason"]))  # no check has this problem
        junit_text = junit(
            f"Gate of {clean(self._name)}",
            f"appdist-gate.{texts['project-id']}",
            cases,
            inconclusive_is_error=self._inputs.fails_if_inconclusive or self._stops(ending),
            at=self._began,
        )
        self._reports.write(json_text, junit_text)
