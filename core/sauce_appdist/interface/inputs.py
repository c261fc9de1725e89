"""How steps declare inputs, the inputs that steps share, and how to read a declaration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, get_args, get_origin
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sauce_appdist.auth.methods import choose_method
from sauce_appdist.interface import kebab
from sauce_appdist.interface.types import (
    BaseUrl,
    Duration,
    Flag,
    Identifier,
    Line,
    Passphrase,
    ProjectIdentifier,
    Secret,
    SecretUrl,
    Tags,
    as_text,
    duration_text,
    keyword,
)
from sauce_appdist.models import spellings
from sauce_appdist.text import Unpicklable, one_line
from sauce_appdist.wire.regions import REGIONS, host_of, is_loopback, region_of_host, same_server

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
    unset: Literal["", "off", "inherit"] = "",
    may_be_empty: bool = True,
) -> Any:
    """Declare an input.

    `unset` is the word that actions and templates declare as the default: an input that has it is not set (`off`) or
    falls back to the environment (`inherit`). That tells *not set* from *set, but empty*, which is what an expression
    or a variable without a value gives: such an input must not be empty. Of the group `build` all are `inherit`. In
    the group `gate` all thresholds are `off`, and no input may be empty. An input with a default `may_be_empty`, which
    then means the default, unless that does more than what may have been meant.

    An input of a `group` does not fall back to the environment if an input of an excluding group is set (see
    interface/environment.py). A `multiline` input is free text: a `$` in it has no meaning.
    """
    if not unset and (group == "build" or (group == "gate" and default is None)):
        unset = "inherit" if group == "build" else "off"
    return Field(
        default,
        description=description,
        json_schema_extra={
            "group": group,
            "example": example,
            "secret": secret,
            "multiline": multiline,
            "unset": unset,
            "refuse_empty": bool(unset) or group == "gate" or not may_be_empty,
        },
    )


def required(options: type[StepInputs], name: str) -> Any:
    """Declare an input as required that is optional in the options which the step shares with promote."""
    field = options.model_fields[name]
    return Field(
        ..., description=field.description, json_schema_extra={**extra(field), "unset": "", "refuse_empty": False}
    )


class StepInputs(Unpicklable, BaseModel):
    """The inputs of a step. Unknown names are errors; pydantic's messages never contain values."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _normalize_choices(cls, values: Any) -> Any:
        """Choices in their own spelling, whatever the case and the white space around them."""
        if not isinstance(values, dict):
            return values
        for name, field in cls.model_fields.items():
            if isinstance(text := values.get(name), str) and (known := choices(field)):
                word = text.strip().casefold()
                values = {**values, name: next((choice for choice in known if choice.casefold() == word), text)}
        return values


