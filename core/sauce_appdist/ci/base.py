"""The interface to a job's log, outputs and summary; `github`, `gitlab` and `terminal` implement it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from sauce_appdist.ci.report import Report
from sauce_appdist.errors import UnwritableOutputs
from sauce_appdist.text import Redactor, encodable, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sauce_appdist.errors import AppDistError
    from sauce_appdist.interface.outputs import StepOutputs


class Job(NamedTuple):
    """What the CI system says of the running job; None if it does not say."""

    commit: str | None = None
    branch: str | None = None
    tag: str | None = None
    pipeline_url: str | None = None
    actor: str | None = None
    attempt: int | None = None
    system: str | None = None  # None in a shell

    def metadata(self) -> dict[str, str]:
        """What `ci-metadata` writes to the build."""
        fields = self._asdict()
        del fields["attempt"], fields["system"]
        return {key: encodable(value) for key, value in fields.items() if value}


def say(stream: TextIO, text: str) -> None:
    """Print and ignore failures: a closed pipe (`| head`) or a full disk must not stop a step half-way."""
    with suppress(OSError):
        print(text, file=stream, flush=True)


class Ci(ABC):
    """The log, outputs and summary of a step. Redacts and escapes every text, wherever it comes from."""

    def __init__(self, environ: Mapping[str, str], out: TextIO, job: Job = Job()) -> None:  # noqa: B008 - immutable
        self.environ = environ
        self.job = job
        self.report = Report("")
        self.debugging = False
        self._out = out
        self._redact = Redactor()
        self._masked: set[str] = set()

    def clean(self, text: str) -> str:
        """The text without secrets, control characters and workflow commands."""
        return printable(self._redact(text))

    def without_secrets(self, text: str) -> str:
        """The text without secrets, but not escaped: not for a log."""
        return self._redact(text)

    def holds_secret(self, text: str) -> bool:
        """Whether a text contains a secret, so that it must not be published."""
        return self._redact.finds(text)

    def mask(self, secret: str) -> None:
        """Never show this again, in any output of this run."""
        if secret not in self._masked:
            self._masked.add(secret)
            self._redact.add(secret)
            self._announce(secret)

    def _announce(self, secret: str) -> None:  # noqa: B027 - most systems mask nothing themselves
        """Tell the CI system to mask a secret, if it can."""

    def info(self, text: str) -> None:
        """Log one or more lines of progress."""
        self._print(self.clean(text))

    def debug(self, text: str) -> None:
        """Log a text, only with `debug: true`."""
        if self.debugging:
            self._print(self.clean(f"debug: {text}"))

    def values(self, outputs: StepOutputs) -> dict[str, Any]:
        """The outputs for a JSON file, without secrets."""
        return {name: self._redacted(value) for name, value in outputs.values().items()}

    def output_files(self) -> Mapping[str, Path]:
        """The files that `finish` writes, by the name that users know."""
        return {}

    def check_outputs(self) -> None:
        """Raises UnwritableOutputs, which names the file, if the outputs cannot be written."""
        for name, path in self.output_files().items():
            existed = path.exists()
            try:
                with path.open("ab"):
                    pass
                if not existed:
                    path.unlink()
            except OSError as error:
                raise UnwritableOutputs(
                    f"{name} cannot be written: {error.strerror} ({path}). Nothing was sent. "
                    "Make the file writable for the job's user."
                ) from None

    def _redacted(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, list):
            return [self._redacted(item) for item in value]
        if isinstance(value, dict):
            return {self._redact(key): self._redacted(item) for key, item in value.items()}
        return value

    def _print(self, text: str) -> None:
        say(self._out, text)

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        """A foldable section of the log, if the CI system has them."""
        self.info(title)
        yield

    @abstractmethod
    def warning(self, text: str) -> None:
        """Log a problem that does not stop the step."""

    @abstractmethod
    def error(self, problem: AppDistError) -> None:
        """Log the error that the step fails with."""

    @abstractmethod
    def finish(self, outputs: StepOutputs) -> None:
        """Write the outputs and the summary. Called once, also if the step failed."""
