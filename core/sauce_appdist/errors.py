"""Every kind of failure, with its title and exit code."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """The exit codes of the process (docs/reference/errors.md)."""

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
    """A failure that the user sees as one message, without a traceback."""

    exit_code: ExitCode = ExitCode.INTERNAL
    title = "sauce-appdist failed"


class InputError(AppDistError):
    """An input is missing or wrong. The message names the input and how to fix it."""

    exit_code = ExitCode.INPUT
    title = "Wrong input"


class UnwritableOutputs(InputError):
    """The outputs of a step cannot be written, which is noticed before anything is sent."""

    title = "Outputs cannot be written"


class CannotStart(InputError):
    """The machine does not let the step start. Nothing was sent."""

    title = "The step cannot start"


class NotSent(InputError):
    """A dry run reached a request that would have written."""


class ServiceError(AppDistError):
    """A request failed. `sent` is True if it may have had an effect.

    `sent` is False if it certainly had none: the service refused it, or it was never sent. `status` is the HTTP status
    of the response, None without a response.
    """

    def __init__(self, message: str, *, sent: bool = False, status: int | None = None) -> None:
        # Callers add sentences to it.
        super().__init__(message if message.endswith((".", "!", "?")) else f"{message}.")
        self.sent = sent
        self.status = status


class AuthError(ServiceError):
    """The service does not accept the credentials (401) or the role (403).

    `reason` is the service's message without secrets, "" if it sent none. `hidden` tells that this message may stand
    for any cause (docs/reference/api-facts.md#wrong-credentials); `advice`, which ends the text, says who finds out.
    """

    exit_code = ExitCode.AUTH
    title = "Sign-in refused"

    def __init__(self, message: str, *, status: int | None = None, reason: str = "", advice: str = "") -> None:
        super().__init__(f"{message} {advice}".rstrip(), status=status)
        self.message = message
        self.reason = reason
        self.hidden = bool(advice)


class ApiError(ServiceError):
    """The service refused the request. The message has the service's code and message, and what to do."""

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
    """The job was cancelled. Raised from the signal handler, so that the step still reports what it has done."""

    exit_code = ExitCode.CANCELLED
    title = "Cancelled"


class TransportError(ServiceError):
    """The service could not be reached, or its response is invalid."""

    exit_code = ExitCode.TRANSPORT
    title = "Service unreachable, or invalid response"


class PartialSuccessError(AppDistError):
    """Part of the work is done. The message says what is done, what is not, and how to continue.

    `unknown` is True if that cannot be determined: the request may or may not have had its effect.
    """

    exit_code = ExitCode.PARTIAL
    title = "Only partly done"

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


class GateFailed(AppDistError):
    """The build does not meet the thresholds of the gate."""

    exit_code = ExitCode.GATE_FAILED
    title = "The gate failed"


class GateInconclusive(AppDistError):
    """The verdict is inconclusive: data is missing, or `wait` ended too soon."""

    exit_code = ExitCode.GATE_INCONCLUSIVE
    title = "The gate is inconclusive"
