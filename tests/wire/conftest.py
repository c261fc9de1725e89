"""The emulator behind TLS and behind a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from servers import Company, Proxy, Server, emulated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Service


@pytest.fixture
def front(service: Service, company: Company) -> Iterator[Server]:
    """The emulator, over TLS."""
    with Server(emulated(service), company.context("localhost")) as running:
        yield running


@pytest.fixture
def far(service: Service, company: Company) -> Iterator[Server]:
    """The emulator as https://appdist.test, which nobody but a proxy reaches."""
    with Server(emulated(service), company.context("appdist.test")) as running:
        yield running


@pytest.fixture
def proxy(far: Server) -> Iterator[Proxy]:
    with Proxy({"appdist.test:443": far.address}) as running:
        yield running
