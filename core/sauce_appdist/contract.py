"""What a step declares, its inputs and outputs, and how their names look in each place.

One source: `tools/render.py` makes action.yml files, GitLab templates and README tables of it, the
command line makes its options of it.

`build_id` in Python is `build-id` as an input, `--build-id` on the command line and
`APPDIST_BUILD_ID` in the environment. Actions and templates hand their inputs over as
`APPDIST_INPUT_BUILD_ID`, so that an input that was given wins over a variable of the job or the
project, and one that was not falls back to it. Empty means *not given*, everywhere.
"""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from sauce_appdist.auth.methods import choose, inheritable
from sauce_appdist.errors import InputError
from sauce_appdist.models import spellings
from sauce_appdist.text import Unpicklable, did_you_mean, is_single_line, one_line
from sauce_appdist.wire import regions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo

    from sauce_appdist.api.builds import Build


def kebab(name: str) -> str:
    """The name of an input or output in YAML."""
    return name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable, which is also the GitLab dotenv output."""
    return f"APPDIST_{name.upper()}"


def input_variable(name: str) -> str:
    """The environment variable in which an action or a template hands an input over."""
    return f"APPDIST_INPUT_{name.upper()}"


# --- How the text of an input is read -------------------------------------------------------------

_DURATION = re.compile(r"(\d+)(s|m|h|d)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TRUE, _FALSE = {"true", "on", "yes", "1"}, {"false", "off", "no", "0"}


def _flag(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"is {one_line(value, 40)!r}, expected true or false (on/off, yes/no, 1/0 work too)")


def _word(value: object) -> object:
    """Of an input that is true, false or something else: the words that booleans take."""
    word = str(value).strip().lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else word


def _duration(most_days: int) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        if found := _DURATION.fullmatch(value.strip()):
            seconds = float(found[1]) * _SECONDS[found[2].lower()]
            if seconds > most_days * _SECONDS["d"]:
                raise ValueError(f"is {one_line(value, 40)!r}, expected at most {most_days}d")
            return seconds
        raise ValueError(f"is {one_line(value, 40)!r}, expected a whole number with its unit: 90s, 15m, 24h or 7d")

    return read


def _items(value: object) -> object:
    """A list from commas or newlines; a `#` line is a comment; quotes hold a comma together."""
    if not isinstance(value, str):
        return value
    lines = [line for line in value.splitlines() if not line.lstrip().startswith("#")]
    try:
        rows = list(csv.reader((line.strip() for line in lines), skipinitialspace=True, strict=True))
    except csv.Error:
        raise ValueError('has a quote that is not closed: write "a, b" around an item with a comma') from None
    items = list(dict.fromkeys(item.strip() for row in rows for item in row if item.strip()))
    if not items:
        raise ValueError("has no item in it: give names separated by commas or newlines, or leave it away")
    return items


def _no_comma(what: str) -> Callable[[list[str]], list[str]]:
    def check(items: list[str]) -> list[str]:
        for item in items:
            if "," in item:
                raise ValueError(f"has {one_line(item, 60)!r}, but {what} a comma: the service splits there")
        return items

    return check


def _utf8(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("is not UTF-8: save the text as UTF-8") from None
    return value


def _line(value: str) -> str:
    if not value.strip():
        raise ValueError("is only white space: give a value, or leave it away")
    value = _utf8(value.strip())
    if not is_single_line(value):
        raise ValueError("has a line break or a control character in it: give a single line")
    return value


def _prose(value: str) -> str:
    if not value.strip():
        raise ValueError("is only white space: give a text, or leave it away")
    if "\0" in value:
        raise ValueError("has a NUL character in it: give plain text")
    return _utf8(value)


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[\w-]+", value, re.ASCII):
        raise ValueError(f"is {one_line(value, 60)!r}, which is no id: expected something like 6905338")
    return value


def _secret(value: SecretStr) -> SecretStr:
    # requests would quote a header it cannot send in its error.
    text = value.get_secret_value().strip()
    if not text or not re.fullmatch(r"[!-~]+", text):
        raise ValueError("is empty, or has white space or a letter outside ASCII in it: paste it again")
    return SecretStr(text)


def _passphrase(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text or not is_single_line(text):
        raise ValueError("is empty, or has a line break or a control character in it: paste it again")
    return SecretStr(_utf8(text))


def _pairs(value: object) -> object:
    """`key=value` lines; the keys become metadata_<key>."""
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for number, line in enumerate(value.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, text = (part.strip() for part in line.partition("="))
        if not equals:
            raise ValueError(f"line {number} is {one_line(line, 60)!r}, expected key=value")
        if not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            raise ValueError(f"line {number} has the key {one_line(key, 60)!r}: letters, digits, _ . - only")
        if key in pairs:
            raise ValueError(f"line {number} gives {key} a second time: keep one")
        pairs[key] = text
    if not pairs:
        raise ValueError("has no key=value line in it: give one, or leave it away")
    return pairs


Line = Annotated[str, AfterValidator(_line)]
Prose = Annotated[str, AfterValidator(_prose)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Passphrase = Annotated[SecretStr, AfterValidator(_passphrase)]  # never goes raw into a header
Identifier = Annotated[Line, AfterValidator(_identifier)]
BaseUrl = Annotated[Line, AfterValidator(regions.check_base_url)]
SecretUrl = Annotated[Line, AfterValidator(regions.check_url)]
Word = BeforeValidator(_word)
Flag = Annotated[bool, BeforeValidator(_flag)]
Duration = Annotated[float, BeforeValidator(_duration(30))]
Age = Annotated[float, BeforeValidator(_duration(3650))]
Items = Annotated[list[Line], BeforeValidator(_items)]
Tags = Annotated[Items, AfterValidator(_no_comma("a tag cannot contain"))]
Parts = Annotated[Items, AfterValidator(_no_comma("cannot be given by a name with"))]
Pairs = Annotated[dict[str, Prose | Literal[""]], BeforeValidator(_pairs)]


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


def required(options: type[Inputs], name: str) -> Any:
    """Declare that a step needs what is optional among the options it shares with promote."""
    field = options.model_fields[name]
    return Field(..., description=field.description, json_schema_extra=field.json_schema_extra)


# --- Inputs that steps share ----------------------------------------------------------------------


class Inputs(Unpicklable, BaseModel):
    """The inputs of a step; unknown names are refused, values never appear in messages of pydantic."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class ConnectionInputs(Inputs):
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
        return self.base_url or regions.REGIONS[self.region].api

    def dashboard_url(self) -> str:
        """Scheme and host of the pages that people look at."""
        return self.base_url or regions.REGIONS[self.region].dashboard


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
            host = regions.region_of_host(self.build_url)
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


