"""Write release notes, metadata, landing page mode, permission groups and tags of a build."""

from __future__ import annotations

import html
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

from pydantic import ValidationError, model_validator

from sauce_appdist.api import or_empty
from sauce_appdist.api.builds import UpdatedBuild
from sauce_appdist.errors import Cancelled, InputError, PartialSuccessError, ServiceError
from sauce_appdist.interface.inputs import BuildInputs, StepInputs, option
from sauce_appdist.interface.outputs import AppOutputs, output, unknown_while_sent
from sauce_appdist.interface.types import Flag, Items, Line, Pairs, Prose, Tags, as_text
from sauce_appdist.steps import find
from sauce_appdist.steps.groups import Directory
from sauce_appdist.text import folded, one_line, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sauce_appdist.api.builds import Build
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
        None,
        "open: anyone with the link; closed: sign-in required. If you omit it, the build keeps its mode.",
        unset="inherit",
    )
    permission_groups: Items | None = option(
        None,
        "Tester groups (name or id) that may install the build. Replaces the current groups. If you omit it, the build "
        "keeps its groups.",
        example="QA, Beta Testers",
        unset="inherit",
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


CHANGED = "true if an update was sent and accepted; unknown if that cannot be determined."


class AnnotateOutputs(AppOutputs):
    """The annotations."""

    changed: bool | Literal["unknown"] | None = output(CHANGED, dotenv=True)
    release_notes: str | None = output("Release notes after the step; empty if the service does not show them.")
    tags: list[str] | None = output("Tags after the step; empty if the service does not show them.")
    permission_groups: list[str] | None = output(
        "Groups that may install the build; empty if the service does not show them."
    )
    landing_page_mode: str | None = output("open or closed; empty if the service does not show it.")
    metadata: dict[str, Any] | None = output("Metadata after the step, as JSON; empty if the service does not show it.")


class Outputs(AnnotateOutputs):
    """The annotations."""


class Update(NamedTuple):
    """What one PATCH writes; None leaves a field unchanged."""

    release_notes: str | None = None
    tags: list[str] | None = None
    groups: list[str] | None = None
    landing_page_mode: str | None = None
    metadata: dict[str, Any] | None = None

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

    def without(self, names: Iterable[str]) -> Update:
        """The update without these fields."""
        return self._replace(**dict.fromkeys(names))


_WORDS = {
    "release_notes": "release notes",
    "tags": "tags",
    "groups": "permission groups",
    "landing_page_mode": "landing page mode",
    "metadata": "metadata",
}


class _Annotated(Protocol):
    tags: list[str] | None
    changed: bool | Literal["unknown"] | None


class Written(NamedTuple):
    """What became of an update.

    `shown` has the values of the build that the service shows, and nothing else; in a dry run, the values that it
    would have. `unconfirmed` names the fields of the update that the service does not show, and `contradicted` those
    of which it shows another value, and which.
    """

    update: Update
    shown: Update
    sent: bool
    unconfirmed: list[str]
    contradicted: dict[str, str]

    @property
    def confirmed(self) -> Update:
        """The part of the update that the service shows."""
        return self.update.without([*self.unconfirmed, *self.contradicted])

    def into(self, out: _Annotated) -> None:
        """Copy the values into the outputs that the step has."""
        shown = self.shown
        out.changed, out.tags = self.sent, shown.tags
        if isinstance(out, AnnotateOutputs):
            out.release_notes, out.permission_groups, out.metadata = shown.release_notes, shown.groups, shown.metadata
            if shown.landing_page_mode or "landing_page_mode" in self.unconfirmed:
                out.landing_page_mode = shown.landing_page_mode

    def check(self) -> None:
        """Raise PartialSuccessError if the service shows other values than those that it was sent."""
        if not self.contradicted:
            return
        wrong = "; ".join(f"{_WORDS[name]}: {problem}" for name, problem in self.contradicted.items())
        done = str(self.confirmed)
        raise PartialSuccessError(
            f"The service accepted the update, but did not make it ({wrong}). "
            + (f"It wrote: {done}. " if done else "")
            + "A newer server may ignore everything but release notes and tags: set the rest in its dashboard, and "
            f"omit {' and '.join(_INPUTS[name] for name in self.contradicted)}."
        )


_INPUTS = {
    "release_notes": "release-notes",
    "tags": "tags",
    "groups": "permission-groups (or clear-permission-groups)",
    "landing_page_mode": "landing-page-mode",
    "metadata": "metadata",
}


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send one PATCH if the ids are set, one GET before for permission groups, one after if the answer lacks values.

    Raises PartialSuccessError if the service shows other values than it was sent.
    """
    update = plan(inputs, Directory(context.client, context.ci.info), context)
    target = find.resolve(inputs, context, read=False)
    find.introduce(target, context, out)
    context.ci.report.title = f"Annotate {find.headline(target, out)}"
    context.ci.report.notes = update.release_notes
    written = send(update, target, context, out)
    written.into(out)
    context.ci.report.notes = written.confirmed.release_notes
    context.ci.report.fact("Would write" if context.dry_run else "Written", str(written.confirmed))
    written.check()
    context.ci.report.title = f"{'Would annotate' if context.dry_run else 'Annotated'} {find.headline(target, out)}"


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


def send(update: Update, target: find.Target, context: Context, out: _Annotated | None = None) -> Written:
    """Send one PATCH, and compare what the service shows afterwards (see `Written`).

    Reads the build once if the answer lacks values that were sent, and the build may show them: a newer server may
    drop what it does not know (docs/reference/api-facts.md#updating-a-build). Sends nothing if the update only sets
    tags that the build is known to have.
    """
    before = _shown(target.build) if target.build else None
    if before and before.tags is not None and update == Update(tags=before.tags):
        context.ci.info(f"Nothing to change: the tags are {', '.join(before.tags) or 'none'}.")
        return Written(update, update, sent=False, unconfirmed=[], contradicted={})
    if context.dry_run:
        context.ci.info(f"Would write to build {target.build_id}: {update}")
        return Written(update, update, sent=False, unconfirmed=[], contradicted={})
    try:
        with unknown_while_sent(out, "changed") if out else nullcontext():
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
    if out:
        out.changed = True
    answer = Update(reply.changelog, reply.tags, reply.groups, reply.landing_page_mode, reply.metadata)
    shown = _comparable(answer, update)
    missing = _missing(update, shown)
    if missing and (before is None or any(getattr(before, name) is not None for name in missing)):
        now = _comparable(_read_back(target, context), update)
        shown = shown._replace(**{name: getattr(now, name) for name in missing})
    written = Written(
        update,
        shown,
        sent=True,
        unconfirmed=_missing(update, shown),
        contradicted=dict(_differences(update, shown, before, context.ci.without_secrets)),
    )
    _tell(written, target, context)
    return written


def _tell(written: Written, target: find.Target, context: Context) -> None:
    update, shown = written.update, written.shown
    if done := str(written.confirmed):
        context.ci.info(f"Wrote to build {target.build_id}: {done}")
    if written.unconfirmed:
        what = update.without(set(Update._fields) - set(written.unconfirmed))
        context.ci.warning(
            f"The service accepted the update, but does not show whether it has made all of it. Not confirmed: {what}. "
            "Check it in the dashboard."
        )
        context.ci.report.fact("Not confirmed", str(what))
    confirmed = written.confirmed
    if confirmed.tags is not None and shown.tags is not None and _alike(confirmed.tags) != _alike(shown.tags):
        context.ci.warning(
            f"The step sent the tags {', '.join(confirmed.tags) or 'none'}, but the service answered "
            f"{', '.join(shown.tags) or 'none'}."
        )
    notes, kept = confirmed.release_notes, shown.release_notes
    if notes and kept and _plain(notes) != _plain(kept):
        context.ci.warning(f"The service keeps only the first {plural(len(kept), 'character')} of the release notes.")


def _shown(build: Build) -> Update:
    """The values that a build shows; None for those that it does not."""
    more = build.model_extra or {}
    notes = build.comment if build.comment is not None else more.get("releaseNotes")
    try:  # not documented, but a server may show them
        reply = UpdatedBuild.model_validate({name: more.get(name) for name in ("groups", "metadata")})
    except ValidationError:
        reply = UpdatedBuild()
    return Update(
        release_notes=notes if isinstance(notes, str) else "" if "comment" in build.model_fields_set else None,
        tags=build.tags or [] if find.shows_tags(build) else None,
        groups=reply.groups,
        landing_page_mode=build.landing_page_mode,
        metadata=reply.metadata,
    )


def _read_back(target: find.Target, context: Context) -> Update:
    """The values that the build shows now; none if it cannot be read."""
    try:
        return _shown(context.client.builds.get(target.project_id, target.build_id))
    except Cancelled:
        raise
    except ServiceError as error:
        context.ci.info(f"The build could not be read after the update: {error}")
        return Update()


def _missing(update: Update, shown: Update) -> list[str]:
    """The fields of the update that are not shown."""
    return [name for name, sent in update._asdict().items() if sent is not None and getattr(shown, name) is None]


def _comparable(shown: Update, update: Update) -> Update:
    """The values, unless they are ids of groups, which cannot be compared with the names that are sent."""
    groups = shown.groups or []
    ids = groups and all(name.isdecimal() for name in groups) and not _alike(groups) <= _alike(update.groups or ())
    return shown._replace(groups=None) if ids else shown


def _differences(
    update: Update, shown: Update, before: Update | None, redact: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """The fields of which the service shows another value than was sent, and what it shows.

    `redact` sees what is quoted before it is cut: half a secret would not be recognized.
    """

    def quoted(text: str | None, limit: int) -> str:
        return f"it shows {one_line(redact(text), limit)}" if text else "it shows none"

    known = update.without(_missing(update, shown))
    if known.release_notes is not None:
        notes, kept = _plain(known.release_notes), _plain(shown.release_notes or "")
        if not kept or not notes.startswith(kept):
            yield "release_notes", quoted(f"'{shown.release_notes}'" if kept else None, 60)
    if known.tags is not None:
        sent, there = _alike(known.tags), _alike(shown.tags or ())
        # More tags than were sent: a service that adds. The same as before: one that ignores them.
        if not sent <= there or (there != sent and before and before.tags is not None and there == _alike(before.tags)):
            yield "tags", quoted(", ".join(shown.tags or ()), 200)
    if known.groups is not None and _alike(known.groups) != _alike(shown.groups or ()):
        yield "groups", quoted(", ".join(shown.groups or ()), 200)
    if known.landing_page_mode and known.landing_page_mode.casefold() != (shown.landing_page_mode or "").casefold():
        yield "landing_page_mode", quoted(shown.landing_page_mode, 40)
    if known.metadata is not None:
        # PHP writes a dot in the name of a field as an underscore.
        now = {key.replace(".", "_"): _plain(as_text(value)) for key, value in (shown.metadata or {}).items()}
        wrong = [key for key, value in known.metadata.items() if now.get(key.replace(".", "_"), "") != _plain(value)]
        if wrong:
            yield "metadata", f"it does not show {', '.join(wrong)} as sent"


def _plain(text: str) -> str:
    """A text without what a service may write differently: white space, Unicode form, escaped markup."""
    return folded(html.unescape(text))


def _alike(names: Iterable[str]) -> set[str]:
    return {folded(name).casefold() for name in names}
