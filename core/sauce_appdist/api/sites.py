"""Sites (accounts) of a multi-site company."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from sauce_appdist.api import RenamedResource, choice, form_fields, identifier
from sauce_appdist.errors import InputError
from sauce_appdist.models import ApiModel, Counter, Flat, Reply
from sauce_appdist.text import one_line

LoginMethod = Literal["sso", "credentials"]
_LOGIN_METHODS = {"sso": "0", "credentials": "1"}


class SiteUser(ApiModel):
    """A user with a role in a site, or a manager of all sites."""

    email: str | None = None
    role: str | None = None


class Site(ApiModel):
    """One site (account) of the company."""

    id: str
    name: str | None = None
    builds_count: Counter = None
    users: Annotated[list[SiteUser], Flat] | None = None


class SiteList(ApiModel):
    """All sites and their managers."""

    accounts: list[Site] = Field(default_factory=list)
    managers: Annotated[list[SiteUser], Flat] = Field(default_factory=list)


def _accounts(value: object) -> object:
    return {"accounts": value} if isinstance(value, list) else value


class SitesReply(Reply):
    sites: Annotated[SiteList, BeforeValidator(_accounts)] = Field(validation_alias=AliasChoices("site", "sites"))


class Sites(RenamedResource):
    """`client.sites`."""

    names = ("site", "sites")

    def list(self) -> SiteList:
        """All sites of the company (GET /api/1/site/)."""
        return self.ask("GET", SitesReply).sites

    def create(self, name: str, *, login_method: LoginMethod | None = None) -> None:
        """Create a site (POST /api/1/site/).

        `name` consists of at least four letters, digits, `-` or `_`. Raises InputError for another name, and for an
        unknown login method.
        """
        if not isinstance(name, str) or not re.fullmatch(r"[\w-]{4,}", name, re.ASCII):
            shown = one_line(repr(name), 60)
            raise InputError(f"site-name is {shown}, expected at least four letters, digits, - or _.")
        method = choice("login-method", login_method, _LOGIN_METHODS)
        self.ask("POST", Reply, form=form_fields(name=name, loginMethod=_LOGIN_METHODS[method] if method else None))

    def delete(self, site_id: str) -> None:
        """Delete a site (DELETE /api/1/site/{site-id}/)."""
        self.ask("DELETE", Reply, identifier("an id", site_id))
