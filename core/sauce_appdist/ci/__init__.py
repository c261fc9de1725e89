"""The CI systems in one table: which one runs the job, and the log that a step writes to."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, TextIO, cast

from sauce_appdist.ci.base import Ci, Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sauce_appdist.auth.oidc import Token, TokenHttp


class CiModule(Protocol):
    """The functions of a CI system's module."""

    def job(self, environ: Mapping[str, str], /) -> Job:
        """What the environment says of the job."""

    def id_token(self, environ: Mapping[str, str], audience: str, http: TokenHttp, /) -> Token:
        """An ID token of the job. Raises InputError, with what to add to the job, if it may not have one."""

    def missing_secrets(self, environ: Mapping[str, str], /) -> str:
        """Why the job may have no credentials at all; "" if the system gives no reason."""

    def log(self, environ: Mapping[str, str], out: TextIO, /) -> Ci:
        """The log of the job."""


class CiSystem(NamedTuple):
    """A CI system: `variable` is "true" in its jobs, `secrets` are variables whose values must never be shown.

    `literal_variables`: our templates pass free text unexpanded, so we look up a text that is only `$NAME`.
    `other_temp`: how to choose another directory for temporary files.
    """

    variable: str
    module: str
    secrets: tuple[str, ...] = ()
    literal_variables: bool = False
    other_temp: str = ""

    def load(self) -> CiModule:
        """Its module; only the module of the running system is loaded."""
        return cast("CiModule", import_module(self.module))


SYSTEMS: Mapping[str, CiSystem] = {
    "github": CiSystem(
        "GITHUB_ACTIONS",
        "sauce_appdist.ci.github",
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN",),
        other_temp="give the runner another work folder (config.sh --work)",
    ),
    "gitlab": CiSystem(
        "GITLAB_CI",
        "sauce_appdist.ci.gitlab",
        ("APPDIST_ID_TOKEN",),
        literal_variables=True,
        other_temp="set the CI/CD variable TMPDIR to another directory, such as $CI_BUILDS_DIR",
    ),
}


def system_of(environ: Mapping[str, str]) -> CiSystem | None:
    """The CI system that runs the job; None in a shell."""
    return next((system for system in SYSTEMS.values() if environ.get(system.variable) == "true"), None)


def job_of(environ: Mapping[str, str]) -> Job:
    """What the environment says of the running job, whichever CI system runs it."""
    system = system_of(environ)
    return system.load().job(environ) if system else Job()


def missing_secrets(environ: Mapping[str, str]) -> str:
    """Why a job may have no credentials at all; "" if the system gives no reason."""
    system = system_of(environ)
    return system.load().missing_secrets(environ) if system else ""


def job_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """What CI systems give a job and must never be shown, by its variable, though most steps do not use it."""
    names = [name for system in SYSTEMS.values() for name in system.secrets]
    return {name: environ[name] for name in names if environ.get(name, "").strip()}


def choose(environ: Mapping[str, str], out: TextIO, *, json: bool = False) -> Ci:
    """The log of this run; `json` asks for machine-readable output on stdout."""
    if json:
        from sauce_appdist.ci.terminal import JsonOutput

        return JsonOutput(environ, out, job_of(environ))
    if system := system_of(environ):
        return system.load().log(environ, out)
    from sauce_appdist.ci.terminal import Terminal

    return Terminal(environ, out)
