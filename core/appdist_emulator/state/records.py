"""The records of an account, its refusals, and the rules in which dialects differ."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from appdist_emulator import artifact
from appdist_emulator.seed import COMPAT_SETTINGS

Trail = Literal["admin", "tester"]


class Refusal(Exception):  # a reply of the service, not an error of the emulator
    """The service refuses a request (docs/reference/api-facts.md#errors). Messages are constant: no secrets."""

    def __init__(self, code: int, message: str, http: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http = http


@dataclass(frozen=True, slots=True)
class Rules:
    """The differences between dialects within an account; the defaults are classic's."""

    # Fields of a build, compared with the classic documents.
    shows: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    # Whether adding to a group, or removing from it, skips unknown testers instead of refusing them.
    skips_unknown_testers: bool = False
    # Parameters of the upload that name groups; the first takes precedence.
    upload_groups: tuple[str, ...] = ("groups", "app_permission_groups", "testers_groups", "invitation_groups")
    auto_update: tuple[str, ...] = ("auto_update", "auto-update")  # parameter names of the upload
    # Settings of the seed that have no effect.
    ignored_settings: tuple[str, ...] = COMPAT_SETTINGS
    page_sizes: tuple[str, ...] = ("per_page",)  # parameter names; the first takes precedence
    max_per_page: int = 200


@dataclass(frozen=True, slots=True)
class Upload:
    filename: str
    content: bytes
    symbols: str  # the name of the symbols file, if there was one


@dataclass(slots=True)
class Group:
    id: int
    name: str
    members: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tester:
    id: int
    email: str
    last_login: str | None
    created_at: str
    blocked: bool = False


@dataclass(slots=True)
class Session:
    id: int
    start_time: str
    duration: str  # minutes:seconds
    tester: str
    device: str
    ip_address: str
    crashed: bool
    country_name: str
    country_code: str
    identity: dict[str, str]


@dataclass(slots=True)
class Feedback:
    id: int
    recorded_at: str
    text: str
    source: str
    reported_by: str
    session_id: int | None


@dataclass(slots=True)
class Build:
    id: int
    version: str
    version_code: str
    uploaded_at: str
    uploaded_via: str
    landing_page_mode: str
    comment: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    allow_all_testers: bool = False
    sessions: int = 0
    crashes: int = 0
    testers: int = 0
    feedbacks: int = 0
    downloads: int = 0
    has_testfairy_sdk: bool = False
    insights_enabled: bool = False
    video_enabled: bool = False
    filename: str = ""
    content: bytes | None = None
    symbols: str = ""
    visible_at: float = 0.0
    recorded_sessions: list[Session] = field(default_factory=list)
    recorded_feedbacks: list[Feedback] = field(default_factory=list)
    downloaded_by: set[str] = field(default_factory=set)
    # What to return instead of these fields; "missing" omits one.
    shows_instead: dict[str, Any] = field(default_factory=dict)
    auto_update: bool = False

    @property
    def visible(self) -> bool:
        return self.visible_at <= time.monotonic()


@dataclass(slots=True)
class Project:
    id: int
    name: str
    package_name: str
    platform: str
    folder: str
    landing_page_mode: str
    groups: list[Group] = field(default_factory=list)
    builds: dict[int, Build] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/projects/{self.id}-{artifact.slug(self.name)}"

    @property
    def listed(self) -> bool:
        # A project whose builds are all still hidden is hidden too.
        return not self.builds or any(build.visible for build in self.builds.values())


@dataclass(slots=True)
class Webhook:
    id: int
    name: str
    url: str
    active: bool
    actions: list[str]
    project_ids: list[int]


@dataclass(slots=True)
class Site:
    id: int
    name: str
    login_method: int
    builds_count: int
    users: list[dict[str, str]]


class Action(Enum):
    """An audited action: v2's number and label, v1's event type, and the trail that lists it.

    1200, 1905 and `download_app` are from the documents; the others are invented to match.
    """

    UPLOAD = (1100, "Build uploaded", "upload_app", "admin")
    UPDATE = (1101, "Build updated", "update_app", "admin")
    COPY = (1102, "Build copied", "copy_app", "admin")
    DELETE = (1103, "Build deleted", "delete_app", "admin")
    INVITE = (1200, "Invited testers", "invite_testers", "tester")
    ADD_TESTERS = (1201, "Testers added", "add_testers", "tester")
    BLOCK_TESTER = (1202, "Tester blocked", "block_tester", "tester")
    UNBLOCK_TESTER = (1203, "Tester unblocked", "unblock_tester", "tester")
    DELETE_TESTER = (1204, "Tester deleted", "delete_tester", "tester")
    ADD_GROUP = (1210, "Tester group created", "add_tester_group", "tester")
    JOIN_GROUP = (1211, "Testers added to group", "join_tester_group", "tester")
    LEAVE_GROUP = (1212, "Testers removed from group", "leave_tester_group", "tester")
    DOWNLOAD = (1300, "App downloaded", "download_app", "tester")
    ADD_WEBHOOK = (1800, "Webhook added", "add_webhook", "admin")
    UPDATE_WEBHOOK = (1801, "Webhook changed", "update_webhook", "admin")
    DELETE_WEBHOOK = (1802, "Webhook deleted", "delete_webhook", "admin")
    ADD_SITE = (1900, "Site created", "add_site", "admin")
    DELETE_SITE = (1901, "Site deleted", "delete_site", "admin")
    SECURITY = (1905, "Security settings changed", "change_security_settings", "admin")

    def __init__(self, number: int, label: str, event: str, trail: Trail) -> None:
        self.number = number
        self.label = label
        self.event = event
        self.trail = trail


@dataclass(frozen=True, slots=True)
class Audit:
    id: int
    timestamp: str
    site_id: int
    site_name: str
    user_id: int
    user_email: str
    ip_address: str
    action: Action
    data: dict[str, Any]
