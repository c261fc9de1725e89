"""The seed: the account that the emulator starts with, its format and its checks.

Only `users` is required. An unknown key is an error, so that a typing mistake cannot silently
change the account.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
SEEDS = ("northwind", "gate")  # included in the package
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"

# The messages a client has to explain: docs/reference/api-facts.md#oidc-messages.
OidcMessage = Literal[
    "X-OIDC-Config-Key header required",
    "Invalid config key",
    "OIDC not enabled for this organization",
    "Invalid issuer",
    "Invalid audience",
    "Token has expired",
    "Invalid token signature",
    "Missing required scope",
    "Failed to fetch JWKS",
    "Unsupported algorithm",
]
LandingPageMode = Literal["open", "closed"]
CounterName = Literal["sessions", "crashes", "testers", "feedbacks", "downloads"]
WebhookAction = Literal["crash", "feedback", "upload", "new-udid"]


class SeedError(ValueError):
    """The seed is invalid; the text names each wrong key and never a value."""


def _time(text: str) -> str:
    """Read a time. One like -26h or +90s counts from now, the start or reset of the emulator."""
    if away := re.fullmatch("([-+][0-9]{1,5})([smhd])", text):
        return (datetime.now(UTC) + timedelta(**{_UNITS[away[2]]: int(away[1])})).strftime(TIME_FORMAT)
    try:
        datetime.strptime(text, TIME_FORMAT)  # noqa: DTZ007 - the service's times have no zone
    except ValueError:
        raise ValueError("must be a time like 2026-03-01 09:30:00, or like -26h or +90s") from None
    return text


def _http_date(text: str) -> str:
    try:
        exact = datetime.strptime(text, _HTTP_DATE).strftime(_HTTP_DATE)  # noqa: DTZ007 - it ends with GMT
    except ValueError:
        exact = None
    if exact != text:  # strptime accepts line breaks as blanks, and a wrong day of the week
        raise ValueError("must be a time like Thu, 31 Dec 2026 23:59:59 GMT")
    return text


def _id(value: Any) -> Any:
    # The documents write ids both as numbers and as strings, so a seed may too.
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


Id = Annotated[int, BeforeValidator(_id), Field(ge=1, strict=True)]
Count = Annotated[int, Field(ge=0, strict=True)]
Text = Annotated[str, Field(min_length=1)]
GroupReference = Text | Annotated[int, Field(ge=1, strict=True)]  # a name, or an id as a number
Time = Annotated[str, AfterValidator(_time)]
Duration = Annotated[str, Field(pattern=r"^[0-9]{2,}:[0-5][0-9]$")]
HttpDate = Annotated[str, AfterValidator(_http_date)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
Speed = Annotated[float, Field(ge=0.001, le=1e9, strict=True, allow_inf_nan=False)]
# Seconds after the start of a build's life, ten years at most; and the number of events at once.
After = Annotated[float, Field(ge=0, le=315_360_000, strict=True, allow_inf_nan=False)]
Many = Annotated[int, Field(ge=1, le=1000, strict=True)]
Permission = Annotated[str, Field(pattern=r"^(\*|[0-9]+):(r|rw)$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class User(_Part):
    """A user with an API key. Roles and permissions are those of `cpanel/permissions` in the documents."""

    email: Text
    api_key: Text = Field(repr=False)
    role: Literal["account-owner", "account-manager", "admin", "tester"] = "admin"
    # None: an admin has write access to all projects, a tester read access.
    permissions: list[Permission] | None = None


class RejectedToken(_Part):
    error: OidcMessage


class Oidc(_Part):
    config_key: Text = Field(repr=False)
    # token -> the e-mail address of its user, or the documented message with which it is refused.
    tokens: dict[str, str | RejectedToken] = Field(default_factory=dict, repr=False)
    # With an issuer, any other token is verified, and signs in `user`.
    issuer: Url | None = None
    audience: Text | None = None
    user: Text | None = None
    scopes: list[Text] = Field(default_factory=list)
    jwks_url: Url | None = None  # None: from the issuer's OpenID configuration
    leeway: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0  # seconds


class Settings(_Part):
    """How the server behaves; `POST /_emulator/settings` changes it while the emulator runs."""

    require_login: bool = False
    life_speed: Speed = 1
    # Seconds by which the service's clock is ahead of this machine's; negative: behind.
    clock_ahead: Annotated[float, Field(ge=-86_400, le=86_400, strict=True, allow_inf_nan=False)] = 0
    # The rest is for the compat dialect, where the documents are silent or differ.
    basic_auth: Annotated[bool, Field(strict=True)] = True
    storage: Annotated[bool, Field(strict=True)] = True
    sunset: HttpDate = "Thu, 31 Dec 2026 23:59:59 GMT"
    # Whom an invitation mails: docs/reference/api-facts.md#inviting-testers.
    invites: Literal["groups", "everybody", "everybody-always"] = "groups"
    # What PATCH takes, and what its answer shows: docs/reference/api-facts.md#updating-a-build.
    updates: Literal["all", "drop", "drop-and-hide"] = "all"
    # A stub's list is empty: docs/reference/api-facts.md#feedback.
    feedbacks: Literal["list", "stub"] = "list"
    # Whether a refused sign-in says why: docs/reference/api-facts.md#wrong-credentials.
    reasons: Literal["told", "hidden"] = "told"
    # Whether /api/v3/projects answers: docs/reference/api-facts.md#dialects.
    v3: Annotated[bool, Field(strict=True)] = True


COMPAT_SETTINGS = (
    *("basic_auth", "storage", "sunset"),
    *("invites", "updates", "feedbacks", "reasons", "v3"),
)


class Shows(_Part):
    """Fields that the server returns although the documents of its dialect do not list them."""

    build: list[
        Literal[
            "comment",
            "folderPath",
            "groups",
            "isDistributionEnabled",
            "metadata",
            "packageName",
            "platform",
            "tags",
            # Classic has these, and compat lacks them.
            "self",
            "landingPageMode",
            "sessions",
            "crashes",
            "testers",
            "feedbacks",
            "hasTestFairySdk",
            "insightsEnabled",
            "videoEnabled",
        ]
    ] = Field(default_factory=list)
    project: list[Literal["folderName", "folderPath", "groups"]] = Field(default_factory=list)


class Tester(_Part):
    id: Id | None = None
    email: Text
    blocked: bool = False
    last_login: Time | None = None
    created_at: Time | None = None


class Group(_Part):
    id: Id | None = None
    name: Text
    testers: list[Text] = Field(default_factory=list)


class Session(_Part):
    id: Id | None = None
    start_time: Time
    duration: Duration
    tester: Text
    device: Text
    ip_address: Text = "192.0.2.1"
    crashed: bool = False
    country_name: Text = "United States"
    country_code: Annotated[str, Field(pattern="^[a-z]{2}$")] = "us"
    identity: dict[str, str] = Field(default_factory=dict)


class Feedback(_Part):
    """The session defaults to one of the reporter's sessions, the time to the end of that session."""

    id: Id | None = None
    text: Text
    reported_by: Text
    source: Text = "shake"
    recorded_at: Time | None = None
    session_id: Id | None = None


