"""core/bootstrap.sh, run by a real bash.

Each test has a checkout of its own with a small stand-in for the command line, which tells where it came
from; most install one small package instead of the whole lock. Nothing of this process's environment gets
in but what the network needs. All paths have a space, a quote and an umlaut in them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX scripts as fake programs")

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "core" / "requirements.lock").read_text("utf-8")
TAG = str(sys.implementation.cache_tag)
TOOLS = ("bash", "cat", "ls", "mkdir", "mktemp", "mv", "rm", "sh", "sleep")
NETWORK = re.compile(
    r"(PIP|UV)_.*(CERT|INDEX|HOST|TIMEOUT)|PIP_FIND_LINKS|SSL_.*|.*_CA_BUNDLE|(HTTPS?|NO|ALL)_PROXY", re.IGNORECASE
)
STAND_IN = """
import json, os, sys

def entrypoint():
    import idna
    json.dump({
        "argv": sys.argv, "python": sys.executable, "path": sys.path, "isolated": sys.flags.isolated,
        "utf8": sys.flags.utf8_mode, "here": __file__, "idna": idna.__file__, "cwd": os.getcwd(),
        "env": dict(os.environ), "modules": sorted(sys.modules),
    }, sys.stdout)
    sys.exit(7 if "--fail" in sys.argv else 0)
"""


def one_package_lock() -> str:
    found = re.search(r"^idna==.*(?:\n    .*)+\n", LOCK, re.MULTILINE)
    assert found
    return f"# sauce-appdist lock 0123456789abcdef\n{found[0]}"


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


def shim(path: Path, before: str = "") -> Path:
    """Makes a program that becomes this Python, as the shims of pyenv do."""
    return script(path, f'{before}\nexec "{sys.executable}" "$@"')


def says(path: Path, major: int, minor: int, kind: str = "cpython") -> Path:
    """Makes a Python that only answers what it is asked first."""
    return script(path, f"printf '%s\\n' {major} {minor} {kind} {kind}-{major}{minor} '{path}' '{path}'")


@dataclass
class Job:
    """One job on a runner: a checkout of ours, a temp, a workspace and the programs on its PATH."""

    root: Path
    caches: Path
    lock: str = field(default_factory=one_package_lock)
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for directory in (self.programs, self.temp, self.workspace, self.root / "home", self.core / "sauce_appdist"):
            directory.mkdir(parents=True)
        shutil.copy(ROOT / "core" / "bootstrap.sh", self.core)
        self.write_lock(self.lock)
        (self.core / "sauce_appdist" / "__init__.py").touch()
        (self.core / "sauce_appdist" / "cli.py").write_text(STAND_IN, "utf-8")
        for tool in TOOLS:
            (self.programs / tool).symlink_to(str(shutil.which(tool)))
        shim(self.programs / "python3")
        (self.programs / "uv").symlink_to(Path(sys.executable).parent / "uv")
        self.env |= {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
        self.env |= {
            "HOME": str(self.root / "home"),
            "PATH": str(self.programs),
            "RUNNER_TEMP": str(self.temp),
            "PIP_CACHE_DIR": str(self.caches / "pip"),
            "UV_CACHE_DIR": str(self.caches / "uv"),
        }

    @property
    def core(self) -> Path:
        return self.root / "checkout" / "core"

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    @property
    def temp(self) -> Path:
        return self.root / "temp"

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        found = list(self.temp.glob("sauce-appdist-*"))
        assert len(found) == 1
        return found[0]

    def write_lock(self, text: str) -> None:
        (self.core / "requirements.lock").write_text(text, "utf-8")

    def installs(self) -> list[str]:
        return [path.name for path in self.home.iterdir() if path.is_dir()]

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.programs / "bash"), str(self.core / "bootstrap.sh"), *arguments],
            cwd=self.workspace,
            env={name: value for name, value in (self.env | env).items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **env) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def report(self, *arguments: str, **env: str) -> dict[str, Any]:
        """Runs it, and returns what the stand-in saw."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def refusal(self, code: int, **env: str) -> str:
        """Runs it, expects it to fail, and returns its message."""
        done = self.run(**env)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        return done.stderr


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caches")


@pytest.fixture
def job(tmp_path: Path, caches: Path) -> Job:
    return Job(tmp_path / "it's späced", caches)


def use_pip(job: Job) -> None:
    (job.programs / "uv").unlink()


def use_uv(_job: Job) -> None:
    pass


either = pytest.mark.parametrize("use", [use_uv, use_pip])


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
    # While the outer one installs, an inner one starts and finishes.
    again = f'RUNNER_TEMP=$KEEP bash "{job.core}/bootstrap.sh" >"{job.root}/inner.json"'
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
    assert "is not the version any more" in job.refusal(2)
    assert TAG in job.report()["idna"]


# Which Python


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
    assert re.fullmatch(r"::error title=No suitable Python::It needs [^\n]*%0A[^\n]*setup-python[^\n]*\n", done.stdout)


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
    assert f"It names:\n  {missing}: not there\n" in job.refusal(2, APPDIST_PYTHON=missing)


# Nothing gets in


