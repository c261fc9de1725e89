"""The account: signing in, starting from a seed, and a snapshot of everything."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from appdist_emulator.seed import RejectedToken, SeedError, parse_seed, parse_settings
from appdist_emulator.state.base import folder_path, group_names
from appdist_emulator.state.company import Company
from appdist_emulator.state.lives import Lives
from appdist_emulator.state.people import People
from appdist_emulator.state.records import Build, Project, Refusal, Rules, Site, Tester, Webhook
from appdist_emulator.tokens import TokenError, Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appdist_emulator.seed import Oidc, Seed, Settings, User


class Account(Lives, People, Company):
    """One company's account. Each public method is one request: it locks, checks, then acts.

    A refused request changes nothing. Raises SeedError if the seed is invalid.
    """

    def __init__(self, data: Mapping[str, Any], rules: Rules) -> None:
        seed = parse_seed(data)
        super().__init__(seed, rules)
        self._load(seed)
        self._seeded_audits = self._audits[-1].id if self._audits else 0
        self._begin_lives(seed)
        self._verifier = _verifier(seed)

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def oidc(self) -> Oidc | None:
        return self._seed.oidc

    def configure(self, changes: Mapping[str, Any]) -> Settings:
        """Change some settings. Raises SeedError, and then changes nothing."""
        with self._lock:
            settings = parse_settings({**self._settings.model_dump(), **changes})
            ignored = [name for name in changes if name in self._rules.ignored_settings]
            if ignored:
                raise SeedError("\n".join(f"{name}: has no effect in this dialect" for name in ignored))
            self._settings = settings
            return settings

    # --- signing in -------------------------------------------------------------------------------

    def user_of_basic(self, email: str, api_key: str) -> User:
        """HTTP Basic `email:api-key` (docs/reference/api-facts.md#signing-in)."""
        with self._lock:
            user = self._users.get(email.lower())
            if user is None or user.api_key != api_key:
                # The same for both, so as not to reveal which is wrong: docs/reference/api-facts.md#wrong-credentials.
                raise Refusal(104, "User not found", 401)
            return self._not_blocked(user, 401)

    def user_of_token(self, token: str | None, config_key: str | None) -> User:
        """OIDC: a bearer token and the organisation's config key (docs/reference/api-facts.md#oidc)."""
        oidc = self._seed.oidc
        if config_key is None:
            raise Refusal(104, "X-OIDC-Config-Key header required", 401)
        if oidc is None:
            raise Refusal(104, "OIDC not enabled for this organization", 401)
        if config_key != oidc.config_key:
            raise Refusal(104, "Invalid config key", 401)
        known = oidc.tokens.get(token or "")
        if isinstance(known, RejectedToken):
            raise Refusal(104, known.error, 401)
        if known is None:
            known = self._verified(token or "")
        with self._lock:
            user = self._users.get(known.lower())
            if user is None:  # a tester who has been deleted
                raise Refusal(104, "User not found", 401)
            return self._not_blocked(user, 401)

    def _verified(self, token: str) -> str:
        """Return the e-mail address of the token's user. Holds no lock: the issuer may be slow."""
        oidc = self._seed.oidc
        if not oidc or not oidc.user or not self._verifier:
            raise Refusal(104, "Invalid token signature", 401)
        try:
            self._verifier.check(token)
        except TokenError as error:
            raise Refusal(104, error.message, 401) from None
        return oidc.user

    def user_of_upload_key(self, api_key: str) -> User:
        """Return the user of the upload's `api_key` field, which has no e-mail address.

        Source: docs/reference/api-facts.md#signing-in.
        """
        return self._user_with_key(api_key, Refusal(5, "Invalid API key", 200))

    def user_of_api_key(self, api_key: str) -> User:
        """Compat's `X-API-Key` and `api_key` (docs/reference/api-facts.md#dialects)."""
        return self._user_with_key(api_key, Refusal(104, "User not found", 401))

    def _user_with_key(self, api_key: str, wrong: Refusal) -> User:
        with self._lock:
            for user in self._users.values():
                if api_key and user.api_key == api_key:
                    return self._not_blocked(user, wrong.http)
            raise wrong

    def _not_blocked(self, user: User, http: int) -> User:
        tester = self._testers.get(user.email.lower())
        if user.role == "tester" and tester and tester.blocked:
            raise Refusal(5, "Tester is blocked", http)
        return user

    def secrets(self) -> set[str]:
        """Return every secret that the log must hide."""
        found = {user.api_key for user in self._seed.users}
        if self._seed.oidc:
            found |= {self._seed.oidc.config_key, *self._seed.oidc.tokens}
        return found

    # --- for tests and demos ----------------------------------------------------------------------

    def snapshot(self, base: str) -> dict[str, Any]:
        """Return the account with its hidden builds, but without keys, sessions and the seed's audits."""
        with self._lock:
            invitations: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
            for one in self._invitations:
                invitations[one["build_id"]].append(one)
            return {
                "company": self._seed.company,
                "requireLogin": self._settings.require_login,
                "folders": list(self._folders),
                "projects": [
                    {
                        **self._project_view(project, base),
                        "folderPath": project.folder,
                        "groups": group_names(project.groups),
                        "builds": [
                            self._build_snapshot(project, build, base, invitations[str(build.id)])
                            for build in project.builds.values()
                        ],
                    }
                    for project in self._projects.values()
                ],
                "groups": [
                    {"id": group.id, "name": group.name, "testers": list(group.members)}
                    for group in self._groups.values()
                ],
                "testers": [tester.email for tester in self._testers.values()],
                "blockedTesters": [tester.email for tester in self._testers.values() if tester.blocked],
                "invitations": [dict(one) for one in self._invitations],
                "outbox": self.outbox(),
                "feedbacks": self._feedbacks(None, base),
                "webhooks": self._webhooks_view(),
                "site": self._sites_view(),
                "audits": self._audits_since(self._seeded_audits),
            }

    def outbox(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._outbox)

    # --- inside; the lock is held -----------------------------------------------------------------

    def _load(self, seed: Seed) -> None:
        for tester in seed.testers:
            self._testers[tester.email.lower()] = Tester(
                tester.id or next(self._tester_ids),
                tester.email,
                tester.last_login,
                tester.created_at or self._started,
                tester.blocked,
            )
        for group in seed.groups:
            loaded = self._new_group(group.name, group.id)
            loaded.members = list(dict.fromkeys(self._tester(email).email for email in group.testers))
        for folder in seed.folders:
            self._add_folder(folder_path(folder))
        for webhook in seed.webhooks:
            hook = Webhook(**webhook.model_dump(exclude={"id"}), id=webhook.id or next(self._webhook_ids))
            self._webhooks[hook.id] = hook
        for site in seed.sites:
            created = Site(**site.model_dump(exclude={"id"}), id=site.id or next(self._site_ids))
            self._sites[created.id] = created
        for wanted in seed.projects:
            project = Project(
                id=wanted.id or next(self._project_ids),
                name=wanted.name,
                package_name=wanted.package_name,
                platform=wanted.platform,
                folder=folder_path(wanted.folder),
                landing_page_mode=wanted.landing_page_mode,
                groups=self._named(wanted.groups),
            )
            self._add_folder(project.folder)
            self._projects[project.id] = project
            for build in wanted.builds:
                other = {
                    "id",
                    "groups",
                    "uploaded_at",
                    "visible_after",
                    "recorded_sessions",
                    "recorded_feedbacks",
                    "life",
                    "shows_counters",
                    "shows_uploaded_at",
                }
                number = build.id or next(self._build_ids)
                project.builds[number] = Build(
                    **build.model_dump(exclude=other),
                    id=number,
                    groups=self._named(build.groups),
                    uploaded_at=build.uploaded_at or self._started,
                    shows_instead=build.shows_counters | build.shown_time(),
                    visible_at=time.monotonic() + build.visible_after if build.visible_after else 0.0,
                )
                self._load_recordings(build, project, project.builds[number])
        if seed.audit_history:
            self._generate_history(seed.audit_history)


def _verifier(seed: Seed) -> Verifier | None:
    oidc = seed.oidc
    if not oidc or not oidc.issuer or not oidc.audience:
        return None
    return Verifier(oidc.issuer, oidc.audience, scopes=oidc.scopes, jwks_url=oidc.jwks_url, leeway=oidc.leeway)
