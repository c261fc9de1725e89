"""The provider that the tests sign in at, as far as they rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import jwt
import pytest
import requests

from identity import (
    AUDIENCE,
    CLIENT_CREDENTIALS,
    CLIENT_ID,
    CLIENT_SECRET,
    GITHUB_SUBJECT,
    GITLAB_SUBJECT,
    JWT_BEARER,
    TOKEN_EXCHANGE,
    IdentityProvider,
    Trust,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from identity import Flavour
    from servers import Company

BODY = {"grant_type": CLIENT_CREDENTIALS, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
GRANT = {"grant_type": CLIENT_CREDENTIALS}
ENCODED = (quote_plus(CLIENT_ID), quote_plus(CLIENT_SECRET))


@pytest.fixture
def identity() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        yield running


def ask(url: str, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = options.pop("verify", True)
        return session.request("POST" if {"data", "json"} & options.keys() else "GET", url, timeout=10, **options)


def verified(token: str, identity: IdentityProvider, audience: str) -> dict[str, Any]:
    """What a service finds that starts from the issuer's name alone."""
    found = ask(identity.issuer.rstrip("/") + "/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(ask(found["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]].key
    claims: dict[str, Any] = jwt.decode(
        token, key, ["RS256", "RS384", "RS512"], audience=audience, issuer=found["issuer"]
    )
    return claims


@pytest.mark.parametrize("path", ["", "/", "/realms/main"])
def test_a_token_is_good_for_who_knows_the_issuer(path: str) -> None:
    with IdentityProvider(path=path, lifetime=90) as identity:
        found = ask(identity.issuer.rstrip("/") + "/.well-known/openid-configuration").json()
        assert found["issuer"] == identity.issuer
        answer = ask(found["token_endpoint"], data={**BODY, "audience": AUDIENCE, "scope": "upload read"})
        data = answer.json()
        assert (data["token_type"], data["expires_in"], data["scope"]) == ("Bearer", 90, "upload read")
        claims = verified(data["access_token"], identity, AUDIENCE)
        assert (claims["sub"], claims["scope"]) == (CLIENT_ID, "upload read")
        assert 90 <= claims["exp"] - claims["iat"] <= 91
        assert ask(identity.token_url, data=BODY).json()["access_token"] != data["access_token"]


@pytest.mark.parametrize(
    ("settings", "request_", "status"),
    [
        ({"client_auth": "body"}, {"data": BODY}, 200),
        ({"client_auth": "basic"}, {"data": BODY}, 401),
        ({"client_auth": "basic"}, {"data": GRANT, "auth": ENCODED}, 200),
        ({"client_auth": "body"}, {"data": GRANT, "auth": ENCODED}, 401),
        ({}, {"data": GRANT, "auth": (CLIENT_ID, CLIENT_SECRET.encode())}, 401),  # not encoded
        ({}, {"data": BODY, "auth": ENCODED}, 400),
        ({}, {"data": {**BODY, "client_secret": "x"}}, 401),
        ({}, {"data": {**BODY, "client_id": "x"}}, 401),
        ({}, {"data": BODY, "params": {"audience": AUDIENCE}}, 400),
        ({}, {"data": [*BODY.items(), ("scope", "a"), ("scope", "b")]}, 400),
        ({"accepts": "form"}, {"data": BODY}, 200),
        ({"accepts": "form"}, {"json": BODY}, 400),
        ({"accepts": "json"}, {"json": BODY}, 200),
        ({"accepts": "json"}, {"data": BODY}, 400),
        ({}, {"json": {**BODY, "scope": ["a"]}}, 400),
        ({}, {"data": {**BODY, "grant_type": "password"}}, 400),
        ({}, {"data": {**BODY, "grant_type": TOKEN_EXCHANGE}}, 400),
        ({}, {"data": {**BODY, "audience": "other"}}, 403),
        ({}, {"data": {**BODY, "scope": f"{AUDIENCE}/.default"}}, 200),
        ({"scopes": {"a"}}, {"data": {**BODY, "scope": "a"}}, 200),
        ({"scopes": {"a"}}, {"data": {**BODY, "scope": "a b"}}, 400),
    ],
)
def test_the_token_endpoint(settings: dict[str, Any], request_: dict[str, Any], status: int) -> None:
    with IdentityProvider(**settings) as identity:
        answer = ask(identity.token_url, **request_)
        assert (answer.status_code, "access_token" in answer.json()) == (status, status == 200), answer.text
        seen = identity.token_requests[0]
        assert seen.basic == ("auth" in request_)
        assert seen.content_type == ("application/json" if "json" in request_ else "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("claims", "about"),
    [
        ({}, None),
        ({"aud": "other"}, "audience 'other'"),
        ({"sub": "repo:evil/fork:ref:refs/heads/main"}, "subject 'repo:evil/fork"),
        ({"iss": "https://other.example"}, "issuer 'https://other.example'"),
        ({"exp": 1}, "time range"),
        ({"exp": None}, "audience"),
        ({"alg": "forged"}, "signature"),
    ],
)
@pytest.mark.parametrize("how", ["client_assertion", "subject_token"])
def test_a_trusted_issuers_token_is_as_good_as_a_secret(how: str, claims: dict[str, Any], about: str | None) -> None:
    with IdentityProvider() as gitlab, IdentityProvider(flavour="entra") as identity:
        identity.trust = Trust(gitlab, "api://AzureADTokenExchange", GITLAB_SUBJECT)
        if claims == {"alg": "forged"}:
            token = gitlab.forge(aud="api://AzureADTokenExchange", sub=GITLAB_SUBJECT)
        else:
            token = gitlab.id_token(**{"audience": "api://AzureADTokenExchange"} | claims)
        body = {
            "client_assertion": {**GRANT, "client_id": CLIENT_ID, how: token, "client_assertion_type": JWT_BEARER},
            "subject_token": {
                "grant_type": TOKEN_EXCHANGE,
                "subject_token": token,
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
                "audience": AUDIENCE,
            },
        }[how]
        answer = ask(identity.token_url, data=body)
        if about:
            assert answer.status_code == 401
            assert about in answer.json()["error_description"]
        else:
            assert verified(answer.json()["access_token"], identity, AUDIENCE)["iss"] == identity.issuer
        for name in body.keys() - {"audience"}:  # each of the others is needed
            assert ask(identity.token_url, data={**body, name: ""}).status_code in {400, 401}, name


