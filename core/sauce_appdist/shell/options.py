"""The command line for people. Its options follow from the declarations in `interface/` and `api_commands`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, get_args

from sauce_appdist import __version__
from sauce_appdist.errors import ExitCode
from sauce_appdist.interface import kebab, variable
from sauce_appdist.interface.inputs import (
    ConnectionInputs,
    choices,
    describe_field,
    extra,
    is_flag,
    is_list,
    is_secret,
    sections,
)
from sauce_appdist.interface.types import Pairs
from sauce_appdist.shell import api_commands
from sauce_appdist.steps import ALIASES, STEPS, load
from sauce_appdist.text import did_you_mean, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic.fields import FieldInfo

    from sauce_appdist.interface.inputs import StepInputs

_EXAMPLE = """\
example:
  export APPDIST_EMAIL=ci@example.com APPDIST_API_KEY=...
  sauce-appdist promote --project-id 6905338 --build-id latest --to-folder QA --groups Testers
  sauce-appdist api builds list --project-id 6905338

`sauce-appdist <step> --help` lists a step's options, `sauce-appdist api --help` the rest of the API. You can set every
option of a step in the environment instead: --build-id as APPDIST_BUILD_ID."""
_API_EXAMPLE = """\
examples:
  sauce-appdist api projects list
  sauce-appdist api audits admin-trail --start-date 2026-03-01 --all --json

