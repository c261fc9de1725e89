"""Sauce Labs Mobile App Distribution as a real HTTP server on loopback, for tests and demos.

Written from the vendor's two documents and docs/reference/api-facts.md#sources alone; imports nothing of
`sauce_appdist`, so that a mistake of the client cannot hide in shared code.

From the bottom up:

- `seed`: the account to start with. `state/`: the account and its rules, without HTTP.
  `artifact` and `tokens` read uploaded files and verify identity tokens for it.
- `replies` and `dialects/`: responses, and what the two dialects do differently.
- `faults` and `request_log`; `service` holds them together with a dialect and its account.
- `routes` (the documented paths) and `control` (`/_emulator/`); `app` serves both.
- `gateway`: one request from log and fault to answer. `server`: the port. `cli`: the command line.
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
