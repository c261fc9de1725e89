"""The documented API as a table: one row per endpoint, one case per way to ask it.

The ids are those of the emulator's default account, so that one table serves the test server, which gives the
documents' samples whatever is asked, and the emulator, which has to know what it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from contract import samples
from harness import ANDROID, NEWEST_ANDROID
from sauce_appdist import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from sauce_appdist.client import Client

moment = datetime.fromisoformat  # without a zone, as in the documents

OWNER = "owner@northwind.example", "nw-demo-key-0002"  # who may do everything, sites too
PROJECT, BUILD = ANDROID, NEWEST_ANDROID
SESSION, TESTER, GROUP, WEBHOOK, SITE = "8911052001", "504", "14", "31", "20131"
MEMBERS = ["jonas.beck@northwind.example", "amelie@wanderlust.example"]  # two of the four in the group
IDS = {
    "project-id": PROJECT,
    "build-id": BUILD,
    "session-id": SESSION,
    "tester-id": TESTER,
    "group-id": GROUP,
    "webhook-id": WEBHOOK,
    "site-id": SITE,
}

# Every documented endpoint, in the order of the documents. Where the older one spells a path otherwise (the lists of
# testers and audits end with a slash there, and it is "webhhook"), the present one counts.
SAUCELABS = [
    "GET /api/1/projects/",
    "GET /api/1/projects/{project-id}/builds/",
    "GET /api/1/projects/{project-id}/builds/{build-id}",
    "DELETE /api/1/projects/{project-id}/builds/{build-id}",
    "PATCH /api/1/projects/{project-id}/builds/{build-id}/",
    "POST /api/1/projects/{project-id}/builds/{build-id}/copy",
    "GET /api/1/projects/{project-id}/builds/{build-id}/download/",
    "POST /api/1/projects/{project-id}/builds/{build-id}/invites/",
    "GET /api/1/testers",
    "POST /api/1/testers/",
    "GET /api/1/testers/{tester-id}",
    "POST /api/1/testers/{tester-id}/block/",
    "DELETE /api/1/testers/{tester-id}/block/",
    "DELETE /api/1/testers/{tester-id}",
    "POST /api/1/testers/groups/{group-id}",
    "DELETE /api/1/testers/groups/{group-id}",
    "GET /api/1/testers/groups",
    "POST /api/1/testers/groups",  # the heading alone; its text: docs/reference/api-facts.md#groups
    "GET /api/1/feedbacks/",
    "GET /api/1/audits",
    "GET /api/2/audits/",
    "GET /api/2/audits/admin-trail/",
    "GET /api/2/audits/tester-trail/",
    "GET /api/1/cpanel/permissions/",
    "GET /api/1/webhooks/",
    "POST /api/1/webhook/",
    "GET /api/1/webhook/{webhook-id}/",
    "POST /api/1/webhook/{webhook-id}/",
    "DELETE /api/1/webhook/{webhook-id}/",
    "GET /api/1/site/",
    "POST /api/1/site/",
]
TESTFAIRY = [
    "GET /api/1/projects/{project-id}/builds/{build-id}/sessions/",
    "GET /api/1/projects/{project-id}/builds/{build-id}/sessions/{session-id}/",
]
FACTS = ["DELETE /api/1/site/{site-id}/"]  # docs/reference/api-facts.md#sites
DOCUMENTED = SAUCELABS + TESTFAIRY + FACTS


@dataclass(frozen=True)
class Case:
    """One call: what it sends and what is read from the answer.

    `form` None is a request without a body. `reads` names what stands in the result, as `0.groups.1.name`;
    None is a call that returns None. `ids` are asked for instead of `IDS`. `emulated` is False where the
    emulator cannot answer like that: the sample has what no document tells, or its ids are of nothing.
    """

    name: str
    call: Callable[[Client], Any]
    answer: Any
    reads: dict[str, Any] | None = None
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] | None = None
    ids: dict[str, str] = field(default_factory=dict)
    emulated: bool = True


ROWS: dict[str, list[Case]] = {
    # --- Projects and builds ------------------------------------------------------------------------
    "GET /api/1/projects/": [
        Case(
            "present",
            lambda client: client.projects.list(),
            samples.PROJECTS,
            reads={
                "0.id": "6905338",
                "0.self_path": "/projects/19-groupshot",
                "0.name": "GroupShot",
                "0.package_name": "com.groupshot",
                "0.platform": "Android",
                "0.icon": "[URL TO APP ICON]",
                "0.landing_page_mode": "open",
                "0.folder": None,
            },
        ),
        Case(
            "older",
            lambda client: client.projects.list(),
            samples.PROJECTS_OLD,
            reads={"0.id": "19-groupshot", "0.landing_page_mode": None},
        ),
    ],
    "GET /api/1/projects/{project-id}/builds/": [
        Case(
            "present",
            lambda client: client.builds.list(PROJECT),
            samples.BUILDS,
            reads={"0.id": "8830728", "0.project_id": "6806100", "0.uploaded_at": moment("2019-04-04 16:03:15")},
        ),
        Case(
            "older",
            lambda client: client.builds.list(f"{PROJECT}-northwind-travel"),
            samples.BUILDS_OLD,
            reads={"0.id": "8830728", "0.landing_page_mode": None},
            ids={"project-id": f"{PROJECT}-northwind-travel"},
        ),
    ],
    "GET /api/1/projects/{project-id}/builds/{build-id}": [
        Case(
            "present",
            lambda client: client.builds.get(PROJECT, BUILD),
            samples.BUILD,
            reads={
                "id": "8830728",
                "self_path": "/projects/6806100-myapplication/builds/8830728",
                "project_id": "6806100",
                "app_name": "My Application",
                "app_version": "DemoApp",
                "app_version_code": "20",
                "app_display_name": "My Application - DemoApp (20)",
                "icon_url": "[APP ICON URL]",
                "app_url": "[URL TO APK OR IPA FILE]",
                "landing_page_mode": "closed",
                "sessions": 6,
                "crashes": 0,
                "testers": 0,
                "feedbacks": 0,
                "downloads": 1,
                "uploaded_at": moment("2019-04-04 16:03:15"),
                "uploaded_via": "[UPLOAD DETAILS]",
                "has_test_fairy_sdk": True,
                "insights_enabled": True,
                "video_enabled": True,
                "tags": None,  # a build shows none, which is not the same as having none
                "comment": None,
            },
        ),
        Case(
            "older",
            lambda client: client.builds.get(PROJECT, BUILD),
            samples.BUILD_OLD,
            reads={"id": "8830728", "landing_page_mode": None},
        ),
        Case(
            "ids that lead nowhere else",
            lambda client: client.builds.get("../a/b", "8?x=1#%2e"),
            samples.BUILD,
            reads={"id": "8830728"},
            ids={"project-id": "..%2Fa%2Fb", "build-id": "8%3Fx%3D1%23%252e"},
            emulated=False,
        ),
    ],
    "DELETE /api/1/projects/{project-id}/builds/{build-id}": [
        Case("present", lambda client: client.builds.delete(PROJECT, BUILD), samples.OK),
    ],
    "PATCH /api/1/projects/{project-id}/builds/{build-id}/": [
        Case(
            "everything",
            lambda client: client.builds.update(
                PROJECT,
                BUILD,
                release_notes="New release notes",
                tags=["production", "v2"],
                groups=["Beta Testers", "QA"],
                landing_page_mode="open",
                metadata={"title": "My App Title"},
            ),
            samples.UPDATED,
            form={
                "comment": "New release notes",
                "tags": "production,v2",
                "groups": "Beta Testers,QA",
                "landing_page_mode": "open",
                "metadata_title": "My App Title",
            },
            reads={
                "build_id": "8830728",
                "tags": ["production", "v2"],
                "metadata": {"title": "My App Title"},
                "changelog": "New release notes",
                "groups": ["beta-testers", "qa"],
                "landing_page_mode": "open",
            },
        ),
        Case(
            "no group",
            lambda client: client.builds.update(PROJECT, BUILD, groups=EMPTY),
            samples.UPDATED | {"groups": [], "metadata": []},  # docs/reference/api-facts.md#updating-a-build
            form={"groups": ""},
            reads={"groups": [], "metadata": {}},
        ),
        Case(
            "any text",
            lambda client: client.builds.update(PROJECT, BUILD, release_notes="50 % & more = + ü\n… 🎉", tags=["a b"]),
            samples.UPDATED | {"changelog": "50 % & more = + ü\n… 🎉"},
            form={"comment": "50 % & more = + ü\n… 🎉", "tags": "a b"},
            reads={"changelog": "50 % & more = + ü\n… 🎉"},
        ),
    ],
    "POST /api/1/projects/{project-id}/builds/{build-id}/copy": [
        Case(
            "what is required",
            lambda client: client.builds.copy(PROJECT, BUILD, to_folder="Folder1"),
            {"status": "ok", "build_id": 1000},
            form={"folder_name": "Folder1"},
            reads={"build_id": "1000", "folder_path": None, "invalid_groups": None, "invalid_project_groups": None},
        ),
        Case(
            "everything",
            lambda client: client.builds.copy(
                PROJECT,
                BUILD,
                to_folder="/Project1/Folder1",
                app_name="My Application",
                groups=["12", "Beta Testers", "abcd"],
                project_groups=["QA", "14", "efgd"],
                allow_all_testers=True,
            ),
            samples.COPIED,
            form={
                "folder_name": "/Project1/Folder1",
                "app_name": "My Application",
                "groups": "12,Beta Testers,abcd",
                "projectGroups": "QA,14,efgd",
                "allowAllTesters": "1",
            },
            reads={
                "build_id": "1000",
                "folder_path": "/Project1/Folder1",
                "app_name": "My Application",
                "assigned_groups": ["13", "group14", "12"],
                "invalid_groups": ["abcd", "efgd"],
                "assigned_project_groups": ["group13", "14", "12"],
                "invalid_project_groups": ["abcd", "efgd"],
            },
        ),
        Case(
            "nobody",
            lambda client: client.builds.copy(
                PROJECT, BUILD, to_folder="F", groups=EMPTY, project_groups=EMPTY, allow_all_testers=False
            ),
            samples.COPIED | {name: [] for name in samples.COPIED if name.endswith("groups")},
            form={"folder_name": "F", "groups": "", "projectGroups": "", "allowAllTesters": "0"},
            reads={"build_id": "1000", "assigned_groups": [], "invalid_project_groups": []},
        ),
    ],
    "GET /api/1/projects/{project-id}/builds/{build-id}/download/": [
        Case(
            "to a file",
            lambda client: client.builds.download(PROJECT, BUILD, to="app.apk"),
            samples.ARTIFACT,
            reads={"path.name": "app.apk", "size": len(samples.ARTIFACT), "path.read_bytes": samples.ARTIFACT},
        ),
    ],
    "POST /api/1/projects/{project-id}/builds/{build-id}/invites/": [
        Case(
            "what is required",
            lambda client: client.builds.invite(PROJECT, BUILD, groups=["QA"]),
            samples.OK,
            form={"groups": "QA"},
            reads={"status": "ok"},
        ),
        Case(
            "everything",
            lambda client: client.builds.invite(PROJECT, BUILD, groups=["QA", "14"], message="Notes", notify=True),
            samples.OK,
            form={"groups": "QA,14", "comment": "Notes", "notify": "on"},
            reads={"status": "ok"},
        ),
    ],
    # --- Sessions -----------------------------------------------------------------------------------
    "GET /api/1/projects/{project-id}/builds/{build-id}/sessions/": [
        Case(
            "older",
            lambda client: client.sessions.list(PROJECT, BUILD),
            samples.SESSIONS,
            reads={
                "0.id": "1",
                "0.self_path": "/projects/2197059-demoapp/builds/4867553/sessions/1",
                "0.start_time": moment("2017-01-22 16:42:40"),
                "0.duration": timedelta(minutes=15, seconds=1),
                "0.tester_email": "john@testfairy.com",
                "0.device": "Samsung - Samsung Galaxy S8",
                "0.ip_address": "23.100.122.175",
                "0.crashed": False,
                "0.country_name": "United States",
                "0.country_code": "us",
                "0.identity": None,
            },
        ),
    ],
    "GET /api/1/projects/{project-id}/builds/{build-id}/sessions/{session-id}/": [
        Case(
            "meta",
            lambda client: client.sessions.get(PROJECT, BUILD, SESSION),
            samples.SESSION,
            reads={
                "id": "4426273741",
                "start_time": moment("2019-05-20 09:05:30"),  # in the list it is startTime, here sessionStartTime
                "duration": timedelta(seconds=27),
                "identity.correlationId": "blabla@ex.com",
                "country_code": None,
            },
        ),
        Case(
            "events",
            lambda client: client.sessions.events(PROJECT, BUILD, SESSION),
            # No document shows them: they may stand in the session or beside it.
            {"session": samples.SESSION["session"] | {"touches": [[1, 2]]}, "events": [{"x": 1}], "status": "ok"},
            query={"fields": "events"},
            reads={
                "id": "4426273741",
                "identity.attr3": "three",
                "model_extra": {"touches": [[1, 2]], "events": [{"x": 1}]},
            },
            emulated=False,
        ),
        Case(
            "events, as far as they are documented",
            lambda client: client.sessions.events(PROJECT, BUILD, SESSION),
            samples.SESSION,
            query={"fields": "events"},
            reads={"id": "4426273741", "model_extra": {}},
        ),
        Case(
            "logs",
            lambda client: client.sessions.logs(PROJECT, BUILD, SESSION),
            samples.LOGS,
            query={"fields": "logs"},
            reads={"": samples.LOGS},
        ),
    ],
    # --- Testers and groups -------------------------------------------------------------------------
    "GET /api/1/testers": [
        Case(
            "present",
            lambda client: client.testers.list(),
            samples.TESTERS,
            reads={
                "0.id": None,
                "0.email": "james@example.com",
                "0.last_login": moment("2025-11-20 14:30:00"),
                "0.created_at": moment("2024-06-15 09:00:00"),
                "0.is_blocked": None,
                "1.groups.1.id": "200",
                "1.groups.1.name": "family",
            },
        ),
        Case(
            "older",
            lambda client: client.testers.list(),
            samples.TESTERS_OLD,
            reads={"0.email": "james@example.com", "0.last_login": None, "1.groups.0.id": "100"},
        ),
        Case(
            "of a build",
            lambda client: client.testers.list(build_id=BUILD),
            # "build-specific fields": which ones was lost in publishing.
            {"status": "ok", "testers": [samples.TESTERS["testers"][0] | {"downloaded": True, "invitedAt": "x"}]},
            query={"buildId": BUILD},
            reads={"0.email": "james@example.com", "0.model_extra": {"downloaded": True, "invitedAt": "x"}},
            emulated=False,
        ),
        Case(
            "of a build, as far as it is documented",
            lambda client: client.testers.list(build_id=BUILD),
            samples.TESTERS,
            query={"buildId": BUILD},
            reads={"1.email": "alice@testfairy.com"},
        ),
    ],
    "POST /api/1/testers/": [
        Case("one", lambda client: client.testers.add(["a@x.example"]), samples.OK, form={"email": "a@x.example"}),
        Case(
            "everything",
            lambda client: client.testers.add(["a@x.example", "b+c@x.example"], group="new friends", notify=True),
            samples.OK,
            form={"email": "a@x.example,b+c@x.example", "group": "new friends", "notify": "on"},
        ),
    ],
    "GET /api/1/testers/{tester-id}": [
        Case(
            "present",
            lambda client: client.testers.get(TESTER),
            samples.TESTER,
            reads={
                "id": "123",
                "email": "james@example.com",
                "is_blocked": False,
                "groups.0.id": "100",
                "groups.0.name": "friends",
                "last_login": moment("2025-11-20 14:30:00"),
                "created_at": moment("2024-06-15 09:00:00"),
            },
        ),
    ],
    "POST /api/1/testers/{tester-id}/block/": [
        Case("present", lambda client: client.testers.block(TESTER), samples.OK),
    ],
    "DELETE /api/1/testers/{tester-id}/block/": [
        Case("present", lambda client: client.testers.unblock(TESTER), samples.OK),
    ],
    "DELETE /api/1/testers/{tester-id}": [
        Case("present", lambda client: client.testers.delete(TESTER), samples.OK),
    ],
    "POST /api/1/testers/groups/{group-id}": [
        Case(
            "present",
            lambda client: client.groups.add_testers(GROUP, ["mara.lindholm@northwind.example"]),
            samples.MEMBERS,
            form={"email": "mara.lindholm@northwind.example"},
            reads={"0.email": "tester1@saucelabs.com", "1.email": "tester2@saucelabs.com", "0.id": None},
        ),
    ],
    "DELETE /api/1/testers/groups/{group-id}": [
        Case(
            "present",
            lambda client: client.groups.remove_testers(GROUP, MEMBERS),
            samples.MEMBERS,
            form={"email": ",".join(MEMBERS)},
            reads={"0.email": "tester1@saucelabs.com", "1.email": "tester2@saucelabs.com"},
        ),
    ],
    "GET /api/1/testers/groups": [
        Case(
            "present",
            lambda client: client.groups.list(),
            samples.GROUPS,
            reads={
                "0.id": "14",
                "0.name": "group1",
                "0.testers.0.email": "tester1@saucelabs.com",  # out of the list in a list
                "0.testers.2.email": "tester3@saucelabs.com",
                "1.id": "39",
                "1.testers.0.email": "tester1@saucelabs.com",
            },
        ),
    ],
    "POST /api/1/testers/groups": [
        Case(
            "facts",
            lambda client: client.groups.create("group3"),
            samples.GROUP,
            form={"groupName": "group3"},
            reads={"id": "40", "name": "group3", "testers": None},
        ),
    ],
    # --- Feedbacks and audits -----------------------------------------------------------------------
    "GET /api/1/feedbacks/": [
        Case(
            "present",
            lambda client: client.feedbacks.list(),
            samples.FEEDBACKS,
            reads={
                "0.id": "54321",
                "0.text": "Feedback working",
                "0.recorded_at": moment("2018-08-01 04:14:46"),  # `recorded_at`
                "0.recorded_at_alternate": moment("2018-08-01 14:14:46"),  # `recordedAt`
                "0.screenshot_url": "https://s3.amazonaws.com/feedback.jpg",
                "0.build_id": "1234",
                "0.project_id": "23456",
                "0.session_id": "8765432",
                "0.source": "shake",
                "0.reported_by": "john@testfairy.com",
            },
        ),
    ],
    "GET /api/1/audits": [
        Case(
            "present",
            lambda client: client.audits.recent(),
            samples.RECENT_AUDITS,
            reads={
                "0.id": "23534603",
                "0.timestamp": moment("2020-04-21 02:31:54"),
                "0.ip_address": "54.235.41.91",
                "0.event_type": "download_app",
                "0.event_data.testerEmail": "john@example.com",
                "0.event_data.filesize": 31348,
            },
        ),
    ],
    "GET /api/2/audits/": [
        Case(
            "first page",
            lambda client: client.audits.list().page(1),
            samples.AUDITS,
            query={"per_page": "100", "page": "1"},
            reads={
                "audits.0.id": "789",
                "audits.0.timestamp": moment("2026-03-01 09:00:00"),
                "audits.0.enterprise_id": "456",
                "audits.0.site_name": "My Organization",
                "audits.0.user_id": "789",
                "audits.0.user_email": "admin@example.com",
                "audits.0.ip_address": "1.2.3.4",
                "audits.0.action_type": 1905,
                "audits.0.action_label": "Security settings changed",
                "audits.0.action_data": {"from": {"mfa_enabled": False}, "to": {"mfa_enabled": True}},
                "pagination.page": 1,
                "pagination.per_page": 50,
                "pagination.total": 315,
                "pagination.total_pages": 7,
            },
        ),
        Case(
            "all filters",
            lambda client: client.audits.list(
                site="northwind-rail",
                action_type=1905,
                start_date=date(2026, 3, 1),
                end_date="2026-05-31",
                per_page=2,
            ).page(2),
            samples.AUDITS,
            query={
                "site": "northwind-rail",
                "action_type": "1905",
                "start_date": "2026-03-01",
                "end_date": "2026-05-31",
                "per_page": "2",
                "page": "2",
            },
            reads={"audits.0.id": "789"},
        ),
    ],
    "GET /api/2/audits/admin-trail/": [
        Case(
            "first page",
            lambda client: client.audits.admin_trail().page(1),
            samples.ADMIN_TRAIL,
            query={"per_page": "100", "page": "1"},
            reads={"audits.0.id": "123", "audits.0.timestamp": moment("2026-02-25 10:30:00"), "pagination.total": 230},
        ),
        Case(
            "all filters",
            lambda client: client.audits.admin_trail(
                site=int(SITE),
                action_type=1905,
                start_date="2026-03-01",
                end_date=date(2026, 5, 31),
                per_page=1,
            ).page(2),
            samples.ADMIN_TRAIL,
            query={
                "site": SITE,
                "action_type": "1905",
                "start_date": "2026-03-01",
                "end_date": "2026-05-31",
                "per_page": "1",
                "page": "2",
            },
            reads={"audits.0.action_data.to.mfa_enabled": True},
        ),
    ],
    "GET /api/2/audits/tester-trail/": [
        Case(
            "first page",
            lambda client: client.audits.tester_trail().page(1),
            samples.TESTER_TRAIL,
            query={"per_page": "100", "page": "1"},
            reads={
                "audits.0.id": "456",
                "audits.0.action_type": 1200,
                "audits.0.action_data": {"emails": ["tester1@example.com", "tester2@example.com"]},
                "pagination.total_pages": 2,
            },
        ),
        Case(
            "all filters",
            lambda client: client.audits.tester_trail(
                site="northwind-travel",
                action_type=1200,
                start_date=date(2026, 3, 1),
                end_date=date(2026, 5, 31),
                per_page=200,
            ).page(1),
            samples.TESTER_TRAIL,
            query={
                "site": "northwind-travel",
                "action_type": "1200",
                "start_date": "2026-03-01",
                "end_date": "2026-05-31",
                "per_page": "200",
                "page": "1",
            },
            reads={"audits.0.action_label": "Invited testers"},
        ),
    ],
    # --- The account --------------------------------------------------------------------------------
    "GET /api/1/cpanel/permissions/": [
        Case(
            "present",
            lambda client: client.permissions.list(),
            samples.PERMISSIONS,
            reads={
                "0.email": "joe@example.com",
                "0.role": "account-owner",
                "0.permissions": ["*:rw"],
                "1.role": "account-manager",
                "2.role": "admin",
                "3.permissions": ["16527:rw", "16517:rw", "69237:r"],
            },
        ),
    ],
    "GET /api/1/webhooks/": [
        Case(
            "present",
            lambda client: client.webhooks.list(),
            samples.WEBHOOKS,
            reads={"0.id": "12", "0.enabled": False, "0.project_ids": ["12345", "45643"]},
        ),
    ],
    "POST /api/1/webhook/": [
        Case(
            "what is required",
            lambda client: client.webhooks.add(name="Slack", url="https://hooks.example/?a=1&b=2"),
            samples.OK,
            form={"webhook-name": "Slack", "webhook-url": "https://hooks.example/?a=1&b=2"},
        ),
        Case(
            "everything",
            lambda client: client.webhooks.add(
                name="Slack",
                url="https://hooks.example/",
                enabled=True,
                actions=["crash", "feedback", "upload", "new-udid"],
                project_ids=[PROJECT, "6905339"],
            ),
            samples.OK,
            form={
                "webhook-name": "Slack",
                "webhook-url": "https://hooks.example/",
                "webhook-status": "true",
                "actions": "crash,feedback,upload,new-udid",
                "webhook-project-ids": f"{PROJECT},6905339",
            },
        ),
    ],
    "GET /api/1/webhook/{webhook-id}/": [
        Case(
            "present",
            lambda client: client.webhooks.get(WEBHOOK),
            samples.WEBHOOK,
            reads={
                "id": "12",
                "status": "0",
                "enabled": False,
                "name": "Slack Webhook @vijay",
                "url": "https://hooks.slack.com/services/",
                "actions": ["crash", "feedback", "upload", "new-udid"],
                "project_ids": ["12345", "45643"],
            },
        ),
    ],
    "POST /api/1/webhook/{webhook-id}/": [
        Case(
            "what is required",
            lambda client: client.webhooks.update(WEBHOOK, name="Slack", url="https://hooks.example/"),
            samples.OK,
            form={"webhook-name": "Slack", "webhook-url": "https://hooks.example/"},
        ),
        Case(
            "everything",
            lambda client: client.webhooks.update(
                WEBHOOK,
                name="Slack",
                url="https://hooks.example/",
                enabled=False,
                actions=["upload"],
                project_ids=EMPTY,
            ),
            samples.OK,
            form={
                "webhook-name": "Slack",
                "webhook-url": "https://hooks.example/",
                "webhook-status": "false",
                "actions": "upload",
                "webhook-project-ids": "",
            },
        ),
    ],
    "DELETE /api/1/webhook/{webhook-id}/": [
        Case("facts", lambda client: client.webhooks.delete(WEBHOOK), samples.OK),
    ],
    "GET /api/1/site/": [
        Case(
            "present",
            lambda client: client.sites.list(),
            samples.SITES,
            reads={
                "accounts.0.id": "1",
                "accounts.0.name": "Site 1",
                "accounts.0.builds_count": 0,
                "accounts.0.users.0.email": "[site-subaccount-682ae46476f9f]",
                "accounts.0.users.1.role": "Account Manager",
                "managers.0.email": "accountmanager@saucelabs.com",
                "managers.0.role": None,
            },
        ),
    ],
    "POST /api/1/site/": [
        Case(
            "what is required",
            lambda client: client.sites.create("Site_4-b"),
            samples.OK,
            form={"name": "Site_4-b"},
        ),
        Case(
            "by SSO",
            lambda client: client.sites.create("Site5", login_method="sso"),
            samples.OK,
            form={"name": "Site5", "loginMethod": "0"},
        ),
        Case(
            "by credentials",
            lambda client: client.sites.create("Site6", login_method="credentials"),
            samples.OK,
            form={"name": "Site6", "loginMethod": "1"},
        ),
    ],
    "DELETE /api/1/site/{site-id}/": [
        Case("facts", lambda client: client.sites.delete(SITE), samples.OK),
    ],
}
