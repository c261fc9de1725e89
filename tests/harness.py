"""What the tests speak of: the account of the emulator, how a command ended, what a runner reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from appdist_emulator import Emulator

ROOT = Path(__file__).resolve().parent.parent
EMAIL, API_KEY = "ci@northwind.example", "nw-demo-key-0001"
ANDROID, IOS = "6905338", "6905339"  # the projects of the emulator's default seed
NEWEST_ANDROID = "8911052"
BUILD: dict[str, Any] = {"project_id": ANDROID, "build_id": NEWEST_ANDROID}  # as inputs of a step
in_both = pytest.mark.parametrize("service", ["classic", "compat"], indirect=True)


def connection(url: str) -> dict[str, str]:
    """What a job sets once."""
    return {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": url}


def expect_rows(rows: Iterable[str], names: Iterable[str], place: str) -> None:
    """Fail unless each name has an entry and nothing else has; the failure names it, the table and the file."""
    rows, names = set(rows), set(names)
    problems = [f"{name} needs an entry in {place}" for name in sorted(names - rows)]
    problems += [f"{name} has an entry in {place}, but does not exist" for name in sorted(rows - names)]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


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

    def __call__(self, step: str, /, *argv: str, env: Any = None, **inputs: str) -> Outcome: ...


class Service:
    """The emulator and what its state tells."""

    def __init__(self, emulator: Emulator, dialect: str = "classic") -> None:
        self.url, self.dialect = emulator.url, dialect
        self.faulty = False

    def __getattr__(self, name: str) -> Any:
        return requests.get(f"{self.url}/_emulator/{name}", timeout=10).json()

    def fault(self, **order: Any) -> None:
        """Order a fault (see docs/reference/emulator.md)."""
        self.faulty = True
        requests.post(f"{self.url}/_emulator/faults", json=order, timeout=10).raise_for_status()

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Start over, with the default account or another."""
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


class Process(Protocol):
    """Run the command in a process of its own."""

    def __call__(self, *argv: str, env: Mapping[str, str] | None = None) -> Outcome: ...


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
