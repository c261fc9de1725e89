"""`check`, also as `whoami`: what the connection is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness import API_KEY, Process, Run, Service

if TYPE_CHECKING:
    from pathlib import Path


def test_it_tells_what_the_connection_is(run: Run, service: Service) -> None:
    done = run("check")
    assert done.code == 0, done.log
    newer = service.dialect == "compat"
    assert done.outputs == {
        "dry-run": False,
        "region": None,
        "host": service.url.removeprefix("http://"),
        "sign-in": "API key with e-mail",
        "projects": 4,
        "dialect": service.dialect,
        "sunset": "Thu, 31 Dec 2026 23:59:59 GMT" if newer else None,
    }
    assert service.sent == ["GET /api/1/projects/"]


def test_people_ask_whoami(process: Process, service: Service) -> None:
    done = process("whoami")
    assert done.code == 0, done.log
    lines = [line.split(maxsplit=1) for line in done.text.splitlines()]
    assert ["Sign-in", "API key with e-mail"] in lines
    assert any(line[0] == "Server" and service.dialect in line[1] for line in lines)
    assert process("whoami", "--help").text.startswith("usage: sauce-appdist whoami")
    assert process("whoami", "--json").code == 0


@pytest.mark.parametrize(
    ("env", "code", "expected"),
    [
        ({"APPDIST_API_KEY": "wrong-key-0000"}, 3, "first check that region is the account's"),
        ({"APPDIST_API_KEY": ""}, 2, "email needs api-key"),
        ({"APPDIST_BASE_URL": "http://127.0.0.1:9", "APPDIST_RETRIES": "0"}, 5, "127.0.0.1:9 cannot be reached"),
    ],
)
def test_what_is_wrong_is_told_with_the_host(process: Process, env: dict[str, str], code: int, expected: str) -> None:
    done = process("whoami", env=env)
    assert done.code == code
    assert expected in done.log


def test_the_region_is_named_even_where_nobody_answers(process: Process) -> None:
    """No request leaves this machine: the proxy that the region would be asked through is not there."""
    env = {
        "GITHUB_ACTIONS": "true",
        "APPDIST_BASE_URL": "",
        "APPDIST_REGION": "eu-central-1",
        "APPDIST_RETRIES": "0",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    done = process("check", env=env)
    assert done.code == 5
    assert (done.outputs["region"], done.outputs["host"]) == ("eu-central-1", "mobile.eu-central-1.saucelabs.com")


@pytest.mark.parametrize(
    "env",
    [
        {"APPDIST_INPUT_OIDC_PROVIDER": "github", "APPDIST_INPUT_OIDC_CONFIG_KEY": ""},
        {"APPDIST_INPUT_EMAIL": "", "APPDIST_INPUT_API_KEY": ""},
    ],
)
def test_a_fork_is_told_why_it_has_no_credentials(process: Process, env: dict[str, str]) -> None:
    """Its secrets are empty, which is all that the step sees."""
    none = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": "", "GITHUB_ACTIONS": "true"}
    done = process("check", env={**none, **env, "GITHUB_EVENT_NAME": "pull_request"})
    assert done.code == 2
    assert "A pull request from a fork gets neither secrets nor an ID token" in done.text
    assert "fork" not in process("check", env={**none, **env, "GITHUB_EVENT_NAME": "push"}).text


# --- Secrets in files ----------------------------------------------------------------------------------


def test_a_key_can_be_in_a_file(process: Process, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "key"
    file.write_text(f"{API_KEY}\n")
    env = {"APPDIST_API_KEY": "", "GITHUB_ACTIONS": "true"}
    done = process("find", "--project-id", "6905338", "--build-id", "8911052", "--api-key-file", str(file), env=env)
    assert done.code == 0, done.log
    assert f"::add-mask::{API_KEY}" in done.text
    assert API_KEY not in json.dumps(done.files | {"text": done.text.replace(f"::add-mask::{API_KEY}", "")})
    assert process("api", "projects", "list", "--api-key-file", str(file), env={"APPDIST_API_KEY": ""}).code == 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "which cannot be read: No such file or directory"),
        (b"  \n", "which is empty: expected a file with the secret"),
        (b"\xff\xfe", "which cannot be read: it is not a text file"),
        (b"two words", "api-key is empty, or contains white space"),
    ],
)
def test_a_file_without_a_key_is_named(process: Process, tmp_path: Path, content: bytes | None, expected: str) -> None:
    (tmp_path / "secrets").mkdir()
    if content is not None:
        (tmp_path / "secrets" / "key").write_bytes(content)
    done = process("whoami", "--api-key-file", str(tmp_path / "secrets" / "key"))
    assert (done.code, expected in done.log) == (2, True), done.log
