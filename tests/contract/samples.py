"""The sample answers of the vendor's documents, typed in. Nothing is added, left out or put right but brackets.

Unless it says otherwise a sample is from the present document (docs/reference/api-facts.md#sources). Where
that one shows no answer, the text of the documents or of that page says what comes, and the sample's comment says so.
"""

from __future__ import annotations

from typing import Any

OK: dict[str, Any] = {"status": "ok"}

# --- Projects and builds ----------------------------------------------------------------------------

PROJECTS: dict[str, Any] = {
    "status": "ok",
    "projects": [
        {
            "id": "6905338",
            "self": "/projects/19-groupshot",
            "name": "GroupShot",
            "packageName": "com.groupshot",
            "platform": "Android",
            "icon": "[URL TO APP ICON]",
            "landingPageMode": "open",
        }
    ],
}
# The older document: another id, and no landingPageMode.
PROJECTS_OLD: dict[str, Any] = {
    "status": "ok",
    "projects": [
        {
            "id": "19-groupshot",
            "self": "/projects/19-groupshot",
            "name": "GroupShot",
            "packageName": "com.groupshot",
            "platform": "Android",
            "icon": "[URL TO APP ICON]",
        }
    ],
}

_BUILD: dict[str, Any] = {
    "id": "8830728",
    "self": "/projects/6806100-myapplication/builds/8830728",
    "projectId": "6806100",
    "appName": "My Application",
    "appVersion": "DemoApp",
    "appVersionCode": "20",
    "appDisplayName": "My Application - DemoApp (20)",
    "iconUrl": "[APP ICON URL]",
    "appUrl": "[URL TO APK OR IPA FILE]",
    "landingPageMode": "closed",
    "sessions": 6,
    "crashes": 0,
    "testers": 0,
    "feedbacks": 0,
    "downloads": 1,
    "uploadedAt": "2019-04-04 16:03:15",
    "uploadedVia": "[UPLOAD DETAILS]",
    "hasTestFairySdk": True,
    "insightsEnabled": True,
    "videoEnabled": True,
}
BUILDS: dict[str, Any] = {"status": "ok", "builds": [_BUILD]}
BUILD: dict[str, Any] = {"status": "ok", "build": _BUILD}

# The older document: the id is a number, and there is no landingPageMode.
_BUILD_OLD = {name: value for name, value in _BUILD.items() if name != "landingPageMode"} | {"id": 8830728}
BUILDS_OLD: dict[str, Any] = {"status": "ok", "builds": [_BUILD_OLD]}
BUILD_OLD: dict[str, Any] = {"status": "ok", "build": _BUILD_OLD}

UPDATED: dict[str, Any] = {
    "status": "ok",
    "build_id": "8830728",
    "tags": ["production", "v2"],
    "metadata": {"title": "My App Title"},
    "changelog": "New release notes",
    "groups": ["beta-testers", "qa"],
    "landing_page_mode": "open",
}

COPIED: dict[str, Any] = {
    "status": "ok",
    "build_id": "1000",
    "folder_path": "/Project1/Folder1",
    "app_name": "My Application",
    "assigned_groups": ["13", "group14", "12"],
    "invalid_groups": ["abcd", "efgd"],
    "assigned_project_groups": ["group13", "14", "12"],
    "invalid_project_groups": ["abcd", "efgd"],
}

# "Downloads the binary file uploaded to TestFairy" (the older document): no sample, and any bytes.
ARTIFACT = b"PK\x03\x04 any bytes \x00\xff\r\n"

# --- Sessions: in the older document alone ----------------------------------------------------------

