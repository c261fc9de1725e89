"""Which inputs belong together to sign in, and what is made of them (docs/reference/api-facts.md#signing-in).

`METHODS` is the whole of it: the checks, the error messages and the table in
docs/reference/sign-in.md are made from these rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


class SignInMethod(NamedTuple):
    """A way to sign in: what it needs (`a|b` is one of the two), what it takes besides, and when to use it."""

    key: Literal["basic", "key", "token", "client", "job", "exchange"]
    name: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    when: str

    def missing(self, given: Collection[str]) -> list[str]:
        """What it needs and has not got."""
        return [need.replace("|", " or ") for need in self.needs if not set(need.split("|")) & set(given)]

    def unexpected(self, given: Collection[str]) -> list[str]:
        """What does not belong to it."""
        known = {name for need in self.needs for name in need.split("|")} | set(self.takes)
        return [name for name in given if name not in known]

    def formula(self) -> str:
        """`oidc-token and oidc-config-key`."""
        return " and ".join(need.replace("|", " or ") for need in self.needs)


_TOKEN = ("oidc-audience", "oidc-scope", "oidc-token-format")
METHODS = (
    SignInMethod(
        "basic",
        "API key with e-mail",
        ("email", "api-key"),
        (),
        "The documented method, which every server of today takes. The account needs the Admin role.",
    ),
    SignInMethod(
        "key",
        "API key alone",
        ("api-key",),
        (),
        "Newer servers (those that send a `Deprecation` or `Sunset` header) take the key without an e-mail, and may "
        "want it so. Others answer 401; the message says so.",
    ),
    SignInMethod(
        "token",
        "access token",
        ("oidc-token", "oidc-config-key"),
        (),
        "Another step of the job has the token already.",
    ),
    SignInMethod(
        "client",
        "client credentials",
        ("oidc-token-url|oidc-issuer", "oidc-client-id", "oidc-client-secret", "oidc-config-key"),
        (*_TOKEN, "oidc-client-auth"),
        "The company's identity provider gives a token for a client id and its secret.",
    ),
    SignInMethod(
        "job",
        "identity of the job",
        ("oidc-provider", "oidc-config-key"),
        ("oidc-id-token-audience",),
        "No stored secret but the config key: the account's OIDC settings name GitHub or GitLab itself as the issuer. "
        "Read [the warning](../how-to/sign-in-with-the-job.md) first.",
    ),
    SignInMethod(
        "exchange",
        "identity of the job, exchanged",
        ("oidc-provider", "oidc-exchange", "oidc-token-url|oidc-issuer", "oidc-config-key"),
        ("oidc-id-token-audience", "oidc-client-id", *_TOKEN),
        "No stored secret but the config key: the company's identity provider trusts the job (Entra ID calls it "
        "workload identity federation) and gives a token for it. `client-assertion` needs `oidc-client-id`.",
    ),
)


def choose(given: list[str]) -> SignInMethod:
    """The one way that these inputs are. Raises ValueError with what to add or to take away."""
    if {"oidc-token-url", "oidc-issuer"} <= set(given):
        raise ValueError("oidc-token-url and oidc-issuer are both given: give one of them")
    fitting = [method for method in METHODS if not method.missing(given) and not method.unexpected(given)]
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
    method = min(METHODS, key=lambda method: (len(method.unexpected(given)), len(method.missing(given))))
    if unexpected := method.unexpected(given):
        raise ValueError(
            f"{', '.join(unexpected)} does not belong to the other inputs given: {method.name} is {_in_full(method)}"
        )
    telling = next((name for name in given if name != "oidc-config-key"), given[0])
    raise ValueError(
        f"{telling} is given without {', '.join(method.missing(given))}: {method.name} is {_in_full(method)}"
    )


def inheritable(explicit: Collection[str]) -> set[str]:
    """The OIDC inputs that may be taken from the surroundings to complete explicit ones.

    Those of the one way that is nearest to being complete: what an earlier job left for another way must not get
    between.
    """
    told = [name for name in explicit if name.startswith("oidc") and name != "oidc-config-key"]
    methods = [method for method in METHODS if not method.unexpected(told) and method.key not in {"basic", "key"}]
    if told:
        methods = sorted(methods, key=lambda method: len(method.missing(explicit)))[:1]
    names = {name for method in methods for need in method.needs for name in need.split("|")}
    names |= {name for method in methods for name in method.takes}
    for one, other in (("oidc-issuer", "oidc-token-url"), ("oidc-token-url", "oidc-issuer")):
        if one in told:
            names.discard(other)
    return names | {"oidc-config-key"}


def _in_full(method: SignInMethod) -> str:
    return method.formula() + (f", and if need be {', '.join(method.takes)}" if method.takes else "")
