"""The servers that every run talks to, and a run in this process."""

from __future__ import annotations

import ssl
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme

from appdist_emulator import Emulator
from appdist_emulator.seed import default_seed
from harness import EMAIL
from identity import AUDIENCE, CLIENT_ID, GITLAB_SUBJECT, Trust
from redaction.runs import Inside
from redaction.search import CLIENT_SECRET, CONFIG_KEY, DIGITS, PERCENT, QUOTES, STATIC_TOKEN, WORD
from redaction.stage import Front, Recording, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
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
        fronts = [Front(ports), Front(ports)]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        fronts[1].socket = context.wrap_socket(fronts[1].socket, server_side=True, do_handshake_on_connect=False)
        for front in fronts:
            threading.Thread(target=front.serve_forever, args=(0.02,), daemon=True).start()
        yield Stage(fronts[0], fronts[1], identity)
        for front in fronts:
            front.closing.set()
            front.shutdown()
            front.server_close()


@pytest.fixture
def inside(capfd: pytest.CaptureFixture[str]) -> Inside:
    return Inside(capfd)
