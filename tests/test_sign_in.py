"""Every way to sign in by OIDC, on real parts: an identity provider, the emulator that verifies its tokens, a step."""

from __future__ import annotations

import itertools
import json
import logging
import re
import socket
import ssl
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import trustme
from hypothesis import given, strategies as st
from werkzeug import Request, Response

from harness import ANDROID, API_KEY, EMAIL, NEWEST_ANDROID, Outcome, Process, Run, Service, github_outputs
from identity import (
    AUDIENCE,
    CLIENT_CREDENTIALS,
    CLIENT_SECRET,
    GITHUB_SUBJECT,
    GITLAB_SUBJECT,
    JWT_BEARER,
    TOKEN_EXCHANGE,
    TOKEN_TYPE,
    IdentityProvider,
    Trust,
)
from sauce_appdist.auth.oidc import Provider, TokenHttp
from sauce_appdist.cli import main
from sauce_appdist.client import Client
from sauce_appdist.errors import AuthError, InputError, TransportError
from sauce_appdist.interface.environment import gather, parse
from sauce_appdist.interface.inputs import ConnectionInputs
from sauce_appdist.models import Reply
from sauce_appdist.text import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    from identity import Flavour

INPUT, AUTH, TRANSPORT = 2, 3, 5
BUILD = {"project_id": ANDROID, "build_id": NEWEST_ANDROID}
CONFIG_KEY = "oidc_company_0001"
CLIENT, SECRET = "ci:client/50%+ä", "s3cr3t: 100%of+it/&=~;'?äö"  # what only a right encoding brings over
WRONG = "wr0ng:50%of+it/&=~;'?"
SCOPES = "builds:read builds:write"
JOB_AUDIENCE = "sauce-appdist"  # the documented default of oidc-id-token-audience
REFUSED = {"status": "fail", "code": 104, "message": "Token has expired"}

in_both = pytest.mark.parametrize("service", ["classic", "compat"], indirect=True)


@pytest.fixture
def identity() -> Iterator[IdentityProvider]:
    """The company's provider, which signs by itself."""
    with IdentityProvider(clients={CLIENT: SECRET}) as running:
        yield running


@pytest.fixture
def hosted() -> Iterator[IdentityProvider]:
    """GitHub's or GitLab's own issuer."""
    with IdentityProvider() as running:
        yield running


@pytest.fixture
def trust(service: Service, seed: dict[str, Any]) -> Callable[..., None]:
    """Let the account take the tokens of an issuer."""

    def settle(by: IdentityProvider, **oidc: Any) -> None:
        about = {"config_key": CONFIG_KEY, "issuer": by.issuer, "audience": AUDIENCE, "user": EMAIL}
        # Without discovery: what is asked of it is asked by us.
        service.reset({**seed, "oidc": about | {"jwks_url": by.jwks_url} | oidc})

    return settle


def by_secret(identity: IdentityProvider, **changed: str) -> dict[str, str]:
    """The inputs of client credentials; "" takes one away."""
    inputs = {
        "oidc_token_url": identity.token_url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_config_key": CONFIG_KEY,
    }
    return {name: text for name, text in (inputs | changed).items() if text}


def environment(url: str, inputs: dict[str, str]) -> dict[str, str]:
    return {"APPDIST_BASE_URL": url, **{f"APPDIST_{name.upper()}": text for name, text in inputs.items()}}


def provider(identity: IdentityProvider, **options: Any) -> tuple[Provider, list[float]]:
    """A provider as a step asks it, and how long it would have waited."""
    waits: list[float] = []
    where = {"token_url": identity.token_url, "client_id": CLIENT, "client_secret": SECRET}
    return Provider(TokenHttp(timeout=2.0, sleep=waits.append), **{**where, **options}), waits


def host(identity: IdentityProvider) -> str:
    return urlsplit(identity.url).netloc


def assert_hidden(text: str, *secrets: str) -> None:
    """No token, nor anything that was secret in any spelling that it travels in."""
    assert not re.search(r"eyJ[\w-]{8}", text), text
    for secret in (CONFIG_KEY, SECRET, WRONG, *secrets):
        spellings = {secret, quote(secret), quote(secret, safe=""), b64encode(secret.encode()).decode()}
        assert not [spelling for spelling in spellings if spelling in text], text


def refused(done: Outcome, code: int, *fragments: str) -> str:
    """One message, of a line or two, and nothing secret in it."""
    assert done.code == code, done.log
    lines = done.log.strip().splitlines()
    assert 1 <= len(lines) <= 2, done.log
    assert [fragment for fragment in fragments if fragment not in done.log] == [], done.log
    assert "bug of sauce-appdist" not in done.log
    assert_hidden(done.log + done.text)
    return done.log


# --- Client credentials -----------------------------------------------------------------------------


@in_both
@pytest.mark.parametrize("auth", ["body", "basic"])
@pytest.mark.parametrize("form", ["form", "json"])
def test_client_credentials(
    run: Run,
    service: Service,
    identity: IdentityProvider,
    trust: Callable[..., None],
    form: Any,
    auth: Any,
) -> None:
    trust(identity, scopes=SCOPES.split())
    identity.accepts, identity.client_auth = form, auth  # and nothing else
    done = run(
        "promote",
        **BUILD,
        tags="rc",
        to_folder="Release Candidates",
        **by_secret(identity, oidc_audience=AUDIENCE, oidc_scope=SCOPES, oidc_token_format=form, oidc_client_auth=auth),
    )
    assert done.code == 0, done.log
    assert len(service.writes) == 2
    assert {(request["auth"], request["status"]) for request in service.requests} == {("oidc", 200)}
    assert_hidden(done.log + done.text)
    (seen,) = identity.token_requests  # one a run, however many requests there are
    asked = {"grant_type": CLIENT_CREDENTIALS, "audience": AUDIENCE, "scope": SCOPES}
    if auth == "basic":
        joint = f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}"  # RFC 6749 2.3.1
        assert seen.headers["authorization"] == "Basic " + b64encode(joint.encode()).decode()
    else:
        assert "authorization" not in seen.headers
        asked |= {"client_id": CLIENT, "client_secret": SECRET}
    assert seen.fields == asked
    kinds = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
    assert (seen.method, seen.content_type, seen.query) == ("POST", kinds[form], {})


