"""The inputs that steps declare, those that every step shares, and what a declaration says of an input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sauce_appdist.auth.methods import choose
from sauce_appdist.interface import kebab
from sauce_appdist.interface.types import (
    BaseUrl,
    Duration,
    Flag,
    Identifier,
    Line,
    Passphrase,
    Secret,
    SecretUrl,
    Tags,
    as_text,
    duration_text,
)
from sauce_appdist.models import spellings
from sauce_appdist.text import Unpicklable, one_line
from sauce_appdist.wire.regions import REGIONS, region_of_host

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def option(
    default: Any,
    description: str,
    *,
    group: str = "",
    example: str = "",
    secret: bool = False,
    multiline: bool = False,
) -> Any:
    """Declare an input.

    An input of a `group` does not fall back to the environment where its group's rival is given. A
    `multiline` one is free text, in which a `$` means nothing.
    """
    return Field(
        default,
        description=description,
        json_schema_extra={"group": group, "example": example, "secret": secret, "multiline": multiline},
    )


def required(options: type[StepInputs], name: str) -> Any:
    """Declare that a step needs what is optional among the options it shares with promote."""
    field = options.model_fields[name]
    return Field(..., description=field.description, json_schema_extra=field.json_schema_extra)


class StepInputs(Unpicklable, BaseModel):
    """The inputs of a step; unknown names are refused, values never appear in messages of pydantic."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class ConnectionInputs(StepInputs):
    """How to reach the service; every step has these."""

    email: Line | None = option(
        None,
        "E-mail address of the account that the API key belongs to; left away where the server takes the key alone.",
        group="basic",
    )
    api_key: Secret | None = option(None, "API key of the account; differs per region.", group="basic", secret=True)
    oidc_config_key: Secret | None = option(
        None,
        "Config key of the account's OIDC settings; every way to sign in by OIDC needs it.",
        group="oidc",
        secret=True,
    )
    oidc_token: Secret | None = option(None, "Access token that is there already.", group="oidc", secret=True)
    oidc_provider: Literal["github", "gitlab"] | None = option(
        None, "Sign in with the ID token of this job: no stored secret but the config key.", group="oidc"
    )
    oidc_id_token_audience: Line = option(
        "sauce-appdist", "Audience of the job's ID token: what the one who is to trust it expects.", group="oidc"
    )
    oidc_exchange: Literal["none", "client-assertion", "token-exchange"] = option(
        "none", "How the identity provider gives an access token for the job's ID token.", group="oidc"
    )
    oidc_issuer: SecretUrl | None = option(
        None,
        "Issuer of the identity provider, whose discovery document names the token endpoint.",
        group="oidc",
        example="https://acme.okta.com/oauth2/default",
    )
    oidc_token_url: SecretUrl | None = option(None, "Token endpoint, instead of oidc-issuer.", group="oidc")
    oidc_client_id: Line | None = option(None, "Client id at the identity provider.", group="oidc")
    oidc_client_secret: Passphrase | None = option(None, "Secret of that client.", group="oidc", secret=True)
    oidc_audience: Line | None = option(None, "Audience of the access token to ask for.", group="oidc")
    oidc_scope: Line | None = option(None, "Scopes to ask for, separated by spaces.", group="oidc")
    oidc_token_format: Literal["form", "json"] = option(
        "form",
        "How the token endpoint is asked: form is the standard, json as in the vendor's samples.",
        group="oidc",
    )
    oidc_client_auth: Literal["body", "basic"] = option(
        "body", "Where the client secret goes: into the body, or into HTTP Basic.", group="oidc"
    )
    region: Literal["us-east-1", "eu-central-1", "legacy"] = option(
        "us-east-1", "Data centre of the account; legacy is api.testfairy.com."
    )
    base_url: BaseUrl | None = option(
        None,
        "Overrides region: a private cloud or the emulator. https, or http on loopback.",
        example="https://acme.testfairy.com",
    )
    ca_bundle: Line | None = option(
        None,
        "Certificates (PEM file) to trust instead of the public ones; REQUESTS_CA_BUNDLE and SSL_CERT_FILE count too.",
    )
    timeout: Duration = option(30.0, "How long one request may take.", example="30s")
    retries: int = option(3, "How often a request is tried again where that is safe, 0 to 10.")
    dry_run: Flag = option(False, "Only read and say what would be done.")
    debug: Flag = option(False, "Log every request; never a secret.")

    @model_validator(mode="after")
    def _connection(self) -> Self:
        if not 0 <= self.retries <= 10:
            raise ValueError(f"retries is {self.retries}, expected 0 to 10")
        if self.timeout <= 0:
            raise ValueError("timeout is 0, expected at least 1s")
        choose(self.given_to_sign_in())
        if self.oidc_exchange == "client-assertion" and not self.oidc_client_id:
            raise ValueError("oidc-exchange is client-assertion, which needs oidc-client-id: whose assertion it is")
        return self

    def given_to_sign_in(self) -> list[str]:
        """The inputs that are given and say how to sign in."""
        return [
            kebab(name)
            for name, field in type(self).model_fields.items()
            if extra(field)["group"] in {"basic", "oidc"} and getattr(self, name) != field.default
        ]

    def api_url(self) -> str:
        """Scheme and host of the REST API."""
        return self.base_url or REGIONS[self.region].api

    def dashboard_url(self) -> str:
        """Scheme and host of the pages that people look at."""
        return self.base_url or REGIONS[self.region].dashboard


