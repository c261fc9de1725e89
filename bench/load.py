"""Two hundred steps at once on one machine, and the emulator at 300 requests a second."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bench.measure import Emulator, Failed, Server
from bench.report import Section, mebibytes, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.setting import Setting

PROJECT, BUILD = "6905338", "8911052"
STEPS = 200
RATE, SECONDS, CLIENTS = 300, 10, 50  # requests a second; seconds; connections at once


def run(setting: Setting) -> Section:
    section = Section("load", setting)
    _steps(section, setting)
    _emulator(section, setting)
    return section


# --- Steps --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ended:
    """How a step ended: its seconds, its exit code, its outputs and what it wrote to stderr."""

    seconds: float
    code: int
    outputs: str
    log: str


def _inputs(number: int) -> tuple[str, dict[str, str]]:
    """A step and its inputs; every fifth one does the same with other values."""
    own = f"load-{number}"
    return (
        ("find", {}),
        ("tag", {"tags": own}),
        ("copy", {"to_folder": f"/{own}"}),
        ("invite", {"groups": "QA", "message": own}),
        ("promote", {"to_folder": f"/{own}", "groups": "QA", "tags": own}),
    )[number % 5]


def _steps(section: Section, setting: Setting) -> None:
    count = 20 if setting.quick else STEPS
    section.line(f"**{count} steps at once**: find, tag, copy, invite and promote in turn, each with files of its own")
    rows = []
    problems: list[str] = []
    for name, fresh in (("nothing is installed", True), ("the dependencies are installed", False)):
        home = setting.temp / "load"
        if fresh:
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            shutil.copytree(setting.core, home / "core", ignore=shutil.ignore_patterns("__pycache__"))
            (home / "runner").mkdir()
        with Emulator(setting.core) as emulator:
            started = time.perf_counter()
            with _Peak() as peak:
                ended = _at_once(setting, home, emulator.url, count)
            wall = time.perf_counter() - started
            problems += [f"{name}: {one}" for one in _wrong(ended, emulator)]
        installs = sum("installed its dependencies" in one.log for one in ended)
        slowest = max(one.seconds for one in ended)
        failures = sum(one.code != 0 for one in ended)
        rows.append([name, f"{wall:.1f} s", f"{slowest:.1f} s", str(installs), str(failures), peak.text])
    section.table(["", "all ended after", "slowest step", "installs", "failures", "peak memory of all"], rows)
    for one in problems[:10]:
        section.line(f"- {one}")
    section.line(
        f"- Aim: each ends with the right exit code and outputs. **{'Missed' if problems else 'Met'}** "
        f"by {count - len(problems) if problems else 'all'}."
    )


def _at_once(setting: Setting, home: Path, url: str, count: int) -> list[_Ended]:
    ended: list[_Ended | None] = [None] * count
    start = threading.Event()

    def one(number: int) -> None:
        name, inputs = _inputs(number)
        step = setting.step(name, {"project_id": PROJECT, "build_id": BUILD, **inputs}, url=url, core=home / "core")
        output = home / f"output-{number}"
        output.write_bytes(b"")
        env = {**step.env, "RUNNER_TEMP": str(home / "runner"), "GITHUB_OUTPUT": str(output)}
        env["GITHUB_STEP_SUMMARY"] = str(home / f"summary-{number}")
        start.wait()
        began = time.perf_counter()
        done = subprocess.run(
            list(step.argv), env=env, cwd=step.cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        log = (done.stdout + done.stderr).decode("utf-8", "replace")
        ended[number] = _Ended(time.perf_counter() - began, done.returncode, output.read_text("utf-8"), log)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join()
    return [one for one in ended if one]


def _wrong(ended: list[_Ended], emulator: Emulator) -> Iterator[str]:
    """Whatever is not as if each step had been alone."""
    state = emulator.control("GET", "state")
    copies = {
        build["id"]: project["folderPath"]
        for project in state["projects"]
        for build in project["builds"]
        if project["folderPath"].startswith("/load-")
    }
    invited = Counter(one["comment"] for one in state["invitations"])
    for number, one in enumerate(ended):
        name, inputs = _inputs(number)
        where = copies.get(_value(one.outputs, "promoted-build-id"))
        output, expected = {
            "find": ("build-id", BUILD),
            "tag": ("tags", inputs.get("tags")),
            "copy": ("folder-path", where),
            "promote": ("folder-path", where),
            "invite": ("invited-groups", inputs.get("groups")),
        }[name]
        if one.code:
            yield f"{name} {number} ended with {one.code}: {one.log[-300:]}"
        elif not expected or _value(one.outputs, output) != expected:
            yield f"{name} {number}: {output} is {_value(one.outputs, output)!r} and not {expected!r}"
        elif name in {"copy", "promote"} and where != inputs["to_folder"]:
            yield f"{name} {number} went to {where}"
        elif name == "invite" and invited[inputs["message"]] != 1:
            yield f"{name} {number} was counted {invited[inputs['message']]} times"
    everybody = sum(_inputs(number)[0] in {"invite", "promote"} for number in range(len(ended)))
    if len(copies) != len(ended) * 2 // 5 or sum(invited.values()) != everybody:
        yield f"{len(copies)} copies and {sum(invited.values())} invitations in all"


def _value(outputs: str, name: str) -> str:
    found = re.search(rf"^{re.escape(name)}<<(\S+)\n([\s\S]*?)\n\1$", outputs, re.MULTILINE)
    return found[2] if found else ""


class _Peak:
    """The most memory that the children of this process had at once; shared pages count once (PSS, Linux only)."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._most = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def text(self) -> str:
        return mebibytes(self._most) if self._most else "not known here"

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self._most = max(self._most, sum(map(_pss, _descendants(os.getpid()))))


