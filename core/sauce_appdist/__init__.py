"""Sauce Labs Mobile App Distribution: workflow steps, and a client for scripts.

`with sauce_appdist.Client.from_env() as client:` gives access to the whole API. Every failure is an `AppDistError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sauce_appdist.api import EMPTY
    from sauce_appdist.client import Client
    from sauce_appdist.errors import AppDistError

__all__ = ["EMPTY", "AppDistError", "Client", "__version__"]
__version__ = "1.0.0"


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that the command starts faster.
    if name == "Client":
        from sauce_appdist.client import Client

        return Client
    if name == "EMPTY":
        from sauce_appdist.api import EMPTY

        return EMPTY
    if name == "AppDistError":
        from sauce_appdist.errors import AppDistError

        return AppDistError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
