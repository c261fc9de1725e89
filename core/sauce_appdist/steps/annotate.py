"""Write release notes, metadata, landing page mode, permission groups and tags of a build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

from pydantic import model_validator

from sauce_appdist.api import or_empty
from sauce_appdist.errors import InputError, ServiceError
from sauce_appdist.interface.inputs import BuildInputs, StepInputs, option
from sauce_appdist.interface.outputs import StepOutputs, output
from sauce_appdist.interface.types import Flag, Items, Line, Pairs, Prose, Tags
from sauce_appdist.steps import find
from sauce_appdist.steps.groups import Directory
from sauce_appdist.text import one_line, plural

if TYPE_CHECKING:
    from sauce_appdist.steps.context import Context


class TagsInput(StepInputs):
    """Tags, which `tag` and `annotate` both write."""

    tags: Tags | None = option(None, "Tags, separated by commas or newlines.", example="release-candidate, nightly")


class AnnotateOptions(TagsInput):
    """What can be written to a build."""

    release_notes: Prose | None = option(None, "Release notes.", multiline=True)
    release_notes_file: Line | None = option(
        None, "File with the release notes (UTF-8), instead of release-notes.", example="CHANGELOG.md"
    )
    metadata: Pairs | None = option(
        None, "Custom metadata, one key=value per line.", example="ticket=APP-123", multiline=True
    )
    ci_metadata: Flag = option(False, "Add commit, branch or tag, pipeline URL and actor to the metadata.")
    landing_page_mode: Literal["open", "closed"] | None = option(
        None, "open: anyone with the link; closed: sign-in required."
    )
    permission_groups: Items | None = option(
        None,
        "Tester groups (name or id) that may install the build. Replaces the current groups.",
        example="QA, Beta Testers",
    )
    clear_permission_groups: Flag = option(False, "Remove the permission of all tester groups.")

    @model_validator(mode="after")
    def _annotations(self) -> Self:
        if self.release_notes and self.release_notes_file:
            raise ValueError("release-notes and release-notes-file are both set: keep one")
        if self.permission_groups and self.clear_permission_groups:
            raise ValueError("permission-groups and clear-permission-groups are both set: keep one")
        return self

    def annotates(self) -> bool:
        """Whether the inputs ask to write anything but tags."""
        return bool(
            self.release_notes
            or self.release_notes_file
            or self.metadata
            or self.ci_metadata
            or self.landing_page_mode
            or self.permission_groups
            or self.clear_permission_groups
        )


class Inputs(AnnotateOptions, BuildInputs):
    """A build and what to write to it."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.annotates() and not self.tags:
            raise ValueError(
                "nothing to annotate: set release-notes, release-notes-file, metadata, ci-metadata, "
                "landing-page-mode, permission-groups, clear-permission-groups or tags"
            )
        return self


class AnnotateOutputs(StepOutputs):
    """The annotations."""

    changed: bool | None = output("true if an update was sent.", dotenv=True)
    release_notes: str | None = output("Release notes after the step.")
    tags: list[str] | None = output("Tags after the step.")
    permission_groups: list[str] | None = output("Groups that may install the build.")
    landing_page_mode: str | None = output("open or closed.")
    metadata: dict[str, Any] | None = output("Metadata after the step, as JSON.")


class Outputs(AnnotateOutputs):
    """The annotations."""


class Update(NamedTuple):
    """What one PATCH writes; None leaves a field unchanged."""

    release_notes: str | None = None
    tags: list[str] | None = None
    groups: list[str] | None = None
    landing_page_mode: str | None = None
    metadata: dict[str, str] | None = None

    def __str__(self) -> str:
        parts = []
        if self.release_notes is not None:
            parts.append(f"release notes ({plural(len(self.release_notes), 'character')})")
        if self.metadata:
            parts.append(f"metadata {', '.join(self.metadata)}")
        if self.landing_page_mode:
            parts.append(f"landing page {self.landing_page_mode}")
        if self.groups is not None:
            parts.append(f"permission groups {', '.join(self.groups)}" if self.groups else "no permission groups")
        if self.tags is not None:
            parts.append(f"tags {', '.join(self.tags)}" if self.tags else "no tags")
        return one_line("; ".join(parts), 300)


class _Annotated(Protocol):
    tags: list[str] | None
    changed: bool | None


