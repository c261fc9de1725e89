"""The documented checks of a token, with real tokens of a real identity provider."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests

from appdist_emulator import Emulator, SeedError
from emulator.oidc.support import CONFIG_KEY, EMAIL, LIMITED, account, ask, claims, keys_asked
from emulator.support import PROJECTS, in_both
from identity import AUDIENCE, CLIENT_CREDENTIALS, CLIENT_ID, CLIENT_SECRET, IdentityProvider

if TYPE_CHECKING:
    from emulator.support import Ask, Look

# --- each check -------------------------------------------------------------------------------


@in_both
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, ""),
        ({"alg": "RS384"}, ""),
        ({"alg": "RS512"}, ""),
        ({"aud": ["other", AUDIENCE]}, ""),
        ({"scope": None, "scp": "builds:write builds:read"}, ""),
        ({"scope": None, "scp": ["builds:read", "builds:write"]}, ""),
        ({"scope": "builds:read", "scp": ["builds:write"]}, ""),
        ({"sub": None}, ""),  # no check of the subject is documented
        ({"sub": "repo:somebody/else:ref:refs/heads/main"}, ""),
        ({"nbf": None, "iat": None, "jti": None}, ""),
        ({"iat": 4102444800}, ""),
        ({"exp": 1}, "Token has expired"),
        ({"exp": None}, "Token has expired"),
        ({"nbf": 4102444800}, "Token has expired"),
        ({"iss": "https://login.other.example"}, "Invalid issuer"),
        ({"iss": None}, "Invalid issuer"),
        ({"aud": "https://other.example"}, "Invalid audience"),
        ({"aud": AUDIENCE.upper()}, "Invalid audience"),
        ({"aud": AUDIENCE + "/"}, "Invalid audience"),
        ({"aud": ["other", "another"]}, "Invalid audience"),
        ({"aud": []}, "Invalid audience"),
        ({"aud": None}, "Invalid audience"),
        ({"scope": "builds:read"}, "Missing required scope"),
        ({"scope": None}, "Missing required scope"),
        ({"scope": "Builds:Read Builds:Write"}, "Missing required scope"),
        ({"scope": "builds:read,builds:write"}, "Missing required scope"),
        ({"scope": None, "scp": ["builds:read builds:write"]}, "Missing required scope"),
        ({"scope": None, "scp": {"builds:read": True, "builds:write": True}}, "Missing required scope"),
    ],
    ids=str,
)
def test_each_claim(api: Ask, identity: IdentityProvider, changed: dict[str, Any], message: str) -> None:
    assert ask(api, identity.token(**claims(**changed))) == message


@in_both
def test_an_issuer_is_compared_to_the_letter(api: Ask, identity: IdentityProvider) -> None:
    assert ask(api, identity.token(**claims(iss=identity.issuer + "/"))) == "Invalid issuer"
    assert ask(api, identity.token(**claims(iss=identity.issuer.replace("http", "HTTP")))) == "Invalid issuer"


@in_both
@pytest.mark.parametrize("alg", ["none", "HS256", "HS384", "HS512", "PS256", "ES256"])
def test_other_algorithms_are_refused(api: Ask, identity: IdentityProvider, alg: str) -> None:
    token = identity.forge(alg, **claims())
    assert jwt.get_unverified_header(token)["alg"] == alg
    assert ask(api, token) == "Unsupported algorithm"
    # Nobody's keys are asked for because of a token that cannot be good.
    assert keys_asked(identity) == 0


@in_both
@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_somebody_elses_signature(api: Ask, identity: IdentityProvider, alg: str) -> None:
    assert ask(api, identity.forge(alg, **claims())) == "Invalid token signature"


@in_both
def test_a_token_that_was_changed(api: Ask, identity: IdentityProvider) -> None:
    head, body, signature = identity.token(**claims(scope="")).split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "==")) | claims()
    more = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    assert ask(api, f"{head}.{body}.{signature}") == "Missing required scope"
    assert ask(api, f"{head}.{more}.{signature}") == "Invalid token signature"
    assert ask(api, f"{head}.{body}.") == "Invalid token signature"


@in_both
@pytest.mark.parametrize(
    "token", ["a.b.c", "..", "eyJhbGciOiJSUzI1NiJ9", "opaque-token-3", "e30.e30.e30.e30.e30", "", None]
)
def test_what_is_no_token(api: Ask, identity: IdentityProvider, token: str | None) -> None:
    assert ask(api, token) == "Invalid token signature"
    assert identity.requests == []


def test_a_header_that_is_none(api: Ask) -> None:
    def header(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") + ".e30.e30"

    assert ask(api, header('{"typ": "JWT"}')) == "Unsupported algorithm"
    assert ask(api, header('{"alg": ["RS256"]}')) == "Unsupported algorithm"
    assert ask(api, header('{"alg": "RS256", "kid": 1}')) == "Invalid token signature"
    assert ask(api, header('["RS256"]')) == "Invalid token signature"


@in_both
def test_listed_tokens_are_known_as_before(api: Ask, identity: IdentityProvider) -> None:
    assert ask(api, "opaque-token-1") == ""
    assert ask(api, "opaque-token-2") == "Token has expired"
    assert identity.requests == []
    listed = identity.forge(**claims())
    seed = account(identity, tokens={listed: EMAIL, "eyJ.listed.token": {"error": "Invalid issuer"}})
    assert api("POST", "/_emulator/reset", json=seed).status_code == 200
    assert ask(api, listed) == ""
    assert ask(api, "eyJ.listed.token") == "Invalid issuer"


# --- before the token -------------------------------------------------------------------------


@in_both
def test_the_config_key_comes_first(api: Ask, identity: IdentityProvider) -> None:
    good, bad = identity.token(**claims()), identity.token(exp=1, iss="x", aud="x", scope=None)
    for token in (good, bad, "x", None):
        assert ask(api, token, "oidc_wrong_0001") == "Invalid config key"
        assert ask(api, token, CONFIG_KEY.upper()) == "Invalid config key"
        assert ask(api, token, "") == "Invalid config key"
    for token in (good, bad, "x"):
        assert ask(api, token, None) == "X-OIDC-Config-Key header required"
    assert identity.requests == []
    assert ask(api, good) == ""


@in_both
def test_an_organisation_without_oidc(api: Ask, identity: IdentityProvider) -> None:
    seed = account(identity)
    del seed["oidc"]
    api("POST", "/_emulator/reset", json=seed)
    assert ask(api, identity.token(**claims())) == "OIDC not enabled for this organization"
    assert ask(api, identity.token(**claims()), "oidc_wrong_0001") == "OIDC not enabled for this organization"
    assert ask(api, identity.token(**claims()), None) == "X-OIDC-Config-Key header required"


def test_without_an_issuer_only_listed_tokens_are_good(api: Ask, identity: IdentityProvider) -> None:
    seed = account(identity)
    seed["oidc"] = {name: seed["oidc"][name] for name in ("config_key", "tokens")}
    api("POST", "/_emulator/reset", json=seed)
    assert ask(api, "opaque-token-1") == ""
    assert ask(api, identity.token(**claims())) == "Invalid token signature"


# --- who it is --------------------------------------------------------------------------------


@in_both
def test_a_token_stands_for_its_user(api: Ask, identity: IdentityProvider) -> None:
    api("POST", "/_emulator/reset", json=account(identity, user=LIMITED))
    headers = {"Authorization": f"Bearer {identity.token(**claims())}", "X-OIDC-Config-Key": CONFIG_KEY}
    answer = api("GET", PROJECTS, auth=lambda request: request, headers=headers)
    assert answer.json() == {"status": "ok", "projects": []}


@in_both
def test_an_upload(api: Ask, identity: IdentityProvider) -> None:
    def upload(token: str) -> tuple[int, Any, Any]:
        headers = {"Authorization": f"Bearer {token}", "X-OIDC-Config-Key": CONFIG_KEY}
        file = {"file": ("a-1.0.apk", b"content")}
        answer = api("POST", "/api/upload/", auth=lambda request: request, headers=headers, files=file)
        return answer.status_code, answer.json()["status"], answer.json().get("message")

    assert upload(identity.token(**claims())) == (200, "ok", None)
    assert upload(identity.token(**claims(exp=1))) == (200, "fail", "Token has expired")


def test_the_whole_way_of_client_credentials(api: Ask, identity: IdentityProvider) -> None:
    form = {"grant_type": CLIENT_CREDENTIALS, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    with requests.Session() as session:
        session.trust_env = False
        given = session.post(identity.token_url, {**form, "scope": "builds:read builds:write"}, timeout=10).json()
    assert ask(api, given["access_token"]) == ""


# --- times ------------------------------------------------------------------------------------


def test_leeway(api: Ask, identity: IdentityProvider) -> None:
    late, early = claims(exp=int(time.time()) - 5), claims(nbf=int(time.time()) + 60)
    assert [ask(api, identity.token(**these)) for these in (late, early)] == ["Token has expired"] * 2
    api("POST", "/_emulator/reset", json=account(identity, leeway=90))
    assert [ask(api, identity.token(**these)) for these in (late, early)] == ["", ""]
    assert ask(api, identity.token(**claims(exp=int(time.time()) - 91))) == "Token has expired"


def test_a_token_ends(api: Ask, identity: IdentityProvider) -> None:
    token = identity.token(**claims(exp=int(time.time()) + 2))
    assert ask(api, token) == ""
    deadline = time.monotonic() + 10
    while (message := ask(api, token)) == "" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert message == "Token has expired"


# --- what is said of it -----------------------------------------------------------------------


@in_both
def test_the_log_hides_every_token(api: Ask, look: Look, identity: IdentityProvider) -> None:
    good, wrong = identity.token(**claims()), identity.token(**claims(aud="other"))
    secrets = [good, wrong, "opaque-unknown-token", "oidc_wrong_0001", CONFIG_KEY, "opaque-token-1"]
    signature = good.split(".")[2]
    # What is sent before it signs anybody in, on the way, and after.
    api("POST", "/api/1/testers/", auth=(EMAIL, "key-00001"), data={"note": "of " + ", ".join(secrets)})
    assert ask(api, good) == ""
    assert ask(api, wrong, params={"a": f"x{good}x", "b": wrong}) == "Invalid audience"
    assert ask(api, "opaque-unknown-token", "oidc_wrong_0001") == "Invalid config key"
    for secret in secrets:
        api("GET", f"/api/1/testers/{secret}", params={"q": f"<{secret}>"}, auth=(EMAIL, "key-00001"))
        file = {"file": (f"{secret}.apk", b"x")}
        api("POST", "/api/upload/", auth=None, data={"comment": secret}, files=file)
    log = look("requests")
    assert len(log) == 4 + 2 * len(secrets)
    assert log[0]["form"] == {"note": "of ***, ***, ***, ***, ***, ***"}
    text = json.dumps([log, look("state")])
    assert not [secret for secret in [*secrets, signature] if secret in text]
    assert [entry["auth"] for entry in log[1:4]] == ["oidc"] * 3


def test_the_output_hides_every_token(identity: IdentityProvider, capsys: pytest.CaptureFixture[str]) -> None:
    with Emulator(account(identity), quiet=False) as emulator:
        token = identity.token(**claims())
        requests.get(f"{emulator.url}/api/1/testers/{token}", timeout=10)
    out = capsys.readouterr().out
    assert out.startswith("GET /api/1/testers/*** 401")


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"user": "nobody@a.example"}, "oidc.user: the e-mail address is not in users"),
        ({"user": None}, "oidc.user: required to verify tokens"),
        ({"audience": None}, "oidc.audience: required to verify tokens"),
        ({"issuer": None}, "oidc.issuer: required to verify tokens"),
        ({"audience": ["a", "b"]}, "oidc.audience"),
        ({"issuer": "login.example"}, "oidc.issuer"),
        ({"jwks_url": "file:///etc/passwd"}, "oidc.jwks_url"),
        ({"leeway": -1}, "oidc.leeway"),
        ({"scopes": "a b"}, "oidc.scopes"),
        ({"jwks_uri": "http://127.0.0.1/"}, "oidc.jwks_uri: unknown key (did you mean jwks_url?)"),
    ],
    ids=str,
)
def test_a_bad_seed_is_explained(identity: IdentityProvider, changed: dict[str, Any], hint: str) -> None:
    with pytest.raises(SeedError) as caught:
        Emulator(account(identity, **changed))
    assert hint in str(caught.value)
    assert CONFIG_KEY not in str(caught.value)


def test_a_seed_with_only_one_of_them(identity: IdentityProvider) -> None:
    seed = account(identity)
    seed["oidc"] = {"config_key": CONFIG_KEY, "leeway": 5}
    with pytest.raises(SeedError) as caught:
        Emulator(seed)
    assert str(caught.value).splitlines() == [
        f"oidc.{name}: required to verify tokens" for name in ("issuer", "audience", "user")
    ]


def test_without_pyjwt() -> None:
    code = (
        "import sys; sys.modules['jwt'] = None; from appdist_emulator.cli import main; sys.exit(main(['--port', '0']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("jwt is not installed; run: pip install 'sauce-appdist[emulator]'\n")
