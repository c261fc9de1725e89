"""What the service says of a token that it rejects, explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auth.support import AUTH, REFUSED, SCOPES, by_secret, refused
from harness import BUILD, in_both
from identity import AUDIENCE, IdentityProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Run, Service


def claimed(**claims: Any) -> Callable[[IdentityProvider], None]:
    return lambda identity: identity.claims.update(claims)


def forged(alg: str) -> Callable[[IdentityProvider], None]:
    return lambda identity: identity.answer.update(access_token=identity.forge(alg, scope=SCOPES))


def nothing(_: IdentityProvider) -> None:
    """The token is a good one."""


# The documented message, the account's settings, the token, the inputs, and what is to be done.
Row = tuple[dict[str, Any], "Callable[[IdentityProvider], None]", dict[str, str], str]
MESSAGES: dict[str, Row] = {
    "X-OIDC-Config-Key header required": ({}, nothing, {}, "set oidc-config-key"),
    "Invalid config key": ({}, nothing, {"oidc_config_key": "oidc_company_0002"}, "is not this account's"),
    "OIDC not enabled for this organization": ({}, nothing, {}, "an admin must enable OIDC"),
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


# How v3 begins what it says of the same tokens: docs/reference/api-facts.md#oidc-messages.
V3 = {
    "Invalid config key": "Invalid OIDC config key",
    "OIDC not enabled for this organization": "OIDC authentication is disabled",
    "Invalid issuer": "Issuer mismatch: expected",
    "Invalid audience": "Audience mismatch: expected",
    "Token has expired": "Token validation failed: Expired token",
    "Invalid token signature": "Token validation failed: Signature verification failed",
    "Missing required scope": "Token missing required scope. Required one of: builds:read",
    "Failed to fetch JWKS": "Failed to fetch JWKS from issuer",
}


@pytest.mark.parametrize("service", ["compat"], indirect=True)
@pytest.mark.parametrize("message", V3)
def test_check_explains_what_the_newer_server_hides(
    run: Run,
    service: Service,
    identity: IdentityProvider,
    trust: Callable[..., None],
    seed: dict[str, Any],
    message: str,
) -> None:
    settings, arrange, inputs, hint = MESSAGES[message]
    seed["settings"] = {"reasons": "hidden"}
    trust(identity, scopes=SCOPES.split(), **settings)
    arrange(identity)
    if message.startswith("OIDC not enabled"):
        service.reset({name: value for name, value in seed.items() if name != "oidc"})
    signed = by_secret(identity, **{"oidc_scope": SCOPES, **inputs})
    done = run("find", **BUILD, **signed)
    assert done.code == AUTH
    assert "This server hides the reason: `sauce-appdist whoami` (step check) asks for it." in done.log
    assert hint not in done.log
    done = run("check", **signed)
    assert done.code == AUTH
    problem = next(line for line in done.log.splitlines() if line.startswith("Sign-in refused:"))
    assert V3[message] in problem
    assert hint in problem
    assert f"v3 is asked with the same credentials: it says '{V3[message]}" in done.log
    assert service.sent[-1] == "GET /api/v3/projects"