# --- Outputs --------------------------------------------------------------------------------------


def output(description: str, *, dotenv: bool = False) -> Any:
    """Declare an output; `dotenv` hands it to later GitLab jobs (at most 20 variables and 5 KB)."""
    return Field(None, description=description, json_schema_extra={"dotenv": dotenv})


class Outputs(BaseModel):
    """What a step hands on; filled while it runs, so that a failing step has written what happened."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    dry_run: bool | None = output("true when nothing was written because dry-run was set.")

    def given(self) -> dict[str, Any]:
        """Every output by its YAML name, as JSON would have it; None is unknown."""
        return {kebab(name): getattr(self, name) for name in type(self).model_fields}

    def texts(self) -> dict[str, str]:
        """Every output as the text that a CI system gets."""
        return {name: as_text(value) for name, value in self.given().items()}

    def dotenv(self) -> dict[str, str]:
        """The few that later GitLab jobs need, by variable."""
        return {
            variable(name): as_text(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if extra(field)["dotenv"] and as_text(getattr(self, name))
        }


class BuildOutputs(Outputs):
    """The build that a step worked on."""

    project_id: str | None = output("Id of the project.", dotenv=True)
    build_id: str | None = output("Id of the build.", dotenv=True)
    app_name: str | None = output("Name of the app.")
    package_name: str | None = output("Package name or bundle id.")
    platform: str | None = output("Android or iOS.")
    app_version: str | None = output("Version of the app.", dotenv=True)
    version_code: str | None = output("Version code or build number.", dotenv=True)
    uploaded_at: str | None = output("When it was uploaded, as the service writes it (no zone).")
    landing_page_mode: str | None = output("open or closed.")
    build_url: str | None = output("Link to the build for people.", dotenv=True)
    sessions: int | None = output("Recorded sessions; empty where the service does not tell.")
    crashes: int | None = output("Crashes; empty where the service does not tell.")
    testers: int | None = output("Testers; empty where the service does not tell.")
    feedbacks: int | None = output("Feedbacks; empty where the service does not tell.")
    downloads: int | None = output("Downloads; empty where the service does not tell.")

    def read(self, build: Build) -> None:
        """Take over what a build's reply tells."""
        self.app_name = build.app_name
        self.app_version = build.app_version
        self.version_code = build.app_version_code
        self.uploaded_at = None if build.uploaded_at is None else str(build.uploaded_at)
        self.landing_page_mode = build.landing_page_mode
        self.sessions, self.crashes, self.testers = build.sessions, build.crashes, build.testers
        self.feedbacks, self.downloads = build.feedbacks, build.downloads


