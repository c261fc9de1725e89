"""Set, add or remove the tags of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sauce_appdist.errors import InputError
from sauce_appdist.interface.inputs import BuildInputs, option, required
from sauce_appdist.interface.outputs import AppOutputs, output
from sauce_appdist.interface.types import Tags
from sauce_appdist.steps import find
from sauce_appdist.steps.annotate import CHANGED, TagsInput, Update, send
from sauce_appdist.text import meant, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sauce_appdist.api.builds import Build
    from sauce_appdist.steps.context import Context

Mode = Literal["replace", "add", "remove"]


class TagOptions(TagsInput):
    """How tags are written."""

    tags_mode: Mode = option(
        "replace", "Whether tags replaces the current tags, or is added to or removed from them.", may_be_empty=False
    )


class Inputs(TagOptions, BuildInputs):
    """A build and its tags."""

    tags: Tags = required(TagOptions, "tags")


class Outputs(AppOutputs):
    """The tags."""

    tags: list[str] | None = output("Tags of the build after the step; empty if the service does not show them.")
    changed: bool | Literal["unknown"] | None = output(CHANGED, dotenv=True)


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send one PATCH if the ids are set, one GET first for add and remove, and one GET if the answer lacks the tags."""
    target = find.resolve(inputs, context, read=inputs.tags_mode != "replace")
    find.introduce(target, context, out)
    context.ci.report.title = f"Tags of {find.headline(target, out)}"
    tags = merged(inputs.tags, inputs.tags_mode, target.build, context.ci.info)
    written = send(Update(tags=tags), target, context, out)
    written.into(out)
    if out.tags is not None:
        context.ci.report.fact("Tags", ", ".join(out.tags) or "none")
    written.check()


def current_tags(build: Build) -> list[str]:
    """The current tags. Raises InputError if the service does not show them."""
    if not find.shows_tags(build):
        raise InputError(
            "tags-mode add and remove need the current tags, which this service does not show: "
            "use tags-mode: replace with all tags. Nothing was sent."
        )
    return build.tags or []


def merged(tags: list[str], mode: Mode, build: Build | None, say: Callable[[str], None]) -> list[str]:
    """The tags to send. `say` gets a line for tags that are there in another spelling, or not there to be removed."""
    if mode == "replace" or build is None:
        return tags
    today = current_tags(build)
    found = {tag: meant(tag, today) for tag in tags}
    for tag, spelled in found.items():
        if spelled and spelled != [tag]:
            say(f"tags: {one_line(tag, 60)!r} is spelled {', '.join(map(repr, spelled))} on this build.")
    if mode == "add":
        return _unsplit([*today, *(tag for tag, spelled in found.items() if not spelled)], today)
    if missing := [one_line(tag, 60) for tag, spelled in found.items() if not spelled]:
        say(f"Not on this build, so nothing to remove: {', '.join(missing)}.")
    removed = {one for spelled in found.values() for one in spelled}
    return _unsplit([tag for tag in today if tag not in removed], today)


def _unsplit(tags: list[str], today: list[str]) -> list[str]:
    """The tags, unless an update would split one of them. Raises InputError then."""
    split = [one_line(tag, 60) for tag in tags if "," in tag]
    if split and tags != today:  # else nothing is sent
        raise InputError(
            f"The build has the tag {', '.join(map(repr, split))}, which contains a comma: an update would split it "
            "into several tags. Rename that tag in the dashboard, or use tags-mode: replace with all tags. "
            "Nothing was sent."
        )
    return tags
