"""Find a build and hand on its ids, version, link and counters."""

from __future__ import annotations

import random
import time
from difflib import get_close_matches
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from sauce_appdist.contract import BuildInputs, BuildOutputs
from sauce_appdist.errors import ApiError, InputError
from sauce_appdist.models import Build, Project
from sauce_appdist.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sauce_appdist.ci import Ci
    from sauce_appdist.client import Client

_FIRST_POLL, _SLOWEST_POLL = 2.0, 30.0


class Inputs(BuildInputs):
    """A build is all it takes."""


class Outputs(BuildOutputs):
    """The build."""


class Target(NamedTuple):
    """The build that a step works on; `build` and `project` are there if they had to be read."""

    project_id: str
    build_id: str
    build: Build | None = None
    project: Project | None = None


class _NotThere(Exception):
    """No build fits (yet); the text says what was looked for."""


def run(inputs: Inputs, client: Client, ci: Ci, out: Outputs) -> None:
    """One GET with ids, two where the reply names no platform, and one per searched project."""
    target = resolve(inputs, client, ci, read=True)
    describe(target, client, ci, out)
    build = target.build
    if build and not (build.package_name and build.platform) and target.project is None:
        projects = client.projects.list()
        tell_project(next((project for project in projects if is_project(project, target.project_id)), None), out)
    ci.report.title = f"Found {name_of(target)}"
    ci.info(ci.report.title)
    for label, count in (("Sessions", out.sessions), ("Crashes", out.crashes), ("Downloads", out.downloads)):
        ci.report.fact(label, None if count is None else str(count))


def describe(target: Target, client: Client, ci: Ci, out: BuildOutputs) -> None:
    """Put what is known of the target into outputs and summary."""
    out.project_id, out.build_id = target.project_id, target.build_id
    if target.build:
        out.read(target.build)
        out.package_name, out.platform = target.build.package_name, target.build.platform
    tell_project(target.project, out)
    out.build_url = link(client, target)
    ci.report.fact("Build", f"{name_of(target)}, build {target.build_id} in project {target.project_id}", out.build_url)
    ci.report.fact("Uploaded", out.uploaded_at)


def tell_project(project: Project | None, out: BuildOutputs) -> None:
    """What only the list of projects tells."""
    if project:
        out.package_name = out.package_name or project.package_name
        out.platform = out.platform or project.platform


def name_of(target: Target) -> str:
    """`My App 4.2.0 (420)` as far as it is known."""
    build = target.build
    if not build or not (build.app_name or build.app_version):
        return f"build {target.build_id}"
    code = f"({build.app_version_code})" if build.app_version_code else None
    return one_line(" ".join(part for part in (build.app_name, build.app_version, code) if part))


def link(client: Client, target: Target) -> str:
    """The page of a build for people: the host and the build's self path (facts.md part 2)."""
    path = target.build.self_path if target.build and target.build.self_path else None
    if not path or not path.startswith("/") or path.startswith("//"):
        path = f"/projects/{target.project_id}/builds/{target.build_id}"
    return client.dashboard + quote(path, safe="/-._~")


def is_project(project: Project, project_id: str) -> bool:
    """Ids come as a number or as `19-groupshot`, of which the number is enough."""
    return project.id == project_id or project.id.partition("-")[0] == project_id.partition("-")[0]


def resolve(inputs: BuildInputs, client: Client, ci: Ci, *, read: bool) -> Target:
    """The one build that the inputs mean, after `wait-for-build` at most.

    Both ids given and `read` false: no request at all. Raises InputError where none or several fit.
    """
    deadline = time.monotonic() + inputs.wait_for_build
    pause = _FIRST_POLL
    while True:
        try:
            return _look(inputs, client, read=read or inputs.wait_for_build > 0)
        except _NotThere as missing:
            left = deadline - time.monotonic()
            if left <= 0:
                waited = f" after {inputs.wait_for_build:g} s" if inputs.wait_for_build else ""
                raise InputError(f"No build fits{waited}: {missing}") from None
            ci.info(f"Not there yet, {left:.0f} s left: {missing}")
        client.transport.sleep(min(pause * random.uniform(0.8, 1.0), left))  # noqa: S311
        pause = min(pause * 1.5, _SLOWEST_POLL)


def _look(inputs: BuildInputs, client: Client, *, read: bool) -> Target:
    wanted = inputs.reference()
    criteria = {"app name": inputs.app_name, "package name": inputs.package_name}
    by_project = any(criteria.values()) or inputs.platform or inputs.folder
    by_build = inputs.version or inputs.version_code
    if wanted.project_id and wanted.build_id and not (by_project or by_build):
        if not read and not wanted.slug:
            return Target(wanted.project_id, wanted.build_id)
        build = _get(client, wanted.project_id, wanted.build_id)
        if build is None and wanted.slug:
            build = _get(client, wanted.slug, wanted.build_id)
        if build is None:
            raise _NotThere(
                f"project {wanted.project_id} has no build {wanted.build_id}. Check both ids and the region."
            )
        return _target(build, wanted.project_id)
    if wanted.project_id and not by_project:
        projects = [Project(id=wanted.project_id)]
    else:
        projects = _projects(inputs, client, wanted.project_id)
    # A long list is let go before the next one is read.
    fits, others = _Newest(10), _Newest(3)
    for project in projects:
        builds = _builds(client, project.id, wanted.build_id)
        fitting = [build for build in builds if _fits(inputs, project, build)]
        fits.add(project, fitting)
        if not fits.count:
            others.add(project, builds)
    if not fits.count:
        raise _NotThere(_nothing(inputs, projects, others))
    if fits.count > 1 and not wanted.latest:
        raise InputError(_ambiguous(fits))
    project, build = fits.newest[0]
    return _target(build, project.id, project if project.name else None)


