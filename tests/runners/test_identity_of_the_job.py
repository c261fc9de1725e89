"""Signing in without a stored secret, in real runners: the job's ID token, used as it is and exchanged.

act and gitlab-ci-local make no ID tokens themselves. The identity provider of the tests stands in for GitHub's endpoint,
which our action asks over a real socket, and makes the token that GitLab would put into the variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from identity import AUDIENCE, CLIENT_ID, GITHUB_SUBJECT, GITLAB_SUBJECT, IdentityProvider, Trust
from runners.support import EMAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runners.support import Act, GitLab, Service

CONFIG_KEY = "oidc_config_key_0001"
OURS = "sauce-appdist"


@pytest.fixture
def public() -> Iterator[IdentityProvider]:
    """The CI service, which gives ID tokens to every job."""
    with IdentityProvider() as provider:
        yield provider


def trusts(service: Service, issuer: IdentityProvider, audience: str) -> None:
    """An account whose OIDC settings name this issuer."""
    service.ask(
        "POST",
        "/_emulator/reset",
        json={
            "users": [{"email": EMAIL, "api_key": "nw-demo-key-0001"}],
            "oidc": {"config_key": CONFIG_KEY, "issuer": issuer.issuer, "audience": audience, "user": EMAIL},
            "projects": [{"id": 7, "name": "App", "package_name": "com.example", "platform": "Android", "builds": []}],
        },
    )


EXCHANGES = ["none", "client-assertion", "token-exchange"]


def inputs(exchange: str, company: IdentityProvider) -> dict[str, str]:
    if exchange == "none":
        return {"oidc-id-token-audience": OURS}
    return {
        "oidc-exchange": exchange,
        "oidc-issuer": company.issuer,
        "oidc-client-id": CLIENT_ID,
        "oidc-audience": AUDIENCE,
        "oidc-id-token-audience": OURS,
    }


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_on_github(act: Act, service: Service, public: IdentityProvider, exchange: str) -> None:
    with IdentityProvider(trust=Trust(public, OURS, GITHUB_SUBJECT)) as company:
        trusts(service, public if exchange == "none" else company, OURS if exchange == "none" else AUDIENCE)
        run = act.step(
            "check",
            {
                "oidc-provider": "github",
                "oidc-config-key": "${{ secrets.CONFIG_KEY }}",
                "debug": "true",
                **inputs(exchange, company),
            },
            env={"APPDIST_BASE_URL": "${{ vars.APPDIST_BASE_URL }}"},
            secrets={"CONFIG_KEY": CONFIG_KEY},
            runner_env=public.github_env,
        )
        assert run.code == 0
        way = "identity of the job" + (f", exchanged ({exchange})" if exchange != "none" else "")
        assert (run.outputs()["projects"], run.outputs()["sign-in"]) == ("1", way)
        assert f"subject {GITHUB_SUBJECT}" in run.log("job", "it")
        assert len(company.token_requests) == (0 if exchange == "none" else 1)


def test_on_github_without_the_permission(act: Act, service: Service) -> None:
    run = act.step(
        "check",
        {"oidc-provider": "github", "oidc-config-key": CONFIG_KEY},
        env={"APPDIST_BASE_URL": "${{ vars.APPDIST_BASE_URL }}"},
    )
    assert run.exit_code() == 2
    assert any("id-token: write" in text for text in run.commands("error"))
    assert service.writes == []


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_on_gitlab(gitlab: GitLab, service: Service, public: IdentityProvider, exchange: str) -> None:
    with IdentityProvider(trust=Trust(public, OURS, GITLAB_SUBJECT)) as company:
        trusts(service, public if exchange == "none" else company, OURS if exchange == "none" else AUDIENCE)
        token = public.id_token(OURS)
        variables: dict[str, Any] = {
            "APPDIST_BASE_URL": service.url,
            "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
            "APPDIST_ID_TOKEN": token,
        }
        run = gitlab.step(
            "check", {"oidc-provider": "gitlab", **inputs(exchange, company)}, variables=variables, connected=False
        )
        assert (run.code, run.exit_code("it")) == (0, 0)
        assert run.outputs("it")["projects"] == 1
        assert token not in run.output + run.log("it")


def test_on_gitlab_without_the_declaration(gitlab: GitLab, service: Service) -> None:
    run = gitlab.step(
        "check",
        {"oidc-provider": "gitlab"},
        variables={"APPDIST_BASE_URL": service.url, "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY},
        connected=False,
    )
    assert run.exit_code("it") == 2
    assert "id_tokens:" in run.log("it")
