"""Every way to fail, and the exit code each one ends with."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What the process ends with; documented in docs/reference/errors.md."""

    OK = 0
    INTERNAL = 1
    INPUT = 2
    AUTH = 3
    API = 4
    TRANSPORT = 5
    PARTIAL = 6
    GATE_FAILED = 7
    GATE_INCONCLUSIVE = 8
    CANCELLED = 130


class AppDistError(Exception):
    """Something that the user is told in one message, without a traceback."""

    exit_code: ExitCode = ExitCode.INTERNAL
    title = "sauce-appdist failed"


class InputError(AppDistError):
    """An input is missing or wrong: names the input and the way to mend it."""

    exit_code = ExitCode.INPUT
    title = "Wrong input"


class NotSent(InputError):
    """A dry run came to where it would have written."""


class ServiceError(AppDistError):
    """The service was asked; `sent` says whether the request may have had an effect.

    `sent` is False where it is certain that nothing was done: it was refused, or never left. `status` is the HTTP
    status of the answer, None where there was none.
    """

    def __init__(self, message: str, *, sent: bool = False, status: int | None = None) -> None:
        super().__init__(message)
        self.sent = sent
        self.status = status


class AuthError(ServiceError):
    """The service does not accept the credentials (401) or the role (403)."""

    exit_code = ExitCode.AUTH
    title = "Sign-in refused"


class ApiError(ServiceError):
    """The service said no: its code and message, and what to do about it."""

    exit_code = ExitCode.API
    title = "The service refused"

    def __init__(self, message: str, *, status: int, code: int | None = None, sent: bool = False) -> None:
        super().__init__(message, sent=sent, status=status)
        self.code = code

    @property
    def not_found(self) -> bool:
        """The addressed project or build does not exist (docs/reference/api-facts.md#error-codes)."""
        return self.status == 404 or self.code in {1, 404}


class Cancelled(ServiceError):
    """Somebody stopped the job; raised wherever it is, so that what did happen is still told."""

    exit_code = ExitCode.CANCELLED
    title = "Cancelled"


class TransportError(ServiceError):
    """The service could not be reached, or did not answer sensibly."""

    exit_code = ExitCode.TRANSPORT
    title = "No sensible answer"


class PartialSuccessError(AppDistError):
    """Some of it happened: says what did, what did not, and how to go on.

    `unknown` is True where not even that is known: the request may have had its effect, or not.
    """

    exit_code = ExitCode.PARTIAL
    title = "Only partly done"

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


class GateFailed(AppDistError):
    """The build is not as good as the gate wants it."""

    exit_code = ExitCode.GATE_FAILED
    title = "The gate failed"


class GateInconclusive(AppDistError):
    """Nobody can tell whether the build is as good as the gate wants it, or not enough was seen in time."""

    exit_code = ExitCode.GATE_INCONCLUSIVE
    title = "The gate is inconclusive"
