"""argv and environment in, one step, exit code out: the only reader of the environment and the only exit."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from sauce_appdist import __version__
from sauce_appdist.clock import Clock
from sauce_appdist.errors import AppDistError, Cancelled, ExitCode, InputError, PartialSuccessError
from sauce_appdist.steps import ALIASES, STEPS, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sauce_appdist.ci.base import Ci
    from sauce_appdist.client import Client
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.shell.options import Command


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


def main(argv: Sequence[str], environ: Mapping[str, str], out: TextIO, clock: Clock | None = None) -> int:
    """Run one command and return its exit code."""
    clock = clock or Clock()
    if argv and argv[0] == "emulator":
        from appdist_emulator.cli import main as serve  # says itself what to install where Flask is missing

        return serve(list(argv[1:]))
    if len(argv) == 1 and (argv[0] in STEPS or argv[0] in ALIASES):
        # How actions and templates call it: everything is in the environment, nothing to parse.
        return run_step(argv[0], {}, environ, out, clock)
    from sauce_appdist.shell.options import Usage, read  # argparse is only for people

    try:
        command = read(argv)
    except Usage as usage:
        from sauce_appdist.ci.base import say

        say(out if usage.code == 0 else sys.stderr, _without_secrets(str(usage), environ))
        return usage.code
    if command.words[0] == "api":
        return run_api(command, environ, out, clock)
    return run_step(command.words[0], command.options, environ, out, clock, json=command.json)


def _without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """What was typed may be quoted, and be a secret that the environment has as well."""
    from sauce_appdist.interface.environment import secrets_in
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.text import Redactor

    return Redactor(secrets_in(ConnectionInputs, environ))(text)


def run_step(
    name: str,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    out: TextIO,
    clock: Clock,
    *,
    json: bool = False,
) -> int:
    """Validate, run, and write outputs and summary whatever happens."""
    from sauce_appdist.ci import choose  # `--version` and `--help` need none of this
    from sauce_appdist.steps.context import Context

    step = load(name)
    ci = choose(environ, out, json=json)
    outputs = step.Outputs()
    ci.report.title = f"{name} did not start"
    ignored: list[str] = []

    def work() -> None:
        inputs = _inputs(step.Inputs, options, environ, ci, ignored)
        outputs.dry_run = inputs.dry_run
        ci.report.title = name
        step.run(inputs, Context(_client(inputs, environ, ci, clock), ci, clock, inputs.dry_run), outputs)
        if outputs.dry_run:
            ci.report.fact("Dry run", "nothing was written")

    problem = _problem(work)
    if ignored and isinstance(problem, InputError):
        problem = InputError(f"{problem}\n({', '.join(ignored)} left aside for what is given here.)")
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


def run_api(command: Command, environ: Mapping[str, str], out: TextIO, clock: Clock) -> int:
    """One endpoint; how to connect is all that the environment says."""
    from sauce_appdist.ci import job_of
    from sauce_appdist.ci.terminal import Answers, JsonOutput
    from sauce_appdist.interface import variable
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.shell import console

    _, resource, verb = command.words
    ci = (JsonOutput if command.json else Answers)(environ, out, job_of(environ))
    connection = {variable(name) for name in ConnectionInputs.model_fields}

    def work() -> None:
        declared = console.inputs_of(resource, verb)
        around = {name: text for name, text in environ.items() if name in connection}
        inputs = _inputs(declared, command.options, around, ci)
        console.run(resource, verb, inputs, _client(inputs, environ, ci, clock), ci)

    try:
        problem = _problem(work)
    except BrokenPipeError:
        return ExitCode.OK  # nobody reads any more
    _finish_in_peace()
    if problem:
        ci.error(problem)
    return problem.exit_code if problem else ExitCode.OK


def _inputs(
    declared: type[ConnectionInputs],
    options: Mapping[str, str],
    environ: Mapping[str, str],
    ci: Ci,
    ignored: list[str] | None = None,
) -> Any:
    """The checked inputs; every secret among them is masked before anything can be said of them.

    `ignored` is told which variables were left aside for what was given.
    """
    from sauce_appdist.ci import job_secrets, missing_secrets, system_of
    from sauce_appdist.interface.environment import gather, parse, secrets_in
    from sauce_appdist.interface.inputs import is_secret
    from sauce_appdist.text import basic_pair

    for secret in (*secrets_in(declared, environ), *job_secrets(environ)):
        ci.mask(secret)
    system = system_of(environ)
    literal = system is not None and system.literal_variables
    given = gather(declared, options, environ, literal_variables=literal)
    for name, text in given.texts.items():
        if is_secret(declared.model_fields[name]):
            ci.mask(text)  # from a file
    if {"email", "api_key"} <= given.texts.keys():  # as they travel
        ci.mask(basic_pair(given.texts["email"].strip(), given.texts["api_key"].strip()))
    if ignored is not None:
        ignored += given.ignored
    try:
        inputs = parse(declared, given.texts, ci.holds_secret)
    except InputError as error:
        credentials = [name for name in given.texts if is_secret(declared.model_fields[name])]
        raise InputError(f"{error}{'' if credentials else missing_secrets(environ)}") from None
    ci.debugging = inputs.debug
    return inputs


def _problem(work: Callable[[], None]) -> AppDistError | None:
    """What went wrong, as something that can be told."""
    try:
        work()
    except AppDistError as error:
        return error
    except BrokenPipeError:
        raise
    except Exception as bug:  # noqa: BLE001 - a traceback could show what nobody should see
        return AppDistError(
            f"This is a bug of sauce-appdist {__version__}, please report it: {type(bug).__name__}: {bug}"
            f" ({_place(bug)})"
        )
    return None


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


def _client(inputs: ConnectionInputs, environ: Mapping[str, str], ci: Ci, clock: Clock) -> Client:
    from sauce_appdist.client import Client  # a wrong input is told before requests loads

    return Client.connect(inputs, environ, log=ci.debug, warn=ci.warning, mask=ci.mask, clock=clock)
