"""In a terminal or a pipe, whatever becomes of its reader."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ci.support import BUILD, GITHUB, PROMOTE
from harness import ANDROID, NEWEST_ANDROID, Outcome, Process, Service, connection, github_outputs
from sauce_appdist.ci.github import summary
from sauce_appdist.ci.report import Fact, Report
from sauce_appdist.text import Redactor


def test_json_is_all_there_is_on_stdout(process: Process) -> None:
    done = process("promote", "--json", env=BUILD | PROMOTE | {"APPDIST_DEBUG": "true"})
    assert done.code == 0
    assert json.loads(done.text)["completed-steps"][-1] == "invite"
    assert "debug: " in done.log
    failed = process("tag", "--json", env=BUILD)
    assert failed.code == 2
    assert json.loads(failed.text)["changed"] is None
    assert failed.log == "Wrong input: tags is required: Tags, separated by commas or newlines.\n"


def test_json_carries_the_release_notes_unharmed(process: Process, service: Service) -> None:
    notes = "🎉 Zeile\t$HOME `x` \"q\" 'q' \\n\n" * 3000
    done = process("annotate", "--json", "--release-notes", notes, env=BUILD)
    assert json.loads(done.text)["release-notes"] == notes
    assert service.build(ANDROID, NEWEST_ANDROID)["changelog"] == notes


def test_plain_text_for_pipes(process: Process) -> None:
    done = process("find", env=BUILD)
    assert "✅ Found Northwind Travel 4.3.0 (4300) for Android (com.northwind.travel)\n" in done.text
    assert re.search(r"^  version-code +4300$", done.text, re.MULTILINE)
    assert "\x1b" not in done.text


def test_tables_for_a_terminal(service: Service) -> None:
    """A real pseudo-terminal, so that rich draws."""
    done = in_terminal(service, "promote", "--tags", "rc", "--to-folder", "Q[red]A")
    assert done.code == 0, done.text
    plain = re.sub(r"\x1b[^m\\]*(m|\\)", "", done.text)
    assert "Promoted Northwind Travel 4.3.0" in plain
    assert "/Q[red]A" in plain
    assert "─" in plain or "━" in plain


def in_terminal(service: Service, *argv: str) -> Outcome:
    primary, secondary = pty.openpty()
    env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "140"}
    env |= connection(service.url) | BUILD
    command = [sys.executable, "-m", "sauce_appdist", *argv]
    with subprocess.Popen(command, env=env, stdout=secondary, stderr=secondary, stdin=subprocess.DEVNULL) as running:
        os.close(secondary)
        text = b""
        while True:
            try:
                part = os.read(primary, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not part:
                break
            text += part
    os.close(primary)
    return Outcome(running.returncode, {}, "", text.decode())


def test_outputs_that_cannot_be_written_are_an_error_without_a_traceback(process: Process) -> None:
    """The disk is full when the outputs are written, which no check beforehand can show."""
    done = process("tag", env=GITHUB | {"APPDIST_TAGS": "x", "GITHUB_OUTPUT": "/dev/full"})
    assert done.code == 6  # not 2, which says that nothing was written
    assert "The outputs cannot be written" in done.text
    assert "The step itself completed." in done.text


def test_a_reader_that_goes_away_does_not_stop_a_promotion(service: Service, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], **connection(service.url)}
    service.fault(path="/groups$", delay=1)
    command = [sys.executable, "-m", "sauce_appdist", "promote"]
    with subprocess.Popen(
        command, env=env | BUILD | PROMOTE, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.stdout.close()
        log = running.stderr.read().decode()
    assert log == ""
    assert running.returncode == 0
    assert len(service.outbox) == 3


def test_neither_does_one_of_the_messages(service: Service, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], **connection(service.url)}
    service.fault(path="/groups$", delay=1)
    command = [sys.executable, "-m", "sauce_appdist", "promote", "--json"]
    with (tmp_path / "out.json").open("wb") as out:
        with subprocess.Popen(
            command, env=env | BUILD | PROMOTE, cwd=tmp_path, stdout=out, stderr=subprocess.PIPE
        ) as running:
            assert running.stderr
            running.stderr.readline()
            running.stderr.close()
        assert running.returncode == 0
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["notified"] is True
    with Path("/dev/full").open("wb", buffering=0) as full:
        helped = subprocess.run([*command[:3], "--help"], env=env, stdout=full, stderr=subprocess.PIPE, check=False)
    assert b"Traceback" not in helped.stderr


def test_a_secret_is_known_before_its_line_is_cut_or_escaped(process: Process, service: Service) -> None:
    token = "tok_" + "a1_" * 200
    service.fault(path=".*", status=400, times=None, body={"status": "fail", "code": 7, "message": f"bad {token} here"})
    env = {
        "APPDIST_EMAIL": "",
        "APPDIST_API_KEY": "",
        "APPDIST_OIDC_TOKEN": token,
        "APPDIST_OIDC_CONFIG_KEY": "oidc_cfg_12345",
    }
    done = process("find", env=GITHUB | env)
    assert "bad *** here" in done.text
    assert "a1_a1" not in done.text.replace(f"::add-mask::{token}", "") + done.files["summary.md"]
    report = Report("x", [Fact("App", "oidc_cfg_12345", None)])
    assert "oidc" not in summary(report, Redactor(["oidc_cfg_12345"]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("path", "code", "told"), [("/invites/$", 6, "is unknown"), ("/groups$", 130, "The job was cancelled")]
)
def test_a_cancelled_job_has_told_what_happened(
    service: Service, tmp_path: Path, number: signal.Signals, path: str, code: int, told: str
) -> None:
    service.fault(path=path, delay=4)
    env = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(tmp_path / "out")}
    env |= GITHUB | PROMOTE | connection(service.url)
    command = [sys.executable, "-m", "sauce_appdist", "promote"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        while not any(re.search(path, request) for request in service.sent):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(number)
        text, log = running.communicate(timeout=20)
    assert running.returncode == code, text + log
    assert told in text
    outputs = github_outputs((tmp_path / "out").read_text("utf-8"))
    assert outputs["build-id"] == NEWEST_ANDROID
    assert outputs["notified"] == ("unknown" if code == 6 else "")
    assert "Traceback" not in log
