"""Copy a build to a folder, and find the project that the copy is in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator

from sauce_appdist.api import or_empty
from sauce_appdist.errors import ApiError, Cancelled, InputError, PartialSuccessError, ServiceError
from sauce_appdist.interface.inputs import BuildInputs, ConnectionInputs, option, required
from sauce_appdist.interface.outputs import AppOutputs, output, unknown_while_sent
from sauce_appdist.interface.types import Items, Name, Word
from sauce_appdist.models import spellings
from sauce_appdist.steps import find
from sauce_appdist.steps.groups import Directory
from sauce_appdist.text import folded, meant, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sauce_appdist.api.builds import Build, CopiedBuild
    from sauce_appdist.api.projects import Project
    from sauce_appdist.steps.context import Context

Found = TypeVar("Found")
INPUTS_TO_OMIT = (
    "to-folder, source-tags, if-exists, the copy-… inputs and the inputs of the gate "
    "(and, of the build, all but its ids)"
)
_POLLS, _FIRST_PAUSE = 4, 1.0  # a new copy may show up late; seconds, doubled after each poll


def _folder(value: str) -> str:
    if not value.strip("/ "):
        raise ValueError(f"is {value!r}, which names no folder: set a name or a path")
    return value


Folder = Annotated[Name, AfterValidator(_folder)]


class CopyOptions(ConnectionInputs):
    """How a build is copied."""

    to_folder: Folder | None = option(
        None, "Folder to copy to, by name or path. It is created if needed.", example="Release Candidates", unset="off"
    )
    copied_app_name: Name | None = option(
        None, "Name of the app in the folder. If you omit it, the name stays the same."
    )
    copy_groups: Items | None = option(
        None,
        "Tester groups (name or id) of the copy. If you omit it, they are those of the original.",
        example="QA",
        unset="inherit",
    )
    copy_project_groups: Items | None = option(
        None,
        "Tester groups (name or id) of the copy's project. If you omit it, they are those of the original.",
        unset="inherit",
    )
    allow_all_testers: Annotated[Literal["inherit", "true", "false"], Word] = option(
        "inherit",
        "Whether all other users may install the copy; inherit keeps the setting of the original.",
        may_be_empty=False,
    )
    on_invalid_groups: Literal["fail", "warn"] = option("fail", "What to do if a group does not exist.")
    if_exists: Literal["copy", "skip"] = option(
        "copy",
        "skip makes no copy if the folder has a build of the same app, version and version code, and uses that build. "
        "If the service does not show folders, it needs a copied-app-name that ends with the folder.",
        may_be_empty=False,
    )


class Inputs(CopyOptions, BuildInputs):
    """A build and where it goes."""

    to_folder: Folder = required(CopyOptions, "to_folder")


class CopyOutputs(AppOutputs):
    """The copy."""

    promoted_build_id: str | None = output("Id of the copy.", dotenv=True)
    promoted_project_id: str | None = output("Id of the project that the copy is in.", dotenv=True)
    promoted_build_url: str | None = output("Link to the copy in the dashboard.", dotenv=True)
    folder_path: str | None = output("Path of the folder; empty if the service does not show it.", dotenv=True)
    promoted_app_name: str | None = output("Name of the app in the folder.")
    assigned_groups: list[str] | None = output("Tester groups assigned to the copy.")
    invalid_groups: list[str] | None = output("Groups of copy-groups that do not exist.")
    assigned_project_groups: list[str] | None = output("Tester groups assigned to the copy's project.")
    invalid_project_groups: list[str] | None = output("Groups of copy-project-groups that do not exist.")
    copied: bool | Literal["unknown"] | None = output(
        "true if a copy was made; false if it existed already, or in a dry run; unknown if that cannot be determined.",
        dotenv=True,
    )

    def lasting(self) -> bool:
        return bool(self.copied) or super().lasting()


class Outputs(CopyOutputs):
    """The copy."""


class CopyGroups(NamedTuple):
    """The groups of a copy as they are sent; None copies the original's."""

    build: list[str] | None
    project: list[str] | None


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send one POST, then one GET for the projects and one for the copy; first GETs for groups and source if needed."""
    groups = check_groups(inputs, Directory(context.client, context.ci.info), context)
    target = find.resolve(inputs, context, read=inputs.if_exists == "skip", to_folder=inputs.to_folder)
    find.introduce(target, context, out)
    context.ci.report.title = f"Copy {find.headline(target, out)} to {inputs.to_folder}"
    copied = copy(inputs, inputs.to_folder, groups, target, context, out)
    find.fill_app(copied, out)  # a copy is of the same app, on the same platform
    name = find.headline(target, out)
    if out.copied is False and out.promoted_build_id:
        where = f"in {out.folder_path}" if out.folder_path else f"as {out.promoted_app_name}"
        context.ci.report.title = f"Found {name} {where}"
    else:
        context.ci.report.title = f"{'Copied' if out.copied is True else 'Would copy'} {name} to {inputs.to_folder}"


def check_groups(inputs: CopyOptions, directory: Directory, context: Context) -> CopyGroups:
    """Check, before anything is written, that the groups exist.

    Raises InputError if one does not; only warns if on-invalid-groups is warn.
    """

    def checked(name: str, asked: list[str] | None) -> list[str] | None:
        if asked is None:
            return None
        if inputs.on_invalid_groups == "fail":
            return [match.reference for match in directory.match(asked, name)]
        found, unknown = directory.split(asked, name)
        if any("," in group for group in unknown):
            directory.match(unknown, name)  # the service would split it at the comma
        if unknown:
            context.ci.warning(
                f"{name} names unknown tester groups: {', '.join(unknown)}. "
                "Continuing, because on-invalid-groups is warn."
            )
        return [*(match.reference for match in found), *unknown]

    return CopyGroups(
        checked("copy-groups", inputs.copy_groups), checked("copy-project-groups", inputs.copy_project_groups)
    )


def copy(
    inputs: CopyOptions,
    folder: str,
    groups: CopyGroups,
    target: find.Target,
    context: Context,
    out: CopyOutputs,
    *,
    before: Callable[[], None] = lambda: None,
) -> find.Target:
    """Make or find the copy. Fills `out` as values become known; calls `before` right before it copies.

    Raises PartialSuccessError if the copy was made but is not as requested, or if it is unknown whether it
    was made.
    """
    folder = _as_spelled(folder, context)
    if inputs.if_exists == "skip":
        found = existing(inputs, folder, target, context)
        if found:
            return _use_existing(found, target, context, out, copied=False)
    if context.dry_run:
        out.copied = False
        context.ci.info(f"Would copy build {target.build_id} to {folder}.")
        return target
    before()
    try:
        with unknown_while_sent(out, "copied"):
            reply = context.client.builds.copy(
                target.project_id,
                target.build_id,
                to_folder=folder,
                app_name=inputs.copied_app_name,
                groups=or_empty(groups.build),
                project_groups=or_empty(groups.project),
                allow_all_testers=None if inputs.allow_all_testers == "inherit" else inputs.allow_all_testers == "true",
            )
    except ServiceError as error:
        if not error.sent:
            raise
        return _after_unknown_fate(error, inputs, folder, target, context, out)
    out.copied, out.promoted_build_id = True, reply.build_id
    out.folder_path, out.promoted_app_name = reply.folder_path, reply.app_name
    out.assigned_groups, out.invalid_groups = reply.assigned_groups, reply.invalid_groups
    out.assigned_project_groups = reply.assigned_project_groups
    out.invalid_project_groups = reply.invalid_project_groups
    copied = _locate(reply, reply.folder_path or folder, target, context)
    return _report_copy(reply, copied, inputs, context, out)


def _as_spelled(folder: str, context: Context) -> str:
    """The folder as the service spells it: one that only reads the same would become a second folder."""
    if folder.isascii() and folder == folded(folder):
        return folder  # as almost every folder: not worth a request
    spelled = find.own_spelling(folder, context.client.projects.list())
    if spelled != folder:
        context.ci.info(f"to-folder: {one_line(folder, 60)!r} is the folder {one_line(spelled, 60)!r} of the service.")
    return spelled


def _report_copy(
    reply: CopiedBuild, copied: find.Target, inputs: CopyOptions, context: Context, out: CopyOutputs
) -> find.Target:
    """Report a new copy. Raises PartialSuccessError if the service refused groups of it."""
    out.promoted_project_id, out.promoted_build_url = copied.project_id, find.link(context, copied)
    out.promoted_app_name = out.promoted_app_name or (copied.build.app_name if copied.build else None)
    told = (copied.project.folder if copied.project else None) or (copied.build.folder if copied.build else None)
    out.folder_path = out.folder_path or told
    if out.folder_path and not find.in_folder(folded(out.folder_path), folded(inputs.to_folder or "")):
        context.ci.warning(
            f"to-folder is {inputs.to_folder}, but the service says that the copy is in {out.folder_path}."
        )
    where, folder = f"build {copied.build_id} in project {copied.project_id}", out.folder_path or inputs.to_folder
    context.ci.report.fact("Copied to", f"{folder}: {where}", out.promoted_build_url)
    context.ci.info(f"Copied to {folder}: {where}.")
    refused = [*(reply.invalid_groups or []), *(reply.invalid_project_groups or [])]
    if reply.unreadable("invalid_groups", "invalid_project_groups"):
        known = f" (at least {', '.join(refused)})" if refused else ""
        message = (
            f"The copy was made ({where}), but the answer does not tell in a readable way which groups were refused"
            f"{known}"
        )
        if inputs.on_invalid_groups == "fail":
            raise PartialSuccessError(
                f"{message}. Do not copy it again: check the groups of the copy in the dashboard, and continue with "
                "the copy's ids."
            )
        context.ci.warning(f"{message}. Continuing, because on-invalid-groups is warn.")
    if refused:
        message = f"The copy was made ({where}), but the service does not know the groups {', '.join(refused)}"
        if inputs.on_invalid_groups == "fail":
            raise PartialSuccessError(
                f"{message}, so they cannot install it. Do not copy it again: continue with the copy's ids. Before the "
                "next run, fix the groups or set on-invalid-groups: warn."
            )
        context.ci.warning(f"{message}. Continuing, because on-invalid-groups is warn.")
    return copied


def _use_existing(
    found: Match,
    target: find.Target,
    context: Context,
    out: CopyOutputs,
    *,
    copied: bool,
) -> find.Target:
    """Use a build that is there already as the copy. Names the folder only if the service shows it."""
    project, build = found
    copy_ = find.Target(project.id, build.id, build, project)
    out.copied, out.promoted_build_id, out.promoted_project_id = copied, build.id, project.id
    out.promoted_app_name, out.promoted_build_url = build.app_name or project.name, find.link(context, copy_)
    out.folder_path = project.folder or build.folder
    place = f" {'to' if copied else 'in'} {out.folder_path}" if out.folder_path else f" as {out.promoted_app_name}"
    text = f"build {build.id} in project {project.id}"
    context.ci.info(f"{find.name_of(target)} was {'' if copied else 'already '}copied{place}: {text}.")
    context.ci.report.fact("Copied" if copied else "Already copied", f"{place.strip()}: {text}", out.promoted_build_url)
    if not out.folder_path:
        context.ci.warning(
            f"This service does not show folders: build {build.id} counts as the copy because of its app's name."
        )
    return copy_


Match = tuple["Project", "Build"]


def existing(inputs: CopyOptions, folder: str, target: find.Target, context: Context) -> Match | None:
    """The newest build of the same app, version and version code in the folder.

    If the service does not show folders, an app named `copied-app-name` counts as the one in the folder, whose name it
    has to end with. Raises InputError where it cannot be determined whether a build is the copy.
    """
    projects = context.client.projects.list()
    check_recognizable(inputs, folder, target, projects)
    build = _read(target, context)
    matches = _same_builds(inputs, folder, target, build, projects, context)
    undated = [one for one in (build, *(other for _, other in matches)) if find.uploaded(one) is None]
    if matches and undated:
        raise InputError(
            f"if-exists: skip cannot determine whether {_listed(matches)} is a copy of this upload or of an earlier "
            f"one: build {undated[0].id} has no upload time that can be read. {_INSTEAD}"
        )
    shown = find.shows_folders(projects)
    places = {project.folder if shown else project.id for project, _ in matches}
    if len(places) > 1:
        raise InputError(
            f"if-exists: skip finds copies in several {'folders' if shown else 'projects'} ({_listed(matches)}). "
            f"Set {'to-folder to the whole path' if shown else 'another copied-app-name'}. {_INSTEAD}"
        )
    return _newest(matches)


_INSTEAD = (
    "Or use if-exists: copy. To continue with a copy, set its build-id and project-id, and omit to-folder. Nothing was "
    "copied."
)


def check_recognizable(inputs: CopyOptions, folder: str, target: find.Target, projects: list[Project]) -> None:
    """Raise InputError unless a copy in the folder can be told from every other build of the app.

    That is so on the first night as on every other, whether or not there is a copy yet.
    """
    source = find.project_in(projects, target.project_id)
    if source is None:
        raise InputError(
            f"if-exists: skip cannot determine which projects are of the same app: project {target.project_id} is not "
            "in the list of visible projects. Use if-exists: copy. Nothing was copied."
        )
    if find.shows_folders(projects):
        return
    last = folder.strip("/ ")
    example = one_line(f"{source.name or 'My App'} {last}", 100)
    why = f"if-exists: skip cannot determine whether {folder} has a copy: this service does not show folders."
    if inputs.copied_app_name is None or meant(inputs.copied_app_name, [source.name or ""]):
        raise InputError(
            f"{why} Set copied-app-name to a name that only the copies in that folder have and that ends with the "
            f"folder, such as {example!r}. {_INSTEAD}"
        )
    if not _names_folder(inputs.copied_app_name, last):
        raise InputError(
            f"{why} copied-app-name is {one_line(inputs.copied_app_name, 100)!r}, which does not end with "
            f"{one_line(last, 100)!r}: with one name for two folders, the second would never get its copy. Set it to a "
            f"name such as {example!r}. {_INSTEAD}"
        )


def _names_folder(name: str, folder: str) -> bool:
    """Whether a name ends with a folder, as `Travel | QA` and `Travel (QA)` do with `QA`."""
    name, folder = (folded(text).casefold().rstrip(")]}>\"' ") for text in (name, folder))
    return bool(folder) and name.endswith(folder) and not name.removesuffix(folder)[-1:].isalnum()


def _read(target: find.Target, context: Context) -> Build:
    """The build to compare with. Raises InputError if it cannot be compared."""
    build = target.build or context.client.builds.get(target.project_id, target.build_id)
    if build.app_version is None:
        raise InputError(
            "if-exists: skip cannot compare this build: the service shows no version of it. Use if-exists: copy."
        )
    return build


def _newest(matches: list[Match]) -> Match | None:
    return max(matches, key=lambda match: find.upload_order(match[1]), default=None)


def _same_builds(
    inputs: CopyOptions, folder: str, target: find.Target, build: Build, projects: list[Project], context: Context
) -> list[Match]:
    """Builds that could be the copy: by the folder if the service shows folders, and by the name of the app.

    Raises InputError if that cannot be determined.
    """
    for project in projects:
        if project.unreadable("folder", "package_name", "platform"):
            raise InputError(
                f"if-exists: skip cannot determine whether project {project.id} has the copy: its folder, package name "
                f"or platform cannot be read. {_INSTEAD}"
            )
    source, others = _siblings(projects, target.project_id)
    # A renamed copy is recognized by its name; any other copy has the source's name.
    wanted_name = inputs.copied_app_name or (source.name if source else build.app_name)
    names = meant(wanted_name or "", [project.name for project in others if project.name])
    others = [project for project in others if project.name is None or project.name in names]
    if find.shows_folders(projects):
        others = [project for project in others if find.in_folder(project.folder, folder)]
    if len(others) > find.MOST_PROJECTS:
        raise InputError(
            f"{len(others)} projects may have the copy, and the builds of each would have to be read. Set another "
            "copied-app-name, or use if-exists: copy."
        )
    matches = []
    for project in others:
        for other in context.client.builds.list(project.id):
            if other.id == target.build_id or _is_older(other, build):
                continue
            pairs = ((other.app_version, build.app_version), (other.app_version_code, build.app_version_code))
            if all(one == this for one, this in pairs):
                matches.append((project, other))
            elif all(one is None or this is None or one == this for one, this in pairs):
                raise InputError(
                    f"if-exists: skip cannot determine whether build {other.id} in project {project.id} is the copy: "
                    f"its version or version code, or the one of build {build.id}, cannot be read. {_INSTEAD}"
                )
    return matches


def _is_older(one: Build, build: Build) -> bool:
    """Whether it existed before the build was uploaded (again): then it is a copy of another file."""
    times = [find.upload_order(each)[0] for each in (one, build)]
    return -math.inf < times[0] < times[1]


def _listed(matches: list[Match]) -> str:
    return ", ".join(f"build {build.id} in project {project.id}" for project, build in matches[:5])


def _siblings(projects: list[Project], project_id: str) -> tuple[Project | None, list[Project]]:
    """The source's project, and those of the same package on the same platform, newest first."""
    source = find.project_in(projects, project_id)
    same = [
        project
        for project in projects
        if project is not source
        and (source is None or (project.package_name, project.platform) == (source.package_name, source.platform))
    ]
    return source, sorted(same, key=lambda project: find.id_order(spellings(project.id)[0]), reverse=True)


