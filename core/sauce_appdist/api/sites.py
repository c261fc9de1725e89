"""Sites (accounts) of a multi-site company."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from sauce_appdist.api import RenamedResource, form_fields
from sauce_appdist.errors import InputError
from sauce_appdist.models import ApiModel, Counter, Flat, Reply

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

        `name` consists of at least four letters, digits, `-` or `_`. Raises InputError for an unknown login method.
        """
        if login_method not in {None, *_LOGIN_METHODS}:
            raise InputError(f"login-method is {login_method!r}, expected sso or credentials.")
        method = None if login_method is None else _LOGIN_METHODS[login_method]
        self.ask("POST", Reply, form=form_fields(name=name, loginMethod=method))

    def delete(self, site_id: str) -> None:
        """Delete a site (DELETE /api/1/site/{site-id}/)."""
        self.ask("DELETE", Reply, site_id)
