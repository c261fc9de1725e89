"""The settings, on the wire: what the newer server may do, where the documents are silent, and the service's clock.

Source: docs/reference/emulator.md#settings.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from appdist_emulator import Emulator, SeedError
from appdist_emulator.seed import default_seed
from emulator.support import BUILD, KEY, PROJECTS, in_both, unsigned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.support import Ask, Look

V3 = "/api/v3/projects"
INVITES = f"{BUILD}/invites/"
QA = ["mara.lindholm", "tomas.vega", "ines.okafor"]
EVERYBODY = [*QA, "jonas.beck", "priya.raman", "amelie"]
DEFAULTS = {
    "require_login": False,
    "life_speed": 1,
    "clock_ahead": 0,
    "basic_auth": True,
    "storage": True,
    "sunset": "Thu, 31 Dec 2026 23:59:59 GMT",
    "invites": "groups",
    "updates": "all",
    "feedbacks": "list",
    "reasons": "told",
    "v3": True,
}

classic = pytest.mark.parametrize("emulator", ["classic"], indirect=True)


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with Emulator(dialect=getattr(request, "param", "compat")) as running:
        yield running


def choose(api: Ask, **settings: Any) -> None:
    answer = api("POST", "/_emulator/settings", json=settings, auth=None)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok"), answer.text


def mailed(look: Look) -> list[str]:
    return [mail["to"].partition("@")[0] for mail in look("outbox")]


# --- changing them ----------------------------------------------------------------------------


def test_settings_change_one_by_one_until_a_reset(api: Ask, look: Look) -> None:
    assert look("settings") == DEFAULTS
    answer = api("POST", "/_emulator/settings", json={"invites": "everybody", "v3": False})
    assert answer.json() == {"status": "ok", "settings": {**DEFAULTS, "invites": "everybody", "v3": False}}
    choose(api, v3=True)
    assert look("settings") == {**DEFAULTS, "invites": "everybody"}
    api("POST", "/_emulator/reset")
    assert look("settings") == DEFAULTS


BAD = [
    ({"invites": "all"}, "invites: input should be 'groups', 'everybody' or 'everybody-always'"),
    ({"updates": "ignore"}, "updates: input should be 'all', 'drop' or 'drop-and-hide'"),
    ({"feedbacks": []}, "feedbacks: input should be 'list' or 'stub'"),
    ({"reasons": "hide"}, "reasons: input should be 'told' or 'hidden'"),
    ({"v3": "yes"}, "v3: input should be a valid boolean"),
    ({"clock_ahead": "5m"}, "clock_ahead: input should be a valid number"),
    ({"clock_ahead": 86401}, "clock_ahead: input should be less than or equal to 86400"),
    ({"invite": "groups"}, "invite: unknown key (did you mean invites?)"),
]


@pytest.mark.parametrize(("settings", "hint"), BAD)
def test_a_bad_setting_is_explained_and_changes_nothing(api: Ask, look: Look, settings: Any, hint: str) -> None:
    answer = api("POST", "/_emulator/settings", json={"storage": False, **settings})
    assert answer.status_code == 400
    assert hint in answer.json()["message"]
    assert look("settings") == DEFAULTS
    with pytest.raises(SeedError) as caught:
        Emulator({**default_seed(), "settings": settings})
    assert f"settings.{hint}" in str(caught.value)


def test_settings_are_an_object(api: Ask) -> None:
    answer = api("POST", "/_emulator/settings", json=["storage"])
    assert (answer.status_code, answer.json()["message"]) == (400, "the settings must be a JSON object")


@classic
def test_classic_has_none_of_the_newer_server_s(api: Ask, look: Look) -> None:
    answer = api("POST", "/_emulator/settings", json={"clock_ahead": 5, "invites": "everybody", "v3": True})
    assert answer.status_code == 400
    for name in ("invites", "v3"):
        assert f"{name}: has no effect in this dialect" in answer.json()["message"]
    assert "clock_ahead" not in answer.json()["message"]
    # A seed is for both dialects.
    newer = {"invites": "everybody-always", "updates": "drop", "feedbacks": "stub", "reasons": "hidden"}
    assert api("POST", "/_emulator/reset", json={**default_seed(), "settings": newer}).status_code == 200
    assert look("settings") == DEFAULTS
    assert api("POST", INVITES, data={"groups": "QA"}).json()["status"] == "ok"
    assert look("outbox") == []
    assert api("PATCH", f"{BUILD}/", data={"groups": "Stakeholders"}).json()["groups"] == ["Stakeholders"]
    assert api("GET", "/api/1/feedbacks/").json()["feedbacks"] != []
    assert api("GET", V3).status_code == 404


# --- invites ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("invites", "form", "people"),
    [
        ("groups", {"groups": "QA", "notify": "on"}, QA),
        ("groups", {"groups": "QA"}, []),
        ("everybody", {"groups": "QA", "notify": "on"}, EVERYBODY),
        ("everybody", {"groups": "QA", "notify": "1"}, EVERYBODY),
        ("everybody", {"groups": "QA"}, []),
        ("everybody", {"groups": "Stakeholders, nobody", "notify": "on"}, EVERYBODY),
        ("everybody", {"notify": "on"}, EVERYBODY),
        ("everybody-always", {"groups": "QA", "notify": "off"}, EVERYBODY),
        ("everybody-always", {}, EVERYBODY),
    ],
)
def test_whom_an_invitation_mails(api: Ask, look: Look, invites: str, form: dict[str, str], people: list[str]) -> None:
    choose(api, invites=invites)
    answer = api("POST", INVITES, data=form)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert mailed(look) == people
    (invitation,) = look("state")["invitations"]
    assert invitation["notify"] is bool(people)
    invited = [email.partition("@")[0] for email in invitation["testers"]]
    assert invited == (QA if invites == "groups" else EVERYBODY)


def test_everybody_is_everybody_but_those_who_are_blocked(api: Ask, look: Look) -> None:
    seed = default_seed()
    seed["projects"][0]["builds"][0]["allow_all_testers"] = True
    seed["testers"][0]["blocked"] = True
    api("POST", "/_emulator/reset", json={**seed, "settings": {"invites": "everybody"}})
    api("POST", INVITES, data={"groups": "QA", "notify": "on"})
    able = [one["email"].partition("@")[0] for one in seed["testers"] if not one.get("blocked")]
    assert (mailed(look), len(seed["testers"]) - len(able)) == (able, 2)


def test_groups_give_no_access_where_they_are_not_read(api: Ask, look: Look) -> None:
    choose(api, invites="everybody")
    api("POST", INVITES, data={"groups": "Stakeholders"})
    assert look("state")["projects"][0]["builds"][-1]["groups"] == ["QA"]
    choose(api, invites="groups")
    api("POST", INVITES, data={"groups": "Stakeholders"})
    assert look("state")["projects"][0]["builds"][-1]["groups"] == ["QA", "Stakeholders"]


# --- updates ----------------------------------------------------------------------------------

SENT = {
    "tags": "rc",
    "comment": "new notes",
    "groups": "Stakeholders",
    "landing_page_mode": "open",
    "metadata_commit": "ffff",
}
OTHER_NAMES = {"release_notes": "new notes", "changelog": "new notes", "app_permission_groups": "Stakeholders"}
UNCHANGED = {"metadata": {"commit": "e41f7c8"}, "groups": ["QA"], "landing_page_mode": "closed"}
CHANGED = {"metadata": {"commit": "ffff"}, "groups": ["Stakeholders"], "landing_page_mode": "open"}


@pytest.mark.parametrize(
    ("updates", "told", "kept"),
    [("all", CHANGED, CHANGED), ("drop", UNCHANGED, UNCHANGED), ("drop-and-hide", {}, UNCHANGED)],
)
def test_what_patch_takes(api: Ask, look: Look, updates: str, told: Any, kept: Any) -> None:
    shows = {"build": ["groups", "landingPageMode", "metadata"]}
    api("POST", "/_emulator/reset", json={**default_seed(), "shows": shows, "settings": {"updates": updates}})
    answer = api("PATCH", f"{BUILD}/", data=SENT)
    documented = {"status": "ok", "build_id": "8911052", "tags": ["rc"], "changelog": "new notes"}
    assert (answer.status_code, answer.json()) == (200, documented | told)
    build = api("GET", BUILD).json()["build"]
    seen = {name: build["landingPageMode" if name == "landing_page_mode" else name] for name in kept}
    assert (seen, build["tags"], build["comment"]) == (kept, ["rc"], "new notes")
    state = look("state")["projects"][0]["builds"][-1]
    assert {name: state[name] for name in ("metadata", "groups")} == {k: kept[k] for k in ("metadata", "groups")}


@pytest.mark.parametrize("name", OTHER_NAMES)
@pytest.mark.parametrize("updates", ["drop", "drop-and-hide"])
def test_patch_drops_other_names_too(api: Ask, look: Look, updates: str, name: str) -> None:
    before = look("state")["projects"][0]["builds"][-1]
    choose(api, updates=updates)
    assert api("PATCH", f"{BUILD}/", data={name: OTHER_NAMES[name]}).json()["status"] == "ok"
    assert look("state")["projects"][0]["builds"][-1] == before


def test_what_is_dropped_is_not_checked(api: Ask) -> None:
    assert api("PATCH", f"{BUILD}/", data={"landing_page_mode": "ajar"}).json()["code"] == 135
    choose(api, updates="drop")
    answer = api("PATCH", f"{BUILD}/", data={"landing_page_mode": "ajar"})
    assert (answer.json()["status"], answer.json()["landing_page_mode"]) == ("ok", "closed")


# --- feedbacks --------------------------------------------------------------------------------


def test_feedbacks_may_be_a_stub(api: Ask, look: Look) -> None:
    shows = {"build": ["feedbacks"]}
    api("POST", "/_emulator/reset", json={**default_seed(), "shows": shows})
    assert len(api("GET", "/api/1/feedbacks/").json()["feedbacks"]) > 0
    choose(api, feedbacks="stub")
    answer = api("GET", "/api/1/feedbacks/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "feedbacks": []})
    assert api("GET", "/api/1/projects/6905338/builds/8830728").json()["build"]["feedbacks"] == 6
    assert len(look("state")["feedbacks"]) > 0
    assert api("GET", "/api/1/feedbacks/", auth=("helen.ward@northwind.example", "nw-demo-key-0004")).status_code == 403


# --- reasons ----------------------------------------------------------------------------------

CONFIG = "oidc_northwind_demo"


def oidc(token: str | None, config_key: str | None = CONFIG) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return {"auth": unsigned, "headers": headers | ({"X-OIDC-Config-Key": config_key} if config_key else {})}


REASONS = [
    ({"auth": None}, 104, "Missing API key", "Missing API key."),
    ({"auth": ("ci@northwind.example", "wrong")}, 104, "User not found", "Invalid API key."),
    ({"auth": unsigned, "headers": {"X-API-Key": "wrong"}}, 104, "User not found", "Invalid API key."),
    (
        {"auth": unsigned, "headers": {"X-API-Key": "nw-demo-key-0004"}},
        5,
        "Tester is blocked",
        "The account is blocked.",
    ),
    (oidc("demo-oidc-token", None), 104, "X-OIDC-Config-Key header required", "Missing X-OIDC-Config-Key header."),
    (oidc("demo-oidc-token", "oidc_wrong"), 104, "Invalid config key", "Invalid OIDC config key."),
    (oidc("t-expired"), 104, "Token has expired", "Token validation failed: Expired token"),
    (oidc("t-other"), 104, "Invalid token signature", "Token validation failed: Signature verification failed"),
    (oidc("t-issuer"), 104, "Invalid issuer", 'Issuer mismatch: expected "https://id.example", got "".'),
    (oidc("t-audience"), 104, "Invalid audience", 'Audience mismatch: expected "https://mobile.example".'),
    (oidc("t-scope"), 104, "Missing required scope", "Token missing required scope. Required one of: read, write."),
    (oidc("t-jwks"), 104, "Failed to fetch JWKS", "Failed to fetch JWKS from issuer."),
]


@pytest.mark.parametrize(("credentials", "code", "told", "v3"), REASONS)
def test_why_credentials_are_refused(api: Ask, credentials: dict[str, Any], code: int, told: str, v3: str) -> None:
    rejected = {
        "t-expired": "Token has expired",
        "t-issuer": "Invalid issuer",
        "t-audience": "Invalid audience",
        "t-scope": "Missing required scope",
        "t-jwks": "Failed to fetch JWKS",
    }
    seed = default_seed()
    seed["testers"] = [{"email": "helen.ward@northwind.example", "blocked": True}]
    seed["oidc"] = {
        "config_key": CONFIG,
        "tokens": {"demo-oidc-token": "ci@northwind.example"}
        | {token: {"error": message} for token, message in rejected.items()},
        "issuer": "https://id.example",
        "audience": "https://mobile.example",
        "scopes": ["read", "write"],
        "user": "ci@northwind.example",
    }
    api("POST", "/_emulator/reset", json=seed)
    answers = []
    for reasons in ("told", "hidden"):
        choose(api, reasons=reasons)
        answers += [api("GET", path, **credentials) for path in (PROJECTS, "/api/2/audits/")]
    assert [answer.status_code for answer in answers] == [401] * 4
    hidden = {"status": "fail", "code": 104, "message": "User not found"}
    shown = {"status": "fail", "code": code, "message": told}
    assert [answer.json() for answer in answers] == [shown, shown, hidden, hidden]
    answer = api("GET", V3, **credentials)
    assert (answer.status_code, answer.json()) == (401, {"error": v3})


def test_an_organization_without_oidc(api: Ask) -> None:
    api("POST", "/_emulator/reset", json={**default_seed(), "oidc": None, "settings": {"reasons": "hidden"}})
    assert api("GET", PROJECTS, **oidc("t")).json()["message"] == "User not found"
    answer = api("GET", V3, **oidc("t"))
    assert (answer.status_code, answer.json()) == (401, {"error": "OIDC authentication is disabled."})


def test_only_credentials_have_their_reason_hidden(api: Ask) -> None:
    choose(api, reasons="hidden")
    assert api("GET", PROJECTS).status_code == 200
    answer = api("DELETE", BUILD, auth=("audit@northwind.example", "nw-demo-key-0003"))
    assert (answer.status_code, answer.json()["code"]) == (403, 99)


# --- /api/v3/projects -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "credentials",
    [
        {"auth": ("ci@northwind.example", KEY)},
        {"auth": unsigned, "headers": {"X-API-Key": KEY}},
        oidc("demo-oidc-token"),
    ],
)
def test_v3_takes_every_way_to_sign_in(api: Ask, credentials: dict[str, Any]) -> None:
    choose(api, basic_auth=False)  # v3 documents Basic, compat does not
    answer = api("GET", V3, **credentials)
    assert answer.status_code == 200
    assert answer.json()["projects"] == [
        {"id": 6931217, "name": "Northwind Crew"},
        *({"id": number, "name": "Northwind Travel"} for number in (6905338, 6905339, 6940502)),
    ]
    assert answer.json()["pagination"] == {"page": 1, "per_page": 25, "total": 4, "total_pages": 1}
    assert "Sunset" not in answer.headers


def test_v3_has_pages(api: Ask) -> None:
    apps = [{"name": f"App {n:03}", "package_name": f"com.example.a{n}", "platform": "iOS"} for n in range(130)]
    api("POST", "/_emulator/reset", json={**default_seed(), "projects": apps})

    def page(**query: Any) -> tuple[int, str | None, Any]:
        answer = api("GET", V3, params=query).json()
        names = [one["name"] for one in answer["projects"]]
        return len(names), names[0] if names else None, answer["pagination"]["total_pages"]

    assert page() == (25, "App 000", 6)
    assert page(page=6) == (5, "App 125", 6)
    assert page(page=7) == (0, None, 6)
    assert page(per_page=1000) == (100, "App 000", 2)


def test_a_host_without_v3(api: Ask) -> None:
    choose(api, v3=False)
    for credentials in ({}, {"auth": None}):
        assert api("GET", V3, **credentials).status_code == 404


# --- the clock --------------------------------------------------------------------------------


@in_both
@pytest.mark.parametrize("ahead", [90, -3600, 0])
def test_the_service_s_clock(api: Ask, look: Look, ahead: int) -> None:
    choose(api, clock_ahead=ahead)
    before = datetime.now(UTC).replace(microsecond=0)
    upload = api("POST", "/api/upload/", auth=None, data={"api_key": KEY}, files={"file": ("a.apk", b"x")})
    copy = api("POST", f"{BUILD}/copy", data={"folder_name": "F"})
    api("POST", INVITES, data={"groups": "QA", "notify": "on"})
    state = look("state")
    builds = {build["id"]: build for project in state["projects"] for build in project["builds"]}
    times = [builds[answer.json()["build_id"]]["uploadedAt"] for answer in (upload, copy)]
    times += [state["outbox"][0]["at"], state["audits"][0]["timestamp"]]
    stamps = [datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for text in times]
    stamps.append(parsedate_to_datetime(upload.headers["Date"]))
    after = datetime.now(UTC)
    for stamp in stamps:
        assert before <= stamp - timedelta(seconds=ahead) <= after


def test_a_life_goes_by_the_service_s_clock(api: Ask) -> None:
    choose(api, clock_ahead=600)
    before = datetime.now(UTC) + timedelta(seconds=598)
    api("POST", "/_emulator/life", json={"build_id": 8911052, "events": [{"after": 0, "reupload": True}]})
    shown = api("GET", BUILD).json()["build"]["uploadedAt"]
    assert datetime.strptime(shown, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) >= before


def test_a_seeded_time_may_be_ahead(api: Ask) -> None:
    seed = default_seed()
    seed["projects"][0]["builds"][-1]["uploaded_at"] = "+90s"
    now = datetime.now(UTC).replace(microsecond=0)
    assert api("POST", "/_emulator/reset", json=seed).status_code == 200
    answer = api("GET", BUILD)
    shown = datetime.strptime(answer.json()["build"]["uploadedAt"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert timedelta(seconds=90) <= shown - now < timedelta(seconds=100)
    assert abs(parsedate_to_datetime(answer.headers["Date"]) - now) < timedelta(seconds=10)
