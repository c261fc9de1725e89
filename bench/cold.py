"""The first step of a job, which installs the dependencies, against the bare install command."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Process, Stub, contest
from bench.report import Section, times, verdict
from bench.warm import BUILD, IMPORTS, PROJECT, TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.setting import Setting

_FLAGS = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r"]


def run(setting: Setting) -> Section:
    section = Section("cold", setting)
    path = f"/api/1/projects/{PROJECT}/builds/{BUILD}/"
    reply = json.dumps({"status": "ok", "build_id": BUILD, "tags": TAGS}).encode()
    rows: list[list[str]] = []
    verdicts: list[str] = []
    with Stub({f"PATCH {path}": reply}, setting.temp) as stub:
        url = stub.url
        for tool, installer in (("pip", _pip), ("uv", _uv)):
            command = installer(setting)
            if command is None:
                section.skipped(f"{tool}: it is not installed, or cannot be separated from the rest of PATH")
                continue
            results = contest(_contestants(setting, url, tool, *command), setting.rounds(7, 1), warm_up=0)
            step, bare, _ = results.values()
            rows += [
                [
                    name,
                    *(f"{seconds:.2f} s" for seconds in (result.wall, result.best, result.cpu)),
                    "" if result is step else times(step.times(result)),
                ]
                for name, result in results.items()
            ]
            aim = f"with {tool}, at most 1.1 times the bare command"
            verdicts.append(verdict(aim, step.times(bare), 1.1))
    if rows:
        section.table(["", "median", "fastest", "processor time", "the step takes"], rows)
    for one in verdicts:
        section.line(one)
    return section


def _contestants(setting: Setting, url: str, tool: str, argv: list[str], env: Mapping[str, str]) -> dict[str, Process]:
    """Each with an empty cache and an empty directory every time; the step in a checkout without bytecode."""

    def fresh() -> dict[str, str]:
        here = setting.temp / "cold"
        shutil.rmtree(here, ignore_errors=True)
        (here / "runner").mkdir(parents=True)
        setting.empty_files()
        return {
            "PIP_CACHE_DIR": str(here / "pip"),
            "UV_CACHE_DIR": str(here / "uv"),
            "RUNNER_TEMP": str(here / "runner"),
            "TARGET": str(here / "target"),
        }

    def checkout() -> dict[str, str]:
        shutil.rmtree(setting.temp / "checkout", ignore_errors=True)
        shutil.copytree(setting.core, setting.temp / "checkout" / "core", ignore=shutil.ignore_patterns("__pycache__"))
        return fresh()

    inputs = {"project_id": PROJECT, "build_id": BUILD, "tags": ", ".join(TAGS)}
    ours = setting.step("tag", inputs, url=url, core=setting.temp / "checkout" / "core")
    # The shell only passes the directory on, and becomes the command.
    bare = ["bash", "-c", 'exec "$@" --target "$TARGET"', "-", *argv]
    used = ["bash", "-ec", f'"$@" --target "$TARGET"; {shlex.join(_first_use(setting))} "$TARGET"', "-", *argv]
    command = "`pip install`" if tool == "pip" else "`uv pip install`"
    return {
        f"the step, with {tool}": Process(ours.argv, {**ours.env, **env}, setting.temp, checkout),
        command: Process(bare, env, setting.temp, fresh),
        f"{command}, then the three imports": Process(used, env, setting.temp, fresh),
    }


def _first_use(setting: Setting) -> list[str]:
    """The first import: slower than later ones, because nothing is compiled yet."""
    return [setting.python, "-I", "-S", "-c", f"import sys; sys.path.append(sys.argv[1]); {IMPORTS}"]


def _pip(setting: Setting) -> tuple[list[str], dict[str, str]] | None:
    """The install command of bootstrap.sh without uv."""
    path = [part for part in setting.env["PATH"].split(os.pathsep) if not (Path(part) / "uv").exists()]
    has_pip = subprocess.run([setting.python, "-I", "-m", "pip", "--version"], capture_output=True, check=False)
    if has_pip.returncode or not all(shutil.which(tool, path=os.pathsep.join(path)) for tool in ("bash", "mktemp")):
        return None
    env = setting.env | {"PATH": os.pathsep.join(path), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return [
        setting.python,
        "-I",
        "-m",
        "pip",
        "install",
        "--no-compile",
        *_FLAGS,
        str(setting.core / "requirements.lock"),
    ], env


def _uv(setting: Setting) -> tuple[list[str], dict[str, str]] | None:
    """The install command of bootstrap.sh with uv; falls back to the uv of `make setup`."""
    beside = Path(sys.executable).with_name("uv")
    uv = shutil.which("uv") or (str(beside) if beside.exists() else None)
    if uv is None:
        return None
    only = setting.temp / "bin"
    only.mkdir(exist_ok=True)
    (only / "uv").symlink_to(uv)
    env = setting.env | {"PATH": f"{only}{os.pathsep}{setting.env['PATH']}"}
    return [
        uv,
        "pip",
        "install",
        "--python",
        setting.python,
        "--no-compile-bytecode",
        *_FLAGS,
        str(setting.core / "requirements.lock"),
    ], env
