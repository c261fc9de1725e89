"""The stage of the matrix: who answers, and a cell from its environment to what it left."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import pytest

from appdist_emulator import Emulator
from faults.commands import CLIENT_SECRET, NETRC_PASSWORD, REQUEST_TOKEN, Step
from faults.proxy import HOST, Front, Plan, Seen
from harness import github_outputs
from identity import AUDIENCE, CLIENT_ID, GITHUB_SUBJECT, IdentityProvider, Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from faults.cells import Cell

LIMIT = 30.0  # seconds: nothing may take longer; then the step is killed
QUICK, PATIENT = "1s", "4s"  # timeout of a step: where it waits for one, and where a busy machine must not matter
GATE_FILES = {"appdist-gate.json", "appdist-gate.xml"}
GITLAB_FILES = {"appdist.env", "appdist-outputs.json", "appdist-annotations.json"}
_UNTIMED = {"at", "uploadedAt", "timestamp"}


@dataclass(frozen=True)
class Account:
    """What the service holds and has done, without times."""

    builds: Mapping[tuple[str, str], Mapping[str, Any]]
    rest: Mapping[str, Any]
    invitations: list[Mapping[str, Any]]
    mails: list[Mapping[str, Any]]
    acts: Counter[str]

    @classmethod
    def read(cls, port: int) -> Self:
        state = _control(port, "GET", "state")
        builds = {
            (project["id"], build["id"]): {
                "folder": project["folderPath"],
                "project-groups": project["groups"],
                **{name: build[name] for name in _BUILD_FIELDS if name in build},
            }
            for project in state["projects"]
            for build in project["builds"]
        }
        rest = {name: state[name] for name in ("folders", "groups", "testers", "blockedTesters", "webhooks", "site")}
        return cls(
            builds,
            rest,
            _untimed(state["invitations"]),
            _untimed(state["outbox"]),
            Counter(_act(audit) for audit in state["audits"]),
        )

    def as_written(self) -> tuple[Any, ...]:
        """All that a write changes, to compare accounts by."""
        repeatable = ("downloaded", "updated")  # what an update wrote is in the build
        acts = {name: number for name, number in self.acts.items() if not name.endswith(repeatable)}
        return self.builds, self.rest, self.invitations, self.mails, acts


_BUILD_FIELDS = ("appName", "appVersion", "appVersionCode", "landingPageMode", "changelog", "tags", "metadata", "groups", "allowAllTesters")  # fmt: skip


def _act(audit: Mapping[str, Any]) -> str:
    return str(audit.get("actionLabel") or audit.get("action_label") or audit.get("actionType") or audit)


def _untimed(items: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return [{name: value for name, value in item.items() if name not in _UNTIMED} for item in items]


def _control(port: int, method: str, name: str, body: object = None) -> Any:
    link = HTTPConnection(HOST, port, timeout=30)
    try:
        link.request(method, f"/_emulator/{name}", None if body is None else json.dumps(body))
        answer = link.getresponse()
        data = json.loads(answer.read())
        assert answer.status == 200, data
        return data
    finally:
        link.close()


class Forker:
    """The warm parent of steps (forker.py), and what it reports."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("forker.py"))],
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._lock, self._number = threading.Lock(), 0
        self._ended: dict[int, queue.Queue[dict[str, Any]]] = {}
        assert json.loads(self._process.stdout.readline()) == {"ready": True}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self, **order: Any) -> tuple[int, queue.Queue[dict[str, Any]]]:
        """Run a step; returns its number, and where its end is reported."""
        with self._lock:
            self._number += 1
            number = self._number
            ended = self._ended[number] = queue.Queue()
        self._send(number=number, **order)
        return number, ended

    def signal(self, number: int, which: int) -> None:
        self._send(number=number, signal=int(which))

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join(5)
        assert self._process.stdout
        self._process.stdout.close()

    def _send(self, **order: Any) -> None:
        assert self._process.stdin
        with self._lock:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            report = json.loads(line)
            self._ended.pop(report["ended"]).put(report)