class _Newest:
    """How many builds there are, and the newest few of them."""

    def __init__(self, few: int) -> None:
        self.count = 0
        self.newest: list[tuple[Project, Build]] = []
        self._few = few

    def add(self, project: Project, builds: list[Build]) -> None:
        """Count these too, and keep those that are among the newest."""
        self.count += len(builds)
        self.newest = nlargest(
            self._few, [*self.newest, *((project, build) for build in builds)], key=lambda found: newest(found[1])
        )


def _target(build: Build, project_id: str, project: Project | None = None) -> Target:
    return Target(build.project_id or project_id, build.id, build, project)


def _get(client: Client, project_id: str, build_id: str) -> Build | None:
    try:
        return client.builds.get(project_id, build_id)
    except ApiError as error:
        if error.not_found:
            return None
        raise


def _builds(client: Client, project_id: str, build_id: str | None) -> list[Build]:
    if build_id is None:
        return client.builds.list(project_id)
    build = _get(client, project_id, build_id)
    return [build] if build else []


def newest(build: Build) -> tuple[str, int, str]:
    """Sorts builds by `uploadedAt`, then id; the format sorts as text."""
    return (build.uploaded_at or "", int(build.id) if build.id.isdecimal() else 0, build.id)


def _projects(inputs: BuildInputs, client: Client, project_id: str | None) -> list[Project]:
    """The projects that fit the search; raises _NotThere with the nearest names."""
    everything = client.projects.list()
    if inputs.folder and not shows_folders(everything):
        raise InputError(
            "folder is given, but this service does not show which folder a project is in: "
            "give build-id and project-id, or project-id and version."
        )
    fitting = [
        project
        for project in everything
        if (project_id is None or is_project(project, project_id))
        and inputs.package_name in {None, project.package_name}
        and inputs.app_name in {None, project.name}
        and (inputs.platform is None or (project.platform or "").casefold() == inputs.platform.casefold())
        and (inputs.folder is None or in_folder(project.folder, inputs.folder))
    ]
    if not fitting:
        asked = {
            "package-name": (inputs.package_name, [project.package_name for project in everything]),
            "app-name": (inputs.app_name, [project.name for project in everything]),
            "platform": (inputs.platform, [project.platform for project in everything]),
            "folder": (inputs.folder, [project.folder for project in everything]),
        }
        raise _NotThere(
            f"none of {len(everything)} visible projects has "
            + ", ".join(f"{name} {value!r}{_near(value, known)}" for name, (value, known) in asked.items() if value)
            + (f", project-id {project_id!r}" if project_id else "")
        )
    return fitting


def shows_folders(projects: Iterable[Project]) -> bool:
    """Whether this service tells which folder a project is in; it is not documented to."""
    return any("folder" in project.model_fields_set for project in projects)


def in_folder(path: str | None, folder: str) -> bool:
    """Whether a path is the folder: `Folder1` is its last part, `/Project1/Folder1` the whole."""
    parts = [part for part in (path or "").split("/") if part]
    wanted = [part for part in folder.split("/") if part]
    if not wanted or not parts:
        return wanted == parts
    return parts == wanted if folder.startswith("/") else parts[-len(wanted) :] == wanted


def _fits(inputs: BuildInputs, project: Project, build: Build) -> bool:
    return (
        inputs.version in {None, build.app_version}
        and inputs.version_code in {None, build.app_version_code}
        and (project.package_name is not None or inputs.package_name in {None, build.package_name})
    )


def _near(value: str | None, known: Iterable[str | None]) -> str:
    near = get_close_matches(value or "", [name for name in known if name], n=1)
    return f" (did you mean {one_line(near[0], 60)!r}?)" if near and near[0] != value else ""


def _nothing(inputs: BuildInputs, projects: list[Project], others: _Newest) -> str:
    asked = [f"version {inputs.version!r}"] if inputs.version else []
    asked += [f"version-code {inputs.version_code!r}"] if inputs.version_code else []
    asked += [f"build-id {inputs.build_id}"] if inputs.build_id not in {None, "latest"} else []
    where = ", ".join(project.id for project in projects[:5])
    there = "; ".join(_line(build) for _, build in others.newest)
    return (
        f"project {where} has {others.count} builds"
        + (f", none with {' and '.join(asked)}" if asked else "")
        + (f". The newest are: {there}" if there else "")
    )


def _line(build: Build) -> str:
    return one_line(
        f"build-id {build.id}, version {build.app_version}, code {build.app_version_code}, "
        f"uploaded {build.uploaded_at}",
        160,
    )


def _ambiguous(fits: _Newest) -> str:
    lines = [f"  project-id {project.id}, {_line(build)}" for project, build in fits.newest]
    more = [f"  and {fits.count - len(lines)} older ones"] if fits.count > len(lines) else []
    return "\n".join(
        [
            f"{fits.count} builds fit. Give build-id and project-id, narrow it by version, version-code or platform,",
            "or take the newest with build-id: latest. The candidates:",
            *lines,
            *more,
        ]
    )
