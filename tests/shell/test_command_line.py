"""The command line of a step."""

from __future__ import annotations

import pytest

from harness import ANDROID, NEWEST_ANDROID, Process
from interface.support import INPUT


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], "the following arguments are required: <command>"),
        (["fnd"], "invalid choice: 'fnd'"),
        (["find", "--build", "1"], "unrecognized arguments: --build (did you mean '--build-id'?)"),
        (["find", "--apikey=k-123456"], "unrecognized arguments: --apikey (did you mean '--api-key'?)"),
        (["find", "k-123456"], "1 argument too many: put an option before every value"),
        (
            ["find", "--api-key", "k-123456"],
            "--api-key is not accepted as an argument, because other users could read it: set APPDIST_API_KEY",
        ),
        (["find", "--api-key=k-123456"], "set APPDIST_API_KEY"),
        (["find", "--oidc-token", "k-123456"], "set APPDIST_OIDC_TOKEN"),
        (["tag", "--tags"], "expected one argument"),
    ],
)
def test_wrong_command_lines(process: Process, argv: list[str], expected: str) -> None:
    done = process(*argv)
    assert done.code == INPUT
    assert expected in done.log
    assert "k-123456" not in done.log
    assert done.text == ""


def test_help_and_version(process: Process) -> None:
    assert process("--version").text.startswith("sauce-appdist 1.")
    assert "find" in process("--help").text
    page = process("copy", "--help")
    assert page.code == 0
    assert "--to-folder" in page.text
    assert "Default: inherit" in page.text.replace("\n", " ").replace("                        ", "")


def test_options_beat_the_environment(process: Process) -> None:
    env = {"APPDIST_PROJECT_ID": "1", "APPDIST_BUILD_ID": "1", "APPDIST_REGION": "eu-central-1"}
    done = process("find", "--project-id", ANDROID, "--build-id", NEWEST_ANDROID, "--dry-run", "--json", env=env)
    assert done.code == 0
    assert f'"build-id": "{NEWEST_ANDROID}"' in done.text
