"""Find a build and output its ids, version, link and counters."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from datetime import UTC
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from sauce_appdist.api.projects import Project
from sauce_appdist.errors import ApiError, Cancelled, InputError, ServiceError
from sauce_appdist.interface.inputs import BuildInputs, Reference
from sauce_appdist.interface.outputs import AppOutputs, BuildOutputs
from sauce_appdist.models import spellings
from sauce_appdist.text import did_you_mean, folded, meant, one_line, plural, reads_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sauce_appdist.api.builds import Build
    from sauce_appdist.steps.context import Context

_FIRST_POLL, _SLOWEST_POLL = 2.0, 30.0
MOST_PROJECTS = 100  # whose builds a search reads, one request each
FIRST_YEAR = 2000  # the times that PHP and others write for no time lie before it


class Inputs(BuildInputs):
    """The build, and nothing else."""


class Outputs(BuildOutputs):
    """The build."""


class Target(NamedTuple):
    """The build that a step works on; `build` and `project` are set if they have been read."""

    project_id: str
    build_id: str
    build: Build | None = None
    project: Project | None = None


class _NoMatch(Exception):
    """No build matches (yet); the text says what was searched for."""


def run(inputs: Inputs, context: Context, out: Outputs) -> None:
    """Send one GET if the ids are set, a second if the reply has no platform, and one per searched project."""
    target = resolve(inputs, context, read=True)
    describe(target, context, out)
    build = target.build
    if build and not (build.package_name and build.platform) and target.project is None:
        try:
            target = target._replace(project=_project(target.project_id, context))
        except ServiceError as error:
            if isinstance(error, Cancelled):
                raise
            context.ci.warning(f"platform and package-name stay unknown: {error}")
    fill_app(target, out)
    context.ci.report.title = f"Found {headline(target, out)}"
    context.ci.info(context.ci.report.title)
    for label, count in (("Sessions", out.sessions), ("Crashes", out.crashes), ("Downloads", out.downloads)):
        context.ci.report.fact(label, None if count is None else str(count))


def describe(target: Target, context: Context, out: BuildOutputs) -> None:
    """Fill outputs and summary with what is known of the target."""
    out.project_id, out.build_id = target.project_id, target.build_id
    if target.build:
        out.read(target.build)
    out.build_url = link(context, target)
    context.ci.report.fact("Build", _describe_target(target), out.build_url)
    fill_app(target, out)
    context.ci.report.fact("App", ", ".join(part for part in (out.package_name, out.platform) if part))
    context.ci.report.fact("Uploaded", out.uploaded_at)


def introduce(target: Target, context: Context, out: AppOutputs) -> None:
    """Fill outputs and summary of a step that has no other outputs of the build."""
    fill_app(target, out)
    context.ci.report.fact("Build", name_of(target), link(context, target))
    context.ci.report.fact("App", ", ".join(part for part in (out.package_name, out.platform) if part))


def _describe_target(target: Target) -> str:
    """`My App 4.2.0 (420) for Android, build 5 in project 7`, as far as it is known."""
    return f"{name_of(target)}, build {target.build_id} in project {target.project_id}"


def fill_app(target: Target, out: AppOutputs) -> None:
    """Fill the outputs of the app that are still unknown and that the target shows. Sends nothing."""
    out.app_name = out.app_name or (target.build.app_name if target.build else None)
    out.package_name = out.package_name or package_of(target)
    out.platform = out.platform or platform_of(target)


def name_of(target: Target) -> str:
    """`My App 4.2.0 (420) for Android` as far as it is known."""
    build, platform = target.build, platform_of(target)
    suffix = f" for {platform}" if platform else ""
    if not build or not (build.app_name or build.app_version):
        return one_line(f"build {target.build_id}{suffix}")
    code = f"({build.app_version_code})" if build.app_version_code else None
    return one_line(" ".join(part for part in (build.app_name, build.app_version, code) if part) + suffix)


def headline(target: Target, out: AppOutputs) -> str:
    """`My App 4.2.0 (420) for Android (com.example.app)` as far as target or outputs know it."""
    platform = f" for {out.platform}" if out.platform and not platform_of(target) else ""
    package = f" ({out.package_name})" if out.package_name else ""
    return one_line(name_of(target) + platform + package)


def platform_of(target: Target) -> str | None:
    """The platform of a build, from its own reply or its project; None if neither has it."""
    own = target.build.platform if target.build else None
    return own or (target.project.platform if target.project else None)


def package_of(target: Target) -> str | None:
    """The package name or bundle id of a build, from its own reply or its project; None if neither has it."""
    own = target.build.package_name if target.build else None
    return own or (target.project.package_name if target.project else None)


def link(context: Context, target: Target) -> str:
    """The dashboard link of a build: the host and the build's self path.

    Source: docs/reference/api-facts.md#base-urls-and-regions.
    """
    path = target.build.self_path if target.build and target.build.self_path else None
    if not path or not path.startswith("/") or path.startswith("//"):
        path = f"/projects/{target.project_id}/builds/{target.build_id}"
    return context.client.dashboard + quote(path, safe="/-._~")


def same_project(one: str, other: str) -> bool:
    """Whether two ids have a spelling in common."""
    return not set(spellings(one)).isdisjoint(spellings(other))


def located(build: Build, answered: Project) -> Target:
    """A build in the project that answered, unless the build says that it is in another one."""
    if build.project_id is None or same_project(build.project_id, answered.id):
        listed = answered.model_fields_set != {"id"}  # else only its id is known
        return Target(answered.id, build.id, build, answered if listed else None)
    return Target(build.project_id, build.id, build)


def resolve(inputs: BuildInputs, context: Context, *, read: bool, to_folder: str | None = None) -> Target:
    """The one build that the inputs identify. Looks again until `wait-for-build` (seconds) is over.

    Sends no request if both ids are set, as plain ids, and `read` is false. A search with `to_folder` skips builds
    that are already there: they would be copied again. Raises InputError if no build matches, or several do.
    """
    deadline = context.clock.monotonic() + inputs.wait_for_build
    pause = _FIRST_POLL
    while True:
        try:
            target = _search(inputs, context, read=read or inputs.wait_for_build > 0, to_folder=to_folder)
        except _NoMatch as missing:
            left = deadline - context.clock.monotonic()
            if left <= 0:
                waited = f" after {inputs.wait_for_build:g} s" if inputs.wait_for_build else ""
                raise InputError(f"No build matches{waited}: {missing}") from None
            context.ci.info(f"Not found yet, {left:.0f} s left: {missing}")
        else:
            if target.build:  # else nothing is known of it but the ids
                package = package_of(target)
                context.ci.info(f"The build: {_describe_target(target)}{f' ({package})' if package else ''}.")
            return target
        context.clock.sleep(min(pause * random.uniform(0.8, 1.0), left))  # noqa: S311
        pause = min(pause * 1.5, _SLOWEST_POLL)


def _search(inputs: BuildInputs, context: Context, *, read: bool, to_folder: str | None) -> Target:
    wanted = inputs.reference()
    by_project = inputs.package_name or inputs.app_name or inputs.platform or inputs.folder
    by_build = inputs.version or inputs.version_code or inputs.with_tags
    if len(wanted.project_ids) == 1 and wanted.build_id and not (read or by_project or by_build):
        return Target(wanted.project_ids[0], wanted.build_id)
    # With both ids, platform, package and name are what the build must be; else they are searched for.
    identified = bool(wanted.project_ids and wanted.build_id) and not inputs.folder
    named = identified or (bool(wanted.project_ids) and not by_project)
    if named:
        projects = [Project(id=spelled) for spelled in wanted.project_ids]
    else:
        projects = _projects(inputs, context, wanted, to_folder)
    # Only the newest are kept, so that a long list is freed before the next one is read.
    fits, others = _NewestBuilds(10), _NewestBuilds(3)
    for project in projects:
        builds = _builds(context, project.id, wanted.build_id)
        if builds is None:
            continue
        _check_readable(
            builds,
            {"app_version": inputs.version, "app_version_code": inputs.version_code, "tags": inputs.with_tags},
            "version, version code or tags",
            "Set build-id and project-id, and omit version, version-code and with-tags.",
        )
        if inputs.with_tags and builds and not any(shows_tags(build) for build in builds):
            raise InputError(
                "with-tags is set, but this service does not show the tags of builds: set build-id and project-id, "
                "or search by version instead."
            )
        # What an identified build must be is checked afterwards, with a message of its own.
        package = None if identified else inputs.package_name
        fits.add(project, [build for build in builds if _matches(inputs, project, build, package)])
        _warn_of_lost_zeros(inputs, builds, context)
        if not fits.count:
            others.add(project, builds)
        if named or (wanted.build_id and builds):
            break  # both spellings mean the same project; an id exists once
    if not fits.count:
        raise _NoMatch(_no_match_text(inputs, projects, others))
    project, build = _pick(inputs, fits, searched=len(projects))
    target = located(build, project)
    # A server may find a build under any project, so that even one that was searched for may be of another app.
    return _verified(inputs, target, context) if wanted.build_id and by_project else target


def _pick(inputs: BuildInputs, fits: _NewestBuilds, *, searched: int) -> tuple[Project, Build]:
    """The one build that matches, or the latest. Raises InputError if that cannot be determined."""
    if fits.count > 1 and not inputs.reference().latest:
        raise InputError(_ambiguous_text(inputs, fits, searched))
    project, build = fits.newest[0]
    if len(fits.platforms) > 1:
        raise InputError(
            f"build-id is latest, but project {project.id} has builds of several platforms "
            f"({', '.join(sorted(fits.platforms))}). Set build-id."
        )
    if fits.count > 1 and (undated := fits.undated_rival()):
        raise InputError(
            f"build-id is latest, but which build is the newest cannot be determined: build {undated.id} has no upload "
            f"time that can be read, and build {build.id} was uploaded at {build.uploaded_at or 'an unknown time'}. "
            "Set build-id to one of them, or version and version-code."
        )
    return project, build


def _verified(inputs: BuildInputs, target: Target, context: Context) -> Target:
    """The target, which is what the inputs say. Raises InputError if it is not, or if that cannot be determined."""
    build = target.build
    asked = {"platform": inputs.platform, "package-name": inputs.package_name, "app-name": inputs.app_name}
    known = {
        "platform": build.platform if build else None,
        "package-name": build.package_name if build else None,
        "app-name": build.app_name if build else None,
    }
    project = target.project
    # An app may have one name in its builds, and another in the list of projects.
    renamed = inputs.app_name not in {None, known["app-name"]}
    if project is None and (renamed or any(value is not None and not known[name] for name, value in asked.items())):
        project = _project(target.project_id, context)
    if project:
        listed = {"platform": project.platform, "package-name": project.package_name, "app-name": project.name}
        known = {name: value or listed[name] for name, value in known.items()}
        if renamed and project.name == inputs.app_name:
            known["app-name"] = project.name
    where = f"build {target.build_id} in project {target.project_id}"
    for name, value in asked.items():
        found = known[name]
        if (
            value is None
            or reads_as(found, value)
            or (name == "platform" and (found or "").casefold() == value.casefold())
        ):
            continue
        told = f"has the {name} {found!r}" if found else f"has no {name} that the service shows"
        raise InputError(
            f"{name} is {value!r}, but {where} {told}. Set the build that you mean, or omit {name} if this is the one. "
            "Nothing was sent."
        )
    return target._replace(project=project)


def _project(project_id: str, context: Context) -> Project | None:
    """A project as the list of projects shows it; None if it is not listed."""
    return project_in(context.client.projects.list(), project_id)


def project_in(projects: Iterable[Project], project_id: str) -> Project | None:
    """The project with this id, in any spelling; None if it is not listed."""
    return next((project for project in projects if same_project(project.id, project_id)), None)


class _NewestBuilds:
    """The number of builds, and the newest few of them."""

    def __init__(self, few: int) -> None:
        self.count = 0
        self.newest: list[tuple[Project, Build]] = []
        self.projects: set[str] = set()
        self.platforms: set[str] = set()  # as far as the builds show them
        self._undated: Build | None = None  # with the highest id of those without a time
        self._few = few

    def add(self, project: Project, builds: list[Build]) -> None:
        """Count these builds, and keep those that are among the newest."""
        self.count += len(builds)
        self.projects |= {project.id} if builds else set()
        self.platforms |= {build.platform.casefold() for build in builds if build.platform}
        undated = [build for build in builds if uploaded(build) is None]
        self._undated = max([*undated, *([self._undated] if self._undated else [])], key=upload_order, default=None)
        self.newest = nlargest(
            self._few, [*self.newest, *((project, build) for build in builds)], key=lambda found: upload_order(found[1])
        )

    def undated_rival(self) -> Build | None:
        """A build that may be newer than the newest: its time cannot be read, and its id does not show it older."""
        (_, newest), undated = self.newest[0], self._undated
        if undated is None:
            return None
        if undated.id == newest.id:  # no build has a readable time, so the next one is as good
            return self.newest[1][1]
        both = undated.id.isdecimal() and newest.id.isdecimal()
        return None if both and id_order(undated.id) < id_order(newest.id) else undated


def _builds(context: Context, project_id: str, build_id: str | None) -> list[Build] | None:
    """The builds of a project, or the one with that id; None if the service does not find them."""
    try:
        return (
            context.client.builds.list(project_id)
            if build_id is None
            else [context.client.builds.get(project_id, build_id)]
        )
    except ApiError as error:
        if error.not_found:
            return None
        raise


def upload_order(build: Build) -> tuple[float, int, str]:
    """Sort key: `uploadedAt`, then id. Times without a zone count as UTC."""
    at = uploaded(build)
    if at and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return (at.timestamp() if at else -math.inf, *id_order(build.id))


def uploaded(build: Build) -> datetime | None:
    """When a build was uploaded; None if that is unknown, as the year 0 or 1970 of some servers is."""
    at = build.uploaded_at
    return None if at is None or at.year < FIRST_YEAR else at


def id_order(text: str) -> tuple[int, str]:
    """Sort key: numbers by their size (without converting them: one may have 5,000 digits), then other ids."""
    digits = text.lstrip("0") if text.isascii() and text.isdecimal() else ""
    return (len(digits), digits or text)


def _projects(inputs: BuildInputs, context: Context, wanted: Reference, to_folder: str | None) -> list[Project]:
    """The projects that match the search. Raises _NoMatch, which suggests similar names."""
    everything = context.client.projects.list()
    shown = shows_folders(everything)
    if inputs.folder and not shown:
        raise InputError(
            "folder is set, but this service does not show which folder a project is in: "
            "set build-id and project-id, or project-id and version."
        )
    folder = inputs.folder and own_spelling(inputs.folder, everything)
    to_folder = to_folder and own_spelling(to_folder, everything)
    names = meant(inputs.app_name or "", [project.name for project in everything if project.name])
    named = [one for one in everything if any(same_project(one.id, spelled) for spelled in wanted.project_ids)]
    _check_readable(
        named if wanted.project_ids else everything,
        {"package_name": inputs.package_name, "name": inputs.app_name, "folder": inputs.folder or to_folder},
        "name, package name or folder",
        "Set project-id and build-id.",
    )
    of_any_platform = [
        project
        for project in (named if wanted.project_ids else everything)
        if inputs.package_name in {None, project.package_name}
        and (inputs.app_name is None or project.name in names)
        and (folder is None or in_folder(project.folder, folder))
    ]
    wanted_platform = (inputs.platform or "").casefold()
    fitting = [one for one in of_any_platform if wanted_platform in {"", (one.platform or "").casefold()}]
    unknown = [one for one in of_any_platform if wanted_platform and not one.platform]
    if unknown and (wanted.latest or not fitting):  # unknown is not another platform
        raise InputError(
            f"platform is {inputs.platform!r}, but the service does not show the platform of project {unknown[0].id}. "
            "Set project-id, and omit platform."
        )
    if to_folder and shown and not wanted.project_ids:
        outside = [project for project in fitting if not in_folder(project.folder, to_folder)]
        if fitting and not outside:
            raise _NoMatch(f"every match is already in {to_folder} and is skipped. Set project-id to copy it anyway.")
        fitting = outside
    if wanted.latest and len(fitting) > 1:
        raise InputError(_several_projects_text(fitting, shows_folder=shown))
    if len(fitting) > MOST_PROJECTS:
        raise InputError(
            f"{len(fitting)} projects match, and the builds of each would have to be read. Narrow the search by "
            "package-name, app-name or platform, or set project-id."
        )
    if not fitting:
        if named:
            raise InputError(_other_project_text(inputs, named[0]))
        asked = {
            "package-name": (inputs.package_name, [project.package_name for project in everything]),
            "app-name": (inputs.app_name, [project.name for project in everything]),
            "platform": (inputs.platform, [project.platform for project in everything]),
            "folder": (inputs.folder, [project.folder for project in everything]),
        }
        raise _NoMatch(
            f"none of {len(everything)} visible projects has "
            + ", ".join(
                f"{name} {value!r}{did_you_mean(value, known)}" for name, (value, known) in asked.items() if value
            )
            + (f", project-id {wanted.project_ids[0]!r}" if wanted.project_ids else "")
        )
    return fitting


def _other_project_text(inputs: BuildInputs, project: Project) -> str:
    """What a project is that was named by its id, and is not what the other inputs say."""
    asked = {
        "package-name": (inputs.package_name, project.package_name),
        "app-name": (inputs.app_name, project.name),
        "platform": (inputs.platform, project.platform),
        "folder": (inputs.folder, project.folder),
    }
    differ = [
        f"{name} is {value!r}, but project {project.id} has "
        + (f"the {name} {one_line(found, 100)!r}" if found else f"no {name} that the service shows")
        for name, (value, found) in asked.items()
        if value and not (in_folder(found, value) if name == "folder" else value.casefold() == (found or "").casefold())
    ]
    return f"{'; '.join(differ)}. Set the project that you mean, or omit what does not fit. Nothing was sent."


def _several_projects_text(projects: list[Project], *, shows_folder: bool) -> str:
    """Why the latest build of several projects is not taken, and what tells them apart."""
    remedies = []
    if len({(project.platform or "").casefold() for project in projects}) > 1:
        remedies.append("platform")
    if len({project.package_name for project in projects}) > 1:
        remedies.append("package-name")
    if shows_folder:
        remedies.append("folder (/ for none)")
    listed = "\n".join(f"  project-id {project.id}{_describe_app(project)}" for project in projects[:10])
    more = f"\n  and {len(projects) - 10} more" if len(projects) > 10 else ""
    return (
        f"build-id is latest, but {len(projects)} projects match: other platforms, other apps, or copies in folders. "
        f"Set {', '.join(['project-id', *remedies[:-1]])}{' or ' + remedies[-1] if remedies else ''}. "
        f"The projects:\n{listed}{more}{'' if shows_folder else _still_several(projects)}"
    )


def _still_several(projects: list[Project]) -> str:
    """For which of these apps no other input than project-id is enough."""
    apps = Counter((project.package_name, project.platform) for project in projects)
    several = [f"{package} ({platform})" for (package, platform), count in apps.items() if count > 1]
    return f"\nFor {one_line(', '.join(several))}, only project-id is enough." if several and len(apps) > 1 else ""


def shows_folders(projects: Iterable[Project]) -> bool:
    """Whether this service shows the folder of a project, which is not documented."""
    return any("folder" in project.model_fields_set for project in projects)


def in_folder(path: str | None, folder: str) -> bool:
    """Whether a path matches a folder: `Folder1` matches its last part, `/Project1/Folder1` all of it."""
    parts = [part for part in (path or "").split("/") if part]
    wanted = [part for part in folder.split("/") if part]
    if not wanted or not parts:
        return wanted == parts
    return parts == wanted if folder.startswith("/") else parts[-len(wanted) :] == wanted


def own_spelling(folder: str, projects: Iterable[Project]) -> str:
    """The folder as the service spells it, if it has one that only reads the same (see `folded`)."""
    paths = {project.folder for project in projects if project.folder}
    if any(in_folder(path, folder) for path in paths):
        return folder
    alike = [path for path in paths if in_folder(folded(path), folded(folder))]
    depth = len([part for part in folder.split("/") if part])
    ends = {"/".join([part for part in path.split("/") if part][-depth:]) for path in alike}
    return f"{'/' if folder.startswith('/') else ''}{ends.pop()}" if len(ends) == 1 else folder


def shows_tags(build: Build) -> bool:
    """Whether the service shows this build's tags (maybe an empty list), which is not documented."""
    return build.tags is not None or "tags" in build.model_fields_set