SESSIONS: dict[str, Any] = {
    "status": "ok",
    "sessions": [
        {
            "id": 1,
            "self": "/projects/2197059-demoapp/builds/4867553/sessions/1",
            "startTime": "2017-01-22 16:42:40",
            "duration": "15:01",
            "testerEmail": "john@testfairy.com",
            "device": "Samsung - Samsung Galaxy S8",
            "ipAddress": "23.100.122.175",
            "crashed": False,
            "countryName": "United States",
            "countryCode": "us",
        }
    ],
}
# A bracket is missing there: the one of `identity`.
SESSION: dict[str, Any] = {
    "status": "ok",
    "session": {
        "id": 4426273741,
        "sessionStartTime": "2019-05-20 09:05:30",
        "duration": "00:27",
        "testerEmail": "blabla@ex.com",
        "device": "Xiaomi - Redmi S2",
        "ipAddress": "84.94.200.136",
        "crashed": False,
        "identity": {
            "correlationId": "blabla@ex.com",
            "attr3": "three",
            "attr4": "four",
            "attr1": "High",
            "attr2": "1.0",
            "attr5": "Version 1.0",
        },
    },
}
# "Use "logs" to fetch only logs. When loading logs, response will be application/text": no sample.
LOGS = "05-20 09:05:31.004 I/App: started\n05-20 09:05:32.117 W/App: Zürich … 地図 not cached\n"

# --- Testers and groups -----------------------------------------------------------------------------

TESTERS: dict[str, Any] = {
    "status": "ok",
    "testers": [
        {
            "email": "james@example.com",
            "groups": [{"id": 100, "name": "friends"}],
            "lastLogin": "2025-11-20 14:30:00",
            "createdAt": "2024-06-15 09:00:00",
        },
        {
            "email": "alice@testfairy.com",
            "groups": [{"id": 100, "name": "friends"}, {"id": 200, "name": "family"}],
            "lastLogin": "2026-01-10 08:45:00",
            "createdAt": "2024-03-22 11:30:00",
        },
    ],
}
# The older document, where the groups' names have no quotes: no times.
TESTERS_OLD: dict[str, Any] = {
    "status": "ok",
    "testers": [
        {"email": "james@example.com", "groups": [{"id": 100, "name": "friends"}]},
        {
            "email": "alice@testfairy.com",
            "groups": [{"id": 100, "name": "friends"}, {"id": 200, "name": "family"}],
        },
    ],
}
TESTER: dict[str, Any] = {
    "status": "ok",
    "tester": {
        "id": 123,
        "email": "james@example.com",
        "isBlocked": False,
        "groups": [{"id": 100, "name": "friends"}],
        "lastLogin": "2025-11-20 14:30:00",
        "createdAt": "2024-06-15 09:00:00",
    },
}

# The members after adding and after removing: the two samples are the same.
MEMBERS: dict[str, Any] = {
    "status": "ok",
    "testers": [{"email": "tester1@saucelabs.com"}, {"email": "tester2@saucelabs.com"}],
}
GROUPS: dict[str, Any] = {
    "status": "ok",
    "groups": [
        {
            "id": 14,
            "name": "group1",
            "testers": [
                [
                    {"email": "tester1@saucelabs.com"},
                    {"email": "tester2@saucelabs.com"},
                    {"email": "tester3@saucelabs.com"},
                ]
            ],
        },
        {"id": 39, "name": "group2", "testers": [[{"email": "tester1@saucelabs.com"}]]},
    ],
}
# From docs/reference/api-facts.md#groups: the document has the heading alone.
GROUP: dict[str, Any] = {"status": "ok", "id": "40", "name": "group3"}

# --- Feedbacks and audits ---------------------------------------------------------------------------

FEEDBACKS: dict[str, Any] = {
    "status": "ok",
    "feedbacks": [
        {
            "recorded_at": "2018-08-01 04:14:46",
            "text": "Feedback working",
            "feedbackId": "54321",
            "screenshotUrl": "https://s3.amazonaws.com/feedback.jpg",
            "buildId": "1234",
            "projectId": "23456",
            "recordedAt": "2018-08-01 14:14:46",
            "source": "shake",
            "reported_by": "john@testfairy.com",
            "session_id": "8765432",
        }
    ],
}

