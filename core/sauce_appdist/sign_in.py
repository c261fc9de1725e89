"""Which inputs belong together to sign in, and what is made of them (facts.md part 3).

`WAYS` is the whole of it: the checks, the error messages and the table in docs/sign-in.md are made from these rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sauce_appdist.errors import AuthError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydantic import SecretStr

    from sauce_appdist.auth import Auth
    from sauce_appdist.contract import ConnectionInputs
    from sauce_appdist.oidc import Http, Token


class Way(NamedTuple):
    """A way to sign in: what it needs (`a|b` is one of the two), what it takes besides, and when to use it."""

    key: Literal["basic", "key", "token", "client", "job", "exchange"]
    name: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    when: str

    def missing(self, given: Collection[str]) -> list[str]:
        """What it needs and has not got."""
        return [need.replace("|", " or ") for need in self.needs if not set(need.split("|")) & set(given)]

    def strangers(self, given: Collection[str]) -> list[str]:
        """What does not belong to it."""
        known = {name for need in self.needs for name in need.split("|")} | set(self.takes)
        return [name for name in given if name not in known]

    def described(self) -> str:
        """`oidc-token and oidc-config-key`."""
        return " and ".join(need.replace("|", " or ") for need in self.needs)


_TOKEN = ("oidc-audience", "oidc-scope", "oidc-token-format")
WAYS = (
    Way(
        "basic",
        "API key with e-mail",
        ("email", "api-key"),
        (),
        "The documented way, which every server of today takes. The account needs the Admin role.",
    ),
    Way(
        "key",
        "API key alone",
        ("api-key",),
        (),
        "Newer servers (those that send a `Deprecation` or `Sunset` header) take the key without an e-mail, and may "
        "want it so. Others answer 401; the message says so.",
    ),
    Way(
        "token",
        "access token",
        ("oidc-token", "oidc-config-key"),
        (),
        "Another step of the job has the token already.",
    ),
    Way(
        "client",
        "client credentials",
        ("oidc-token-url|oidc-issuer", "oidc-client-id", "oidc-client-secret", "oidc-config-key"),
        (*_TOKEN, "oidc-client-auth"),
        "The company's identity provider gives a token for a client id and its secret.",
    ),
    Way(
        "job",
        "identity of the job",
        ("oidc-provider", "oidc-config-key"),
        ("oidc-id-token-audience",),
        "No stored secret but the config key: the account's OIDC settings name GitHub or GitLab itself as the issuer. "
        "Read the warning below first.",
    ),
    Way(
        "exchange",
        "identity of the job, exchanged",
        ("oidc-provider", "oidc-exchange", "oidc-token-url|oidc-issuer", "oidc-config-key"),
        ("oidc-id-token-audience", "oidc-client-id", *_TOKEN),
        "No stored secret but the config key: the company's identity provider trusts the job (Entra ID calls it "
        "workload identity federation) and gives a token for it. `client-assertion` needs `oidc-client-id`.",
    ),
)


def choose(given: list[str]) -> Way:
    """The one way that these inputs are. Raises ValueError with what to add or to take away."""
    if {"oidc-token-url", "oidc-issuer"} <= set(given):
        raise ValueError("oidc-token-url and oidc-issuer are both given: give one of them")
    fitting = [way for way in WAYS if not way.missing(given) and not way.strangers(given)]
    if fitting:
        return fitting[0]
    if not given:
        raise ValueError(
            "no credentials: give email and api-key, api-key alone (newer servers), or oidc-config-key with "
            "oidc-token, oidc-client-id or oidc-provider (or APPDIST_EMAIL and APPDIST_API_KEY in the environment)"
        )
    keys = [name for name in given if not name.startswith("oidc")]
    if keys and len(keys) < len(given):
        raise ValueError(
            f"{', '.join(given)} are given together: sign in with {' and '.join(keys)} or by OIDC, not both of them"
        )
    if given == ["oidc-config-key"]:
        raise ValueError("oidc-config-key is given without a token: give oidc-token, oidc-client-id or oidc-provider")
    # The way that most of them belong to is the one that was meant.
    way = min(WAYS, key=lambda way: (len(way.strangers(given)), len(way.missing(given))))
    if strangers := way.strangers(given):
        raise ValueError(f"{', '.join(strangers)} does not belong to the other inputs given: {way.name} is {_all(way)}")
    telling = next((name for name in given if name != "oidc-config-key"), given[0])
    raise ValueError(f"{telling} is given without {', '.join(way.missing(given))}: {way.name} is {_all(way)}")


def belonging(explicit: Collection[str]) -> set[str]:
    """The OIDC inputs that may be taken from the surroundings to complete explicit ones.

    Those of the one way that is nearest to being complete: what an earlier job left for another way must not get
    between.
    """
    told = [name for name in explicit if name.startswith("oidc") and name != "oidc-config-key"]
    ways = [way for way in WAYS if not way.strangers(told) and way.key not in {"basic", "key"}]
    if told:
        ways = sorted(ways, key=lambda way: len(way.missing(explicit)))[:1]
    names = {name for way in ways for need in way.needs for name in need.split("|")}
    names |= {name for way in ways for name in way.takes}
    for one, other in (("oidc-issuer", "oidc-token-url"), ("oidc-token-url", "oidc-issuer")):
        if one in told:
            names.discard(other)
    return names | {"oidc-config-key"}


def _all(way: Way) -> str:
    return way.described() + (f", and if need be {', '.join(way.takes)}" if way.takes else "")


def build(inputs: ConnectionInputs, http: Callable[[], Http], id_token: Callable[[str, str, Http], Token]) -> Auth:
    """The way to sign in that the inputs are.

    `http` is only called where a token has to be fetched, `id_token` asks a CI system for one of an audience.
    """
    from sauce_appdist.auth import ApiKeyAuth, BasicAuth, OidcAuth  # a wrong input is told before requests loads

    way = choose(inputs.given_to_sign_in())
    if way.key == "basic":
        return BasicAuth(inputs.email or "", _text(inputs.api_key))
    if way.key == "key":
        return ApiKeyAuth(_text(inputs.api_key))
    from sauce_appdist.oidc import Provider, Token, described  # whoever signs in by key does not load it

    wire = http()
    provider = Provider(
        wire,
        issuer=inputs.oidc_issuer,
        token_url=inputs.oidc_token_url,
        client_id=inputs.oidc_client_id,
        client_secret=_text(inputs.oidc_client_secret),
        audience=inputs.oidc_audience,
        scope=inputs.oidc_scope,
        as_json=inputs.oidc_token_format == "json",  # noqa: S105
        basic=inputs.oidc_client_auth == "basic",
    )

    def of_the_job() -> Token:
        token = id_token(inputs.oidc_provider or "", inputs.oidc_id_token_audience, wire)
        wire.learn(token.value)
        wire.log(f"The job's ID token: {described(token.value)}.")
        return token

    def exchanged(by: Callable[[str], Token]) -> Token:
        token = of_the_job().value
        try:
            return by(token)
        except AuthError as refused:
            raise AuthError(f"{refused} The job's ID token has {described(token)}.") from None

    if way.key == "token":
        ready = Token(_text(inputs.oidc_token))
        source: Callable[[], Token] = lambda: ready  # noqa: E731
    elif way.key == "client":
        source = provider.by_secret
    elif way.key == "job":
        source = of_the_job
    elif inputs.oidc_exchange == "client-assertion":
        source = lambda: exchanged(provider.by_assertion)  # noqa: E731
    else:
        source = lambda: exchanged(provider.by_exchange)  # noqa: E731
    return OidcAuth(
        source,
        _text(inputs.oidc_config_key),
        way.described(),
        name=f"{way.name} ({inputs.oidc_exchange})" if way.key == "exchange" else way.name,
        learn=wire.learn,
        log=wire.log,
        renewable=way.key in {"client", "exchange"} or inputs.oidc_provider == "github",
        secrets=[text for text in (_text(inputs.oidc_client_secret), _text(inputs.oidc_token)) if text],
    )


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
