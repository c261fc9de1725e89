"""What both runners are given: one run of every step, texts that try to get out, and a workspace that does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from runners.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from runners.support import Files

PROJECT, BUILD = "6905338", "8911080"  # where the emulator puts the first upload
COPY_PROJECT, COPY = "6940502", "8911081"
QA = ["mara.lindholm@northwind.example", "tomas.vega@northwind.example", "ines.okafor@northwind.example"]
STAKEHOLDERS = ["helen.ward@northwind.example", "david.cho@northwind.example"]
NOTES = "Seat maps 🚆\n\n- for \"rail\" & 'night' trains\n- costs `$5` at $HOME, $(whoami), ${PATH}, $$, %PATH%, \\n\n  indented: | > # - {}"
LONG_NOTES = "Zeile für Zeile 🚆 " * 4545 + "\nEnde."  # 100 kB

# A build script that makes an "APK" which the emulator can read.
GRADLEW = """#!/usr/bin/env python3
import json, pathlib, zipfile
apk = pathlib.Path("app/build/outputs/apk/release/app-release.apk")
apk.parent.mkdir(parents=True)
app = {"packageName": "com.northwind.travel", "appName": "Northwind Travel"}
with zipfile.ZipFile(apk, "w") as file:
    file.writestr("appdist.json", json.dumps(app | {"appVersion": "5.0.0", "appVersionCode": "5000"}))
"""


@dataclass(frozen=True)
class Case:
    """A run of one step: what it gets, what it puts out, and what the service holds then."""

    inputs: dict[str, str]
    outputs: dict[str, str]
    holds: dict[str, Any]
    on: str = BUILD


# What find and promote tell of the upload.
FOUND = {
    "project-id": PROJECT,
    "build-id": BUILD,
    "app-name": "Northwind Travel",
    "package-name": "com.northwind.travel",
    "platform": "Android",
    "app-version": "5.0.0",
    "version-code": "5000",
    "landing-page-mode": "closed",
    "sessions": "0",
    "crashes": "0",
    "testers": "0",
    "feedbacks": "0",
    "downloads": "0",
}

CASES = {
    "check": Case({}, {"sign-in": "API key with e-mail", "projects": "4", "dialect": "classic"}, {}),
    "find": Case(
        {"wait-for-build": "30s"},
        FOUND,
        {"tags": []},
    ),
    "gate": Case(
        {"min-downloads": "0", "max-feedbacks": "0"},
        {name: text for name, text in FOUND.items() if name not in {"package-name", "platform"}}
        | {"verdict": "passed", "reason": "Passed: min-downloads, max-feedbacks.", "looks": "1"},
        {},
    ),
    "tag": Case(
        {"tags": "nightly, release\nnightly"},
        {"app-name": "Northwind Travel", "tags": "nightly,release", "changed": "true"},
        {"tags": ["nightly", "release"]},
    ),
    "annotate": Case(
        {
            "release-notes": NOTES,
            "metadata": "ticket=APP-1 = x",
            "landing-page-mode": "open",
            "permission-groups": "QA",
        },
        {
            "app-name": "Northwind Travel",
            "changed": "true",
            "release-notes": NOTES,
            "permission-groups": "QA",
            "landing-page-mode": "open",
            "metadata": '{"ticket": "APP-1 = x"}',
        },
        {"changelog": NOTES, "metadata": {"ticket": "APP-1 = x"}, "landingPageMode": "open", "groups": ["QA"]},
    ),
    "copy": Case(
        {"to-folder": "Release Candidates", "copy-groups": "QA, 21"},
        {
            "app-name": "Northwind Travel",
            "package-name": "com.northwind.travel",
            "promoted-build-id": COPY,
            "promoted-project-id": COPY_PROJECT,
            "folder-path": "/Release Candidates",
            "promoted-app-name": "Northwind Travel",
            "assigned-groups": "QA,21",  # the service answers with what it was sent
            "assigned-project-groups": "QA",
            "copied": "true",
        },
        {"folderPath": "/Release Candidates", "appVersion": "5.0.0", "groups": ["QA", "Stakeholders"]},
        on=COPY,
    ),
    "invite": Case(
        {"groups": "21", "message": NOTES, "notify": "true", "allow-notify-everybody": "true"},
        {"app-name": "Northwind Travel", "invited-groups": "Stakeholders", "notified": "true"},
        {"groups": ["Stakeholders"]},
    ),
    "promote": Case(
        {
            "to-folder": "Release Candidates",
            "copied-app-name": "Northwind Travel RC",
            "tags": "rc",
            "source-tags": "promoted",
            "release-notes": NOTES,
            "groups": "QA",
            "notify": "true",
            "allow-notify-everybody": "true",
        },
        {
            **FOUND,
            "promoted-build-id": COPY,
            "promoted-project-id": "6940503",
            "folder-path": "/Release Candidates",
            "promoted-app-name": "Northwind Travel RC",
            "assigned-project-groups": "QA",
            "copied": "true",
            "changed": "true",
            "release-notes": NOTES,
            "tags": "rc",
            "invited-groups": "QA",
            "notified": "true",
            "completed-steps": "find,check,copy,annotate,tag,source-tag,invite",
        },
        {"folderPath": "/Release Candidates", "appName": "Northwind Travel RC", "tags": ["rc"], "changelog": NOTES},
        on=COPY,
    ),
}
# Links, times and empty JSON, which each test looks at in its own way or not at all.
UNTOLD = {
    "uploaded-at",
    "build-url",
    "promoted-build-url",
    "dry-run",
    "metadata",
    "host",
    "sunset",
    "checks",
    "judged-at",
    "platform",
}


def expected(case: Case, dialect: str) -> dict[str, str]:
    """What a case puts out; a newer server's build has fewer fields. The answer to an update has the landing page."""
    if dialect == "classic":
        return case.outputs
    hidden = {"sessions", "crashes", "testers", "feedbacks"}
    if "changed" not in case.outputs:
        hidden.add("landing-page-mode")
    # A newer server does not tell whom it mails.
    other = {"dialect": dialect, "notified": "unknown"}
    return {name: other.get(name, text) for name, text in case.outputs.items() if name not in hidden}