def _check_readable(shown: Iterable[Build | Project], asked: Mapping[str, object], what: str, remedy: str) -> None:
    """Raise InputError if one of them may match, but shows a field that is asked for in a shape that cannot be read."""
    names = [name for name, value in asked.items() if value]
    unreadable = next((one for one in shown if one.unreadable(*names)), None)
    if unreadable:
        raise InputError(
            f"Whether {type(unreadable).__name__.lower()} {unreadable.id} matches cannot be determined: its {what} "
            f"cannot be read. {remedy}"
        )


def _matches(inputs: BuildInputs, project: Project, build: Build, package_name: str | None) -> bool:
    return (
        (inputs.version is None or reads_as(build.app_version, inputs.version))
        and (inputs.version_code is None or reads_as(build.app_version_code, inputs.version_code))
        and all(meant(tag, build.tags or ()) for tag in inputs.with_tags or ())
        and (project.package_name is not None or package_name in {None, build.package_name})
    )


def _warn_of_lost_zeros(inputs: BuildInputs, builds: list[Build], context: Context) -> None:
    """Say that a version may be another one's: YAML reads an unquoted 1.10 as 1.1."""
    version = inputs.version or ""
    if not re.fullmatch(r"\d+\.\d+", version, re.ASCII):
        return
    for longer in dict.fromkeys(build.app_version or "" for build in builds):
        if longer != version and re.fullmatch(rf"{re.escape(version)}0+", longer):
            context.ci.warning(
                f"version is {version!r}, and there is a version {longer!r} too. YAML reads an unquoted {longer} as "
                f"{version}: write it in quotes if you mean that one."
            )