class Written(NamedTuple):
    """The values of the build after an update, as far as they are known."""

    update: Update
    sent: bool

    def into(self, out: _Annotated) -> None:
        """Copy the values into the outputs that the step has."""
        out.changed, out.tags = self.sent, self.update.tags
        if isinstance(out, AnnotateOutputs):
            out.release_notes, out.permission_groups = self.update.release_notes, self.update.groups
            out.metadata = self.update.metadata
            out.landing_page_mode = self.update.landing_page_mode or out.landing_page_mode


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send one PATCH if the ids are set, and one GET first for permission groups."""
    update = plan(inputs, Directory(context.client, context.ci.info), context)
    target = find.resolve(inputs, context, read=False)
    context.ci.report.title = f"Annotate {find.name_of(target)}"
    context.ci.report.fact("Build", find.name_of(target), find.link(context, target))
    context.ci.report.notes = update.release_notes
    send(update, target, context).into(out)
    context.ci.report.title = f"{'Would annotate' if context.dry_run else 'Annotated'} {find.name_of(target)}"
    context.ci.report.fact("Would write" if context.dry_run else "Written", str(update))


def plan(inputs: AnnotateOptions, directory: Directory, context: Context) -> Update:
    """Read and check everything that the step will write. Raises InputError."""
    metadata = context.ci.job.metadata() if inputs.ci_metadata else {}
    if inputs.ci_metadata and not metadata:
        raise InputError("ci-metadata is true, but this is neither GitHub Actions nor GitLab CI: use metadata.")
    metadata |= inputs.metadata or {}
    notes = inputs.release_notes or _read(inputs.release_notes_file)
    if notes and context.ci.holds_secret(notes):
        raise InputError(f"release-notes-file {inputs.release_notes_file} contains a credential. Remove it.")
    groups: list[str] | None = [] if inputs.clear_permission_groups else None
    if inputs.permission_groups:
        groups = directory.names(inputs.permission_groups, "permission-groups")
    return Update(
        release_notes=notes,
        tags=inputs.tags,
        groups=groups,
        landing_page_mode=inputs.landing_page_mode,
        metadata=metadata or None,
    )


def _read(name: str | None) -> str | None:
    """The text of the notes file. Raises InputError if it is missing, empty or not UTF-8 text."""
    if name is None:
        return None
    path = Path(name)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"release-notes-file {name} is not UTF-8 (byte {error.start + 1}): save it as UTF-8."
        ) from None
    except FileNotFoundError:
        raise InputError(
            f"release-notes-file {name} does not exist in {Path.cwd()}: check the path, and that this job "
            "checks out the repository or downloads the file."
        ) from None
    except OSError as error:
        raise InputError(f"release-notes-file {name} cannot be read: {error.strerror}.") from None
    if not text.strip():
        raise InputError(f"release-notes-file {name} is empty: add text, or omit the input.")
    if "\0" in text:
        raise InputError(f"release-notes-file {name} contains a NUL character: use plain text.")
    return text


def send(update: Update, target: find.Target, context: Context) -> Written:
    """Send one PATCH and return the values of the build; in a dry run, the values it would have.

    Sends nothing if the update only sets tags that the build is known to have.
    """
    shown = target.build.tags or [] if target.build and find.shows_tags(target.build) else None
    if shown is not None and update == Update(tags=shown):
        context.ci.info(f"Nothing to change: the tags are {', '.join(shown) or 'none'}.")
        return Written(update, sent=False)
    if context.dry_run:
        context.ci.info(f"Would write to build {target.build_id}: {update}")
        return Written(update, sent=False)
    try:
        reply = context.client.builds.update(
            target.project_id,
            target.build_id,
            release_notes=update.release_notes,
            tags=or_empty(update.tags),
            groups=or_empty(update.groups),
            landing_page_mode=update.landing_page_mode,
            metadata=update.metadata,
        )
    except ServiceError as error:
        if error.sent:
            error.args = (f"{error} It is unknown whether the update was made; it is safe to send it again.",)
        raise
    context.ci.info(f"Wrote to build {target.build_id}: {update}")
    for what, told, answered in (("tags", update.tags, reply.tags), ("groups", update.groups, reply.groups)):
        if told is not None and answered is not None and set(told) != set(answered):
            context.ci.warning(
                f"The step sent the {what} {', '.join(told) or 'none'}, but the service answered "
                f"{', '.join(answered) or 'none'}."
            )
    return Written(
        Update(
            release_notes=update.release_notes if reply.changelog is None else reply.changelog,
            tags=update.tags if reply.tags is None else reply.tags,
            groups=update.groups if reply.groups is None else reply.groups,
            landing_page_mode=reply.landing_page_mode or update.landing_page_mode,
            metadata=update.metadata if reply.metadata is None else reply.metadata,
        ),
        sent=True,
    )
