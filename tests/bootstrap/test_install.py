"""core/bootstrap.sh installs once, whole, and beside other steps."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bootstrap.support import LOCK, STAND_IN, TAG, Job, either, one_package_lock, posix_only, script, use_pip

pytestmark = posix_only


# The whole lock
@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, caches: Path) -> Job:
    job = Job(tmp_path_factory.mktemp("whole") / "it's späced", caches, lock=LOCK)
    (job.core / "sauce_appdist" / "cli.py").write_text(
        "import github_action_utils, pydantic, requests\n" + STAND_IN.lstrip(), "utf-8"
    )
    done = job.run()
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"sauce-appdist: installed its dependencies with uv in \d+[.,]\d s\n", done.stderr)
    return job


def test_the_lock_installs_and_later_steps_need_no_program_and_no_network(whole: Job) -> None:
    # No PATH at all: so not one process is started but Python itself.
    done = whole.run("tag", "--message", "two  words", "", "*", PATH="/nonexistent", PIP_NO_INDEX="1", UV_OFFLINE="1")
    assert (done.returncode, done.stderr) == (0, "")
    seen = json.loads(done.stdout)
    assert seen["argv"] == ["sauce-appdist", "tag", "--message", "two  words", "", "*"]
    assert seen["here"] == str(whole.core / "sauce_appdist" / "cli.py")
    assert seen["idna"].startswith(str(whole.home))
    assert {"requests", "pydantic", "github_action_utils", "pydantic_core._pydantic_core"} <= set(seen["modules"])
    assert "rich" not in seen["modules"]
    assert (seen["isolated"], seen["utf8"]) == (1, 1)


def test_the_steps_exit_code_is_the_exit_code(whole: Job) -> None:
    assert whole.run("tag", "--fail").returncode == 7


# Cold and warm
@either
def test_the_first_run_installs_and_the_second_does_not(job: Job, use: Any) -> None:
    use(job)
    first = job.run("find")
    assert first.returncode == 0, first.stderr
    assert f"installed its dependencies with {'pip' if use is use_pip else 'uv'} in " in first.stderr
    assert first.stderr.count("\n") == 1
    second = job.run("find", PATH="/nonexistent")
    assert (second.returncode, second.stderr) == (0, "")
    assert json.loads(first.stdout)["idna"] == json.loads(second.stdout)["idna"]


def test_what_runs_is_the_interpreter_itself_and_not_its_shim(job: Job) -> None:
    for _ in "cold", "warm":
        assert job.report()["python"] == os.path.realpath(sys.executable)


def test_the_step_gets_its_working_directory_and_environment_unchanged(job: Job) -> None:
    mine = {"APPDIST_API_KEY": "secret", "PIP_USER": "1", "UV_EXCLUDE_NEWER": "2020-01-01", "PYTHONPATH": "x"}
    seen = job.report(**mine)
    assert seen["cwd"] == str(job.workspace)
    assert mine.items() <= seen["env"].items()
    assert not {"UV_DEFAULT_INDEX", "PIP_NO_INPUT"} & (seen["env"].keys() - job.env.keys())


def test_it_runs_from_a_relative_path(job: Job) -> None:
    job.report()
    for directory, name in ((job.core, "bootstrap.sh"), (job.core.parent, "core/bootstrap.sh")):
        done = subprocess.run(
            [job.programs / "bash", name], cwd=directory, env=job.env, capture_output=True, check=True, timeout=60
        )
        assert json.loads(done.stdout)["here"] == str(job.core / "sauce_appdist" / "cli.py")


def test_another_lock_is_another_install(job: Job) -> None:
    job.report()
    job.write_lock(one_package_lock().replace("0123456789abcdef", "fedcba9876543210"))
    assert "fedcba9876543210" in job.report()["idna"]


@pytest.mark.parametrize("lock", ["", "idna==3.10\n", "# sauce-appdist lock ../../x\n"])
def test_a_lock_without_its_first_line_is_refused(job: Job, lock: str) -> None:
    job.write_lock(lock)
    assert "requirements.lock does not start with" in job.refusal(2)


# Steps side by side, and steps cut short
@pytest.mark.parametrize("count", [2, 5])
def test_steps_that_start_together_do_not_break_each_other(job: Job, count: int) -> None:
    processes = [job.start(str(number)) for number in range(count)]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, results
    for out, _ in results:
        assert Path(json.loads(out)["idna"]).exists()  # nobody's install was taken away
    assert json.loads(results[0][0])["argv"][1] == "0"
    after = job.run(PATH="/nonexistent")
    assert (after.returncode, after.stderr) == (0, "")
    assert all((job.home / name / TAG / "idna").is_dir() for name in job.installs())


def test_the_slower_of_two_discards_its_install(job: Job) -> None:
    uv = (job.programs / "uv").resolve()
    (job.programs / "uv").unlink()
    # While the outer one installs, an inner one, which does not know whose turn it is, starts and finishes.
    again = f'rm "$KEEP"/*/turn-1; RUNNER_TEMP=$KEEP bash "{job.core}/bootstrap.sh" >"{job.root}/inner.json"'
    script(job.programs / "uv", f'if mkdir "{job.root}/once" 2>/dev/null; then {again}; fi; exec "{uv}" "$@"')
    outer = job.report(KEEP=str(job.temp))
    inner = json.loads((job.root / "inner.json").read_text("utf-8"))
    assert outer["idna"] == inner["idna"]
    assert len(job.installs()) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_install_cut_short_is_not_taken_for_a_finished_one(job: Job, number: signal.Signals) -> None:
    uv = (job.programs / "uv").resolve()
    (job.programs / "uv").unlink()
    script(job.programs / "uv", f'"{uv}" "$@"; : >"{job.root}/half"; sleep 60')
    with job.start() as process:
        for _ in range(600):
            if (job.root / "half").exists():
                break
            time.sleep(0.05)
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (job.home / "ready").exists()
    (job.programs / "uv").unlink()
    (job.programs / "uv").symlink_to(uv)
    abandoned = set(job.installs())
    assert not any(name in job.report()["idna"] for name in abandoned)


def test_an_interpreter_that_is_gone_is_looked_for_again(job: Job) -> None:
    before = job.report()
    lines = (job.home / "ready").read_text("utf-8").splitlines()
    (job.home / "ready").write_text("\n".join([str(job.root / "gone"), *lines[1:], ""]), "utf-8")
    after = job.report()
    assert after["python"] == before["python"]
    assert after["idna"] != before["idna"]


def test_an_install_that_is_gone_is_made_again(job: Job) -> None:
    shutil.rmtree(Path(job.report()["idna"]).parent.parent)
    assert Path(job.report()["idna"]).exists()


def test_an_interpreter_that_became_another_version_does_not_run_with_the_old_install(job: Job) -> None:
    old = Path(job.report()["idna"]).parent.parent
    old.rename(old.with_name("cpython-310"))
    ready = job.home / "ready"
    ready.write_text(ready.read_text("utf-8").replace(TAG, "cpython-310"), "utf-8")
    assert "is no longer the version" in job.refusal(2)
    assert TAG in job.report()["idna"]
