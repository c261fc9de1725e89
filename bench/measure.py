"""Whole processes, timed side by side in one go."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Linux counts the peak of a process from its parent's on, so a small parent must start it.
_SMALL_PARENT = """
import os, sys
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, usage = os.wait4(process, 0)
os.write(2, b"\\npeak %d" % usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A measured process failed; the text has its output."""


@dataclass(frozen=True)
class Process:
    """One contestant: `prepare` is called before each start, outside the timing."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    prepare: Callable[[], Mapping[str, str]] = field(default=dict)


@dataclass(frozen=True)
class Sample:
    """Seconds by the clock, and seconds of processor."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Result:
    """All samples of one contestant."""

    samples: Sequence[Sample]

    @property
    def wall(self) -> float:
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def best(self) -> float:
        return min(sample.wall for sample in self.samples)

    def times(self, other: Result) -> tuple[float, float]:
        """How much longer this takes: the median of the rounds' ratios, and the ratio of the fastest rounds."""
        rounds = zip(self.samples, other.samples, strict=True)
        return statistics.median(one.wall / two.wall for one, two in rounds), self.best / other.best


def contest(processes: Mapping[str, Process], rounds: int, *, warm_up: int = 1) -> dict[str, Result]:
    """Run every process once per round; each round starts with another one: A B C, B C A, C A B, …"""
    samples: dict[str, list[Sample]] = {name: [] for name in processes}
    names = list(processes)
    for number in range(-warm_up, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            sample = _run(name, processes[name])
            if number >= 0:
                samples[name].append(sample)
            sys.stderr.write(".")
            sys.stderr.flush()
    sys.stderr.write("\n")
    return {name: Result(taken) for name, taken in samples.items()}


def _run(name: str, process: Process) -> Sample:
    env = {**process.env, **process.prepare()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        list(process.argv), env=env, cwd=process.cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        raise Failed(f"{name} ended with {done.returncode}:\n{said[-3000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(wall, cpu)


def peak(name: str, process: Process) -> int:
    """The peak memory of a process, in bytes."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _SMALL_PARENT, *process.argv],
        env={**process.env, **process.prepare()},
        cwd=process.cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise Failed(f"{name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return int(done.stderr.rpartition("peak ")[2]) * _PEAK_UNIT


class Server:
    """A server in a process of its own, whose first line ends with its URL."""

    def __init__(self, argv: Sequence[str], cwd: Path | None = None) -> None:
        self._process = subprocess.Popen([sys.executable, *argv], cwd=cwd, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().split()[-1]
        self.process = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()


class Emulator(Server):
    """The emulator of a core, and its control endpoints."""

    def __init__(self, core: Path, *options: str) -> None:
        super().__init__(["-m", "appdist_emulator", "--port", "0", "--quiet", *options], core)
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def control(self, method: str, what: str, body: bytes | None = None) -> Any:
        """What `/_emulator/…` answers."""
        request = urllib.request.Request(f"{self.url}/_emulator/{what}", body, method=method)
        with self._open(request, timeout=60) as reply:
            return json.load(reply)


class Stub(Server):
    """`bench/stub.py` in a process of its own: what is measured is the client."""

    def __init__(self, answers: Mapping[str, bytes], directory: Path) -> None:
        files = {}
        for number, (route, body) in enumerate(answers.items()):
            files[route] = str(directory / f"answer-{number}.json")
            Path(files[route]).write_bytes(body)
        routes = directory / "routes.json"
        routes.write_text(json.dumps(files), encoding="utf-8")
        super().__init__(["-I", "-S", str(Path(__file__).with_name("stub.py")), str(routes)])
