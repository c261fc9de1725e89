"""What a failed answer says is told, whatever its shape, and whoever it may come from."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from harness import API_KEY, Process
from sauce_appdist.auth.oidc import Token
from sauce_appdist.auth.signing import OidcAuth
from sauce_appdist.errors import ApiError, AuthError, ServiceError, TransportError
from sauce_appdist.wire.reasons import read_reason
from wire.credentials import CONFIG_KEY, TOKEN
from wire.support import CALLS, Wire

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer

PROJECTS = "/api/1/projects/"
FOREIGN = "This may come from a proxy or a firewall."
# A body, and what is told of it. A page and a text may come from something between us and the service.
MESSAGES: dict[str, tuple[object, str]] = {
    "the envelope": ({"status": "fail", "code": 7, "message": "The plan is full"}, "The plan is full"),
    "error": ({"error": "The plan is full"}, "The plan is full"),
    "error, an object": ({"error": {"code": 7, "message": "The plan is full"}}, "The plan is full"),
    "errors, detail": ({"errors": [{"detail": "The plan is full"}]}, "The plan is full"),
    "errors, message": ({"errors": [{"message": "The plan is full"}, {"message": "Ask"}]}, "The plan is full: Ask"),
    "errors, texts": ({"errors": ["The plan is full"]}, "The plan is full"),
    "errors by field": ({"message": "Not valid", "errors": {"name": ["Too long"]}}, "Not valid: Too long"),
    "message": ({"message": "The plan is full"}, "The plan is full"),
    "message, a list": ({"message": ["The plan is full", "Ask"]}, "The plan is full: Ask"),
    "detail": ({"detail": "The plan is full"}, "The plan is full"),
    "problem details": (
        {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "The plan is full"},
        "Forbidden: The plan is full",
    ),
    "OAuth": ({"error": "access_denied", "error_description": "Too late"}, "access_denied: Too late"),
    "a list": ([{"message": "The plan is full"}], "The plan is full"),
}
FOREIGN_BODIES: dict[str, tuple[str, str]] = {
    "a page with a title": ("<html><title>Zscaler: &lt;denied&gt;</title><p>x", "a page, 'Zscaler: <denied>'"),
    "a page without": (
        "<!DOCTYPE html><style>p{}</style><script>go()</script><h1>Blocked</h1><!-- x --><p>by policy 4711",
        "a page, 'Blocked by policy 4711'",
    ),
    "XML": ("<?xml version='1.0'?><Error><Code>Denied</Code><Message>No</Message></Error>", "a page, 'Denied No'"),
    "a text": ("Access denied\r\nby the gateway", "the text 'Access denied by the gateway'"),
    "a JSON text": ('"Access denied"', "the text 'Access denied'"),
    "another JSON": ('{"success": false}', "the text '{\"success\": false}'"),
}
SILENT: dict[str, str] = {"nothing": "", "an object": "{}", "an envelope": '{"status": "fail", "code": 7}'}


def failure(server: HTTPServer, status: int, body: object, call: str = "GET", **options: Any) -> tuple[Wire, str]:
    """How a call fails, in its message."""
    method, path, send = CALLS[call]
    text = body if isinstance(body, str) else json.dumps(body)
    server.expect_request(path, method=method).respond_with_data(text, status=status)
    wire = Wire(server.url_for(""), retries=0, **options)
    with pytest.raises(ServiceError) as caught:
        send(wire.client)
    expected = AuthError if status in {401, 403} else (ApiError, TransportError)
    assert isinstance(caught.value, expected)
    assert caught.value.status == status
    return wire, str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
@pytest.mark.parametrize("shape", MESSAGES)
def test_a_message_is_told_in_every_shape(server: HTTPServer, shape: str, status: int) -> None:
    body, told = MESSAGES[shape]
    wire, message = failure(server, status, body)
    if not isinstance(body, list):
        assert told in message
    assert any(told in line for line in wire.log), "debug shows it too"
    assert "no reason given" not in message
    assert FOREIGN not in message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 500, 503])
@pytest.mark.parametrize("shape", FOREIGN_BODIES)
def test_what_is_not_the_services_is_quoted_with_a_doubt(server: HTTPServer, shape: str, status: int) -> None:
    body, told = FOREIGN_BODIES[shape]
    wire, message = failure(server, status, body)
    assert told in message
    assert FOREIGN in message
    assert any(told in line and FOREIGN in line for line in wire.log), "debug shows it too"
    if status in {401, 403}:
        assert f"HTTP {status} with {told}. {FOREIGN} If it comes from the service, " in message
        assert "region is the account's" in message


@pytest.mark.parametrize("status", [401, 403, 404, 422])
@pytest.mark.parametrize("shape", SILENT)
def test_who_says_nothing_is_not_quoted(server: HTTPServer, shape: str, status: int) -> None:
    _, message = failure(server, status, SILENT[shape])
    assert "says" not in message
    assert "()" not in message
    assert "''" not in message
    assert FOREIGN not in message


@pytest.mark.parametrize("call", CALLS)
def test_every_kind_of_request_tells_it(server: HTTPServer, call: str) -> None:
    _, message = failure(server, 403, "<title>Blocked by policy</title>", call)
    assert f"HTTP 403 with a page, 'Blocked by policy'. {FOREIGN}" in message


@pytest.mark.parametrize(
    "body",
    [
        "x " * 4070 + API_KEY + " y" * 300,
        "x" * 140 + API_KEY,
        "<p>" + " " * 8180 + API_KEY + "</p>",
        f"<title>{escape('x' * 150)}{API_KEY}</title>",
        json.dumps({"error": "x" * 290 + API_KEY}),
        json.dumps({"error": "x" * 8186 + API_KEY}),
    ],
)
@pytest.mark.parametrize("status", [401, 403, 418])
def test_a_cut_shows_no_beginning_of_a_secret(server: HTTPServer, body: str, status: int) -> None:
    wire, message = failure(server, status, body)
    for text in (message, *wire.log):
        assert API_KEY[:5] not in text
        assert len(text) < 900
        assert text.isprintable()


@pytest.mark.parametrize("name", ["error", "message", "detail"])
@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Invalid audience", "(case matters): see oidc-audience"),
        ('Audience mismatch: expected "https://api.acme.example".', "(case matters): see oidc-audience"),
        ('Issuer mismatch: expected "a", got "b".', "issuer must be the one in the account"),
        ("Missing X-OIDC-Config-Key header.", "set oidc-config-key"),
        ("Invalid OIDC config key.", "is not this account's"),
        ("OIDC authentication is disabled.", "an admin must enable OIDC"),
        ("Failed to fetch JWKS from issuer.", "cannot read the issuer's keys"),
        ("Token missing required scope. Required one of: a, b.", "see oidc-scope"),
        ("Token validation failed: Expired token", "fetch a new token"),
        ("Token validation failed: Signature verification failed", "a key of the issuer's JWKS"),
    ],
)
def test_a_documented_message_has_its_hint_in_every_field(server: HTTPServer, name: str, said: str, hint: str) -> None:
    _, message = failure(server, 401, {name: said}, auth=OidcAuth(lambda: Token(TOKEN), CONFIG_KEY))
    assert hint in message
    assert said.rstrip(".") in message
    assert "Keys differ per region" not in message


@pytest.mark.parametrize("step", ["check", "promote"])
def test_a_firewall_is_told_in_a_step(process: Process, server: HTTPServer, step: str) -> None:
    server.expect_request(PROJECTS).respond_with_data("<title>Blocked</title>", status=403, content_type="text/html")
    env = {"APPDIST_BASE_URL": server.url_for(""), "APPDIST_PACKAGE_NAME": "a.b", "APPDIST_BUILD_ID": "latest"}
    more = {"APPDIST_INPUT_TAGS": "rc"} if step == "promote" else {}
    done = process(step, env={**env, **more})
    assert done.code == 3, done.log
    assert f"HTTP 403 with a page, 'Blocked'. {FOREIGN}" in done.log


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'\xef\xbb\xbf{"value": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRw.abc"}', '{"value": "***"}'),
        (b'Notice: x {"access_token": "opaque-token-1", "token_type": "Bearer"}', '"access_token": "***", "token_type'),
        (b"id_token=opaque-token-1&x=1", "id_token=***&x=1"),
        (b'{"message": "The access_token signature is wrong"}', "The access_token signature is wrong"),
    ],
)
def test_what_looks_like_a_token_is_not_repeated(body: bytes, shown: str) -> None:
    assert shown in str(read_reason(body, str))
