"""An identity provider, and the emulator of an account that trusts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appdist_emulator import Emulator
from emulator.oidc.support import account
from identity import IdentityProvider

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def identity() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        yield running


@pytest.fixture
def emulator(request: pytest.FixtureRequest, identity: IdentityProvider) -> Iterator[Emulator]:
    with Emulator(account(identity), dialect=getattr(request, "param", "classic")) as running:
        yield running