RECENT_AUDITS: dict[str, Any] = {
    "status": "ok",
    "audits": [
        {
            "id": 23534603,
            "timestamp": "2020-04-21 02:31:54",
            "ipAddress": "54.235.41.91",
            "eventType": "download_app",
            "eventData": {
                "projectId": 6833287,
                "buildId": 9087976,
                "appName": "MyApp",
                "appVersion": "1.0 (10)",
                "testerEmail": "john@example.com",
                "filesize": 31348,
            },
        }
    ],
}
AUDITS: dict[str, Any] = {
    "status": "ok",
    "audits": [
        {
            "id": 789,
            "timestamp": "2026-03-01 09:00:00",
            "enterpriseId": 456,
            "siteName": "My Organization",
            "userId": 789,
            "userEmail": "admin@example.com",
            "ipAddress": "1.2.3.4",
            "actionType": 1905,
            "actionLabel": "Security settings changed",
            "actionData": {"from": {"mfa_enabled": False}, "to": {"mfa_enabled": True}},
        }
    ],
    "pagination": {"page": 1, "per_page": 50, "total": 315, "total_pages": 7},
}
ADMIN_TRAIL: dict[str, Any] = {
    "status": "ok",
    "audits": [
        {
            "id": 123,
            "timestamp": "2026-02-25 10:30:00",
            "enterpriseId": 456,
            "siteName": "My Organization",
            "userId": 789,
            "userEmail": "admin@example.com",
            "ipAddress": "1.2.3.4",
            "actionType": 1905,
            "actionLabel": "Security settings changed",
            "actionData": {"from": {"mfa_enabled": False}, "to": {"mfa_enabled": True}},
        }
    ],
    "pagination": {"page": 1, "per_page": 50, "total": 230, "total_pages": 5},
}
TESTER_TRAIL: dict[str, Any] = {
    "status": "ok",
    "audits": [
        {
            "id": 456,
            "timestamp": "2026-02-25 14:15:00",
            "enterpriseId": 456,
            "siteName": "My Organization",
            "userId": 789,
            "userEmail": "admin@example.com",
            "ipAddress": "1.2.3.4",
            "actionType": 1200,
            "actionLabel": "Invited testers",
            "actionData": {"emails": ["tester1@example.com", "tester2@example.com"]},
        }
    ],
    "pagination": {"page": 1, "per_page": 50, "total": 85, "total_pages": 2},
}

# --- The account ------------------------------------------------------------------------------------

# Its names have no quotes there, and a comma is too much.
PERMISSIONS: dict[str, Any] = {
    "status": "ok",
    "admins": [
        {"email": "joe@example.com", "role": "account-owner", "permissions": ["*:rw"]},
        {"email": "bob@example.com", "role": "account-manager", "permissions": ["*:rw"]},
        {"email": "alice@example.com", "role": "admin", "permissions": ["*:rw"]},
        {"email": "michael@example.com", "role": "admin", "permissions": ["16527:rw", "16517:rw", "69237:r"]},
    ],
}

_WEBHOOK: dict[str, Any] = {
    "id": 12,
    "status": "0",
    "name": "Slack Webhook @vijay",
    "url": "https://hooks.slack.com/services/",
    "actions": "crash,feedback,upload,new-udid",
    "projectIds": "12345,45643",
}
WEBHOOKS: dict[str, Any] = {"status": "ok", "webhooks": [_WEBHOOK]}
WEBHOOK: dict[str, Any] = {"status": "ok", "webhook": _WEBHOOK}

SITES: dict[str, Any] = {
    "status": "ok",
    "site": {
        "accounts": [
            {
                "id": "1",
                "name": "Site 1",
                "buildsCount": 0,
                "users": [
                    {"email": "[site-subaccount-682ae46476f9f]", "role": "Account Owner"},
                    {"email": "sitemanager@saucelabs.com", "role": "Account Manager"},
                ],
            }
        ],
        "managers": [{"email": "accountmanager@saucelabs.com"}],
    },
}