@dataclass
class Ran:
    """What one run of a step left."""

    step: Step
    code: int
    seconds: float
    cpu: float
    memory: int
    killed: bool
    stdout: str
    stderr: str
    outputs: dict[str, Any] | None
    written: dict[str, bytes]  # by the step, where it may write
    before: dict[str, str]
    after: dict[str, str]
    account_before: Account
    account: Account
    seen: list[Seen]
    strangers: list[bytes]
    address: str
    timeout: float

    def texts(self) -> dict[str, str]:
        """Everything that the step said or wrote."""
        files = {name: data.decode("utf-8", "replace") for name, data in self.written.items() if name != "app.apk"}
        return {"stdout": self.stdout, "stderr": self.stderr, **files}


@dataclass
class Clean:
    """A run without a fault: its requests, its account, its outputs."""

    ran: Ran

    @property
    def seen(self) -> list[Seen]:
        return self.ran.seen


@dataclass
class Slot:
    """One front with its emulators: it runs one cell after another."""

    front: Front
    folder: Path
    emulators: dict[str, Emulator] = field(default_factory=dict)
    runs: int = 0

    def stop(self) -> None:
        for emulator in self.emulators.values():
            emulator.stop()

    def emulator(self, dialect: Any) -> int:
        if dialect not in self.emulators:
            self.emulators[dialect] = Emulator(dialect=dialect).start()
        return int(urlsplit(self.emulators[dialect].url).port or 0)


class MatrixProvider(IdentityProvider):
    """An identity provider that trusts its own ID tokens, as that of a job's GitHub."""

    def __init__(self) -> None:
        super().__init__(path="/idp", clients={CLIENT_ID: CLIENT_SECRET})
        self.request_token = REQUEST_TOKEN
        self.trust = Trust(self, AUDIENCE, GITHUB_SUBJECT)


