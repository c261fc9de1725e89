"""Webhooks and sites, which belong to the account itself.

Where the documents are silent or contradict each other, the emulator decides like this:

- A webhook without a name is code 104 with HTTP 400: 401 would tell a client to sign in again.
- Modifying a webhook requires its name and URL, as the table says; other omitted fields keep their value.
- A webhook's projects must exist when they are set, and may be deleted later.
- Webhooks are stored but never called.
- The names of sites are unique regardless of case. Without `loginMethod` it is 1, credentials.
- A new site has the user that the sample shows, a sub-account of its own. The managers of sites are
  the account's owners and managers, and only they may create and delete sites.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from appdist_emulator.seed import WebhookAction
from appdist_emulator.state.base import Base, account_writer, items, no_tester, number, site_writer
from appdist_emulator.state.records import Action, Refusal, Site, Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appdist_emulator.seed import User

_ACTIONS = get_args(WebhookAction)
_STATUSES = {"true": True, "false": False}


class Company(Base):
    # --- webhooks ---------------------------------------------------------------------------------

    def webhooks(self, user: User) -> list[dict[str, Any]]:
        with self._lock:
            no_tester(user)
            return self._webhooks_view()

    def webhook(self, user: User, webhook_id: str) -> dict[str, Any]:
        with self._lock:
            no_tester(user)
            return _webhook_view(self._known_webhook(webhook_id))

    def add_webhook(self, user: User, fields: Mapping[str, str]) -> None:
        with self._lock:
            account_writer(user)
            webhook = self._read_webhook(user, fields, Webhook(0, "", "", active=False, actions=[], project_ids=[]))
            webhook.id = next(self._webhook_ids)
            self._webhooks[webhook.id] = webhook
            self._record(user, Action.ADD_WEBHOOK, _about_webhook(webhook))

    def update_webhook(self, user: User, webhook_id: str, fields: Mapping[str, str]) -> None:
        with self._lock:
            account_writer(user)
            webhook = self._read_webhook(user, fields, self._known_webhook(webhook_id))
            self._webhooks[webhook.id] = webhook
            self._record(user, Action.UPDATE_WEBHOOK, _about_webhook(webhook))

    def delete_webhook(self, user: User, webhook_id: str) -> None:
        with self._lock:
            account_writer(user)
            webhook = self._known_webhook(webhook_id)
            del self._webhooks[webhook.id]
            self._record(user, Action.DELETE_WEBHOOK, _about_webhook(webhook))

    def _webhooks_view(self) -> list[dict[str, Any]]:
        return [_webhook_view(webhook) for webhook in self._webhooks.values()]

    def _known_webhook(self, webhook_id: str) -> Webhook:
        webhook = self._webhooks.get(number(webhook_id))
        if webhook is None:
            raise Refusal(1, "Missing or invalid webhook-id")
        return webhook

    def _read_webhook(self, user: User, fields: Mapping[str, str], before: Webhook) -> Webhook:
        name = fields.get("webhook-name", "").strip()
        if not name:
            raise Refusal(104, "Missing webhook name")
        url = fields.get("webhook-url", "").strip()
        if not re.fullmatch(r"https?://\S+", url):
            raise Refusal(1, "Missing or invalid parameter: webhook-url")
        active, actions, project_ids = before.active, before.actions, before.project_ids
        if "webhook-status" in fields:
            if fields["webhook-status"] not in _STATUSES:
                raise Refusal(1, "Missing or invalid parameter: webhook-status")
            active = _STATUSES[fields["webhook-status"]]
        if "actions" in fields:
            actions = items(fields["actions"])
            if not set(actions) <= set(_ACTIONS):
                raise Refusal(1, "Missing or invalid parameter: actions")
        if "webhook-project-ids" in fields:
            project_ids = [
                number(one) if number(one) in before.project_ids else self._project(user, one, "r").id
                for one in items(fields["webhook-project-ids"])
            ]
        return Webhook(before.id, name, url, active, actions, project_ids)

    # --- sites ------------------------------------------------------------------------------------

    def sites(self, user: User) -> dict[str, Any]:
        with self._lock:
            no_tester(user)
            return self._sites_view()

    def add_site(self, user: User, fields: Mapping[str, str]) -> None:
        with self._lock:
            site_writer(user)
            name = fields.get("name", "")
            if not re.fullmatch("[A-Za-z0-9_-]{4,}", name):
                raise Refusal(1, "Missing or invalid parameter: name")
            if any(site.name.lower() == name.lower() for site in self._sites.values()):
                raise Refusal(2, "Site already exists")
            login = fields.get("loginMethod", "1")
            if login not in {"0", "1"}:
                raise Refusal(1, "Missing or invalid parameter: loginMethod")
            site_id = next(self._site_ids)
            owner = {"email": f"[site-subaccount-{site_id:013x}]", "role": "Account Owner"}
            self._sites[site_id] = Site(site_id, name, int(login), 0, [owner])
            self._record(user, Action.ADD_SITE, {"siteId": site_id, "site": name})

    def delete_site(self, user: User, site_id: str) -> None:
        with self._lock:
            site_writer(user)
            site = self._sites.pop(number(site_id), None)
            if site is None:
                raise Refusal(1, "Missing or invalid site-id")
            self._record(user, Action.DELETE_SITE, {"siteId": site.id, "site": site.name})

    def _sites_view(self) -> dict[str, Any]:
        return {
            "accounts": [
                {
                    "id": str(site.id),
                    "name": site.name,
                    "buildsCount": site.builds_count,
                    "users": [dict(user) for user in site.users],
                }
                for site in self._sites.values()
            ],
            "managers": [
                {"email": user.email}
                for user in self._users.values()
                if user.role in {"account-owner", "account-manager"}
            ],
        }


def _webhook_view(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "status": "1" if webhook.active else "0",
        "name": webhook.name,
        "url": webhook.url,
        "actions": ",".join(webhook.actions),
        "projectIds": ",".join(str(one) for one in webhook.project_ids),
    }


def _about_webhook(webhook: Webhook) -> dict[str, Any]:
    # Without the URL: chat services put secrets into theirs.
    return {"webhookId": webhook.id, "name": webhook.name}
