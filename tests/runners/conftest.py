"""Fixtures: `act`, `gitlab`, and the `service` they talk to. What takes time is made once for all workers."""

from __future__ import annotations

import fcntl
import http.server
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from appdist_emulator import Emulator
from runners.support import ROOT, Act, GitLab, Machine, Service, base_python, program
from servers import Threaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Makes a directory in the first process that asks; the others wait for it and use it."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder = base / name
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                part = base / f"{name}.part"
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                fill(part)
                part.rename(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def checkout(once: Once) -> Path:
    """What a tag of this repository would have: tracked and new files, nothing that is ignored."""

    def fill(folder: Path) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        for name in listed.stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    return once("checkout", fill)


@pytest.fixture(scope="session")
def wheels(once: Once, checkout: Path) -> Path:
    """The package as it would be released, and the locked dependencies."""

    def fill(folder: Path) -> None:
        lock = checkout / "core" / "requirements.lock"
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        hashed = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
        uv = program("uv", "run `make setup`", beside=Path(sys.executable).parent)
        subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", folder, checkout], check=True)
        subprocess.run([*pip, "download", *hashed, "--dest", folder, "--requirement", lock], check=True)

    return once("wheels", fill)


@pytest.fixture(scope="session")
def machine(once: Once, wheels: Path) -> Machine:
    def fill(folder: Path) -> None:
        # A plain Python with today's pip, as images have it; Debian's own has none.
        uv = program("uv", "run `make setup`", beside=Path(sys.executable).parent)
        python = folder / "python"
        subprocess.run([uv, "venv", "--quiet", "--seed", "--python", base_python(), python], check=True)
        (python / "bin" / "uv").symlink_to(uv)
        for name in ("bash", "curl", "git", "jq", "node", "rsync"):
            if found := shutil.which(name):
                (python / "bin" / name).symlink_to(found)

    # uv and pip keep their caches here: they are made for several processes.
    made = once("machine", fill)
    return Machine(programs=made / "python" / "bin", wheels=wheels, cache=made / "cache")


@pytest.fixture
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    dialect: Any = getattr(request, "param", "classic")
    with Emulator(dialect=dialect) as emulator:
        running = Service(emulator, dialect)
        yield running
        running.close()


@pytest.fixture
def curl() -> None:
    """What the examples upload with."""
    for name in ("curl", "jq"):
        program(name, f"apt-get install {name}")


@pytest.fixture
def act(machine: Machine, checkout: Path, tmp_path: Path, service: Service) -> Act:
    found = program("act", "run `make setup`", beside=Path(sys.executable).parent)
    return Act(found, machine, checkout, tmp_path, service)


@pytest.fixture(scope="session")
def templates(once: Once, checkout: Path) -> Iterator[str]:
    """Serves the checkout where users have https://raw.githubusercontent.com."""

    def fill(folder: Path) -> None:
        (folder / "OWNER" / "sauce-appdist").mkdir(parents=True)
        (folder / "OWNER" / "sauce-appdist" / "v1").symlink_to(checkout)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = partial(Handler, directory=str(once("templates", fill)))
    with Threaded(handler) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def gitlab(machine: Machine, templates: str, tmp_path: Path, service: Service) -> GitLab:
    modules = ROOT / "tests" / "runners" / "node_modules" / ".bin"
    found = program("gitlab-ci-local", "run `make runners`, which needs npm", beside=modules)
    program("rsync", "gitlab-ci-local copies workspaces with it: apt-get install rsync")
    return GitLab([program("node", "install Node.js 20 or newer"), found], machine, templates, tmp_path, service)
