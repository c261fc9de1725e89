"""What a pipeline's own settings do to our jobs, and what a job says that cannot start."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from runners.cases import BUILD
from runners.support import ROOT, dumped
from sauce_appdist.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runners.support import GitLab, GitLabRun, Service

    Mount = Callable[[str], Path]

READING = {"check", "find", "gate"}
TAG = {"build-url": f"/projects/6905338/builds/{BUILD}", "tags": "a"}


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a file system of its own."""
    place = tmp_path / "mounted"
    place.mkdir()

    def make(options: str) -> Path:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False)
        if done.returncode:
            pytest.skip("only root can mount a file system")
        return place

    yield make
    subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def tag(gitlab: GitLab, *, before: str = "true", **variables: str) -> GitLabRun:
    """The job `it`, after a command of its own."""
    own = {"it": {"before_script": ['export CI_PROJECT_DIR="$PWD"', before]}}
    return gitlab(dumped({"include": [gitlab.include("tag", "it", TAG)], **own}), variables=variables)


# --- `default:` -----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_what_writes_is_neither_repeated_nor_interrupted(step: str) -> None:
    _, jobs = yaml.safe_load_all((ROOT / "gitlab-templates" / f"{step}.yml").read_text("utf-8"))
    (job,) = jobs.values()
    kept = (job.get("retry"), job.get("interruptible"))
    assert kept == ((None, None) if step in READING else (0, False))


def test_the_defaults_of_a_pipeline_do_not_repeat_a_promotion(gitlab: GitLab, service: Service) -> None:
    """A run that stopped on purpose (exit 6) would mail everybody again."""
    service.fault(method="POST", path="/invites/", status=503, times=None, body={})
    promote = {"build-url": service.upload(), "groups": "QA", "notify": "true", "retries": "0"}
    default = {"default": {"retry": 2, "interruptible": True}}
    run = gitlab(dumped({**default, "include": [gitlab.include("promote", "it", promote)]}))
    assert run.exit_code("it") == 6
    assert (run.job("it")["retry"], run.job("it")["interruptible"]) in ((0, False), ({"max": 0}, False))
    assert len([path for _, path in service.writes if "/invites/" in path]) == 1


# --- pip ------------------------------------------------------------------------------------------

OTHERS: dict[str, str] = {
    "PIP_USER": "1",
    "PIP_PREFIX": "/tmp/prefix",
    "PIP_ROOT": "/tmp/root",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_CONSTRAINT": "constraints.txt",
    "PIP_NO_BINARY": ":all:",
    "PIP_DRY_RUN": "1",
    "PIP_TARGET": "/tmp/target",
}


def test_settings_for_other_installs_do_not_break_this_one(gitlab: GitLab, service: Service) -> None:
    service.upload()
    run = tag(gitlab, **OTHERS)
    assert run.exit_code("it") == 0
    assert service.build(BUILD)["tags"] == ["a"]


def test_nor_do_those_of_a_file(gitlab: GitLab, service: Service) -> None:
    service.upload()
    text = "[global]\\nrequire-virtualenv = true\\ndry-run = true\\n[install]\\nuser = true\\n"
    run = tag(gitlab, before=f"mkdir -p ~/.config/pip && printf '{text}' > ~/.config/pip/pip.conf")
    assert run.exit_code("it") == 0
    assert service.build(BUILD)["tags"] == ["a"]


def test_an_index_out_of_reach_is_5(gitlab: GitLab, service: Service) -> None:
    """What examples/gitlab-gate.yml runs again."""
    nowhere = {
        "PIP_NO_INDEX": "",
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    run = tag(gitlab, before="unset PIP_NO_INDEX PIP_FIND_LINKS", **nowhere)
    assert run.exit_code("it") == 5
    assert "Check that this runner can reach its package index (PIP_INDEX_URL" in run.log("it")
    assert service.writes == []


# --- The image ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fake", "told"),
    [
        ("exit 127", "This job needs CPython 3.11 to 3.15 as python3"),
        ('case "$1" in -V) echo Python 3.9.2 ;; *) exit 1 ;; esac', "and its image has: Python 3.9.2."),
        (
            'case "$*" in *" pip "*) echo "No module named pip" >&2; exit 1 ;; esac',
            "The python3 of this image has no pip.",
        ),
    ],
)
def test_an_image_that_does_not_do(gitlab: GitLab, service: Service, fake: str, told: str) -> None:
    make = f"mkdir bin && printf '#!/bin/sh\\n%s\\n' '{fake}' > bin/python3 && chmod +x bin/python3"
    run = tag(gitlab, before=f'{make} && export PATH="$PWD/bin:$PATH"')
    assert run.exit_code("it") == 2
    assert told in run.log("it")
    assert "Set the template's input image, for example image: python:3.13-slim." in run.log("it")
    assert service.writes == []


def test_a_full_disk(gitlab: GitLab, service: Service, mount: Mount) -> None:
    run = tag(gitlab, before=f"export TMPDIR={mount('size=200k')}")
    assert run.exit_code("it") == 2
    assert "There is no room for the dependencies" in run.log("it")
    assert "package index" not in run.log("it")
    assert service.writes == []


def test_a_temp_that_is_not_there(gitlab: GitLab) -> None:
    run = tag(gitlab, TMPDIR="/nonexistent")
    assert run.exit_code("it") == 2
    assert "Set the CI/CD variable TMPDIR to a directory that the job can write to." in run.log("it")


def test_a_temp_that_lets_no_programs_run(gitlab: GitLab, service: Service, mount: Mount) -> None:
    run = tag(gitlab, before=f"export TMPDIR={mount('size=200m,noexec')}")
    assert run.exit_code("it") == 2
    log = run.log("it")
    assert "The step cannot start: " in log
    assert "its file system does not let programs run (it is mounted noexec)" in log
    assert "set the CI/CD variable TMPDIR to another directory" in log
    assert "Traceback" not in log
    assert service.writes == []
