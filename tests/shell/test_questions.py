"""What is asked on a terminal, and what is sent without an answer."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from typing import TYPE_CHECKING

import pytest

from harness import ANDROID, NEWEST_ANDROID, Service, connection
from shell.support import ASKS, BUILD, OWNER, REACHES, Api, filled

if TYPE_CHECKING:
    from pathlib import Path

    from sauce_appdist.client import Client


@pytest.mark.parametrize("command", sorted(ASKS))
def test_what_cannot_be_taken_back_needs_yes_where_nobody_can_be_asked(
    api: Api, service: Service, client: Client, tmp_path: Path, command: str
) -> None:
    options = filled(REACHES[command][0], client, tmp_path)
    done = api(*command.split(), *options, env=OWNER)
    assert done.code == 2
    assert "This is not a terminal, so the command cannot ask: set --yes. Nothing was sent." in done.log
    assert done.text == ""
    assert service.writes == []


@pytest.mark.parametrize(
    "command",
    [
        ["builds", "invite", *BUILD, "--groups", "QA"],
        ["testers", "add", "--emails", "a@example.com,b@example.com"],
    ],
)
def test_mails_are_asked_for_and_nothing_else(api: Api, service: Service, command: list[str]) -> None:
    assert api(*command).code == 0
    assert service.outbox == []
    refused = api(*command, "--notify")
    assert refused.code == 2
    assert "set --yes" in refused.log
    assert service.outbox == []
    assert api(*command, "--notify", "--yes").code == 0
    assert service.outbox


def on_a_terminal(service: Service, answer: str, *argv: str) -> tuple[int, str]:
    """Run the command on a real pseudo terminal, and type the answer when it asks."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        environ = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "120", **connection(service.url)}
        os.execve(sys.executable, [sys.executable, "-m", "sauce_appdist", *argv], environ)
    text, typed, deadline = "", False, time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                part = os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break  # Linux's way to say that the other side is closed
            if not part:
                break
            text += part
        if "[y/N]" in text and not typed:
            typed = True
            os.write(terminal, f"{answer}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), text


@pytest.mark.parametrize(
    ("answer", "code", "gone"), [("y", 0, True), ("YES", 0, True), ("n", 2, False), ("", 2, False)]
)
def test_on_a_terminal_it_asks(service: Service, answer: str, code: int, gone: bool) -> None:
    ended, text = on_a_terminal(service, answer, "api", "builds", "delete", *BUILD)
    assert f"Delete build {NEWEST_ANDROID} of project {ANDROID} with its sessions and crashes? [y/N]" in text
    assert ended == code, text
    assert ("Nothing was sent." in text) is not gone
    assert (service.writes != []) is gone


def test_on_a_terminal_a_list_is_a_table(service: Service) -> None:
    code, text = on_a_terminal(service, "", "api", "builds", "list", "--project-id", ANDROID)
    assert code == 0
    assert re.search(r"id\s+app-version\s+app-version-code\s+uploaded-at", re.sub(r"\x1b\[[\d;]*m", "", text))
    assert "8911052  4.3.0" in re.sub(r"\x1b\[[\d;]*m", "", text)


def test_ctrl_c_at_the_question_sends_nothing(service: Service) -> None:
    ended, text = on_a_terminal(service, "\x03", "api", "builds", "delete", *BUILD)
    assert ended == 130
    assert "Cancelled. Nothing was sent." in text
    assert service.writes == []
