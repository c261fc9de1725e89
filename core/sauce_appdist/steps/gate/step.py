"""Let a build through only when its testers have shown that it is good."""

from __future__ import annotations

import time
from datetime import UTC, datetime
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
from sauce_appdist.verdict.checks import SAME_BUILD, Check, CheckState, settled, worst
from sauce_appdist.verdict.reports import junit

if TYPE_CHECKING:
    from collections.abc import Callable

    from sauce_appdist.steps.context import Context
    from sauce_appdist.steps.gate.observe import Observer, Sample

_QUIET = 600.0  # seconds after which a wait says that it still waits


class Inputs(GateOptions, BuildInputs):
    """A build, and what it must have shown."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.gates():
            raise ValueError("no check is asked for: give at least one, like min-sessions, max-crash-rate or min-age")
        return self


class Outputs(GateOutputs, BuildOutputs):
    """The build and the verdict."""


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """GETs only: one a look for the build, one for its sessions and one for the feedbacks where checks need them."""
    this = Gate(inputs, context, out)
    target = find.resolve(inputs, context, read=True)
    find.describe(target, context, out)
    this.aim(target, Directory(context.client))
    this.judge()
    context.ci.report.state = "done" if out.verdict == "passed" else "unknown"


class Ending(NamedTuple):
    """How it ended: the verdict, why, and what the step fails with if it does."""

    verdict: Verdict
    reason: str
    problem: AppDistError | None = None


class Gate:
    """Looks at a build until the verdict is final or the time is over, and tells it.

    `writes` says that a pass has consequences: then another build than the one that was judged stops in every mode.
    """

    def __init__(self, inputs: GateOptions, context: Context, out: Any, *, writes: bool = False) -> None:
        """Takes the reports of an earlier run away. Raises InputError where there can be none."""
        self._inputs, self._context, self._out, self._writes = inputs, context, out, writes
        self._reports = ReportFiles(inputs.gate_reports)
        self._began = datetime.now(UTC)
        self._last: Sample | None = None
        self._looks = 0
        self._waited = 0.0  # seconds
        self._since: dict[str, tuple[CheckState, datetime]] = {}
        self._progressed: object = None
        self._progressed_at = 0.0
        self._schedule = PollSchedule(inputs)
        self._warned: object = None

    def aim(self, target: find.Target, directory: Directory) -> None:
        """At this build. Raises InputError for groups or a baseline that do not exist, before anybody waits."""
        from sauce_appdist.steps.gate.observe import Observer  # a promotion without a gate needs none

        inputs = self._inputs
        self._name = find.name_of(target)
        self._observer: Observer = Observer(
            inputs.thresholds(),
            inputs.baseline,
            zone(inputs.timezone),
            target,
            directory,
            self._context.client,
            self._context.ci.without_secrets,
        )

    def judge(self) -> None:
        """Wait for the verdict, as long as the inputs say.

        Outputs, summary and reports have it in any case. Raises GateFailed and GateInconclusive as the inputs want
        it, InputError where the build's times cannot be right, and the service's error where it could not be asked.
        """
        self._conclude(self._wait, hint=self._hint)
        if self._out.verdict == "passed":
            self._context.ci.info(f"{self._name}: the gate passed. {self._out.reason}")

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
        return self._schedule.satisfied or self._inputs.consecutive_passes == 1

    def _wait(self) -> bool:
        """Whether enough looks in a row have passed."""
        inputs, schedule, began = self._inputs, self._schedule, time.monotonic()
        while True:
            try:
                look = self._look()
            except (ApiError, TransportError) as error:
                pause = schedule.after_error(time.monotonic() - began)
                if pause is None or (isinstance(error, ApiError) and error.not_found):
                    raise
                self._context.ci.info(f"{one_line(str(error), 400).rstrip('.')}. Looking again in {span(pause)}.")
            else:
                self._waited = elapsed = time.monotonic() - began
                pause = schedule.after(look.checks, elapsed)
                if pause is None:
                    return schedule.satisfied
                self._progress(look, max(0.0, inputs.wait - elapsed), schedule.passes)
            self._context.clock.sleep(pause)

    def _look(self) -> Sample:
        look = self._observer.sample()
        self._looks += 1
        for check in look.checks:
            state, since = self._since.get(check.name, (None, look.at))
            self._since[check.name] = (check.state, since if state is check.state else look.at)
        self._last = look
        return look

    def _progress(self, look: Sample, left: float, passes: int) -> None:
        """A line when something changed, or when it was quiet for long."""
        # An age changes all the time.
        seen = [(one.name, one.state, "" if "age" in one.name.split("-") else one.observed) for one in look.checks]
        now = time.monotonic()
        if (seen, passes) == self._progressed and now - self._progressed_at < _QUIET:
            return
        self._progressed, self._progressed_at = (seen, passes), now
        text = "; ".join(f"{one.name} {one}" for one in look.checks if one.state is not CheckState.PASSED)
        text = text or f"passed, {passes} of {self._inputs.consecutive_passes} looks in a row"
        left = round(left / 60) * 60 if left > 90 else left
        self._context.ci.info(f"{look.at:%H:%M:%S} UTC, {span(left)} left: {text}")

    # --- Ending ---

    def _conclude(self, looking: Callable[[], bool], *, hint: Callable[[], str] = str) -> None:
        """Sample, and tell how it ended whatever happens."""
        enough, problem = False, None
        try:
            enough = looking()
        except ServiceError as error:
            problem = error
        advice = hint()  # while what is pending can be told from what is inconclusive
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
        """What may help where nothing is wrong but that it is too early."""
        open_ = self._bad()
        if any(one.state is not CheckState.PENDING for one in open_):
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
        state, reason = worst(checks), self._open()
        waited = f" (waited {span(self._waited)})" if self._waited >= 1 else ""
        if state is CheckState.PASSED and enough:
            return Ending("passed", f"Passed: {', '.join(one.name for one in checks)}.")
        if state is CheckState.PASSED:
            reason = f"It passed, but not {self._inputs.consecutive_passes} looks in a row{waited}."
            return Ending("inconclusive", reason, GateInconclusive(f"{name}: {reason}"))
        if state is CheckState.FAILED:
            return Ending("failed", reason, GateFailed(f"{name}: {reason}"))
        if state is CheckState.ERROR:
            return Ending("error", reason, InputError(f"{name} cannot be judged: {reason}"))
        return Ending("inconclusive", reason, GateInconclusive(f"{name}{waited}: {reason}{hint}"))

    @property
    def _checks(self) -> list[Check]:
        """Those of the last look."""
        return self._last.checks if self._last else []

    def _bad(self) -> list[Check]:
        """What did not pass, the worst first."""
        return sorted((one for one in self._checks if one.state is not CheckState.PASSED), key=lambda one: -one.state)

    def _open(self) -> str:
        texts = [f"{one.name} is {one}" + (f" ({one.reason.rstrip('.')})" if one.reason else "") for one in self._bad()]
        return f"{one_line('; '.join(texts), 900)}." if texts else ""

    def _stops(self, ending: Ending) -> bool:
        """Whether the step fails with the ending's problem."""
        if ending.problem is None:
            return False
        if isinstance(ending.problem, Cancelled) or ending.verdict == "error":
            return True
        if self._writes and any(one.name == SAME_BUILD for one in self._bad()):
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
            (self._context.ci.warning if reported or self._inputs.on_inconclusive == "warn" else self._context.ci.info)(
                said
            )
        self._warned = why

    # --- Telling ---

    def _tell(self, ending: Ending) -> None:
        """Outputs and summary."""
        out, report, look = self._out, self._context.ci.report, self._last
        out.verdict, out.reason, out.looks = ending.verdict, ending.reason, self._looks
        out.failed_checks = [one.name for one in self._bad()]
        out.baseline_build_id = self._observer.baseline.id if self._observer.baseline else None
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
        out, clean = self._out, self._context.ci.clean
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
