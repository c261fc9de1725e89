"""No secret comes out of a runner either: several steps through several failures, searched to the last file.

The service, and the company's identity provider, repeat in their answers what must not be said.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from appdist_emulator.seed import default_seed
from identity import CLIENT_ID, IdentityProvider
from redaction.search import found_in
from runners.cases import BUILD, PROJECT
from runners.support import CONNECTION, EMAIL, dumped, uses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runners.support import Act, ActRun, GitLab, Service

KEY = "rk%41z-zq\"7'<w>&/+=x9-jqv"
PAIR = base64.b64encode(f"{EMAIL}:{KEY}".encode()).decode()
CONFIG_KEY, CLIENT_SECRET = "cfg-zq77-xkv9-wwq", "cs:zq\"5%/x'w+v=&jqz"
SAID = f"Do not say {KEY} or {PAIR},\nnor {quote(KEY, safe='')}, nor {json.dumps(KEY)}."
SPOILT = {
    "id": BUILD,
    "projectId": PROJECT,
    "self": f"/projects/{PROJECT}/builds/{KEY}",
    "appName": f"App {KEY}",
    "appVersion": PAIR,
    "appVersionCode": "5000",
    "platform": KEY,
    "packageName": SAID,
}
FAIL = {"status": "fail", "code": 7, "message": SAID}
# What goes wrong for each step, in their order in act; in GitLab they run side by side.
ORDER: list[dict[str, Any]] = [
    {"method": "GET", "path": f"/builds/{BUILD}$", "status": 200, "body": {"status": "ok", "build": SPOILT}},
    {"method": "PATCH", "status": 400, "body": FAIL},
    {"method": "PATCH", "status": 401, "body": FAIL, "headers": {"Sunset": f"{KEY} {PAIR}"}},
    {"method": "POST", "path": "/copy$", "status": 500, "body": f"<html>{SAID}</html>", "content_type": "text/html"},
    {"method": "POST", "path": "/invites/$", "status": 302, "headers": {"Location": f"https://{KEY}.example/{PAIR}"}},
]
STEPS: dict[str, tuple[str, dict[str, str]]] = {
    "found": ("find", {}),
    "refused": ("tag", {"tags": "a"}),
    "unknown": ("annotate", {"release-notes": "Notes", "metadata": "k=v"}),
    "broken": ("copy", {"to-folder": "New"}),
    "halfway": ("promote", {"tags": "rc", "release-notes": "Notes", "groups": "QA", "notify": "true"}),
    "pasted": ("tag", {"tags": f"a, {KEY}"}),
    "good": ("check", {}),
}
CODES = {"found": 0, "refused": 4, "unknown": 3, "broken": 6, "halfway": 6, "pasted": 2, "good": 0}


@pytest.fixture
def url(service: Service) -> str:
    """A build of an account whose key is ours."""
    service.reset(default_seed() | {"users": [{"email": EMAIL, "api_key": KEY, "permissions": ["*:rw"]}]})
    return service.upload(api_key=KEY)


@pytest.fixture
def identity() -> Iterator[IdentityProvider]:
    """A careless provider, which does not give that scope."""
    with IdentityProvider(echoes=True, clients={CLIENT_ID: CLIENT_SECRET}, scopes=set()) as provider:
        yield provider


def client(provider: IdentityProvider) -> dict[str, str]:
    return {"oidc-token-url": provider.token_url, "oidc-client-id": CLIENT_ID, "oidc-scope": "all"}


def searched(folder: Path, *but: str) -> str:
    """Every file below a folder, with its name, but those that were given to the runner."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    texts = [f"{path}\n{path.read_text(errors='replace')}" for path in files if path.name not in but]
    return "\n".join(texts)


# --- act ----------------------------------------------------------------------------------------------


def through(act: Act, service: Service, url: str, env: dict[str, str], secrets: dict[str, str]) -> ActRun:
    # The first step installs, and says so before its Python runs.
    steps: list[dict[str, Any]] = [{"id": "warm", "uses": uses("check")}]
    for number, order in enumerate(ORDER):
        service.fault(**order | {"times": 1 if number else None})
    for name, (step, inputs) in STEPS.items():
        given = {**({} if step == "check" else {"build-url": url}), **inputs, "debug": "true"}
        steps.append({"id": name, "uses": uses(step), "with": given, "continue-on-error": True})
    run = act.steps(*steps, env=env, secrets=secrets)
    assert {name: run.exit_code(name) for name in STEPS} == CODES
    assert "debug: " in run.log("job", "halfway")
    return run


