"""Accounts that are unusual and still possible: the emulator serves them as the seed has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator, SeedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appdist_emulator.dialects import DialectName

    Ask = Callable[..., Any]

USER = {"email": "a@b.example", "api_key": "secret-key"}
APP = {"name": "App", "package_name": "com.example.app", "platform": "Android"}
BUILD = {"version": "1.0", "version_code": "1"}
DECOMPOSED = "Qualita\u0308t"
COMPOSED = "Qualit\u00e4t"


@pytest.fixture(params=["classic", "compat"])
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., Ask]]:
    """Start a seed in either dialect; return how to ask for JSON."""
    dialect: DialectName = request.param
    running: list[Emulator] = []

    def start(**seed: Any) -> Ask:
        emulator = Emulator({"users": [USER], **seed}, dialect=dialect).start()
        running.append(emulator)

        def ask(method: str, path: str, **data: str) -> Any:
            auth = (USER["email"], USER["api_key"])
            return requests.request(method, emulator.url + path, data=data, auth=auth, timeout=10).json()

        return ask

    yield start
    for emulator in running:
        emulator.stop()


@pytest.mark.parametrize("time", [None, 0, "", "yesterday", "2026-02-30 10:00:00", "2026-03-01T09:30:00Z", 1772357400])
def test_a_time_that_cannot_be_read(serve: Callable[..., Ask], time: Any) -> None:
    ask = serve(projects=[{**APP, "id": 7, "builds": [{**BUILD, "id": 8, "shows_uploaded_at": time}, BUILD]}])
    odd, plain = ask("GET", "/api/1/projects/7/builds/")["builds"]
    assert (odd["uploadedAt"], type(odd["uploadedAt"])) == (time, type(time))
    assert ask("GET", "/api/1/projects/7/builds/8")["build"] == odd
    assert isinstance(plain["uploadedAt"], str)
    assert list(odd) == list(plain)


def test_a_time_that_is_missing(serve: Callable[..., Ask]) -> None:
    build = {**BUILD, "id": 8, "shows_uploaded_at": "missing"}
    ask = serve(projects=[{**APP, "id": 7, "builds": [build, BUILD]}])
    odd, plain = ask("GET", "/api/1/projects/7/builds/")["builds"]
    assert set(plain) - set(odd) == {"uploadedAt"}
    assert ask("GET", "/api/1/projects/7/builds/8")["build"] == odd


def test_a_time_has_to_be_a_value(serve: Callable[..., Ask]) -> None:
    with pytest.raises(SeedError, match=r"projects\[0\]\.builds\[0\]\.shows_uploaded_at"):
        serve(projects=[{**APP, "builds": [{**BUILD, "shows_uploaded_at": []}]}])


@pytest.mark.parametrize("shown", [[], ["folderName"], ["folderPath"]])
def test_folders_show_where_the_server_shows_them(serve: Callable[..., Ask], shown: list[str]) -> None:
    apps = [{**APP, "id": 7, "folder": "/Release"}, {**APP, "id": 9}]
    ask = serve(projects=apps, shows={"project": shown})
    inside, outside = ask("GET", "/api/1/projects/")["projects"]
    assert [name for name in inside if "folder" in name.lower()] == shown
    assert [(inside[name], outside[name]) for name in shown] == [("/Release", "/")] * len(shown)
    assert "Release" not in str([value for name, value in inside.items() if name not in shown])


def test_two_platforms_under_one_package(serve: Callable[..., Ask]) -> None:
    apps = [{**APP, "id": 7, "builds": [BUILD]}, {**APP, "id": 9, "platform": "iOS", "builds": [BUILD]}]
    ask = serve(projects=apps)
    listed = ask("GET", "/api/1/projects/")["projects"]
    assert [(one["packageName"], one["platform"]) for one in listed] == [
        ("com.example.app", "Android"),
        ("com.example.app", "iOS"),
    ]
    assert [len(ask("GET", f"/api/1/projects/{number}/builds/")["builds"]) for number in (7, 9)] == [1, 1]


def groups_of(ask: Ask) -> list[tuple[int, str]]:
    return [(one["id"], one["name"]) for one in ask("GET", "/api/1/testers/groups")["groups"]]


def invited(ask: Ask, groups: str) -> list[str]:
    assert ask("POST", "/api/1/projects/7/builds/8/invites/", groups=groups, notify="on")["status"] == "ok"
    return list(ask("GET", "/_emulator/state")["invitations"][-1]["testers"])


def group(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "name": name, "testers": [f"t{number}@b.example"]}


def one_build(*groups: Any) -> dict[str, Any]:
    return {**APP, "id": 7, "builds": [{**BUILD, "id": 8, "groups": list(groups)}]}


def test_two_groups_of_one_name(serve: Callable[..., Ask]) -> None:
    ask = serve(groups=[group(12, "QA"), group(13, "QA")], projects=[one_build(13)])
    assert groups_of(ask) == [(12, "QA"), (13, "QA")]
    assert ask("GET", "/_emulator/state")["projects"][0]["builds"][0]["groups"] == ["QA"]
    assert invited(ask, "12") == ["t12@b.example"]
    assert invited(ask, "13") == ["t13@b.example"]
    assert invited(ask, "QA") == ["t12@b.example"]  # the older one


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("QA", "several groups are named 'QA'; use an id, as a number"),
        ("12", "no group is named '12'"),
        (14, "no group has the id 14"),
        (True, "projects[0].builds[0].groups[0]"),
    ],
)
def test_a_reference_to_no_group_or_to_two(serve: Callable[..., Ask], reference: Any, hint: str) -> None:
    with pytest.raises(SeedError) as caught:
        serve(groups=[group(12, "QA"), group(13, "QA")], projects=[one_build(reference)])
    assert "projects[0].builds[0].groups" in str(caught.value)
    assert hint in str(caught.value)


def test_a_group_that_has_another_one_s_id_as_its_name(serve: Callable[..., Ask]) -> None:
    ask = serve(groups=[group(39, "All customers"), group(45, "39")], projects=[one_build()])
    assert groups_of(ask) == [(39, "All customers"), (45, "39")]
    assert invited(ask, "39") == ["t45@b.example"]  # a name counts before an id
    assert invited(ask, "45") == ["t45@b.example"]
    assert invited(ask, "All customers") == ["t39@b.example"]


@pytest.mark.parametrize("name", ["QA ", " QA", "QA\u00a0Team", "QA  Team", DECOMPOSED, "\u200bQA"])
def test_names_are_served_as_they_are(serve: Callable[..., Ask], name: str) -> None:
    project = {**one_build(name), "name": name, "folder": f"/{name.strip()}"}
    project["builds"][0] |= {"tags": [name], "comment": name, "metadata": {name: name}}
    ask = serve(
        groups=[group(12, name)], projects=[project], shows={"build": ["groups", "metadata", "tags", "comment"]}
    )
    assert groups_of(ask) == [(12, name)]
    assert ask("GET", "/api/1/projects/")["projects"][0]["name"] == name
    build = ask("GET", "/api/1/projects/7/builds/8")["build"]
    assert (build["groups"], build["tags"], build["comment"], build["metadata"]) == ([name], [name], name, {name: name})
    assert build["appName"] == name


@pytest.mark.parametrize(
    ("name", "other"),
    [("QA ", "QA"), ("QA", "QA\u00a0"), ("QA  Team", "QA Team"), (DECOMPOSED, COMPOSED)],
)
def test_a_group_is_named_by_its_own_spelling(serve: Callable[..., Ask], name: str, other: str) -> None:
    assert name != other
    ask = serve(groups=[group(12, name)], projects=[one_build()])
    assert invited(ask, f"{name}, 12") == ["t12@b.example"]
    if other.strip() != name:
        answer = ask("POST", "/api/1/projects/7/builds/8/invites/", groups=other)
        assert (answer["status"], answer["code"]) == ("fail", 404)
    patched = ask("PATCH", "/api/1/projects/7/builds/8/", groups=name)
    assert patched["groups"] == [name]
    copied = ask("POST", "/api/1/projects/7/builds/8/copy", folder_name="F", groups=f"{name},12,ghost ")
    assert (copied["assigned_groups"], copied["invalid_groups"]) == ([name, "12"], ["ghost"])


def test_white_space_around_a_name_does_not_count_otherwise(serve: Callable[..., Ask]) -> None:
    ask = serve(groups=[group(12, "QA"), group(13, "Beta")], projects=[one_build()])
    assert invited(ask, " QA , 13 ,") == ["t12@b.example", "t13@b.example"]
    assert ask("PATCH", "/api/1/projects/7/builds/8/", groups=" Beta ,QA ")["groups"] == ["Beta", "QA"]


def test_both_spellings_are_two_groups(serve: Callable[..., Ask]) -> None:
    ask = serve(groups=[group(12, "QA"), group(13, "QA ")], projects=[one_build()])
    assert invited(ask, "QA") == ["t12@b.example"]
    assert invited(ask, "QA ") == ["t13@b.example"]


def test_more_than_a_thousand_projects(serve: Callable[..., Ask]) -> None:
    apps = [
        {"id": 1000 + n, "name": f"App {n}", "package_name": f"com.example.a{n}", "platform": "iOS", "builds": [BUILD]}
        for n in range(1200)
    ]
    ask = serve(projects=apps)
    listed = ask("GET", "/api/1/projects/")["projects"]
    assert [one["id"] for one in listed] == [str(app["id"]) for app in apps]
    assert len(ask("GET", "/api/1/projects/2199/builds/")["builds"]) == 1
