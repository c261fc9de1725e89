"""Client credentials, jobs with an identity, and the search for secrets in what a step printed."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from identity import GITHUB_SUBJECT, GITLAB_SUBJECT, IdentityProvider
from sauce_appdist.auth.oidc import Provider, TokenHttp
from sauce_appdist.clock import Clock

if TYPE_CHECKING:
    from harness import Outcome

INPUT, AUTH, TRANSPORT = 2, 3, 5
CONFIG_KEY = "oidc_company_0001"
CLIENT, SECRET = "ci:client/50%+ä", "s3cr3t: 100%of+it/&=~;'?äö"  # what only a right encoding brings over
WRONG = "wr0ng:50%of+it/&=~;'?"
SCOPES = "builds:read builds:write"
JOB_AUDIENCE = "sauce-appdist"  # the documented default of oidc-id-token-audience
REFUSED = {"status": "fail", "code": 104, "message": "Token has expired"}


def by_secret(identity: IdentityProvider, **changed: str) -> dict[str, str]:
    """The inputs of client credentials; "" takes one away."""
    inputs = {
        "oidc_token_url": identity.token_url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_config_key": CONFIG_KEY,
    }
    return {name: text for name, text in (inputs | changed).items() if text}


def environment(url: str, inputs: dict[str, str]) -> dict[str, str]:
    return {"APPDIST_BASE_URL": url, **{f"APPDIST_{name.upper()}": text for name, text in inputs.items()}}


def provider(identity: IdentityProvider, **options: Any) -> tuple[Provider, list[float]]:
    """A provider as a step asks it, and how long it would have waited."""
    waits: list[float] = []
    where = {"token_url": identity.token_url, "client_id": CLIENT, "client_secret": SECRET}
    return Provider(TokenHttp(timeout=2.0, clock=Clock(sleep=waits.append)), **{**where, **options}), waits


def host(identity: IdentityProvider) -> str:
    return urlsplit(identity.url).netloc


def assert_hidden(text: str, *secrets: str) -> None:
    """No token, nor anything that was secret in any spelling that it travels in."""
    assert not re.search(r"eyJ[\w-]{8}", text), text
    for secret in (CONFIG_KEY, SECRET, WRONG, *secrets):
        spellings = {secret, quote(secret), quote(secret, safe=""), b64encode(secret.encode()).decode()}
        assert not [spelling for spelling in spellings if spelling in text], text


def refused(done: Outcome, code: int, *fragments: str) -> str:
    """One message, of a line or two, and nothing secret in it."""
    assert done.code == code, done.log
    lines = done.log.strip().splitlines()
    assert 1 <= len(lines) <= 2, done.log
    assert [fragment for fragment in fragments if fragment not in done.log] == [], done.log
    assert "bug of sauce-appdist" not in done.log
    assert_hidden(done.log + done.text)
    return done.log


EXCHANGES = ["client-assertion", "token-exchange"]


class Job:
    """A job of GitHub or GitLab: what is in its environment, and who it is."""

    def __init__(self, name: str, issuer: IdentityProvider, audience: str = JOB_AUDIENCE) -> None:
        self.inputs = {"oidc_provider": name, "oidc_config_key": CONFIG_KEY}
        if name == "github":
            self.subject, self.environ = GITHUB_SUBJECT, {"GITHUB_ACTIONS": "true", **issuer.github_env}
        else:
            self.subject = GITLAB_SUBJECT
            self.environ = {"GITLAB_CI": "true", "APPDIST_ID_TOKEN": issuer.id_token(audience)}
        self.secret = self.environ.get("APPDIST_ID_TOKEN") or issuer.request_token
