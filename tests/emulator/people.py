"""Who asks, and how a refusal looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    Ask = Callable[..., requests.Response]
    Look = Callable[[str], Any]

PROJECTS = "/api/1/projects/"
BUILD = "/api/1/projects/6905338/builds/8911052"
OIDC = {"Authorization": "Bearer demo-oidc-token", "X-OIDC-Config-Key": "oidc_northwind_demo"}
READER = ("audit@northwind.example", "nw-demo-key-0003")
CREW_LEAD = ("crew.lead@northwind.example", "nw-demo-key-0006")
TESTER = ("helen.ward@northwind.example", "nw-demo-key-0004")


def unsigned(request: Any) -> Any:
    return request  # keeps requests from adding credentials of its own


def failure(answer: requests.Response) -> tuple[int, int, str]:
    body = answer.json()
    assert body["status"] == "fail"
    return answer.status_code, body["code"], body["message"]