def test_only_what_is_given_is_asked_for(run: Run, identity: IdentityProvider, trust: Callable[..., None]) -> None:
    trust(identity)
    assert run("find", **BUILD, **by_secret(identity)).code == 0
    (seen,) = identity.token_requests
    assert seen.fields == {"grant_type": CLIENT_CREDENTIALS, "client_id": CLIENT, "client_secret": SECRET}
    assert "x-oidc-config-key" not in seen.headers  # which is the service's alone


@pytest.mark.parametrize("path", ["", "/", "/realms/main", "/oauth2/default/"])
@pytest.mark.parametrize("slash", [False, True])
def test_discovery(run: Run, service: Service, trust: Callable[..., None], path: str, slash: bool) -> None:
    with IdentityProvider(clients={CLIENT: SECRET}, path=path) as identity:
        trust(identity)
        issuer = identity.issuer.rstrip("/") + "/" * slash
        done = run("find", **BUILD, **by_secret(identity, oidc_token_url="", oidc_issuer=issuer))
        assert done.code == 0, done.log
        assert {request["auth"] for request in service.requests} == {"oidc"}
        discovery, token = (seen for seen in identity.requests if not seen.path.endswith("/jwks"))
        assert (discovery.method, discovery.path) == ("GET", f"{path.rstrip('/')}/.well-known/openid-configuration")
        assert (token.method, token.path) == ("POST", urlsplit(identity.token_url).path)
        assert "authorization" not in discovery.headers


def test_a_token_endpoint_elsewhere(
    run: Run, identity: IdentityProvider, hosted: IdentityProvider, trust: Callable[..., None]
) -> None:
    trust(identity)
    hosted.discovery = {"token_endpoint": identity.token_url}
    assert run("find", **BUILD, **by_secret(identity, oidc_token_url="", oidc_issuer=hosted.issuer)).code == 0
    assert (len(hosted.token_requests), len(identity.token_requests)) == (0, 1)


def test_an_opaque_token(run: Run, identity: IdentityProvider, trust: Callable[..., None]) -> None:
    trust(identity, tokens={"opaque-token-1": EMAIL, "opaque-token-2": {"error": "Invalid issuer"}})
    identity.answer = {"access_token": "opaque-token-1", "expires_in": None}
    done = run("find", **BUILD, **by_secret(identity, debug="true"))
    assert done.code == 0, done.log
    assert "no claims that can be read (it is no JWT)" in done.log
    assert_hidden(done.log + done.text, "opaque-token-1")
    identity.answer = {"access_token": "opaque-token-2"}
    refused(run("find", **BUILD, **by_secret(identity)), AUTH, "'Invalid issuer'", "it is no JWT")