The connection comes from the environment (APPDIST_EMAIL, APPDIST_API_KEY, APPDIST_REGION, ...); everything else must
be an option. A command that deletes, blocks or sends e-mails asks first; without a terminal it needs --yes."""
_COMPLETION = """\
To enable completion in every new shell:
  bash:  sauce-appdist completion bash > ~/.local/share/bash-completion/completions/sauce-appdist
  zsh:   sauce-appdist completion zsh > ~/.zfunc/_sauce-appdist    (a directory of your $fpath)
  fish:  sauce-appdist completion fish > ~/.config/fish/completions/sauce-appdist.fish"""
_SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


class Command(NamedTuple):
    """A parsed command: a step, or a resource and a verb of the API, and the text of each option."""

    words: tuple[str, ...]
    options: dict[str, str]
    json: bool


class Usage(Exception):
    """A text to print and its exit code: help, the version, or a usage error."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text.rstrip("\n"))
        self.code = code


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises Usage instead of exiting, and suggests the nearest name."""

    def error(self, message: str) -> NoReturn:
        if found := re.fullmatch(r"argument (--[\w-]+): expected one argument", message):
            message += f". A value that begins with - needs an equals sign: {found[1]}=-x"
        raise Usage(f"{message}\nSee {self.prog} --help.", ExitCode.INPUT)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:  # here, because only the parser of the command knows its options
            known = [option for action in self._actions for option in action.option_strings]
            # Never show a value: it may be a secret after a mistyped option.
            names = [name for word in unknown if re.fullmatch(r"--[a-z][a-z_-]*", name := word.partition("=")[0])]
            if not names:
                self.error(f"{plural(len(unknown), 'argument')} too many: put an option before every value")
            self.error(f"unrecognized arguments: {', '.join(names)}{did_you_mean(names[0], known)}")
        return parsed, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            # A word that does not look like a command may be a secret.
            quoted = f": {value!r}{did_you_mean(value, known)}" if re.fullmatch(r"[a-z][a-z-]{0,20}", value) else ""
            raise argparse.ArgumentError(action, f"invalid choice{quoted} (choose from {', '.join(known)})")

    def print_help(self, _file: object = None) -> None:
        raise Usage(self.format_help(), ExitCode.OK)


class _Version(argparse.Action):
    def __call__(self, *_: object) -> NoReturn:
        raise Usage(f"sauce-appdist {__version__}", ExitCode.OK)


class _Secret(argparse.Action):
    """Refuses a secret as an argument: every user of the machine can read the arguments of a process."""

    def __call__(self, _parser: object, _namespace: object, _values: object, option: str | None = None) -> NoReturn:
        name = variable((option or "").lstrip("-").replace("-", "_"))
        raise Usage(
            f"{option} is not accepted as an argument, because other users could read it: set {name}, or name a file "
            f"that contains it with {option}-file.",
            ExitCode.INPUT,
        )


class _Once(argparse.Action):
    """Keeps one value. Several would be joined to one that nobody wrote."""

    def __call__(self, _parser: object, namespace: object, values: object, _option: str | None = None) -> None:
        if getattr(namespace, self.dest):
            raise argparse.ArgumentError(self, "is set twice, but takes one value")
        setattr(namespace, self.dest, [str(values)])


class _SecretFile(_Once):
    """Reads a secret from a file, like those that are mounted into containers."""

    def __call__(self, _parser: object, namespace: object, values: object, option: str | None = None) -> None:
        try:
            text = Path(str(values)).read_text("utf-8-sig").strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not a text file"
            raise Usage(f"{option} is {values}, which cannot be read: {reason}.", ExitCode.INPUT) from None
        if not text:
            raise Usage(f"{option} is {values}, which is empty: expected a file with the secret.", ExitCode.INPUT)
        super().__call__(_parser, namespace, text, option)


def read(argv: Sequence[str]) -> Command:
    """The parsed command. Raises Usage for help, the version, a completion script and usage errors."""
    words = [word for word in argv if not word.startswith("-")]
    parsed = vars(_parser(words).parse_args(list(argv)))
    if parsed["step"] == "completion":
        raise Usage(_completion(parsed["shell"]), ExitCode.OK)
    command = tuple(parsed.pop(name) for name in ("step", "resource", "verb") if name in parsed)
    json = parsed.pop("json")
    options = {name: "\n".join(texts) for name, texts in parsed.items() if texts}
    # A variable without a value, such as `--site "$SITE"`, would otherwise widen what the endpoint works on.
    if command[0] == "api" and (empty := [f"--{kebab(name)}" for name, text in options.items() if not text.strip()]):
        raise Usage(f"{', '.join(empty)} is empty: set a value, or omit the option.", ExitCode.INPUT)
    return Command(command, options, json)


def _parser(words: Sequence[str] | None) -> _Parser:
    """The parser, with the options of the command that `words` start with, or of every command for None."""
    parser = _Parser(
        prog="sauce-appdist",
        description="Workflow steps for Sauce Labs Mobile App Distribution, and its whole API.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="step", metavar="<command>", required=True, parser_class=_Parser)
    for name in (*STEPS, *ALIASES):
        summary = (load(name).__doc__ or "").partition("\n")[0]
        shown = f"The same as {ALIASES[name]}." if name in ALIASES else summary
        command = commands.add_parser(name, help=shown, description=summary, allow_abbrev=False)
        if words is None or words[:1] == [name]:
            groups = sections(load(name).Inputs)
            _add_options(command, groups, "print the outputs as one JSON object, and everything else on stderr", words)
    api = commands.add_parser(
        "api",
        help="Call any endpoint of the service.",
        description="Every endpoint of the service.",
        epilog=_API_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if words is None or words[:1] == ["api"]:
        _add_resources(api, None if words is None else words[1:])
    commands.add_parser("emulator", help="Run an emulator of the service on this machine.", add_help=False)
    completion = commands.add_parser(
        "completion",
        help="Print a shell script that completes commands and options.",
        epilog=_COMPLETION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    completion.add_argument("shell", choices=_SHELLS)
    return parser


def _add_resources(parser: argparse.ArgumentParser, words: Sequence[str] | None) -> None:
    resources = parser.add_subparsers(dest="resource", metavar="<resource>", required=True, parser_class=_Parser)
    for resource, rows in api_commands.RESOURCES.items():
        summary = (api_commands.module(resource).__doc__ or "").partition("\n")[0]
        sub = resources.add_parser(resource, help=summary, description=summary)
        if words is not None and words[:1] != [resource]:
            continue
        verbs = sub.add_subparsers(dest="verb", metavar="<verb>", required=True, parser_class=_Parser)
        for verb in rows:
            summary = _plain(api_commands.summary(resource, verb))
            command = verbs.add_parser(verb, help=summary, description=summary, allow_abbrev=False)
            if words is None or words[1:2] == [verb]:
                _add_options(
                    command,
                    _sections(api_commands.inputs_of(resource, verb)),
                    "print the response as JSON with the service's names, and everything else on stderr",
                    words,
                )


def _sections(inputs: type[StepInputs]) -> dict[str, dict[str, FieldInfo]]:
    """The options of an endpoint: its own first, then the connection."""
    fields = dict(inputs.model_fields)
    connection = {name: fields.pop(name) for name in ConnectionInputs.model_fields}
    return {"This endpoint": fields, "The connection": connection}


def _add_options(
    parser: argparse.ArgumentParser,
    groups: Mapping[str, Mapping[str, FieldInfo]],
    json: str,
    words: Sequence[str] | None,
) -> None:
    """Add options in groups. argparse requires those of `api`; those of a step may come from the environment."""
    parser.add_argument("--json", action="store_true", help=json)
    for title, fields in groups.items():
        group = parser.add_argument_group(title)
        for field_name, field in fields.items():
            option = f"--{kebab(field_name)}"
            text = _plain(describe_field(field))
            if is_secret(field):
                group.add_argument(option, action=_Secret, nargs="?", metavar="VALUE", help=argparse.SUPPRESS)
                text = f"{text} Set {variable(field_name)}, or name a file that contains it."
                group.add_argument(f"{option}-file", action=_SecretFile, dest=field_name, metavar="FILE", help=text)
                continue
            required = "This endpoint" in groups and field.is_required()
            nargs: Literal["?"] | None = "?" if is_flag(field) else None
            added = group.add_argument(
                option,
                action="append" if _may_repeat(field) else _Once,
                dest=field_name,
                nargs=nargs,
                const="true" if nargs else None,
                required=required,
                metavar=_plain(_metavar(field_name, field)),
                help=text,
            )
            if words is None:  # for completion; otherwise our own message names the choices
                added.choices = (["true", "false"] if nargs else choices(field)) or None
                if field_name in {"to", "release_notes_file"}:
                    added.complete = _shtab().FILE  # type: ignore[attr-defined]


def _may_repeat(field: FieldInfo) -> bool:
    """Whether an option may be set several times: each is an item, a `key=value` or a line."""
    is_mapping = Pairs in {field.annotation, *get_args(field.annotation)}
    return is_list(field) or is_mapping or bool(extra(field).get("multiline"))


def _metavar(name: str, field: FieldInfo) -> str:
    if is_flag(field):
        return "true|false"
    if is_list(field):
        return f"{kebab(name)},…".upper()
    return "|".join(choices(field)) or kebab(name).upper()


def _shtab() -> Any:
    try:
        import shtab  # only needed for completion
    except ImportError:
        raise Usage("completion needs shtab: pip install shtab", ExitCode.INPUT) from None
    return shtab


def _completion(shell: str) -> str:
    return str(_shtab().complete(_parser(None), shell))


def _plain(text: str) -> str:
    return text.replace("%", "%%")
