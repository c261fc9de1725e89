"""The lock fits the project, and a check finds what does not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bootstrap.support import posix_only
from harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = posix_only


# tools/lock.py
@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "core/bootstrap.sh", "core/requirements.lock", "tools/lock.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def check_lock(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tools" / "lock.py"), "--check"]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=60)


def test_the_committed_lock_fits_pyproject() -> None:
    done = check_lock(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("core/requirements.lock", "# sauce-appdist lock ", "# sauce-appdist lock 0", "its first line is"),
        ("core/requirements.lock", "idna==3", "idna==4", "but its content has the digest"),
        ("core/requirements.lock", "requests==", "rikuests==", "requests is missing"),
        ("core/requirements.lock", "idna==", "rich==", "rich must not be in it"),
        ("core/requirements.lock", "    --hash=sha256:", "    --hash=md5:", "not of the form"),
        ("core/requirements.lock", "idna==", "--index-url https://x.invalid\nidna==", "not of the form"),
        ("pyproject.toml", '"requests>=2', '"requests>=2999', "does not satisfy pyproject.toml"),
        ("pyproject.toml", '    "rich>', '    "flask",\n    "rich>', "flask is missing"),
    ],
)
def test_check_finds_what_is_wrong(copy: Path, name: str, old: str, new: str, message: str) -> None:
    text = (copy / name).read_text("utf-8")
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1), "utf-8")
    done = check_lock(copy)
    assert done.returncode == 1
    assert message in done.stderr
    assert "python tools/lock.py" in done.stderr
