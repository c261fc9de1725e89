"""Groups, webhooks, sites and audits in either dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.compat.support import failure, in_each
from emulator.support import OWNER, in_both

if TYPE_CHECKING:
    from emulator.support import Ask, Look

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