class LifeSession(_Part):
    """The emulator generates what is omitted."""

    tester: Text
    device: Text | None = None
    duration: Duration | None = None
    minutes: Annotated[float, Field(ge=0, le=6000, strict=True, allow_inf_nan=False)] | None = None
    crashed: bool = False

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if self.duration is not None and self.minutes is not None:
            raise ValueError("set either duration or minutes")
        return self


class LifeFeedback(_Part):
    tester: Text
    text: Text
    source: Text = "shake"


class LifeUpdate(_Part):
    """A change to the build, as by PATCH: metadata is added to, everything else is replaced."""

    tags: list[Text] | None = None
    comment: str | None = None
    metadata: dict[str, str] | None = None
    groups: list[Text] | None = None
    landing_page_mode: LandingPageMode | None = None

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError(f"set at least one of {', '.join(type(self).model_fields)}")
        return self


_EVENTS = ("session", "sessions", "feedback", "downloads", "update", "reupload", "delete")


class Event(_Part):
    """One event in a build's life, `after` seconds from its start."""

    after: After
    session: LifeSession | None = None
    # Several sessions at once, of these testers in turn (None: of those who have access to the build).
    sessions: Many | None = None
    crashes: Count = 0
    testers: Annotated[list[Text], Field(min_length=1)] | None = None
    feedback: LifeFeedback | None = None
    downloads: Many | None = None
    update: LifeUpdate | None = None
    reupload: Literal[True] | None = None
    delete: Literal[True] | None = None

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if sum(getattr(self, name) is not None for name in _EVENTS) != 1:
            raise ValueError(f"an event needs exactly one of {', '.join(_EVENTS)}")
        if self.testers and self.sessions is None:
            raise ValueError("testers: needs sessions")
        if self.crashes > (self.sessions or 0):
            raise ValueError("crashes: more than sessions")
        return self

    @property
    def records(self) -> bool:
        """Whether the event needs the SDK in the app."""
        return bool(self.session or self.sessions)


