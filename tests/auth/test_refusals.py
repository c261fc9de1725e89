"""What a provider refuses with, and what a step makes of it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from auth.support import (
    AUTH,
    CLIENT,
    CONFIG_KEY,
    INPUT,
    SCOPES,
    SECRET,
    TRANSPORT,
    WRONG,
    by_secret,
    host,
    provider,
    refused,
)
from harness import BUILD, EMAIL, Run, Service
from identity import IdentityProvider
from sauce_appdist.errors import AuthError, TransportError
from servers import closed_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_httpserver import HTTPServer

    from identity import Flavour
    from servers import Company


SAID: dict[Flavour, tuple[str, int]] = {
    "auth0": ("HTTP 401: access_denied: Unauthorized", AUTH),
    "okta": ("HTTP 401: invalid_client: Invalid client or Invalid client credentials", AUTH),
    "okta-api": ("HTTP 401: invalid_client: Invalid client or Invalid client credentials", AUTH),
    "entra": ("HTTP 401: invalid_client: AADSTS7000215: Invalid client", AUTH),
    "keycloak": ("HTTP 401: invalid_client: Invalid client or Invalid client credentials", AUTH),
    "adfs": ("HTTP 401: invalid_client: MSIS9607: Invalid client", AUTH),
    "adfs-html": ("HTTP 401: a page, 'Error'", AUTH),
    "errors": ("HTTP 401: Invalid client or Invalid client credentials", AUTH),
    "html": ("HTTP 500: a page, 'Internal Server Error'", TRANSPORT),
    "empty": ("HTTP 401.", AUTH),
    "not-json": ("bytes of text/html. Expected a JSON object", TRANSPORT),
}


@pytest.mark.parametrize("flavour", SAID)
def test_every_shape_of_a_refusal(run: Run, service: Service, identity: IdentityProvider, flavour: Flavour) -> None:
    identity.flavour, identity.echoes = flavour, True
    said, code = SAID[flavour]
    done = run("find", **BUILD, **by_secret(identity, oidc_client_secret=WRONG))
    message = refused(done, code, said)
    assert message.count(host(identity)) == 1
    assert "<" not in message
    assert service.sent == []
    # A refused secret is not tried again: it could lock the client out.
    assert len(identity.token_requests) == (3 if flavour == "html" else 1)


@pytest.mark.parametrize("flavour", SAID)
def test_every_refusal_says_what_to_look_at(identity: IdentityProvider, flavour: Flavour) -> None:
    identity.flavour = flavour
    ask, _ = provider(identity, client_secret=WRONG)
    with pytest.raises((AuthError, TransportError)) as caught:
        ask.by_secret()
    assert re.search(r"oidc-(client-secret|client-id|token-url)|try again|later", str(caught.value)), caught.value
    if flavour == "auth0":  # which says access_denied to a wrong secret
        assert "oidc-client-secret" in str(caught.value)


@pytest.mark.parametrize("flavour", ["entra", "adfs-html", "errors"])
@pytest.mark.parametrize("accepts", ["form", "json"])
def test_an_echo_shows_no_secret_however_it_is_escaped(
    run: Run, identity: IdentityProvider, flavour: Flavour, accepts: Any
) -> None:
    identity.flavour, identity.echoes = flavour, True
    secret = 'wr0ng"half\\one&<two>'
    inputs = by_secret(identity, oidc_client_secret=secret, oidc_token_format=accepts)
    log = run("find", **BUILD, **inputs).log
    assert not re.search(r"wr0ng|half|&lt;two", log), log


@pytest.mark.parametrize(
    ("strict", "inputs", "fragments"),
    [
        ({"scopes": {"builds:read"}}, {"oidc_scope": SCOPES}, ["invalid_scope", "oidc-scope"]),
        ({}, {"oidc_audience": "https://other.example"}, ["HTTP 403: access_denied", "oidc-audience"]),
        ({"accepts": "json"}, {}, ["invalid_request", "oidc-token-format"]),
        ({"accepts": "form"}, {"oidc_token_format": "json"}, ["invalid_request", "oidc-token-format"]),
        ({"client_auth": "basic"}, {}, ["invalid_client", "oidc-client-auth: basic"]),
        ({"clients": {}}, {}, ["invalid_client", "oidc-client-id", "oidc-client-secret"]),
    ],
    ids=str,
)
def test_what_the_provider_does_not_like(
    run: Run, identity: IdentityProvider, strict: dict[str, Any], inputs: dict[str, str], fragments: list[str]
) -> None:
    for name, value in strict.items():
        setattr(identity, name, value)
    refused(run("find", **BUILD, **by_secret(identity, **inputs)), AUTH, host(identity), *fragments)


@pytest.mark.parametrize(
    ("error", "fragment"),
    [
        ("unauthorized_client", "allow it client credentials"),
        ("invalid_target", "oidc-audience"),
        ("invalid_grant", "issuer, subject and audience"),
        ("unsupported_grant_type", "oidc-exchange"),
        ("temporarily_something", "HTTP 400: temporarily_something."),
    ],
)
def test_the_errors_of_the_standard(identity: IdentityProvider, error: str, fragment: str) -> None:
    identity.fail(status=400, body=f'{{"error": "{error}"}}')
    ask, _ = provider(identity)
    with pytest.raises(AuthError, match=re.escape(fragment)) as caught:
        ask.by_secret()
    assert f"{host(identity)} answers HTTP 400: {error}." in str(caught.value)


TROUBLE: list[dict[str, Any]] = [*({"status": status} for status in (429, 500, 502, 503, 504)), {"drop": True}]


@pytest.mark.parametrize("order", TROUBLE, ids=str)
def test_trouble_is_tried_again_a_few_times(identity: IdentityProvider, order: dict[str, Any]) -> None:
    identity.fail(times=2, **order)
    ask, waits = provider(identity)
    assert identity.claims_of(ask.by_secret().value)["sub"] == CLIENT
    assert (len(identity.token_requests), len(waits)) == (3, 2)
    identity.fail(times=None, **order)
    with pytest.raises(TransportError, match=re.escape(host(identity))) as caught:
        ask.by_secret()
    assert (len(identity.token_requests), len(waits)) == (6, 4)
    assert not caught.value.sent


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501, 302, 201])
def test_an_answer_is_no_trouble(identity: IdentityProvider, status: int) -> None:
    identity.fail(times=None, status=status, body="no", headers={"Location": "/elsewhere"})
    ask, waits = provider(identity)
    with pytest.raises(
        AuthError if 400 <= status < 500 else TransportError, match=f"{host(identity)} answers HTTP {status}"
    ):
        ask.by_secret()
    assert ([seen.path for seen in identity.requests], waits) == (["/token"], [])


def test_no_answer_in_time(identity: IdentityProvider) -> None:
    identity.fail(times=None, delay=30)
    ask, waits = provider(identity)
    ask.http.timeout = 0.2
    with pytest.raises(TransportError, match=f"{host(identity)} cannot be reached"):
        ask.by_secret()
    assert len(waits) == 2


@pytest.mark.parametrize(
    "order",
    [
        {"body": b"\x1f\x8b no gzip", "headers": {"Content-Encoding": "gzip"}},
        {"body": b"", "headers": {"Transfer-Encoding": "chunked"}},
        {"body": b"{"},
        {"body": b"\xff\xfe"},
        {"body": b"[]"},
        {"body": b"null"},
        {"body": b"[" * 100_000},
        {"body": b"{}"},
        {"body": b'{"access_token": ""}'},
        {"body": b'{"access_token": 1}'},
        {"body": b'{"access_token": "two words"}'},
        {"body": b'{"access_token": "a\\r\\nX-Other: b"}'},
        {"body": '{"access_token": "tökén"}'},
    ],
    ids=lambda order: str(order)[:60],
)
def test_an_answer_without_a_token(identity: IdentityProvider, order: dict[str, Any]) -> None:
    identity.fail(times=None, status=200, **order)
    ask, _ = provider(identity)
    with pytest.raises(TransportError, match="Asking for a token"):
        ask.by_secret()


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": "NEW-TOKEN-0001", "expires_in": 3600',
        '["NEW-TOKEN-0001"]',
        '<br />Notice: x in y{"access_token": "NEW-TOKEN-0001"}',
        "access_token=NEW-TOKEN-0001&expires_in=3600",
        "NEW-TOKEN-0001",
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html", "NEW-TOKEN-0001", "text/NEW-TOKEN-0001"])
def test_what_may_hold_a_token_is_not_quoted(
    run: Run, identity: IdentityProvider, hosted: IdentityProvider, body: str, kind: str
) -> None:
    identity.fail(times=None, status=200, body=body, headers={"Content-Type": kind})
    hosted.fail("/idtoken", times=None, status=200, body=body, headers={"Content-Type": kind})
    of_the_job = {"oidc_provider": "github", "oidc_config_key": CONFIG_KEY}
    for inputs, env in ((by_secret(identity), {}), (of_the_job, {"GITHUB_ACTIONS": "true", **hosted.github_env})):
        done = run("find", **BUILD, **inputs, debug="true", env=env)
        assert done.code == TRANSPORT
        known = kind if kind in {"application/json", "text/html"} else "no known type"
        assert f"HTTP 200 with {len(body)} bytes of {known}. Expected a JSON object" in done.log
        assert "NEW-TOKEN" not in done.log + done.text
        assert ("This may come from a proxy or a firewall" in done.log) is (kind == "text/html")


def test_a_redirect_is_not_quoted(run: Run, identity: IdentityProvider) -> None:
    """Its body repeats where it leads, which may be signed."""
    identity.fail(times=None, status=302, body="Found. Redirecting to https://a.example/?signature=s1gn4ture")
    done = run("find", **BUILD, **by_secret(identity, debug="true"))
    assert "s1gn4ture" not in done.log
    assert "answers HTTP 302." in done.log


def test_an_answer_that_drips_has_a_deadline(server: HTTPServer, identity: IdentityProvider) -> None:
    body = b'{"access_token": "token-0001"}'

    def drip() -> Iterator[bytes]:
        for number in range(len(body)):
            time.sleep(0.1)
            yield body[number : number + 1]

    server.expect_request("/token").respond_with_handler(lambda _: Response(drip()))
    ask, waits = provider(identity, token_url=server.url_for("/token"))
    ask.http.timeout = 0.3
    with pytest.raises(TransportError, match="Asking for a token"):
        ask.by_secret()
    assert len(waits) == 2


def test_a_provider_with_a_certificate_of_the_company(
    run: Run, service: Service, trust: Callable[..., None], company: Company
) -> None:
    with IdentityProvider(clients={CLIENT: SECRET}, ssl_context=company.context("localhost")) as identity:
        trust(identity, tokens={"opaque-token-1": EMAIL})
        identity.answer = {"access_token": "opaque-token-1"}
        inputs = by_secret(identity, oidc_token_url="", oidc_issuer=identity.issuer)
        refused(run("find", **BUILD, **inputs), TRANSPORT, host(identity), "certificate", "ca-bundle")
        assert (identity.requests, service.sent) == ([], [])
        assert run("find", **BUILD, **inputs, ca_bundle=company.bundle).code == 0
        assert run("find", **BUILD, **inputs, env={"SSL_CERT_FILE": company.bundle}).code == 0
        assert len(identity.token_requests) == 2


def test_a_passing_trouble_does_not_stop_a_step(
    run: Run, service: Service, identity: IdentityProvider, trust: Callable[..., None]
) -> None:
    trust(identity)
    identity.fail(status=503)
    done = run("tag", **BUILD, tags="rc", **by_secret(identity, debug="true"))
    assert done.code == 0, done.log
    assert "Trying again" in done.log
    assert (len(identity.token_requests), len(service.writes)) == (2, 1)


def test_a_provider_that_is_not_there(run: Run, service: Service) -> None:
    place = f"127.0.0.1:{closed_port()}"
    inputs = {"oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_config_key": CONFIG_KEY}
    done = run("find", **BUILD, **inputs, oidc_token_url=f"http://{place}/token")
    refused(done, TRANSPORT, "Asking for a token", f"{place} cannot be reached")
    assert service.sent == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_secret_follows_no_redirect(
    run: Run, service: Service, identity: IdentityProvider, hosted: IdentityProvider, status: int
) -> None:
    identity.fail(times=None, status=status, headers={"Location": f"{hosted.token_url}?signature=s1gn4ture"})
    done = run("find", **BUILD, **by_secret(identity))
    message = refused(done, TRANSPORT, f"{host(identity)} answers HTTP {status}", "oidc-token-url")
    assert "s1gn4ture" not in message
    assert (hosted.requests, len(identity.requests), service.sent) == ([], 1, [])


@pytest.mark.parametrize("location", ["https://[::1/token", "https://a:b/", "", "//"])
def test_a_redirect_that_leads_nowhere(identity: IdentityProvider, location: str) -> None:
    identity.fail(times=None, status=302, headers={"Location": location})
    ask, _ = provider(identity)
    with pytest.raises(TransportError, match=f"{host(identity)} (answers HTTP 302|redirects to an invalid address)"):
        ask.by_secret()
    assert len(identity.requests) == 1


@pytest.mark.parametrize(
    ("discovery", "code", "fragments"),
    [
        ({"issuer": "https://other.example/x"}, AUTH, ["another issuer, 'https://other.example/x'", "oidc-issuer"]),
        ({"issuer": None}, AUTH, ["another issuer", "oidc-issuer"]),
        ({"token_endpoint": None}, TRANSPORT, ["no token_endpoint", "oidc-token-url"]),
        ({"token_endpoint": ["x"]}, TRANSPORT, ["no token_endpoint", "oidc-token-url"]),
        ({"token_endpoint": "http://login.other.example/token"}, INPUT, ["token_endpoint", "oidc-issuer", "not https"]),
        ({"token_endpoint": "//login.other.example/token"}, INPUT, ["token_endpoint", "not https"]),
        ({"token_endpoint": "ftp://127.0.0.1/token"}, INPUT, ["token_endpoint", "not https"]),
        ({"token_endpoint": "https://[::1/token"}, None, ["token_endpoint"]),
        ({"token_endpoint": "http://127.0.0.1:99999/token"}, None, ["127.0.0.1:99999"]),
    ],
    ids=str,
)
def test_a_discovery_that_is_none(
    run: Run,
    service: Service,
    identity: IdentityProvider,
    discovery: dict[str, Any],
    code: int | None,
    fragments: list[str],
) -> None:
    identity.discovery = discovery
    done = run("find", **BUILD, **by_secret(identity, oidc_token_url="", oidc_issuer=identity.issuer))
    refused(done, done.code if code is None else code, *fragments)
    assert done.code in {INPUT, AUTH, TRANSPORT}
    assert (identity.token_requests, service.sent) == ([], [])


@pytest.mark.parametrize("wrong", ["oidc_issuer", "oidc_token_url"])
def test_a_place_that_is_none(run: Run, identity: IdentityProvider, wrong: str) -> None:
    place = {"oidc_token_url": "", wrong: f"{identity.url}/realms/nobody"}
    done = run("find", **BUILD, **by_secret(identity, **place))
    refused(done, done.code, f"{host(identity)} answers HTTP 404", wrong.replace("_", "-"))
    assert done.code in {AUTH, TRANSPORT}
