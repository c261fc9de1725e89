"""A job on a runner: a checkout of its own, with a stand-in for the command line that tells where it came from.

Most jobs install one small package instead of the whole lock. Nothing of this process's environment gets in but what the
network needs. All paths have a space, a quote and an umlaut in them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness import ROOT

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX scripts as fake programs")
LOCK = (ROOT / "core" / "requirements.lock").read_text("utf-8")
TAG = str(sys.implementation.cache_tag)
TOOLS = ("bash", "cat", "ls", "mkdir", "mktemp", "mv", "rm", "sh", "sleep")
NETWORK = re.compile(
    r"(PIP|UV)_.*(CERT|INDEX|HOST|TIMEOUT)|PIP_FIND_LINKS|SSL_.*|.*_CA_BUNDLE|(HTTPS?|NO|ALL)_PROXY", re.IGNORECASE
)
STAND_IN = """
import json, os, sys

def entrypoint():
    import idna
    json.dump({
        "argv": sys.argv, "python": sys.executable, "path": sys.path, "isolated": sys.flags.isolated,
        "utf8": sys.flags.utf8_mode, "here": __file__, "idna": idna.__file__, "cwd": os.getcwd(),
        "env": dict(os.environ), "modules": sorted(sys.modules),
    }, sys.stdout)
    sys.exit(7 if "--fail" in sys.argv else 0)
"""


def one_package_lock() -> str:
    found = re.search(r"^idna==.*(?:\n    .*)+\n", LOCK, re.MULTILINE)
    assert found
    return f"# sauce-appdist lock 0123456789abcdef\n{found[0]}"


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


def shim(path: Path, before: str = "") -> Path:
    """Makes a program that becomes this Python, as the shims of pyenv do."""
    return script(path, f'{before}\nexec "{sys.executable}" "$@"')


def says(path: Path, major: int, minor: int, kind: str = "cpython") -> Path:
    """Makes a Python that only answers what it is asked first."""
    return script(path, f"printf '%s\\n' {major} {minor} {kind} {kind}-{major}{minor} '{path}' '{path}'")


@dataclass
class Job:
    """One job on a runner: a checkout of ours, a temp, a workspace and the programs on its PATH."""

    root: Path
    caches: Path
    lock: str = field(default_factory=one_package_lock)
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for directory in (self.programs, self.temp, self.workspace, self.root / "home", self.core / "sauce_appdist"):
            directory.mkdir(parents=True)
        shutil.copy(ROOT / "core" / "bootstrap.sh", self.core)
        self.write_lock(self.lock)
        (self.core / "sauce_appdist" / "__init__.py").touch()
        (self.core / "sauce_appdist" / "cli.py").write_text(STAND_IN, "utf-8")
        for tool in TOOLS:
            (self.programs / tool).symlink_to(str(shutil.which(tool)))
        shim(self.programs / "python3")
        (self.programs / "uv").symlink_to(Path(sys.executable).parent / "uv")
        self.env |= {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
        self.env |= {
            "HOME": str(self.root / "home"),
            "PATH": str(self.programs),
            "RUNNER_TEMP": str(self.temp),
            "PIP_CACHE_DIR": str(self.caches / "pip"),
            "UV_CACHE_DIR": str(self.caches / "uv"),
        }

    @property
    def core(self) -> Path:
        return self.root / "checkout" / "core"

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    @property
    def temp(self) -> Path:
        return self.root / "temp"

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        found = list(self.temp.glob("sauce-appdist-*"))
        assert len(found) == 1
        return found[0]

    def write_lock(self, text: str) -> None:
        (self.core / "requirements.lock").write_text(text, "utf-8")

    def installs(self) -> list[str]:
        return [path.name for path in self.home.iterdir() if path.is_dir()]

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.programs / "bash"), str(self.core / "bootstrap.sh"), *arguments],
            cwd=self.workspace,
            env={name: value for name, value in (self.env | env).items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **env) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def report(self, *arguments: str, **env: str) -> dict[str, Any]:
        """Runs it, and returns what the stand-in saw."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def refusal(self, code: int, **env: str) -> str:
        """Runs it, expects it to fail, and returns its message."""
        done = self.run(**env)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        return done.stderr


def use_pip(job: Job) -> None:
    (job.programs / "uv").unlink()


def use_uv(_job: Job) -> None:
    pass


either = pytest.mark.parametrize("use", [use_uv, use_pip])
