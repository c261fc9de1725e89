"""The one call of v3 that compat answers: `/api/v3/projects`, whose `error` tells why credentials are refused.

Source: docs/reference/api-facts.md#wrong-credentials and docs/reference/api-facts.md#conventions-of-v3.
Where these are silent, the emulator decides like this:

- The texts for a wrong, a missing and a blocked key are its own; those for OIDC are documented.
- A project has `id` and `name`. A page past the end is empty; a page that is not a number is the first.
- With `settings.v3` off, the path does not exist, as on a host that has no v3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
from flask import Response, request
from werkzeug.exceptions import NotFound

from appdist_emulator.replies import reply
from appdist_emulator.state.records import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from appdist_emulator.seed import Oidc, User
    from appdist_emulator.state.account import Account

_PER_PAGE = 25
_MAX_PER_PAGE = 100  # more is cut without an error
# The reason, as the account gives it, and v3's text.
_ERRORS = {
    "User not found": "Invalid API key.",
    "Missing API key": "Missing API key.",
    "Tester is blocked": "The account is blocked.",
    "X-OIDC-Config-Key header required": "Missing X-OIDC-Config-Key header.",
    "Invalid config key": "Invalid OIDC config key.",
    "OIDC not enabled for this organization": "OIDC authentication is disabled.",
    "Token has expired": "Token validation failed: Expired token",
    "Invalid token signature": "Token validation failed: Signature verification failed",
    "Unsupported algorithm": "Token validation failed: Algorithm not supported",
    "Failed to fetch JWKS": "Failed to fetch JWKS from issuer.",
}


def list_projects(account: Account, sign_in: Callable[[], User]) -> Response:
    """Answer the current request. `sign_in` returns its user, or raises Refusal with the reason."""
    if not account.settings.v3:
        raise NotFound
    try:
        user = sign_in()
    except Refusal as refusal:
        return reply({"error": _error(refusal.message, account.oidc)}, 401)
    found = sorted(account.projects(user, request.host_url.rstrip("/")), key=lambda one: str(one["name"]))
    page = max(1, request.args.get("page", 1, type=int))
    size = min(max(1, request.args.get("per_page", _PER_PAGE, type=int)), _MAX_PER_PAGE)
    shown = found[(page - 1) * size : page * size]
    return reply(
        {
            "projects": [{"id": int(one["id"]), "name": one["name"]} for one in shown],
            "pagination": {
                "page": page,
                "per_page": size,
                "total": len(found),
                "total_pages": -(-len(found) // size),
            },
        }
    )


def _error(reason: str, oidc: Oidc | None) -> str:
    """Return v3's text, with what the organization's settings expect: docs/reference/api-facts.md#oidc-messages."""
    if oidc is not None and reason == "Invalid issuer":
        return f'Issuer mismatch: expected "{oidc.issuer or ""}", got "{_issuer()}".'
    if oidc is not None and reason == "Invalid audience":
        return f'Audience mismatch: expected "{oidc.audience or ""}".'
    if oidc is not None and reason == "Missing required scope":
        return f"Token missing required scope. Required one of: {', '.join(oidc.scopes)}."
    return _ERRORS[reason]


def _issuer() -> str:
    auth = request.authorization
    token = (auth.token if auth is not None else None) or ""
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError:
        return ""