def as_text(value: Any) -> str:
    """How an output looks as text: true/false, lists as this contract reads them, objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_quoted(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _quoted(item: str) -> str:
    """An item of a list so that `_items` reads it back."""
    return '"{}"'.format(item.replace('"', '""')) if re.search(r'[,"#]', item) else item


InputsT = TypeVar("InputsT", bound=Inputs)


# --- From text to Inputs --------------------------------------------------------------------------


def extra(field: FieldInfo) -> dict[str, Any]:
    """What `option` and `output` noted beside pydantic's own."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def secrets_in(inputs: type[Inputs], environ: Mapping[str, str]) -> list[str]:
    """Every secret that the environment has for these inputs, used or not."""
    names = [name for name, field in inputs.model_fields.items() if is_secret(field)]
    texts = [environ.get(spelled(name), "") for name in names for spelled in (input_variable, variable)]
    return [text for text in dict.fromkeys(texts) if text]


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The values of an input that takes one of a few words, else nothing."""
    return next((get_args(part) for part in _parts(field.annotation) if get_origin(part) is Literal), ())


def input_default(field: FieldInfo) -> str:
    """An input's default as somebody would write it; empty where there is none."""
    value = field.default
    if value is None or field.is_required():
        return ""
    if isinstance(value, float):
        unit = next(unit for unit in "dhms" if value % _SECONDS[unit] == 0)
        return f"{value / _SECONDS[unit]:.0f}{unit}" if value else "0s"
    return as_text(value)


def described(field: FieldInfo) -> str:
    """The description with its example and default."""
    example, default = extra(field).get("example"), input_default(field)
    text = field.description or ""
    text += f" Example: {example}." if example else ""
    return text + (f" Default: {default.rstrip('.')}." if default else "")


def is_flag(field: FieldInfo) -> bool:
    """Whether an input is true or false."""
    return bool in _parts(field.annotation)


def _parts(annotation: Any) -> list[Any]:
    """A type and what it is made of: `Annotated[bool, …] | None` has bool in it. Values of a mapping do not count."""
    if get_origin(annotation) in {Literal, dict}:
        return [annotation]
    inner = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [annotation, *(part for one in inner for part in _parts(one))]


def is_list(field: FieldInfo) -> bool:
    """Whether an input takes several values, separated by commas."""
    return any(get_origin(part) is list for part in _parts(field.annotation))


def is_secret(field: FieldInfo) -> bool:
    """Whether an input must never be shown."""
    return bool(extra(field).get("secret"))


_RIVALS = {"build": "build", "basic": "oidc", "oidc": "basic"}


class Given(NamedTuple):
    """The text of every input that is given, and the variables that were left aside for what was."""

    texts: dict[str, str]
    ignored: list[str]


def gather(inputs: type[Inputs], options: Mapping[str, str], environ: Mapping[str, str]) -> Given:
    """Every input that is given: by option, else as an input, else by the environment.

    Where an action or a template hands inputs over, only those that say which build and how to connect
    fall back to the environment. What an earlier job left never mixes with what this step is told:
    the build falls back as a whole or not at all, and so does each way to sign in where the other is given.
    Raises InputError for a variable that free text names and that is not there, or is a secret.
    """
    fields = inputs.model_fields
    explicit = {name: options.get(name) or _handed_over(name, fields[name], environ) for name in fields}
    explicit = {name: text for name, text in explicit.items() if text}
    chosen = [name for name, text in explicit.items() if text != input_default(fields[name])]
    aside = {_RIVALS[group] for name in chosen if (group := extra(fields[name])["group"])}
    company = inheritable([kebab(name) for name in chosen])
    inherited: dict[str, str] = {}
    ignored: list[str] = []
    for name, field in fields.items():
        text = environ.get(variable(name), "")
        own = name not in BuildInputs.model_fields and input_variable(name) in environ
        if name in explicit or not text or own:
            continue
        foreign = extra(field)["group"] == "oidc" and kebab(name) not in company
        if extra(field)["group"] in aside or foreign:
            ignored.append(variable(name))
        else:
            inherited[name] = text
    enough = _one_build(inherited)
    ignored += [variable(name) for name in inherited if name not in enough]
    return Given({**enough, **explicit}, ignored)


