"""How steps declare outputs, and the text of an output for a CI system."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from sauce_appdist.errors import AppDistError, ServiceError
from sauce_appdist.interface import kebab, variable
from sauce_appdist.interface.inputs import extra
from sauce_appdist.interface.types import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sauce_appdist.api.builds import Build


def output(description: str, *, dotenv: bool = False) -> Any:
    """Declare an output; `dotenv` passes it to later GitLab jobs (at most 20 variables and 5 KB)."""
    return Field(None, description=description, json_schema_extra={"dotenv": dotenv})


class StepOutputs(BaseModel):
    """The outputs of a step. They are set while it runs, so that a failing step reports what it has done."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    dry_run: bool | None = output("`true` if nothing was written because `dry-run` was set.")

    def lasting(self) -> bool:
        """Whether the step did something, or may have, that must not be done twice."""
        return False

    def values(self) -> dict[str, Any]:
        """Every output by its YAML name, as a value for JSON; None is unknown."""
        return {kebab(name): getattr(self, name) for name in type(self).model_fields}

    def texts(self) -> dict[str, str]:
        """Every output by its YAML name, as text for a CI system."""
        return {name: as_text(value) for name, value in self.values().items()}

    def dotenv(self) -> dict[str, str]:
        """The outputs that later GitLab jobs get, by environment variable; unknown ones are omitted."""
        return {
            variable(name): as_text(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if extra(field)["dotenv"] and as_text(getattr(self, name))
        }


@contextmanager
def unknown_while_sent(out: object, name: str) -> Iterator[None]:
    """Send a request that decides an output: the output is `unknown` from before, until the caller sets it.

    As it was before, if the request certainly had no effect.
    """
    before = getattr(out, name)
    setattr(out, name, "unknown")
    try:
        yield
    except AppDistError as error:
        if not (isinstance(error, ServiceError) and error.sent):
            setattr(out, name, before)
        raise


class AppOutputs(StepOutputs):
    """The app whose build a step worked on, as far as something that was read shows it."""

    app_name: str | None = output("Name of the app.")
    package_name: str | None = output("Package name or bundle id.")
    platform: str | None = output("Android or iOS.")


class BuildOutputs(AppOutputs):
    """The build that a step worked on."""

    project_id: str | None = output("Id of the project.", dotenv=True)
    build_id: str | None = output("Id of the build.", dotenv=True)
    app_version: str | None = output("Version of the app.", dotenv=True)
    version_code: str | None = output("Version code or build number.", dotenv=True)
    uploaded_at: str | None = output("Time of the upload, as the service reports it (without a time zone).")
    landing_page_mode: str | None = output("Landing page of the build: `open` or `closed`.")
    build_url: str | None = output("Dashboard URL of the build.", dotenv=True)
    sessions: int | None = output("Number of recorded sessions; empty if the service does not report it.")
    crashes: int | None = output("Number of crashes; empty if the service does not report it.")
    testers: int | None = output("Number of testers; empty if the service does not report it.")
    feedbacks: int | None = output("Number of feedbacks; empty if the service does not report it.")
    downloads: int | None = output("Number of downloads; empty if the service does not report it.")

    def read(self, build: Build) -> None:
        """Set the outputs that the service reports of a build."""
        self.app_name = build.app_name
        self.app_version = build.app_version
        self.version_code = build.app_version_code
        self.uploaded_at = None if build.uploaded_at is None else str(build.uploaded_at)
        self.landing_page_mode = build.landing_page_mode
        self.sessions, self.crashes, self.testers = build.sessions, build.crashes, build.testers
        self.feedbacks, self.downloads = build.feedbacks, build.downloads
