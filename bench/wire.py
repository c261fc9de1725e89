"""What each step sends, from the request log of the emulator."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.measure import Emulator
from bench.report import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.setting import Setting

_IDS = {"project_id": "6905338", "build_id": "8911052"}
_COPY = {"to_folder": "Release Candidates", "copied_app_name": "Northwind Travel Release Candidates"}
_NOTES = {"release_notes": "Seat maps.", "metadata": "ticket=NW-1204"}


@dataclass(frozen=True)
class Case:
    """A run of a step; `least` is the number of requests that could do it, `why` says what each is for."""

    step: str
    what: str
    inputs: Mapping[str, str]
    least: int
    why: str
    shows: Mapping[str, list[str]] = field(default_factory=dict)
    before: Mapping[str, str] | None = None  # inputs of a copy that is made first, and not counted


CASES = (
    Case("find", "both ids", _IDS, 2, "the build; its platform and package, which only the projects list has"),
    Case(
        "find",
        "both ids, service shows platform and package",
        _IDS,
        1,
        "the build",
        shows={"build": ["platform", "packageName"]},
    ),
    Case(
        "find",
        "package-name, platform, version",
        {"package_name": "com.northwind.crew", "platform": "Android", "version": "2.8.0"},
        2,
        "no endpoint searches: the projects, the builds of the one that fits",
    ),
    Case(
        "find",
        "the same, app is in a folder too",
        {"package_name": "com.northwind.travel", "platform": "Android", "version": "4.3.0"},
        3,
        "the projects, the builds of both that fit",
    ),
    Case("tag", "both ids, tags", {**_IDS, "tags": "rc"}, 1, "the update"),
    Case(
        "tag",
        "both ids, tags-mode: add, service shows tags",
        {**_IDS, "tags": "rc", "tags_mode": "add"},
        2,
        "the current tags; the update",
        shows={"build": ["tags"]},
    ),
    Case("annotate", "both ids, notes, metadata, tags", {**_IDS, **_NOTES, "tags": "rc"}, 1, "the update"),
    Case(
        "annotate",
        "both ids, permission-groups",
        {**_IDS, "permission_groups": "QA, Stakeholders"},
        2,
        "do the groups exist; the update",
    ),
    Case(
        "copy",
        "both ids, to-folder, into a folder of its own",
        {**_IDS, **_COPY},
        3,
        "the copy; its reply has no project id: the projects, and the build in the likeliest one",
    ),
    Case(
        "copy",
        "the same, copy-groups",
        {**_IDS, **_COPY, "copy_groups": "QA"},
        4,
        "do the groups exist; then as above",
    ),
    Case(
        "copy",
        "the same, if-exists: skip, and it exists",
        {**_IDS, **_COPY, "if_exists": "skip"},
        3,
        "version and code to compare; the projects; the builds of the one of that name",
        before=_COPY,
    ),
    Case(
        "copy",
        "if-exists: skip, and it does not exist",
        {**_IDS, **_COPY, "if_exists": "skip"},
        5,
        "the build; the projects; the copy; the projects again, for a new one; the copy's build",
    ),
    Case(
        "invite",
        "both ids, groups",
        {**_IDS, "groups": "QA"},
        3,
        "do the groups exist; the build, which shows the kind of server; the invitation",
    ),
    Case(
        "promote",
        "both ids, to-folder, groups, tags, notes",
        {**_IDS, **_COPY, **_NOTES, "groups": "QA", "tags": "rc"},
        7,
        "the build; the groups; the copy; where it is (projects, build); one update; the invitation",
    ),
    Case(
        "promote",
        "the same with project-id and latest",
        {**_IDS, "build_id": "latest", **_COPY, **_NOTES, "groups": "QA", "tags": "rc"},
        7,
        "as above, with the builds of the project instead of the build",
    ),
    Case(
        "promote",
        "both ids, groups, tags, notes; no copy",
        {**_IDS, **_NOTES, "groups": "QA", "tags": "rc"},
        4,
        "the build; the groups; one update; the invitation",
    ),
    Case(
        "promote",
        "as the first, dry-run",
        {**_IDS, **_COPY, **_NOTES, "groups": "QA", "tags": "rc", "dry_run": "true"},
        2,
        "the build; the groups",
    ),
)


def run(setting: Setting) -> Section:
    section = Section("wire", setting)
    rows: list[list[str]] = []
    above: list[str] = []
    with _Emulator(setting) as emulator:
        for case in CASES:
            emulator.start_over(case.shows)
            if case.before:
                _run(setting, emulator, "copy", {**_IDS, **case.before})
                emulator.forget()
            _run(setting, emulator, case.step, case.inputs)
            log = emulator.log()
            sent = "<br>".join(_describe_request(entry) for entry in log)
            connections = len({entry["connection"] for entry in log})
            rows.append([case.step, case.what, sent, str(len(log)), f"{case.least}: {case.why}", str(connections)])
            if len(log) > case.least or connections > 1:
                over = "one connection" if connections == 1 else f"{connections} connections"
                above.append(f"{case.step} ({case.what}): {len(log)} over {over}")
    section.table(["step", "inputs", "sent", "requests", "the least", "connections"], rows)
    section.line(
        "- Aim: the least number of requests, over one connection. "
        + (f"**Missed** by {len(above)} of {len(rows)}: {'; '.join(above)}." if above else "**Met** by all.")
    )
    return section


def _run(setting: Setting, emulator: _Emulator, step: str, inputs: Mapping[str, str]) -> None:
    process = setting.step(step, inputs, url=emulator.url)
    process.prepare()
    done = subprocess.run(
        list(process.argv), env=dict(process.env), cwd=process.cwd, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise AssertionError(f"{step} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _describe_request(entry: Mapping[str, Any]) -> str:
    """`PATCH …/builds/8911052/`: what was sent, and where it was refused."""
    path = entry["path"].replace("/api/1/", "…/", 1)
    status = "" if entry["status"] == 200 else f" ({entry['status']})"
    return f"{entry['method']} `{path}`{status}"


class _Emulator(Emulator):
    """With the account of the demo."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting.core)
        seed = setting.core / "appdist_emulator" / "seeds" / "northwind.json"
        self._seed = json.loads(seed.read_text(encoding="utf-8"))

    def start_over(self, shows: Mapping[str, list[str]]) -> None:
        seed = {**self._seed, "shows": {"build": [], "project": [], **shows}}
        self.control("POST", "reset", json.dumps(seed).encode())

    def log(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.control("GET", "requests")
        return entries

    def forget(self) -> None:
        self.control("DELETE", "requests")
