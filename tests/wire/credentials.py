"""Credentials that a process signs in with, and the search for them in what a server received."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from harness import ANDROID, API_KEY, EMAIL, NEWEST_ANDROID, Outcome
from identity import CLIENT_ID, CLIENT_SECRET, IdentityProvider

if TYPE_CHECKING:
    import ssl

    from servers import Port, Proxy

CONFIG_KEY, TOKEN = "oidc_northwind_4711", "opaque-access-token-0815"
KEY_HEADERS = (b"authorization:", b"x-api-key:", b"x-oidc-config-key:", b"cookie:")
BUILD = {"APPDIST_PROJECT_ID": ANDROID, "APPDIST_BUILD_ID": NEWEST_ANDROID}
OF_BUILD = ("--project-id", ANDROID, "--build-id", NEWEST_ANDROID)
NO_KEY = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
WAYS: dict[str, dict[str, str]] = {
    "basic": {},
    "key": {"APPDIST_EMAIL": ""},
    "token": {**NO_KEY, "APPDIST_OIDC_TOKEN": TOKEN, "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY},
}


def client_credentials(identity: IdentityProvider, *, found: bool = False) -> dict[str, str]:
    """Sign in at the identity provider; `found` by its issuer instead of by its token endpoint."""
    where = {"APPDIST_OIDC_ISSUER": identity.issuer} if found else {"APPDIST_OIDC_TOKEN_URL": identity.token_url}
    return {
        **NO_KEY,
        **where,
        "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
        "APPDIST_OIDC_CLIENT_SECRET": quote(CLIENT_SECRET),
        "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
    }


def provider(context: ssl.SSLContext | None = None, host: str | None = None) -> IdentityProvider:
    return IdentityProvider(clients={CLIENT_ID: quote(CLIENT_SECRET)}, ssl_context=context, host=host)


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SECRETS = (
    API_KEY,
    base64_of(f"{EMAIL}:{API_KEY}"),
    CONFIG_KEY,
    TOKEN,
    quote(CLIENT_SECRET),
    quote_plus(quote(CLIENT_SECRET)),
)


def assert_no_secret(heard: bytes) -> None:
    """Nothing that signs somebody in is among these bytes."""
    assert [one for one in SECRETS if one.encode() in heard] == []
    assert [one for one in KEY_HEADERS if one in heard.lower()] == []


def assert_blind(proxy: Proxy) -> None:
    """All that it got is CONNECT and TLS: no path, no header and no secret of what went through."""
    for arrived in proxy.connections:
        head, _, sealed = arrived.partition(b"\r\n\r\n")
        assert head.startswith(b"CONNECT ")
        assert sealed.startswith(b"\x16\x03"), "a TLS handshake"
        assert_no_secret(head.replace(b"Proxy-Authorization:", b"") + sealed)
        assert b"/api/" not in arrived
        assert b"HTTP/1.1" not in sealed


def told(done: Outcome) -> str:
    """Everything that came out of a process."""
    return "\n".join([done.log, done.text, *done.files.values()])


def at(where: Port | str, bundle: str = "", **more: str) -> dict[str, str]:
    """The environment of a step: where the service is, what to trust, no second try."""
    url = where if isinstance(where, str) else where.url
    trusted = {"APPDIST_CA_BUNDLE": bundle} if bundle else {}
    return {"APPDIST_BASE_URL": url, "APPDIST_RETRIES": "0", "APPDIST_DEBUG": "true", **trusted, **BUILD, **more}


def client_credentials_at(token_url: str) -> dict[str, str]:
    return {
        **NO_KEY,
        "APPDIST_OIDC_TOKEN_URL": token_url,
        "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
        "APPDIST_OIDC_CLIENT_SECRET": quote(CLIENT_SECRET),
        "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
    }


FAR = "https://appdist.test"  # a name that only the proxy knows


def credentials(way: str) -> list[bytes]:
    return {
        "basic": [f"Authorization: Basic {base64_of(f'{EMAIL}:{API_KEY}')}\r\n".encode()],
        "key": [f"X-API-Key: {API_KEY}\r\n".encode()],
        "token": [f"Authorization: Bearer {TOKEN}\r\n".encode(), f"X-OIDC-Config-Key: {CONFIG_KEY}\r\n".encode()],
    }[way]
