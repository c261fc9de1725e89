"""The command line that people type; its options come from the contract."""

from __future__ import annotations

import argparse
from typing import NamedTuple, NoReturn

from sauce_appdist import __version__
from sauce_appdist.contract import choices, described, is_secret, kebab, sections, variable
from sauce_appdist.errors import ExitCode
from sauce_appdist.steps import STEPS, load

_EXAMPLE = """\
example:
  export APPDIST_EMAIL=ci@example.com APPDIST_API_KEY=...
  sauce-appdist promote --project-id 6905338 --build-id latest --to-folder QA --groups Testers

`sauce-appdist <step> --help` lists a step's options. Every option can be given in the environment
instead: --build-id as APPDIST_BUILD_ID."""


class Command(NamedTuple):
    """What was typed."""

    step: str
    options: dict[str, str]
    json: bool


class Usage(Exception):
    """A text to print and the exit code that goes with it: help, version, or what is wrong."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text.rstrip("\n"))
        self.code = code


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message}\nSee {self.prog} --help.", ExitCode.INPUT)

    def print_help(self, _file: object = None) -> None:
        raise Usage(self.format_help(), ExitCode.OK)


class _Version(argparse.Action):
    def __call__(self, *_: object) -> NoReturn:
        raise Usage(f"sauce-appdist {__version__}", ExitCode.OK)


class _Secret(argparse.Action):
    """A process's arguments can be read by everybody on the machine."""

    def __call__(self, _parser: object, _namespace: object, _values: object, option: str | None = None) -> NoReturn:
        name = variable((option or "").lstrip("-").replace("-", "_"))
        raise Usage(f"{option} is not taken here, where others could read it: set {name} instead.", ExitCode.INPUT)


def read(argv: object) -> Command:
    """The step and its options. Raises Usage for help, the version and anything wrong."""
    words = list(argv)  # type: ignore[call-overload]
    parser = _Parser(
        prog="sauce-appdist",
        description="Workflow steps for Sauce Labs Mobile App Distribution.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="step", metavar="<step>", required=True, parser_class=_Parser)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name in STEPS:
        step = load(name)
        summary = (step.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        if name == chosen:
            _add_options(command, name)
    commands.add_parser("emulator", help="Serve an emulator of the service on this machine.", add_help=False)
    parsed = vars(parser.parse_args(words))
    step_name, json = parsed.pop("step"), parsed.pop("json")
    return Command(step_name, {name: "\n".join(texts) for name, texts in parsed.items() if texts}, json)


def _add_options(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("--json", action="store_true", help="print the outputs as one JSON object, all else on stderr")
    for title, fields in sections(load(name).Inputs).items():
        group = parser.add_argument_group(title)
        for field_name, field in fields.items():
            option = f"--{kebab(field_name)}"
            text = _plain(described(field))
            if is_secret(field):
                text = f"{text} Not taken here: set {variable(field_name)}."
                group.add_argument(option, action=_Secret, nargs="?", metavar="VALUE", help=text)
            elif field.annotation is bool:
                group.add_argument(
                    option, action="append", nargs="?", const="true", dest=field_name, metavar="true|false", help=text
                )
            else:
                metavar = "|".join(choices(field)) or field_name.rpartition("_")[2].upper()
                group.add_argument(option, action="append", dest=field_name, metavar=_plain(metavar), help=text)


def _plain(text: str) -> str:
    return text.replace("%", "%%")
