"""Certificates: what is trusted, by which setting, and that nothing is sent to a server that is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from harness import API_KEY, EMAIL, Process, Service
from identity import CLIENT_SECRET
from sauce_appdist.client import Client
from sauce_appdist.errors import InputError, TransportError
from servers import Company, Server, Tap, always, moved
from wire.credentials import (
    CONFIG_KEY,
    KEY_HEADERS,
    NO_KEY,
    OF_BUILD,
    WAYS,
    assert_no_secret,
    at,
    base64_of,
    client_credentials,
    provider,
    told,
)
from wire.support import Wire

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer


def test_a_certificate_that_is_not_trusted_stops_it_at_once(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with Server(always(), company.context("localhost")) as server:
        wire = Wire(server.url)
        with pytest.raises(TransportError, match=r"certificate is not trusted here.*REQUESTS_CA_BUNDLE") as caught:
            wire.client.builds.invite("1", "2", groups=["QA"])
        assert not wire.waits
        assert not caught.value.sent
        assert len(server.connections) == 1
        assert server.heard == b""


def test_the_companys_certificates_are_taken(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", company.bundle)
    with Server(always(), company.context("localhost")) as server:
        assert Wire(server.url).client.projects.list()


def test_https_to_a_port_without_tls_says_so(server: HTTPServer) -> None:
    url = server.url_for("").replace("http:", "https:")
    with pytest.raises(TransportError, match="does not speak TLS on that port"):
        Wire(url).client.projects.list()
    server.clear()


@pytest.mark.parametrize(
    "name", ["APPDIST_INPUT_CA_BUNDLE", "APPDIST_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
)
def test_a_companys_certificate_is_refused_until_it_is_trusted(
    process: Process, service: Service, front: Server, company: Company, name: str
) -> None:
    with Tap(front) as tap:
        done = process("find", env=at(tap))
        assert done.code == 5
        assert f"No secure connection to {tap.name}" in done.log
        assert "certificate" in done.log
        assert "ca-bundle" in done.log, "says what to do"
        assert front.heard == b""
        assert len(front.broken) == 1, "and does not try again"
        assert_no_secret(tap.heard)
        assert service.sent == []
        done = process("find", env=at(tap, **{name: company.bundle}))
        assert done.code == 0, done.log
        assert service.sent != []
        assert base64_of(f"{EMAIL}:{API_KEY}").encode() in front.heard
        assert_no_secret(tap.heard)


def test_the_command_line_takes_it_too(process: Process, front: Server, company: Company) -> None:
    done = process("find", "--ca-bundle", company.bundle, env=at(front))
    assert done.code == 0, done.log


@pytest.mark.parametrize("name", ["APPDIST_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_input_wins_over_every_variable(
    process: Process, front: Server, company: Company, stranger: Company, name: str
) -> None:
    done = process("find", env=at(front, **{"APPDIST_INPUT_CA_BUNDLE": company.bundle, name: stranger.bundle}))
    assert done.code == 0, done.log
    before = front.heard
    done = process("find", env=at(front, **{"APPDIST_INPUT_CA_BUNDLE": stranger.bundle, name: company.bundle}))
    assert done.code == 5
    assert front.heard.strip() == before.strip()


BAD_BUNDLES = {
    "nothing": None,
    "empty": b"",
    "text": b"see https://wiki.acme.example/certificates\n",
    "cut": b"-----BEGIN CERTIFICATE-----\nMIIB\n",
    "large": b"no certificate\n" * 5000,
    "binary": b"\x30\x82\x01\x0a\x00\xff",
}


@pytest.mark.parametrize("name", ["APPDIST_INPUT_CA_BUNDLE", "APPDIST_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("kind", BAD_BUNDLES)
def test_a_bundle_that_is_none_is_a_wrong_input(
    process: Process, front: Server, tmp_path_factory: pytest.TempPathFactory, kind: str, name: str
) -> None:
    place = tmp_path_factory.mktemp("bad") / "bundle.pem"
    content = BAD_BUNDLES[kind]
    if content is not None:
        place.write_bytes(content)
    done = process("find", env=at(front, **{name: str(place)}))
    assert done.code == 2, done.log
    given = name if name.startswith("REQUESTS") else "ca-bundle"
    assert re.search(rf"^Wrong input: {given} is {re.escape(str(place))}, .*PEM", done.log, re.MULTILINE)
    assert front.connections == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_that_is_not_there_is_named(process: Process, front: Server, tmp_path: Path, name: str) -> None:
    place = str(tmp_path / "gone.pem")
    done = process("find", env=at(front, **{name: place}))
    assert done.code == 2, done.log
    assert f"Wrong input: {name} is {place}, which does not exist: expected a PEM file of certificates." in done.log
    assert front.connections == []
    with pytest.raises(InputError, match=f"^{name} is .*gone.pem, which does not exist"):
        Client.from_env(
            {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": front.url, name: place}
        )


def test_a_bundle_that_wins_is_enough(process: Process, front: Server, company: Company, tmp_path: Path) -> None:
    """A variable that is passed over need not be there."""
    gone = str(tmp_path / "gone.pem")
    done = process("find", env=at(front, REQUESTS_CA_BUNDLE=company.bundle, SSL_CERT_FILE=gone))
    assert done.code == 0, done.log


def test_a_large_bundle_is_read_as_well_where_it_is_an_input(
    process: Process, front: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("bad") / "bundle.pem"
    place.write_bytes(BAD_BUNDLES["cut"] * 3000 if BAD_BUNDLES["cut"] else b"")
    done = process("find", env=at(front, APPDIST_INPUT_CA_BUNDLE=str(place)))
    assert done.code == 2, done.log
    assert "contains no certificates" in done.log


@pytest.mark.parametrize("found", [False, True], ids=["token-url", "issuer"])
def test_the_identity_provider_is_trusted_by_the_same_bundle(
    process: Process, company: Company, *, found: bool
) -> None:
    context = company.context("localhost")
    with Server(always(), company.context("localhost")) as server, provider(context) as identity:
        done = process(
            "api", "projects", "list", env=at(server, company.bundle, **client_credentials(identity, found=found))
        )
        assert done.code == 0, done.log
        assert [one.fields["client_secret"] for one in identity.token_requests] == [quote(CLIENT_SECRET)]
        assert len(identity.requests) == 1 + found
        (request,) = server.connections
        token = re.search(rb"Authorization: Bearer (\S+)", request)
        assert token
        assert identity.claims_of(token[1].decode())["iss"] == identity.issuer
        assert f"X-OIDC-Config-Key: {CONFIG_KEY}".encode() in request


def test_so_is_the_runner_that_gives_id_tokens(process: Process, company: Company) -> None:
    context = company.context("localhost")
    with Server(always(), company.context("localhost")) as server, provider(context) as runner:
        signed = {**NO_KEY, "APPDIST_OIDC_PROVIDER": "github", "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY}
        env = at(server, company.bundle, GITHUB_ACTIONS="true", **signed, **runner.github_env)
        done = process("api", "projects", "list", env=env)
        assert done.code == 0, done.log
        assert len(runner.requests) == 1
        assert b"Authorization: Bearer ey" in server.heard


@pytest.mark.parametrize("found", [False, True], ids=["token-url", "issuer"])
def test_an_identity_provider_that_is_not_trusted_gets_no_secret(
    process: Process, company: Company, stranger: Company, *, found: bool
) -> None:
    context = stranger.context("localhost")
    with Server(always(), company.context("localhost")) as server, provider(context) as identity:
        done = process(
            "api", "projects", "list", env=at(server, company.bundle, **client_credentials(identity, found=found))
        )
        assert done.code == 5
        assert urlsplit(identity.url).netloc in done.log
        assert "certificate" in done.log
        assert "ca-bundle" in done.log
        assert identity.requests == []
        assert server.connections == []


@pytest.mark.parametrize("way", WAYS)
def test_a_download_from_a_storage_host_trusts_the_same_bundle_and_signs_nothing(
    process: Process, company: Company, tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    context = company.context("localhost")
    with Server(always(b"PK\x03\x04", Content_Type="application/zip"), context) as storage:
        signed_url = f"{storage.url}/bucket/app.apk?X-Amz-Signature=5ec4e7-of-the-url"
        with Server(moved(signed_url), context) as server:
            env = at(server, company.bundle, **WAYS[way])
            done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=env)
            assert done.code == 0, done.log
            assert file.read_bytes() == b"PK\x03\x04"
            assert any(one in server.heard.lower() for one in KEY_HEADERS)
        (request,) = storage.connections
        assert request.startswith(b"GET /bucket/app.apk?X-Amz-Signature=5ec4e7-of-the-url HTTP/1.1\r\n")
        assert_no_secret(request)
        assert "5ec4e7" not in told(done)


def test_a_storage_host_that_is_not_trusted_is_named(
    process: Process, company: Company, stranger: Company, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    with Server(always(b"PK"), stranger.context("localhost")) as storage:
        with Server(moved(f"{storage.url}/a?sig=5ec4e7"), company.context("localhost")) as server:
            done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=at(server, company.bundle))
        assert done.code == 5
        assert f"No secure connection to {storage.name}" in done.log
        assert "5ec4e7" not in told(done)
        assert storage.heard == b""
        assert list(file.parent.iterdir()) == []