_BUILD_URL = re.compile(r"/projects/([\w-]+)/builds/(\w+)(?:[/?#]|$)", re.ASCII)


class BuildInputs(ConnectionInputs):
    """Which build: by ids, by URL, or by a search."""

    build_id: Identifier | None = option(
        None, "Id of the build; latest takes the newest of several that a search finds.", group="build"
    )
    project_id: Identifier | None = option(None, "Id of the project that the build is in.", group="build")
    build_url: Line | None = option(
        None,
        "Dashboard URL of the build, or the self path that an upload returns, instead of the two ids.",
        group="build",
        example="https://mobile.saucelabs.com/projects/6806100-myapplication/builds/8830728",
    )
    package_name: Line | None = option(
        None, "Search: package name or bundle id.", group="build", example="com.example.app"
    )
    app_name: Line | None = option(None, "Search: name of the app.", group="build")
    platform: Line | None = option(None, "Search: Android or iOS.", group="build", example="Android")
    version: Line | None = option(None, "Search: version of the app.", group="build", example="4.2.0")
    version_code: Line | None = option(None, "Search: version code or build number.", group="build")
    folder: Line | None = option(
        None,
        "Search: folder that the build is in (/ for none), where the service shows folders.",
        group="build",
    )
    with_tags: Tags | None = option(
        None, "Search: tags that the build has, where the service shows tags.", group="build", example="candidate"
    )
    wait_for_build: Duration = option(0.0, "How long to wait for a build that does not show up yet.", example="10m")

    @model_validator(mode="after")
    def _build(self) -> Self:
        self.reference()
        return self

    def reference(self) -> Reference:
        """Both ids as far as the inputs give them. Raises ValueError where they do not fit."""
        project_ids, build_id = spellings(self.project_id) if self.project_id else (), self.build_id
        if self.build_url:
            found = _BUILD_URL.search(self.build_url)
            if not found:
                raise ValueError(
                    f"build-url is {one_line(self.build_url, 100)!r}, expected …/projects/<project>/builds/<build>"
                )
            host = region_of_host(self.build_url)
            if host and not self.base_url and host != self.region:
                raise ValueError(f"build-url is in region {host}, but region is {self.region}: set region: {host}")
            url_ids = spellings(found[1])[::-1]
            if project_ids and not set(project_ids) & set(url_ids):
                raise ValueError("build-url names another project than project-id: give one of them")
            if build_id not in {None, found[2]}:
                raise ValueError("build-url names another build than build-id: give one of them")
            project_ids, build_id = url_ids, found[2]
        searched = bool(self.package_name or self.app_name)
        if build_id == "latest" and not (searched or project_ids):
            raise ValueError("build-id is latest, but of what: give package-name, app-name or project-id")
        if build_id not in {None, "latest"} and not (project_ids or searched):
            raise ValueError(
                "build-id is given without project-id: give project-id, or package-name or app-name to find it by"
            )
        if not (build_id or project_ids or searched):
            raise ValueError("no build: give build-id and project-id, or build-url, or package-name or app-name")
        return Reference(project_ids, None if build_id == "latest" else build_id, build_id == "latest")


class Reference(NamedTuple):
    """Which build the inputs mean: the project's id in every spelling to try, and the build's; else a search."""

    project_ids: tuple[str, ...]
    build_id: str | None
    latest: bool


# --- What a declaration says of an input ---


def extra(field: FieldInfo) -> dict[str, Any]:
    """What `option` and `output` noted beside pydantic's own."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The values of an input that takes one of a few words, else nothing."""
    return next((get_args(part) for part in _type_parts(field.annotation) if get_origin(part) is Literal), ())


def input_default(field: FieldInfo) -> str:
    """An input's default as somebody would write it; empty where there is none."""
    value = field.default
    if value is None or field.is_required():
        return ""
    if isinstance(value, float):
        return duration_text(value)
    return as_text(value)


def describe_field(field: FieldInfo) -> str:
    """The description with its example and default."""
    example, default = extra(field).get("example"), input_default(field)
    text = field.description or ""
    text += f" Example: {example}." if example else ""
    return text + (f" Default: {default.rstrip('.')}." if default else "")


def is_flag(field: FieldInfo) -> bool:
    """Whether an input is true or false."""
    return bool in _type_parts(field.annotation)


def _type_parts(annotation: Any) -> list[Any]:
    """A type and what it is made of: `Annotated[bool, …] | None` has bool in it. Values of a mapping do not count."""
    if get_origin(annotation) in {Literal, dict}:
        return [annotation]
    inner = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [annotation, *(part for one in inner for part in _type_parts(one))]


def is_list(field: FieldInfo) -> bool:
    """Whether an input takes several values, separated by commas."""
    return any(get_origin(part) is list for part in _type_parts(field.annotation))


def is_secret(field: FieldInfo) -> bool:
    """Whether an input must never be shown."""
    return bool(extra(field).get("secret"))


def sections(inputs: type[StepInputs]) -> dict[str, dict[str, FieldInfo]]:
    """The inputs of a step in the order that people read them: which build, what to do, how to connect."""
    fields = dict(inputs.model_fields)
    connection = {name: fields.pop(name) for name in ConnectionInputs.model_fields}
    build = {name: fields.pop(name) for name in BuildInputs.model_fields if name in fields}
    own = dict(sorted(fields.items(), key=lambda item: not item[1].is_required()))
    return {"The build": build, "This step": own, "The connection": connection}
