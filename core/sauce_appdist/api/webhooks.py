"""Webhooks: URLs that the service calls on an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.api import RenamedResource, form_fields, joined
from sauce_appdist.models import ApiModel, Names, Reply

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

ACTIONS = ("crash", "feedback", "upload", "new-udid")


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
        actions: Sequence[str] | None = None,
        project_ids: Sequence[str] | None = None,
    ) -> None:
        """Add a webhook (POST /api/1/webhook/).

        `actions` are values of `ACTIONS`. The service does not call the webhook until it is enabled.
        """
        self.ask("POST", Reply, form=_form(name, url, enabled, actions, project_ids))

    def get(self, webhook_id: str) -> Webhook:
        """One webhook (GET /api/1/webhook/{webhook-id}/)."""
        return self.ask("GET", WebhookReply, webhook_id).webhook

    def update(
        self,
        webhook_id: str,
        *,
        name: str,
        url: str,
        enabled: bool | None = None,
        actions: Sequence[str] | None = None,
        project_ids: Sequence[str] | None = None,
    ) -> None:
        """Change a webhook (POST /api/1/webhook/{webhook-id}/).

        Set all parameters: what the service does with an omitted one is not documented.
        """
        self.ask("POST", Reply, webhook_id, form=_form(name, url, enabled, actions, project_ids))

    def delete(self, webhook_id: str) -> None:
        """Delete a webhook (DELETE /api/1/webhook/{webhook-id}/)."""
        self.ask("DELETE", Reply, webhook_id)


def _form(
    name: str, url: str, enabled: bool | None, actions: Sequence[str] | None, project_ids: Sequence[str] | None
) -> dict[str, str]:
    return form_fields(
        webhook__name=name,
        webhook__url=url,
        webhook__status=None if enabled is None else str(enabled).lower(),
        actions=joined(actions),
        webhook__project__ids=joined(project_ids),
    )
