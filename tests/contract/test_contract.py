"""The whole documented API: what the client sends and reads, and that emulator and documents agree."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from inspect import getmembers, ismethod
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock
from urllib.parse import parse_qsl, unquote

import pytest
import requests
from werkzeug import Request, Response

from contract import samples
from contract.rows import BUILD, DOCUMENTED, IDS, MEMBERS, OWNER, PROJECT, ROWS, Case
from contract.shapes import differences, models_in, with_ids, with_news
from harness import expect_rows
from sauce_appdist.api import Resource
from sauce_appdist.auth.signing import BasicAuth
from sauce_appdist.client import Client
from sauce_appdist.errors import InputError
from sauce_appdist.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    from harness import Service
    from sauce_appdist.api.audits import AuditTrail

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a download goes."""
    monkeypatch.chdir(tmp_path)


def connected(url: str) -> Client:
    return Client(Transport(url, BasicAuth(*OWNER), retries=0))


def request_of(row: str, case: Case) -> tuple[str, str]:
    """The method and the path of a case, as they must be on the wire."""
    method, template = row.split(" ")
    return method, re.sub(r"\{(.+?)\}", lambda name: (IDS | case.ids)[name[1]], template)


ALL = [(row, case) for row, cases in ROWS.items() for case in cases]


def each(*, when: Callable[[Case], bool] = lambda _: True) -> pytest.MarkDecorator:
    """For each case of each row, or for those that have what the test is about."""
    chosen = [pytest.param(row, case, id=f"{row}: {case.name}") for row, case in ALL if when(case)]
    return pytest.mark.parametrize(("row", "case"), chosen)


def is_object(case: Case) -> bool:
    return isinstance(case.answer, dict)


def has_ids(case: Case) -> bool:
    return bool(with_ids(case.answer, str) != with_ids(case.answer, int))


def is_emulated(case: Case) -> bool:
    return case.emulated


# --- The table is whole -----------------------------------------------------------------------------


def test_every_documented_endpoint_has_a_row_and_every_row_is_documented() -> None:
    assert len(set(DOCUMENTED)) == len(DOCUMENTED) == 34, "a new endpoint changes this number too"
    expect_rows(ROWS, DOCUMENTED, "ROWS, tests/contract/rows.py")
    assert all(ROWS.values())


def test_every_method_of_the_client_stands_in_a_row() -> None:
    public = {
        f"{name}.{method}"
        for name, resource in getmembers(connected("http://127.0.0.1:1"))
        if isinstance(resource, Resource)
        for method, function in getmembers(resource, ismethod)
        if not method.startswith("_") and function.__module__ != Resource.__module__  # what they share there
    }
    stand_in = MagicMock()
    for _, case in ALL:
        case.call(stand_in)
    used = {re.match(r"\w+\.\w+", name)[0] for name, _, _ in stand_in.mock_calls}  # type: ignore[index]
    expect_rows(used, public, "ROWS and DOCUMENTED, tests/contract/rows.py")


# --- The client and the documents -------------------------------------------------------------------


def ask(server: HTTPServer, case: Case, answer: Any) -> tuple[Any, Request]:
    """What the client makes of an answer, and what it sent to get it."""
    seen: list[Request] = []

    def respond(request: Request) -> Response:
        request.get_data()  # while it can be read
        seen.append(request)
        if isinstance(answer, dict):
            return Response(json.dumps(answer), content_type="application/json")
        return Response(answer, content_type="application/text" if isinstance(answer, str) else "application/x-any")

    server.expect_oneshot_request(re.compile("")).respond_with_handler(respond)
    result = case.call(connected(server.url_for("")))
    assert len(seen) == 1
    return result, seen[0]