class ConnectionInputs(StepInputs):
    """How to reach the service; every step has these."""

    email: Line | None = option(
        None,
        "E-mail address of the account that the API key belongs to. Omit it if the server takes the key alone.",
        group="basic",
    )
    api_key: Secret | None = option(
        None, "API key of the account. Each region has its own.", group="basic", secret=True
    )
    oidc_config_key: Secret | None = option(
        None,
        "Config key of the account's OIDC settings. Every OIDC method needs it.",
        group="oidc",
        secret=True,
    )
    oidc_token: Secret | None = option(None, "Access token that the job already has.", group="oidc", secret=True)
    oidc_provider: Literal["github", "gitlab"] | None = option(
        None,
        "Sign in with the ID token that this CI system issues for the job. The config key is the only stored secret.",
        group="oidc",
    )
    oidc_id_token_audience: Line = option(
        "sauce-appdist",
        "Audience (`aud`) to request for the job's ID token; must match the setting of the account or identity "
        "provider.",
        group="oidc",
    )
    oidc_exchange: Literal["none", "client-assertion", "token-exchange"] = option(
        "none", "How to obtain an access token from the identity provider with the job's ID token.", group="oidc"
    )
    oidc_issuer: SecretUrl | None = option(
        None,
        "Issuer URL of the identity provider. Its discovery document names the token endpoint.",
        group="oidc",
        example="https://acme.okta.com/oauth2/default",
    )
    oidc_token_url: SecretUrl | None = option(
        None, "Token endpoint of the identity provider. Set it instead of `oidc-issuer`.", group="oidc"
    )
    oidc_client_id: Line | None = option(None, "Client id at the identity provider.", group="oidc")
    oidc_client_secret: Passphrase | None = option(
        None, "Client secret at the identity provider.", group="oidc", secret=True
    )
    oidc_audience: Line | None = option(None, "Audience to request for the access token.", group="oidc")
    oidc_scope: Line | None = option(None, "Scopes to request for the access token, separated by spaces.", group="oidc")
    oidc_token_format: Literal["form", "json"] = option(
        "form",
        "Body of the token request. `form` is the standard; the vendor's samples use `json`.",
        group="oidc",
    )
    oidc_client_auth: Literal["body", "basic"] = option(
        "body",
        "Where the token request carries the client secret: in its body, or in HTTP Basic authentication.",
        group="oidc",
    )
    region: Literal["us-east-1", "eu-central-1", "legacy"] = option(
        "us-east-1", "Data centre of the account. `legacy` is api.testfairy.com."
    )
    base_url: BaseUrl | None = option(
        None,
        "URL of a private cloud or the emulator; overrides `region`. Must be https, or http on loopback.",
        example="https://acme.testfairy.com",
    )
    ca_bundle: Line | None = option(
        None,
        "PEM file of certificates to trust instead of the public ones. REQUESTS_CA_BUNDLE and SSL_CERT_FILE work too.",
    )
    timeout: Duration = option(30.0, "Maximum time for one request.", example="30s")
    retries: int = option(
        3, "Maximum number of retries of a request, 0 to 10. Only requests that are safe to repeat are retried."
    )
    dry_run: Flag = option(False, "Only read, and show what the step would do.")
    debug: Flag = option(False, "Log every request. Secrets are never logged.")

    @model_validator(mode="after")
    def _connection(self) -> Self:
        if not 0 <= self.retries <= 10:
            raise ValueError(f"retries is {self.retries}, expected 0 to 10")
        if self.timeout <= 0:
            raise ValueError("timeout is 0, expected at least 1s")
        choose_method(self.sign_in_inputs())
        if self.oidc_exchange == "client-assertion" and not self.oidc_client_id:
            raise ValueError("`oidc-exchange: client-assertion` needs oidc-client-id: set it")
        return self

    def sign_in_inputs(self) -> list[str]:
        """The YAML names of the sign-in inputs that are set to something other than their default."""
        return [
            kebab(name)
            for name, field in type(self).model_fields.items()
            if extra(field)["group"] in {"basic", "oidc"} and getattr(self, name) != field.default
        ]

    def api_url(self) -> str:
        """The base URL of the REST API."""
        return self.base_url or REGIONS[self.region].api

    def dashboard_url(self) -> str:
        """The base URL of the dashboard."""
        return self.base_url or REGIONS[self.region].dashboard


_BUILD_PATH = re.compile(r"(?:^|/)projects/([^/]+)/builds/([\w-]+)(?:/|$)", re.ASCII)


class BuildUrl(NamedTuple):
    """A build's URL as it is meant, the spellings of its project's id, and its own id."""

    url: str
    project_ids: tuple[str, ...]
    build_id: str


def parts_of_build_url(text: str) -> BuildUrl:
    """The ids in a build's URL or path. Raises ValueError, without the input's name, if it has none."""
    url = text.strip(" <>\"'`\u201c\u201d\u2018\u2019")
    if "://" not in url.partition("?")[0] and not url.startswith(("/", "projects/")):
        url = f"https://{url}"  # a host without its scheme
    try:
        parts = urlsplit(url)
        whole = bool(host_of(url)) == bool(parts.hostname) and parts.port != 0  # a wrong port is an error
    except ValueError:
        whole = False
        parts = urlsplit("")
    found = _BUILD_PATH.search(parts.path) if whole else None
    slug = unquote(found[1]) if found else ""
    number, _, name = slug.partition("-")
    if re.fullmatch(r"[\w-]+", slug, re.ASCII):
        ids = spellings(slug)
    elif number.isdecimal() and name:
        ids = (number,)  # a name that no id can have: its number is enough
    else:
        ids = ()
    if not found or not ids:
        project = re.search(r"(?:^|/)projects/[^/]+/?$", parts.path)
        hint = ". This is a project's page: set project-id and build-id instead" if project else ""
        raise ValueError(f"is {one_line(url, 100)!r}, expected …/projects/<project>/builds/<build>{hint}")
    return BuildUrl(url, ids, found[2])


