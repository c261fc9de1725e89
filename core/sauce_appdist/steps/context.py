"""What every step gets to work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sauce_appdist.clock import Clock

if TYPE_CHECKING:
    from sauce_appdist.ci.base import Ci
    from sauce_appdist.client import Client


class Context(NamedTuple):
    """The client, the job's log and report, the clock, and whether to write nothing (dry run)."""

    client: Client
    ci: Ci
    clock: Clock = Clock()
    dry_run: bool = False
