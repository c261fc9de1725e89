"""The steps of the matrix: what runs, in which CI system, by which way to sign in, on which account."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from appdist_emulator.seed import default_seed
from harness import ANDROID, EMAIL, NEWEST_ANDROID
from identity import AUDIENCE, CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

# No beginning of eight characters of these is in any other text.
API_KEY = "kq7Zx-vw93+Bnpl/44aa%Jt"
CONFIG_KEY = "cfgZq77-xkv9-wwjq"
STATIC_TOKEN = "tknQw8.zzy3-vvkq-0815"
CLIENT_SECRET = "scrWq:5%/x'w+v=&\"jqz"
REQUEST_TOKEN = "rqtZv-4711-kkwq-9933"
NETRC_PASSWORD = "ntrcQz-8822-vvwk"
ID_TOKEN_AUDIENCE = AUDIENCE
SECRETS = (
    *(API_KEY, CONFIG_KEY, STATIC_TOKEN, CLIENT_SECRET, REQUEST_TOKEN, NETRC_PASSWORD),
    base64.b64encode(f"{EMAIL}:{API_KEY}".encode()).decode(),
    base64.b64encode(f"{CLIENT_ID}:{quote(CLIENT_SECRET, safe='')}".encode()).decode(),
)
Place = Literal["github", "gitlab", "json", "api"]
SignIn = Literal["basic", "token", "client", "client-basic", "job", "job-exchange", "job-assertion"]
BUILD = {"project-id": ANDROID, "build-id": NEWEST_ANDROID}
CREW = {"project-id": "6931217", "build-id": "8899610"}
PROMOTED = {"project-id": ANDROID, "build-id": "8861204"}  # its copy is in the folder already
ALL_SHOWN = {"build": ["tags", "comment", "groups", "metadata"], "project": ["folderPath"]}


@dataclass(frozen=True)
class Step:
    """One row. `words` is the command, `shows` what the service shows beyond the documents."""

    name: str
    words: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    place: Place = "github"
    sign_in: SignIn = "basic"
    dialect: Literal["classic", "compat"] = "classic"
    shows: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def is_api(self) -> bool:
        return self.place == "api"

    @property
    def dry(self) -> bool:
        return self.inputs.get("dry-run") == "true"

    def argv(self) -> list[str]:
        """The arguments of the command; in a CI system the inputs are in the environment."""
        options = [part for name, text in self.inputs.items() for part in (f"--{name}", text)]
        match self.place:
            case "api":
                return [*self.words.split(), *options, "--json"]
            case "json":
                return [self.words, *options, "--json"]
            case _:
                return [self.words]

    def environment(self, address: str, tls: bool, timeout: str) -> dict[str, str]:
        """What the job has around it."""
        environ = {
            "APPDIST_BASE_URL": f"http{'s' if tls else ''}://{address}",
            "APPDIST_TIMEOUT": timeout,
            "APPDIST_RETRIES": "1",
            "APPDIST_DEBUG": "true",
            **_sign_in(self.sign_in, address),
        }
        if self.place in {"github", "gitlab"}:
            environ |= {f"APPDIST_INPUT_{name.upper().replace('-', '_')}": text for name, text in self.inputs.items()}
        if self.place == "github":
            environ |= {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "8b04f5d8", "GITHUB_RUN_ATTEMPT": "1"}
        if self.place == "gitlab":
            environ |= {"GITLAB_CI": "true", "CI_COMMIT_SHA": "8b04f5d8"}
        return environ

    def seed(self, issuer: str) -> dict[str, Any]:
        """The account, which trusts the issuer."""
        seed = default_seed()
        seed["users"] = [{"email": EMAIL, "api_key": API_KEY, "permissions": ["*:rw"], "role": "account-owner"}]
        seed["oidc"] = {"config_key": CONFIG_KEY, "tokens": {STATIC_TOKEN: EMAIL}, "user": EMAIL}
        seed["oidc"] |= {"issuer": issuer, "audience": AUDIENCE}
        seed["shows"] = dict(self.shows)
        seed["audit_history"] = {"entries": 5, "since": "2026-03-03 09:00:00", "until": "2026-05-30 18:00:00"}
        return seed


def _sign_in(way: SignIn, address: str) -> dict[str, str]:
    oidc: dict[str, str] = {"config_key": CONFIG_KEY}
    around: dict[str, str] = {}
    match way:
        case "basic":
            return {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY}
        case "token":
            oidc["token"] = STATIC_TOKEN
        case "client":
            oidc |= {"issuer": f"http://{address}/idp", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        case "client-basic":
            oidc |= {"token_url": f"http://{address}/idp/token", "client_id": CLIENT_ID, "client_auth": "basic"}
            oidc["client_secret"] = CLIENT_SECRET
        case _:
            oidc |= {"provider": "github", "id_token_audience": AUDIENCE}
            around = {
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://{address}/actions/idtoken?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
            }
    if way == "job-exchange":
        oidc |= {"exchange": "token-exchange", "issuer": f"http://{address}/idp"}
    if way == "job-assertion":
        oidc |= {"exchange": "client-assertion", "token_url": f"http://{address}/idp/token", "client_id": CLIENT_ID}
    return {f"APPDIST_OIDC_{name.upper()}": text for name, text in oidc.items()} | around


_MAIL = {"groups": "QA", "notify": "true", "message": "Hello"}
_ALL = {
    **BUILD,
    "to-folder": "Release Candidates",
    "copy-groups": "QA",
    "tags": "rc",
    "release-notes": "Notes",
    "metadata": "k=v",
    "source-tags": "promoted",
    **_MAIL,
}
STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("check", "check"),
        Step("check-client", "check", sign_in="client", place="json"),
        Step("check-job", "check", sign_in="job"),
        Step("find", "find", BUILD),
        Step("find-latest", "find", {"package-name": "com.northwind.crew", "build-id": "latest"}, place="gitlab"),
        Step("find-exchange", "find", BUILD, sign_in="job-exchange"),
        Step("gate", "gate", {**BUILD, "min-sessions": "5", "max-crash-rate": "50%", "max-feedbacks": "3"}),
        Step("tag", "tag", {**BUILD, "tags": "a, b"}),
        Step("tag-add", "tag", {**BUILD, "tags": "a", "tags-mode": "add"}, shows=ALL_SHOWN, place="gitlab"),
        Step("tag-client", "tag", {**BUILD, "tags": "a"}, sign_in="client-basic"),
        Step("tag-dry", "tag", {**BUILD, "tags": "a", "dry-run": "true"}, place="json"),
        Step(
            "annotate",
            "annotate",
            {**BUILD, "release-notes-file": "notes.md", "metadata": "k=v", "permission-groups": "QA, Beta Testers"}
            | {"tags": "c", "landing-page-mode": "open"},
        ),
        Step("annotate-token", "annotate", {**CREW, "release-notes": "Hello"}, sign_in="token", place="gitlab"),
        Step("copy", "copy", {**BUILD, "to-folder": "QA", "copy-groups": "QA", "copy-project-groups": "QA"}),
        Step("copy-new", "copy", {**BUILD, "to-folder": "Nightly", "if-exists": "skip"}, shows=ALL_SHOWN),
        Step(
            "copy-skip",
            "copy",
            {**PROMOTED, "to-folder": "Release Candidates", "if-exists": "skip"},
            shows=ALL_SHOWN,
            place="gitlab",
        ),
        Step("copy-dry", "copy", {**BUILD, "to-folder": "QA", "dry-run": "true"}, place="json"),
        Step("invite", "invite", {**BUILD, **_MAIL}),
        Step("invite-silent", "invite", {**BUILD, "groups": "QA, Stakeholders"}, place="json"),
        Step("invite-job", "invite", {**BUILD, **_MAIL}, sign_in="job-assertion"),
        Step("promote", "promote", _ALL),
        Step("promote-shown", "promote", {**_ALL, "if-exists": "skip"}, shows=ALL_SHOWN, place="gitlab"),
        Step("promote-json", "promote", {**BUILD, "to-folder": "QA", "groups": "QA"}, place="json"),
        Step(
            "promote-skip",
            "promote",
            {**PROMOTED, "to-folder": "Release Candidates", "if-exists": "skip", "tags": "rc", "groups": "QA"}
            | {"notify": "if-copied"},
            shows=ALL_SHOWN,
        ),
        Step("promote-there", "promote", {**BUILD, "tags": "x", "release-notes": "N", **_MAIL}, place="gitlab"),
        Step("promote-gate", "promote", {**BUILD, "to-folder": "QA", "min-sessions": "5", "groups": "QA"}),
        Step("promote-dry", "promote", {**_ALL, "dry-run": "true"}),
        Step(
            "promote-compat",
            "promote",
            {**BUILD, "to-folder": "QA", "tags": "rc", "allow-notify-everybody": "true", **_MAIL},
            dialect="compat",
        ),
        Step("promote-client", "promote", {**BUILD, "to-folder": "QA", **_MAIL}, sign_in="client"),
        Step("api-projects", "api projects list", place="api"),
        Step("api-update", "api builds update", {**BUILD, "tags": "d", "metadata": "k=v"}, place="api"),
        Step("api-copy", "api builds copy", {**BUILD, "to-folder": "QA", "groups": "QA"}, place="api"),
        Step(
            "api-invite", "api builds invite", {**BUILD, "groups": "QA", "notify": "true", "yes": "true"}, place="api"
        ),
        Step("api-testers", "api testers add", {"emails": "new@x.example", "group": "QA"}, place="api"),
        Step("api-delete", "api builds delete", {**CREW, "yes": "true"}, place="api"),
        Step("api-audits", "api audits list", {"all": "true"}, place="api"),
        Step("download", "api builds download", {**BUILD, "to": "app.apk"}, place="api"),
        Step("download-compat", "api builds download", {**BUILD, "to": "app.apk"}, place="api", dialect="compat"),
    )
}
