"""Time, passed in: tests play hours in a moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SLICE = 1.0  # seconds of a pause in one go


def _now() -> datetime:
    return datetime.now(UTC)


def pause(seconds: float) -> None:
    """Sleep in short slices: a signal that arrives right before a slice is only handled after it."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE))


@dataclass(frozen=True)
class Clock:
    """What a step knows of time: `now` in UTC, `monotonic` and `sleep` in seconds."""

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = pause