class BuildInputs(ConnectionInputs):
    """Which build: by ids, by URL, or by a search."""

    build_id: Annotated[Identifier, keyword("latest")] | None = option(
        None, "Id of the build, or `latest` for the newest build that the search finds.", group="build"
    )
    project_id: ProjectIdentifier | None = option(None, "Id of the project that contains the build.", group="build")
    build_url: Line | None = option(
        None,
        "Dashboard URL of the build, or the `self` path that an upload returns. Set it instead of the two ids.",
        group="build",
        example="https://mobile.saucelabs.com/projects/6806100-myapplication/builds/8830728",
    )
    package_name: Line | None = option(
        None, "Search: package name or bundle id.", group="build", example="com.example.app"
    )
    app_name: Line | None = option(None, "Search: name of the app.", group="build")
    platform: Line | None = option(None, "Search: Android or iOS.", group="build", example="Android")
    version: Line | None = option(
        None,
        "Search: version of the app. Quote it in YAML: an unquoted 1.10 is 1.1.",
        group="build",
        example="4.2.0",
    )
    version_code: Line | None = option(
        None, "Search: version code or build number. Quote it in YAML, like version.", group="build"
    )
    folder: Line | None = option(
        None,
        "Search: folder that contains the build (`/` for none). Works if the service shows folders.",
        group="build",
    )
    with_tags: Tags | None = option(
        None, "Search: tags that the build has. Works if the service shows tags.", group="build", example="candidate"
    )
    wait_for_build: Duration = option(
        0.0, "Maximum time to wait for a build that the service does not list yet.", example="10m"
    )

    @model_validator(mode="after")
    def _build(self) -> Self:
        self.reference()
        return self

    def reference(self) -> Reference:
        """The ids as far as the inputs name them. Raises ValueError for inputs that contradict each other."""
        project_ids, build_id = spellings(self.project_id) if self.project_id else (), self.build_id
        if self.build_url:
            try:
                url, url_ids, url_build = parts_of_build_url(self.build_url)
            except ValueError as error:
                raise ValueError(f"build-url {error}") from None
            if host := host_of(url):
                self._check_host(url, host)
            if project_ids and not set(project_ids) & set(url_ids):
                raise ValueError("build-url and project-id name different projects: set only one of them")
            if build_id not in {None, url_build}:
                raise ValueError("build-url and build-id name different builds: set only one of them")
            project_ids, build_id = project_ids or url_ids, url_build
        searched = bool(self.package_name or self.app_name)
        if build_id == "latest" and not (searched or project_ids):
            raise ValueError("`build-id: latest` needs an app: set package-name, app-name or project-id")
        if build_id not in {None, "latest"} and not (project_ids or searched):
            raise ValueError("build-id needs a project: set project-id, or package-name or app-name to find it")
        if not (build_id or project_ids or searched):
            raise ValueError("no build: set build-id and project-id, or build-url, or package-name or app-name")
        return Reference(project_ids, None if build_id == "latest" else build_id, build_id == "latest")

    def _check_host(self, url: str, host: str) -> None:
        """Raise ValueError if a build's URL is of another server than the one that is asked."""
        region = region_of_host(url)
        scheme = "http" if is_loopback(url) and urlsplit(url).scheme == "http" else "https"
        if self.base_url:
            if not same_server(url, self.base_url):
                raise ValueError(
                    f"build-url is on {one_line(host, 100)}, but base-url is {self.base_url}: set the base-url of that "
                    "server, or the URL of a build on this one"
                )
        elif region is None:
            raise ValueError(
                f"build-url is on {one_line(host, 100)}, which is not a region of the service: set base-url: "
                f"{scheme}://{one_line(host, 100)} if that is your private cloud"
            )
        elif region != self.region:
            raise ValueError(f"build-url is in region {region}, but region is {self.region}: set region: {region}")


class Reference(NamedTuple):
    """The build that the inputs name: every spelling of the project's id to try, and the build's id.

    No build id means a search; `latest` then selects the newest build.
    """

    project_ids: tuple[str, ...]
    build_id: str | None
    latest: bool


# --- How to read a declaration ---


def extra(field: FieldInfo) -> dict[str, Any]:
    """The properties that `option` and `output` add to pydantic's own."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The values that an input accepts if it is an enumeration, else nothing."""
    return next((get_args(part) for part in _type_parts(field.annotation) if get_origin(part) is Literal), ())


def input_default(field: FieldInfo) -> str:
    """An input's default as a user would write it; empty if it has none."""
    value = field.default
    if value is None or field.is_required():
        return ""
    if isinstance(value, float):
        return duration_text(value)
    return as_text(value)


def declared_default(field: FieldInfo) -> str:
    """What an action or a template declares as the default; empty if it declares none."""
    return extra(field).get("unset") or input_default(field)


def describe_field(field: FieldInfo) -> str:
    """The description with its example and default."""
    example, default = extra(field).get("example"), declared_default(field)
    text = field.description or ""
    text += f" Example: {example}." if example else ""
    return text + (f" Default: {default.rstrip('.')}." if default else "")


def is_flag(field: FieldInfo) -> bool:
    """Whether an input is a boolean."""
    return bool in _type_parts(field.annotation)


def _type_parts(annotation: Any) -> list[Any]:
    """A type and its parts: `Annotated[bool, …] | None` contains bool. The values of a mapping do not count."""
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
    """The inputs of a step, grouped and ordered for the docs: the build, the step's own, the connection."""
    fields = dict(inputs.model_fields)
    connection = {name: fields.pop(name) for name in ConnectionInputs.model_fields}
    build = {name: fields.pop(name) for name in BuildInputs.model_fields if name in fields}
    own = dict(sorted(fields.items(), key=lambda item: not item[1].is_required()))
    return {"The build": build, "This step": own, "The connection": connection}
