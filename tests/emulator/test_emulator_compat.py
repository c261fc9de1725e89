"""The compat dialect, and that classic is otherwise (docs/reference/api-facts.md#the-newer-server)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from appdist_emulator import Emulator, SeedError
from appdist_emulator.cli import main
from appdist_emulator.dialects import compat
from appdist_emulator.seed import default_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Ask = Callable[..., requests.Response]
    Look = Callable[[str], Any]

PROJECTS = "/api/1/projects/"
PROJECT = "/api/1/projects/6905338"
BUILD = f"{PROJECT}/builds/8911052"
KEY = "nw-demo-key-0001"
OIDC = {"Authorization": "Bearer demo-oidc-token", "X-OIDC-Config-Key": "oidc_northwind_demo"}
READER = ("audit@northwind.example", "nw-demo-key-0003")

CLASSIC_BUILD = [
    "id", "self", "projectId", "appName", "appVersion", "appVersionCode", "appDisplayName", "iconUrl", "appUrl",
    "landingPageMode", "sessions", "crashes", "testers", "feedbacks", "downloads", "uploadedAt", "uploadedVia",
    "hasTestFairySdk", "insightsEnabled", "videoEnabled",
]  # fmt: skip
COMPAT_BUILD = [
    "id", "self", "projectId", "appName", "appVersion", "appVersionCode", "appDisplayName", "iconUrl", "appUrl",
    "landingPageMode", "downloads", "uploadedAt", "uploadedVia", "comment", "isDistributionEnabled", "platform", "tags",
]  # fmt: skip

in_both = pytest.mark.parametrize("emulator", ["classic", "compat"], indirect=True)


def in_each(name: str, classic: Any, compat: Any) -> pytest.MarkDecorator:
    """One test for both dialects, with what each of them does."""
    return pytest.mark.parametrize(
        ("emulator", name), [("classic", classic), ("compat", compat)], indirect=["emulator"]
    )


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with Emulator(dialect=getattr(request, "param", "compat")) as running:
        yield running


@pytest.fixture
def follow() -> Iterator[Ask]:
    """Ask a whole URL as nobody; where it leads is not followed."""
    with requests.Session() as session:
        session.trust_env = False

        def ask(url: str, **options: Any) -> requests.Response:
            return session.request(options.pop("method", "GET"), url, timeout=10, allow_redirects=False, **options)

        yield ask


def unsigned(request: Any) -> Any:
    return request  # keeps requests from adding credentials of its own


def signed(key: str = KEY) -> dict[str, Any]:
    return {"auth": unsigned, "headers": {"X-API-Key": key}}


def failure(answer: requests.Response) -> tuple[int, int]:
    body = answer.json()
    assert sorted(body) == ["code", "message", "status"]
    assert body["status"] == "fail"
    return answer.status_code, body["code"]


def reset(api: Ask, **changes: Any) -> None:
    answer = api("POST", "/_emulator/reset", json={**default_seed(), **changes})
    assert answer.status_code == 200, answer.text


# --- it says that it ends ---------------------------------------------------------------------

SUNSET = "Thu, 31 Dec 2026 23:59:59 GMT"


@in_each("told", (None, None), ("true", SUNSET))
@pytest.mark.parametrize(
    ("path", "status"),
    [(PROJECTS, 200), ("/api/2/audits/", 200), ("/api/1/nowhere", 404), ("/api/2/nowhere", 404)],
)
def test_each_answer_of_the_api_tells_its_end(api: Ask, told: Any, path: str, status: int) -> None:
    answer = api("GET", path)
    assert answer.status_code == status
    assert (answer.headers.get("Deprecation"), answer.headers.get("Sunset")) == told


def test_other_answers_tell_the_end_too(api: Ask) -> None:
    answers = [
        api("GET", PROJECTS, auth=None),
        api("DELETE", BUILD, auth=READER),
        api("PUT", BUILD),
        api("GET", f"{PROJECT}/builds/1"),
        api("GET", f"{BUILD}/download/"),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 405, 200, 302]
    for answer in answers:
        assert (answer.headers["Deprecation"], answer.headers["Sunset"]) == ("true", SUNSET)


@pytest.mark.parametrize("path", ["/_emulator/", "/api/upload/", "/api/3/projects/", "/"])
def test_nothing_else_tells_an_end(api: Ask, path: str) -> None:
    answer = api("POST" if "upload" in path else "GET", path)
    assert {"Deprecation", "Sunset"}.isdisjoint(answer.headers)


def test_the_seed_can_set_the_end(api: Ask) -> None:
    reset(api, settings={"sunset": "Fri, 01 Jan 2027 00:00:00 GMT"})
    assert api("GET", PROJECTS).headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"


@pytest.mark.parametrize(
    "sunset", ["2026-12-31", "Fri,\n01 Jan 2027 00:00:00 GMT", "Mon, 01 Jan 2027 00:00:00 GMT", ""]
)
def test_an_end_that_is_no_http_date(sunset: str) -> None:
    with pytest.raises(SeedError, match=r"settings\.sunset: must be a time like Thu, 31"):
        Emulator({**default_seed(), "settings": {"sunset": sunset}}, dialect="compat")


# --- who asks ---------------------------------------------------------------------------------


@in_each("status", 401, 200)
def test_a_key_without_an_email(api: Ask, look: Look, status: int) -> None:
    assert api("GET", PROJECTS, **signed()).status_code == status
    assert api("PATCH", f"{BUILD}/", auth=None, data={"api_key": KEY, "tags": "x"}).status_code == status
    assert [entry["auth"] for entry in look("requests")] == ["x-api-key", "api_key"]
    assert look("requests")[1]["form"] == {"api_key": "***", "tags": "x"}
    changed = next(one for one in look("state")["projects"][0]["builds"] if one["id"] == "8911052")
    assert changed["tags"] == (["x"] if status == 200 else ["ci"])


def test_the_key_tells_who_asks(api: Ask) -> None:
    assert api("GET", PROJECTS, **signed(READER[1])).status_code == 200
    assert failure(api("PATCH", f"{BUILD}/", data={"tags": "x"}, **signed(READER[1]))) == (403, 99)


@in_both
def test_oidc_signs_in(api: Ask) -> None:
    assert api("GET", PROJECTS, auth=unsigned, headers=OIDC).status_code == 200
    assert failure(api("GET", PROJECTS, auth=unsigned, headers={**OIDC, "X-OIDC-Config-Key": "x"})) == (401, 104)


@pytest.mark.parametrize(
    "credentials",
    [
        signed("wrong"),
        signed(""),
        {"auth": None, "data": {"api_key": "wrong"}},
        {"auth": ("ci@northwind.example", "wrong")},
        {"auth": ("", KEY)},
    ],
)
def test_wrong_credentials(api: Ask, credentials: Mapping[str, Any]) -> None:
    answer = api("GET", PROJECTS, **credentials)
    assert answer.status_code == 401
    assert answer.json() == {"status": "fail", "code": 104, "message": "User not found"}


def test_nobody_is_refused(api: Ask) -> None:
    assert failure(api("GET", PROJECTS, auth=None)) == (401, 104)


@in_each("status", 200, 401)
def test_basic_can_be_switched_off(api: Ask, status: int) -> None:
    assert api("GET", PROJECTS).status_code == 200
    reset(api, settings={"basic_auth": False})
    answer = api("GET", PROJECTS)
    assert answer.status_code == status
    if status == 401:
        assert answer.json() == {"status": "fail", "code": 104, "message": "User not found"}
        assert api("GET", PROJECTS, **signed()).status_code == 200
        assert api("GET", PROJECTS, auth=unsigned, headers=OIDC).status_code == 200


@pytest.mark.parametrize(
    "credentials", [signed("nw-demo-key-0004"), {"auth": None, "data": {"api_key": "nw-demo-key-0004"}}]
)
def test_a_blocked_tester_is_told_so(api: Ask, credentials: Mapping[str, Any]) -> None:
    tester = {"email": "helen.ward@northwind.example", "blocked": True}
    reset(api, testers=[tester])
    assert failure(api("GET", PROJECTS, **credentials)) == (401, 5)


def test_authorization_counts_before_a_key(api: Ask, look: Look) -> None:
    answer = api("PATCH", f"{BUILD}/", data={"tags": "x"}, auth=READER, headers={"X-API-Key": KEY})
    assert failure(answer) == (403, 99)
    assert look("requests")[-1]["auth"] == "basic"


@in_each("status", "fail", "ok")
def test_the_upload_takes_the_header_too(api: Ask, status: str) -> None:
    answer = api("POST", "/api/upload/", files={"file": ("a.apk", b"x")}, **signed())
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert answer.json().get("code") == (5 if status == "fail" else None)


@in_both
def test_the_upload_as_ever(api: Ask) -> None:
    file = {"file": ("a.apk", b"x")}
    assert api("POST", "/api/upload/", auth=None, data={"api_key": KEY}, files=file).json()["status"] == "ok"
    assert api("POST", "/api/upload/", auth=unsigned, headers=OIDC, files=file).json()["status"] == "ok"
    assert failure(api("POST", "/api/upload/", auth=None, data={"api_key": "wrong"}, files=file)) == (200, 5)
    assert failure(api("POST", "/api/upload/", files=file)) == (200, 5)  # Basic is none of its ways


# --- builds -----------------------------------------------------------------------------------


@in_each("fields", CLASSIC_BUILD, COMPAT_BUILD)
def test_the_fields_of_a_build(api: Ask, fields: list[str]) -> None:
    builds = api("GET", f"{PROJECT}/builds/").json()["builds"]
    assert len(builds) == 4
    assert [list(build) for build in builds] == [fields] * 4
    assert api("GET", BUILD).json()["build"] == builds[-1]


def test_what_a_build_shows(api: Ask) -> None:
    notes = "Fixes the crash when a boarding pass is rotated."
    build = api("GET", f"{PROJECT}/builds/8893377").json()["build"]
    assert (build["platform"], build["comment"], build["tags"]) == ("Android", notes, ["ci"])
    assert (build["isDistributionEnabled"], build["downloads"]) == (True, 14)


def test_the_seed_can_show_more(api: Ask) -> None:
    reset(api, shows={"build": ["metadata", "tags"], "project": ["folderPath"]})
    assert list(api("GET", BUILD).json()["build"]) == [*COMPAT_BUILD, "metadata"]
    assert api("GET", PROJECTS).json()["projects"][0]["folderPath"] == "/"


def test_the_state_tells_everything(look: Look) -> None:
    build = look("state")["projects"][0]["builds"][0]
    assert (build["sessions"], build["hasTestFairySdk"]) == (311, True)


# --- refusals ---------------------------------------------------------------------------------


@in_each("status", 400, 200)
@pytest.mark.parametrize(
    ("method", "path", "form", "code"),
    [
        ("GET", "/api/1/projects/1/builds/", {}, 1),
        ("GET", f"{PROJECT}/builds/1", {}, 1),
        ("PATCH", f"{BUILD}/", {"landing_page_mode": "ajar"}, 135),
        ("POST", f"{BUILD}/copy", {}, 1),
        ("POST", f"{BUILD}/invites/", {}, 1),
        ("POST", "/api/1/testers/groups", {"groupName": "QA"}, 2),
        ("POST", "/api/upload/", {"api_key": KEY}, 1),
    ],
)
def test_a_no_of_the_service(api: Ask, status: int, method: str, path: str, form: Any, code: int) -> None:
    assert failure(api(method, path, data=form)) == (status, code)


@in_both
def test_what_keeps_its_status(api: Ask) -> None:
    assert failure(api("GET", PROJECTS, auth=None)) == (401, 104)
    assert failure(api("DELETE", BUILD, auth=READER)) == (403, 99)
    assert failure(api("POST", "/api/1/testers/", auth=READER)) == (403, 5)
    assert failure(api("POST", f"{BUILD}/invites/", data={"groups": "nobody"})) == (404, 404)
    assert failure(api("GET", "/api/1/nowhere")) == (404, 404)
    assert failure(api("PUT", BUILD)) == (405, 405)
    assert failure(api("POST", "/_emulator/faults", json={})) == (400, 400)


# --- bodies -----------------------------------------------------------------------------------


@in_each("accepted", True, False)
def test_patch_as_json(api: Ask, look: Look, accepted: bool) -> None:
    answer = api("PATCH", f"{BUILD}/", json={"tags": "x"})
    if accepted:
        assert answer.json()["tags"] == ["x"]
    else:
        assert failure(answer) == (200, 1)
        assert look("state")["projects"][0]["builds"][-1]["tags"] == ["ci"]
    assert api("PATCH", f"{BUILD}/", data={"tags": "y"}).json()["tags"] == ["y"]


def test_post_as_json(api: Ask) -> None:
    path = "/api/1/testers/"
    assert failure(api("POST", path, json={"email": "a@b.example"})) == (200, 1)
    assert failure(api("POST", path, json={"email": "a@b.example"}, auth=None)) == (401, 104)  # who asks comes first
    assert api("GET", path, headers={"Content-Type": "application/json"}).json()["status"] == "ok"


# --- groups, webhooks, sites, audits ----------------------------------------------------------

GROUP = "/api/1/testers/groups/21"
HELEN, MARA = "helen.ward@northwind.example", "mara.lindholm@northwind.example"


@in_each("refused", True, False)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_members_that_nobody_knows(api: Ask, look: Look, method: str, refused: bool) -> None:
    before = look("state")
    answer = api(method, GROUP, data={"email": "nobody@x.example,none@x.example"})
    if refused:
        assert failure(answer) == (200, 400)
    else:
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "testers": []})
    assert look("state") == before


@in_each("members", (["helen.ward", "david.cho"], []), (["helen.ward", "david.cho", "mara.lindholm"], [MARA]))
def test_one_member_that_somebody_knows(api: Ask, look: Look, members: tuple[list[str], list[str]]) -> None:
    answer = api("POST", GROUP, data={"email": f"nobody@x.example,{MARA}"})
    assert [one["email"] for one in answer.json().get("testers", [])] == members[1]
    group = next(one for one in look("state")["groups"] if one["id"] == 21)
    assert [email.partition("@")[0] for email in group["testers"]] == members[0]


@in_each("left", [HELEN, "david.cho@northwind.example"], ["david.cho@northwind.example"])
def test_one_that_leaves_and_one_that_nobody_knows(api: Ask, look: Look, left: list[str]) -> None:
    api("DELETE", GROUP, data={"email": f"nobody@x.example,{HELEN}"})
    assert next(one for one in look("state")["groups"] if one["id"] == 21)["testers"] == left


@in_both
def test_what_else_is_wrong_with_members(api: Ask) -> None:
    assert failure(api("POST", "/api/1/testers/groups/99", data={"email": MARA})) == (404, 404)
    assert failure(api("GET", "/api/1/testers/99")) == (200, 400)
    assert failure(api("POST", GROUP))[1] == 1


OWNER = ("owner@northwind.example", "nw-demo-key-0002")


@in_each("paths", ("webhook", "site"), ("webhooks", "sites"))
def test_webhooks_and_sites_are_plural_in_compat_alone(api: Ask, paths: tuple[str, str]) -> None:
    hooks, sites = (f"/api/1/{path}" for path in paths)

    def ask(method: str, path: str, **data: str) -> Any:
        answer = api(method, path, data=data, auth=OWNER).json()
        assert answer.pop("status") == "ok"
        return answer

    hook = {"webhook-name": "new", "webhook-url": "https://x.example"}
    ask("POST", f"{hooks}/", **hook)
    made = ask("GET", "/api/1/webhooks/")["webhooks"][-1]
    assert made["name"] == "new"
    one = f"{hooks}/{made['id']}/"
    ask("POST", one, **{**hook, "webhook-name": "newer"})
    assert ask("GET", one)["webhook"]["name"] == "newer"
    ask("DELETE", one)
    assert made["id"] not in [one["id"] for one in ask("GET", "/api/1/webhooks/")["webhooks"]]
    ask("POST", f"{sites}/", name="site-9")
    site = ask("GET", f"{sites}/")["site"]["accounts"][-1]
    assert site["name"] == "site-9"
    ask("DELETE", f"{sites}/{site['id']}/")
    assert site not in ask("GET", f"{sites}/")["site"]["accounts"]


@in_each("paths", ("webhooks", "sites"), ("webhook", "site"))
def test_the_other_number_is_a_path_that_does_not_exist(api: Ask, paths: tuple[str, str]) -> None:
    webhook, site = paths
    for method, path in [
        ("GET", f"{webhook}/12/"),
        ("POST", f"{webhook}/12/"),
        ("DELETE", f"{webhook}/12/"),
        ("GET", f"{site}/"),
        ("POST", f"{site}/"),
        ("DELETE", f"{site}/1/"),
        *([("POST", "webhook/")] if webhook == "webhook" else []),
    ]:
        answer = api(method, f"/api/1/{path}", auth=OWNER)
        assert failure(answer) == (404, 404)
        assert answer.json() == api(method, "/api/1/nowhere", auth=OWNER).json()


def pages(api: Ask, **query: str) -> Any:
    return api("GET", "/api/2/audits/", params=query).json()["pagination"]["per_page"]


@in_each("sizes", [50, 3, 3], [2, 3, 3])
def test_limit_is_another_name_of_per_page(api: Ask, sizes: list[int]) -> None:
    asked = [{"limit": "2"}, {"per_page": "3"}, {"per_page": "3", "limit": "2"}]
    assert [pages(api, **query) for query in asked] == sizes


@pytest.mark.parametrize("path", ["", "admin-trail/", "tester-trail/"])
def test_compat_gives_100_audits_at_most(api: Ask, path: str) -> None:
    for name in ("limit", "per_page"):
        assert api("GET", f"/api/2/audits/{path}", params={name: "100"}).json()["status"] == "ok"
        answer = api("GET", f"/api/2/audits/{path}", params={name: "101"})
        assert (failure(answer), name in answer.json()["message"]) == ((200, 1), True)


@pytest.mark.parametrize("emulator", ["classic"], indirect=True)
def test_classic_gives_200_audits_at_most(api: Ask) -> None:
    assert pages(api, per_page="200") == 200
    assert failure(api("GET", "/api/2/audits/", params={"per_page": "201"})) == (400, 1)


# --- download ---------------------------------------------------------------------------------


def link_to(api: Ask, build: str = BUILD) -> str:
    answer = api("GET", f"{build}/download/")
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_classic_sends_the_file_itself() -> None:
    with Emulator({**default_seed(), "settings": {"storage": False}}) as emulator:
        auth = ("ci@northwind.example", KEY)
        answer = requests.get(f"{emulator.url}{BUILD}/download/", auth=auth, timeout=5, allow_redirects=False)
        assert (answer.status_code, answer.content[:2]) == (200, b"PK")
        assert requests.get(f"{emulator.url}/_storage/x/a.apk", timeout=5).status_code == 404


def test_a_download_leads_to_another_host(api: Ask, emulator: Emulator, follow: Ask) -> None:
    link = urlsplit(link_to(api))
    assert (link.scheme, link.hostname, link.port) == ("http", "localhost", urlsplit(emulator.url).port)
    assert link.path.startswith("/_storage/")
    assert link.path.endswith("/northwindtravel-4.3.0.apk")
    assert sorted(parse_qs(link.query)) == ["X-Amz-Expires", "X-Amz-Signature"]
    answer = follow(link.geturl())
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert api("GET", BUILD).json()["build"]["downloads"] == 6


def test_another_host_for_who_came_to_localhost(emulator: Emulator, follow: Ask) -> None:
    url = emulator.url.replace("127.0.0.1", "localhost")
    location = follow(f"{url}{BUILD}/download/", headers={"X-API-Key": KEY}).headers["Location"]
    assert urlsplit(location).hostname == "127.0.0.1"
    assert follow(location).status_code == 200


def test_an_upload_comes_back(api: Ask, follow: Ask) -> None:
    file = {"file": ("Größe 1 #2?.apk", b"the very bytes")}
    reply = api("POST", "/api/upload/", auth=None, data={"api_key": KEY}, files=file).json()
    link = link_to(api, f"/api/1/projects/{reply['project_id']}/builds/{reply['build_id']}")
    assert follow(link).content == b"the very bytes"


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Basic eDp5"}, {"Authorization": "Bearer t"}, {"X-API-Key": KEY}, {"X-OIDC-Config-Key": "x"}],
)
def test_the_storage_takes_no_second_credential(api: Ask, follow: Ask, headers: dict[str, str]) -> None:
    link = link_to(api)
    answer = follow(link, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/xml")
    assert "<Code>InvalidArgument</Code>" in answer.text
    assert follow(link).status_code == 200  # it is not used up by that


def test_a_signature_is_good_for_one_download_of_one_file(api: Ask, follow: Ask) -> None:
    link, other = link_to(api), link_to(api)
    signature, other_signature = (parse_qs(urlsplit(url).query)["X-Amz-Signature"][0] for url in (link, other))
    assert signature != other_signature
    wrong = [
        link.partition("?")[0],
        link.replace(signature, ""),
        link.replace(signature, other_signature),
        link.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
        link.replace("northwindtravel-4.3.0", "northwindtravel-4.2.0"),
        link.replace("/_storage/", "/_storage/x"),
    ]
    assert len({*wrong, link}) == 7
    for url in wrong:
        answer = follow(url)
        assert (answer.status_code, b"PK" in answer.content) == (403, False)
    assert follow(link).status_code == 200
    used = follow(link)
    assert (used.status_code, b"PK" in used.content) == (403, False)
    assert follow(other).status_code == 200


def test_a_signature_expires(api: Ask, follow: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "LINK_LIFETIME", 0)
    answer = follow(link_to(api))
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_links_end_with_the_account(api: Ask, follow: Ask) -> None:
    link = link_to(api)
    reset(api)
    assert follow(link).status_code == 403


def test_without_storage_there_is_an_install_page(api: Ask, emulator: Emulator, follow: Ask) -> None:
    reset(api, settings={"storage": False})
    location = link_to(api)
    assert location.startswith(emulator.url)
    answer = follow(location)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")


def test_who_may_not_download(api: Ask) -> None:
    assert failure(api("GET", f"{PROJECT}/builds/1/download/")) == (200, 1)
    assert failure(api("GET", f"{BUILD}/download/", auth=None)) == (401, 104)


# --- the request log, faults, reset, the command line -----------------------------------------


def test_the_log_holds_no_secret(api: Ask, look: Look, follow: Ask) -> None:
    link = link_to(api)
    signature = parse_qs(urlsplit(link).query)["X-Amz-Signature"][0]
    for _ in range(2):  # the second time, it is used up
        follow(link)
        api("PATCH", f"{BUILD}/", data={"comment": f"see {link}"}, **signed())
    api("GET", PROJECTS, **signed("somebody-elses-key"))
    follow(link.replace(signature, "somebody-elses-signature"))
    log = look("requests")
    assert [entry["status"] for entry in log] == [302, 200, 200, 403, 200, 401, 403]
    assert [entry["auth"] for entry in log] == ["basic", None, "x-api-key", None, "x-api-key", "x-api-key", None]
    for entry in (log[1], log[3], log[6]):
        assert entry["query"] == {"X-Amz-Signature": "***", "X-Amz-Expires": "300"}
    assert "X-Amz-Signature=***" in log[2]["form"]["comment"]
    text = json.dumps(log)
    assert not [one for one in (signature, KEY, "somebody-elses") if one in text]


def test_faults(api: Ask, follow: Ask) -> None:
    for order in ({"path": "/projects/$", "status": 503}, {"path": "^/_storage/", "status": 500, "body": "broken"}):
        assert api("POST", "/_emulator/faults", json=order).status_code == 200
    assert [api("GET", PROJECTS).status_code for _ in range(2)] == [503, 200]
    link = link_to(api)
    assert (follow(link).text, follow(link).status_code) == ("broken", 200)


@in_each("name", "classic", "compat")
def test_reset_keeps_the_dialect(api: Ask, name: str) -> None:
    for change in (
        {},
        {"json": {"users": [{"email": "a@b.example", "api_key": "k"}]}},
        {"params": {"seed": "default"}},
    ):
        assert api("POST", "/_emulator/reset", **change).status_code == 200
        assert api("GET", "/_emulator/").json()["dialect"] == name
        assert ("Sunset" in api("GET", PROJECTS).headers) == (name == "compat")
    assert list(api("GET", BUILD).json()["build"]) == (CLASSIC_BUILD if name == "classic" else COMPAT_BUILD)


def test_the_command_line_takes_the_dialect() -> None:
    command = [sys.executable, "-m", "appdist_emulator", "--port", "0", "--dialect", "compat"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            assert requests.get(f"{url}/_emulator/", timeout=5).json()["dialect"] == "compat"
        finally:
            process.kill()


def test_a_dialect_that_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dialect", "v3"]) == 2
    out, err = capsys.readouterr()
    assert (out, "--dialect" in err) == ("", True)
    assert "compat" in err
    with pytest.raises(ValueError, match="'v3' is not one of classic, compat"):
        Emulator(dialect="v3")  # type: ignore[arg-type]
