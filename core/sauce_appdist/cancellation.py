"""Whether the job was cancelled: a signal only sets this, and the step looks at it where it can stop.

An exception that a signal handler raises may leave a lock taken, and comes between an effect and the line that reports
it. Only a second signal, and a step that does not stop by itself, are worth that.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from sauce_appdist.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator

GRACE = 3.0  # seconds in which a step has to come to a point where it can stop
_ALARM: tuple[signal.Signals, ...] = (signal.SIGALRM,) if hasattr(signal, "setitimer") else ()  # Windows has none
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *_ALARM)

_requested = False
_at_once = False


def listen() -> None:
    """Take the signals that CI systems cancel a job with."""
    for number in _SIGNALS:
        signal.signal(number, _on_signal)


def ignore() -> None:
    """From here on no signal interrupts the report and the outputs."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _on_signal:
            signal.signal(number, signal.SIG_IGN)


def request() -> None:
    """Ask the step to stop. Safe in a signal handler: it takes no lock and raises nothing."""
    global _requested  # noqa: PLW0603 - signals belong to the process
    _requested = True


def check() -> None:
    """Raise Cancelled if somebody asked the step to stop."""
    if _requested:
        raise Cancelled("The job was cancelled.")


@contextmanager
def at_once() -> Iterator[None]:
    """While a person is asked, nothing can be left half done: the first signal raises Cancelled."""
    global _at_once  # noqa: PLW0603 - as above
    _at_once = True
    try:
        yield
    finally:
        _at_once = False


def _on_signal(*_: object) -> None:
    if _requested or _at_once:
        _stop()
    request()
    if _ALARM:
        signal.setitimer(signal.ITIMER_REAL, GRACE)


def _stop() -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if _ALARM:  # should this not end it either, because it waits for a lock
        signal.setitimer(signal.ITIMER_REAL, GRACE)
    # It may have come after a request that had its effect; who knows better corrects it.
    raise Cancelled("The job was cancelled.", sent=not _at_once)
