"""The outputs that steps declare, and how they look for a CI system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from sauce_appdist.interface import kebab, variable
from sauce_appdist.interface.inputs import extra
from sauce_appdist.interface.types import as_text

if TYPE_CHECKING:
    from sauce_appdist.api.builds import Build


def output(description: str, *, dotenv: bool = False) -> Any:
    """Declare an output; `dotenv` hands it to later GitLab jobs (at most 20 variables and 5 KB)."""
    return Field(None, description=description, json_schema_extra={"dotenv": dotenv})


class StepOutputs(BaseModel):
    """What a step hands on; filled while it runs, so that a failing step has written what happened."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    dry_run: bool | None = output("true when nothing was written because dry-run was set.")

    def given(self) -> dict[str, Any]:
        """Every output by its YAML name, as JSON would have it; None is unknown."""
        return {kebab(name): getattr(self, name) for name in type(self).model_fields}

    def texts(self) -> dict[str, str]:
        """Every output as the text that a CI system gets."""
        return {name: as_text(value) for name, value in self.given().items()}

    def dotenv(self) -> dict[str, str]:
        """The few that later GitLab jobs need, by variable."""
        return {
            variable(name): as_text(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if extra(field)["dotenv"] and as_text(getattr(self, name))
        }


class BuildOutputs(StepOutputs):
    """The build that a step worked on."""

    project_id: str | None = output("Id of the project.", dotenv=True)
    build_id: str | None = output("Id of the build.", dotenv=True)
    app_name: str | None = output("Name of the app.")
    package_name: str | None = output("Package name or bundle id.")
    platform: str | None = output("Android or iOS.")
    app_version: str | None = output("Version of the app.", dotenv=True)
    version_code: str | None = output("Version code or build number.", dotenv=True)
    uploaded_at: str | None = output("When it was uploaded, as the service writes it (no zone).")
    landing_page_mode: str | None = output("open or closed.")
    build_url: str | None = output("Link to the build for people.", dotenv=True)
    sessions: int | None = output("Recorded sessions; empty where the service does not tell.")
    crashes: int | None = output("Crashes; empty where the service does not tell.")
    testers: int | None = output("Testers; empty where the service does not tell.")
    feedbacks: int | None = output("Feedbacks; empty where the service does not tell.")
    downloads: int | None = output("Downloads; empty where the service does not tell.")

    def read(self, build: Build) -> None:
        """Take over what a build's reply tells."""
        self.app_name = build.app_name
        self.app_version = build.app_version
        self.version_code = build.app_version_code
        self.uploaded_at = None if build.uploaded_at is None else str(build.uploaded_at)
        self.landing_page_mode = build.landing_page_mode
        self.sessions, self.crashes, self.testers = build.sessions, build.crashes, build.testers
        self.feedbacks, self.downloads = build.feedbacks, build.downloads
