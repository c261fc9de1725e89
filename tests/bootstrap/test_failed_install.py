"""What core/bootstrap.sh says where nothing can be installed, or not in a safe place."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import Any

import pytest

from bootstrap.support import TAG, Job, either, posix_only, script, shim, use_pip

pytestmark = posix_only


# When it cannot be installed
@either
def test_files_with_other_hashes_are_refused(job: Job, use: Any) -> None:
    use(job)
    job.write_lock(re.sub(r"sha256:[0-9a-f]{4}", "sha256:0000", job.lock))
    done = job.run(GITHUB_ACTIONS="true")
    assert done.returncode == 5
    assert "hash" in done.stderr.lower()
    assert "sauce-appdist: The dependencies could not be installed; pip's output is above." in done.stderr
    assert done.stdout.startswith("::error title=Dependencies not installed::")
    assert list(job.home.iterdir()) == []


def test_an_index_out_of_reach(job: Job) -> None:
    use_pip(job)
    env = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    message = job.refusal(5, **env, PIP_FIND_LINKS="")
    assert "Check that this machine can reach its package index (PIP_INDEX_URL, HTTPS_PROXY, certificates)" in message


def test_where_uv_fails_pip_tries(job: Job) -> None:
    (job.programs / "uv").unlink()
    half = 'while [ "$1" != --target ]; do shift; done; mkdir -p "$2/idna"'
    script(job.programs / "uv", f"{half}; echo 'error: unexpected argument' >&2; exit 2")
    done = job.run()
    assert done.returncode == 0
    assert json.loads(done.stdout)["idna"].endswith("__init__.py")  # not what uv left behind
    assert "error: unexpected argument\nsauce-appdist: uv could not install the dependencies" in done.stderr
    assert "installed its dependencies with pip in " in done.stderr


NO_PIP = 'case "$*" in "-I -m pip "*) echo "$0: No module named pip" >&2; exit 1;; esac\n'
NO_VENV = 'case "$*" in *venv*) echo "ensurepip is not available" >&2; exit 1;; esac\n'


def hide_in_python(job: Job, what: str) -> None:
    # A Python without pip, whose sys.executable is this very script.
    use_pip(job)
    fake = job.programs / "python3"
    answer = ["3", str(sys.version_info[1]), "cpython", TAG, str(fake), os.path.realpath(sys.executable)]
    lines = " ".join(f'"{line}"' for line in answer)
    shim(fake, f"case \"$*\" in *realpath*) printf '%s\\n' {lines}; exit;; esac\n{what}")


def test_a_python_without_pip_makes_one_in_a_venv(job: Job) -> None:
    hide_in_python(job, NO_PIP)
    done = job.run()
    assert done.returncode == 0, done.stderr
    assert "installed its dependencies with pip of a venv in " in done.stderr
    assert not list(job.home.glob("*/venv"))


def test_a_python_that_can_install_nothing(job: Job) -> None:
    hide_in_python(job, NO_PIP + NO_VENV)
    message = job.refusal(2)
    assert "ensurepip is not available" in message
    assert "has neither pip nor venv, and there is no uv on PATH." in message
    assert "python3-venv" in message


def test_a_temp_that_cannot_be_written(job: Job) -> None:
    job.temp.rmdir()
    job.temp.touch()
    assert "cannot be written (the reason is above). Free or repair it, or set TMPDIR to a directory" in job.refusal(2)


def test_in_a_shared_temp_it_has_a_private_directory(shared: Job) -> None:
    shared.report()
    assert shared.home.name == f"sauce-appdist-{os.getuid()}-0123456789abcdef"
    assert shared.home.stat().st_mode & 0o777 == 0o700
    shared.report()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_directory_that_others_can_write_is_refused(shared: Job, mode: int, when: str) -> None:
    if when == "after":
        shared.report()
    else:
        (shared.temp / f"sauce-appdist-{os.getuid()}-0123456789abcdef").mkdir()
    shared.home.chmod(mode)
    assert "is not a private directory of this user" in shared.refusal(2)


def test_a_link_to_another_directory_is_refused(shared: Job) -> None:
    shared.report()
    home = shared.home
    home.rename(shared.root / "elsewhere")
    home.symlink_to(shared.root / "elsewhere")
    assert "is not a private directory of this user" in shared.refusal(2)
    shutil.rmtree(shared.root / "elsewhere")
    assert "is not a private directory of this user" in shared.refusal(2)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(shared: Job) -> None:
    shared.report()
    os.chown(shared.home, 12345, -1)
    assert "is not a private directory of this user" in shared.refusal(2)
