"""What every test shares: a real server to talk to, and the command as a pipeline calls it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import requests
from pytest_httpserver import HTTPServer

from appdist_emulator import Emulator
from sauce_appdist.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
EMAIL, API_KEY = "ci@northwind.example", "nw-demo-key-0001"
ANDROID, IOS = "6905338", "6905339"  # the projects of the emulator's default seed
NEWEST_ANDROID = "8911052"


@dataclass
class Outcome:
    """How a command ended."""

    code: int
    outputs: dict[str, Any]
    log: str
    text: str = ""
    files: dict[str, str] = field(default_factory=dict)


class Run(Protocol):
    """Run a step by its inputs, named as in Python."""

    def __call__(self, step: str, /, *argv: str, env: Mapping[str, str] | None = None, **inputs: str) -> Outcome: ...


class Service:
    """The emulator and what its state tells."""

    def __init__(self, emulator: Emulator) -> None:
        self.url = emulator.url

    def __getattr__(self, name: str) -> Any:
        return requests.get(f"{self.url}/_emulator/{name}", timeout=10).json()

    def fault(self, **order: Any) -> None:
        """Order a fault (see docs/emulator.md)."""
        requests.post(f"{self.url}/_emulator/faults", json=order, timeout=10).raise_for_status()

    def reset(self, seed: Mapping[str, Any]) -> None:
        """Start over with another account."""
        requests.post(f"{self.url}/_emulator/reset", json=seed, timeout=10).raise_for_status()

    def build(self, project_id: str, build_id: str) -> dict[str, Any]:
        """A build as the service holds it."""
        builds = [
            build
            for project in self.state["projects"]
            if project["id"] == project_id
            for build in project["builds"]
            if build["id"] == build_id
        ]
        assert len(builds) == 1, f"build {build_id} in project {project_id}: {builds}"
        return builds[0]  # type: ignore[no-any-return]

    @property
    def sent(self) -> list[str]:
        """Every request so far, as method and path."""
        return [f"{request['method']} {request['path']}" for request in self.requests]

    @property
    def writes(self) -> list[str]:
        """Every request so far that was no GET."""
        return [request for request in self.sent if not request.startswith("GET ")]


@pytest.fixture
def service() -> Iterator[Service]:
    with Emulator() as emulator:
        yield Service(emulator)


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


@pytest.fixture
def run(service: Service, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a step in this process against the emulator, and read its outputs as JSON."""

    def runner(step: str, /, *argv: str, env: Mapping[str, str] | None = None, **inputs: str) -> Outcome:
        environ = {
            "APPDIST_EMAIL": EMAIL,
            "APPDIST_API_KEY": API_KEY,
            "APPDIST_BASE_URL": service.url,
            **{f"APPDIST_{name.upper()}": value for name, value in inputs.items()},
            **(env or {}),
        }
        out = io.StringIO()
        code = main([step, "--json", *argv], environ, out)
        text = out.getvalue()
        return Outcome(int(code), json.loads(text) if text else {}, capfd.readouterr().err, text)

    return runner


class Process(Protocol):
    """Run the command in a process of its own."""

    def __call__(self, *argv: str, env: Mapping[str, str] | None = None) -> Outcome: ...


@pytest.fixture
def process(service: Service, tmp_path: Path) -> Process:
    """Run the command as a CI system does: a process, an environment, files."""

    def runner(*argv: str, env: Mapping[str, str] | None = None) -> Outcome:
        environ = {
            "PATH": os.environ["PATH"],
            "APPDIST_EMAIL": EMAIL,
            "APPDIST_API_KEY": API_KEY,
            "APPDIST_BASE_URL": service.url,
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


def github_outputs(text: str) -> dict[str, Any]:
    """Read an output file the way the runner does: `name<<delimiter`, lines, delimiter."""
    outputs: dict[str, Any] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, _, delimiter = line.partition("<<")
        assert delimiter, f"not an output: {line!r}"
        value = []
        for part in lines:
            if part == delimiter:
                break
            value.append(part)
        else:
            pytest.fail(f"output {name} has no end")
        outputs[name] = "\n".join(value)
    return outputs
