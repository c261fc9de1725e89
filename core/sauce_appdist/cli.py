"""The command: from arguments and environment to an exit code. Only this module reads the environment and exits."""

from __future__ import annotations

import gc
import io
import os
import re
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from sauce_appdist import __version__, cancellation
from sauce_appdist.clock import Clock
from sauce_appdist.errors import (
    AppDistError,
    Cancelled,
    CannotStart,
    ExitCode,
    InputError,
    PartialSuccessError,
    UnwritableOutputs,
)
from sauce_appdist.steps import ALIASES, STEPS, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sauce_appdist.ci.base import Ci
    from sauce_appdist.client import Client
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.shell.options import Command


def entrypoint() -> NoReturn:
    """The `sauce-appdist` command."""
    # A step is short-lived: collecting garbage while it starts, and tearing down every module when it ends,
    # would cost as much as its own work (bench/README.md).
    gc.set_threshold(200_000)
    # requests looks for these, to guess the encoding of text and to read JSON, which takes a twentieth of the start-up
    # time. It works without them, and the transport only reads bytes.
    for optional in ("charset_normalizer", "chardet", "simplejson"):
        sys.modules[optional] = None  # type: ignore[assignment]
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # pydantic reads every installed package to find some
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Flush every line, even to a pipe, so that lines stay in order. A Windows console lacks some characters.
            stream.reconfigure(line_buffering=True, errors="replace")
    cancellation.listen()
    try:
        code = main(*_in_utf8(sys.argv[1:], os.environ), sys.stdout)
    except Cancelled:
        code = ExitCode.CANCELLED
    except ImportError as error:
        if not (error.path or "").endswith((".so", ".pyd")):
            raise
        code = _report_unloadable(error, os.environ, sys.stdout)
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


def _report_unloadable(error: ImportError, environ: Mapping[str, str], out: TextIO) -> int:
    """Say why a compiled dependency does not load, and what to do. Returns the exit code."""
    from sauce_appdist.ci import choose, system_of

    system = system_of(environ)
    other = system.other_temp if system and system.other_temp else "install it in another directory"
    if any(text in str(error) for text in ("failed to map segment", "Operation not permitted")):
        why = f"its file system does not let programs run (it is mounted noexec). Mount it without noexec, or {other}"
    else:
        why = f"{error}. Reinstall the dependencies for {sys.executable}"
    problem = CannotStart(f"{error.path} cannot be loaded: {why}.")
    choose(environ, out).error(problem)
    return problem.exit_code


# Paths stay as the locale reads them: that is how Python finds their files.
_PATHS = re.compile(r"(^|[_-])(to|file|bundle|dir|reports|home|output|summary|workspace|temp|path)$", re.IGNORECASE)


