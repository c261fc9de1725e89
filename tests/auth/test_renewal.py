"""A long run: tokens are fetched when they are needed and again before they expire."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auth.support import (
    AUTH,
    CLIENT,
    CONFIG_KEY,
    JOB_AUDIENCE,
    REFUSED,
    SECRET,
    Job,
    assert_hidden,
    by_secret,
    environment,
    host,
    provider,
    refused,
)
from harness import ANDROID, BUILD, NEWEST_ANDROID, Run, Service
from sauce_appdist.client import Client
from sauce_appdist.clock import Clock
from sauce_appdist.errors import AuthError, TransportError
from sauce_appdist.interface.environment import gather, parse
from sauce_appdist.interface.inputs import ConnectionInputs
from sauce_appdist.models import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from identity import IdentityProvider


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
    now = datetime.now(UTC)  # the provider signs a moment later, and rounds to seconds
    ask.http.clock = Clock(now=lambda: now, monotonic=lambda: 1000.0)
    until = ask.by_secret().until
    assert until == (None if life is None else pytest.approx(1000 + life, abs=2))


class Later:
    """A clock that a test sets forward: `seconds` after the real time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = Clock(lambda: datetime.now(UTC) + timedelta(seconds=self.seconds), lambda: self.seconds)

    def client(self, environ: Mapping[str, str]) -> Client:
        inputs = parse(ConnectionInputs, gather(ConnectionInputs, {}, environ).texts)
        return Client.connect(inputs, environ, log=lambda _: None, warn=lambda _: None, clock=self.clock)


def test_a_token_is_fetched_again_before_it_ends(
    service: Service, identity: IdentityProvider, trust: Callable[..., None]
) -> None:
    trust(identity)
    identity.lifetime, later = 300, Later()  # and not used in its last minute
    with later.client(environment(service.url, by_secret(identity))) as client:
        client.projects.list()
        later.seconds = 239
        client.projects.list()
        assert len(identity.token_requests) == 1
        later.seconds = 241
        client.builds.update(ANDROID, NEWEST_ANDROID, tags=["rc"])
        client.projects.list()
    assert len(identity.token_requests) == 2
    assert {request["status"] for request in service.requests} == {200}
    assert len(service.writes) == 1


def test_github_is_asked_again(service: Service, hosted: IdentityProvider, trust: Callable[..., None]) -> None:
    trust(hosted, audience=JOB_AUDIENCE)
    job, later = Job("github", hosted), Later()
    with later.client({**environment(service.url, job.inputs), **job.environ}) as client:
        client.projects.list()
        client.projects.list()
        assert [seen.path for seen in hosted.requests].count("/actions/idtoken") == 1
        later.seconds = 24 * 3600
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