def _poll(look: Callable[[], Found | None], context: Context) -> Found | None:
    """Call `look` until it finds something, at most `_POLLS` times."""
    pause = _FIRST_PAUSE
    for number in range(_POLLS):
        if number:
            context.clock.sleep(pause)
            pause *= 2
        if found := look():
            return found
    return None


def _locate(reply: CopiedBuild, folder: str, target: find.Target, context: Context) -> find.Target:
    """Find the project of a copy, which the reply does not name (docs/reference/api-facts.md#copying-a-build).

    Raises PartialSuccessError if no project has the copy after a few polls.
    """
    made = f"Build {target.build_id} was copied to {folder} as build {reply.build_id}, but"
    try:
        found = _poll(lambda: _find_copy(reply, folder, target, context), context)
    except (InputError, ServiceError) as error:  # InputError: an id that cannot be sent
        raise PartialSuccessError(f"{made} the copy's project could not be looked up: {error}") from None
    if found:
        return found
    raise PartialSuccessError(f"{made} no visible project has that build: check that the account can see the folder.")


def _find_copy(reply: CopiedBuild, folder: str, target: find.Target, context: Context) -> find.Target | None:
    """Look in the likeliest project first: in the folder, with the reply's app name, newest."""
    source, siblings = _siblings(context.client.projects.list(), target.project_id)
    siblings.sort(
        key=lambda project: (
            project.folder is not None and find.in_folder(project.folder, folder),
            reply.app_name in {None, project.name},
        ),
        reverse=True,
    )
    for project in [*siblings[: find.MOST_PROJECTS], *([source] if source else [])]:
        try:
            build = context.client.builds.get(project.id, reply.build_id)
        except ApiError as error:
            if error.not_found:
                continue
            raise
        if build.id == reply.build_id:
            return find.located(build, project)
    return None