@each()
def test_the_client_sends_what_is_documented(server: HTTPServer, row: str, case: Case) -> None:
    _, request = ask(server, case, case.answer)
    raw_path, _, raw_query = request.environ["REQUEST_URI"].partition("?")
    assert (request.method, raw_path) == request_of(row, case)
    assert sorted(parse_qsl(raw_query, keep_blank_values=True)) == sorted(case.query.items())
    body = request.get_data().decode("ascii")
    assert sorted(parse_qsl(body, keep_blank_values=True)) == sorted((case.form or {}).items())
    assert request.headers.get("Content-Type") == (FORM if case.form else None)
    assert request.headers["Authorization"] == "Basic " + b64encode(":".join(OWNER).encode()).decode()


@pytest.mark.parametrize("wrong", ["", ".", ".."])
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda client, wrong: client.builds.delete(PROJECT, wrong), id="build"),
        pytest.param(lambda client, wrong: client.sessions.get(PROJECT, BUILD, wrong), id="session"),
        pytest.param(lambda client, wrong: client.testers.delete(wrong), id="tester"),
        pytest.param(lambda client, wrong: client.groups.remove_testers(wrong, MEMBERS), id="group"),
        pytest.param(lambda client, wrong: client.sites.delete(wrong), id="site"),
    ],
)
def test_what_is_no_id_is_not_sent(server: HTTPServer, call: Callable[[Client, str], object], wrong: str) -> None:
    """Without it, or with dots, a path is another endpoint's: …/builds/.. is the project."""
    with pytest.raises(InputError):
        call(connected(server.url_for("")), wrong)
    assert not server.log


NEEDED = {"id", "build_id", "status"}  # without them an answer says nothing
ODD: list[Any] = [None, [], {}, "", "?", 3.5, True, [[]], {"a": 1}]


def spoiled(value: Any, odd: Any, depth: int = 0) -> Any:
    """An answer in which every field that may be missing is something else."""
    if isinstance(value, list):
        return [spoiled(item, odd, depth) for item in value]
    if not isinstance(value, dict):
        return value
    container = depth == 0  # the list or the thing that was asked for
    return {
        name: one
        if name in NEEDED
        else spoiled(one, odd, depth + 1)
        if container and isinstance(one, (list, dict))
        else odd
        for name, one in value.items()
    }


@pytest.mark.parametrize("odd", ODD, ids=repr)
@each(when=is_object)
def test_an_odd_field_does_not_spoil_an_answer(server: HTTPServer, row: str, case: Case, odd: Any) -> None:
    assert len(ask(server, case, spoiled(case.answer, odd))) == 2, row


@each()
def test_the_client_reads_what_is_documented(server: HTTPServer, row: str, case: Case) -> None:
    result, _ = ask(server, case, case.answer)
    if case.reads is None:
        assert result is None, row
    else:
        read = {place: at(result, place) for place in case.reads}
        assert read == case.reads
        assert [type(value) for value in read.values()] == [type(value) for value in case.reads.values()]


def at(result: Any, place: str) -> Any:
    """What stands at `0.groups.1.name` in a result; what is a method is called."""
    for part in place.split(".") if place else ():
        if isinstance(result, dict):
            result = result[part]
        else:
            result = result[int(part)] if part.isdecimal() else getattr(result, part)
    return result() if callable(result) else result


@each(when=has_ids)
def test_ids_may_be_numbers_or_strings(server: HTTPServer, row: str, case: Case) -> None:
    as_strings, _ = ask(server, case, with_ids(case.answer, str))
    as_numbers, _ = ask(server, case, with_ids(case.answer, int))
    assert as_strings is not None, row
    assert as_numbers == as_strings


@each(when=is_object)
def test_unknown_fields_are_kept_and_harm_nothing(server: HTTPServer, row: str, case: Case) -> None:
    as_known, _ = ask(server, case, case.answer)
    result, _ = ask(server, case, with_news(case.answer))
    models = list(models_in(result))
    assert len(models) == len(list(models_in(as_known)))
    assert bool(models) is (case.reads is not None)
    for model in models:
        assert (model.model_extra or {}).get("brandNew") == [1], f"{row}: {model!r}"


