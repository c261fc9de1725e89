"""Sign in with the job's own ID token, alone or exchanged, or with a token that is there already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from auth.support import (
    AUTH,
    CLIENT,
    CONFIG_KEY,
    EXCHANGES,
    INPUT,
    JOB_AUDIENCE,
    SCOPES,
    TRANSPORT,
    Job,
    assert_hidden,
    host,
    refused,
)
from harness import BUILD, Process, Run, Service, github_outputs, in_both
from identity import AUDIENCE, CLIENT_CREDENTIALS, JWT_BEARER, TOKEN_EXCHANGE, TOKEN_TYPE, IdentityProvider, Trust

if TYPE_CHECKING:
    from collections.abc import Callable


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
        ({"status": 200, "body": "<html><title>Proxy</title>"}, TRANSPORT, "HTTP 200 with 26 bytes of"),
        ({"status": 200, "body": '{"count": 0}'}, TRANSPORT, "has no token"),
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