def _no_match_text(inputs: BuildInputs, projects: list[Project], others: _NewestBuilds) -> str:
    where = f"project {', '.join(project.id for project in projects[:5])}"
    one = f"build-id {inputs.build_id}" if inputs.build_id != "latest" else None
    if not others.count:
        what = f"build {inputs.build_id}" if inputs.build_id and one else "build"
        return f"{where} has no {what}, or is not visible. Check the ids and the region."
    asked = [f"version {inputs.version!r}"] if inputs.version else []
    asked += [f"version-code {inputs.version_code!r}"] if inputs.version_code else []
    asked += [f"the tags {', '.join(inputs.with_tags)}"] if inputs.with_tags else []
    asked += [one] if inputs.build_id and one else []
    there = "; ".join(_describe_build(build) for _, build in others.newest)
    return (
        f"{where} has {plural(others.count, 'build')}"
        + (f", none with {' and '.join(asked)}" if asked else "")
        + f". The newest are: {there}"
    )


def _describe_build(build: Build) -> str:
    return one_line(
        f"build-id {build.id}, version {build.app_version}, code {build.app_version_code}, "
        f"uploaded {uploaded(build) or 'at an unknown time'}",
        160,
    )


def _describe_app(project: Project) -> str:
    folder = f" in {project.folder}" if project.folder else ""
    return one_line(f", {project.name} ({project.platform}){folder}") if project.name else ""


