"""The claims of a token, as far as they are shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from auth.support import AUTH, CLIENT, CONFIG_KEY, JOB_AUDIENCE, Job, assert_hidden, by_secret, refused
from harness import BUILD, in_both
from identity import AUDIENCE, GITHUB_SUBJECT, IdentityProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Run


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