class Life(_Part):
    """The body of POST /_emulator/life."""

    build_id: Id
    speed: Speed | None = None
    events: list[Event] = Field(min_length=1)


class Build(_Part):
    """The counters include the listed sessions and feedbacks; the emulator generates the other sessions."""

    id: Id | None = None
    version: Text
    version_code: Text
    uploaded_at: Time | None = None
    uploaded_via: str = "Web upload"
    visible_after: float = Field(default=0, ge=0)
    sessions: Count = 0
    crashes: Count = 0
    testers: Count = 0
    feedbacks: Count = 0
    downloads: Count = 0
    landing_page_mode: LandingPageMode = "closed"
    has_testfairy_sdk: bool = False
    insights_enabled: bool = False
    video_enabled: bool = False
    comment: str = ""
    tags: list[Text] = Field(default_factory=list)
    metadata: dict[str, str] = Field(default_factory=dict)
    groups: list[GroupReference] = Field(default_factory=list)
    allow_all_testers: bool = False
    recorded_sessions: list[Session] = Field(default_factory=list)
    recorded_feedbacks: list[Feedback] = Field(default_factory=list)
    life: list[Event] = Field(default_factory=list)
    # Values to return instead of counters; "missing" omits the field.
    shows_counters: dict[CounterName, str | int | float | bool | None] = Field(default_factory=dict)
    # The same for uploadedAt, if the seed has this key.
    shows_uploaded_at: str | int | float | bool | None = None

    def shown_time(self) -> dict[str, Any]:
        """Return what the build shows for uploadedAt instead of its own time, or nothing."""
        return {"uploadedAt": self.shows_uploaded_at} if "shows_uploaded_at" in self.model_fields_set else {}


class Project(_Part):
    id: Id | None = None
    name: Text
    package_name: Text
    platform: Text
    folder: str = ""
    landing_page_mode: LandingPageMode = "closed"
    groups: list[GroupReference] = Field(default_factory=list)
    builds: list[Build] = Field(default_factory=list)


class Webhook(_Part):
    id: Id | None = None
    name: Text
    url: Text
    active: bool = False
    actions: list[WebhookAction] = Field(default_factory=list)
    project_ids: list[Id] = Field(default_factory=list)


class SiteUser(_Part):
    email: Text
    role: Literal["Account Owner", "Account Manager", "Admin"]


class Site(_Part):
    id: Id | None = None
    name: Text
    login_method: Literal[0, 1] = 1  # SSO, credentials
    builds_count: Count = 0
    users: list[SiteUser] = Field(default_factory=list)


class AuditHistory(_Part):
    """The number and time range of the audits to generate from the rest of the seed."""

    entries: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    since: Time
    until: Time


