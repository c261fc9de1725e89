"""The clock that is passed to steps, so that a test can pass hours in a moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from sauce_appdist import cancellation

if TYPE_CHECKING:
    from collections.abc import Callable

_SLICE = 0.5  # seconds of a single sleep


def _now() -> datetime:
    return datetime.now(UTC)


def pause(seconds: float) -> None:
    """Sleep in short slices, and look between them whether the job was cancelled. Raises Cancelled."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        cancellation.check()
        time.sleep(min(left, _SLICE))


class Clock(NamedTuple):
    """The time that a step uses: `now` in UTC, `monotonic` and `sleep` in seconds."""

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = pause
