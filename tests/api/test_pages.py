"""Lists that come in pages."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from api.support import client_of

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer


def pages(server: HTTPServer, *each: list[int], total_pages: int | None) -> list[str]:
    """A log of these ids, page by page; returns what was asked for."""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.args["page"])
        number = min(int(request.args["page"]), len(each)) - 1
        pagination = {"page": number + 1, "per_page": 100}
        if total_pages is not None:
            pagination["total_pages"] = total_pages
        audits = [{"id": one} for one in each[number]]
        return Response(
            json.dumps({"status": "ok", "audits": audits, "pagination": pagination}),
            content_type="application/json",
        )

    server.expect_request("/api/2/audits/").respond_with_handler(answer)
    return asked


def test_pages_are_asked_for_as_they_are_needed(server: HTTPServer) -> None:
    asked = pages(server, [1, 2], [3, 4], [5], total_pages=3)
    trail = client_of(server).audits.list()
    assert asked == []
    assert [audit.id for audit in islice(trail, 3)] == ["1", "2", "3"]
    assert asked == ["1", "2"]
    assert [audit.id for audit in trail] == ["1", "2", "3", "4", "5"]
    assert asked == ["1", "2", "1", "2", "3"]


def test_what_moves_to_the_next_page_meanwhile_comes_once(server: HTTPServer) -> None:
    pages(server, [1, 2], [2, 3], [4], total_pages=3)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2", "3", "4"]


def test_a_page_without_anything_new_is_not_the_end(server: HTTPServer) -> None:
    pages(server, [1, 2], [1, 2], [2, 3], [3, 4], total_pages=4)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2", "3", "4"]


def test_items_without_an_id_are_all_kept(server: HTTPServer) -> None:
    page = {"status": "ok", "audits": [{"actionLabel": "a"}, {"actionLabel": "a"}], "pagination": {"total_pages": 1}}
    server.expect_request("/api/2/audits/admin-trail/").respond_with_json(page)
    assert len(list(client_of(server).audits.admin_trail())) == 2


def test_a_filter_that_is_none_is_refused(server: HTTPServer) -> None:
    with pytest.raises(TypeError, match=r"'startdate' is not a filter \(did you mean 'start_date'\?\)"):
        client_of(server).audits.list(startdate="2026-05-01")  # type: ignore[call-arg]


def test_a_server_that_tells_no_number_of_pages_is_asked_until_there_is_no_more(server: HTTPServer) -> None:
    asked = pages(server, [1, 2], [3], [], total_pages=None)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2", "3"]
    assert asked == ["1", "2", "3"]


def test_a_server_that_knows_no_pages_does_not_go_on_for_ever(server: HTTPServer) -> None:
    asked = pages(server, [1, 2], total_pages=None)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2"]
    assert asked == ["1", "2"]


def told(server: HTTPServer, sizes: list[int], *, total: int | None, total_pages: int | None) -> tuple[int, bool, str]:
    """How many items a log of pages of these sizes gives, whether some may be missing, and the warnings."""

    def answer(request: Request) -> Response:
        number = int(request.args["page"])
        assert number <= len(sizes) + 5, "it does not end"
        first = sum(sizes[: number - 1])
        size = sizes[number - 1] if number <= len(sizes) else 0
        counts = {"total": total, "total_pages": total_pages}
        pagination = {"page": number} | {name: count for name, count in counts.items() if count is not None}
        audits = [{"id": first + one} for one in range(size)]
        return Response(
            json.dumps({"status": "ok", "audits": audits, "pagination": pagination}), content_type="application/json"
        )

    server.expect_request("/api/2/audits/").respond_with_handler(answer)
    warnings: list[str] = []
    trail = client_of(server, warn=warnings.append).audits.list()
    return len(list(trail)), trail.incomplete, " ".join(warnings)


@pytest.mark.parametrize(
    ("sizes", "total", "total_pages", "expected"),
    [
        ([100, 100, 100, 15], 315, 4, (315, False, "")),
        ([100, 100, 100, 15], 315, 1, (315, False, "")),  # more than the pages that it announces
        ([100, 100, 100, 15], None, 1, (315, False, "")),
        ([100], 315, 1, (100, True, "The service sent 100 audits on 2 pages, but announced 315 in total: some may be missing.")),
        ([100, 50], 150, 1_000_000, (150, False, "The service sent 150 audits on 3 pages, but announced page 1 of 1000000: its count is wrong.")),
        ([100, 50], None, 1_000_000, (150, True, "The service sent 150 audits on 3 pages, but announced page 1 of 1000000: some may be missing.")),
        ([100, 50], 20, 2, (150, False, "The service sent 150 audits on 2 pages, but announced 20 in total: its count is wrong.")),
        ([], 0, 1, (0, False, "")),
    ],
)  # fmt: skip
def test_counts_that_do_not_fit_are_told(
    server: HTTPServer, sizes: list[int], total: int | None, total_pages: int | None, expected: tuple[int, bool, str]
) -> None:
    assert told(server, sizes, total=total, total_pages=total_pages) == expected


@pytest.mark.parametrize("item", [{"id": 1}, {"actionLabel": "a"}])
def test_one_page_for_ever_ends(server: HTTPServer, item: dict[str, object]) -> None:
    page = {"status": "ok", "audits": [item], "pagination": {"total": 9, "total_pages": 1_000_000}}
    server.expect_request("/api/2/audits/").respond_with_json(page)
    warnings: list[str] = []
    trail = client_of(server, warn=warnings.append).audits.list()
    assert len(list(trail)) == 1
    assert trail.incomplete
    assert len(server.log) == 5
    assert len(warnings) == 1
