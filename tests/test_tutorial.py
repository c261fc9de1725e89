"""The tutorial, typed: every command of docs/tutorial.md in one real shell, and the output that the page shows."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import ROOT
from servers import closed_port

PAGE = ROOT / "docs" / "tutorial.md"
PORT = "8765"  # the page's; the test takes a free one instead, as tests run side by side
PATIENCE = 60.0  # seconds for a command; an outcome that never comes fails the test


def blocks(page: str) -> list[tuple[str, str | None]]:
    """Each `sh` block of a page, with the `text` block that follows it before the next one."""
    found: list[tuple[str, str | None]] = []
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        if language == "sh":
            found.append((text, None))
        else:
            assert language == "text", f"a {language} block, of which the test knows nothing"
            assert found, "an output before the first command"
            assert found[-1][1] is None, f"a second output of {found[-1][0]}"
            found[-1] = (found[-1][0], text)
    return found


def shown(text: str) -> re.Pattern[str]:
    """What output a `text` block allows: `…` is anything within a line, and as a line of its own any lines."""
    lines = [
        r"(?:[^\n]*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in text.splitlines()
    ]
    return re.compile("".join(lines))


class Shell:
    """A shell that reads commands as a terminal gives them, and a file that has all of its output."""

    def __init__(self, folder: Path) -> None:
        environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            # The checkout is installed: whatever pip would fetch instead would not be what is tested.
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self._log = folder / "output"
        self._read = 0
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["sh"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environ,
                start_new_session=True,
            )

    def type(self, commands: str, expected: str | None) -> None:
        """Type commands, and wait until they have ended and their output is as expected."""
        assert self.process.stdin
        done = self._log.with_name(f"done-{self._read}")
        # A command's exit code has to be there for the next block.
        self.process.stdin.write(f"{commands}__code=$?; : > {done.name}; (exit $__code)\n".encode())
        self.process.stdin.flush()
        end = time.monotonic() + PATIENCE
        while True:
            ended = done.exists()
            output = self._log.read_bytes()[self._read :].decode()
            output = "".join(f"{line.rstrip()}\n" for line in output.splitlines())
            if ended and (expected is None or shown(expected).fullmatch(output)):
                break
            # What runs in the background may speak later; everything else is to be right at once.
            late = time.monotonic() > end or self.process.poll() is not None
            if late or (ended and not commands.rstrip().endswith("&")):
                raise AssertionError(f"$ {commands}\n--- shown\n{expected}\n--- printed\n{output}")
            time.sleep(0.05)
        self._read = self._log.stat().st_size

    def close(self) -> None:
        """End the shell and all that it started."""
        assert self.process.stdin
        self.process.stdin.close()
        if self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.mark.skipif(
    not shutil.which("curl") and not os.environ.get("APPDIST_REQUIRE_RUNNERS"), reason="this machine has no curl"
)
def test_the_page_is_what_happens(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8").replace(PORT, port := str(closed_port()))
    commands = blocks(page)
    assert len(commands) > 8
    assert sum(1 for _, expected in commands if expected) > 8
    shell = Shell(tmp_path)
    try:
        for typed, expected in commands:
            shell.type(typed, expected)
        # The page stops what it started.
        end = time.monotonic() + PATIENCE
        while _listens(port):
            assert time.monotonic() < end, "the emulator still runs"
            time.sleep(0.05)
    finally:
        shell.close()


def _listens(port: str) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", int(port))) == 0
