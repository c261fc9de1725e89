"""The find step in a large account, against processes that only read the same bytes."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from bench.measure import Process, Stub, contest, peak
from bench.report import Section, mebibytes, milliseconds, times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.setting import Setting

PROJECTS, BUILDS, NAMESAKES = 200, 5_000, 5
_READ = """
import json, sys
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        json.loads(file.read())
"""
_URLLIB = """
import json, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for url in sys.argv[1:]:
    with opener.open(url, timeout=30) as reply:
        json.loads(reply.read())
"""
_REQUESTS = """
import sys
sys.path.append(DEPS)
import json, requests
with requests.Session() as session:
    for url in sys.argv[1:]:
        json.loads(session.get(url, timeout=30).content)
"""
_OURS = "the step: `bash core/bootstrap.sh find`"


def run(setting: Setting) -> Section:
    section = Section("find", setting)
    account = _account()
    with Stub(account, setting.temp) as stub:
        url = stub.url
        searches: dict[str, tuple[dict[str, str], list[str]]] = {
            f"package-name and version: one project's {BUILDS:,} builds": (
                {"package_name": "com.example.app7", "version": "4.2.2500"},
                ["/api/1/projects/", _builds_path(7)],
            ),
            f"app-name and version: the name of {NAMESAKES} projects, {BUILDS * NAMESAKES:,} builds": (
                {"app_name": "Namesake", "version": "4.2.2500"},
                ["/api/1/projects/", *(_builds_path(number) for number in range(NAMESAKES))],
            ),
        }
        by_ids = setting.step("find", {"project_id": "1007", "build_id": "70002500"}, url=url)
        for title, (inputs, paths) in searches.items():
            size = sum(len(account[f"GET {path}"]) for path in paths)
            section.line(f"**{title}** ({len(paths)} answers, {size / 1e6:.1f} MB)")
            ours = setting.step("find", inputs, url=url)
            _check(setting, ours)
            others = _others(setting, url, paths, account)
            processes = {_OURS: ours, **others, "for scale: the step with both ids, 2 small answers": by_ids}
            results = contest(processes, setting.rounds(15, 3))
            step = results[_OURS]
            peaks = {name: peak(name, process) for name, process in processes.items()}
            section.table(
                ["", "median", "fastest", "processor time", "the step takes", "peak memory"],
                [
                    [
                        name,
                        milliseconds(result.wall),
                        milliseconds(result.best),
                        milliseconds(result.cpu),
                        "" if result is step else times(step.times(result)),
                        mebibytes(peaks[name]),
                    ]
                    for name, result in results.items()
                ],
            )
    return section


def _others(setting: Setting, url: str, paths: list[str], account: Mapping[str, bytes]) -> dict[str, Process]:
    files = []
    for number, path in enumerate(paths):
        files.append(str(setting.temp / f"bytes-{number}.json"))
        (setting.temp / f"bytes-{number}.json").write_bytes(account[f"GET {path}"])
    isolated = [setting.python, "-I", "-S", "-X", "utf8", "-c"]
    urls = [url + path for path in paths]
    with_requests = _REQUESTS.replace("DEPS", repr(str(setting.deps)))
    return {
        "`json.loads` of the same bytes from files": Process([*isolated, _READ, *files], setting.env, setting.temp),
        "urllib and `json.loads`": Process([*isolated, _URLLIB, *urls], setting.env, setting.temp),
        "requests and `json.loads`": Process([*isolated, with_requests, *urls], setting.env, setting.temp),
    }


def _check(setting: Setting, ours: Process) -> None:
    """Raise AssertionError if the step does not find the build."""
    ours.prepare()
    subprocess.run(list(ours.argv), env=dict(ours.env), cwd=ours.cwd, check=True, capture_output=True)
    outputs = (setting.temp / "output").read_text(encoding="utf-8")
    if "4.2.2500" not in outputs:
        raise AssertionError(f"find did not find the build:\n{outputs}")


def _builds_path(number: int) -> str:
    return f"/api/1/projects/{1000 + number}/builds/"


def _account() -> dict[str, bytes]:
    """200 projects of 5,000 builds each, as the documents show them; the first five share a name."""
    projects = [
        {
            "id": 1000 + number,
            "self": f"/projects/{1000 + number}-app{number}",
            "name": "Namesake" if number < NAMESAKES else f"App {number}",
            "packageName": f"com.example.app{number}",
            "platform": "Android" if number % 2 else "iOS",
            "landingPageMode": "closed",
        }
        for number in range(PROJECTS)
    ]
    answers = {"GET /api/1/projects/": _json(projects=projects)}
    for number in (*range(NAMESAKES), 7):
        builds = [_build(number, one) for one in range(BUILDS)]
        answers[f"GET {_builds_path(number)}"] = _json(builds=builds)
    answers["GET /api/1/projects/1007/builds/70002500"] = _json(build=_build(7, 2500))
    return answers


def _build(number: int, one: int) -> dict[str, Any]:
    # A version that several projects have would be ambiguous: only the first and App 7 have 4.2.x.
    major = 4 if number in {0, 7} else 3
    return {
        "id": number * 10_000_000 + one,
        "self": f"/projects/{1000 + number}-app{number}/builds/{number * 10_000_000 + one}",
        "appName": "Namesake" if number < NAMESAKES else f"App {number}",
        "appVersion": f"{major}.2.{one}",
        "appVersionCode": str(40_000 + one),
        "landingPageMode": "closed",
        "hasTestfairySdk": False,
        "uploadedAt": f"2026-{1 + one % 12:02}-{1 + one % 28:02} {one % 24:02}:{one % 60:02}:{one % 59:02}",
        "sessions": one % 97,
        "crashes": one % 7,
        "testers": one % 31,
        "feedbacks": one % 5,
        "downloads": one % 211,
        "uploadedVia": "Web upload",
        "insightsEnabled": False,
        "videoEnabled": True,
        "iconUrl": f"https://icons.example.com/{number}/{one}.png",
    }


def _json(**body: Any) -> bytes:
    return json.dumps({"status": "ok", **body}).encode()
