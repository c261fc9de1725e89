"""The keys of an issuer: fetched, kept, and fetched again."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from appdist_emulator.tokens import KEYS_LIFETIME, TokenError, Verifier
from emulator.oidc.support import EMAIL, account, ask, claims, keys_asked
from emulator.support import PROJECTS, in_both
from identity import AUDIENCE, IdentityProvider

if TYPE_CHECKING:
    from emulator.support import Ask
    from servers import Company


@in_both
def test_rotation(api: Ask, identity: IdentityProvider) -> None:
    old = identity.token(**claims())
    assert [ask(api, identity.token(**claims())) for _ in range(3)] == ["", "", ""]
    assert keys_asked(identity) == 1  # and kept
    identity.rotate()
    new = identity.token(**claims())
    assert [ask(api, new), ask(api, old), ask(api, new)] == ["", "", ""]
    assert keys_asked(identity) == 2
    identity.rotate(keep_old=False)
    assert ask(api, identity.token(**claims())) == ""
    assert [ask(api, old), ask(api, new)] == ["Invalid token signature"] * 2


def test_a_key_that_nobody_published(api: Ask, identity: IdentityProvider) -> None:
    assert ask(api, identity.token(headers={"kid": "unknown"}, **claims())) == "Invalid token signature"
    nameless = identity.token(headers={"kid": None}, **claims())
    assert ask(api, nameless) == ""  # there is but one
    identity.rotate()
    api("POST", "/_emulator/reset", json=account(identity))
    assert ask(api, nameless) == "Invalid token signature"
    assert ask(api, identity.token(headers={"kid": None}, **claims())) == "Invalid token signature"


def test_keys_are_not_kept_for_long(identity: IdentityProvider) -> None:
    now = 0.0
    verifier = Verifier(identity.issuer, AUDIENCE, clock=lambda: now)
    verifier.check(identity.token())
    verifier.check(identity.token())
    assert keys_asked(identity) == 1
    now += KEYS_LIFETIME - 1
    verifier.check(identity.token())
    assert keys_asked(identity) == 1
    now += 1
    verifier.check(identity.token())
    assert keys_asked(identity) == 2


def test_keys_are_fetched_once_for_many(api: Ask, identity: IdentityProvider) -> None:
    identity.fail("/jwks", delay=0.3)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(ask(api, identity.token(**claims())))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, keys_asked(identity)) == ([""] * 4, 1)


def test_nobody_waits_for_another_ones_issuer(api: Ask, identity: IdentityProvider) -> None:
    identity.fail("/jwks", delay=60)
    slow = threading.Thread(target=ask, args=(api, identity.token(**claims())))
    slow.start()
    deadline = time.monotonic() + 10
    while not keys_asked(identity) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert api("GET", PROJECTS, auth=(EMAIL, "key-00001")).status_code == 200
    assert ask(api, "opaque-token-1") == ""
    assert slow.is_alive()
    identity.recover()
    slow.join()


@in_both
@pytest.mark.parametrize("path", ["/jwks", "/openid-configuration"])
@pytest.mark.parametrize(
    "order",
    [
        {"status": 503},
        {"status": 404},
        {"status": 302, "headers": {"Location": "/jwks"}},
        {"status": 200, "body": "<html>"},
        {"status": 200, "body": "[]"},
        {"status": 200, "body": '{"keys": [], "jwks_uri": "file:///etc/passwd"}'},
        {"status": 200, "body": '{"keys": "none", "jwks_uri": 1}'},
        {"status": 200, "body": '{"keys": [{"kty": "EC", "kid": "x"}], "jwks_uri": "jwks"}'},
        {"status": 200, "body": b"\xff"},
        {"drop": True},
    ],
    ids=str,
)
def test_keys_that_cannot_be_had(api: Ask, identity: IdentityProvider, path: str, order: dict[str, Any]) -> None:
    identity.fail(path, times=None, **order)
    assert ask(api, identity.token(**claims())) == "Failed to fetch JWKS"
    identity.recover()
    assert ask(api, identity.token(**claims())) == ""


def test_a_fetch_that_fails_keeps_the_known_keys(api: Ask, identity: IdentityProvider) -> None:
    old = identity.token(**claims())
    assert ask(api, old) == ""
    identity.rotate()
    identity.fail("/jwks", times=None)
    assert ask(api, identity.token(**claims())) == "Failed to fetch JWKS"
    assert ask(api, old) == ""


def test_an_issuer_that_is_gone(api: Ask) -> None:
    with IdentityProvider() as identity:
        api("POST", "/_emulator/reset", json=account(identity))
        token = identity.token(**claims())
    assert ask(api, token) == "Failed to fetch JWKS"


def test_an_issuer_that_takes_too_long(identity: IdentityProvider) -> None:
    identity.fail("/jwks", times=None, delay=30)
    with pytest.raises(TokenError, match="Failed to fetch JWKS"):
        Verifier(identity.issuer, AUDIENCE, timeout=0.2).check(identity.token())


def test_keys_elsewhere(api: Ask, identity: IdentityProvider) -> None:
    issuer = "https://login.company.example/"
    api("POST", "/_emulator/reset", json=account(identity, issuer=issuer, jwks_url=identity.jwks_url))
    assert ask(api, identity.token(**claims(iss=issuer))) == ""
    assert ask(api, identity.token(**claims(iss=issuer.rstrip("/")))) == "Invalid issuer"
    assert {seen.path for seen in identity.requests} == {"/jwks"}


@pytest.mark.parametrize("path", ["/", "/realms/main"])
def test_an_issuer_with_a_path(api: Ask, path: str) -> None:
    with IdentityProvider(path=path) as identity:
        api("POST", "/_emulator/reset", json=account(identity))
        assert ask(api, identity.token(**claims())) == ""


def test_a_key_for_one_algorithm(api: Ask, identity: IdentityProvider) -> None:
    keys = [{**key, "alg": "RS256"} for key in identity.jwks()["keys"]]
    identity.fail("/jwks", times=None, status=200, body=json.dumps({"keys": keys}))
    assert ask(api, identity.token(**claims())) == ""
    assert ask(api, identity.token(alg="RS512", **claims())) == "Invalid token signature"


def test_a_key_for_encryption_signs_nothing(api: Ask, identity: IdentityProvider) -> None:
    identity.rotate()
    first, second = identity.jwks()["keys"]
    identity.fail("/jwks", times=None, status=200, body=json.dumps({"keys": [first, {**second, "use": "enc"}]}))
    assert ask(api, identity.token(**claims())) == "Invalid token signature"


def test_no_proxy_of_the_environment(api: Ask, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    assert ask(api, identity.token(**claims())) == ""


def test_over_tls(api: Ask, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with IdentityProvider(ssl_context=company.context("localhost")) as identity:
        api("POST", "/_emulator/reset", json=account(identity))
        assert ask(api, identity.token(**claims())) == "Failed to fetch JWKS"
        monkeypatch.setenv("SSL_CERT_FILE", company.bundle)
        assert ask(api, identity.token(**claims())) == ""