def _ambiguous_text(inputs: BuildInputs, fits: _NewestBuilds, searched: int) -> str:
    """Names only inputs that are not set, and `latest` only where it is not refused."""
    lines = [
        f"  project-id {project.id}, {_describe_build(build)}{_describe_app(project)}" for project, build in fits.newest
    ]
    more = [f"  and {fits.count - len(lines)} older ones"] if fits.count > len(lines) else []
    platforms = {(project.platform or build.platform or "").casefold() for project, build in fits.newest}
    narrow = [name for name, value in (("version", inputs.version), ("version-code", inputs.version_code)) if not value]
    narrow += ["platform"] if len(platforms) > 1 and not inputs.platform else []
    remedies = ["Set build-id and project-id"]
    if narrow:
        remedies.append(f"narrow it by {' or '.join(narrow)}")
    if len(fits.projects) > 1:
        remedies.append("or set project-id")
    elif not fits.undated_rival() and len(fits.platforms) <= 1:
        project = (
            "" if searched == 1 or inputs.project_id or inputs.build_url else f"project-id: {fits.newest[0][0].id} and "
        )
        remedies.append(f"or take the newest with {project}build-id: latest")
    return "\n".join(
        [
            f"{fits.count} builds match. {', '.join(remedies)}. The candidates:",
            *lines,
            *more,
        ]
    )
