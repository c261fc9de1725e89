"""Whether the job was cancelled: a signal only sets this, and the step looks at it where it can stop."""

from __future__ import annotations

from sauce_appdist.errors import Cancelled

_requested = False


def request() -> None:
    """Ask the step to stop. Safe in a signal handler: it takes no lock and raises nothing."""
    global _requested  # noqa: PLW0603 - signals belong to the process
    _requested = True


def requested() -> bool:
    """Whether somebody asked the step to stop."""
    return _requested


def check() -> None:
    """Raise Cancelled if somebody asked the step to stop."""
    if _requested:
        raise Cancelled("The job was cancelled.")
