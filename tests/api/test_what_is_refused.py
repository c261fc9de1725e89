"""What the client refuses before it sends anything: what a step would refuse, and what would clear by accident."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.support import client_of
from sauce_appdist import EMPTY, Client
from sauce_appdist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_httpserver import HTTPServer

HUGE = 10**5000
LISTS: dict[str, Callable[[Client, Any], object]] = {
    "update tags": lambda client, names: client.builds.update("1", "2", tags=names, release_notes="x"),
    "update groups": lambda client, names: client.builds.update("1", "2", groups=names, release_notes="x"),
    "copy groups": lambda client, names: client.builds.copy("1", "2", to_folder="F", groups=names),
    "copy project groups": lambda client, names: client.builds.copy("1", "2", to_folder="F", project_groups=names),
    "invite": lambda client, names: client.builds.invite("1", "2", groups=names),
    "add testers": lambda client, names: client.testers.add(names),
    "add to group": lambda client, names: client.groups.add_testers("1", names),
    "remove from group": lambda client, names: client.groups.remove_testers("1", names),
    "webhook actions": lambda client, names: client.webhooks.add(name="n", url="https://a.example", actions=names),
    "webhook projects": lambda client, names: client.webhooks.update(
        "1", name="n", url="https://a.example", project_ids=names
    ),
}
NEEDED = {"invite", "add testers", "add to group", "remove from group"}
LINES: dict[str, Callable[[Client, Any], object]] = {
    "folder": lambda client, text: client.builds.copy("1", "2", to_folder=text),
    "app name": lambda client, text: client.builds.copy("1", "2", to_folder="F", app_name=text),
    "tester's group": lambda client, text: client.testers.add(["a@example.com"], group=text),
    "group name": lambda client, text: client.groups.create(text),
    "webhook name": lambda client, text: client.webhooks.add(name=text, url="https://a.example"),
    "webhook URL": lambda client, text: client.webhooks.add(name="n", url=text),
    "site name": lambda client, text: client.sites.create(text),
    "site": lambda client, text: client.audits.list(site=text),
}
NEEDED_LINES = {"folder", "group name", "webhook name", "webhook URL", "site name"}
IDS: dict[str, Callable[[Client, Any], object]] = {
    "builds": lambda client, one: client.builds.list(one),
    "build": lambda client, one: client.builds.get("1", one),
    "build of testers": lambda client, one: client.testers.list(build_id=one),
    "session": lambda client, one: client.sessions.logs("1", "2", one),
    "tester": lambda client, one: client.testers.block(one),
    "group": lambda client, one: client.groups.add_testers(one, ["a@example.com"]),
    "webhook": lambda client, one: client.webhooks.delete(one),
    "webhook to change": lambda client, one: client.webhooks.update(one, name="n", url="https://a.example"),
    "site": lambda client, one: client.sites.delete(one),
}


@pytest.fixture
def client(server: HTTPServer) -> Iterator[Client]:
    """Of a service that nothing reaches."""
    yield client_of(server)
    assert not server.log


@pytest.mark.parametrize("names", [[""], ["qa", ""], ["qa", " "], ["a,b"], ["qa\n", "beta"], [None], [12], "qa", b"qa", 7, [], ["\ud800"]], ids=ascii)  # fmt: skip
@pytest.mark.parametrize("call", LISTS)
def test_a_list_that_would_not_arrive_as_it_is(client: Client, call: str, names: object) -> None:
    with pytest.raises(InputError):
        LISTS[call](client, names)


@pytest.mark.parametrize("call", sorted(NEEDED))
@pytest.mark.parametrize("names", [None, EMPTY])
def test_a_list_that_is_needed_cannot_be_empty(client: Client, call: str, names: object) -> None:
    with pytest.raises(InputError, match="is an empty list: set at least one item"):
        LISTS[call](client, names)


def test_an_empty_item_is_named(client: Client) -> None:
    with pytest.raises(InputError, match="groups has an empty item: remove it"):
        client.builds.update("1", "2", groups=[""])
    with pytest.raises(InputError, match="pass EMPTY"):
        client.builds.update("1", "2", groups=[])
    with pytest.raises(InputError, match="use the id of the group"):
        client.builds.invite("1", "2", groups=["a,b"])


@pytest.mark.parametrize("emails", ["x@a.example;y@b.example", "x@a.example y@b.example", "x", "@a", "X <x@a.example>"])
@pytest.mark.parametrize("call", sorted(NEEDED - {"invite"}))
def test_one_address_per_item(client: Client, call: str, emails: str) -> None:
    with pytest.raises(InputError, match="expected one e-mail address per item"):
        LISTS[call](client, [emails])


@pytest.mark.parametrize("text", ["", " ", "\n", "a\nb", "a\0", "\ud800", 7, ["a"]], ids=ascii)
@pytest.mark.parametrize("call", LINES)
def test_a_text_that_is_no_line(client: Client, call: str, text: object) -> None:
    if (call, text) != ("site", 7):  # an enterprise id
        with pytest.raises(InputError):
            LINES[call](client, text)


@pytest.mark.parametrize("call", sorted(NEEDED_LINES))
def test_a_text_that_is_needed(client: Client, call: str) -> None:
    with pytest.raises(InputError):
        LINES[call](client, None)


@pytest.mark.parametrize("one", ["", " ", " 1", "1\n", ".", "..", None, True, -1, HUGE, "\ud800", ["1"]], ids=lambda one: ascii(one) if one is not HUGE else "huge")  # fmt: skip
@pytest.mark.parametrize("call", IDS)
def test_what_is_no_id(client: Client, call: str, one: object) -> None:
    if (call, one) != ("build of testers", None):  # all testers
        with pytest.raises(InputError, match="which is not a valid id"):
            IDS[call](client, one)


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800", 7], ids=ascii)
def test_texts_of_several_lines(client: Client, text: Any) -> None:
    with pytest.raises(InputError, match="release-notes"):
        client.builds.update("1", "2", release_notes=text, tags=["rc"])
    with pytest.raises(InputError, match="message"):
        client.builds.invite("1", "2", groups=["QA"], message=text)


@pytest.mark.parametrize("metadata", ["a=b", {"": "x"}, {"a b": "x"}, {"a": None}, {"a": 7}, {"a": " "}, {7: "x"}])
def test_metadata(client: Client, metadata: Any) -> None:
    with pytest.raises(InputError, match="metadata"):
        client.builds.update("1", "2", metadata=metadata, tags=["rc"])


def test_metadata_keeps_its_keys(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/1/builds/2/", data="metadata_a__b=&metadata_c-d.e=x").respond_with_json(
        {"status": "ok"}
    )
    client_of(server).builds.update("1", "2", metadata={"a__b": "", "c-d.e": "x"})


@pytest.mark.parametrize("update", [{}, {"metadata": {}}, {"tags": None, "release_notes": None}])
def test_an_update_that_changes_nothing(client: Client, update: Any) -> None:
    with pytest.raises(InputError, match="nothing to update: set release-notes"):
        client.builds.update("1", "2", **update)


@pytest.mark.parametrize("word", ["false", "true", "", 0, 1])
def test_a_text_is_no_boolean(client: Client, word: Any) -> None:
    """Python takes "false" as true: it would mail everybody."""
    with pytest.raises(InputError, match=r"notify is .*, expected True or False"):
        client.builds.invite("1", "2", groups=["QA"], notify=word)
    with pytest.raises(InputError, match="notify"):
        client.testers.add(["a@example.com"], notify=word)
    with pytest.raises(InputError, match="allow-all-testers"):
        client.builds.copy("1", "2", to_folder="F", allow_all_testers=word)
    with pytest.raises(InputError, match="enabled"):
        client.webhooks.add(name="n", url="https://a.example", enabled=word)


@pytest.mark.parametrize("word", ["", "Open", "none", 1])
def test_words_of_a_list(client: Client, word: Any) -> None:
    with pytest.raises(InputError, match=r"landing-page-mode is .*, expected one of open, closed"):
        client.builds.update("1", "2", landing_page_mode=word)
    with pytest.raises(InputError, match="login-method"):
        client.sites.create("emea-2", login_method=word)
    with pytest.raises(InputError, match="actions"):
        client.webhooks.add(name="n", url="https://a.example", actions=[word])


@pytest.mark.parametrize(
    "day", ["31.03.2026", "2026-03-01 12:30:00", datetime(2026, 3, 1, 12, 30, tzinfo=UTC), "", "2026-02-30", 20260301]
)
def test_what_is_no_date(client: Client, day: Any) -> None:
    for log in (client.audits.list, client.audits.admin_trail, client.audits.tester_trail):
        with pytest.raises(InputError, match=r"start-date is .*, expected a date like 2026-03-31"):
            log(start_date=day)
        with pytest.raises(InputError, match="end-date"):
            log(end_date=day)


def test_the_numbers_of_an_audit_log(client: Client) -> None:
    wrong: tuple[Any, ...] = ("", "50", True, 1.5, -1, HUGE)
    for number in wrong:
        with pytest.raises(InputError, match="per-page"):
            client.audits.list(per_page=number)
        with pytest.raises(InputError, match="action-type"):
            client.audits.list(action_type=number)
        with pytest.raises(InputError, match="page"):
            client.audits.list().page(number)
    with pytest.raises(InputError, match="start-date 2026-03-02 is after end-date 2026-03-01"):
        client.audits.list(start_date=date(2026, 3, 2), end_date="2026-03-01")


@pytest.mark.parametrize("to", ["", " "])
def test_a_download_to_nowhere(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="to is empty"):
        client.builds.download("1", "2", to=to)
    assert list(Path().iterdir()) == []


def test_only_empty_clears(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/1/builds/2/", data="tags=&groups=").respond_with_json({"status": "ok"})
    client_of(server).builds.update("1", "2", tags=EMPTY, groups=EMPTY)
