"""An account that trusts an identity provider, and how to sign in to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.support import PROJECTS
from identity import AUDIENCE, IdentityProvider

if TYPE_CHECKING:
    from emulator.support import Ask

CONFIG_KEY = "oidc_company_0001"
EMAIL, LIMITED = "ci@a.example", "limited@a.example"


def account(identity: IdentityProvider, **oidc: Any) -> dict[str, Any]:
    return {
        "users": [
            {"email": EMAIL, "api_key": "key-00001"},
            {"email": LIMITED, "api_key": "key-00002", "permissions": []},
        ],
        "projects": [{"name": "App", "package_name": "com.example.app", "platform": "iOS"}],
        "oidc": {
            "config_key": CONFIG_KEY,
            "tokens": {"opaque-token-1": EMAIL, "opaque-token-2": {"error": "Token has expired"}},
            "issuer": identity.issuer,
            "audience": AUDIENCE,
            "scopes": ["builds:read", "builds:write"],
            "user": EMAIL,
            **oidc,
        },
    }


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says, but for what is wrong in this one."""
    return {"scope": "openid builds:read builds:write"} | changed


def ask(api: Ask, token: str | None, config_key: str | None = CONFIG_KEY, **options: Any) -> str:
    """Sign in, and give the documented message, or "" when all is well."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    if config_key is not None:
        headers["X-OIDC-Config-Key"] = config_key
    answer = api("GET", PROJECTS, auth=lambda request: request, headers=headers, **options)
    body = answer.json()
    if body["status"] == "ok":
        assert answer.status_code == 200
        assert [project["name"] for project in body["projects"]] == ["App"]
        return ""
    assert (answer.status_code, body["status"], body["code"]) == (401, "fail", 104)
    return str(body["message"])


def keys_asked(identity: IdentityProvider) -> int:
    return [seen.path for seen in identity.requests].count("/jwks")
