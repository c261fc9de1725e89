"""Proxies: they see only CONNECT and ciphertext, and are blamed where they refuse."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack, suppress
from urllib.parse import quote, urlsplit

import pytest

from harness import ANDROID, API_KEY, EMAIL, NEWEST_ANDROID, Outcome, Process, Service
from servers import Company, Port, Proxy, Server, always, emulated
from wire.credentials import (
    FAR,
    OF_BUILD,
    assert_blind,
    assert_no_secret,
    at,
    base64_of,
    client_credentials,
    client_credentials_at,
    provider,
    told,
)

USER, PASSWORD = "mara", "p4ss/w0rd+of:the@proxy"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_step_works_through_a_proxy_that_sees_nothing(
    process: Process, company: Company, far: Server, proxy: Proxy, name: str
) -> None:
    done = process("find", env=at(FAR, company.bundle, GITHUB_ACTIONS="true", **{name: proxy.url}))
    assert done.code == 0, done.text
    assert done.outputs["build-id"] == NEWEST_ANDROID
    assert base64_of(f"{EMAIL}:{API_KEY}").encode() in far.heard
    assert b"Proxy-" not in far.heard
    assert set(proxy.asked) == {"CONNECT appdist.test:443"}
    assert_blind(proxy)


def test_a_promotion_works_through_a_proxy(process: Process, service: Service, company: Company, proxy: Proxy) -> None:
    env = at(FAR, company.bundle, HTTPS_PROXY=proxy.url, APPDIST_INPUT_TAGS="rc", APPDIST_INPUT_GROUPS="QA")
    done = process("promote", env=env)
    assert done.code == 0, done.log
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["rc"]
    assert len(service.writes) == 2
    assert_blind(proxy)


def test_a_proxy_that_is_reached_over_tls(process: Process, company: Company, proxy: Proxy) -> None:
    def talk(secure: socket.socket, arrived: bytearray) -> None:
        take_turns(secure, proxy.address, arrived)

    with Port(talk, company.context("localhost")) as sealed:
        done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=sealed.url))
        assert done.code == 0, done.log
        assert sealed.heard.startswith(b"CONNECT appdist.test:443 ")
        assert_blind(proxy)


def take_turns(secure: socket.socket, address: tuple[str, int], arrived: bytearray) -> None:
    """Pass on what either side says, in one thread: two may not use one TLS connection."""
    with socket.create_connection(address, timeout=10) as behind:
        sides = ((secure, behind), (behind, secure))
        while True:
            for source, target in sides:
                source.settimeout(0.01)
                with suppress(TimeoutError):
                    part = source.recv(65536)
                    if not part:
                        return
                    arrived += part if source is secure else b""
                    target.settimeout(10)
                    target.sendall(part)


def test_the_identity_provider_is_asked_through_the_proxy_too(process: Process, company: Company) -> None:
    context = company.context("login.acme.test")
    with ExitStack() as stack:
        server = stack.enter_context(Server(always(), company.context("appdist.test")))
        identity = stack.enter_context(provider(context, "login.acme.test"))
        login = urlsplit(identity.url).netloc
        hosts = {"appdist.test:443": server.address, login: ("127.0.0.1", int(login.rpartition(":")[2]))}
        proxy = stack.enter_context(Proxy(hosts))
        env = at(FAR, company.bundle, HTTPS_PROXY=proxy.url, **client_credentials(identity, found=True))
        done = process("api", "projects", "list", env=env)
        assert done.code == 0, done.log
        assert proxy.asked == [f"CONNECT {login}", f"CONNECT {login}", "CONNECT appdist.test:443"]
        assert len(identity.token_requests) == 1
        assert_blind(proxy)


def test_no_proxy_is_honoured(process: Process, service: Service, company: Company) -> None:
    try:
        server = Server(emulated(service), company.context("127.0.0.2"), host="127.0.0.2", name="127.0.0.2")
    except OSError:
        pytest.skip("this machine has no 127.0.0.2, the one address that is near and yet not called loopback here")
    with server, Proxy({server.name: server.address}) as proxy:
        env = at(server, company.bundle, HTTPS_PROXY=proxy.url)
        done = process("find", env=env)
        assert done.code == 0, done.log
        through = len(proxy.asked)
        assert through > 0, "without it, the proxy is asked"
        for name, spelling in (("NO_PROXY", "127.0.0.2"), ("no_proxy", "acme.example,127.0.0.0/8"), ("NO_PROXY", "*")):
            done = process("find", env={**env, name: spelling})
            assert done.code == 0, done.log
        assert len(proxy.connections) == through
        assert process("find", env={**env, "NO_PROXY": "acme.example"}).code == 0
        assert len(proxy.connections) == 2 * through


@pytest.mark.parametrize("excepted", ["appdist.test", ".test"])
def test_no_proxy_by_name(process: Process, company: Company, proxy: Proxy, excepted: str) -> None:
    done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=proxy.url, NO_PROXY=excepted))
    assert done.code == 5, "there is no such host but behind the proxy"
    assert "appdist.test cannot be reached" in done.log
    assert proxy.connections == []


REFUSALS = {
    "407": (b"407 Proxy Authentication Required", r"407 Proxy Authentication Required"),
    "403": (b"403 Forbidden", r"403 Forbidden"),
    "502": (b"502 Bad Gateway", r"502 Bad Gateway"),
    "hangs up": (b"-", ""),
}


def assert_blames_the_proxy(done: Outcome, proxy: Proxy) -> None:
    assert done.code == 5, done.log
    problem = next(
        line for line in done.log.splitlines() if line.startswith("Service unreachable, or invalid response:")
    )
    assert re.search(r"\bproxy\b", problem), problem
    assert f"127.0.0.1:{proxy.port}" in problem, "which one it is"
    assert "appdist.test" in problem
    assert not re.search(r"\w+Error\(|Exception|object at", problem), "for people, no Python"
    everything = told(done)
    for secret in (PASSWORD, quote(PASSWORD, safe=""), USER + ":", base64_of(f"{USER}:{PASSWORD}")):
        assert secret not in everything


def with_password(proxy: Proxy, user: str = USER, password: str = PASSWORD) -> str:
    return f"http://{user}:{quote(password, safe='')}@127.0.0.1:{proxy.port}"


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_proxy_that_refuses_is_blamed_and_a_write_was_not_sent(
    process: Process, service: Service, company: Company, far: Server, proxy: Proxy, kind: str
) -> None:
    proxy.refusal, said = REFUSALS[kind]
    env = at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy))
    for argv in (["find"], ["api", "builds", "update", *OF_BUILD, "--tags", "x"]):
        done = process(*argv, env=env)
        assert_blames_the_proxy(done, proxy)
        assert re.search(said, done.log)
        assert "unknown" not in done.log
    assert len(proxy.asked) == 2
    assert far.connections == []
    assert service.sent == []
    assert_no_secret(proxy.heard.replace(b"Proxy-Authorization:", b""))


def test_a_proxy_that_is_not_there_is_blamed(process: Process, company: Company, far: Server) -> None:
    with Proxy({}) as proxy:
        pass  # its port is closed now
    env = at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy))
    assert_blames_the_proxy(process("find", env=env), proxy)
    done = process("api", "builds", "update", *OF_BUILD, "--tags", "x", env=env)
    assert_blames_the_proxy(done, proxy)
    assert "unknown" not in done.log
    assert far.connections == []


def test_an_identity_provider_behind_a_proxy_that_refuses(process: Process, company: Company, proxy: Proxy) -> None:
    env = client_credentials_at("https://login.acme.test/token")
    done = process("api", "projects", "list", env=at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy), **env))
    assert done.code == 5
    assert "login.acme.test" in done.log
    assert re.search(r"\bproxy\b", done.log), done.log
    assert "403" in done.log
    for secret in (PASSWORD, quote(PASSWORD, safe=""), USER + ":", base64_of(f"{USER}:{PASSWORD}")):
        assert secret not in told(done)
    assert set(proxy.asked) == {"CONNECT login.acme.test:443"}
    assert_no_secret(proxy.heard.replace(b"Proxy-Authorization:", b""))


def test_a_proxy_gets_its_own_password_and_nobody_else_does(process: Process, company: Company, far: Server) -> None:
    with Proxy({"appdist.test:443": far.address}, password=base64_of(f"{USER}:{PASSWORD}")) as proxy:
        done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy)))
        assert done.code == 0, done.log
        assert PASSWORD not in told(done)
        assert quote(PASSWORD, safe="") not in told(done)
        assert base64_of(f"{USER}:{PASSWORD}").encode() not in far.heard
        assert_blind(proxy)
        before = len(far.connections)
        assert_blames_the_proxy(process("find", env=at(FAR, company.bundle, HTTPS_PROXY=proxy.url)), proxy)
        wrong = with_password(proxy, password="another-secret")
        done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=wrong))
        assert_blames_the_proxy(done, proxy)
        assert "another-secret" not in told(done)
        assert len(far.connections) == before


@pytest.mark.parametrize(
    "address",
    [
        "http://mara:s3cret-of-the-proxy@127.0.0.1:port",
        "http://mara:s3cret-of-the-proxy@",
        "http://mara:s3cret-of-the-proxy@[::1",
        "http://mara:s3cret-of-the-proxy@127.0.0.1:99999",
        "gopher://mara:s3cret-of-the-proxy@127.0.0.1:3128",
        "socks5://mara:s3cret-of-the-proxy@127.0.0.1:1080",
    ],
)
@pytest.mark.parametrize("signed", ["key", "client"])
def test_a_proxy_address_that_is_none_is_told_without_its_password(
    process: Process, company: Company, address: str, signed: str
) -> None:
    way = client_credentials_at("https://login.acme.test/token") if signed == "client" else {}
    done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=address, **way))
    assert done.code in {2, 5}, done.log
    assert re.search(r"(?i)\bproxy\b|\bSOCKS\b", done.log), done.log
    assert "s3cret" not in told(done)
    assert "bug" not in done.log


def test_when_the_proxy_refuses_in_the_middle_the_rest_was_not_done(
    process: Process, service: Service, company: Company
) -> None:
    hosts: dict[str, tuple[str, int]] = {}

    def until_the_first_write(request: bytes) -> bytes:
        if request.startswith(b"PATCH "):
            hosts.clear()
        return emulated(service)(request)

    with Server(until_the_first_write, company.context("appdist.test")) as server, Proxy(hosts) as proxy:
        hosts["appdist.test:443"] = server.address
        asked = {"APPDIST_INPUT_TAGS": "rc", "APPDIST_INPUT_GROUPS": "QA", "APPDIST_INPUT_NOTIFY": "true"}
        env = at(FAR, company.bundle, GITHUB_ACTIONS="true", HTTPS_PROXY=proxy.url, **asked)
        done = process("promote", env=env)
        assert done.code == 6
        assert (done.outputs["completed-steps"], done.outputs["failed-step"]) == ("find,check,tag", "invite")
        assert done.outputs["notified"] != "unknown"
        assert "unknown" not in done.files["summary.md"], "nobody was invited, and that is known"
        assert [one for one in service.writes if one.startswith("POST")] == []
        assert service.outbox == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_what_is_for_this_machine_goes_to_no_proxy(process: Process, company: Company, host: str) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(Port())
        context = company.context("localhost", "127.0.0.1")
        identity = stack.enter_context(provider(context, host))
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        around = {one: f"http://127.0.0.1:{proxy.port}" for name in names for one in (name, name.lower())}
        for secured in (context, None):
            server = stack.enter_context(Server(always(), secured, name=host))
            for way in ({}, client_credentials(identity, found=True)):
                done = process("api", "projects", "list", env=at(server, company.bundle, **around, **way))
                assert done.code == 0, done.log
            assert len(server.connections) == 2
        assert proxy.connections == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("wrong", ["{}\n", " {}", "{} ", "http://127.0.0.1: 3128", "{}\x1b", "   "])
def test_a_proxy_variable_with_blanks_is_named(process: Process, proxy: Proxy, name: str, wrong: str) -> None:
    done = process("find", env=at(FAR, **{name: wrong.format(proxy.url)}))
    assert done.code == 2, done.log
    assert f"Wrong input: {name} contains a blank, a line break or a control character." in done.log
    assert proxy.connections == []


@pytest.mark.parametrize(("used", "passed_over"), [("https_proxy", "HTTPS_PROXY"), ("HTTPS_PROXY", "ALL_PROXY")])
def test_the_variable_that_was_used_is_named(
    process: Process, company: Company, proxy: Proxy, used: str, passed_over: str
) -> None:
    done = process("find", env=at(FAR, **{used: "gopher://127.0.0.1:1", passed_over: proxy.url}))
    assert done.code == 2, done.log
    assert f"Wrong input: {used} is not a valid address of an HTTP proxy." in done.log
    for refusal in (b"403 Forbidden", b"407 Proxy Authentication Required"):
        proxy.refusal = refusal
        done = process("find", env=at(FAR, company.bundle, **{used: proxy.url, passed_over: "gopher://127.0.0.1:1"}))
        assert_blames_the_proxy(done, proxy)
        assert re.search(rf"\b{used}\b", done.log), done.log
        assert passed_over not in done.log


@pytest.mark.parametrize("password", ["12/34-s3cret", "s3@cret/cr", "s3cret?x", "s3cret#x", "p@12/s3cret", "s3cret\\x"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_password_that_is_not_encoded_shows_no_piece_of_itself(
    process: Process, proxy: Proxy, password: str, scheme: str
) -> None:
    done = process("find", env=at(FAR, HTTPS_PROXY=f"{scheme}mara:{password}@127.0.0.1:{proxy.port}"))
    assert done.code == 2, done.log
    problem = next(line for line in done.log.splitlines() if line.startswith("Wrong input:"))
    assert "HTTPS_PROXY has a character in its user or password" in problem
    assert "%2F" in problem
    for piece in re.split("[@/?#]", password):
        assert len(piece) < 3 or piece not in told(done)
    assert proxy.connections == []


def test_an_at_in_a_password_reaches_the_proxy_as_it_is(process: Process, company: Company, far: Server) -> None:
    with Proxy({"appdist.test:443": far.address}, password=base64_of("mara:s3@cret@x")) as proxy:
        url = f"http://mara:s3@cret@x@127.0.0.1:{proxy.port}"
        assert process("find", env=at(FAR, company.bundle, HTTPS_PROXY=url)).code == 0
        proxy.refusal = b"502 Bad Gateway"
        done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=url))
        assert f"The proxy 127.0.0.1:{proxy.port} does not connect" in done.log
        assert "cret" not in told(done)


def test_the_identity_providers_proxy_is_named_by_its_variable(
    process: Process, company: Company, proxy: Proxy
) -> None:
    env = client_credentials_at("https://login.acme.test/token")
    done = process("api", "projects", "list", env=at(FAR, company.bundle, all_proxy=proxy.url, **env))
    assert done.code == 5
    assert "login.acme.test: check NO_PROXY and all_proxy" in done.log
