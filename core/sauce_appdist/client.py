"""The whole API: one resource after the other over one transport."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sauce_appdist.auth.methods import choose as choose_method
from sauce_appdist.clock import Clock
from sauce_appdist.errors import AuthError, InputError
from sauce_appdist.text import Redactor
from sauce_appdist.wire.connection_errors import check_proxy
from sauce_appdist.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

    from sauce_appdist.api.audits import Audits
    from sauce_appdist.api.builds import Builds
    from sauce_appdist.api.feedbacks import Feedbacks
    from sauce_appdist.api.groups import Groups
    from sauce_appdist.api.permissions import Permissions
    from sauce_appdist.api.projects import Projects
    from sauce_appdist.api.sessions import Sessions
    from sauce_appdist.api.sites import Sites
    from sauce_appdist.api.testers import Testers
    from sauce_appdist.api.webhooks import Webhooks
    from sauce_appdist.auth.oidc import Token, TokenHttp
    from sauce_appdist.auth.signing import Auth
    from sauce_appdist.interface.inputs import ConnectionInputs

_SYSTEMS = 50_000  # bytes; what somebody made by hand is smaller


class Client:
    """`client.builds.get(project_id, build_id)` and so on: one method per endpoint.

    `dashboard` is the host where people look at builds. Resources load when they are first used: a step needs few.
    """

    def __init__(self, transport: Transport, dashboard: str | None = None) -> None:
        self.transport = transport
        self.dashboard = dashboard or transport.base_url

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """A client by the variables that the command line reads, like APPDIST_EMAIL and APPDIST_API_KEY.

        What the service warns of, and every request, goes to the logger `sauce_appdist`. Raises InputError where
        the variables name no way to sign in, or more than one.
        """
        import logging

        from sauce_appdist.interface.environment import gather, parse
        from sauce_appdist.interface.inputs import ConnectionInputs

        environ = os.environ if environ is None else environ
        log = logging.getLogger("sauce_appdist")
        texts, _ = gather(ConnectionInputs, {}, environ)
        return cls.connect(parse(ConnectionInputs, texts), environ, log=log.debug, warn=log.warning)

    @classmethod
    def connect(
        cls,
        inputs: ConnectionInputs,
        environ: Mapping[str, str],
        *,
        log: Callable[[str], None],
        warn: Callable[[str], None],
        mask: Callable[[str], None] = lambda _: None,
        clock: Clock = Clock(),  # noqa: B008 - frozen
    ) -> Self:
        """A client by inputs that were checked.

        `environ` tells of certificates and of the job's identity. `log` gets a line per request, `warn` what the
        user should hear, `mask` every secret before it is used. Raises InputError for a ca-bundle that is none.
        """
        redact = Redactor()
        verify = _certificates(inputs.ca_bundle, environ)

        def learn(secret: str) -> None:
            redact.add(secret)
            mask(secret)

        def http() -> TokenHttp:
            from sauce_appdist.auth.oidc import TokenHttp

            return TokenHttp(inputs.timeout, verify, clock, log=log, redact=redact, learn=learn)

        def id_token(provider: str, audience: str, http: TokenHttp) -> Token:
            from sauce_appdist.ci import SYSTEMS

            return SYSTEMS[provider].load().id_token(environ, audience, http)

        for url in (inputs.api_url(), inputs.oidc_token_url, inputs.oidc_issuer):
            if url:
                check_proxy(url, learn)
        auth = _make_auth(inputs, http, id_token)
        for secret in auth.secrets():
            learn(secret)
        transport = Transport(
            inputs.api_url(),
            auth,
            timeout=inputs.timeout,
            retries=inputs.retries,
            read_only=inputs.dry_run,
            log=log,
            warn=warn,
            clock=clock,
            verify=verify,
            redact=redact,
        )
        return cls(transport, inputs.dashboard_url())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def __repr__(self) -> str:
        return f"Client({self.transport.base_url!r})"

    @cached_property
    def projects(self) -> Projects:
        """Apps on a platform."""
        from sauce_appdist.api.projects import Projects

        return Projects(self.transport)

    @cached_property
    def builds(self) -> Builds:
        """What pipelines upload."""
        from sauce_appdist.api.builds import Builds

        return Builds(self.transport)

    @cached_property
    def sessions(self) -> Sessions:
        """What testers did with a build."""
        from sauce_appdist.api.sessions import Sessions

        return Sessions(self.transport)

    @cached_property
    def testers(self) -> Testers:
        """People who get builds."""
        from sauce_appdist.api.testers import Testers

        return Testers(self.transport)

    @cached_property
    def groups(self) -> Groups:
        """Groups of testers."""
        from sauce_appdist.api.groups import Groups

        return Groups(self.transport)

    @cached_property
    def feedbacks(self) -> Feedbacks:
        """What testers wrote."""
        from sauce_appdist.api.feedbacks import Feedbacks

        return Feedbacks(self.transport)

    @cached_property
    def audits(self) -> Audits:
        """Who did what."""
        from sauce_appdist.api.audits import Audits

        return Audits(self.transport)

    @cached_property
    def permissions(self) -> Permissions:
        """Who administrates the account."""
        from sauce_appdist.api.permissions import Permissions

        return Permissions(self.transport)

    @cached_property
    def webhooks(self) -> Webhooks:
        """What the service calls when something happens."""
        from sauce_appdist.api.webhooks import Webhooks

        return Webhooks(self.transport)

    @cached_property
    def sites(self) -> Sites:
        """The accounts of a multi-site company."""
        from sauce_appdist.api.sites import Sites

        return Sites(self.transport)


def _certificates(given: str | None, environ: Mapping[str, str]) -> bool | str:
    """What to trust: the input, else what curl and Python's own modules look at, else the public certificates."""
    for name in ("ca-bundle", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if place := given if name == "ca-bundle" else environ.get(name):
            if not Path(place).exists():
                raise InputError(f"{name} is {place}, which does not exist: expected a file of certificates (PEM).")
            return _pem(name, place)
    place = environ.get("SSL_CERT_FILE")  # OpenSSL passes over one that is not there
    return _pem("SSL_CERT_FILE", place) if place and Path(place).is_file() else True


def _pem(name: str, place: str) -> str:
    """The place, if certificates are there; in a directory they are looked for when one is needed.

    A system's bundle that the environment names is only glanced at: to read it takes a tenth of a step's time, and is
    done once more to connect.
    """
    import ssl

    try:
        if Path(place).is_file():
            pem = Path(place).read_bytes()
            if name == "ca-bundle" or len(pem) < _SYSTEMS or b"-----BEGIN " not in pem:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(place)
    except OSError:  # which ssl.SSLError is too
        raise InputError(f"{name} is {place}, which holds no certificates: expected a file of them (PEM).") from None
    return place


def _make_auth(
    inputs: ConnectionInputs, http: Callable[[], TokenHttp], id_token: Callable[[str, str, TokenHttp], Token]
) -> Auth:
    """What signs the requests: the one method that the inputs form.

    `http` is only called where a token has to be fetched, `id_token` asks a CI system for one of an audience.
    """
    from sauce_appdist.auth.signing import (  # a wrong input is told before requests loads
        ApiKeyAuth,
        BasicAuth,
        OidcAuth,
    )

    method = choose_method(inputs.given_to_sign_in())
    if method.key == "basic":
        return BasicAuth(inputs.email or "", _text(inputs.api_key))
    if method.key == "key":
        return ApiKeyAuth(_text(inputs.api_key))
    from sauce_appdist.auth.oidc import Provider, Token, describe_token  # whoever signs in by key does not load it

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
        wire.log(f"The job's ID token: {describe_token(token.value)}.")
        return token

    def exchanged(by: Callable[[str], Token]) -> Token:
        token = of_the_job().value
        try:
            return by(token)
        except AuthError as refused:
            raise AuthError(f"{refused} The job's ID token has {describe_token(token)}.") from None

    if method.key == "token":
        ready = Token(_text(inputs.oidc_token))
        source: Callable[[], Token] = lambda: ready  # noqa: E731
    elif method.key == "client":
        source = provider.by_secret
    elif method.key == "job":
        source = of_the_job
    elif inputs.oidc_exchange == "client-assertion":
        source = lambda: exchanged(provider.by_assertion)  # noqa: E731
    else:
        source = lambda: exchanged(provider.by_exchange)  # noqa: E731
    return OidcAuth(
        source,
        _text(inputs.oidc_config_key),
        method.formula(),
        name=f"{method.name} ({inputs.oidc_exchange})" if method.key == "exchange" else method.name,
        learn=wire.learn,
        log=wire.log,
        renewable=method.key in {"client", "exchange"} or inputs.oidc_provider == "github",
        secrets=[text for text in (_text(inputs.oidc_client_secret), _text(inputs.oidc_token)) if text],
    )


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