class Seed(_Part):
    """A whole account. Testers listed in a group need no entry of their own."""

    company: str = ""
    enterprise_id: Id = 456  # the account's own id, as a site
    settings: Settings = Field(default_factory=Settings)
    shows: Shows = Field(default_factory=Shows)
    users: list[User] = Field(min_length=1)
    oidc: Oidc | None = None
    groups: list[Group] = Field(default_factory=list)
    testers: list[Tester] = Field(default_factory=list)
    folders: list[Text] = Field(default_factory=list)
    projects: list[Project] = Field(default_factory=list)
    webhooks: list[Webhook] = Field(default_factory=list)
    sites: list[Site] = Field(default_factory=list)
    audit_history: AuditHistory | None = None


_PARTS = (
    *(User, Oidc, RejectedToken, Settings, Shows, Tester, Group, Session, Feedback, Build, Project),
    *(LifeSession, LifeFeedback, LifeUpdate, Event, Life),
    *(Webhook, SiteUser, Site, AuditHistory, Seed),
)


def parse_seed(data: Mapping[str, Any]) -> Seed:
    """Check a seed. Raises SeedError, one line for each wrong key."""
    try:
        seed = Seed.model_validate(data)
    except ValidationError as error:
        # The message omits the input: a seed contains API keys.
        raise SeedError(explain(error, _KEYS)) from None
    problems = list(_problems(seed))
    if problems:
        raise SeedError("\n".join(problems))
    return seed


def parse_settings(data: Mapping[str, Any]) -> Settings:
    """Check settings. Raises SeedError, one line for each wrong key."""
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SeedError(explain(error, Settings.model_fields)) from None


def parse_life(data: Mapping[str, Any], groups: Iterable[str]) -> Life:
    """Check a life for an account with these groups. Raises SeedError, one line for each wrong key."""
    try:
        life = Life.model_validate(data)
    except ValidationError as error:
        raise SeedError(explain(error, _KEYS)) from None
    problems = [f"events{problem}" for problem in _life_problems(life.events, set(groups))]
    if problems:
        raise SeedError("\n".join(problems))
    return life