def test_an_exchange_may_need_the_client_too() -> None:
    with IdentityProvider() as github, IdentityProvider(exchange_needs_client=True) as identity:
        identity.trust = Trust(github, "aud", GITLAB_SUBJECT)
        body = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": github.id_token("aud"),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        }
        assert ask(identity.token_url, data=body).status_code == 401
        assert ask(identity.token_url, data=body, auth=ENCODED).json()["issued_token_type"].endswith(":access_token")


def test_github_gives_id_tokens_to_who_has_the_request_token(identity: IdentityProvider) -> None:
    url, token = identity.github_env.values()
    assert ask(url + "&audience=a%2Fb").status_code == 401
    answer = ask(url + "&audience=a%2Fb", headers={"Authorization": f"Bearer {token}"}).json()
    assert answer["count"] == 1
    claims = verified(answer["value"], identity, "a/b")
    assert (claims["sub"], claims["repository"]) == (GITHUB_SUBJECT, "octo/app")
    assert 300 <= claims["exp"] - claims["iat"] <= 301


@pytest.mark.parametrize(
    ("flavour", "status", "says"),
    [
        ("auth0", 401, '{"error": "access_denied", "error_description": "Unauthorized'),
        ("okta", 401, '{"error": "invalid_client", "error_description": "Invalid client'),
        ("okta-api", 401, '{"errorCode": "invalid_client", "errorSummary": "Invalid client'),
        ("entra", 401, r"AADSTS7000215: Invalid client or Invalid client credentials"),
        ("keycloak", 401, '{"error": "invalid_client"'),
        ("adfs", 401, "MSIS9607"),
        ("adfs-html", 401, "<p>MSIS9607"),
        ("errors", 401, '{"errors": [{"code": "invalid_client"'),
        ("html", 500, "<h1>Internal Server Error</h1>"),
        ("empty", 401, ""),
        ("not-json", 200, "<h1>Sign in</h1>"),
    ],
)
def test_each_product_refuses_in_its_own_way(flavour: Flavour, status: int, says: str) -> None:
    with IdentityProvider(flavour=flavour) as identity:
        wrong = {**BODY, "client_secret": "wrong-secret"}
        answer = ask(identity.token_url, data=wrong)
        assert (answer.status_code, says in answer.text) == (status, True), answer.text
        assert (answer.text == "") == (flavour == "empty")
        assert "wrong-secret" not in answer.text
        identity.echoes = True
        assert ("wrong-secret" in ask(identity.token_url, data=wrong).text) == (flavour not in {"empty", "not-json"})


def test_orders(identity: IdentityProvider) -> None:
    identity.fail(times=2, skip=1, status=302, headers={"Location": "/elsewhere"})
    identity.fail(drop=True)
    seen = [ask(identity.token_url, data=BODY, allow_redirects=False) for _ in range(3)]
    assert [answer.status_code for answer in seen] == [200, 302, 302]
    with pytest.raises(requests.ConnectionError):
        ask(identity.token_url, data=BODY)
    identity.fail("/jwks", times=None, body="later")
    assert [(ask(identity.jwks_url).status_code, ask(identity.jwks_url).text)] == [(503, "later")]
    identity.recover()
    assert ask(identity.jwks_url).status_code == 200
    identity.answer = {"expires_in": None, "token_type": "mac"}
    assert ask(identity.token_url, data=BODY).json().keys() == {"access_token", "token_type"}
    identity.discovery = {"issuer": "other", "token_endpoint": None}
    found = ask(f"{identity.issuer}/.well-known/openid-configuration").json()
    assert (found["issuer"], "token_endpoint" in found) == ("other", False)


def test_tls(company: Company) -> None:
    with IdentityProvider(ssl_context=company.context("localhost")) as identity:
        with pytest.raises(requests.exceptions.SSLError):
            ask(identity.token_url, data=BODY)
        answer = ask(identity.token_url, data=BODY, verify=company.bundle)
        assert identity.claims_of(answer.json()["access_token"])["iss"].startswith("https://localhost:")
