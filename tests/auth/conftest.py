"""Identity providers, and an account that trusts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auth.support import CLIENT, CONFIG_KEY, SECRET, by_secret, environment
from harness import EMAIL, Service
from identity import AUDIENCE, IdentityProvider
from sauce_appdist.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def identity() -> Iterator[IdentityProvider]:
    """The company's provider, which signs by itself."""
    with IdentityProvider(clients={CLIENT: SECRET}) as running:
        yield running


@pytest.fixture
def hosted() -> Iterator[IdentityProvider]:
    """GitHub's or GitLab's own issuer."""
    with IdentityProvider() as running:
        yield running


@pytest.fixture
def trust(service: Service, seed: dict[str, Any]) -> Callable[..., None]:
    """Let the account take the tokens of an issuer."""

    def settle(by: IdentityProvider, **oidc: Any) -> None:
        about = {"config_key": CONFIG_KEY, "issuer": by.issuer, "audience": AUDIENCE, "user": EMAIL}
        # Without discovery: what is asked of it is asked by us.
        service.reset({**seed, "oidc": about | {"jwks_url": by.jwks_url} | oidc})

    return settle


@pytest.fixture
def client(service: Service, identity: IdentityProvider, trust: Callable[..., None]) -> Iterator[Client]:
    trust(identity)
    with Client.from_env(environment(service.url, by_secret(identity))) as client:
        yield client
