"""The client for the whole API: its resources, over one transport."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sauce_appdist.auth.methods import choose_method
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

_SYSTEM_BUNDLE = 50_000  # bytes; a bundle that a company made itself is smaller


class Client:
    """`client.builds.get(project_id, build_id)` and so on: one method per endpoint.

    `dashboard` is the base URL of the dashboard. A resource's module loads on first use, because a step needs few.
    """

    def __init__(self, transport: Transport, dashboard: str | None = None) -> None:
        self.transport = transport
        self.dashboard = dashboard or transport.base_url

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """A client for the environment variables that the command line reads, like APPDIST_EMAIL and APPDIST_API_KEY.

        Requests and warnings of the service go to the logger `sauce_appdist`. Raises InputError if the variables do
        not form exactly one sign-in method.
        """
        import logging

        from sauce_appdist.interface.environment import gather, parse
        from sauce_appdist.interface.inputs import ConnectionInputs

        environ = os.environ if environ is None else environ
        log = logging.getLogger("sauce_appdist")
        found = gather(ConnectionInputs, {}, environ)
        return cls.connect(parse(ConnectionInputs, found.texts), environ, log=log.debug, warn=log.warning)

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
        """A client for validated inputs.

        `environ` names certificates and the source of the job's ID token. `log` gets a line per request, `warn` every
        warning for the user, and `mask` every secret before its first use. Raises InputError if the ca-bundle, or the
        bundle that the environment names, does not exist or holds no certificates.
        """
        redact = Redactor()
        verify = _certificates(inputs.ca_bundle, environ)

        def learn(secret: str) -> None:
            redact.add(secret)
            mask(secret)

        def http() -> TokenHttp:
            from sauce_appdist.auth.oidc import TokenHttp

            return TokenHttp(
                inputs.timeout, verify, clock, log=log, redact=redact, learn=learn, proxy_variable=proxy_variable
            )

        def id_token(provider: str, audience: str, http: TokenHttp) -> Token:
            from sauce_appdist.ci import SYSTEMS

            return SYSTEMS[provider].load().id_token(environ, audience, http)

        # requests reads the proxies from the process's environment, whatever `environ` is.
        urls = [url for url in (inputs.api_url(), inputs.oidc_token_url, inputs.oidc_issuer) if url]
        variables = [check_proxy(url, os.environ, learn) for url in urls]
        proxy_variable = next((name for name in variables if name), "HTTPS_PROXY")
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
            proxy_variable=proxy_variable,
        )
        return cls(transport, inputs.dashboard_url())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def __repr__(self) -> str:
        return f"Client({self.transport.base_url!r})"

    @property
    def newer_server(self) -> bool:
        """Whether an answer so far showed a newer server, by its headers or its shape; False is unknown.

        What differs there: docs/reference/api-facts.md#the-newer-server. A step has read its build before it writes, so
        that is when it knows.
        """
        return self.transport.newer_server

    @cached_property
    def projects(self) -> Projects:
        """Projects: an app on one platform."""
        from sauce_appdist.api.projects import Projects

        return Projects(self.transport)

    @cached_property
    def builds(self) -> Builds:
        """Uploaded builds."""
        from sauce_appdist.api.builds import Builds

        return Builds(self.transport)

    @cached_property
    def sessions(self) -> Sessions:
        """Recorded sessions of a build."""
        from sauce_appdist.api.sessions import Sessions

        return Sessions(self.transport)

    @cached_property
    def testers(self) -> Testers:
        """Testers of the account."""
        from sauce_appdist.api.testers import Testers

        return Testers(self.transport)

    @cached_property
    def groups(self) -> Groups:
        """Tester groups and their members."""
        from sauce_appdist.api.groups import Groups

        return Groups(self.transport)

    @cached_property
    def feedbacks(self) -> Feedbacks:
        """Feedback from testers."""
        from sauce_appdist.api.feedbacks import Feedbacks

        return Feedbacks(self.transport)

    @cached_property
    def audits(self) -> Audits:
        """Audit logs of the account."""
        from sauce_appdist.api.audits import Audits

        return Audits(self.transport)

    @cached_property
    def permissions(self) -> Permissions:
        """Admins of the account and their permissions."""
        from sauce_appdist.api.permissions import Permissions

        return Permissions(self.transport)

    @cached_property
    def webhooks(self) -> Webhooks:
        """Webhooks of the account."""
        from sauce_appdist.api.webhooks import Webhooks

        return Webhooks(self.transport)

    @cached_property
    def sites(self) -> Sites:
        """Sites (accounts) of a multi-site company."""
        from sauce_appdist.api.sites import Sites

        return Sites(self.transport)


def _certificates(ca_bundle: str | None, environ: Mapping[str, str]) -> bool | str:
    """The bundle to trust: the input's, else the one for curl or OpenSSL; True means the public certificates."""
    for name in ("ca-bundle", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if place := ca_bundle if name == "ca-bundle" else environ.get(name):
            if not os.path.exists(place):  # noqa: PTH110 - Path raises for a name that is too long
                raise InputError(f"{name} is {place}, which does not exist: expected a PEM file of certificates.")
            return _pem(name, place)
    return True


def _pem(name: str, place: str) -> str:
    """The path, if it holds certificates. Raises InputError if it does not. A directory is not checked.

    A system bundle that the environment names is only searched for a certificate: to parse it takes a tenth of a
    step's time, and connecting parses it again.
    """
    import ssl

    try:
        if Path(place).is_file():
            pem = Path(place).read_bytes()
            if name == "ca-bundle" or len(pem) < _SYSTEM_BUNDLE or b"-----BEGIN " not in pem:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(place)
    except OSError:  # includes ssl.SSLError
        raise InputError(
            f"{name} is {place}, which contains no certificates: expected a PEM file of certificates."
        ) from None
    return place


def _make_auth(
    inputs: ConnectionInputs, http: Callable[[], TokenHttp], id_token: Callable[[str, str, TokenHttp], Token]
) -> Auth:
    """The authentication of requests, for the sign-in method that the inputs form.

    `http` is called only for OIDC; `id_token` requests the job's ID token from its CI system for an audience.
    """
    from sauce_appdist.auth.signing import (  # loads requests, which takes longer than to reject a wrong input
        ApiKeyAuth,
        BasicAuth,
        OidcAuth,
    )

    method = choose_method(inputs.sign_in_inputs())
    if method.key == "basic":
        return BasicAuth(inputs.email or "", _text(inputs.api_key))
    if method.key == "key":
        return ApiKeyAuth(_text(inputs.api_key))
    from sauce_appdist.auth.oidc import Provider, Token, claims, describe_token  # not needed to sign in by key

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

    def job_token() -> Token:
        token = id_token(inputs.oidc_provider or "", inputs.oidc_id_token_audience, wire)
        wire.learn(token.value)
        wire.log(f"The job's ID token: {describe_token(token.value)}.")
        auth.subject = str(claims(token.value).get("sub") or "")
        return token

    def exchanged(exchange: Callable[[str], Token]) -> Token:
        token = job_token().value
        try:
            return exchange(token)
        except AuthError as refused:
            raise AuthError(f"{refused} The job's ID token has {describe_token(token)}.") from None

    if method.key == "token":
        ready = Token(_text(inputs.oidc_token))
        source: Callable[[], Token] = lambda: ready  # noqa: E731
    elif method.key == "client":
        source = provider.by_secret
    elif method.key == "job":
        source = job_token
    elif inputs.oidc_exchange == "client-assertion":
        source = lambda: exchanged(provider.by_assertion)  # noqa: E731
    else:
        source = lambda: exchanged(provider.by_exchange)  # noqa: E731
    auth = OidcAuth(
        source,
        _text(inputs.oidc_config_key),
        method.formula(),
        name=f"{method.name} ({inputs.oidc_exchange})" if method.key == "exchange" else method.name,
        learn=wire.learn,
        log=wire.log,
        clock=wire.clock,
        renewable=method.key in {"client", "exchange"} or inputs.oidc_provider == "github",
        secrets=[text for text in (_text(inputs.oidc_client_secret), _text(inputs.oidc_token)) if text],
    )
    return auth


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
