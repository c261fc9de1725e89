"""Which Python core/bootstrap.sh takes."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

from bootstrap.support import Job, posix_only, says, script, shim

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = posix_only


def only(job: Job, *paths: Path) -> None:
    """Leaves the job's PATH with no Python but those that lie in these directories."""
    (job.programs / "python3").unlink(missing_ok=True)
    job.env["PATH"] = os.pathsep.join([*map(str, paths), str(job.programs)])


def test_no_python_at_all(job: Job) -> None:
    only(job)
    message = job.refusal(2)
    assert "Found:\n  none at all\n" in message
    assert "      - uses: actions/setup-python@v" in message
    assert "        with: { python-version: '3.1" in message


def test_pythons_that_do_not_do_are_listed(job: Job) -> None:
    bin_ = job.root / "bin"
    says(bin_ / "python3", 3, 10)
    says(bin_ / "python", 2, 7)
    says(bin_ / "python3.15", 3, 99)
    says(bin_ / "python3.14", 3, 11, "pypy")
    says(bin_ / "python3.13", 3, 13, "free-threaded")
    script(bin_ / "python3.12", "echo 'Python was not found; run without arguments to install' >&2; exit 9")
    script(bin_ / "python3.11", "echo what")
    only(job, bin_)
    message = job.refusal(2)
    for line in (
        f"  {bin_}/python3: 3.10",
        f"  {bin_}/python: 2.7",
        f"  {bin_}/python3.15: 3.99",
        f"  {bin_}/python3.14: 3.11 (pypy)",
        f"  {bin_}/python3.13: 3.13 (free-threaded)",
        f"  {bin_}/python3.12: does not start",
        f"  {bin_}/python3.11: does not start",
    ):
        assert f"\n{line}\n" in message
    assert list(job.temp.glob("sauce-appdist-*/*")) == []


def test_on_github_the_refusal_is_an_annotation_too(job: Job) -> None:
    only(job)
    done = job.run(GITHUB_ACTIONS="true")
    assert done.returncode == 2
    assert "actions/setup-python@v" in done.stderr
    assert re.fullmatch(
        r"::error title=No suitable Python::This step needs [^\n]*%0A[^\n]*setup-python[^\n]*\n", done.stdout
    )


def test_the_first_that_does_is_taken(job: Job) -> None:
    first, second, third = (job.root / name for name in ("first", "second", "third"))
    script(first / "python3", "exit 127")
    shim(second / "python3", f': >"{job.root}/taken"')
    shim(third / "python3", f': >"{job.root}/not-taken"')
    only(job, first, second, third)
    job.report()
    assert (job.root / "taken").exists()
    assert not (job.root / "not-taken").exists()


@pytest.mark.parametrize("name", ["python", f"python3.{sys.version_info[1]}"])
def test_other_names_are_tried(job: Job, name: str) -> None:
    says(job.root / "bin" / "python3", 3, 8)
    shim(job.root / "bin" / name)
    only(job, job.root / "bin")
    job.report()


def test_a_python_in_the_workspace_is_not_taken(job: Job) -> None:
    shim(job.workspace / "python3", f': >"{job.root}/taken"')
    shim(job.workspace / "uv", f': >"{job.root}/taken"')
    done = job.run(PATH=f".:{job.env['PATH']}")
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert not (job.root / "taken").exists()


@pytest.mark.parametrize("variable", ["RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"])
def test_the_tool_cache_is_searched_newest_first(job: Job, variable: str) -> None:
    cache = job.root / "tool cache"
    says(job.root / "bin" / "python3", 3, 10)
    only(job, job.root / "bin")
    for version in ("3.9.20", "3.11.9", "3.12.10"):
        shim(cache / "Python" / version / "x64" / "bin" / "python3", f': >"{job.root}/{version}"')
    says(cache / "Python" / "3.13.1" / "x64-freethreaded" / "bin" / "python3", 3, 13, "free-threaded")
    job.report(**{variable: str(cache)})
    assert [path.name for path in job.root.glob("3.*")] == ["3.12.10"]


def test_appdist_python_wins(job: Job) -> None:
    shim(job.root / "mine" / "python", f': >"{job.root}/taken"')
    only(job)
    job.report(APPDIST_PYTHON=str(job.root / "mine" / "python"))
    assert (job.root / "taken").exists()


def test_appdist_python_may_be_a_name(job: Job) -> None:
    job.report(APPDIST_PYTHON="python3")


def test_appdist_python_that_is_set_later_is_used_from_then_on(job: Job) -> None:
    before = job.report()["idna"]
    mine = str(shim(job.root / "mine" / "python"))
    after = job.report(APPDIST_PYTHON=mine)["idna"]
    assert after != before
    assert job.report(APPDIST_PYTHON=mine, PATH="/nonexistent")["idna"] == after
    assert job.report(PATH="/nonexistent")["idna"] == after


def test_an_unsuitable_appdist_python_is_an_error(job: Job) -> None:
    old = str(says(job.root / "old" / "python3", 3, 9))
    assert f"It names:\n  {old}: 3.9\n" in job.refusal(2, APPDIST_PYTHON=old)
    missing = str(job.root / "missing")
    assert f"It names:\n  {missing}: not found\n" in job.refusal(2, APPDIST_PYTHON=missing)