def test_the_console_signs_in_as_well(
    service: Service, identity: IdentityProvider, trust: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    trust(identity)
    with open("/dev/null", "w", encoding="utf-8") as out:  # noqa: PTH123 - the answer is another test's
        code = main(["api", "projects", "list"], environment(service.url, by_secret(identity)), out)
    assert (code, capfd.readouterr().err) == (0, "4 rows\n")
    assert {request["auth"] for request in service.requests} == {"oidc"}


# --- What a provider says no with -------------------------------------------------------------------

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
    "not-json": ("HTTP 200: a page, 'Sign in'. Expected a JSON object", TRANSPORT),
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
    run: Run, service: Service, trust: Callable[..., None], tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with IdentityProvider(clients={CLIENT: SECRET}, ssl_context=context) as identity:
        trust(identity, tokens={"opaque-token-1": EMAIL})
        identity.answer = {"access_token": "opaque-token-1"}
        inputs = by_secret(identity, oidc_token_url="", oidc_issuer=identity.issuer)
        refused(run("find", **BUILD, **inputs), TRANSPORT, host(identity), "certificate", "ca-bundle")
        assert (identity.requests, service.sent) == ([], [])
        assert run("find", **BUILD, **inputs, ca_bundle=str(tmp_path / "ca.pem")).code == 0
        assert run("find", **BUILD, **inputs, env={"SSL_CERT_FILE": str(tmp_path / "ca.pem")}).code == 0
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
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
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
    with pytest.raises(
        TransportError, match=f"{host(identity)} (answers HTTP 302|redirects to an address that is none)"
    ):
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


# --- No stored secret -------------------------------------------------------------------------------

EXCHANGES = ["client-assertion", "token-exchange"]


class Job:
    """A job of GitHub or GitLab: what is in its environment, and who it is."""

    def __init__(self, name: str, issuer: IdentityProvider, audience: str = JOB_AUDIENCE) -> None:
        self.inputs = {"oidc_provider": name, "oidc_config_key": CONFIG_KEY}
        if name == "github":
            self.subject, self.environ = GITHUB_SUBJECT, {"GITHUB_ACTIONS": "true", **issuer.github_env}
        else:
            self.subject = GITLAB_SUBJECT
            self.environ = {"GITLAB_CI": "true", "APPDIST_ID_TOKEN": issuer.id_token(audience)}
        self.secret = self.environ.get("APPDIST_ID_TOKEN") or issuer.request_token


@in_both
@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_the_job_itself(
    run: Run, service: Service, hosted: IdentityProvider, trust: Callable[..., None], name: str
) -> None:
    trust(hosted)
    job = Job(name, hosted, AUDIENCE)
    inputs = {**BUILD, **job.inputs, "oidc_id_token_audience": AUDIENCE}
    done = run("promote", env=job.environ, tags="rc", to_folder="QA", **inputs)
    assert done.code == 0, done.log
    assert {(request["auth"], request["status"]) for request in service.requests} == {("oidc", 200)}
    assert_hidden(done.log + done.text, job.secret)
    asked = [seen for seen in hosted.requests if seen.path != "/jwks"]
    if name == "gitlab":
        assert asked == []
    else:
        (seen,) = asked
        assert (seen.method, seen.path) == ("GET", "/actions/idtoken")
        assert seen.query == {"api-version": "2.0", "audience": AUDIENCE}
        assert seen.headers["authorization"] == f"Bearer {hosted.request_token}"


@pytest.mark.parametrize("name", ["github", "gitlab"])
@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("form", ["form", "json"])
def test_the_job_exchanged(
    run: Run,
    service: Service,
    identity: IdentityProvider,
    hosted: IdentityProvider,
    trust: Callable[..., None],
    name: str,
    exchange: str,
    form: Any,
) -> None:
    job = Job(name, hosted)
    identity.trust, identity.accepts = Trust(hosted, JOB_AUDIENCE, job.subject), form
    trust(identity, scopes=SCOPES.split())
    asking = {"oidc_issuer": identity.issuer, "oidc_client_id": CLIENT, "oidc_scope": SCOPES}
    asking |= {"oidc_exchange": exchange, "oidc_token_format": form, "oidc_audience": AUDIENCE}
    done = run("find", env=job.environ, **BUILD, **job.inputs, **asking)
    assert done.code == 0, done.log
    assert {(request["auth"], request["status"]) for request in service.requests} == {("oidc", 200)}
    assert_hidden(done.log + done.text, job.secret)
    (seen,) = identity.token_requests
    fields = dict(seen.fields)
    id_token = fields.pop("client_assertion" if exchange == "client-assertion" else "subject_token")
    assert hosted.claims_of(id_token)["sub"] == job.subject
    if name == "gitlab":
        assert id_token == job.secret
    asked = {"client_id": CLIENT, "audience": AUDIENCE, "scope": SCOPES}
    assert fields == asked | (
        {"grant_type": CLIENT_CREDENTIALS, "client_assertion_type": JWT_BEARER}
        if exchange == "client-assertion"
        else {"grant_type": TOKEN_EXCHANGE, "subject_token_type": f"{TOKEN_TYPE}jwt"}
    )
    assert "authorization" not in seen.headers  # GitHub's request token is GitHub's alone
    queries = [seen.query for seen in hosted.requests if seen.path == "/actions/idtoken"]
    assert queries == ([{"api-version": "2.0", "audience": JOB_AUDIENCE}] if name == "github" else [])


def test_an_exchange_without_a_client(
    run: Run, identity: IdentityProvider, hosted: IdentityProvider, trust: Callable[..., None]
) -> None:
    job = Job("github", hosted)
    identity.trust = Trust(hosted, JOB_AUDIENCE, job.subject)
    trust(identity)
    asking = {"oidc_token_url": identity.token_url, "oidc_exchange": "token-exchange"}
    assert run("find", env=job.environ, **BUILD, **job.inputs, **asking).code == 0
    assert "client_id" not in identity.token_requests[0].fields


@pytest.mark.parametrize("name", ["github", "gitlab"])
@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize(
    ("trusted", "said"),
    [({"subject": "repo:octo/other"}, "AADSTS700213"), ({"audience": "api://AzureADTokenExchange"}, "AADSTS700212")],
)
def test_a_job_that_nobody_trusts(
    run: Run,
    service: Service,
    identity: IdentityProvider,
    hosted: IdentityProvider,
    name: str,
    exchange: str,
    trusted: dict[str, str],
    said: str,
) -> None:
    job = Job(name, hosted)
    identity.trust = Trust(hosted, **{"audience": JOB_AUDIENCE, "subject": job.subject, **trusted})
    identity.flavour, identity.echoes = "entra", True
    asking = {"oidc_token_url": identity.token_url, "oidc_exchange": exchange, "oidc_client_id": CLIENT}
    done = run("find", env=job.environ, **BUILD, **job.inputs, **asking)
    message = refused(done, AUTH, host(identity), said, "No matching federated identity record")
    assert job.secret not in message
    assert (len(identity.token_requests), service.sent) == (1, [])


@pytest.mark.parametrize("name", ["github", "gitlab"])
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_to_compare_when_nobody_trusts_the_job(
    run: Run, identity: IdentityProvider, hosted: IdentityProvider, name: str, exchange: str
) -> None:
    job = Job(name, hosted)
    identity.trust = Trust(hosted, JOB_AUDIENCE, "repo:octo/other")
    asking = {"oidc_token_url": identity.token_url, "oidc_exchange": exchange, "oidc_client_id": CLIENT}
    done = run("find", env=job.environ, **BUILD, **job.inputs, **asking, debug="true")
    # The claims of the ID token, which is the only one that there is.
    assert f"issuer {hosted.issuer}, audience {JOB_AUDIENCE}, subject {job.subject}" in done.log
    assert "oidc-client-secret" not in done.log  # there is none in this way
    assert_hidden(done.log + done.text, job.secret)


@pytest.mark.parametrize("missing", ["both", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
@pytest.mark.parametrize("event", ["push", "pull_request", "workflow_dispatch", ""])
def test_github_without_the_permission(
    run: Run, service: Service, hosted: IdentityProvider, missing: str, event: str
) -> None:
    job = Job("github", hosted)
    around = {name: text for name, text in hosted.github_env.items() if missing not in {"both", name}}
    env = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, **around}
    done = run("find", env=env, **BUILD, **job.inputs)
    assert done.code == INPUT
    assert re.search(r"\n +permissions:\n +id-token: write\n", done.log)
    assert ("pull request from a fork gets neither secrets nor an ID token" in done.log) is (event == "pull_request")
    assert_hidden(done.log + done.text, hosted.request_token)
    assert (hosted.requests, service.sent) == ([], [])


def test_not_on_github(run: Run, service: Service, hosted: IdentityProvider) -> None:
    job = Job("github", hosted)
    refused(run("find", env=hosted.github_env, **BUILD, **job.inputs), INPUT, "this is not GitHub Actions")
    env = {**hosted.github_env, "GITLAB_CI": "true"}
    refused(run("find", env=env, **BUILD, **job.inputs), INPUT, "this is not GitHub Actions")
    assert (hosted.requests, service.sent) == ([], [])


@pytest.mark.parametrize("env", [{}, {"GITLAB_CI": "true"}, {"GITLAB_CI": "true", "APPDIST_ID_TOKEN": ""}], ids=str)
def test_gitlab_without_the_variable(run: Run, service: Service, hosted: IdentityProvider, env: dict[str, str]) -> None:
    job = Job("gitlab", hosted)
    done = run("find", env=env, **BUILD, **job.inputs, oidc_id_token_audience="api://other")
    assert done.code == INPUT
    assert re.search(r"\n +id_tokens:\n +APPDIST_ID_TOKEN:\n +aud: api://other\n", done.log)
    assert service.sent == []


@pytest.mark.parametrize("token", ["two words", "first-line\nsecond-line", "tökén-0001", "ключ-0001", " \n"])
def test_an_id_token_that_is_none(run: Run, service: Service, token: str) -> None:
    env = {"GITLAB_CI": "true", "APPDIST_ID_TOKEN": token}
    done = run("find", env=env, **BUILD, oidc_provider="gitlab", oidc_config_key=CONFIG_KEY, retries="0")
    assert done.code == INPUT, done.log
    assert "APPDIST_ID_TOKEN" in done.log
    assert service.sent == []


@pytest.mark.parametrize(
    ("order", "code", "fragment"),
    [
        ({"status": 401, "body": '{"message": "not valid"}'}, AUTH, "HTTP 401: not valid"),
        ({"status": 200, "body": "<html><title>Proxy</title>"}, TRANSPORT, "a page, 'Proxy'"),
        ({"status": 200, "body": '{"count": 0}'}, TRANSPORT, "has none"),
        ({"status": 302, "headers": {"Location": "/jwks"}}, TRANSPORT, "HTTP 302"),
    ],
    ids=str,
)
def test_github_gives_none(
    run: Run, service: Service, hosted: IdentityProvider, order: dict[str, Any], code: int, fragment: str
) -> None:
    job = Job("github", hosted)
    hosted.fail("/idtoken", times=None, **order)
    message = refused(run("find", env=job.environ, **BUILD, **job.inputs), code, fragment)
    assert "Asking GitHub for an ID token" in message
    assert hosted.request_token not in message
    assert (len(hosted.requests), service.sent) == (1, [])


def test_the_request_token_goes_over_https_only(run: Run, hosted: IdentityProvider) -> None:
    job = Job("github", hosted)
    env = {**job.environ, "ACTIONS_ID_TOKEN_REQUEST_URL": "http://runner.example/idtoken?api-version=2.0"}
    refused(run("find", env=env, **BUILD, **job.inputs), INPUT, "ACTIONS_ID_TOKEN_REQUEST_URL is not https")


@pytest.mark.parametrize("exchange", ["none", *EXCHANGES])
def test_every_token_is_masked_on_github(
    process: Process,
    service: Service,
    identity: IdentityProvider,
    hosted: IdentityProvider,
    trust: Callable[..., None],
    exchange: str,
) -> None:
    direct = exchange == "none"
    job = Job("github", hosted)
    identity.trust = Trust(hosted, JOB_AUDIENCE, job.subject)
    trust(hosted if direct else identity, audience=JOB_AUDIENCE if direct else AUDIENCE)
    asking = {"oidc_token_url": identity.token_url, "oidc_exchange": exchange, "oidc_client_id": CLIENT}
    inputs = {**BUILD, **job.inputs, **({} if direct else asking), "tags": "rc", "debug": "true"}
    done = process(
        "tag", env={**job.environ, **{f"APPDIST_INPUT_{name.upper()}": text for name, text in inputs.items()}}
    )
    assert done.code == 0, done.text
    mask = "::add-mask::"
    lines = done.text.splitlines()
    masked = [line.removeprefix(mask) for line in lines if line.startswith(mask)]
    tokens = [text for text in masked if text.startswith("eyJ")]
    assert {CONFIG_KEY, hosted.request_token} <= set(masked)
    about = [identity.claims_of(token) for token in tokens]
    issuers = [hosted.issuer] if direct else [hosted.issuer, identity.issuer]
    assert [claims["iss"] for claims in about] == issuers
    rest = "\n".join(line for line in lines if not line.startswith(mask)) + done.log + repr(done.files)
    assert_hidden(rest, hosted.request_token)
    assert github_outputs(done.files["github-output"])["changed"] == "true"
    # Before the service was asked, and the debug lines told of it.
    order = [number for number, line in enumerate(lines) if line.startswith(mask) or "PATCH" in line]
    assert "PATCH" in lines[order[-1]]
    assert not [number for number in order[:-1] if "PATCH" in lines[number]]
    assert {request["auth"] for request in service.requests} == {"oidc"}


# --- Claims -----------------------------------------------------------------------------------------

TIMES = re.compile(
    r"issued 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, not before 20\d\d-\S+Z, expires 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
)


@in_both
def test_the_claims_are_shown_to_who_looks_for_them(
    run: Run, identity: IdentityProvider, trust: Callable[..., None]
) -> None:
    trust(identity)
    shown = f"issuer {identity.issuer}, audience {AUDIENCE}, subject {CLIENT}"
    done = run("find", **BUILD, **by_secret(identity, debug="true"))
    assert done.code == 0
    (line,) = [line for line in done.log.splitlines() if shown in line]
    assert TIMES.search(line)
    assert_hidden(done.log + done.text)
    quiet = run("find", **BUILD, **by_secret(identity))
    assert (quiet.code, "issuer" in quiet.log) == (0, False)
    trust(identity, audience="https://other.example")
    message = refused(run("find", **BUILD, **by_secret(identity)), AUTH, shown, "'Invalid audience'")
    assert TIMES.search(message)


def test_the_claims_of_a_job(run: Run, hosted: IdentityProvider, trust: Callable[..., None]) -> None:
    trust(hosted)  # which wants another audience
    job = Job("github", hosted)
    done = run("find", env=job.environ, **BUILD, **job.inputs)
    claims = f"issuer {hosted.issuer}, audience {JOB_AUDIENCE}, subject {GITHUB_SUBJECT}"
    refused(done, AUTH, claims, "oidc-id-token-audience")


def test_the_claims_of_a_token_that_is_there(run: Run, identity: IdentityProvider, trust: Callable[..., None]) -> None:
    trust(identity, audience="https://other.example")
    done = run("find", **BUILD, oidc_token=identity.token(scp=["a", "b"]), oidc_config_key=CONFIG_KEY)
    refused(done, AUTH, f"issuer {identity.issuer}, audience {AUDIENCE}", "scopes ['a', 'b']")


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "x\n::error::y\n##[error]z\x1b[31m"},
        {"sub": None, "aud": None, "iss": None, "exp": None, "iat": None, "nbf": None},
        {"sub": ["a"], "aud": {"b": 1}, "iss": 1},
        {"exp": "soon", "iat": [], "nbf": {}},
        {"exp": 10**400},
        {"exp": -(10**400), "iat": 1e308},
        {"exp": True},
        {"sub": "s" * 3000},
    ],
    ids=lambda claims: str(claims)[:60],
)
@pytest.mark.parametrize("way", ["client", "token"])
def test_odd_claims_do_no_harm(
    run: Run, identity: IdentityProvider, trust: Callable[..., None], way: str, claims: dict[str, Any]
) -> None:
    trust(identity)
    odd = identity.forge("HS256", **{"aud": "other"} | claims)  # PyJWT signs no such times
    identity.answer = {"expires_in": None, "access_token": odd}
    inputs = by_secret(identity) if way == "client" else {"oidc_token": odd, "oidc_config_key": CONFIG_KEY}
    message = refused(run("find", **BUILD, **inputs), AUTH)
    assert not re.search(r"^\s*::|##\[|\x1b", message, re.MULTILINE)
    assert len(message) < 2000


