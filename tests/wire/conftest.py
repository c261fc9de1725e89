"""A private certificate authority, and the emulator behind TLS and behind a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from servers import Company, Proxy, TlsServer, emulated, founded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Service


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return founded(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return founded(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def front(service: Service, company: Company) -> Iterator[TlsServer]:
    """The emulator, over TLS."""
    with TlsServer(emulated(service), company.certificate("localhost")) as running:
        yield running


@pytest.fixture
def far(service: Service, company: Company) -> Iterator[TlsServer]:
    """The emulator as https://appdist.test, which nobody but a proxy reaches."""
    with TlsServer(emulated(service), company.certificate("appdist.test")) as running:
        yield running


@pytest.fixture
def proxy(far: TlsServer) -> Iterator[Proxy]:
    with Proxy({"appdist.test:443": far.address}) as running:
        yield running