def test_act_with_its_secrets(act: Act, service: Service, url: str, tmp_path: Path) -> None:
    """As on GitHub: the runner knows them, and so do we."""
    act.files = {}
    run = through(act, service, url, CONNECTION, {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": KEY})
    assert_nothing_came_out(run, [KEY, PAIR], tmp_path)


def test_act_that_knows_no_secret(act: Act, service: Service, url: str, tmp_path: Path) -> None:
    """The key is a plain variable: only we can hide it."""
    run = through(act, service, url, CONNECTION | {"APPDIST_API_KEY": KEY}, {"APPDIST_EMAIL": EMAIL})
    assert_nothing_came_out(run, [KEY, PAIR], tmp_path)
    for name in STEPS:
        assert run.first(name)["command"] == "add-mask", name
        assert KEY in run.commands("add-mask", name)


def test_act_and_a_careless_identity_provider(act: Act, identity: IdentityProvider, tmp_path: Path) -> None:
    secrets = {"APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY, "APPDIST_OIDC_CLIENT_SECRET": CLIENT_SECRET}
    env = {"APPDIST_BASE_URL": CONNECTION["APPDIST_BASE_URL"], "APPDIST_DEBUG": "true", **secrets}
    ways = {"body": {}, "json": {"oidc-token-format": "json"}, "basic": {"oidc-client-auth": "basic"}}
    steps = [
        {"id": name, "uses": uses("check"), "with": client(identity) | more, "continue-on-error": True}
        for name, more in ways.items()
    ]
    run = act.steps(*steps, env=env, secrets={"OTHER": "unused-4711"})
    assert {run.exit_code(name) for name in ways} == {3}
    assert "***" in "".join(run.commands("error"))
    assert_nothing_came_out(run, [CONFIG_KEY, CLIENT_SECRET], tmp_path)


def assert_nothing_came_out(run: ActRun, secrets: list[str], folder: Path) -> None:
    """Before the runner masks anything: arguments of commands and summaries come here as we wrote them."""
    lines = [json.dumps(line, ensure_ascii=False) for line in run.lines if line.get("command") != "add-mask"]
    texts = {line["msg"] for line in run.lines if line.get("command") != "add-mask" and "msg" in line}
    assert not found_in("\n".join(lines), secrets)
    assert not found_in("\n".join(texts), secrets)
    assert not found_in(run.errors + run.summary, secrets)
    assert not found_in("\n".join(text for step in run.steps.values() for text in step["outputs"].values()), secrets)
    # The workflow and the files beside it are what the runner was given.
    assert not found_in(searched(folder, "secrets", "env", "workflow.yml"), secrets)


# --- gitlab-ci-local ----------------------------------------------------------------------------------


def test_gitlab_which_masks_nothing(gitlab: GitLab, service: Service, url: str, tmp_path: Path) -> None:
    for number, order in enumerate(ORDER):
        # The jobs run side by side: annotate sees what tag does.
        if number != 2:
            service.fault(**order | {"times": None})
    jobs = [
        gitlab.include(step, name, {**({} if step == "check" else {"build-url": url}), **inputs, "debug": "true"})
        for name, (step, inputs) in STEPS.items()
    ]
    run = gitlab(dumped({"include": jobs}), variables={"APPDIST_API_KEY": KEY})
    codes = {name: run.exit_code(name) for name in STEPS}
    assert codes == CODES | {"unknown": 4, "halfway": 4}
    assert "debug: " in run.log("halfway")
    assert run.outputs("found")["app-name"] == "App ***"
    assert_nothing_is_left(run, [KEY, PAIR], tmp_path)


def test_gitlab_and_a_careless_identity_provider(
    gitlab: GitLab, service: Service, identity: IdentityProvider, tmp_path: Path
) -> None:
    ways = {"body": {}, "json": {"oidc-token-format": "json"}, "basic": {"oidc-client-auth": "basic"}}
    jobs = [gitlab.include("check", name, client(identity) | more | {"debug": "true"}) for name, more in ways.items()]
    secrets = {"APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY, "APPDIST_OIDC_CLIENT_SECRET": CLIENT_SECRET}
    base = {"APPDIST_BASE_URL": service.url}
    run = gitlab(dumped({"include": jobs}), variables=base | secrets, connected=False)
    assert {run.exit_code(name) for name in ways} == {3}
    assert "***" in run.log("body")
    assert_nothing_is_left(run, [CONFIG_KEY, CLIENT_SECRET], tmp_path)


def assert_nothing_is_left(run: Any, secrets: list[str], folder: Path) -> None:
    """Neither in what the runner printed, nor in a log, an artifact, a report or a job's directory."""
    assert not found_in(run.output, secrets)
    assert "add-mask" not in run.output
    assert (run.state / "output").is_dir()
    assert (run.state / "artifacts").is_dir()
    # The pipeline and the variables are what the runner was given.
    assert not found_in(searched(folder, ".gitlab-ci.yml", "variables.yml", "expanded-gitlab-ci.yml"), secrets)
