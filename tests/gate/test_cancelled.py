"""The gate in a process of its own: a real wait, and a job that is cancelled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from gate.support import CANCELLED, GET_BUILD, JSON, JUNIT, OK, PATH, THIS, TWICE, account, before, play
from harness import Outcome, Service, connection, github_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def started(
    service: Service, folder: Path, step: str, until: Callable[[str], bool], **inputs: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A step as GitHub runs it, as soon as its log is so; afterwards its log is a file beside the others."""
    env = {"PATH": os.environ["PATH"], "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(folder / "out")}
    env |= {"GITHUB_STEP_SUMMARY": str(folder / "summary.md"), **connection(service.url)}
    env |= {f"APPDIST_{name.upper()}": text for name, text in {**THIS, **inputs}.items()}
    command = [sys.executable, "-m", "sauce_appdist", step]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT) as running,
    ):
        try:
            while not until((folder / "log").read_text("utf-8")):
                assert running.poll() is None, (folder / "log").read_text("utf-8")
                time.sleep(0.02)
            yield running
        finally:
            running.kill()  # it would wait for hours


def ended(running: subprocess.Popen[bytes], folder: Path) -> Outcome:
    running.wait(30)
    files = {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}
    assert "Traceback" not in files["log"]
    return Outcome(running.returncode, github_outputs(files["out"]), files["log"], files=files)


def test_a_real_wait(service: Service, tmp_path: Path) -> None:
    service.reset(account())
    wait = {"min_sessions": "41", "max_crash_rate": "0%", "wait": "10s", "interval": "10s"}
    with started(service, tmp_path, "gate", lambda log: " left: min-sessions 40" in log, **wait) as running:
        play(service, {"sessions": 1})
        done = ended(running, tmp_path)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", "2"), done.log
    assert done.log.count(" left: ") == 1
    assert service.writes == []


def cancelled(service: Service, folder: Path, step: str, until: Callable[[str], bool], **inputs: str) -> Outcome:
    with started(service, folder, step, until, **inputs) as running:
        running.send_signal(signal.SIGTERM)
        return ended(running, folder)


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize("step", ["gate", "promote"])
def test_a_job_that_is_cancelled_while_it_waits(service: Service, tmp_path: Path, step: str, mode: str) -> None:
    service.reset(account(before()))
    inputs = {"min_sessions": "41", "max_crashes": "0", "wait": "5h", "gate_mode": mode, "on_inconclusive": "pass"}
    more = {"to_folder": "RC", "tags": "rc"} if step == "promote" else {}
    done = cancelled(service, tmp_path, step, lambda log: " left: min-sessions 40" in log, **inputs, **more)
    assert done.code == CANCELLED, done.log
    assert service.writes == []
    out = done.outputs
    assert (out["verdict"], out["looks"], out["sessions"]) == ("inconclusive", "1", "40")
    why = "The job was cancelled before there was a verdict. min-sessions is 40, expected at least 41"
    assert out["reason"].startswith(why)
    assert out["failed-checks"] == "min-sessions"
    assert json.loads(out["checks"])["min-sessions"]["state"] == "inconclusive"
    told = json.loads(done.files[JSON])
    assert [told["verdict"], *(check["state"] for check in told["checks"])] == [*["inconclusive"] * 2, "passed"]
    assert ET.fromstring(done.files[JUNIT].encode()).get("tests") == "3"  # and that it was cancelled
    assert "| min-sessions | ❓ inconclusive | 40 | at least 41 |" in done.files["summary.md"]
    if step == "promote":
        assert (out["completed-steps"], out["failed-step"], out["copied"]) == ("find,check", "gate", "")


@pytest.mark.parametrize("looks", ["0", "1"])
def test_neither_a_job_that_is_cancelled_nor_its_report_is_green(service: Service, tmp_path: Path, looks: str) -> None:
    """In its first look, or while it waits for the second pass."""
    service.reset(account())
    service.fault(path=f"{PATH}$", skip=1 + int(looks), delay=60)

    def there(log: str) -> bool:
        return "1 of 2 looks in a row" in log if looks == "1" else service.sent.count(GET_BUILD) == 2

    done = cancelled(service, tmp_path, "gate", there, **TWICE)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (CANCELLED, "inconclusive", looks)
    assert json.loads(done.files[JSON])["verdict"] == "inconclusive"
    root = ET.fromstring(done.files[JUNIT].encode())
    assert (root.get("failures"), root.get("errors")) != ("0", "0"), done.files[JUNIT]
