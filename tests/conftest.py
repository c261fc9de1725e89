"""Fixtures that every test shares: a real server to talk to, and the command as a pipeline calls it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from pytest_httpserver import HTTPServer

from appdist_emulator import Emulator
from harness import API_KEY, ROOT, Outcome, Process, Run, Service, connection, github_outputs
from sauce_appdist.cli import main
from servers import Company

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture(scope="session")
def emulators() -> Iterator[dict[str, Emulator]]:
    """The running emulators by dialect: to reset one takes less than half as long as to start it."""
    running: dict[str, Emulator] = {}
    yield running
    for emulator in running.values():
        emulator.stop()


@pytest.fixture
def service(request: pytest.FixtureRequest, emulators: dict[str, Emulator]) -> Iterator[Service]:
    dialect: Any = getattr(request, "param", "classic")
    if dialect not in emulators:
        emulators[dialect] = Emulator(dialect=dialect).start()
    service = Service(emulators[dialect], dialect)
    service.reset()
    yield service
    if service.faulty:  # a request that is still delayed must not reach the account of the next test
        emulators.pop(dialect).stop()


# No test asserts a time: a busy machine is no reason to fail.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture
def seed() -> dict[str, Any]:
    """The emulator's default account, to be changed and given to `service.reset`."""
    path = ROOT / "core" / "appdist_emulator" / "seeds" / "northwind.json"
    return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def running_server() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as httpserver:
        yield httpserver


@pytest.fixture
def server(running_server: HTTPServer) -> Iterator[HTTPServer]:
    """A server that answers just what a test says; a request it does not expect fails the test."""
    running_server.clear()
    yield running_server
    running_server.check()


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company.founded(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Another one, which `company.bundle` does not trust."""
    return Company.founded(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def run(service: Service, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a step in this process against the emulator, in a directory of its own, and read its outputs as JSON."""
    monkeypatch.chdir(tmp_path)

    def runner(step: str, /, *argv: str, env: Mapping[str, str] | None = None, **inputs: str) -> Outcome:
        environ = {
            **connection(service.url),
            **{f"APPDIST_INPUT_{name.upper()}": value for name, value in inputs.items()},
            **(env or {}),
        }
        out = io.StringIO()
        code = main([step, "--json", *argv], environ, out)
        text = out.getvalue()
        return Outcome(int(code), json.loads(text) if text else {}, capfd.readouterr().err, text)

    return runner


@pytest.fixture
def process(service: Service, tmp_path: Path) -> Process:
    """Run the command as a CI system does: a process, an environment, files."""

    def runner(*argv: str, env: Mapping[str, str] | None = None) -> Outcome:
        environ = {
            "PATH": os.environ["PATH"],
            **connection(service.url),
            "GITHUB_OUTPUT": str(tmp_path / "github-output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "CI_PROJECT_DIR": str(tmp_path),
            **(env or {}),
        }
        done = subprocess.run(
            [sys.executable, "-m", "sauce_appdist", *argv],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )
        files = {path.name: path.read_bytes().decode() for path in tmp_path.iterdir() if path.is_file()}
        text, log = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in log, log
        assert API_KEY not in log
        return Outcome(done.returncode, github_outputs(files.get("github-output", "")), log, text, files)

    return runner
