"""Every command of `sauce-appdist api`, and the request that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness import ANDROID, NEWEST_ANDROID, Outcome
from sauce_appdist.shell import api_commands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sauce_appdist.client import Client

BUILD = ["--project-id", ANDROID, "--build-id", NEWEST_ANDROID]
ASKS = {
    f"{resource} {verb}"
    for resource, rows in api_commands.RESOURCES.items()
    for verb, row in rows.items()
    if row.asks and not row.asks_if
}
# command -> options and the one request that it makes; {session}, {webhook} and {site} are looked up
REACHES: dict[str, tuple[list[str], str]] = {
    "projects list": ([], "GET /api/1/projects/"),
    "builds list": (["--project-id", ANDROID], f"GET /api/1/projects/{ANDROID}/builds/"),
    "builds get": (BUILD, f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"),
    "builds update": ([*BUILD, "--tags", "rc, qa"], f"PATCH /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/"),
    "builds copy": ([*BUILD, "--to-folder", "F"], f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/copy"),
    "builds invite": ([*BUILD, "--groups", "QA"], f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/invites/"),
    "builds download": (
        [*BUILD, "--to", "{tmp}"],
        f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/download/",
    ),
    "builds delete": (BUILD, f"DELETE /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"),
    "sessions list": (BUILD, f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/sessions/"),
    **{
        f"sessions {verb}": (
            [*BUILD, "--session-id", "{session}"],
            f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/sessions/{{session}}/",
        )
        for verb in ("get", "events", "logs")
    },
    "testers list": (["--build-id", NEWEST_ANDROID], "GET /api/1/testers"),
    "testers get": (["--tester-id", "{tester}"], "GET /api/1/testers/{tester}"),
    "testers add": (["--emails", "new@example.com", "--group", "QA"], "POST /api/1/testers/"),
    "testers block": (["--tester-id", "{tester}"], "POST /api/1/testers/{tester}/block/"),
    "testers unblock": (["--tester-id", "{tester}"], "DELETE /api/1/testers/{tester}/block/"),
    "testers delete": (["--tester-id", "{tester}"], "DELETE /api/1/testers/{tester}"),
    "groups list": ([], "GET /api/1/testers/groups"),
    "groups create": (["--name", "Night shift"], "POST /api/1/testers/groups"),
    "groups add-testers": (
        ["--group-id", "12", "--emails", "jonas.beck@northwind.example"],
        "POST /api/1/testers/groups/12",
    ),
    "groups remove-testers": (
        ["--group-id", "12", "--emails", "tomas.vega@northwind.example"],
        "DELETE /api/1/testers/groups/12",
    ),
    "feedbacks list": ([], "GET /api/1/feedbacks/"),
    "audits list": (["--start-date", "2026-01-01", "--action-type", "1905"], "GET /api/2/audits/"),
    "audits admin-trail": (["--page", "2"], "GET /api/2/audits/admin-trail/"),
    "audits tester-trail": (["--per-page", "10"], "GET /api/2/audits/tester-trail/"),
    "audits recent": ([], "GET /api/1/audits"),
    "permissions list": ([], "GET /api/1/cpanel/permissions/"),
    "webhooks list": ([], "GET /api/1/webhooks/"),
    "webhooks get": (["--webhook-id", "{webhook}"], "GET /api/1/webhook/{webhook}/"),
    "webhooks add": (
        ["--name", "CI", "--url", "https://ci.example.com/hook", "--enabled", "--actions", "upload,crash"],
        "POST /api/1/webhook/",
    ),
    "webhooks update": (
        ["--webhook-id", "{webhook}", "--name", "CI", "--url", "https://ci.example.com/hook"],
        "POST /api/1/webhook/{webhook}/",
    ),
    "webhooks delete": (["--webhook-id", "{webhook}"], "DELETE /api/1/webhook/{webhook}/"),
    "sites list": ([], "GET /api/1/site/"),
    "sites create": (["--site-name", "emea-2", "--login-method", "sso"], "POST /api/1/site/"),
    "sites delete": (["--site-id", "{site}"], "DELETE /api/1/site/{site}/"),
}
OWNER = {"APPDIST_EMAIL": "owner@northwind.example", "APPDIST_API_KEY": "nw-demo-key-0002"}  # who may change sites


class Api(Protocol):
    """Run `sauce-appdist api …`, with `--json` unless it is for people."""

    def __call__(self, *argv: str, people: bool = False, env: Mapping[str, str] | None = None) -> Outcome: ...


def filled(texts: list[str], client: Client, tmp_path: Path) -> list[str]:
    """Ids that only the account can tell."""
    known: dict[str, Callable[[], str]] = {
        "{session}": lambda: client.sessions.list(ANDROID, NEWEST_ANDROID)[0].id,
        "{webhook}": lambda: client.webhooks.list()[0].id,
        "{site}": lambda: client.sites.list().accounts[-1].id,
        "{tester}": lambda: client.testers.list()[0].id or "",
        "{tmp}": lambda: str(tmp_path),
    }
    found = {mark: look() for mark, look in known.items() if any(mark in text for text in texts)}
    for mark, value in found.items():
        texts = [text.replace(mark, value) for text in texts]
    return texts
