"""Nothing of the job's environment and workspace gets into the process."""

from __future__ import annotations

import json
import sys
from typing import Any

from bootstrap.support import Job, either, posix_only, script, use_pip

pytestmark = posix_only


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
