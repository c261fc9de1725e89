"""The emulator in the compat dialect, or in the one that a test names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.support import Ask


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with Emulator(dialect=getattr(request, "param", "compat")) as running:
        yield running


@pytest.fixture
def follow() -> Iterator[Ask]:
    """Ask a whole URL as nobody; where it leads is not followed."""
    with requests.Session() as session:
        session.trust_env = False

        def ask(url: str, **options: Any) -> requests.Response:
            return session.request(options.pop("method", "GET"), url, timeout=10, allow_redirects=False, **options)

        yield ask