# --- Pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "trail"),
    [
        ("/api/2/audits/", lambda client: client.audits.list()),
        ("/api/2/audits/admin-trail/", lambda client: client.audits.admin_trail()),
        ("/api/2/audits/tester-trail/", lambda client: client.audits.tester_trail()),
    ],
)
@pytest.mark.parametrize("total_pages", [2, None])
def test_an_audit_trail_asks_for_a_page_when_it_is_needed(
    server: HTTPServer, path: str, trail: Callable[[Client], AuditTrail], total_pages: int | None
) -> None:
    """`total_pages` None is a server that does not tell: the first empty page is the end."""
    pages = {"1": ["31", "30"], "2": ["30", "29"]}  # one more came in meanwhile and pushed 30 to the next page
    asked = []

    def respond(request: Request) -> Response:
        asked.append(request.args["page"])
        audits = [samples.AUDITS["audits"][0] | {"id": number} for number in pages.get(asked[-1], [])]
        pagination = {} if total_pages is None else {"pagination": {"total_pages": total_pages}}
        return Response(json.dumps({"status": "ok", "audits": audits, **pagination}), content_type="application/json")

    server.expect_request(path).respond_with_handler(respond)
    audits = iter(trail(connected(server.url_for(""))))
    assert asked == []
    assert [next(audits).id, next(audits).id] == ["31", "30"]
    assert asked == ["1"]
    assert [audit.id for audit in audits] == ["29"]
    assert asked == (["1", "2"] if total_pages else ["1", "2", "3"])


# --- The emulator and the documents -----------------------------------------------------------------


@each(when=is_emulated)
def test_the_emulator_answers_as_documented(service: Service, row: str, case: Case) -> None:
    method, path = request_of(row, case)
    response = requests.request(method, service.url + path, params=case.query, data=case.form, auth=OWNER, timeout=10)
    remedy = "add the path to core/appdist_emulator/routes.py, or set emulated=False in tests/contract/rows.py"
    assert response.status_code == 200, f"{row}: {response.text} - if the emulator lacks it, {remedy}"
    if isinstance(case.answer, dict):
        assert response.headers["Content-Type"] == "application/json"
        assert list(differences(case.answer, response.json(), "answer")) == []
    elif isinstance(case.answer, str):  # "response will be application/text"
        assert response.headers["Content-Type"].startswith("application/text")
        assert response.text
    else:
        assert response.content


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"id": "7", "times": [{"at": None}, {"at": "noon"}], "metadata": {}, "more": 1}, []),
        ({"id": 7, "times": [{"at": None}], "metadata": {"a": 1}}, ["x.times[].at is null"]),
        (
            {"id": None, "times": [{"at": "noon"}, {"at": 12}], "metadata": {}},
            ["x.id is null", "x.times[].at is 12, not like 'now'"],
        ),
        (
            {"id": True, "times": [], "metadata": []},
            ["x.id is True, not like 1", "x.times is empty", "x.metadata is no object"],
        ),
        ({"times": None, "metadata": {}}, ["x.id is missing", "x.times is null"]),
    ],
)
def test_differences_are_found(answer: Any, found: list[str]) -> None:
    sample = {"id": 1, "times": [{"at": "now"}], "metadata": {"a": "b"}}
    assert list(differences(sample, answer, "x")) == found


@each(when=is_emulated)
def test_the_client_and_the_emulator_understand_each_other(service: Service, row: str, case: Case) -> None:
    result = case.call(connected(service.url))
    assert (result is None) is (case.reads is None)
    method, path = request_of(row, case)
    (seen,) = service.requests
    assert (seen["method"], seen["path"], seen["status"]) == (method, unquote(path), 200)
    assert (seen["query"], seen["form"]) == (case.query, case.form or {})
    assert (seen["auth"], seen["content_type"]) == ("basic", FORM if case.form else "")
