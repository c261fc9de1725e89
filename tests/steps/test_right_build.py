"""The build that is meant: never a copy, never of another platform or app, never one that only looks like the newest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness import ANDROID, BUILD, IOS, NEWEST_ANDROID, Process, Run, Service
from sauce_appdist.errors import InputError
from sauce_appdist.interface.environment import parse
from sauce_appdist.steps import find
from steps.support import FOLDER_PROJECT, PACKAGE

LATEST = {"package_name": PACKAGE, "build_id": "latest"}
STEPS: dict[str, dict[str, str]] = {
    "find": {},
    "tag": {"tags": "a"},
    "annotate": {"release_notes": "a"},
    "invite": {"groups": "QA"},
    "gate": {"min_downloads": "0"},
    "copy": {"to_folder": "QA"},
    "promote": {"tags": "a"},
}


@pytest.mark.parametrize("step", STEPS)
def test_latest_is_never_of_two_platforms(run: Run, service: Service, step: str) -> None:
    done = run(step, **LATEST, **STEPS[step])
    assert done.code == 2
    assert "projects match: other platforms, other apps, or copies in folders. Set project-id or platform." in done.log
    assert f"  project-id {ANDROID}, Northwind Travel (Android)" in done.log
    assert f"  project-id {IOS}, Northwind Travel (iOS)" in done.log
    assert service.writes == []


@pytest.mark.parametrize("step", STEPS)
def test_latest_is_never_a_copy(run: Run, service: Service, step: str) -> None:
    assert run("copy", to_folder="Release", **BUILD).code == 0
    before = list(service.writes)
    done = run(step, **LATEST, platform="Android", **STEPS[step])
    assert done.code == 2
    assert "projects match: other platforms, other apps, or copies in folders. Set project-id." in done.log
    assert service.writes == before
    assert run("find", project_id=ANDROID, build_id="latest").outputs["build-id"] == NEWEST_ANDROID


def test_advice_does_not_lead_to_a_copy(run: Run) -> None:
    """Where builds of several projects match, latest is refused as well."""
    assert run("copy", to_folder="Release", **BUILD).code == 0
    done = run("find", package_name=PACKAGE, platform="Android", version="4.3.0")
    assert done.code == 2
    assert "or set project-id. The candidates:" in done.log
    assert "latest" not in done.log
    assert "or take the newest with build-id: latest" in run("find", project_id=ANDROID).log


def test_advice_says_where_no_other_input_is_enough(run: Run, service: Service) -> None:
    """With a platform, the search still finds a copy on Android, but not on iOS."""
    done = run("find", **LATEST)
    assert f"For {PACKAGE} (Android), only project-id is enough." in done.log
    assert run("find", **LATEST, platform="iOS").code == 0
    service.fault(path="/projects/$", status=200, body={"status": "ok", "projects": [ONE, {**ONE, "id": 2, **OTHER}]})
    assert "is enough" not in run("find", **LATEST).log


ONE = {"id": 1, "name": "App", "packageName": PACKAGE, "platform": "Android"}
OTHER = {"platform": "iOS"}


def listed(service: Service, *projects: dict[str, Any], builds: list[dict[str, Any]] | None = None) -> None:
    """A service that has these projects, each with the builds."""
    service.fault(path="/projects/$", status=200, body={"status": "ok", "projects": list(projects)}, times=None)
    service.fault(path="/builds/$", status=200, body={"status": "ok", "builds": builds or []}, times=None)


def some_build(number: int, at: str | None = "2026-05-01 10:00:00", **more: Any) -> dict[str, Any]:
    return {"id": number, "appVersion": "1.0", "appVersionCode": str(number), "uploadedAt": at, **more}


def test_advice_is_what_the_step_accepts(run: Run, service: Service, seed: dict[str, Any]) -> None:
    """The builds that match are in one project, but latest would search two."""
    twice = {"id": 8911050, "version": "4.3.0", "version_code": "4299", "uploaded_at": "2026-05-28 10:00:00"}
    seed["projects"][0]["builds"].append(twice)
    service.reset(seed)
    done = run("find", package_name=PACKAGE, platform="Android", version="4.3.0")
    assert done.code == 2
    advice = f"narrow it by version-code, or take the newest with project-id: {ANDROID} and build-id: latest."
    assert advice in done.log
    assert run("find", project_id=ANDROID, build_id="latest", version="4.3.0").outputs["build-id"] == NEWEST_ANDROID
    undated(service, seed, NEWEST_ANDROID, None)
    assert "latest" not in run("find", package_name=PACKAGE, platform="Android", version="4.3.0").log


def test_skipped_builds_are_copied_if_their_project_is_named(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    search = {"package_name": PACKAGE, "folder": "Release Candidates", "build_id": "latest"}
    done = run("copy", to_folder="Release Candidates", **search)
    assert "is skipped. Set project-id to copy it anyway." in done.log
    assert run("copy", to_folder="Release Candidates", **search, project_id=FOLDER_PROJECT).code == 0


def test_a_project_that_is_named_must_be_what_the_other_inputs_say(run: Run, service: Service) -> None:
    done = run("tag", tags="a", project_id=IOS, platform="Android", build_id="latest")
    assert done.code == 2
    assert f"platform is 'Android', but project {IOS} has the platform 'iOS'. Set the project" in done.log
    assert service.writes == []


@pytest.mark.parametrize("platform", [None, ""])
def test_a_platform_that_the_service_does_not_show_is_not_another_one(
    run: Run, service: Service, platform: str | None
) -> None:
    known = {**ONE, "id": 2}
    listed(service, {**ONE, "platform": platform}, known, builds=[some_build(5)])
    done = run("find", package_name=PACKAGE, platform="Android", build_id="latest")
    assert done.code == 2
    assert "the service does not show the platform of project 1. Set project-id, and omit platform." in done.log


def test_latest_of_a_project_with_two_platforms_is_refused(run: Run, service: Service) -> None:
    listed(service, ONE, builds=[some_build(5, platform="iOS"), some_build(6, platform="Android")])
    done = run("find", project_id="1", build_id="latest")
    assert done.code == 2
    assert "project 1 has builds of several platforms (android, ios). Set build-id." in done.log


def test_a_build_that_is_found_under_any_project_must_fit_too(run: Run, service: Service) -> None:
    body = {"status": "ok", "build": {"id": "77", "projectId": IOS, "platform": "iOS", "packageName": PACKAGE}}
    service.fault(path="/builds/77$", status=200, body=body, times=None)
    done = run("tag", tags="a", package_name=PACKAGE, platform="Android", build_id="77")
    assert done.code == 2
    assert f"platform is 'Android', but build 77 in project {IOS} has the platform 'iOS'" in done.log
    assert service.writes == []


def test_an_app_name_is_that_of_the_build_or_of_its_project(run: Run, service: Service) -> None:
    body = {"status": "ok", "build": {"id": "77", "appName": "Travel (beta)", "appVersion": "1"}}
    service.fault(path="/builds/77$", status=200, body=body, times=None)
    for name in ("Travel (beta)", "Northwind Travel"):
        assert run("find", project_id=ANDROID, build_id="77", app_name=name).code == 0
    assert run("find", project_id=ANDROID, build_id="77", app_name="Northwind Rail").code == 2


@pytest.mark.parametrize("step", STEPS)
def test_every_step_tells_platform_and_package(process: Process, step: str) -> None:
    inputs = {"package_name": PACKAGE, "platform": "Android", "version": "4.2.1", **STEPS[step]}
    env = {f"APPDIST_INPUT_{name.upper()}": text for name, text in inputs.items()}
    done = process(step, env={"GITHUB_ACTIONS": "true", **env})
    assert done.code == 0, done.log
    assert (done.outputs["platform"], done.outputs["package-name"]) == ("Android", PACKAGE)
    app = f"Northwind Travel 4.2.1 (4210) for Android ({PACKAGE})"
    assert app in done.files["summary.md"].splitlines()[0]
    assert f"for Android, build 8893377 in project {ANDROID} ({PACKAGE})" in done.log + done.text


@pytest.mark.parametrize("step", ["tag", "annotate", "copy"])
def test_ids_alone_need_no_request_to_tell_the_app(run: Run, service: Service, step: str) -> None:
    done = run(step, **BUILD, **STEPS[step])
    assert done.code == 0, done.log
    writes = ("PATCH", "POST")
    assert service.sent[0].startswith(writes)
    assert done.outputs["platform"] == ("Android" if step == "copy" else None)  # the copy was looked up anyway


# --- Times that cannot be read --------------------------------------------------------------------------


def undated(service: Service, seed: dict[str, Any], build_id: str, text: object) -> None:
    """An account whose service shows the upload time of one build like this."""
    for project in seed["projects"]:
        for build in project["builds"]:
            if str(build["id"]) == build_id:
                build["shows_uploaded_at"] = text
    service.reset(seed)


@pytest.mark.parametrize("text", [None, 0, "soon", "missing", "0000-00-00 00:00:00"])
def test_latest_does_not_pass_over_a_build_whose_time_cannot_be_read(
    run: Run, service: Service, seed: dict[str, Any], text: object
) -> None:
    undated(service, seed, NEWEST_ANDROID, text)
    done = run("promote", project_id=ANDROID, build_id="latest", tags="a")
    assert done.code == 2
    assert f"cannot be determined: build {NEWEST_ANDROID} has no upload time that can be read, and build " in done.log
    assert service.writes == []
    assert run("find", project_id=ANDROID, version_code="4300").outputs["build-id"] == NEWEST_ANDROID


def test_an_older_build_without_a_time_does_no_harm(run: Run, service: Service, seed: dict[str, Any]) -> None:
    undated(service, seed, "8830728", None)
    done = run("find", project_id=ANDROID, build_id="latest")
    assert done.outputs["build-id"] == NEWEST_ANDROID


# --- What an inherited build must be --------------------------------------------------------------------

LEFT = {"APPDIST_BUILD_ID": NEWEST_ANDROID, "APPDIST_PROJECT_ID": ANDROID}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("platform", "iOS", "Android"),
        ("package-name", "com.northwind.rail", PACKAGE),
        ("app-name", "Northwind Rail", "Northwind Travel"),
    ],
)
def test_an_inherited_build_must_be_what_the_job_says(
    run: Run, service: Service, step: str, name: str, value: str, found: str
) -> None:
    done = run(step, env=LEFT, **{name.replace("-", "_"): value}, **STEPS[step])
    assert done.code == 2
    assert (
        f"{name} is {value!r}, but build {NEWEST_ANDROID} in project {ANDROID} has the {name} {found!r}. Set the build"
        in done.log
    )
    assert "The build comes from the environment: APPDIST_BUILD_ID, APPDIST_PROJECT_ID." in done.log
    assert service.writes == []


@pytest.mark.parametrize("step", STEPS)
def test_a_build_that_is_what_the_job_says_goes_on(run: Run, step: str) -> None:
    done = run(step, env=LEFT, platform="android", package_name=PACKAGE, app_name="Northwind Travel", **STEPS[step])
    assert done.code == 0, done.log
    assert "for Android" in done.log
    if "platform" in done.outputs:
        assert (done.outputs["platform"], done.outputs["package-name"]) == ("Android", PACKAGE)


def test_an_app_that_the_service_does_not_show_is_unknown(run: Run, service: Service) -> None:
    service.fault(path="/projects/$", status=200, body={"status": "ok", "projects": []}, times=None)
    service.fault(
        path=f"/builds/{NEWEST_ANDROID}$",
        status=200,
        body={"status": "ok", "build": {"id": NEWEST_ANDROID}},
        times=None,
    )
    done = run("tag", tags="a", platform="Android", **BUILD)
    assert done.code == 2
    assert "has no platform that the service shows" in done.log
    assert service.writes == []


def test_find_goes_on_without_the_list_of_projects(run: Run, service: Service) -> None:
    service.fault(path="/projects/$", status=503, times=None)
    done = run("find", retries="0", **BUILD)
    assert done.code == 0, done.log
    if service.dialect == "classic":
        assert "platform and package-name stay unknown: GET /api/1/projects/" in done.log
        assert done.outputs["platform"] is None
    assert done.outputs["app-version"] == "4.3.0"


# --- The URL of a build ---------------------------------------------------------------------------------

SIGNED_IN = {"email": "a@b.example", "api_key": "key-1234567"}


@pytest.mark.parametrize(
    "url",
    [
        "projects/6905338-northwind/builds/8911052",
        "<https://mobile.saucelabs.com/projects/6905338-northwind/builds/8911052>",
        '"https://mobile.saucelabs.com/projects/6905338-north.wind/builds/8911052"',
        "https://mobile.saucelabs.com/projects/6905338-north%20wind/builds/8911052/",
        "https://mobile.saucelabs.com/projects/6905338-n\u00f6rdwind/builds/8911052?a=b#c",
        "mobile.saucelabs.com/projects/6905338/builds/8911052",
        " /projects/6905338-northwind/builds/8911052/settings ",
    ],
)
def test_the_url_of_a_build_is_understood(url: str) -> None:
    reference = parse(find.Inputs, {**SIGNED_IN, "build_url": url}).reference()
    assert (reference.project_ids[0], reference.build_id) == ("6905338", "8911052")
    whole = parse(find.Inputs, {**SIGNED_IN, "project_id": "6905338-northwind", "build_id": "1"}).reference()
    assert whole.project_ids == ("6905338", "6905338-northwind")


@pytest.mark.parametrize(
    ("url", "inputs", "problem"),
    [
        (
            "https://b.example/projects/1/builds/2",
            {"base_url": "https://a.example"},
            "build-url is on b.example, but base-url is https://a.example: set the base-url of that server",
        ),
        (
            "https://a.example:8443/projects/1/builds/2",
            {"base_url": "https://a.example"},
            "build-url is on a.example:8443, but base-url is https://a.example",
        ),
        (
            "https://mobile.saucelabs.com/projects/1/builds/2",
            {"base_url": "https://a.example"},
            "build-url is on mobile.saucelabs.com, but base-url is https://a.example",
        ),
        (
            "http://127.0.0.1:8765/projects/1/builds/2",
            {},
            "build-url is on 127.0.0.1:8765, which is not a region of the service: set base-url: http://127.0.0.1:8765",
        ),
        ("https://a.example:x/projects/1/builds/2", {"base_url": "https://a.example"}, "expected …/projects/<project>"),
        ("https://:443/projects/1/builds/2", {"base_url": "https://a.example"}, "expected …/projects/<project>"),
        (
            "https://a.example/?next=/projects/1/builds/2",
            {"base_url": "https://a.example"},
            "expected …/projects/<project>",
        ),
        (
            "https://a.example/projects/1-app",
            {"base_url": "https://a.example"},
            "expected …/projects/<project>/builds/<build>. This is a project's page: set project-id and build-id",
        ),
        (
            "https://acme.testfairy.com/projects/1/builds/2",
            {},
            "build-url is on acme.testfairy.com, which is not a region of the service: set base-url: https://acme.testfairy",
        ),
        ("acme.example/projects/1/builds/2", {}, "build-url is on acme.example, which is not a region"),
        (
            "https://mobile.eu-central-1.saucelabs.com/projects/1/builds/2",
            {"region": "us-east-1"},
            "build-url is in region eu-central-1, but region is us-east-1",
        ),
    ],
)
def test_the_host_of_a_url_is_never_ignored(url: str, inputs: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)):
        parse(find.Inputs, {**SIGNED_IN, **inputs, "build_url": url})


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("https://A.example/projects/1/builds/2", "https://a.example"),
        ("https://a.example:443/projects/1/builds/2", "https://a.example"),
        ("http://localhost:8080/projects/1/builds/2", "http://127.0.0.1:8080"),
        ("https://app.testfairy.com/projects/1/builds/2", "https://api.testfairy.com"),
        ("/projects/1/builds/2", "https://a.example"),
        ("https://a.example./projects/1/builds/2", "https://a.example"),
    ],
)
def test_the_same_host_in_another_spelling_is_the_same(url: str, base_url: str) -> None:
    assert parse(find.Inputs, {**SIGNED_IN, "base_url": base_url, "build_url": url}).reference().build_id == "2"


@pytest.mark.parametrize("name", ["6905338-north.wind", "6905338-north%20wind", "6905338-n\u00f6rdwind"])
def test_a_project_id_may_have_the_name_of_a_url(name: str) -> None:
    inputs = parse(find.Inputs, {**SIGNED_IN, "project_id": name, "build_id": "1"})
    assert inputs.reference().project_ids[0] == ANDROID
    again = parse(find.Inputs, {**SIGNED_IN, "project_id": inputs.project_id or "", "build_id": "1"})
    assert again.project_id == inputs.project_id


@pytest.mark.parametrize("name", ["6905338-a/b", "6905338-a%0Ab", "..", "%2e%2e", "a.b"])
def test_a_project_id_is_no_path(name: str) -> None:
    with pytest.raises(InputError, match="not a valid id"):
        parse(find.Inputs, {**SIGNED_IN, "project_id": name, "build_id": "1"})


def test_a_search_that_would_ask_a_thousand_projects_says_so(run: Run, service: Service, seed: dict[str, Any]) -> None:
    projects = [
        {"id": 7_000_000 + number, "name": "App", "platform": "Android", "package_name": PACKAGE}
        for number in range(120)
    ]
    service.reset({**seed, "projects": [*seed["projects"], *projects]})
    done = run("find", package_name=PACKAGE, platform="Android", version="4.3.0")
    assert done.code == 2
    assert "projects match, and the builds of each would have to be read. Narrow the search" in done.log
    assert len(service.requests) == 1


def test_a_version_that_yaml_may_have_changed_is_told(run: Run, service: Service, seed: dict[str, Any]) -> None:
    builds = seed["projects"][0]["builds"]
    builds[0]["version"], builds[-1]["version"] = "1.1", "1.10"
    service.reset(seed)
    done = run("find", project_id=ANDROID, version="1.1")
    assert done.outputs["build-id"] == str(builds[0]["id"])
    assert "YAML reads an unquoted 1.10 as 1.1" in done.log
    assert "YAML" not in run("find", project_id=ANDROID, version="1.10").log
