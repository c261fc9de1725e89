"""`check`, also as `whoami`: what the connection is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from harness import API_KEY, EMAIL, Process, Run, Service
from identity import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from wire.credentials import CONFIG_KEY, NO_KEY, TOKEN, client_credentials

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer


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


@pytest.mark.parametrize("job", ["GITHUB_ACTIONS", "GITLAB_CI"])
@pytest.mark.parametrize("email", ["", EMAIL])
def test_a_secret_that_may_be_misspelt(process: Process, job: str, email: str) -> None:
    hint = "one that is unset or misspelt is empty, and so is a protected variable of GitLab on an unprotected ref"
    none = {"APPDIST_EMAIL": email, "APPDIST_API_KEY": ""}
    done = process("check", env={**none, job: "true", "GITHUB_EVENT_NAME": "push"})
    assert done.code == 2
    assert hint in done.text
    # Where a key is there, or in a shell, it is something else.
    assert hint not in process("check", env={job: "true", "APPDIST_REGION": "nowhere"}).text
    assert hint not in process("check", env=none).log


# --- A reason that newer servers hide ------------------------------------------------------------------

HIDDEN = {"status": "fail", "code": 104, "message": "User not found"}
SUNSET = {"Deprecation": "true"}
OIDC = {**NO_KEY, "APPDIST_OIDC_TOKEN": TOKEN, "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY}
NOT_ACCEPTED = "the service does not accept the credentials"


def refusing(
    server: HTTPServer, v3: object, status: int = 401, headers: dict[str, str] | None = None
) -> dict[str, str]:
    """The environment of a step at a server that hides the reason on v1."""
    server.expect_request("/api/1/projects/").respond_with_json(HIDDEN, status=401, headers=headers)
    server.expect_request("/api/v3/projects").respond_with_json(v3, status=status)
    return {"APPDIST_BASE_URL": server.url_for(""), "APPDIST_RETRIES": "0"}


@pytest.mark.parametrize("headers", [None, SUNSET], ids=["by-its-answer", "by-its-headers"])
@pytest.mark.parametrize(
    ("signed", "reason", "hint"),
    [
        (OIDC, 'Audience mismatch: expected "acme".', "the token's audience must be the one in the account's OIDC"),
        (OIDC, "Token validation failed: Expired token", "fetch a new token right before this step"),
        ({}, "Invalid API key.", "first check that region is the account's"),
        ({"APPDIST_EMAIL": ""}, "The account is blocked.", "first check that region is the account's"),
    ],
)
def test_check_asks_v3_for_the_reason(
    process: Process,
    server: HTTPServer,
    signed: dict[str, str],
    reason: str,
    hint: str,
    headers: dict[str, str] | None,
) -> None:
    done = process("whoami", env={**refusing(server, {"error": reason}, headers=headers), **signed})
    assert done.code == 3
    (problem,) = [line for line in done.log.splitlines() if line.startswith("Sign-in refused:")]
    assert reason.rstrip(".") in problem
    assert hint in problem
    assert "whoami" not in problem
    assert "Only newer servers" not in problem, "this is one"
    assert "'User not found' whatever the cause, so v3 is asked with the same credentials: it says" in done.text
    first, second = (request for request, _ in server.log)
    assert (first.path, second.path) == ("/api/1/projects/", "/api/v3/projects")
    for name in ("Authorization", "X-Api-Key", "X-Oidc-Config-Key"):
        assert first.headers.get(name) == second.headers.get(name)


@pytest.mark.parametrize(
    ("v3", "status", "told"),
    [
        ({"status": "fail", "code": 404, "message": "no such path"}, 404, "it tells no reason"),
        (HIDDEN, 401, "it tells no reason"),
        ({}, 401, "it tells no reason"),
        ("Sign in", 200, "it tells no reason"),
        ({"projects": []}, 200, "it accepts them"),
    ],
)
def test_check_says_what_v3_does_not_tell(
    process: Process, server: HTTPServer, v3: object, status: int, told: str
) -> None:
    done = process("check", env=refusing(server, v3, status))
    assert done.code == 3
    (problem,) = [line for line in done.log.splitlines() if line.startswith("Sign-in refused:")]
    assert f"GET /api/1/projects/: {NOT_ACCEPTED}" in problem
    assert "whoami" not in problem, "it has asked already"
    assert told in done.text
    accepted = "/api/v3/projects accepts the same credentials" in problem
    assert accepted is (status == 200 and isinstance(v3, dict))
    assert ("may need api-key without email" in problem) is accepted


def test_a_reason_that_is_told_is_not_asked_for(process: Process, server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_json({**HIDDEN, "message": "Key revoked"}, status=401)
    done = process("check", env={"APPDIST_BASE_URL": server.url_for("")})
    assert (done.code, len(server.log)) == (3, 1)
    assert "It says 'Key revoked'." in done.log


def test_v3_is_asked_with_the_token_that_was_refused(process: Process, server: HTTPServer) -> None:
    """A new one would cost an assertion that counts once, and might be refused for another reason."""
    with IdentityProvider(clients={CLIENT_ID: quote(CLIENT_SECRET)}) as identity:
        env = {**refusing(server, {"error": "Issuer mismatch"}), **client_credentials(identity)}
        done = process("check", env=env)
        assert done.code == 3
        assert "Issuer mismatch" in done.log
        *_, last, v3 = (request.headers["Authorization"] for request, _ in server.log)
        assert last == v3
        assert len(identity.token_requests) == 2, "one, and one more after the first refusal"


@pytest.mark.parametrize(("headers", "server_is"), [(None, "If this is a newer server, it"), (SUNSET, "This server")])
@pytest.mark.parametrize(
    "argv", [["find", "--package-name", "a.b", "--build-id", "latest"], ["api", "projects", "list"]]
)
def test_the_others_say_who_asks(
    process: Process, server: HTTPServer, argv: list[str], headers: dict[str, str] | None, server_is: str
) -> None:
    done = process(*argv, env=refusing(server, {"error": "x"}, headers=headers))
    assert done.code == 3
    assert f"{server_is} hides the reason: `sauce-appdist whoami` (step check) asks for it." in done.log
    assert {request.path for request, _ in server.log} == {"/api/1/projects/"}


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
