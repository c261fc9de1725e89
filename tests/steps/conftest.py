"""Every test of a step runs on both dialects, unless its module names some: a step does not know whom it talks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "service" in metafunc.fixturenames:
        dialects = getattr(metafunc.module, "DIALECTS", ["classic", "compat"])
        metafunc.parametrize("service", dialects, indirect=True)
