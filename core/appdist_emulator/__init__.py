"""Sauce Labs Mobile App Distribution as a real HTTP server on loopback, for tests and demos.

Written from the vendor's two documents and docs/reference/api-facts.md#sources alone; imports nothing of
`sauce_appdist`, so that a mistake of the client cannot hide in shared code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from appdist_emulator.seed import SeedError
    from appdist_emulator.server import Emulator

__all__ = ["Emulator", "SeedError"]


def __getattr__(name: str) -> Any:
    # Flask is optional and slow to import: load it only to start a server.
    if name == "Emulator":
        from appdist_emulator.server import Emulator

        return Emulator
    if name == "SeedError":
        from appdist_emulator.seed import SeedError

        return SeedError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
