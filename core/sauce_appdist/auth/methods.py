"""The sign-in methods and their inputs (docs/reference/api-facts.md#signing-in).

`METHODS` is the only source: the checks, the error messages and the table in docs/reference/sign-in.md follow from
its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


class SignInMethod(NamedTuple):
    """A sign-in method: the inputs it needs (`a|b` is either), its optional inputs, and when to use it."""

    key: Literal["basic", "key", "token", "client", "job", "exchange"]
    name: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    when: str

    def missing(self, names: Collection[str]) -> list[str]:
        """The needed inputs that are not among `names`."""
        return [need.replace("|", " or ") for need in self.needs if not set(need.split("|")) & set(names)]

    def unexpected(self, names: Collection[str]) -> list[str]:
        """The `names` that are not inputs of this method."""
        known = {name for need in self.needs for name in need.split("|")} | set(self.takes)
        return [name for name in names if name not in known]

    def formula(self) -> str:
        """The needed inputs in words, like `oidc-token and oidc-config-key`."""
        return " and ".join(need.replace("|", " or ") for need in self.needs)


_TOKEN = ("oidc-audience", "oidc-scope", "oidc-token-format")
METHODS = (
    SignInMethod(
        "basic",
        "API key with e-mail",
        ("email", "api-key"),
        (),
        "The documented method. Every current server accepts it. The account needs the Admin role.",
    ),
    SignInMethod(
        "key",
        "API key alone",
        ("api-key",),
        (),
        "Newer servers (those that send a `Deprecation` or `Sunset` header) accept the key without an e-mail, and may "
        "require it. Others respond 401, and the message says so.",
    ),
    SignInMethod(
        "token",
        "access token",
        ("oidc-token", "oidc-config-key"),
        (),
        "Another step of the job has already obtained the token.",
    ),
    SignInMethod(
        "client",
        "client credentials",
        ("oidc-token-url|oidc-issuer", "oidc-client-id", "oidc-client-secret", "oidc-config-key"),
        (*_TOKEN, "oidc-client-auth"),
        "The company's identity provider issues a token for a client id and its secret.",
    ),
    SignInMethod(
        "job",
        "identity of the job",
        ("oidc-provider", "oidc-config-key"),
        ("oidc-id-token-audience",),
        "The config key is the only stored secret: the account's OIDC settings name GitHub or GitLab as the issuer. "
        "Read [the warning](../how-to/sign-in-with-the-job.md) first.",
    ),
    SignInMethod(
        "exchange",
        "identity of the job, exchanged",
        ("oidc-provider", "oidc-exchange", "oidc-token-url|oidc-issuer", "oidc-config-key"),
        ("oidc-id-token-audience", "oidc-client-id", *_TOKEN),
        "The config key is the only stored secret: the company's identity provider trusts the job (Entra ID calls it "
        "workload identity federation) and issues a token for it. `client-assertion` needs `oidc-client-id`.",
    ),
)


def choose_method(names: list[str]) -> SignInMethod:
    """The method that the inputs with these YAML names form. Raises ValueError, which says what to set or to omit."""
    if {"oidc-token-url", "oidc-issuer"} <= set(names):
        raise ValueError("oidc-token-url and oidc-issuer are both set: set only one of them")
    fitting = [method for method in METHODS if not method.missing(names) and not method.unexpected(names)]
    if fitting:
        return fitting[0]
    if not names:
        raise ValueError(
            "no credentials: set email and api-key, api-key alone (newer servers), or oidc-config-key with "
            "oidc-token, oidc-client-id or oidc-provider (or APPDIST_EMAIL and APPDIST_API_KEY in the environment)"
        )
    keys = [name for name in names if not name.startswith("oidc")]
    if keys and len(keys) < len(names):
        raise ValueError(f"{', '.join(names)} are all set: sign in with {' and '.join(keys)} or by OIDC, not both")
    if names == ["oidc-config-key"]:
        raise ValueError("oidc-config-key needs a token: set oidc-token, oidc-client-id or oidc-provider")
    # The message explains the method that fits the inputs best.
    method = min(METHODS, key=lambda method: (len(method.unexpected(names)), len(method.missing(names))))
    if unexpected := method.unexpected(names):
        verb, them = ("does", "it") if len(unexpected) == 1 else ("do", "them")
        raise ValueError(
            f"{', '.join(unexpected)} {verb} not belong to the other inputs: omit {them}. {_in_full(method)}"
        )
    subject = next((name for name in names if name != "oidc-config-key"), names[0])
    raise ValueError(f"{subject} needs {', '.join(method.missing(names))}. {_in_full(method)}")


def inheritable(explicit: Collection[str]) -> set[str]:
    """The YAML names of the OIDC inputs that the environment may add to explicit ones.

    They are those of the method that the explicit inputs come closest to: variables that an earlier job left for
    another method must not interfere.
    """
    started = [name for name in explicit if name.startswith("oidc") and name != "oidc-config-key"]
    methods = [method for method in METHODS if not method.unexpected(started) and method.key not in {"basic", "key"}]
    if started:
        methods = sorted(methods, key=lambda method: len(method.missing(explicit)))[:1]
    names = {name for method in methods for need in method.needs for name in need.split("|")}
    names |= {name for method in methods for name in method.takes}
    for one, other in (("oidc-issuer", "oidc-token-url"), ("oidc-token-url", "oidc-issuer")):
        if one in started:
            names.discard(other)
    return names | {"oidc-config-key"}


def _in_full(method: SignInMethod) -> str:
    needs = [need.replace("|", " or ") for need in method.needs]
    inputs = " and ".join(filter(None, (", ".join(needs[:-1]), needs[-1])))
    optional = f"; optional: {', '.join(method.takes)}" if method.takes else ""
    return f"{method.name[0].upper()}{method.name[1:]}: set {inputs}{optional}"