class StageOfMatrix:
    """Everything that cells run on; `width` cells at once."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._stack = ExitStack()
        self._slots: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        self._clean: dict[str, Clean] = {}

    def __enter__(self) -> Self:
        shared = Path("/dev/shm")
        where = str(shared) if os.access(shared, os.W_OK) else None
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="appdist-faults-", dir=where)))
        self._provider = self._stack.enter_context(MatrixProvider())
        self._forker = Forker()
        self._stack.callback(self._forker.close)
        for number in range(self.width):
            slot = Slot(Front(int(urlsplit(self._provider.url).port or 0)), folder / str(number))
            slot.folder.mkdir()
            self._stack.callback(slot.front.close)
            self._stack.callback(slot.stop)
            self._slots.put(slot)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def clean(self, step: Step) -> Clean:
        """The run of a step without a fault, once, in an interpreter of its own."""
        if step.name not in self._clean:
            ran = self._run(step, None, fresh=True)
            if ran.code:
                raise AssertionError(f"{step.name} fails without a fault: {ran.code}\n{ran.stdout}{ran.stderr}")
            self._clean[step.name] = Clean(ran)
        return self._clean[step.name]

    def run(self, cell: Cell) -> Ran:
        """Run one cell."""
        clean = self.clean(cell.step)
        return self._run(cell.step, Plan(cell.fault, cell.number, cell.after, clean.seen[cell.number - 1].passed))

    def run_all(self, cells: Iterable[Cell], done: Callable[[Cell, Ran], None]) -> None:
        """Run cells, as many at once as there are slots; `done` gets each when it is over."""
        with ThreadPoolExecutor(self.width) as pool:
            for cell, ran in pool.map(lambda cell: (cell, self.run(cell)), cells):
                done(cell, ran)

    def _run(self, step: Step, plan: Plan | None, *, fresh: bool = False) -> Ran:
        slot = self._slots.get()
        try:
            return self._run_in(slot, step, plan, fresh=fresh)
        finally:
            self._slots.put(slot)

    def _run_in(self, slot: Slot, step: Step, plan: Plan | None, *, fresh: bool) -> Ran:
        port = slot.emulator(step.dialect)
        _control(port, "POST", "reset", step.seed(self._provider.issuer))
        before = Account.read(port)
        slot.runs += 1
        here = slot.folder / str(slot.runs)
        prepare(here)
        quick = plan is not None and plan.fault.slow
        timeout = QUICK if quick else PATIENT
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(here / "home"), "TMPDIR": str(here / "tmp")}
        environ |= step.environment(slot.front.address, plan is not None and plan.fault.tls, timeout)
        if step.place in {"github", "api"}:
            environ |= {"GITHUB_OUTPUT": str(here / "runner/output"), "RUNNER_TEMP": str(here / "tmp")}
            environ |= {"GITHUB_STEP_SUMMARY": str(here / "runner/summary")}
        if step.place == "gitlab":
            environ["CI_PROJECT_DIR"] = str(here / "work")
        files = _files(here)
        order = {"argv": step.argv(), "env": environ, "cwd": str(here / "work")}
        order |= {"stdout": str(here / "stdout"), "stderr": str(here / "stderr")}
        started = time.monotonic()
        with slot.front.running(plan, port) as run:
            if fresh:
                report, killed = _in_an_interpreter(order), False
            else:
                number, ended = self._forker.start(**order)
                run.signal = lambda which: self._forker.signal(number, which)
                try:
                    report, killed = ended.get(timeout=LIMIT), False
                except queue.Empty:
                    self._forker.signal(number, signal.SIGKILL)
                    report, killed = ended.get(timeout=10), True
            seconds = time.monotonic() - started
        ran = Ran(
            step,
            report["code"],
            seconds,
            report["cpu"],
            report["memory"],
            killed,
            _text(here / "stdout"),
            _text(here / "stderr"),
            None,
            _written(here, files),
            files,
            _files(here),
            before,
            Account.read(port),
            run.seen,
            list(slot.front.stranger.heard),
            slot.front.address,
            float(timeout.rstrip("s")),
        )
        ran.outputs = _outputs(ran, here)
        shutil.rmtree(here)
        return ran


def prepare(here: Path) -> None:
    """The directories of a job, with files of the user in them."""
    for name in ("work/sub", "home", "tmp", "runner"):
        (here / name).mkdir(parents=True)
    (here / "work/notes.md").write_text("# Notes\n\nFrom a file.\n")
    (here / "work/sub/keep.txt").write_text("mine")
    (here / "home/.netrc").write_text(f"machine {HOST} login zq password {NETRC_PASSWORD}\n")
    (here / "home/.netrc").chmod(0o600)
    for name in ("runner/output", "runner/summary"):
        (here / name).touch()


def _in_an_interpreter(order: Mapping[str, Any]) -> dict[str, Any]:
    with Path(order["stdout"]).open("wb") as out, Path(order["stderr"]).open("wb") as err:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "sauce_appdist", *order["argv"]],
            env=order["env"],
            cwd=order["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            timeout=60,
            check=False,
        )
    return {"code": done.returncode, "cpu": 0.0, "memory": 0}


def _files(here: Path) -> dict[str, str]:
    return {
        str(path.relative_to(here)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "directory"
        for path in _paths(here)
    }


def _paths(here: Path) -> Iterator[Path]:
    for name in ("work", "home", "tmp", "runner"):
        yield from sorted((here / name).rglob("*"))


def _written(here: Path, before: Mapping[str, str]) -> dict[str, bytes]:
    """The new files of the workspace and the runner."""
    return {
        path.name: path.read_bytes()
        for path in _paths(here)
        if path.is_file() and (str(path.relative_to(here)) not in before or path.parent.name == "runner")
    }


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""


def _outputs(ran: Ran, here: Path) -> dict[str, Any] | None:
    """The outputs by name; None if there are none, or they cannot be read."""
    try:
        match ran.step.place:
            case "github":
                return github_outputs(_text(here / "runner/output")) or None
            case "gitlab":
                return dict(json.loads(_text(here / "work/appdist-outputs.json")))
            case "json":
                return dict(json.loads(ran.stdout))
            case _:
                return None
    except (ValueError, AssertionError, pytest.fail.Exception):
        return None
