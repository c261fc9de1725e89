"""Which inputs form a sign-in method: exactly one is accepted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from auth.support import CLIENT, CONFIG_KEY, EXCHANGES, INPUT, SECRET, by_secret, refused
from harness import API_KEY, BUILD, EMAIL, Run, Service
from identity import AUDIENCE, CLIENT_SECRET, IdentityProvider
from sauce_appdist.errors import InputError
from sauce_appdist.interface.environment import gather, parse
from sauce_appdist.interface.inputs import ConnectionInputs

if TYPE_CHECKING:
    from collections.abc import Callable


SOME = {
    "email": EMAIL,
    "api_key": API_KEY,
    "oidc_config_key": CONFIG_KEY,
    "oidc_token": "t0ken-0001",
    "oidc_provider": "github",
    "oidc_id_token_audience": "api://other",
    "oidc_exchange": "client-assertion",
    "oidc_issuer": "https://login.example/",
    "oidc_token_url": "https://login.example/token",
    "oidc_client_id": "ci-client",
    "oidc_client_secret": SECRET,
    "oidc_audience": AUDIENCE,
    "oidc_scope": "builds:write",
    "oidc_token_format": "json",
    "oidc_client_auth": "basic",
}
BASIC = {"email", "api_key"}
ENDPOINT = {"oidc_token_url", "oidc_issuer"}
REQUEST = {"oidc_audience", "oidc_scope", "oidc_token_format"}


def documented(given: set[str], exchange: str = "client-assertion") -> bool:
    """Whether docs/reference/sign-in.md has a row for just these inputs."""
    if given in ({"api_key"}, BASIC):
        return True
    oidc = given - {"oidc_config_key"}
    if oidc == given or oidc & BASIC:
        return False
    if oidc == {"oidc_token"}:
        return True
    if "oidc_provider" in oidc:
        more = oidc - {"oidc_provider", "oidc_id_token_audience"}
        # Whose assertion it is has to be said.
        known = exchange == "token-exchange" or "oidc_client_id" in more
        exchanged = "oidc_exchange" in more and len(more & ENDPOINT) == 1 and known
        return not more or (exchanged and more <= {"oidc_exchange", "oidc_client_id"} | ENDPOINT | REQUEST)
    client = {"oidc_client_id", "oidc_client_secret"}
    return len(oidc & ENDPOINT) == 1 and client <= oidc <= client | {"oidc_client_auth"} | ENDPOINT | REQUEST


def accepted(texts: dict[str, str]) -> str:
    """Nothing if these inputs are a way to sign in, else the message."""
    try:
        parse(ConnectionInputs, texts)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_just_the_documented_ways_are_accepted(exchange: str) -> None:
    """Every subset of the inputs there is."""
    odd: list[str] = []
    good = 0
    for wanted in itertools.product([False, True], repeat=len(SOME)):
        texts = dict(itertools.compress((SOME | {"oidc_exchange": exchange}).items(), wanted))
        problem = accepted(texts)
        good += not problem
        names = [name.replace("_", "-") for name in texts]
        told = not problem or not names or any(name in problem for name in names)
        shown = [secret for secret in (CONFIG_KEY, API_KEY, SECRET, "t0ken-0001") if secret in problem]
        if documented(set(texts), exchange) is bool(problem) or not told or shown or len(problem.splitlines()) > 1:
            odd.append(f"{', '.join(names)}: {problem or 'accepted'}")
    assert not odd, "\n".join([f"{len(odd)}, among them", *odd[:: max(1, len(odd) // 20)]])
    # Two by key and one by token; client credentials with each of 4 more; the job itself and an audience or not;
    # the job exchanged, with each of 4 more, and of 5 where even the client is one of them.
    assert good == 3 + 2 * 2**4 + 2 + 2 * 2 ** (4 if exchange == "client-assertion" else 5)


@given(
    names=st.sets(st.sampled_from(sorted(SOME))),
    base=st.sampled_from(
        [
            set[str](),
            BASIC,
            {"oidc_token", "oidc_config_key"},
            {"oidc_token_url", "oidc_client_id", "oidc_client_secret", "oidc_config_key"},
            {"oidc_provider", "oidc_config_key"},
            {"oidc_provider", "oidc_exchange", "oidc_issuer", "oidc_config_key", "oidc_client_id"},
        ]
    ),
    few=st.sets(st.sampled_from(sorted(SOME)), max_size=2),
    near=st.booleans(),
    around=st.sets(st.sampled_from(sorted(SOME))),
    empty=st.sets(st.sampled_from(sorted(SOME))),
)
def test_an_input_leaves_the_other_ways_of_the_environment_aside(
    names: set[str], base: set[str], few: set[str], near: bool, around: set[str], empty: set[str]
) -> None:
    wanted = base ^ few if near else names
    environ = dict.fromkeys((f"APPDIST_INPUT_{name.upper()}" for name in empty & around), "")
    explicit = wanted - around
    for name in wanted:
        environ[f"APPDIST_{'' if name in around else 'INPUT_'}{name.upper()}"] = SOME[name]
    may_come = explicit | {
        name for name in wanted & around if not (explicit - BASIC if name in BASIC else explicit & BASIC)
    }
    texts, ignored, *_ = gather(ConnectionInputs, {}, environ)
    assert explicit <= set(texts) <= may_come
    assert set(ignored) == {f"APPDIST_{name.upper()}" for name in wanted - set(texts)}
    assert documented(set(texts)) is not bool(accepted(texts))
    # What is a way by itself, or with the config key, stays one, whatever an earlier job left.
    if documented(explicit) or documented(explicit | ({"oidc_config_key"} & wanted)):
        assert accepted(texts) == ""


WAY_INPUTS = {
    "client": "oidc_token_url oidc_client_id oidc_client_secret oidc_config_key",
    "exchange": "oidc_provider oidc_exchange oidc_token_url oidc_client_id oidc_config_key",
    "job": "oidc_provider oidc_config_key",
    "token": "oidc_token oidc_config_key",
    "": "",
}


@pytest.mark.parametrize(
    ("way", "less", "more", "fragments"),
    [
        ("client", "oidc_token_url", "", ["oidc-client-id needs oidc-token-url or oidc-issuer.", "Client credentials"]),
        ("client", "oidc_client_id", "", ["oidc-token-url needs oidc-client-id."]),
        ("client", "oidc_client_secret", "", ["oidc-token-url needs oidc-client-secret."]),
        ("client", "oidc_config_key", "", ["oidc-token-url needs oidc-config-key."]),
        ("client", "", "oidc_token", ["oidc-token does not belong", "Client credentials"]),
        ("client", "", "oidc_exchange", ["oidc-exchange does not belong"]),
        ("client", "", "oidc_id_token_audience", ["oidc-id-token-audience does not belong"]),
        ("client", "", "oidc_provider", ["oidc-client-secret", "does not belong"]),
        ("client", "", "oidc_issuer", ["oidc-token-url", "oidc-issuer"]),
        ("exchange", "oidc_exchange", "", ["oidc-provider needs oidc-exchange."]),
        ("exchange", "oidc_token_url", "", ["oidc-provider needs oidc-token-url or oidc-issuer."]),
        ("exchange", "oidc_provider", "", ["oidc-exchange needs oidc-provider."]),
        ("exchange", "oidc_client_id", "", ["client-assertion", "oidc-client-id"]),
        ("exchange", "oidc_config_key", "", ["oidc-provider needs oidc-config-key."]),
        ("exchange", "", "oidc_client_secret", ["oidc-client-secret does not belong"]),
        ("exchange", "", "oidc_client_auth", ["oidc-client-auth does not belong"]),
        ("job", "oidc_config_key", "", ["oidc-provider needs oidc-config-key."]),
        ("job", "", "oidc_audience", ["oidc-exchange", "oidc-token-url or oidc-issuer"]),
        ("job", "", "oidc_token", ["does not belong"]),
        ("token", "oidc_config_key", "", ["oidc-token needs oidc-config-key."]),
        (
            "token",
            "oidc_token",
            "",
            ["oidc-config-key needs a token", "set oidc-token, oidc-client-id or oidc-provider"],
        ),
        ("token", "", "oidc_scope", ["oidc-scope does not belong", "Access token: set oidc-token and oidc-config-key"]),
        ("token", "", "api_key", ["api-key or by OIDC, not both"]),
        ("token", "", "email api_key", ["email and api-key or by OIDC, not both"]),
        ("", "", "oidc_token_format", ["oidc-token-format needs oidc-token-url or oidc-issuer, oidc-client-id"]),
        ("", "", "email", ["email needs api-key."]),
    ],
)
def test_what_does_not_belong_together(
    run: Run, service: Service, way: str, less: str, more: str, fragments: list[str]
) -> None:
    names = [name for name in WAY_INPUTS[way].split() if name != less] + more.split()
    alone = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
    done = run("find", env=alone, **BUILD, **{name: SOME[name] for name in names})
    refused(done, INPUT, *fragments)
    assert service.sent == []


@pytest.mark.parametrize(
    ("name", "text", "fragment"),
    [
        ("oidc_token_url", "http://login.example/token", "oidc-token-url is not https"),
        ("oidc_token_url", "https://me:pass-0001@login.example/token", "oidc-token-url contains credentials"),
        ("oidc_token_url", "login.example", "oidc-token-url is not a URL"),
        ("oidc_token_url", "https://[::1/token", "oidc-token-url is not a URL"),
        ("oidc_token_format", "xml", "oidc-token-format is 'xml', expected one of form, json"),
        ("oidc_client_auth", "post", "oidc-client-auth is 'post', expected one of body, basic"),
        ("oidc_client_secret", "first-line\nsecond-line", "oidc-client-secret"),
        ("oidc_scope", f"a {SECRET}", "oidc-scope contains a credential. Remove it."),
    ],
)
def test_inputs_that_are_none(
    run: Run, identity: IdentityProvider, service: Service, name: str, text: str, fragment: str
) -> None:
    done = run("find", **BUILD, **by_secret(identity, **{name: text}))
    assert "pass-0001" not in refused(done, INPUT, fragment)
    assert (identity.requests, service.sent) == ([], [])


@pytest.mark.parametrize("auth", ["body", "basic"])
@pytest.mark.parametrize("secret", [CLIENT_SECRET, "".join(map(chr, range(0x20, 0x7F))).strip()])
def test_a_secret_may_have_any_character(
    run: Run, identity: IdentityProvider, trust: Callable[..., None], secret: str, auth: str
) -> None:
    """RFC 6749, appendix A.2: every printable one, a blank too."""
    trust(identity)
    identity.clients = {CLIENT: secret}
    done = run("find", **BUILD, **by_secret(identity, oidc_client_secret=secret, oidc_client_auth=auth))
    assert done.code == 0, done.log
