"""Endpoints and fields that newer servers renamed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request, Response

from api.support import client_of
from sauce_appdist.errors import ApiError, InputError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer

    from sauce_appdist import Client


def test_only_a_404_is_asked_again_under_the_other_name(server: HTTPServer) -> None:
    server.expect_ordered_request("/api/1/webhook/5/", method="DELETE").respond_with_data("<html>", 404)
    server.expect_ordered_request("/api/1/webhooks/5/", method="DELETE").respond_with_json({"status": "ok"})
    server.expect_ordered_request("/api/1/webhooks/6/", method="DELETE").respond_with_json({"status": "ok"})
    client = client_of(server)
    client.webhooks.delete("5")
    client.webhooks.delete("6")
    server.clear()
    server.expect_oneshot_request("/api/1/webhook/5/", method="DELETE").respond_with_data("", 500)
    with pytest.raises(TransportError) as caught:
        client_of(server).webhooks.delete("5")
    assert caught.value.sent
    assert len(server.log) == 1


def test_an_envelope_tells_more_than_a_page(server: HTTPServer) -> None:
    """Both names are answered with 404: the one that says what is missing is told."""
    server.expect_request("/api/1/webhook/5/").respond_with_data("<html>", 404, content_type="text/html")
    server.expect_request("/api/1/webhooks/5/").respond_with_json(
        {"status": "fail", "code": 1, "message": "no such webhook"}, status=404
    )
    with pytest.raises(ApiError, match="no such webhook"):
        client_of(server).webhooks.get("5")
    server.clear()
    server.expect_request("/api/1/webhook/5/").respond_with_json(
        {"status": "fail", "code": 1, "message": "no such webhook"}, status=404
    )
    server.expect_request("/api/1/webhooks/5/").respond_with_data("", 403)
    with pytest.raises(ApiError, match="no such webhook"):
        client_of(server).webhooks.get("5")


def test_104_has_two_meanings(server: HTTPServer) -> None:
    nameless = {"status": "fail", "code": 104, "message": "Missing webhook name"}
    server.expect_request("/api/1/webhook/").respond_with_json(nameless, status=400)
    with pytest.raises(ApiError, match="Missing webhook name"):
        client_of(server).webhooks.add(name="CI", url="https://a.example")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.builds.update("1", "2", tags="production"),
        lambda client: client.builds.invite("1", "2", groups="QA", notify=True),
        lambda client: client.builds.copy("1", "2", to_folder="F", groups=["QA, Berlin"]),
        lambda client: client.testers.add("a@example.com"),
        lambda client: client.groups.add_testers("12", "a@example.com"),
        lambda client: client.testers.get(None),
        lambda client: client.sites.create("emea", login_method="password"),
    ],
)
def test_what_would_be_sent_as_something_else_is_not_sent(server: HTTPServer, call: Callable[[Client], object]) -> None:
    with pytest.raises(InputError):
        call(client_of(server))
    assert not server.log


def test_an_id_may_be_a_number(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/6905338/builds/").respond_with_json({"status": "ok", "builds": []})
    assert client_of(server).builds.list(6905338) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "ok", "projects": None}, "projects: Input should be a valid"),
        ({"status": "ok", "projects": [{"name": "no id"}]}, "projects.0.id: Field required"),
        ({"status": "fail", "code": 99, "message": ["no"]}, "refused (HTTP 200, code 99)"),
    ],
)
def test_what_cannot_be_left_out_is_named(server: HTTPServer, answer: dict[str, Any], expected: str) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(answer)
    with pytest.raises((TransportError, ApiError)) as caught:
        client_of(server).projects.list()
    assert expected in str(caught.value)


def test_odd_members_do_not_hide_a_group(server: HTTPServer) -> None:
    groups = [{"id": 1, "name": "QA", "testers": [[{"email": "a@example.com"}, {"email": []}]]}, {"id": 2, "name": "B"}]
    server.expect_request("/api/1/testers/groups").respond_with_json({"status": "ok", "groups": groups})
    one, other = client_of(server).groups.list()
    assert (one.name, one.testers, other.testers) == ("QA", None, None)


def test_an_id_leads_nowhere_else(server: HTTPServer) -> None:
    paths: list[str] = []

    def answer(request: Request) -> Response:
        paths.append(request.environ["RAW_URI"])
        return Response('{"status": "ok"}', content_type="application/json")

    server.expect_request(re.compile(".*")).respond_with_handler(answer)
    client_of(server).testers.delete("../groups/12")
    assert paths == ["/api/1/testers/..%2Fgroups%2F12"]