def read_seed(path: Path) -> dict[str, Any]:
    """Read the JSON object in a file. Raises SeedError, or OSError if the file cannot be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SeedError(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except UnicodeDecodeError:
        raise SeedError("not UTF-8 text") from None
    if not isinstance(data, dict):
        raise SeedError("must be a JSON object")
    return data


def default_seed() -> dict[str, Any]:
    """Read the seed of Northwind Travel, the account of the demos."""
    return named_seed("northwind")


def named_seed(name: str) -> dict[str, Any]:
    """Read one of SEEDS."""
    data: dict[str, Any] = json.loads(
        files("appdist_emulator").joinpath(f"seeds/{name}.json").read_text(encoding="utf-8")
    )
    return data


def explain(error: ValidationError, known: Iterable[str]) -> str:
    """Return one line for each wrong key, without any values."""
    details = error.errors(include_input=False, include_url=False)
    return "\n".join(dict.fromkeys(_line(detail, known) for detail in details))


def _line(detail: Any, known: Iterable[str]) -> str:
    location = list(detail["loc"])
    if location[:2] == ["oidc", "tokens"] and len(location) > 2:
        # The next part of the location is a token.
        return 'oidc.tokens: the value must be an e-mail address, or {"error": one of the documented messages}'
    if detail["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(location[-1]), list(known), n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        return f"{_where(location)}: unknown key{hint}"
    text = str(detail["msg"]).removeprefix("Value error, ")
    if not location:
        return text
    return f"{_where(location)}: {text[:1].lower()}{text[1:]}"


_VERIFYING = ("issuer", "audience", "user")
_KEYS = sorted({name for part in _PARTS for name in part.model_fields})


def _where(location: list[Any]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _problems(seed: Seed) -> list[str]:
    """Find problems across keys, such as references to nothing and duplicate ids."""
    problems: list[str] = []

    def unique(values: list[Any], what: str) -> None:
        known = [value for value in values if value is not None]
        if len(set(known)) != len(known):
            problems.append(f"{what}: must be unique")

    def groups_exist(references: list[GroupReference], where: str) -> None:
        problems.extend(f"{where}: {problem}" for problem in _reference_problems(references, seed.groups))

    named = {group.name for group in seed.groups}
    unique([user.email for user in seed.users], "users[].email")
    unique([user.api_key for user in seed.users], "users[].api_key")
    unique([group.id for group in seed.groups], "groups[].id")
    unique([tester.email for tester in seed.testers], "testers[].email")
    unique([tester.id for tester in seed.testers], "testers[].id")
    unique([webhook.id for webhook in seed.webhooks], "webhooks[].id")
    unique([seed.enterprise_id, *(site.id for site in seed.sites)], "sites[].id")
    unique([site.name.lower() for site in seed.sites], "sites[].name")
    unique([project.id for project in seed.projects], "projects[].id")
    builds = [build for project in seed.projects for build in project.builds]
    unique([build.id for build in builds], "projects[].builds[].id")
    unique(
        [feedback.id for build in builds for feedback in build.recorded_feedbacks],
        "projects[].builds[].recorded_feedbacks[].id",
    )
    for number, project in enumerate(seed.projects):
        groups_exist(project.groups, f"projects[{number}].groups")
        for position, build in enumerate(project.builds):
            where = f"projects[{number}].builds[{position}]"
            groups_exist(build.groups, f"{where}.groups")
            unique([session.id for session in build.recorded_sessions], f"{where}.recorded_sessions[].id")
            problems.extend(f"{where}.{problem}" for problem in _counter_problems(build))
            problems.extend(f"{where}.life{problem}" for problem in _life_problems(build.life, named))
            if "has_testfairy_sdk" in build.model_fields_set and not build.has_testfairy_sdk:
                problems.extend(
                    f"{where}.life[{turn}]: sessions need has_testfairy_sdk"
                    for turn, event in enumerate(build.life)
                    if event.records
                )
    if seed.audit_history and seed.audit_history.since >= seed.audit_history.until:
        problems.append("audit_history.until: must be later than since")
    emails = {user.email for user in seed.users}
    if seed.oidc:
        problems.extend(f"oidc.{problem}" for problem in _oidc_problems(seed.oidc, emails))
    return problems


def _reference_problems(references: list[GroupReference], groups: list[Group]) -> Iterator[str]:
    names = Counter(group.name for group in groups)
    for reference in references:
        if isinstance(reference, int):
            if all(group.id != reference for group in groups):
                yield f"no group has the id {reference}"
        elif names[reference] == 0:
            yield f"no group is named {reference!r}"
        elif names[reference] > 1:
            yield f"several groups are named {reference!r}; use an id, as a number"


def _oidc_problems(oidc: Oidc, emails: set[str]) -> Iterator[str]:
    if any(isinstance(who, str) and who not in emails for who in oidc.tokens.values()):
        yield "tokens: an e-mail address is not in users"
    if oidc.user is not None and oidc.user not in emails:
        yield "user: the e-mail address is not in users"
    given = oidc.model_fields_set - {"config_key", "tokens"}
    if given:
        yield from (f"{name}: required to verify tokens" for name in _VERIFYING if getattr(oidc, name) is None)


def _life_problems(events: list[Event], groups: set[str]) -> Iterator[str]:
    deleted = False
    for turn, event in sorted(enumerate(events), key=lambda one: one[1].after):
        if deleted:
            yield f"[{turn}]: an earlier event deletes the build"
        deleted = deleted or bool(event.delete)
        if event.update:
            for name in event.update.groups or ():
                if name not in groups:
                    yield f"[{turn}].update.groups: no group is named {name!r}"


def _counter_problems(build: Build) -> Iterator[str]:
    listed = build.recorded_sessions
    if len(listed) > build.sessions:
        yield "sessions: fewer than in recorded_sessions"
    if sum(session.crashed for session in listed) > build.crashes:
        yield "crashes: fewer than in recorded_sessions"
    if len(build.recorded_feedbacks) > build.feedbacks:
        yield "feedbacks: fewer than in recorded_feedbacks"
    known = {session.id for session in listed}
    for number, feedback in enumerate(build.recorded_feedbacks):
        if feedback.session_id is not None and feedback.session_id not in known:
            yield f"recorded_feedbacks[{number}].session_id: not in recorded_sessions"
