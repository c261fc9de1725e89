"""Where it is measured: the machine, a job of its own, and the step as the action starts it there."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Process

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
EMAIL, API_KEY = "ci@northwind.example", "nw-demo-key-0001"  # the emulator's default account
_STRANGERS = ("PYTHON", "APPDIST_", "GITHUB_", "GITLAB_", "RUNNER_", "INPUT_", "NODE_", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Setting:
    """A job on a runner: its temp directory, its files, and its environment without our variables."""

    temp: Path
    quick: bool

    def rounds(self, usual: int, quick: int = 3) -> int:
        return quick if self.quick else usual

    @cached_property
    def python(self) -> str:
        """The interpreter below this venv; there are no shims in front of it."""
        return os.path.realpath(getattr(sys, "_base_executable", sys.executable))

    @cached_property
    def core(self) -> Path:
        """A copy without bytecode, as on a runner; the original may change during a run."""
        copy = self.temp / "action" / "core"
        shutil.copytree(ROOT / "core", copy, ignore=shutil.ignore_patterns("__pycache__"))
        return copy

    @cached_property
    def env(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(_STRANGERS)}
        return env | {"APPDIST_PYTHON": self.python, "RUNNER_TEMP": str(self.temp / "runner")}

    @cached_property
    def node(self) -> str | None:
        """Node, if it is installed and new enough."""
        node = shutil.which("node")
        if not node or int(_said(node, "--version").lstrip("v").partition(".")[0] or 0) < 20:
            return None
        return node

    @cached_property
    def deps(self) -> Path:
        """The dependencies that bootstrap.sh installed for this job; installs them if needed."""
        Path(self.env["RUNNER_TEMP"]).mkdir(exist_ok=True)
        done = subprocess.run(
            ["bash", str(self.core / "bootstrap.sh"), "--version"],
            env=self.env,
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"bootstrap.sh ended with {done.returncode}:\n{done.stderr}")
        return next(Path(self.env["RUNNER_TEMP"]).glob("*/*/*/requests")).parent

    def step(self, name: str, inputs: Mapping[str, str], *, url: str, core: Path | None = None) -> Process:
        """One step as its action.yml starts it on GitHub."""
        assert self.deps
        given = {"email": EMAIL, "api_key": API_KEY, "base_url": url, **inputs}
        env = self.env | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "GITHUB_SHA": "6e02ab5a2c2f2d5a4b1c3f0f6a9c8f1e2d3b4a59",
            "GITHUB_REF_NAME": "main",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_ACTOR": "mara",
            **{f"APPDIST_INPUT_{key.upper()}": value for key, value in given.items()},
        }
        return Process(["bash", str((core or self.core) / "bootstrap.sh"), name], env, self.temp, self.empty_files)

    def empty_files(self) -> dict[str, str]:
        """The runner gives every step new files for its outputs and its summary."""
        for name in ("output", "summary"):
            (self.temp / name).write_bytes(b"")
        return {}

    @cached_property
    def machine(self) -> str:
        """Processor, cores, system, Python, Node and date; nothing that names the machine."""
        node = f", Node {_said(self.node, '--version').lstrip('v')}" if self.node else ""
        system = f"{platform.system()} {platform.machine()}"
        return (
            f"{_processor()}, {os.cpu_count()} cores, {system}, "
            f"Python {_said(self.python, '--version').removeprefix('Python ')}{node}, {datetime.now(UTC):%Y-%m-%d}"
        )


def _said(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, check=False, text=True).stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return _said("sysctl", "-n", "machdep.cpu.brand_string") if sys.platform == "darwin" else "unknown processor"