def _in_utf8(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[Sequence[str], Mapping[str, str]]:
    """Arguments and environment, read as UTF-8 even in a locale of another encoding; what is not UTF-8 as it is."""
    if sys.getfilesystemencoding().lower().replace("-", "") == "utf8":
        return argv, environ

    def read(name: str, text: str) -> str:
        try:
            return text if _PATHS.search(name) else os.fsencode(text).decode("utf-8")
        except UnicodeDecodeError:
            return text

    words = []
    for before, word in zip(["", *argv], argv, strict=False):
        option, equals, value = word.partition("=")
        whole = not (equals and option.startswith("--"))
        words.append(read(before, word) if whole else f"{option}={read(option, value)}")
    return words, {name: read(name, text) for name, text in environ.items()}


def main(argv: Sequence[str], environ: Mapping[str, str], out: TextIO, clock: Clock | None = None) -> int:
    """Run one command and return its exit code."""
    clock = clock or Clock()
    if argv and argv[0] == "emulator":
        from appdist_emulator.cli import main as serve  # names the package to install if Flask is missing

        return serve(list(argv[1:]))
    if len(argv) == 1 and (argv[0] in STEPS or argv[0] in ALIASES):
        # Actions and templates call it like this: every input is in the environment, and there is nothing to parse.
        return run_step(argv[0], {}, environ, out, clock)
    from sauce_appdist.shell.options import Usage, read  # CI does not need argparse

    try:
        command = read(argv)
    except Usage as usage:
        from sauce_appdist.ci.base import say

        say(*((out, str(usage)) if usage.code == 0 else (sys.stderr, _without_secrets(str(usage), environ))))
        return usage.code
    if command.words[0] == "api":
        return run_api(command, environ, out, clock)
    return run_step(command.words[0], command.options, environ, out, clock, json=command.json)


def _without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """A usage message may quote an argument that is a secret of the environment."""
    from sauce_appdist.interface.environment import secrets_in
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.text import Redactor, is_placeholder, printable

    secrets = secrets_in(ConnectionInputs, environ).values()
    return printable(Redactor(secret for secret in secrets if not is_placeholder(secret))(text))


def run_step(
    name: str,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    out: TextIO,
    clock: Clock,
    *,
    json: bool = False,
) -> int:
    """Validate the inputs, run the step, and write outputs and summary even if it fails. Returns the exit code."""
    from sauce_appdist.ci import choose  # `--version` and `--help` need none of this
    from sauce_appdist.steps.context import Context

    step = load(name)
    ci = choose(environ, out, json=json)
    outputs = step.Outputs.model_construct()  # nothing to validate: building a validator takes milliseconds
    ci.report.title = f"{name} did not start"
    ignored: list[str] = []

    def work() -> None:
        inputs = _inputs(step.Inputs, options, environ, ci, ignored)
        outputs.dry_run = inputs.dry_run
        if unread := _unread_variables(step.Inputs, environ):
            ci.info(f"No step reads {', '.join(unread)}.")
        ci.report.title = name
        ci.check_outputs()
        step.run(inputs, Context(_client(inputs, environ, ci, clock), ci, clock, inputs.dry_run), outputs)
        if outputs.dry_run:
            ci.report.fact("Dry run", "nothing was written")

    problem = _problem(work)
    if ignored and isinstance(problem, InputError):
        problem = InputError(f"{problem}\n(Ignored in favour of the inputs that are set here: {', '.join(ignored)}.)")
    if isinstance(problem, Cancelled) and outputs.lasting():
        problem = PartialSuccessError(
            f"{problem} Before that, the step did what its outputs tell. Do not run it again."
        )
    if problem:
        ci.report.problem = problem
        ci.error(problem)
    try:
        ci.finish(outputs)
    except BrokenPipeError:
        pass  # the reader of stdout has gone
    except OSError as error:
        if isinstance(problem, UnwritableOutputs):
            return problem.exit_code  # as reported above
        unwritten = PartialSuccessError(
            f"The outputs cannot be written: {error.strerror} ({error.filename}). The step itself "
            + ("failed as reported above." if problem else "completed.")
        )
        ci.error(unwritten)
        problem = problem or unwritten
    return problem.exit_code if problem else ExitCode.OK


def _unread_variables(declared: type[ConnectionInputs], environ: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that are neither inputs nor outputs of any step: a misspelt threshold is not used."""
    from sauce_appdist.interface import variable
    from sauce_appdist.text import did_you_mean

    own = [variable(name) for name in declared.model_fields]
    prefixes = variable("input") + "_", variable("id_token"), variable("python")
    names = [name for name in environ if name.startswith(variable("")) and not name.startswith(prefixes)]
    names = [name for name in names if name not in own]
    if not names:
        return []
    steps = [load(step) for step in STEPS]  # few jobs have such a variable
    known = {variable(name) for step in steps for part in (step.Inputs, step.Outputs) for name in part.model_fields}
    return [f"{name}{did_you_mean(name, own)}" for name in sorted({*names} - known)]


def run_api(command: Command, environ: Mapping[str, str], out: TextIO, clock: Clock) -> int:
    """Call one endpoint. The environment sets only the connection. Returns the exit code."""
    from sauce_appdist.ci import job_of
    from sauce_appdist.ci.terminal import Answers, JsonOutput
    from sauce_appdist.interface import variable
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.shell import api_commands

    _, resource, verb = command.words
    ci = (JsonOutput if command.json else Answers)(environ, out, job_of(environ))
    connection = {variable(name) for name in ConnectionInputs.model_fields}

    def work() -> None:
        declared = api_commands.inputs_of(resource, verb)
        connecting = {name: text for name, text in environ.items() if name in connection}
        inputs = _inputs(declared, command.options, connecting, ci)
        api_commands.run(resource, verb, inputs, _client(inputs, environ, ci, clock), ci)

    try:
        problem = _problem(work)
    except BrokenPipeError:
        return ExitCode.OK  # the reader of stdout has gone
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
    """The validated inputs. Every secret among them is masked before a message can mention it.

    The variables that were ignored in favour of explicit inputs are added to `ignored`.
    """
    from sauce_appdist.ci import job_secrets, missing_secrets, system_of
    from sauce_appdist.interface.environment import gather, parse, secrets_in
    from sauce_appdist.interface.inputs import is_secret
    from sauce_appdist.text import basic_pair

    secrets = {**secrets_in(declared, environ), **job_secrets(environ)}
    for secret in secrets.values():
        _mask(secret, ci)
    system = system_of(environ)
    literal = system is not None and system.literal_variables
    found = gather(declared, options, environ, literal_variables=literal)
    texts = found.texts
    for name, text in texts.items():
        if is_secret(declared.model_fields[name]):
            _mask(text, ci)  # from a file
    used = {text for name, text in texts.items() if is_secret(declared.model_fields[name])}
    _warn_of_placeholders({name: secret for name, secret in secrets.items() if secret not in used}, ci)
    if {"email", "api_key"} <= texts.keys():  # as the Authorization header encodes them
        ci.mask(basic_pair(texts["email"].strip(), texts["api_key"].strip()))
    if ignored is not None:
        ignored += found.ignored
    try:
        inputs = parse(declared, texts, ci.holds_secret)
    except InputError as error:
        credentials = [name for name in texts if is_secret(declared.model_fields[name])]
        why = f"{_UNSET if system else ''}{missing_secrets(environ)}" if not credentials else ""
        raise InputError(f"{error}{why}") from None
    ci.debugging = inputs.debug
    for warning in found.warnings:
        ci.warning(warning)
    if found.build_from:
        ci.info(f"The build comes from the environment: {', '.join(found.build_from)}.")
    if unused := _unused_variables(declared, found.ignored):
        ci.info(f"Not used, because other inputs take precedence: {', '.join(unused)}.")
    return inputs


# What no CI system tells: an expression or a variable that does not exist is an empty text.
_UNSET = (
    "\nIf a secret or a variable should give the credentials: one that is unset or misspelt is empty, and so is a "
    "protected variable of GitLab on an unprotected ref."
)


def _unused_variables(declared: type[ConnectionInputs], ignored: list[str]) -> list[str]:
    """The ignored variables that are worth a line: not those of another sign-in method, which most jobs have."""
    if not ignored:
        return []
    from sauce_appdist.interface import variable
    from sauce_appdist.interface.inputs import extra

    groups = {variable(name): extra(field)["group"] for name, field in declared.model_fields.items()}
    return [name for name in ignored if groups[name] not in {"basic", "oidc"}]


def _mask(secret: str, ci: Ci) -> None:
    from sauce_appdist.text import is_placeholder

    if not is_placeholder(secret):
        ci.mask(secret)


def _warn_of_placeholders(unused: Mapping[str, str], ci: Ci) -> None:
    from sauce_appdist.text import MIN_SECRET, is_placeholder

    for name, secret in unused.items():
        if is_placeholder(secret):
            ci.warning(
                f"{name} has fewer than {MIN_SECRET} characters, so it is treated as a placeholder: it is not hidden "
                "in the log. Remove it, or set the real credential."
            )


def _problem(work: Callable[[], None]) -> AppDistError | None:
    """The error that ended the work, if any; a bug becomes an AppDistError. No signal interrupts what follows."""
    try:
        try:
            work()
        finally:
            cancellation.ignore()
    except AppDistError as error:
        return error
    except BrokenPipeError:
        raise
    except Exception as bug:  # noqa: BLE001 - a traceback could show a secret
        return AppDistError(
            f"This is a bug in sauce-appdist {__version__}. Please report it: {type(bug).__name__}: {bug}"
            f" ({_place(bug)})"
        )
    return None


def _place(bug: BaseException) -> str:
    """File name and line number of the innermost frame in this package."""
    trace = bug.__traceback__
    place = ""
    while trace:
        code = trace.tb_frame.f_code
        if "sauce_appdist" in code.co_filename:
            place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119
        trace = trace.tb_next
    return place


def _client(inputs: ConnectionInputs, environ: Mapping[str, str], ci: Ci, clock: Clock) -> Client:
    from sauce_appdist.client import Client  # loads requests, which takes longer than to reject a wrong input

    return Client.connect(inputs, environ, log=ci.debug, warn=ci.warning, mask=ci.mask, clock=clock)