def _after_unknown_fate(
    error: ServiceError,
    inputs: CopyOptions,
    folder: str,
    target: find.Target,
    context: Context,
    out: CopyOutputs,
) -> find.Target:
    """Look for a copy that may have been made; never request it again."""
    advice = (
        f"{one_line(str(error), 300)} It is unknown whether build {target.build_id} was copied to {folder}; the step "
        "did not copy it again."
    )
    go_on = (
        f"Check the folder. If the copy is there, continue with its build-id and project-id, and omit {INPUTS_TO_OMIT}."
    )
    if isinstance(error, Cancelled):
        raise PartialSuccessError(f"{advice} {go_on}", unknown=True) from None
    context.ci.warning(f"{error} Looking for the copy among the builds instead of copying again.")
    try:
        build = _read(target, context)
        matches = _poll(
            lambda: _same_builds(inputs, folder, target, build, context.client.projects.list(), context), context
        )
    except (InputError, ServiceError) as other:
        raise PartialSuccessError(f"{advice} {go_on} ({one_line(str(other), 300)})", unknown=True) from None
    if (found := _newest(matches or [])) and inputs.if_exists == "skip":
        # Before the copy there was none, so this is it.
        context.ci.warning(f"The copy exists: build {found[1].id}. Its groups cannot be checked.")
        return _use_existing(found, target, context, out, copied=True)
    seen = f"It may be {_listed(matches)}, unless that is an earlier copy." if matches else "It has not shown up yet."
    raise PartialSuccessError(f"{advice} {seen} {go_on}", unknown=True)
