"""One interface to speak to a CI system or a person; `github`, `gitlab` and `terminal` implement it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TextIO, cast

from sauce_appdist.text import Redactor, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sauce_appdist.auth.oidc import Token, TokenHttp
    from sauce_appdist.errors import AppDistError
    from sauce_appdist.interface.outputs import StepOutputs
    from sauce_appdist.verdict.checks import Check

PartState = Literal["done", "planned", "failed", "unknown", "not done"]
MARKS: Mapping[str, str] = {
    "done": "✅",
    "planned": "📝",
    "failed": "❌",
    "unknown": "❓",
    "not done": "⬜",
    # of a gate's checks
    "passed": "✅",
    "inconclusive": "❓",
    "error": "❗",
}


class Fact(NamedTuple):
    """A row of the summary: a label, a text, and where the text links to."""

    label: str
    text: str
    url: str | None = None


class PartResult(NamedTuple):
    """One part of a promotion, how it ended and what it did."""

    name: str
    state: PartState
    detail: str


@dataclass
class Report:
    """What a step tells people at its end; filled while it runs. `state` is that of a step without a problem."""

    title: str
    facts: list[Fact] = field(default_factory=list)
    parts: list[PartResult] = field(default_factory=list)
    notes: str | None = None
    links: list[Fact] = field(default_factory=list)
    problem: AppDistError | None = None
    state: PartState = "done"
    checks: list[Check] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """A sign for how it ended."""
        return MARKS["failed" if self.problem else self.state]

    def fact(self, label: str, text: str | None, url: str | None = None) -> None:
        """Add a row; None and "" are left out, a second row of the same label replaces the first."""
        self.facts = [fact for fact in self.facts if fact.label != label]
        if text:
            self.facts.append(Fact(label, text, url))
            if url:
                self.links.append(Fact(label, text, url))


class Job(NamedTuple):
    """What the CI system says of the running job; None where it does not."""

    commit: str | None = None
    branch: str | None = None
    tag: str | None = None
    pipeline_url: str | None = None
    actor: str | None = None
    attempt: int | None = None

    def metadata(self) -> dict[str, str]:
        """What `ci-metadata` writes to the build."""
        fields = self._asdict()
        del fields["attempt"]
        return {key: value.encode("utf-8", "replace").decode() for key, value in fields.items() if value}


def say(stream: TextIO, text: str) -> None:
    """Print, if it can be: a reader that went away (`| head`) or a full disk is no reason to stop half-way."""
    with suppress(OSError):
        print(text, file=stream, flush=True)


class Ci(ABC):
    """Where a step speaks. Text from anywhere may be passed in: it is redacted and made harmless here."""

    def __init__(self, environ: Mapping[str, str], out: TextIO) -> None:
        self.environ = environ
        self.job = job_of(environ)
        self.report = Report("")
        self.debugging = False
        self._out = out
        self._redact = Redactor()
        self._masked: set[str] = set()

    def clean(self, text: str) -> str:
        """Without secrets, control characters and workflow commands."""
        return printable(self._redact(text))

    def without_secrets(self, text: str) -> str:
        """The text itself but for secrets: not made for a log."""
        return self._redact(text)

    def holds_secret(self, text: str) -> bool:
        """Whether a text that is to be published has a secret in it."""
        return self._redact.finds(text)

    def mask(self, secret: str) -> None:
        """Never show this again, in any output of this run."""
        if secret not in self._masked:
            self._masked.add(secret)
            self._redact.add(secret)
            self._announce(secret)

    def _announce(self, secret: str) -> None:  # noqa: B027 - most places hide nothing themselves
        """Tell the place of a secret, where it hides them too."""

    def info(self, text: str) -> None:
        """A line (or a few) of progress."""
        self._print(self.clean(text))

    def debug(self, text: str) -> None:
        """Shown only with `debug: true`."""
        if self.debugging:
            self._print(self.clean(f"debug: {text}"))

    def values(self, outputs: StepOutputs) -> dict[str, Any]:
        """The outputs for a JSON file, without secrets."""
        return {name: self._redacted(value) for name, value in outputs.given().items()}

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
        """A foldable part of the log, where the place has such a thing."""
        self.info(title)
        yield

    @abstractmethod
    def warning(self, text: str) -> None:
        """Something the user should look at, though the step goes on."""

    @abstractmethod
    def error(self, problem: AppDistError) -> None:
        """What the step fails with."""

    @abstractmethod
    def finish(self, outputs: StepOutputs) -> None:
        """Write the outputs and the summary; called once, also when the step failed."""


class CiModule(Protocol):
    """What the module of a CI system has."""

    def job(self, environ: Mapping[str, str], /) -> Job:
        """What the environment says of the job."""

    def id_token(self, environ: Mapping[str, str], audience: str, http: TokenHttp, /) -> Token:
        """An ID token of the job. Raises InputError where it may have none, with what to add to the job."""

    def missing_secrets(self, environ: Mapping[str, str], /) -> str:
        """Why the job may have no credentials at all; "" where there is no telling reason."""

    def log(self, environ: Mapping[str, str], out: TextIO, /) -> Ci:
        """Where a step speaks in the job."""


class CiSystem(NamedTuple):
    """A CI system: `variable` is "true" in its jobs, `secrets` are what it gives a job and must never be shown.

    With `literal_variables`, our templates pass free text unexpanded: a lone `$NAME` is looked up by us.
    """

    variable: str
    module: str
    secrets: tuple[str, ...] = ()
    literal_variables: bool = False

    def load(self) -> CiModule:
        """Its module: only that of the system that runs is ever loaded."""
        return cast("CiModule", import_module(self.module))


SYSTEMS: Mapping[str, CiSystem] = {
    "github": CiSystem("GITHUB_ACTIONS", "sauce_appdist.ci.github", ("ACTIONS_ID_TOKEN_REQUEST_TOKEN",)),
    "gitlab": CiSystem("GITLAB_CI", "sauce_appdist.ci.gitlab", ("APPDIST_ID_TOKEN",), literal_variables=True),
}


def system_of(environ: Mapping[str, str]) -> CiSystem | None:
    """The CI system that the environment is of; None in a shell."""
    return next((system for system in SYSTEMS.values() if environ.get(system.variable) == "true"), None)


def job_of(environ: Mapping[str, str]) -> Job:
    """What the environment says of the running job, whichever CI system runs it."""
    system = system_of(environ)
    return system.load().job(environ) if system else Job()


def missing_secrets(environ: Mapping[str, str]) -> str:
    """Why a job may have no credentials at all; "" where there is no telling reason."""
    system = system_of(environ)
    return system.load().missing_secrets(environ) if system else ""


def secrets_around(environ: Mapping[str, str]) -> list[str]:
    """What CI systems give a job and must never be shown, though most steps do not use it."""
    names = [name for system in SYSTEMS.values() for name in system.secrets]
    return [environ[name] for name in names if environ.get(name)]


def choose(environ: Mapping[str, str], out: TextIO, *, json: bool = False) -> Ci:
    """Where this run speaks; `json` asks for machine-readable output on stdout."""
    if json:
        from sauce_appdist.ci.terminal import JsonOutput

        return JsonOutput(environ, out)
    if system := system_of(environ):
        return system.load().log(environ, out)
    from sauce_appdist.ci.terminal import Terminal

    return Terminal(environ, out)