def told(outputs: dict[str, Any], case: Case) -> dict[str, str]:
    """The outputs to compare, as text; empty is unknown."""
    texts = {name: as_text(value) for name, value in outputs.items() if name in case.outputs or name not in UNTOLD}
    return {name: text for name, text in texts.items() if text}


def as_text(value: Any) -> str:
    """As docs/ has it: true and false, commas between items, JSON objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def inputs_of(step: str) -> dict[str, dict[str, Any]]:
    """The inputs that a step's action declares."""
    path = ROOT / ("action.yml" if step == "promote" else f"actions/{step}/action.yml")
    inputs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["inputs"]
    return inputs


def evil(witness: Path) -> str:
    """A text that makes a file, if a shell ever sees it as more than text."""
    touch = f"touch {witness}"
    return f"\"; {touch}; \" '; {touch}; ' $({touch}) `{touch}` && {touch} | {touch} & ${{IFS}}"


def hostile(folder: str, line: str, text: str) -> dict[str, str]:
    """A promotion with such a text in every place; `line` where GitLab would expand variables."""
    return {
        "to-folder": folder,
        "copied-app-name": line,
        "tags": line,
        "release-notes": text,
        "metadata": f"key={text}",
        "groups": "QA",
        "message": text,
        "notify": "true",
    }


# What a hostile service may name its apps and say in its errors.
COMMANDS = "::error::owned ##[error]owned | a | b | ::set-output name=build-id::666"
LINES = "\n::error::owned\n##[error]owned\n::set-output name=build-id::666\nAPPDIST_BUILD_ID=666\r\x1b[0Ksection_start:1:owned\r"


def hostile_seed() -> dict[str, Any]:
    """An account of one app and one build, whose names try to be commands, rows and variables."""
    return {
        "users": [{"email": "ci@northwind.example", "api_key": "nw-demo-key-0001"}],
        "groups": [{"id": 1, "name": f"QA {COMMANDS}", "testers": ["a@northwind.example"]}],
        "projects": [
            {
                "id": 7,
                "name": f"Travel {COMMANDS}{LINES}",
                "package_name": "com.example.travel",
                "platform": "Android",
                "builds": [{"id": 70, "version": f"1.0{LINES}", "version_code": "1"}],
            }
        ],
    }


def hostile_workspace(witness: Path) -> Files:
    """Modules of the names that we import, and settings that installers read; each leaves a trace."""
    trace = f"open({str(witness)!r}, 'a').write(__name__ + '\\n')\n"
    names = ("requests", "sauce_appdist", "pydantic", "github_action_utils", "pip", "urllib3")
    files: Files = {f"{name}/__init__.py": trace for name in names}
    files |= {f"{name}.py": trace for name in ("sitecustomize", "usercustomize", "json", "startup")}
    files["requirements.lock"] = "not-there==1.0\n"
    files["pyproject.toml"] = files["uv.toml"] = "this is [no TOML\n"
    return files
