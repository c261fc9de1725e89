"""argv and environment in, one step, exit code out: the only reader of the environment and the only exit."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, TextIO

from sauce_appdist import __version__
from sauce_appdist.errors import AppDistError, Cancelled, ExitCode, InputError, PartialSuccessError
from sauce_appdist.steps import STEPS, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sauce_appdist.ci import Ci
    from sauce_appdist.client import Client
    from sauce_appdist.contract import ConnectionInputs


def entrypoint() -> NoReturn:
    """The `sauce-appdist` command."""
    # A step lives for a moment: collecting garbage while it starts, and taking every module apart when it
    # ends, would cost as much as its own work (bench/README.md).
    gc.set_threshold(200_000)
    # requests imports this to guess the encoding of texts, which takes a twentieth of the start. It knows how to
    # do without, and no text is asked of it: the transport reads bytes.
    sys.modules["charset_normalizer"] = None  # type: ignore[assignment]
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Lines in order and at once, though stdout is a pipe; and a Windows console cannot show everything.
            stream.reconfigure(line_buffering=True, errors="replace")
    for cancelled in (signal.SIGINT, signal.SIGTERM):
        signal.signal(cancelled, _cancel)
    try:
        code = main(sys.argv[1:], os.environ, sys.stdout)
    except Cancelled:
        code = ExitCode.CANCELLED
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


def _cancel(*_: object) -> NoReturn:
    _finish_in_peace()
    raise Cancelled("The job was cancelled.")


def _finish_in_peace() -> None:
    """From here on no signal cuts the telling short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is _cancel:
            signal.signal(number, signal.SIG_IGN)


def main(argv: Sequence[str], environ: Mapping[str, str], out: TextIO) -> int:
    """Run one command and return its exit code."""
    if argv and argv[0] == "emulator":
        from appdist_emulator.cli import main as serve  # says itself what to install where Flask is missing

        return serve(list(argv[1:]))
    if len(argv) == 1 and argv[0] in STEPS:
        # How actions and templates call it: everything is in the environment, nothing to parse.
        return run_step(argv[0], {}, environ, out)
    from sauce_appdist.options import Usage, read  # argparse is only for people

    try:
        command = read(argv)
    except Usage as usage:
        from sauce_appdist.ci import say

        say(out if usage.code == 0 else sys.stderr, str(usage))
        return usage.code
    return run_step(command.step, command.options, environ, out, json=command.json)


def run_step(
    name: str, options: Mapping[str, str], environ: Mapping[str, str], out: TextIO, *, json: bool = False
) -> int:
    """Validate, run, and write outputs and summary whatever happens."""
    from sauce_appdist.ci import choose  # `--version` and `--help` need none of this
    from sauce_appdist.contract import gather, parse, secrets_in

    step = load(name)
    ci = choose(environ, out, json=json)
    outputs = step.Outputs()
    problem: AppDistError | None = None
    ci.report.title = f"{name} did not start"
    ignored: list[str] = []
    try:
        for secret in secrets_in(step.Inputs, environ):
            ci.mask(secret)
        texts, ignored = gather(step.Inputs, options, environ)
        inputs = parse(step.Inputs, texts, ci.holds_secret)
        outputs.dry_run, ci.debugging = inputs.dry_run, inputs.debug
        ci.report.title = name
        step.run(inputs, _client(inputs, ci), ci, outputs)
        if outputs.dry_run:
            ci.report.fact("Dry run", "nothing was written")
    except AppDistError as error:
        problem = error
        if ignored and isinstance(error, InputError):
            problem = InputError(f"{error}\n({', '.join(ignored)} left aside for what is given here.)")
    except Exception as bug:  # noqa: BLE001 - a traceback could show what nobody should see
        problem = AppDistError(
            f"This is a bug of sauce-appdist {__version__}, please report it: {type(bug).__name__}: {bug}"
            f" ({_place(bug)})"
        )
    _finish_in_peace()
    if problem:
        ci.report.problem = problem
        ci.error(problem)
    try:
        ci.finish(outputs)
    except BrokenPipeError:
        pass  # nobody reads any more
    except OSError as error:
        unwritten = PartialSuccessError(
            f"The outputs cannot be written: {error.strerror} ({error.filename}). The step itself "
            + ("failed as said above." if problem else "did everything that it was asked for.")
        )
        ci.error(unwritten)
        problem = problem or unwritten
    return problem.exit_code if problem else ExitCode.OK


def _place(bug: BaseException) -> str:
    """The innermost line of ours, which names no value."""
    trace = bug.__traceback__
    place = ""
    while trace:
        code = trace.tb_frame.f_code
        if "sauce_appdist" in code.co_filename:
            place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119
        trace = trace.tb_next
    return place


def _client(inputs: ConnectionInputs, ci: Ci) -> Client:
    from sauce_appdist.client import Client  # a wrong input is told before requests loads
    from sauce_appdist.transport import Transport

    auth = inputs.auth()
    for secret in auth.secrets():
        ci.mask(secret)
    transport = Transport(
        inputs.api_url(),
        auth,
        timeout=inputs.timeout,
        retries=inputs.retries,
        read_only=inputs.dry_run,
        log=ci.debug,
        warn=ci.warning,
    )
    return Client(transport, inputs.dashboard_url())
