"""`sauce-appdist api` in this process, and a client that finds ids for it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from harness import Outcome, Service, connection
from sauce_appdist.cli import main
from sauce_appdist.client import Client
from shell.support import OWNER, Api

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def api(service: Service, capfd: pytest.CaptureFixture[str]) -> Api:
    def runner(*argv: str, people: bool = False, env: Mapping[str, str] | None = None) -> Outcome:
        out = io.StringIO()
        words = ["api", *argv, *([] if people else ["--json"])]
        code = main(words, {**connection(service.url), **(env or {})}, out)
        return Outcome(int(code), {}, capfd.readouterr().err, out.getvalue())

    return runner


@pytest.fixture
def client(service: Service) -> Client:
    return Client.from_env({**connection(service.url), **OWNER})