def test_neither_the_workspace_nor_variables_put_code_into_the_process(job: Job) -> None:
    evil = f"open({str(job.root / 'evil')!r}, 'w')\n"
    for place in (job.workspace, job.root / "extra", job.root / "home"):
        for module in ("sitecustomize", "usercustomize", "json", "startup", "pip", "venv"):
            place.mkdir(exist_ok=True)
            (place / f"{module}.py").write_text(evil, "utf-8")
        for package in ("idna", "requests", "sauce_appdist", "pydantic"):
            (place / package).mkdir()
            (place / package / "__init__.py").write_text(evil, "utf-8")
            (place / package / "cli.py").write_text(evil, "utf-8")
    env = {
        "PYTHONPATH": f"{job.root / 'extra'}:.",
        "PYTHONSTARTUP": str(job.root / "extra" / "startup.py"),
        "PYTHONHOME": str(job.root / "extra"),
        "PYTHONINSPECT": "1",
        "PYTHONWARNINGS": "error",
        "PYTHONUSERBASE": str(job.root / "extra"),
    }
    use_pip(job)
    for _ in "cold", "warm":
        seen = job.report(**env)
        assert seen["here"] == str(job.core / "sauce_appdist" / "cli.py")
        assert str(job.home) in seen["idna"]
        assert "site" not in seen["modules"]
        assert not any(str(place) in seen["path"] for place in (job.workspace, job.root / "extra", ""))
    assert not (job.root / "evil").exists()


@either
def test_settings_for_other_installs_do_not_break_this_one(job: Job, use: Any) -> None:
    use(job)
    nowhere = "http://127.0.0.1:9/simple"
    (job.workspace / "uv.toml").write_text(f'index-url = "{nowhere}"\nno-index = true\n', "utf-8")
    (job.workspace / "pyproject.toml").write_text("[tool.uv\n", "utf-8")
    (job.workspace / "constraints.txt").write_text("idna==1.0\n", "utf-8")
    inside = job.workspace / "temp"
    done = job.run(
        RUNNER_TEMP=str(inside),
        VIRTUAL_ENV=str(job.workspace),
        PIP_USER="1",
        PIP_REQUIRE_VIRTUALENV="1",
        PIP_TARGET=str(job.workspace / "target"),
        PIP_PREFIX=str(job.workspace / "prefix"),
        PIP_ROOT=str(job.workspace / "root"),
        PIP_CONSTRAINT="constraints.txt",
        PIP_NO_BINARY=":all:",
        PIP_DRY_RUN="1",
        UV_CONSTRAINT="constraints.txt",
        UV_NO_BINARY="1",
        UV_EXCLUDE_NEWER="2010-01-01T00:00:00Z",
        UV_PYTHON="3.8",
        UV_REQUIRE_HASHES="0",
        UV_NO_VERIFY_HASHES="1",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1  # uv did not have to be helped out by pip
    assert sorted(path.name for path in job.workspace.iterdir()) == [
        "constraints.txt",
        "pyproject.toml",
        "temp",
        "uv.toml",
    ]


def test_settings_in_files_of_the_user_do_not_break_it(job: Job) -> None:
    use_pip(job)
    (job.root / "home" / ".config" / "pip").mkdir(parents=True)
    (job.root / "home" / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nrequire-virtualenv = true\n[install]\nuser = true\n", "utf-8"
    )
    job.report()


def test_the_installer_gets_the_index_and_no_secret(job: Job) -> None:
    (job.programs / "uv").unlink()
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    script(job.programs / "uv", f"\"{sys.executable}\" -I -S -c '{show}' >'{job.caches}/env.json'; exit 1")
    job.run(
        APPDIST_API_KEY="hush",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="hush",
        PIP_INDEX_URL="https://mirror.invalid/simple",
        PIP_EXTRA_INDEX_URL="https://more.invalid/simple",
        PIP_RETRIES="0",
    )
    seen = json.loads((job.caches / "env.json").read_text("utf-8"))
    assert "hush" not in seen.values()
    assert seen["UV_DEFAULT_INDEX"] == seen["PIP_INDEX_URL"] == "https://mirror.invalid/simple"
    assert seen["UV_EXTRA_INDEX_URL"] == "https://more.invalid/simple"


# When it cannot be installed


@either
def test_files_with_other_hashes_are_refused(job: Job, use: Any) -> None:
    use(job)
    job.write_lock(re.sub(r"sha256:[0-9a-f]{4}", "sha256:0000", job.lock))
    done = job.run(GITHUB_ACTIONS="true")
    assert done.returncode == 5
    assert "hash" in done.stderr.lower()
    assert "sauce-appdist: The dependencies could not be installed; what pip said is above." in done.stderr
    assert done.stdout.startswith("::error title=Dependencies not installed::")
    assert list(job.home.iterdir()) == []


def test_an_index_out_of_reach(job: Job) -> None:
    use_pip(job)
    env = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    message = job.refusal(5, **env, PIP_FIND_LINKS="")
    assert "Check that this machine reaches its package index (PIP_INDEX_URL, HTTPS_PROXY, certificates)" in message


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
    assert "cannot be written. Set RUNNER_TEMP to a directory that can." in job.refusal(2)


# Outside of a runner, where the temp is everybody's


@pytest.fixture
def shared(job: Job) -> Job:
    job.env |= {"RUNNER_TEMP": "", "TMPDIR": str(job.temp)}
    job.temp.chmod(0o1777)
    return job


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
        ("core/requirements.lock", "idna==3", "idna==4", "with what is below, it would be"),
        ("core/requirements.lock", "requests==", "rikuests==", "requests is missing"),
        ("core/requirements.lock", "idna==", "rich==", "rich has no place in it"),
        ("core/requirements.lock", "    --hash=sha256:", "    --hash=md5:", "not of the form"),
        ("core/requirements.lock", "idna==", "--index-url https://x.invalid\nidna==", "not of the form"),
        ("pyproject.toml", '"requests>=2', '"requests>=2999', "is not what pyproject.toml asks for"),
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
