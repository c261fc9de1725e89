"""Why a connection broke, whether anything was sent before, and what to check."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import requests
import urllib3.exceptions
from requests.utils import get_environ_proxies, select_proxy

from sauce_appdist.errors import InputError
from sauce_appdist.text import basic_pair, one_line
from sauce_appdist.wire.regions import host_of, is_loopback
from sauce_appdist.wire.retry import Fate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def proxy_of(url: str) -> str | None:
    """The proxy that the environment sets for a URL; None for this machine's own addresses."""
    proxy = None if is_loopback(url) else select_proxy(url, get_environ_proxies(url))
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def proxies_for(url: str) -> dict[str, str] | None:
    """`proxies` of requests for a URL: the environment's, but no proxy for this machine's own addresses."""
    return dict.fromkeys(("http", "https", "all"), "") if is_loopback(url) else None


def check_proxy(url: str, environ: Mapping[str, str], learn: Callable[[str], None]) -> str | None:
    """The variable of the process's environment that sets the proxy for a URL; None if there is no proxy.

    Raises InputError, which names the variable and shows nothing of its value, if the proxy cannot be used; `learn`
    receives its password.
    """
    proxy = proxy_of(url)
    if not proxy:
        return None
    name = _variable(url, environ)
    if any(character.isspace() or not character.isprintable() for character in proxy):
        raise InputError(f"{name} contains a blank, a line break or a control character. {_EXAMPLE}")
    try:
        parts = urlsplit(proxy)
        user, at, _ = proxy.partition("://")[2].rpartition("@")
        if at and any(character in user for character in "/?#\\"):
            raise InputError(
                f"{name} has a character in its user or password that ends the host of a URL. Percent-encode it: "
                "/ as %2F, ? as %3F, # as %23, @ as %40."
            )
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise InputError(f"{name} is not a valid address of an HTTP proxy. {_EXAMPLE}")
    if parts.password:
        learn(parts.password)
        learn(unquote(parts.password))
        learn(basic_pair(unquote(parts.username or ""), unquote(parts.password)))
    return name


_EXAMPLE = "Expected, for example, http://proxy.acme.example:3128."


def _variable(url: str, environ: Mapping[str, str]) -> str:
    """The variable that requests took the proxy from: that of the scheme before ALL_PROXY, small letters first."""
    for kind in (urlsplit(url).scheme, "all"):
        for name in (f"{kind}_proxy", *sorted(environ)):
            if name.lower() == f"{kind}_proxy" and environ.get(name):
                return name
    return "the system's proxy setting"


def root_cause(error: BaseException) -> BaseException:
    """The innermost reason that requests and urllib3 wrapped."""
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None:
            return error
        error = inner


def describe_cause(error: BaseException) -> str:
    """The part of a connection error that tells why, without URLs and objects."""
    found = root_cause(error)
    text = getattr(found, "strerror", None) or str(found)
    text = text.rpartition(">: ")[2].rpartition(": Failed to")[2].removeprefix("Tunnel connection failed: ")
    return one_line(text.partition(" (_ssl.c:")[0], 120) or type(found).__name__


def _places(error: BaseException) -> Iterator[tuple[str, str]]:
    for frame, _ in traceback.walk_tb(root_cause(error).__traceback__):
        yield frame.f_globals.get("__name__", ""), frame.f_code.co_name


def unsent(error: BaseException) -> bool:
    """Whether it broke while connecting, including the proxy's CONNECT and the TLS handshake: nothing was sent yet.

    The text of an error does not tell: TLS can break in the same way after the request has arrived.
    """
    return ("urllib3.connection", "connect") in _places(error)


def timed_out(error: BaseException) -> bool:
    """Whether the server was connected, but did not answer in time."""
    return isinstance(error, (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError))


def fate_of_error(error: BaseException) -> Fate:
    """What became of a request whose connection failed with this error of requests or urllib3."""
    if unsent(error):
        # A certificate does not get better by asking again.
        return Fate.FINAL if isinstance(error, requests.exceptions.SSLError) else Fate.NEVER_SENT
    answer = repr(root_cause(error))
    if not timed_out(error) and ("BadStatusLine" in answer or "HeaderParsing" in answer):
        return Fate.FINAL  # it does not speak HTTP
    return Fate.LOST


def no_connection(
    error: BaseException, url: str, proxy_variable: str = "HTTPS_PROXY", inputs: str = "region, base-url"
) -> str:
    """Why nothing can be sent to a URL, as a sentence.

    `inputs` name the inputs that set the address, `proxy_variable` sets the proxy.
    """
    host, why = host_of(url), describe_cause(error)
    names = {name for _, name in _places(error)}
    is_tls, proxy = "do_handshake" in names or "match_hostname" in names, proxy_of(url)
    if proxy and not is_tls:
        needs = "set its user and password in" if why.startswith("407") else "check NO_PROXY and"
        hint = f"{needs} {proxy_variable}"
        return f"The proxy {host_of(proxy)} does not connect to {host}: {hint} ({why})."
    if not is_tls:
        return f"{host} cannot be reached: check {inputs} and the network ({why})."
    if "WRONG_VERSION_NUMBER" in why or "record layer" in why:
        hint = f"it does not speak TLS on that port: check {inputs}"
    elif "CERTIFICATE_VERIFY_FAILED" in why or "match" in why:
        hint = (
            f"its certificate is not trusted here: check {inputs}, or set ca-bundle (or REQUESTS_CA_BUNDLE) to "
            "your company's certificates"
        )
    else:
        hint = f"the TLS handshake failed: check {inputs} and the network"
    return f"No secure connection to {host}: {hint} ({why})."
