"""The real runners, made ready for one test each: act (GitHub) and gitlab-ci-local (GitLab).

A job gets an environment from scratch, a home and a workspace of its own; nothing of the machine's
environment reaches it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from appdist_emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]
ACTION = "OWNER/sauce-appdist"
EMAIL, KEY = "ci@northwind.example", "nw-demo-key-0001"
# Every form that the key travels in: none may be seen in a log.
SECRETS = (KEY, base64.b64encode(f"{EMAIL}:{KEY}".encode()).decode())
CONNECTION = {
    "APPDIST_EMAIL": "${{ secrets.APPDIST_EMAIL }}",
    "APPDIST_API_KEY": "${{ secrets.APPDIST_API_KEY }}",
    "APPDIST_BASE_URL": "${{ vars.APPDIST_BASE_URL }}",
}
# act has no network: it copies the workspace in place of this.
CHECKOUT = {"uses": "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"}
TIMEOUT = 180

Files = dict[str, str | bytes]


def program(name: str, hint: str, *, beside: Path | None = None) -> str:
    """The path of a program. Without it the test is skipped, or fails where runners are required."""
    found = shutil.which(name, path=beside) if beside else shutil.which(name)
    if found:
        return str(Path(found).absolute())
    reason = f"{name} is missing: {hint}"
    if os.environ.get("APPDIST_REQUIRE_RUNNERS"):
        pytest.fail(reason)
    pytest.skip(reason)


def uses(step: str) -> str:
    """How a workflow names a step's action."""
    return f"{ACTION}@v1" if step == "promote" else f"{ACTION}/actions/{step}@v1"


def dumped(document: Mapping[str, Any]) -> str:
    """YAML with everything written out: not every runner knows anchors."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True)


class Service:
    """What the emulator holds, read as a test wants it."""

    def __init__(self, emulator: Emulator, dialect: str) -> None:
        self.url, self.dialect = emulator.url, dialect
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._session.request(method, self.url + path, timeout=10, **options)
        answer.raise_for_status()
        return answer.json()

    def upload(self, **fields: str) -> str:
        """Upload a build; the dashboard URL that a pipeline gets back."""
        sent = {
            "api_key": KEY,
            "package_name": "com.northwind.travel",
            "app_version": "5.0.0",
            "app_version_code": "5000",
        }
        reply = self.ask("POST", "/api/upload/", data=sent | fields, files={"file": ("travel.apk", b"app")})
        return str(reply["build_url"])

    def fault(self, **order: Any) -> None:
        self.ask("POST", "/_emulator/faults", json=order)

    def reset(self, seed: Mapping[str, Any]) -> None:
        self.ask("POST", "/_emulator/reset", json=seed)

    def build(self, build_id: str) -> dict[str, Any]:
        """One build with everything it has; its project's folder is `folderPath`."""
        builds = {one["id"]: one for project in self.state["projects"] for one in project["builds"]}
        found: dict[str, Any] = builds[build_id]
        return found

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.ask("GET", "/_emulator/state")
        return state

    @property
    def outbox(self) -> list[dict[str, Any]]:
        outbox: list[dict[str, Any]] = self.ask("GET", "/_emulator/outbox")
        return outbox

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Method and path of every request but GETs and uploads, in their order."""
        log = self.ask("GET", "/_emulator/requests")
        return [(one["method"], one["path"]) for one in log if one["method"] != "GET" and "/upload/" not in one["path"]]


@dataclass(frozen=True)
class Machine:
    """What both runners need: programs, an environment from scratch, packages."""

    programs: Path  # a directory for PATH
    wheels: Path  # ours, and all that it depends on: no index is asked
    cache: Path

    def environment(self, here: Path) -> dict[str, str]:
        return {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(here / "home"),
            "XDG_CACHE_HOME": str(here / "home" / ".cache"),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CACHE_DIR": str(self.cache / "pip"),
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.wheels),
            "UV_CACHE_DIR": str(self.cache / "uv"),
        }

    def run(self, here: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run in the workspace that lies in `here`, with the home that lies beside it."""
        return subprocess.run(
            command,
            cwd=here / "workspace",
            env=self.environment(here),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )

    def workspace(self, here: Path, files: Files) -> Path:
        """A workspace with one commit, as a checkout has it."""
        workspace = here / "workspace"
        (here / "home").mkdir(parents=True)
        for name, content in files.items():
            path = workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            if content[:2] in {"#!", b"#!"}:
                path.chmod(0o755)
        for command in (
            ("init", "--quiet", "--initial-branch=main"),
            ("config", "user.name", "Ada"),
            ("config", "user.email", "ada@northwind.example"),
            ("remote", "add", "origin", "git@gitlab.com:northwind/travel-app.git"),
            ("add", "--all"),
            ("commit", "--quiet", "--message", "Seat maps"),
        ):
            done = self.run(here, "git", *command)
            assert done.returncode == 0, done.stderr
        return workspace