def _one_build(texts: dict[str, str]) -> dict[str, str]:
    """An earlier job leaves its build in several ways at once; the shortest is enough."""
    if {"build_id", "project_id"} <= texts.keys() and texts["build_id"] != "latest":
        enough = {"build_id", "project_id"}
    elif "build_url" in texts:
        enough = {"build_url"}
    else:
        return texts
    group = {name for name, field in BuildInputs.model_fields.items() if extra(field)["group"] == "build"}
    return {name: text for name, text in texts.items() if name in enough or name not in group}


def _handed_over(name: str, field: FieldInfo, environ: Mapping[str, str]) -> str:
    """An input as an action or a template gives it.

    Our GitLab templates do not expand free text, so a lone `$CI_COMMIT_MESSAGE` is looked up here, once:
    whatever that message says stays text.
    """
    text = environ.get(input_variable(name), "")
    found = re.fullmatch(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", text.strip(), re.ASCII)
    if not found or not extra(field)["multiline"] or environ.get("GITLAB_CI") != "true":
        return text
    wanted = found[1] or found[2]
    if re.search(r"(TOKEN|KEY|PASSWORD|SECRET|JWT)(_V\d+)?$", wanted, re.IGNORECASE):
        raise InputError(f"{kebab(name)} is the variable {wanted}, which looks like a credential: give a text.")
    if wanted not in environ:
        raise InputError(f"{kebab(name)} is the variable {wanted}, which does not exist in this job: give a text.")
    return environ[wanted]


def sections(inputs: type[Inputs]) -> dict[str, dict[str, FieldInfo]]:
    """The inputs of a step in the order that people read them: which build, what to do, how to connect."""
    fields = dict(inputs.model_fields)
    connection = {name: fields.pop(name) for name in ConnectionInputs.model_fields}
    build = {name: fields.pop(name) for name in BuildInputs.model_fields if name in fields}
    own = dict(sorted(fields.items(), key=lambda item: not item[1].is_required()))
    return {"The build": build, "This step": own, "The connection": connection}


def parse(
    inputs: type[InputsT], texts: Mapping[str, str], holds_secret: Callable[[str], bool] = lambda _: False
) -> InputsT:
    """The validated inputs. Raises InputError, which names every wrong input and shows no secret.

    A secret that stands where it does not belong would be published, or shown in parts by a message.
    """
    for name, text in texts.items():
        if not is_secret(inputs.model_fields[name]) and holds_secret(text):
            raise InputError(f"{kebab(name)} has one of the credentials in it: take it out.")
    problems: list[str] = []
    try:
        return inputs.model_validate(texts)
    except ValidationError as error:
        problems += [_problem(inputs, texts, one) for one in error.errors(include_input=False, include_url=False)]
    # Outside: the error of pydantic has the values, and would be this one's context.
    raise InputError("\n".join(dict.fromkeys(problems)))


def _problem(inputs: type[Inputs], texts: Mapping[str, str], problem: Any) -> str:
    if not problem["loc"]:
        return f"{problem['ctx']['error']}."
    name = str(problem["loc"][0])
    field = inputs.model_fields[name]
    if problem["type"] == "missing":
        return f"{kebab(name)} is required: {field.description}"
    if "error" in problem.get("ctx", {}):
        return f"{kebab(name)} {problem['ctx']['error']}."
    value = "not readable" if is_secret(field) else repr(one_line(str(texts[name]), 60))
    if known := choices(field):
        return f"{kebab(name)} is {value}, expected one of {', '.join(known)}{_suggestion(name, texts[name], known)}."
    if problem["type"].startswith("int"):
        return f"{kebab(name)} is {value}, expected a whole number."
    return f"{kebab(name)} is {value}: {problem['msg']}."


def _suggestion(name: str, value: str, known: tuple[str, ...]) -> str:
    if name == "region" and value.startswith("us-"):
        return "; other Sauce Labs products have other regions, in the US this one has us-east-1 and legacy"
    return did_you_mean(value, known)
