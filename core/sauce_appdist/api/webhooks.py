"""Webhooks: URLs that the service calls on an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.api import RenamedResource, choice, flag, form_fields, identifier, joined, line, web_address
from sauce_appdist.models import ApiModel, Names, Reply

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

    from sauce_appdist.api import Empty

# Newer servers have `download`, but neither `crash` nor `feedback`: docs/reference/api-facts.md#webhooks.
ACTIONS = ("crash", "feedback", "upload", "new-udid", "download")


class Webhook(ApiModel):
    """A webhook. `status` is the service's value; `enabled` is its meaning."""

    id: str
    status: str | bool | None = None
    name: str | None = None
    url: str | None = None
    actions: Names | None = None
    project_ids: Names | None = None

    @property
    def enabled(self) -> bool | None:
        """Whether the service calls it; None if `status` is missing or unknown."""
        return {"1": True, "true": True, "active": True, "0": False, "false": False, "suspended": False}.get(
            str(self.status).lower()
        )


class WebhooksReply(Reply):
    webhooks: list[Webhook]


class WebhookReply(Reply):
    webhook: Webhook


class Webhooks(RenamedResource):
    """`client.webhooks`."""

    names = ("webhook", "webhooks")

    def list(self) -> builtins.list[Webhook]:
        """All webhooks of the account (GET /api/1/webhooks/)."""
        return self.transport.request("GET", "/api/1/webhooks/", WebhooksReply).webhooks

    def add(
        self,
        *,
        name: str,
        url: str,
        enabled: bool | None = None,
        actions: Sequence[str] | Empty | None = None,
        project_ids: Sequence[str] | Empty | None = None,
    ) -> None:
        """Add a webhook (POST /api/1/webhook/).

        `actions` are values of `ACTIONS`. The service does not call the webhook until it is enabled.
        """
        self.ask("POST", Reply, form=_form(name, url, enabled, actions, project_ids))

    def get(self, webhook_id: str) -> Webhook:
        """One webhook (GET /api/1/webhook/{webhook-id}/)."""
        return self.ask("GET", WebhookReply, identifier("an id", webhook_id)).webhook

    def update(
        self,
        webhook_id: str,
        *,
        name: str,
        url: str,
        enabled: bool | None = None,
        actions: Sequence[str] | Empty | None = None,
        project_ids: Sequence[str] | Empty | None = None,
    ) -> None:
        """Change a webhook (POST /api/1/webhook/{webhook-id}/).

        Set all parameters: what the service does with an omitted one is not documented.
        """
        self.ask("POST", Reply, identifier("an id", webhook_id), form=_form(name, url, enabled, actions, project_ids))

    def delete(self, webhook_id: str) -> None:
        """Delete a webhook (DELETE /api/1/webhook/{webhook-id}/)."""
        self.ask("DELETE", Reply, identifier("an id", webhook_id))


def _form(
    name: str,
    url: str,
    enabled: bool | None,
    actions: Sequence[str] | Empty | None,
    project_ids: Sequence[str] | Empty | None,
) -> dict[str, str]:
    events = joined("actions", actions)
    for event in events.split(",") if events else ():
        choice("actions", event, ACTIONS)
    flag("enabled", enabled)
    return form_fields(
        webhook__name=line("name", name, needed=True),
        webhook__url=web_address("url", url),
        webhook__status=None if enabled is None else str(enabled).lower(),
        actions=events,
        webhook__project__ids=joined("project-ids", project_ids),
    )