# --- GitHub ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ActRun:
    """What act reported, line by line."""

    code: int
    lines: list[dict[str, Any]]
    errors: str
    recorded: Path

    @cached_property
    def steps(self) -> dict[str, dict[str, Any]]:
        """`toJSON(steps)` at the end of the job: outputs, outcome and conclusion, as a workflow reads them."""
        steps: dict[str, dict[str, Any]] = json.loads(self.recorded.read_text("utf-8"))
        return steps

    def outputs(self, step: str = "it") -> dict[str, str]:
        """The outputs of a step that are not empty."""
        return {name: value for name, value in self.steps[step]["outputs"].items() if value}

    def log(self, job: str | None = None, step: str | None = None) -> str:
        """What was printed and was no command."""
        return "".join(line["msg"] for line in self._of(job, step) if line.get("raw_output"))

    def commands(self, name: str, step: str | None = None) -> list[str]:
        """The arguments of a workflow command, read as GitHub reads them: act takes the last `::` of a line."""
        raw = [line["raw"] for line in self._of(None, step) if line.get("command") == name]
        arguments = [line.rstrip("\n").split("::", 2)[2] for line in raw]
        return [arg.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") for arg in arguments]

    def first(self, step: str) -> dict[str, Any]:
        """The first line that a step of ours printed or commanded."""
        return next(line for line in self._inner(step) if line.get("raw_output") or line.get("command"))

    def set_outputs(self, step: str) -> dict[str, str]:
        """What a step put out, as the runner reports it: for workflows that do not record `steps`."""
        lines = (line for line in self._of(None, step) if line.get("command") == "set-output")
        return {line["name"]: line["arg"] for line in lines}

    def exit_code(self, step: str = "it") -> int:
        """The exit code of a step of ours; 0 is not reported."""
        found = [re.fullmatch(r"exit status (\d+)", line["msg"]) for line in self._inner(step)]
        return next((int(one[1]) for one in found if one), 0)

    @property
    def summary(self) -> str:
        """What the job's page shows."""
        return "".join(
            line["content"] for line in self.lines if line.get("command") == "summary" and not self._echo(line)
        )

    def result(self, job: str) -> str:
        return next(str(line["jobResult"]) for line in self.lines if line.get("jobID") == job and "jobResult" in line)

    def _of(self, job: str | None, step: str | None) -> Iterator[dict[str, Any]]:
        for line in self.lines:
            if job in {None, line.get("jobID")} and step in {None, (line.get("stepID") or [None])[0]}:
                yield line

    def _inner(self, step: str) -> Iterator[dict[str, Any]]:
        return (line for line in self.lines if line.get("stepID") == [step, "run"])

    @cached_property
    def _composites(self) -> set[str]:
        return {line["stepID"][0] for line in self.lines if len(line.get("stepID", ())) > 1}

    def _echo(self, line: Mapping[str, Any]) -> bool:
        """Whether a composite action reports once more what its inner step wrote."""
        return "command" in line and len(line["stepID"]) == 1 and line["stepID"][0] in self._composites

    def __str__(self) -> str:
        shown = (line for line in self.lines if line.get("msg") and line.get("arg") != "" and not self._echo(line))
        return f"exit code {self.code}\n{self.errors}" + "".join(f"{line['msg'].rstrip()}\n" for line in shown)


@dataclass
class Act:
    """Runs workflows in act, our actions served from the checkout."""

    act: str
    machine: Machine
    checkout: Path
    folder: Path
    service: Service
    files: Files = field(default_factory=dict)
    _runs: int = 0

    def steps(self, *steps: Mapping[str, Any], env: Mapping[str, str] | None = None, **options: Any) -> ActRun:
        """Run one job of these steps; the connection is the job's environment unless `env` says otherwise."""
        record = {
            "if": "always()",
            "env": {"STEPS": "${{ toJSON(steps) }}"},
            "run": 'printf %s "$STEPS" > "$RECORDED"',
        }
        job = {
            "runs-on": "ubuntu-latest",
            "env": CONNECTION if env is None else dict(env),
            "steps": [CHECKOUT, *steps, record],
        }
        return self(dumped({"name": "Test", "on": "push", "permissions": {}, "jobs": {"job": job}}), **options)

    def step(self, name: str, inputs: Mapping[str, str], **options: Any) -> ActRun:
        """Run one action of ours, with the id `it`."""
        return self.steps({"id": "it", "uses": uses(name), "with": dict(inputs)}, **options)

    def __call__(
        self,
        workflow: str,
        *,
        event: str = "push",
        payload: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        runner_env: Mapping[str, str] | None = None,
    ) -> ActRun:
        self._runs += 1
        here, recorded = self.folder / f"act-{self._runs}", self.folder / f"act-{self._runs}" / "steps.json"
        self.machine.workspace(here, {**self.files, ".github/workflows/workflow.yml": workflow})
        (here / "event.json").write_text(json.dumps(payload or {}), "utf-8")
        # In files: a command line would hold neither line breaks nor 100 kB.
        (here / "secrets").write_text(_dotenv(secrets or {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": KEY}), "utf-8")
        (here / "env").write_text(_dotenv({"RECORDED": str(recorded), **(runner_env or {})}), "utf-8")
        command = [self.act, event, "--json", "--rm", "--no-cache-server", "--platform", "ubuntu-latest=-self-hosted"]
        command += ["--workflows", ".github/workflows/workflow.yml", "--eventpath", str(here / "event.json")]
        command += ["--secret-file", str(here / "secrets"), "--env-file", str(here / "env")]
        command += ["--var", f"APPDIST_BASE_URL={self.service.url}", "--action-cache-path", str(here / "cache")]
        command += ["--local-repository", f"{ACTION}@v1={self.checkout}"]
        done = self.machine.run(here, *command)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        run = ActRun(done.returncode, lines, done.stderr, recorded)
        print(run)  # noqa: T201 - pytest shows it when the test fails
        return run


def _dotenv(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={json.dumps(value)}\n" for name, value in values.items())


# --- GitLab ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GitLabRun:
    """What a pipeline left."""

    code: int
    output: str
    state: Path

    def log(self, job: str) -> str:
        """What the job printed; the runner replaced section marks by `<name>_started` and `<name>} took …`."""
        return (self.state / "output" / f"{job}.log").read_text("utf-8")

    def exit_code(self, job: str) -> int:
        """The exit code of the job's script."""
        found = re.search(
            rf"^{re.escape(job)} +finished in [\d.]+ \S+(?: +(?:FAIL|WARN) (\d+))?", self.output, re.MULTILINE
        )
        assert found, f"{job} did not run"
        return int(found[1] or 0)

    def outputs(self, job: str) -> dict[str, Any]:
        """The outputs that are known, from the job's artifact."""
        content = json.loads((self._artifacts(job) / "appdist-outputs.json").read_text("utf-8"))
        return {name: value for name, value in content.items() if value not in (None, "")}

    def dotenv(self, job: str) -> dict[str, str]:
        """The report, held to GitLab's rules: the runner itself reads it leniently."""
        path = self._artifacts(job) / ".gitlab-ci-reports" / "dotenv" / "appdist.env"
        content = path.read_text("utf-8")
        assert len(content.encode()) <= 5 * 1024
        lines = content.split("\n")
        assert lines.pop() == "", "the last line ends"
        assert len(lines) <= 20
        pairs = [re.fullmatch(r"([A-Z][A-Z0-9_]*)=([^\x00-\x1f\x7f]*)", line) for line in lines]
        assert all(pairs), lines
        return {pair[1]: pair[2] for pair in pairs if pair}

    def annotations(self, job: str) -> dict[str, Any]:
        """The report with the links on the job's page; the runner leaves it in the job's directory."""
        content: dict[str, Any] = json.loads(
            (self.state / "builds" / job / "appdist-annotations.json").read_text("utf-8")
        )
        return content

    def artifact(self, job: str, name: str) -> str:
        """An artifact that later jobs get."""
        return (self._artifacts(job) / name).read_text("utf-8")

    def report(self, job: str, kind: str) -> str:
        """A report that this runner does not keep, where the job says that it is."""
        path = str(self.job(job)["artifacts"]["reports"][kind])
        return (self.state / "builds" / job / path).read_text("utf-8")

    def job(self, name: str) -> dict[str, Any]:
        """A job as it came of its template and what is beside the include."""
        pipeline = yaml.safe_load((self.state / "expanded-gitlab-ci.yml").read_text("utf-8"))
        job: dict[str, Any] = pipeline[name]
        return job

    def _artifacts(self, job: str) -> Path:
        return self.state / "artifacts" / job


@dataclass
class GitLab:
    """Runs pipelines in gitlab-ci-local, which starts the jobs in a shell."""

    command: list[str]
    machine: Machine
    templates: str  # the URL that our templates are served at, in place of raw.githubusercontent.com
    folder: Path
    service: Service
    files: Files = field(default_factory=dict)
    _runs: int = 0

    def include(self, step: str, job: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """An include as users write it, its job named."""
        url = f"https://raw.githubusercontent.com/{ACTION}/v1/gitlab-templates/{step}.yml"
        return {"remote": url, "inputs": {"job-name": job, "stage": "test", **inputs}}

    def spec(self, step: str) -> dict[str, dict[str, Any]]:
        """The inputs that a template declares."""
        header = next(yaml.safe_load_all((ROOT / "gitlab-templates" / f"{step}.yml").read_text("utf-8")))
        inputs: dict[str, dict[str, Any]] = header["spec"]["inputs"]
        return inputs

    def step(self, name: str, inputs: Mapping[str, Any], **options: Any) -> GitLabRun:
        """Run one template of ours, as the job `it`; GitLab takes booleans without quotes only."""
        kinds = {name: field.get("type") for name, field in self.spec(name).items()}
        typed = {key: text == "true" if kinds.get(key) == "boolean" else text for key, text in inputs.items()}
        return self(dumped({"include": [self.include(name, "it", typed)]}), **options)

    def __call__(
        self,
        pipeline: str,
        *,
        variables: Mapping[str, str] | None = None,
        connected: bool = True,
        schema: bool = True,
    ) -> GitLabRun:
        self._runs += 1
        here = self.folder / f"gitlab-{self._runs}"
        connection = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": KEY, "APPDIST_BASE_URL": self.service.url}
        given = {"GITLAB_CI": "true", **(connection if connected else {}), **(variables or {})}
        workspace = self.machine.workspace(
            here,
            {
                **self.files,
                ".gitlab-ci.yml": pipeline.replace("https://raw.githubusercontent.com", self.templates),
                # For a job with an image the runner says /builds/…, even when it starts it in a shell.
                ".gitlab-ci-local.yml": "default: {before_script: ['export CI_PROJECT_DIR=\"$PWD\"']}\n",
                ".gitignore": ".gitlab-ci-local/\n",
            },
        )
        settings = here / "home" / ".gitlab-ci-local" / "variables.yml"
        settings.parent.mkdir(parents=True)
        settings.write_text(dumped({"global": given}), "utf-8")
        command = [*self.command, "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source"]
        command += ["--no-color", "--ignore-predefined-vars", "GITLAB_CI", "--home", str(here / "home")]
        command += [] if schema else ["--no-json-schema-validation"]
        done = self.machine.run(here, *command)
        print(done.stdout, done.stderr)  # noqa: T201 - pytest shows it when the test fails
        return GitLabRun(done.returncode, done.stdout + done.stderr, workspace / ".gitlab-ci-local")


def base_python() -> str:
    """The interpreter that made the environment which the tests run in."""
    return getattr(sys, "_base_executable", sys.executable)
