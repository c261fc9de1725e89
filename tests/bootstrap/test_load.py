"""Many steps that start on one machine at the same time: one installs, all run, whoever is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bootstrap.support import Job, posix_only, script, use_pip

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable

pytestmark = posix_only


def results(processes: Iterable[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    return [(process.wait(), *done) for process in processes for done in [process.communicate(timeout=120)]]


def slow_uv(job: Job, seconds: float) -> None:
    """Both before and after it writes, so that a step can be killed with nothing, half or all of its install."""
    uv = (job.programs / "uv").resolve()
    (job.programs / "uv").unlink()
    script(job.programs / "uv", f'sleep {seconds}; "{uv}" "$@"; end=$?; sleep {seconds}; exit $end')


def holder(job: Job, dead: set[int]) -> int | None:
    """The process that installs, if one does."""
    for turn in job.temp.glob("*/turn-*"):
        try:
            process = int(turn.read_text("ascii") or 0)
        except FileNotFoundError:
            continue
        if process and process not in dead:
            return process
    return None


def test_steps_that_start_together_install_once(job: Job) -> None:
    slow_uv(job, 0.2)
    ended = results([job.start(str(number)) for number in range(24)])
    assert [code for code, _, _ in ended] == [0] * 24, ended
    assert sum("installed its dependencies" in log for _, _, log in ended) == 1
    seen = [json.loads(out) for _, out, _ in ended]
    assert [one["argv"][1] for one in seen] == [str(number) for number in range(24)]
    assert len({one["idna"] for one in seen}) == 1
    assert sorted(path.name for path in job.home.iterdir()) == sorted([*job.installs(), "ready"])
    assert len(job.installs()) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_whoever_is_killed_while_it_installs_the_others_run(job: Job, number: signal.Signals) -> None:
    slow_uv(job, 0.3)
    moments = random.Random(int(number))
    processes = [job.start() for _ in range(12)]
    killed: set[int] = set()
    until = time.monotonic() + 60
    while len(killed) < 3 and time.monotonic() < until and not list(job.temp.glob("*/ready")):
        leader = holder(job, killed)
        if leader is None:
            time.sleep(0.01)
            continue
        time.sleep(moments.uniform(0, 0.5))
        if list(job.temp.glob("*/ready")):
            break  # it has finished, and runs the step
        os.killpg(leader, number)
        killed.add(leader)
    ended = results(processes)
    assert killed
    for process, (code, out, log) in zip(processes, ended, strict=True):
        if process.pid in killed:
            assert code != 0
        else:
            assert code == 0, log
            assert Path(json.loads(out)["idna"]).is_file()
    after = job.run(PATH="/nonexistent")
    assert (after.returncode, after.stderr) == (0, "")


def test_where_the_index_is_out_of_reach_each_step_says_so(job: Job) -> None:
    use_pip(job)
    env = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    ended = results([job.start(**env, PIP_FIND_LINKS="") for _ in range(3)])
    assert [code for code, _, _ in ended] == [5] * 3
    assert all("Check that this machine can reach its package index" in log for _, _, log in ended)
    assert list(job.home.iterdir()) == []


@pytest.mark.parametrize("held", ["by a process that never ends", "by nobody", "in another way"])
def test_a_turn_that_does_not_end_keeps_no_step_from_running(job: Job, held: str) -> None:
    bootstrap = job.core / "bootstrap.sh"
    text = bootstrap.read_text("utf-8")
    assert "\npatience=120 " in text
    bootstrap.write_text(text.replace("\npatience=120 ", "\npatience=2 "), "utf-8")
    home = job.temp / "sauce-appdist-0123456789abcdef"
    home.mkdir()
    turn = {"by a process that never ends": f"{os.getpid()}\n", "by nobody": "", "in another way": "half\n"}[held]
    (home / "turn-1").write_text(turn, "ascii")
    assert Path(job.report()["idna"]).is_file()
    assert (home / "turn-1").read_text("ascii") == turn  # it is not ours
