"""The servers that every run talks to, and a run in this process."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from appdist_emulator import Emulator
from appdist_emulator.seed import default_seed
from harness import EMAIL
from identity import AUDIENCE, CLIENT_ID, GITLAB_SUBJECT, Trust
from redaction.runs import Inside
from redaction.search import CLIENT_SECRET, CONFIG_KEY, DIGITS, PERCENT, QUOTES, STATIC_TOKEN, WORD
from redaction.stage import Front, Recording, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import Company


@pytest.fixture(scope="session")
def stage(stranger: Company) -> Iterator[Stage]:
    with ExitStack() as stack:
        identity = stack.enter_context(Recording())
        identity.trust = Trust(identity, AUDIENCE, GITLAB_SUBJECT)
        identity.github_claims = {"sub": GITLAB_SUBJECT}
        identity.clients = {CLIENT_ID: CLIENT_SECRET}
        seed = default_seed()
        keys = {EMAIL: PERCENT, "word@northwind.example": WORD, "quotes@northwind.example": QUOTES}
        keys["digits@northwind.example"] = DIGITS
        seed["users"] = [{"email": email, "api_key": key, "permissions": ["*:rw"]} for email, key in keys.items()]
        seed["oidc"] = {"config_key": CONFIG_KEY, "tokens": {STATIC_TOKEN: EMAIL}, "user": EMAIL}
        seed["oidc"] |= {"issuer": identity.issuer, "audience": AUDIENCE}
        emulators = {
            "classic": stack.enter_context(Emulator(seed)),
            "compat": stack.enter_context(Emulator(seed, dialect="compat")),
        }
        ports = {name: urlsplit(emulator.url).port or 0 for name, emulator in emulators.items()}
        front = stack.enter_context(Front(ports))
        tls = stack.enter_context(Front(ports, stranger.context("127.0.0.1")))  # nobody trusts it
        yield Stage(front, tls, identity)


@pytest.fixture
def inside(capfd: pytest.CaptureFixture[str]) -> Inside:
    return Inside(capfd)
