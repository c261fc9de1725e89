"""A temp directory that is full, or that lets no programs run: what is wrong, and what can be done about it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bootstrap.support import LOCK, Job, either, posix_only, use_pip
from harness import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    Mount = Callable[[Path, str], None]

pytestmark = posix_only


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts a file system of its own on a directory."""
    mounted: list[Path] = []

    def make(place: Path, options: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("only root can mount a file system")
        mounted.append(place)

    yield make
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


GITHUB = "give the runner another work folder (config.sh --work)"


@either
def test_a_full_disk_is_no_index_out_of_reach(job: Job, mount: Mount, use: Any) -> None:
    use(job)
    mount(job.temp, "size=64k,mode=700")
    done = job.run(GITHUB_ACTIONS="true")
    assert done.returncode == 2, done.stderr
    assert "::error title=Disk full::There is no room to install the dependencies" in done.stdout
    assert "give the runner another work folder (config.sh --work): one that has room" in done.stdout
    assert "package index" not in done.stdout + done.stderr


def test_a_full_disk_of_pips_own_is_told_by_what_pip_says(job: Job, mount: Mount) -> None:
    use_pip(job)
    mount(job.root / "small", "size=16k")
    assert "There is no room to install the dependencies" in job.refusal(2, TMPDIR=str(job.root / "small"))


def test_a_temp_without_programs_is_told_as_such(job: Job, mount: Mount) -> None:
    """Python maps a compiled module to run it, which such a mount forbids."""
    job.write_lock(LOCK)
    (job.core / "sauce_appdist").rename(job.core / "stand-in")
    (job.core / "sauce_appdist").symlink_to(ROOT / "core" / "sauce_appdist")
    mount(job.temp, "size=200m,mode=700,noexec")
    done = job.run("check", GITHUB_ACTIONS="true")
    assert done.returncode == 2, done.stderr
    assert "::error title=The step cannot start::" in done.stdout
    assert "cannot be loaded: its file system does not let programs run (it is mounted noexec)." in done.stdout
    assert f"Mount it without noexec, or {GITHUB}." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("env", "advice"),
    [
        ({"GITHUB_ACTIONS": "true"}, f"Free or repair it, or {GITHUB}: one that this user can write to."),
        ({}, "Free or repair it, or set TMPDIR to a directory that this user can write to."),
    ],
)
def test_advice_can_be_followed(job: Job, env: dict[str, str], advice: str) -> None:
    """GitHub's runner sets RUNNER_TEMP: a workflow cannot."""
    job.temp.rmdir()
    job.temp.touch()
    done = job.run(**env)
    assert done.returncode == 2
    assert advice in done.stderr
    assert "RUNNER_TEMP" not in done.stderr


def test_so_can_advice_about_an_unsafe_one(shared: Job) -> None:
    shared.report()
    shared.home.chmod(0o777)
    assert "Remove it, or set TMPDIR to a directory that no other user can write to." in shared.refusal(2)
