"""Client credentials: what is sent to the token endpoint, and how it is found."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from werkzeug import Request, Response

from auth.support import AUTH, CLIENT, SCOPES, SECRET, assert_hidden, by_secret, environment, refused
from harness import BUILD, EMAIL, Run, Service, in_both
from identity import AUDIENCE, CLIENT_CREDENTIALS, IdentityProvider
from sauce_appdist.auth.oidc import Provider, TokenHttp
from sauce_appdist.cli import main
from sauce_appdist.errors import AuthError
from sauce_appdist.text import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer


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
    assert "no readable claims (it is not a JWT)" in done.log
    assert_hidden(done.log + done.text, "opaque-token-1")
    identity.answer = {"access_token": "opaque-token-2"}
    refused(run("find", **BUILD, **by_secret(identity)), AUTH, "'Invalid issuer'", "it is not a JWT")


def test_the_console_signs_in_as_well(
    service: Service, identity: IdentityProvider, trust: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    trust(identity)
    with open("/dev/null", "w", encoding="utf-8") as out:  # noqa: PTH123 - the answer is another test's
        code = main(["api", "projects", "list"], environment(service.url, by_secret(identity)), out)
    assert (code, capfd.readouterr().err) == (0, "4 rows\n")
    assert {request["auth"] for request in service.requests} == {"oidc"}


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
