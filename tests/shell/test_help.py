"""Help, and the completion of shells."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from sauce_appdist.shell import api_commands
from shell.support import REACHES

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Process


@pytest.mark.parametrize(
    "command", [[], *([resource] for resource in api_commands.RESOURCES), *(c.split() for c in REACHES)]
)
def test_help_reads_well(process: Process, command: list[str]) -> None:
    done = process("api", *command, "--help")
    assert done.code == 0
    assert done.text.startswith(f"usage: sauce-appdist {' '.join(['api', *command])}")
    assert "==SUPPRESS==" not in done.text
    if len(command) == 2:
        assert re.search(r"\((GET|POST|PATCH|DELETE) [^)]+\)", re.sub(r"\s+", " ", done.text))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("sauce-appdist ap", {"api"}),
        ("sauce-appdist api web", {"webhooks"}),
        ("sauce-appdist api testers ", {"list", "get", "add", "block", "unblock", "delete"}),
        ("sauce-appdist api builds delete --y", {"--yes"}),
        ("sauce-appdist promote --to-f", {"--to-folder"}),
    ],
)
def test_bash_completes(process: Process, tmp_path: Path, typed: str, expected: set[str]) -> None:
    """The script is given to a real bash, which is asked what it would offer."""
    bash = shutil.which("bash")
    assert bash
    script = tmp_path / "completion.bash"
    script.write_text(process("completion", "bash").text)
    words = typed.split(" ")
    ask = (
        f"source {script}; COMP_WORDS=({' '.join(words[:-1])} {words[-1] or repr('')}); COMP_CWORD={len(words) - 1}; "
        "f=$(complete -p sauce-appdist | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $f; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run([bash, "--norc", "-c", ask], capture_output=True, text=True, timeout=30, check=True)
    assert expected <= {line.strip() for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script(process: Process, shell: str) -> None:
    done = process("completion", shell)
    assert done.code == 0
    assert "remove-testers" in done.text