def _descendants(process: int) -> list[int]:
    try:
        found = [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text("ascii").split()
        ]
    except OSError:
        return []
    return found + [one for child in found for one in _descendants(child)]


def _pss(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
    except OSError:  # it has ended
        return 0
    found = re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


# --- The emulator -------------------------------------------------------------------------------------


def _emulator(section: Section, setting: Setting) -> None:
    seconds = 3 if setting.quick else SECONDS
    section.line(
        f"**The emulator at {RATE} requests a second** for {seconds} s, from {CLIENTS} clients at once, one in ten "
        "requests over a new connection; the time runs from when a request was due"
    )
    rows = []
    errors = 0
    rivals: dict[str, Callable[[], Server]] = {
        "the emulator, classic": lambda: Emulator(setting.core),
        "the emulator, compat": lambda: Emulator(setting.core, "--dialect", "compat"),
        "bare Flask: a constant JSON": lambda: Server([str(Path(__file__).with_name("bare.py"))]),
    }
    for name, start in rivals.items():
        with start() as server:
            paced = _traffic(server.url, rate=RATE, seconds=seconds, setting=setting)
            flat_out = _traffic(server.url, rate=0, seconds=seconds / 2, setting=setting)
            memory = _pss(server.process)
        errors += 0 if "bare" in name else paced["errors"] + flat_out["errors"]
        latency = [milliseconds(paced[one]) for one in ("median", "p99", "slowest")]
        most = f"{flat_out['done'] / flat_out['seconds']:.0f}/s"
        rows.append([name, str(paced["done"]), str(paced["errors"]), *latency, most, mebibytes(memory)])
        if paced["problems"] or flat_out["problems"]:
            section.line(f"- {name}: {(paced['problems'] + flat_out['problems'])[0]}")
    section.table(["", "answers", "errors", "median", "99 %", "slowest", "at most", "memory"], rows)
    section.line(f"- Aim: {RATE} requests a second without an error. **{'Missed' if errors else 'Met'}**.")


def _traffic(url: str, *, rate: float, seconds: float, setting: Setting) -> dict[str, Any]:
    """What `bench/traffic.py` saw, in a process of its own."""
    script = Path(__file__).with_name("traffic.py")
    options = ["--rate", str(rate), "--seconds", str(seconds), "--clients", str(CLIENTS)]
    done = subprocess.run(
        [setting.python, "-I", "-S", str(script), url, *options], capture_output=True, check=False, text=True
    )
    if done.returncode:
        raise Failed(f"traffic.py ended with {done.returncode}:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result
