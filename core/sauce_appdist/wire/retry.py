"""Which failed requests are sent again: one table for the service and for token requests.

The rule behind the table: a request that may have had an effect is never sent twice. A token request has no effect
that matters, so it may be repeated like a GET.
"""

from __future__ import annotations

import enum
import random
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from sauce_appdist.errors import AppDistError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sauce_appdist.clock import Clock

T = TypeVar("T")

FIRST_PAUSE = 0.5  # seconds; doubled after each attempt
LONGEST_PAUSE = 60.0  # seconds; a longer Retry-After is cut to it


class Fate(enum.Enum):
    """What became of a request that failed; the value describes it in docs/reference/errors.md."""

    NEVER_SENT = "Not sent: host not found, connection refused, or broken while connecting"
    TOO_MANY_REQUESTS = "HTTP 429: refused, not done"
    GATEWAY = "HTTP 502, 503 or 504"
    LOST = "Sent, but no answer in time, or the connection broke"
    SERVER_ERROR = "HTTP 500"
    FINAL = (
        "Any other answer, a redirect that is not followed, a certificate that is not trusted, a server that does not "
        "speak HTTP"
    )


class RequestKind(enum.Enum):
    """What a request may do when it is sent twice; the value is its column in docs/reference/errors.md."""

    GET = "GET"
    UPDATE = "PATCH"
    WRITE = "copy, invite, every other write"
    TOKEN = "token request"  # noqa: S105 - to an identity provider, or to GitHub's runner


RETRIED: dict[Fate, set[RequestKind]] = {
    Fate.NEVER_SENT: set(RequestKind),
    Fate.TOO_MANY_REQUESTS: set(RequestKind),
    Fate.GATEWAY: {RequestKind.GET, RequestKind.TOKEN},
    Fate.LOST: {RequestKind.GET, RequestKind.TOKEN},
    Fate.SERVER_ERROR: {RequestKind.TOKEN},
    Fate.FINAL: set(),
}

_STATUSES = {
    429: Fate.TOO_MANY_REQUESTS,
    500: Fate.SERVER_ERROR,
    502: Fate.GATEWAY,
    503: Fate.GATEWAY,
    504: Fate.GATEWAY,
}


def fate_of_status(status: int) -> Fate:
    """What an HTTP status says of the request, whatever the body is."""
    return _STATUSES.get(status, Fate.FINAL)


def kind_of(method: str) -> RequestKind:
    """The kind of a request to the service, by its HTTP method."""
    return {"GET": RequestKind.GET, "PATCH": RequestKind.UPDATE}.get(method, RequestKind.WRITE)


class AttemptFailed(Exception):
    """One attempt failed: `error` is what to raise unless the table allows another attempt.

    `retry_after` is the answer's header of that name, "" if there is none.
    """

    def __init__(self, error: ServiceError, fate: Fate, retry_after: str = "") -> None:
        self.error = error
        self.fate = fate
        self.retry_after = retry_after


def backoff(retry: int, retry_after: str, now: datetime) -> float:
    """Seconds to wait before a retry, counted from 0: what the server asks for, else growing pauses with jitter.

    `retry_after` is a number of seconds or an HTTP date (RFC 9110, part 10.2.3); anything else is ignored. Never longer
    than LONGEST_PAUSE.
    """
    try:
        if retry_after.strip().isdigit():
            return min(float(retry_after), LONGEST_PAUSE)
        until = float(parsedate_to_datetime(retry_after).timestamp())
        return min(max(0.0, until - now.timestamp()), LONGEST_PAUSE)
    except (TypeError, ValueError, OverflowError):
        return min(FIRST_PAUSE * 2.0**retry, LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311


def with_retries(
    attempt: Callable[[], T],
    kind: RequestKind,
    *,
    retries: int,
    clock: Clock,
    log: Callable[[str], None],
) -> T:
    """What `attempt` returns, called up to 1 + `retries` times: again after an AttemptFailed that the table retries.

    Raises the error of the last AttemptFailed, and at once whatever else `attempt` raises.
    """
    for retry in range(retries + 1):
        try:
            return attempt()
        except AttemptFailed as caught:
            failed = caught.with_traceback(None)  # its frames would keep the answer in memory during the next attempt
            failed.__context__ = None
        except AppDistError as error:
            error.__context__ = None  # as below
            raise
        if retry == retries or kind not in RETRIED[failed.fate]:
            break
        pause = backoff(retry, failed.retry_after, clock.now())
        log(f"{failed.error} Trying again in {pause:.1f} s ({retry + 1} of {retries}).")
        clock.sleep(pause)
    # Without its context: what requests raised holds the request with its credentials, and a script may log the chain.
    failed.error.__context__ = None
    raise failed.error
