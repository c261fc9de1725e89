"""Where the service lives (docs/reference/api-facts.md#base-urls-and-regions)."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Region(NamedTuple):
    """One data centre: where its REST API answers and where people look at builds."""

    api: str
    dashboard: str


REGIONS = {
    "us-east-1": Region("https://mobile.saucelabs.com", "https://mobile.saucelabs.com"),
    "eu-central-1": Region("https://mobile.eu-central-1.saucelabs.com", "https://mobile.eu-central-1.saucelabs.com"),
    "legacy": Region("https://api.testfairy.com", "https://app.testfairy.com"),
}


def region_of_host(url: str) -> str | None:
    """The region that a URL's host belongs to, or None for any other host."""
    host = urlsplit(url).hostname
    for name, region in REGIONS.items():
        if host in {urlsplit(region.api).hostname, urlsplit(region.dashboard).hostname}:
            return name
    return None


def same_server(one: str, other: str) -> bool:
    """Whether two URLs lead to one region, or to one host and port; this machine has several names."""
    region = region_of_host(one)
    return (region is not None and region == region_of_host(other)) or _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    return "loopback" if host in _LOOPBACK else host, parts.port or (80 if parts.scheme == "http" else 443)


def is_loopback(url: str) -> bool:
    """Whether a URL stays on this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def host_of(url: str) -> str:
    """Host and port of a URL, without the credentials that may stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


def check_url(value: str, example: str = "expected something like https://login.acme.example/oauth2/token") -> str:
    """A URL to which secrets may be sent. Raises ValueError that says how to fix it.

    Only https, unless the host is loopback.
    """
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"is not a URL: {example}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("contains credentials: set them in their own inputs instead")
    if parts.scheme not in {"http", "https"} or not host or any(c.isspace() for c in value):
        raise ValueError(f"is not a URL: {example}")
    if parts.fragment:
        raise ValueError(f"has a fragment: {example}")
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError(f"is not https, and {host} is not this machine: use https://{host}")
    return value


def check_base_url(value: str) -> str:
    """A base URL without its last slash. Raises ValueError that says how to fix it."""
    example = "expected scheme and host, like https://acme.testfairy.com"
    parts = urlsplit(check_url(value, example))
    if parts.query:
        raise ValueError(f"has a query: {example}")
    if "/api/" in f"{parts.path}/":
        raise ValueError(f"contains the API's path, which the step adds: {example}")
    return value.rstrip("/")
