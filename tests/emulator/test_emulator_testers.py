"""Testers and groups, and the testers of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.support import BUILD, CREW_LEAD, PROJECTS, READER, TESTER, failure, unsigned

if TYPE_CHECKING:
    from emulator.support import Ask, Look

# --- testers and groups -----------------------------------------------------------------------


def test_testers_are_listed_as_documented(api: Ask) -> None:
    body = api("GET", "/api/1/testers").json()
    assert body == api("GET", "/api/1/testers/").json()
    ines = next(one for one in body["testers"] if one["email"].startswith("ines"))
    assert ines == {
        "id": 503,  # not in the sample, but nobody could find it otherwise
        "email": "ines.okafor@northwind.example",
        "groups": [{"id": 12, "name": "QA"}, {"id": 14, "name": "Beta Testers"}],
        "lastLogin": "2026-05-30 09:12:33",
        "createdAt": "2025-01-13 10:30:00",
    }


def test_members_of_a_group_are_a_list_in_a_list(api: Ask) -> None:
    body = api("GET", "/api/1/testers/groups").json()
    assert body["status"] == "ok"
    stakeholders = next(group for group in body["groups"] if group["name"] == "Stakeholders")
    assert stakeholders == {
        "id": 21,
        "name": "Stakeholders",
        "testers": [[{"email": "helen.ward@northwind.example"}, {"email": "david.cho@northwind.example"}]],
    }


def test_a_new_group(api: Ask) -> None:
    made = api("POST", "/api/1/testers/groups", data={"groupName": "Pilots"}).json()
    assert made == {"status": "ok", "id": "28", "name": "Pilots"}
    groups = api("GET", "/api/1/testers/groups").json()["groups"]
    assert groups[-1] == {"id": 28, "name": "Pilots", "testers": [[]]}
    assert failure(api("POST", "/api/1/testers/groups", data={"groupName": "Pilots"}))[:2] == (400, 2)
    assert failure(api("POST", "/api/1/testers/groups", data={"groupName": " "}))[:2] == (400, 1)
    assert failure(api("POST", "/api/1/testers/groups"))[:2] == (400, 1)


def test_new_testers(api: Ask, look: Look) -> None:
    sent = {"email": "a@x.example, b@x.example,mara.lindholm@northwind.example", "group": "Pilots"}
    assert api("POST", "/api/1/testers/", data=sent).json() == {"status": "ok"}
    pilots = api("GET", "/api/1/testers/groups").json()["groups"][-1]
    assert [one["email"] for one in pilots["testers"][0]] == [
        "a@x.example",
        "b@x.example",
        "mara.lindholm@northwind.example",
    ]
    emails = [tester["email"] for tester in api("GET", "/api/1/testers").json()["testers"]]
    assert len(emails) == len(set(emails)) == 12
    assert look("outbox") == []
    api("POST", "/api/1/testers/", data={"email": "a@x.example", "group": "Pilots", "notify": "on"})
    assert [(mail["to"], mail["build_id"]) for mail in look("outbox")] == [("a@x.example", None)]
    assert len(api("GET", "/api/1/testers/groups").json()["groups"][-1]["testers"][0]) == 3


def test_a_tester_without_a_sensible_address(api: Ask) -> None:
    assert failure(api("POST", "/api/1/testers/", data={"email": "nobody"}))[:2] == (400, 1)
    assert api("POST", "/api/1/testers/").json() == {"status": "ok"}  # `email` is documented as optional


# --- the testers of a build -------------------------------------------------------------------


def who_gets(api: Ask, build: str) -> dict[str, dict[str, Any]]:
    body = api("GET", "/api/1/testers", params={"buildId": build}).json()
    assert body["status"] == "ok"
    return {one["email"].partition("@")[0]: one for one in body["testers"]}


def test_testers_of_a_build_are_those_who_may_get_it(api: Ask) -> None:
    testers = who_gets(api, "8911052")
    assert list(testers) == ["mara.lindholm", "tomas.vega", "ines.okafor"]  # QA
    sessions = api("GET", f"{BUILD}/sessions/").json()["sessions"]
    for tester in testers.values():
        theirs = sum(session["testerEmail"] == tester["email"] for session in sessions)
        assert theirs > 0
        assert (tester["sessions"], tester["downloaded"], tester["invitedAt"]) == (theirs, True, None)
    assert sorted(testers["mara.lindholm"]) == [
        *("createdAt", "downloaded", "email", "groups", "id", "invitedAt", "lastLogin", "sessions")
    ]
    assert list(who_gets(api, "8864810")) == ["helen.ward", "david.cho"]
    # All testers are let in, but the blocked one.
    everybody = who_gets(api, "8899610")
    assert len(everybody) == 9
    assert "leo.marchetti" not in everybody


def test_a_project_s_groups_get_its_builds(api: Ask) -> None:
    api("PATCH", f"{BUILD}/", data={"groups": ""})
    assert list(who_gets(api, "8911052")) == ["mara.lindholm", "tomas.vega", "ines.okafor"]


def test_invitations_and_downloads_show_with_the_testers_of_a_build(api: Ask, look: Look) -> None:
    assert "helen.ward" not in who_gets(api, "8911052")
    api("POST", f"{BUILD}/invites/", data={"groups": "Stakeholders"})
    (invitation,) = look("state")["invitations"]
    helen = who_gets(api, "8911052")["helen.ward"]
    assert (helen["invitedAt"], helen["downloaded"], helen["sessions"]) == (invitation["at"], False, 0)
    api("GET", f"{BUILD}/download/", auth=TESTER)
    assert who_gets(api, "8911052")["helen.ward"]["downloaded"] is True
    assert who_gets(api, "8911052")["david.cho"]["downloaded"] is False


@pytest.mark.parametrize("build", ["1", "x", ""])
def test_testers_of_an_unknown_build(api: Ask, build: str) -> None:
    assert failure(api("GET", "/api/1/testers/", params={"buildId": build}))[:2] == (400, 1)


def test_testers_of_a_build_that_one_may_not_see(api: Ask) -> None:
    answer = api("GET", "/api/1/testers", params={"buildId": "8830741"}, auth=CREW_LEAD)
    assert failure(answer)[:2] == (403, 99)


# --- a single tester --------------------------------------------------------------------------


def test_a_single_tester(api: Ask) -> None:
    assert api("GET", "/api/1/testers/503").json() == {
        "status": "ok",
        "tester": {
            "id": 503,
            "email": "ines.okafor@northwind.example",
            "isBlocked": False,
            "groups": [{"id": 12, "name": "QA"}, {"id": 14, "name": "Beta Testers"}],
            "lastLogin": "2026-05-30 09:12:33",
            "createdAt": "2025-01-13 10:30:00",
        },
    }
    assert api("GET", "/api/1/testers/510").json()["tester"]["isBlocked"] is True


def test_new_testers_get_an_id(api: Ask) -> None:
    api("POST", "/api/1/testers/", data={"email": "new@x.example"})
    new = api("GET", "/api/1/testers").json()["testers"][-1]
    assert new["id"] == 511
    assert api("GET", "/api/1/testers/511").json()["tester"]["email"] == "new@x.example"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("POST", "/block/"), ("DELETE", "/block/")],
)
@pytest.mark.parametrize("tester", ["1", "0", "x", "9" * 30, "ines.okafor@northwind.example"])
def test_an_unknown_tester(api: Ask, look: Look, method: str, path: str, tester: str) -> None:
    before = look("state")
    assert failure(api(method, f"/api/1/testers/{tester}{path}")) == (200, 400, "tester not found")
    assert look("state") == before


def test_a_blocked_tester_gets_no_mail_and_cannot_sign_in(api: Ask, look: Look) -> None:
    assert api("POST", "/api/1/testers/507/block/").json() == {"status": "ok"}
    assert look("state")["blockedTesters"] == ["helen.ward@northwind.example", "leo.marchetti@northwind.example"]
    assert failure(api("GET", f"{BUILD}/download/", auth=TESTER))[:2] == (401, 5)
    upload = api("POST", "/api/upload/", auth=None, data={"api_key": TESTER[1]}, files={"file": ("a.apk", b"x")})
    assert failure(upload)[:2] == (200, 5)
    api("POST", f"{BUILD}/invites/", data={"groups": "Stakeholders", "notify": "on"})
    sent = {"email": "helen.ward@northwind.example", "notify": "on"}
    api("POST", "/api/1/testers/", data=sent)  # does not unblock
    assert [mail["to"] for mail in look("outbox")] == ["david.cho@northwind.example"]
    assert "helen.ward" not in who_gets(api, "8911052")
    # "Their invitations are restored."
    assert api("DELETE", "/api/1/testers/507/block/").json() == {"status": "ok"}
    assert "helen.ward" in who_gets(api, "8911052")
    assert api("GET", f"{BUILD}/download/", auth=TESTER).status_code == 200


def test_blocking_twice_and_unblocking_who_is_not_do_nothing(api: Ask, look: Look) -> None:
    before = look("state")
    assert api("POST", "/api/1/testers/510/block/").json() == {"status": "ok"}
    assert api("DELETE", "/api/1/testers/501/block/").json() == {"status": "ok"}
    assert look("state") == before


def test_an_admin_who_is_a_blocked_tester_signs_in(api: Ask) -> None:
    api("POST", "/api/1/testers/", data={"email": "CI@northwind.example"})
    assert api("POST", "/api/1/testers/511/block/").status_code == 200
    assert api("GET", PROJECTS).status_code == 200


def test_a_deleted_tester_is_nowhere_any_more(api: Ask, look: Look) -> None:
    api("POST", f"{BUILD}/invites/", data={"groups": "Stakeholders,QA"})
    assert api("DELETE", "/api/1/testers/507").json() == {"status": "ok"}
    state = look("state")
    assert "helen.ward@northwind.example" not in state["testers"]
    (stakeholders,) = [group for group in state["groups"] if group["name"] == "Stakeholders"]
    assert stakeholders["testers"] == ["david.cho@northwind.example"]
    assert "helen.ward@northwind.example" not in state["invitations"][0]["testers"]
    assert "david.cho@northwind.example" in state["invitations"][0]["testers"]
    assert failure(api("GET", "/api/1/testers/507"))[1] == 400
    assert failure(api("GET", PROJECTS, auth=TESTER)) == (401, 104, "User not found")
    # Who comes back is somebody new.
    api("POST", "/api/1/testers/", data={"email": "helen.ward@northwind.example", "group": "Stakeholders"})
    helen = who_gets(api, "8911052")["helen.ward"]
    assert (helen["id"], helen["invitedAt"]) == (511, None)


def test_a_deleted_tester_s_token_is_good_no_more(api: Ask) -> None:
    seed = {
        "users": [{"email": "a@b.example", "api_key": "k"}, {"email": "t@b.example", "api_key": "l", "role": "tester"}],
        "oidc": {"config_key": "c", "tokens": {"token": "t@b.example"}},
        "testers": [{"id": 4, "email": "t@b.example"}],
    }
    api("POST", "/_emulator/reset", json=seed)
    headers = {"Authorization": "Bearer token", "X-OIDC-Config-Key": "c"}
    assert api("GET", PROJECTS, auth=unsigned, headers=headers).status_code == 200
    api("POST", "/api/1/testers/4/block/", auth=("a@b.example", "k"))
    assert failure(api("GET", PROJECTS, auth=unsigned, headers=headers))[:2] == (401, 5)
    api("DELETE", "/api/1/testers/4", auth=("a@b.example", "k"))
    assert failure(api("GET", PROJECTS, auth=unsigned, headers=headers)) == (401, 104, "User not found")


def test_a_group_that_a_deletion_leaves_empty_vanishes(api: Ask, look: Look) -> None:
    api("POST", "/api/1/testers/groups", data={"groupName": "Not yet"})
    for tester in ("507", "508"):
        assert "Stakeholders" in [group["name"] for group in look("state")["groups"]]
        api("DELETE", f"/api/1/testers/{tester}")
    state = look("state")
    # A group that never had a member stays.
    assert [group["name"] for group in state["groups"]] == ["QA", "Beta Testers", "iOS Beta", "Not yet"]
    assert not [project["id"] for project in state["projects"] if "Stakeholders" in project["groups"]]
    assert not [
        one["id"] for project in state["projects"] for one in project["builds"] if "Stakeholders" in one["groups"]
    ]


# --- members of groups ------------------------------------------------------------------------


def test_testers_join_a_group(api: Ask, look: Look) -> None:
    sent = {"email": "Jonas.Beck@northwind.example, mara.lindholm@northwind.example,jonas.beck@northwind.example"}
    body = api("POST", "/api/1/testers/groups/12", data=sent).json()
    # Mara was in it already.
    assert body == {"status": "ok", "testers": [{"email": "jonas.beck@northwind.example"}]}
    (qa,) = [group for group in look("state")["groups"] if group["id"] == 12]
    assert qa["testers"] == [
        f"{name}@northwind.example" for name in ("mara.lindholm", "tomas.vega", "ines.okafor", "jonas.beck")
    ]
    assert api("POST", "/api/1/testers/groups/12", data=sent).json() == {"status": "ok", "testers": []}


@pytest.mark.parametrize("where", ["data", "params"])
def test_testers_leave_a_group(api: Ask, look: Look, where: str) -> None:
    sent = {"email": "mara.lindholm@northwind.example,ines.okafor@northwind.example,jonas.beck@northwind.example"}
    body = api("DELETE", "/api/1/testers/groups/12", **{where: sent}).json()
    assert body == {
        "status": "ok",
        "testers": [{"email": "mara.lindholm@northwind.example"}, {"email": "ines.okafor@northwind.example"}],
    }
    (qa,) = [group for group in look("state")["groups"] if group["id"] == 12]
    assert qa["testers"] == ["tomas.vega@northwind.example"]
    (beta,) = [group for group in look("state")["groups"] if group["id"] == 14]
    assert "jonas.beck@northwind.example" in beta["testers"]


def test_a_group_that_its_last_member_leaves_is_discarded(api: Ask, look: Look) -> None:
    sent = {"email": "helen.ward@northwind.example,david.cho@northwind.example"}
    assert len(api("DELETE", "/api/1/testers/groups/21", data=sent).json()["testers"]) == 2
    assert "Stakeholders" not in [group["name"] for group in api("GET", "/api/1/testers/groups").json()["groups"]]
    assert failure(api("DELETE", "/api/1/testers/groups/21", data=sent)) == (404, 404, "group not found")
    assert failure(api("POST", f"{BUILD}/invites/", data={"groups": "Stakeholders"}))[:2] == (404, 404)
    assert "helen.ward@northwind.example" in look("state")["testers"]  # still a tester
    assert who_gets(api, "8864810") == {}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_changes_of_a_group_that_are_refused(api: Ask, look: Look, method: str) -> None:
    before = look("state")
    good = {"email": "mara.lindholm@northwind.example,david.cho@northwind.example"}
    unknown = {"email": f"{good['email']},nobody@northwind.example"}
    path = "/api/1/testers/groups"
    assert failure(api(method, f"{path}/12", data=unknown)) == (200, 400, "tester not found")
    assert failure(api(method, f"{path}/12"))[:2] == (400, 1)
    assert failure(api(method, f"{path}/12", data={"email": " , "}))[:2] == (400, 1)
    for group in ("99", "QA", "0"):
        assert failure(api(method, f"{path}/{group}", data=good)) == (404, 404, "group not found")
    for who in (READER, TESTER):
        assert failure(api(method, f"{path}/12", data=good, auth=who))[:2] == (403, 5)
    assert look("state") == before
