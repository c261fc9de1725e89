"""A tag step in a job that already has its dependencies, against minimal alternatives."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench.measure import Process, Stub, contest
from bench.report import Section, milliseconds, times, verdict
from bench.setting import API_KEY, EMAIL, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from bench.setting import Setting

PROJECT, BUILD, TAGS = "6905338", "8911052", ["release-candidate", "nightly"]
IMPORTS = "import requests, pydantic, github_action_utils"
_NODE = ROOT / "bench" / "node"
_OURS = "the step: `bash core/bootstrap.sh tag`"
_BARE, _VENV = "(a) the three imports, `-I -S`", "(a) the three imports, in a venv"
_SCRIPT, _BUNDLE = "(b) Node, from `node_modules`", "(b) Node, bundled into one file"
_CURL = "(c) the line with curl"


def run(setting: Setting) -> Section:
    section = Section("warm", setting)
    path = f"/api/1/projects/{PROJECT}/builds/{BUILD}/"
    reply = {"status": "ok", "build_id": BUILD, "tags": TAGS, "metadata": {}, "changelog": "", "groups": []}
    with Stub({f"PATCH {path}": json.dumps(reply).encode()}, setting.temp) as stub:
        url = stub.url
        inputs = {"project_id": PROJECT, "build_id": BUILD, "tags": ", ".join(TAGS)}
        ours = setting.step("tag", inputs, url=url)
        isolated = f"import sys; sys.path.append({str(setting.deps)!r}); {IMPORTS}"
        processes = {
            _OURS: ours,
            _BARE: Process([setting.python, "-I", "-S", "-X", "utf8", "-c", isolated], setting.env, setting.temp),
            _VENV: Process([_venv(setting), "-c", IMPORTS], setting.env, setting.temp),
        }
        processes |= _node(setting, section, ours, url)
        if curl := shutil.which("curl"):
            line = f'{curl} -fsS -X PATCH -u "$EMAIL:$API_KEY" -d "tags=$TAGS" "{url}{path}"'
            env = setting.env | {"EMAIL": EMAIL, "API_KEY": API_KEY, "TAGS": ",".join(TAGS)}
            processes[_CURL] = Process(["bash", "-ec", line], env, setting.temp)
        else:
            section.skipped("(c): curl is not installed")
        results = contest(processes, setting.rounds(40, 8), warm_up=2)
    step = results[_OURS]
    section.table(
        ["", "median", "fastest", "processor time", "the step takes"],
        [
            [
                name,
                milliseconds(result.wall),
                milliseconds(result.best),
                milliseconds(result.cpu),
                "" if result is step else times(step.times(result)),
            ]
            for name, result in results.items()
        ],
    )
    section.line(verdict("at most 1.15 times the three imports", step.times(results[_BARE]), 1.15))
    for name in (_SCRIPT, _BUNDLE):
        if name in results:
            section.line(verdict(f"at most 1.0 times {name[4:]}", step.times(results[name]), 1.0))
    return section


def _venv(setting: Setting) -> str:
    """A plain venv with the same files in it, bytecode included."""
    home = setting.temp / "venv"
    subprocess.run([setting.python, "-I", "-m", "venv", "--without-pip", str(home)], check=True)
    packages = next(home.glob("lib/python*/site-packages"))
    shutil.copytree(setting.deps, packages, dirs_exist_ok=True)
    return str(home / "bin" / "python")


def _node(setting: Setting, section: Section, ours: Process, url: str) -> dict[str, Process]:
    node, npm = setting.node, shutil.which("npm")
    if not node or not npm:
        section.skipped("(b): Node 20 or newer and npm are not installed")
        return {}
    modules = _NODE / "node_modules"
    lock = _NODE / "package-lock.json"
    if not modules.is_dir() or modules.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=_NODE,
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode:
            section.skipped(f"(b): npm ci failed ({done.stderr.strip().splitlines()[-1:]})")
            return {}
        modules.touch()
    inputs = {"email": EMAIL, "api-key": API_KEY, "base-url": url}
    inputs |= {"project-id": PROJECT, "build-id": BUILD, "tags": ", ".join(TAGS)}
    files = {name: value for name, value in ours.env.items() if name.startswith("GITHUB_")}
    env = setting.env | files | {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    return {
        name: Process([node, str(script)], env, setting.temp, setting.empty_files)
        for name, script in ((_SCRIPT, _NODE / "tag.js"), (_BUNDLE, _bundle(setting, modules)))
    }


def _bundle(setting: Setting, modules: Path) -> Path:
    """The bundle that such an action ships."""
    bundle = setting.temp / "tag.cjs"
    subprocess.run(
        [
            str(modules / ".bin" / "esbuild"),
            str(_NODE / "tag.js"),
            "--bundle",
            "--minify",
            "--platform=node",
            "--format=cjs",
            "--log-level=error",
            f"--outfile={bundle}",
        ],
        check=True,
    )
    return bundle