# --- Exactly one way --------------------------------------------------------------------------------

SOME = {
    "email": EMAIL,
    "api_key": API_KEY,
    "oidc_config_key": CONFIG_KEY,
    "oidc_token": "t0ken-0001",
    "oidc_provider": "github",
    "oidc_id_token_audience": "api://other",
    "oidc_exchange": "client-assertion",
    "oidc_issuer": "https://login.example/",
    "oidc_token_url": "https://login.example/token",
    "oidc_client_id": "ci-client",
    "oidc_client_secret": SECRET,
    "oidc_audience": AUDIENCE,
    "oidc_scope": "builds:write",
    "oidc_token_format": "json",
    "oidc_client_auth": "basic",
}
BASIC = {"email", "api_key"}
ENDPOINT = {"oidc_token_url", "oidc_issuer"}
REQUEST = {"oidc_audience", "oidc_scope", "oidc_token_format"}


def documented(given: set[str], exchange: str = "client-assertion") -> bool:
    """Whether docs/reference/sign-in.md has a row for just these inputs."""
    if given in ({"api_key"}, BASIC):
        return True
    oidc = given - {"oidc_config_key"}
    if oidc == given or oidc & BASIC:
        return False
    if oidc == {"oidc_token"}:
        return True
    if "oidc_provider" in oidc:
        more = oidc - {"oidc_provider", "oidc_id_token_audience"}
        # Whose assertion it is has to be said.
        known = exchange == "token-exchange" or "oidc_client_id" in more
        exchanged = "oidc_exchange" in more and len(more & ENDPOINT) == 1 and known
        return not more or (exchanged and more <= {"oidc_exchange", "oidc_client_id"} | ENDPOINT | REQUEST)
    client = {"oidc_client_id", "oidc_client_secret"}
    return len(oidc & ENDPOINT) == 1 and client <= oidc <= client | {"oidc_client_auth"} | ENDPOINT | REQUEST


