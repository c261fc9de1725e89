from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator
from emulator.support import CI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def api(emulator: Emulator) -> Iterator[Callable[..., requests.Response]]:
    """Ask as the admin who may everything; `auth=None` asks as nobody."""
    with requests.Session() as session:
        # The environment's proxies and .netrc are none of the emulator's business.
        session.trust_env = False

        def ask(method: str, path: str, **options: Any) -> requests.Response:
            options.setdefault("auth", CI)
            options.setdefault("timeout", 10)
            options.setdefault("allow_redirects", False)
            return session.request(method, emulator.url + path, **options)

        yield ask


@pytest.fixture
def look(api: Callable[..., requests.Response]) -> Callable[[str], Any]:
    def read(what: str) -> Any:
        answer = api("GET", f"/_emulator/{what}", auth=None)
        assert answer.status_code == 200
        return answer.json()

    return read