def accepted(texts: dict[str, str]) -> str:
    """Nothing if these inputs are a way to sign in, else the message."""
    try:
        parse(ConnectionInputs, texts)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_just_the_documented_ways_are_accepted(exchange: str) -> None:
    """Every subset of the inputs there is."""
    odd: list[str] = []
    good = 0
    for wanted in itertools.product([False, True], repeat=len(SOME)):
        texts = dict(itertools.compress((SOME | {"oidc_exchange": exchange}).items(), wanted))
        problem = accepted(texts)
        good += not problem
        names = [name.replace("_", "-") for name in texts]
        told = not problem or not names or any(name in problem for name in names)
        shown = [secret for secret in (CONFIG_KEY, API_KEY, SECRET, "t0ken-0001") if secret in problem]
        if documented(set(texts), exchange) is bool(problem) or not told or shown or len(problem.splitlines()) > 1:
            odd.append(f"{', '.join(names)}: {problem or 'accepted'}")
    assert not odd, "\n".join([f"{len(odd)}, among them", *odd[:: max(1, len(odd) // 20)]])
    # Two by key and one by token; client credentials with each of 4 more; the job itself and an audience or not;
    # the job exchanged, with each of 4 more, and of 5 where even the client is one of them.
    assert good == 3 + 2 * 2**4 + 2 + 2 * 2 ** (4 if exchange == "client-assertion" else 5)


@given(
    names=st.sets(st.sampled_from(sorted(SOME))),
    base=st.sampled_from(
        [
            set[str](),
            BASIC,
            {"oidc_token", "oidc_config_key"},
            {"oidc_token_url", "oidc_client_id", "oidc_client_secret", "oidc_config_key"},
            {"oidc_provider", "oidc_config_key"},
            {"oidc_provider", "oidc_exchange", "oidc_issuer", "oidc_config_key", "oidc_client_id"},
        ]
    ),
    few=st.sets(st.sampled_from(sorted(SOME)), max_size=2),
    near=st.booleans(),
    around=st.sets(st.sampled_from(sorted(SOME))),
    empty=st.sets(st.sampled_from(sorted(SOME))),
)
def test_an_input_leaves_the_other_ways_of_the_environment_aside(
    names: set[str], base: set[str], few: set[str], near: bool, around: set[str], empty: set[str]
) -> None:
    wanted = base ^ few if near else names
    environ = dict.fromkeys((f"APPDIST_INPUT_{name.upper()}" for name in empty & around), "")
    explicit = wanted - around
    for name in wanted:
        environ[f"APPDIST_{'' if name in around else 'INPUT_'}{name.upper()}"] = SOME[name]
    may_come = explicit | {
        name for name in wanted & around if not (explicit - BASIC if name in BASIC else explicit & BASIC)
    }
    texts, ignored = gather(ConnectionInputs, {}, environ)
    assert explicit <= set(texts) <= may_come
    assert set(ignored) == {f"APPDIST_{name.upper()}" for name in wanted - set(texts)}
    assert documented(set(texts)) is not bool(accepted(texts))
    # What is a way by itself, or with the config key, stays one, whatever an earlier job left.
    if documented(explicit) or documented(explicit | ({"oidc_config_key"} & wanted)):
        assert accepted(texts) == ""


WAY_INPUTS = {
    "client": "oidc_token_url oidc_client_id oidc_client_secret oidc_config_key",
    "exchange": "oidc_provider oidc_exchange oidc_token_url oidc_client_id oidc_config_key",
    "job": "oidc_provider oidc_config_key",
    "token": "oidc_token oidc_config_key",
    "": "",
}


@pytest.mark.parametrize(
    ("way", "less", "more", "fragments"),
    [
        ("client", "oidc_token_url", "", ["without oidc-token-url or oidc-issuer", "client credentials"]),
        ("client", "oidc_client_id", "", ["without oidc-client-id"]),
        ("client", "oidc_client_secret", "", ["without oidc-client-secret"]),
        ("client", "oidc_config_key", "", ["without oidc-config-key"]),
        ("client", "", "oidc_token", ["oidc-token does not belong", "client credentials"]),
        ("client", "", "oidc_exchange", ["oidc-exchange does not belong"]),
        ("client", "", "oidc_id_token_audience", ["oidc-id-token-audience does not belong"]),
        ("client", "", "oidc_provider", ["oidc-client-secret", "does not belong"]),
        ("client", "", "oidc_issuer", ["oidc-token-url", "oidc-issuer"]),
        ("exchange", "oidc_exchange", "", ["without oidc-exchange"]),
        ("exchange", "oidc_token_url", "", ["without oidc-token-url or oidc-issuer"]),
        ("exchange", "oidc_provider", "", ["without oidc-provider"]),
        ("exchange", "oidc_client_id", "", ["client-assertion", "oidc-client-id"]),
        ("exchange", "oidc_config_key", "", ["without oidc-config-key"]),
        ("exchange", "", "oidc_client_secret", ["oidc-client-secret does not belong"]),
        ("exchange", "", "oidc_client_auth", ["oidc-client-auth does not belong"]),
        ("job", "oidc_config_key", "", ["oidc-provider is given without oidc-config-key"]),
        ("job", "", "oidc_audience", ["oidc-exchange", "oidc-token-url or oidc-issuer"]),
        ("job", "", "oidc_token", ["does not belong"]),
        ("token", "oidc_config_key", "", ["oidc-token is given without oidc-config-key"]),
        ("token", "oidc_token", "", ["without a token", "oidc-token, oidc-client-id or oidc-provider"]),
        ("token", "", "oidc_scope", ["oidc-scope does not belong", "access token is oidc-token and oidc-config-key"]),
        ("token", "", "api_key", ["api-key or by OIDC, not both"]),
        ("token", "", "email api_key", ["email and api-key or by OIDC, not both"]),
        ("", "", "oidc_token_format", ["oidc-token-format is given without"]),
        ("", "", "email", ["email is given without api-key"]),
    ],
)
def test_what_does_not_belong_together(
    run: Run, service: Service, way: str, less: str, more: str, fragments: list[str]
) -> None:
    names = [name for name in WAY_INPUTS[way].split() if name != less] + more.split()
    alone = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
    done = run("find", env=alone, **BUILD, **{name: SOME[name] for name in names})
    refused(done, INPUT, *fragments)
    assert service.sent == []


@pytest.mark.parametrize(
    ("name", "text", "fragment"),
    [
        ("oidc_token_url", "http://login.example/token", "oidc-token-url is not https"),
        ("oidc_token_url", "https://me:pass-0001@login.example/token", "oidc-token-url has credentials in it"),
        ("oidc_token_url", "login.example", "oidc-token-url is not a URL"),
        ("oidc_token_url", "https://[::1/token", "oidc-token-url is not a URL"),
        ("oidc_token_format", "xml", "oidc-token-format is 'xml', expected one of form, json"),
        ("oidc_client_auth", "post", "oidc-client-auth is 'post', expected one of body, basic"),
        ("oidc_client_secret", "first-line\nsecond-line", "oidc-client-secret"),
        ("oidc_scope", f"a {SECRET}", "oidc-scope has one of the credentials in it"),
    ],
)
def test_inputs_that_are_none(
    run: Run, identity: IdentityProvider, service: Service, name: str, text: str, fragment: str
) -> None:
    done = run("find", **BUILD, **by_secret(identity, **{name: text}))
    assert "pass-0001" not in refused(done, INPUT, fragment)
    assert (identity.requests, service.sent) == ([], [])


@pytest.mark.parametrize("auth", ["body", "basic"])
@pytest.mark.parametrize("secret", [CLIENT_SECRET, "".join(map(chr, range(0x20, 0x7F))).strip()])
def test_a_secret_may_have_any_character(
    run: Run, identity: IdentityProvider, trust: Callable[..., None], secret: str, auth: str
) -> None:
    """RFC 6749, appendix A.2: every printable one, a blank too."""
    trust(identity)
    identity.clients = {CLIENT: secret}
    done = run("find", **BUILD, **by_secret(identity, oidc_client_secret=secret, oidc_client_auth=auth))
    assert done.code == 0, done.log


# --- What the service says of a token ----------------------------------------------------------------


def claimed(**claims: Any) -> Callable[[IdentityProvider], None]:
    return lambda identity: identity.claims.update(claims)


def forged(alg: str) -> Callable[[IdentityProvider], None]:
    return lambda identity: identity.answer.update(access_token=identity.forge(alg, scope=SCOPES))


def nothing(_: IdentityProvider) -> None:
    """The token is a good one."""


# The documented message, the account's settings, the token, the inputs, and what is to be done.
Row = tuple[dict[str, Any], "Callable[[IdentityProvider], None]", dict[str, str], str]
MESSAGES: dict[str, Row] = {
    "X-OIDC-Config-Key header required": ({}, nothing, {}, "give oidc-config-key"),
    "Invalid config key": ({}, nothing, {"oidc_config_key": "oidc_company_0002"}, "not the one of this account"),
    "OIDC not enabled for this organization": ({}, nothing, {}, "an admin must switch OIDC on"),
    "Invalid issuer": ({"issuer": "https://login.other.example"}, nothing, {}, "issuer must be the one in the account"),
    "Invalid audience": ({"audience": AUDIENCE.upper()}, nothing, {}, "(case matters)"),
    "Token has expired": ({}, claimed(exp=1), {}, "fetch a new token"),
    "Invalid token signature": ({}, forged("RS256"), {}, "not signed by a key of the issuer's JWKS"),
    "Missing required scope": ({}, nothing, {"oidc_scope": "builds:read"}, "see oidc-scope"),
    "Failed to fetch JWKS": ({}, lambda it: it.fail("/jwks", times=None), {}, "cannot read the issuer's keys"),
    "Unsupported algorithm": ({}, forged("PS256"), {}, "RS256, RS384 or RS512"),
}


@in_both
@pytest.mark.parametrize("message", MESSAGES)
def test_every_documented_message_is_explained(
    run: Run,
    service: Service,
    identity: IdentityProvider,
    trust: Callable[..., None],
    seed: dict[str, Any],
    message: str,
) -> None:
    settings, arrange, inputs, hint = MESSAGES[message]
    trust(identity, scopes=SCOPES.split(), **settings)
    arrange(identity)
    if message.startswith("OIDC not enabled"):
        del seed["oidc"]
        service.reset(seed)
    elif message.startswith("X-OIDC"):  # which we always send
        service.fault(path="/api/", times=9, status=401, body={**REFUSED, "message": message})
    done = run("find", **BUILD, **by_secret(identity, **{"oidc_scope": SCOPES, **inputs}))
    claims = f"issuer {identity.issuer}, audience {AUDIENCE}, subject "
    refused(done, AUTH, f"It says {message!r}", hint, claims, "expires ")
    assert "oidc_company_0002" not in done.log
    assert {request["status"] for request in service.requests} == {401}


# --- A long run -------------------------------------------------------------------------------------


@pytest.fixture
def client(service: Service, identity: IdentityProvider, trust: Callable[..., None]) -> Iterator[Client]:
    trust(identity)
    with Client.from_env(environment(service.url, by_secret(identity))) as client:
        yield client


def test_a_script_signs_in_by_its_environment(
    client: Client, service: Service, identity: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "sauce_appdist")
    assert len(client.projects.list()) == 4
    client.builds.update(ANDROID, NEWEST_ANDROID, tags=["rc"])
    assert {(request["auth"], request["status"]) for request in service.requests} == {("oidc", 200)}
    assert len(identity.token_requests) == 1
    assert f"subject {CLIENT}" in caplog.text
    assert_hidden(caplog.text + repr(client) + repr(client.transport))


def test_nothing_is_fetched_before_it_is_needed(client: Client, identity: IdentityProvider) -> None:
    assert identity.requests == []
    client.projects.list()
    assert len(identity.token_requests) == 1


@pytest.mark.parametrize(
    ("lifetime", "answer", "life"),
    [
        (3600, {}, 3540),
        (100, {}, 80),
        (100, {"expires_in": None}, 80),  # by the token's own `exp`
        (3600, {"expires_in": "100"}, 80),  # a text, as some send it
        (3600, {"expires_in": 100.0}, 80),
        (3600, {"expires_in": None, "access_token": "opaque-token-1"}, None),
    ],
)
def test_a_token_is_given_up_a_little_before_its_end(
    identity: IdentityProvider, lifetime: float, answer: dict[str, Any], life: float | None
) -> None:
    identity.lifetime, identity.answer = lifetime, answer
    ask, _ = provider(identity)
    before = time.monotonic()
    until = ask.by_secret().until
    if life is None:
        assert until is None
    else:
        assert until is not None
        assert before + life - 1 <= until <= time.monotonic() + life + 1


def test_a_token_is_fetched_again_before_it_ends(client: Client, service: Service, identity: IdentityProvider) -> None:
    identity.lifetime = 3  # and not used in its last fifth
    client.projects.list()
    client.projects.list()
    assert len(identity.token_requests) == 1
    time.sleep(2.6)
    client.builds.update(ANDROID, NEWEST_ANDROID, tags=["rc"])
    client.projects.list()
    assert len(identity.token_requests) == 2
    assert {request["status"] for request in service.requests} == {200}
    assert len(service.writes) == 1


def test_github_is_asked_again(service: Service, hosted: IdentityProvider, trust: Callable[..., None]) -> None:
    trust(hosted, audience=JOB_AUDIENCE)
    job = Job("github", hosted)
    now = int(time.time())
    hosted.github_claims = {"exp": now + 3}
    with Client.from_env({**environment(service.url, job.inputs), **job.environ}) as client:
        client.projects.list()
        time.sleep(max(0.0, now + 3 - time.time()))
        hosted.github_claims = {}
        client.projects.list()
        client.projects.list()
    assert [seen.path for seen in hosted.requests].count("/actions/idtoken") == 2
    assert {request["status"] for request in service.requests} == {200}


def rotated(service: Service, identity: IdentityProvider) -> None:
    """The provider has new keys, and the service knows: what was signed before is refused."""
    identity.rotate(keep_old=False)
    with Client.from_env(environment(service.url, by_secret(identity))) as other:
        other.projects.list()


def test_a_read_is_refused_once(client: Client, service: Service, identity: IdentityProvider) -> None:
    client.projects.list()
    rotated(service, identity)
    assert len(client.projects.list()) == 4
    client.projects.list()
    assert [request["status"] for request in service.requests] == [200, 200, 401, 200, 200]
    assert len(identity.token_requests) == 3  # one is `rotated`'s


def test_a_write_is_never_sent_again_for_it(client: Client, service: Service, identity: IdentityProvider) -> None:
    client.projects.list()
    rotated(service, identity)
    with pytest.raises(AuthError, match="Invalid token signature") as caught:
        client.builds.update(ANDROID, NEWEST_ANDROID, tags=["rc"])
    assert not caught.value.sent
    assert (len(service.writes), len(identity.token_requests)) == (1, 2)


def test_there_is_one_renewal_a_request(client: Client, service: Service, identity: IdentityProvider) -> None:
    client.projects.list()
    service.fault(path="/api/", times=9, status=401, body=REFUSED)
    for number in (1, 2):
        with pytest.raises(AuthError, match="Token has expired"):
            client.projects.list()
        assert (len(service.requests), len(identity.token_requests)) == (1 + 2 * number, 1 + number)


def test_nor_more_for_one_that_is_retried(client: Client, service: Service, identity: IdentityProvider) -> None:
    for status in (401, 503, 401):
        service.fault(path="/api/", times=1, status=status, body={**REFUSED, "message": "Token has expired"})
    with pytest.raises(AuthError, match="Token has expired"):
        client.projects.list()
    assert [request["status"] for request in service.requests] == [401, 503, 401]
    assert len(identity.token_requests) == 2


def test_a_renewal_that_is_refused(client: Client, service: Service, identity: IdentityProvider) -> None:
    client.projects.list()
    rotated(service, identity)
    identity.clients = {CLIENT: "another-secret"}
    with pytest.raises(AuthError, match=f"{host(identity)} answers HTTP 401: invalid_client"):
        client.projects.list()
    assert len(identity.token_requests) == 3
    identity.clients = {CLIENT: SECRET}
    assert len(client.projects.list()) == 4


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_provider_that_refuses_is_asked_once(
    client: Client, service: Service, identity: IdentityProvider, method: str
) -> None:
    identity.clients = {}
    with pytest.raises(AuthError, match=re.escape(host(identity))) as caught:
        client.transport.request(method, "/api/1/projects/", Reply)
    assert not caught.value.sent
    assert (len(identity.token_requests), service.sent) == (1, [])


@pytest.mark.parametrize(
    "order",
    [
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"body": b"no gzip", "headers": {"Content-Encoding": "gzip"}},
        {"status": 302, "headers": {"Location": "https://[::1/"}},
    ],
    ids=str,
)
def test_a_write_that_got_no_token_was_not_sent(
    client: Client, service: Service, identity: IdentityProvider, order: dict[str, Any]
) -> None:
    identity.fail(times=None, **{"status": 200, **order})
    with pytest.raises(TransportError, match=host(identity)) as caught:
        client.builds.update(ANDROID, NEWEST_ANDROID, tags=["rc"])
    assert not caught.value.sent
    assert service.sent == []


@pytest.mark.parametrize("way", ["token", "gitlab"])
def test_what_cannot_be_fetched_again_is_not_tried_again(
    run: Run, service: Service, hosted: IdentityProvider, trust: Callable[..., None], way: str
) -> None:
    trust(hosted, audience="https://other.example")
    job = Job("gitlab", hosted)
    token = {"oidc_token": hosted.token(), "oidc_config_key": CONFIG_KEY}
    done = run("find", env=job.environ, **BUILD, **(token if way == "token" else job.inputs))
    refused(done, AUTH, "'Invalid audience'")
    assert [request["status"] for request in service.requests] == [401]


# --- A token that is there already ------------------------------------------------------------------


@in_both
def test_a_token_of_the_environment(
    run: Run, service: Service, identity: IdentityProvider, trust: Callable[..., None]
) -> None:
    trust(identity)
    token = identity.token()
    env = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
    env |= {"APPDIST_OIDC_TOKEN": token, "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY}
    done = run("tag", env=env, **BUILD, tags="rc", debug="true")
    assert done.code == 0, done.log
    assert {request["auth"] for request in service.requests} == {"oidc"}
    assert {seen.path for seen in identity.requests} == {"/jwks"}  # by the service
    assert f"issuer {identity.issuer}" in done.log
    assert_hidden(done.log + done.text, token)


def test_the_time_that_a_token_takes_is_not_the_requests(
    identity: IdentityProvider, trust: Callable[..., None], service: Service
) -> None:
    """A write that was done in time must not count as one of unknown fate because the provider was slow."""
    trust(identity)
    environ = {f"APPDIST_{name.upper()}": text for name, text in by_secret(identity).items()}
    identity.fail(times=1, status=503)
    identity.fail(times=1, skip=1, delay=1.5)
    with Client.from_env({**environ, "APPDIST_BASE_URL": service.url, "APPDIST_TIMEOUT": "2s"}) as client:
        assert client.builds.update(ANDROID, NEWEST_ANDROID, tags=["slow"]).tags == ["slow"]


def test_the_pair_of_basic_is_a_secret_too(server: HTTPServer) -> None:
    def echo(request: Request) -> Response:
        said = {"error": "invalid_request", "error_description": f"bad header {request.headers['Authorization']}"}
        return Response(json.dumps(said), 400, content_type="application/json")

    server.expect_request("/token").respond_with_handler(echo)
    redact = Redactor()
    http = TokenHttp(redact=redact, learn=redact.add)
    provider_ = Provider(http, token_url=server.url_for("/token"), client_id="ci", client_secret=SECRET, basic=True)
    with pytest.raises(AuthError, match=r"bad header Basic \*\*\*"):
        provider_.by_secret()
