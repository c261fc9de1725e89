"""The rules of the wire, each against a real server."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from harness import API_KEY, EMAIL
from sauce_appdist.auth.oidc import Token
from sauce_appdist.auth.signing import BasicAuth, OidcAuth
from sauce_appdist.client import Client
from sauce_appdist.errors import ApiError, AppDistError, AuthError, InputError, ServiceError, TransportError
from sauce_appdist.wire.transport import LONGEST_WAIT, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OK = {"status": "ok"}
PROJECTS = {"status": "ok", "projects": [{"id": "1", "name": "App"}]}
BUILD: dict[str, Any] = {"status": "ok", "build": {"id": "2", "projectId": "1"}}
COPY = {"status": "ok", "build_id": "3"}


class Wire:
    """A client, what it logged and warned of, and how long it would have waited."""

    def __init__(self, url: str, **options: Any) -> None:
        self.waits: list[float] = []
        self.log: list[str] = []
        self.warnings: list[str] = []
        auth = options.pop("auth", BasicAuth(EMAIL, API_KEY))
        self.transport = Transport(
            url,
            auth,
            log=self.log.append,
            warn=self.warnings.append,
            sleep=self.waits.append,
            **{"timeout": 5.0, **options},
        )
        self.client = Client(self.transport)


CALLS: dict[str, tuple[str, str, Callable[[Client], object]]] = {
    "GET": ("GET", "/api/1/projects/", lambda client: client.projects.list()),
    "PATCH": ("PATCH", "/api/1/projects/1/builds/2/", lambda client: client.builds.update("1", "2", tags=["a"])),
    "copy": ("POST", "/api/1/projects/1/builds/2/copy", lambda client: client.builds.copy("1", "2", to_folder="F")),
    "invite": (
        "POST",
        "/api/1/projects/1/builds/2/invites/",
        lambda client: client.builds.invite("1", "2", groups=["QA"]),
    ),
}
GOOD = {"GET": PROJECTS, "PATCH": OK, "copy": COPY, "invite": OK}
WRITES = ["PATCH", "copy", "invite"]


# --- What is sent -----------------------------------------------------------------------------------


def test_paths_fields_and_credentials_are_as_documented(server: HTTPServer) -> None:
    seen: list[tuple[str, str, dict[str, str], str | None]] = []

    def answer(request: Request) -> Response:
        seen.append((request.method, request.path, request.form.to_dict(), request.content_type))
        assert request.authorization is not None
        assert (request.authorization.username, request.authorization.password) == (EMAIL, API_KEY)
        return Response(
            '{"status": "ok", "build_id": "3", "projects": [], "builds": [], "groups": [], "build": {"id": 2}}'
        )

    server.expect_request(re.compile(".*")).respond_with_handler(answer)
    client = Wire(server.url_for("")).client
    client.projects.list()
    client.builds.list("1")
    client.builds.get("1", "2")
    client.groups.list()
    client.builds.update(
        "1", "2", release_notes="a & b\n🎉", tags=["x", "y"], groups=[], landing_page_mode="open", metadata={"k": "v"}
    )
    client.builds.copy(
        "1", "2", to_folder="/A/B", app_name="N", groups=["g"], project_groups=["h"], allow_all_testers=False
    )
    client.builds.copy("1", "2", to_folder="F")
    client.builds.invite("1", "2", groups=["QA", "14"], message="hi", notify=True)
    client.builds.invite("1", "2", groups=["QA"])
    form = "application/x-www-form-urlencoded"
    assert seen == [
        ("GET", "/api/1/projects/", {}, None),
        ("GET", "/api/1/projects/1/builds/", {}, None),
        ("GET", "/api/1/projects/1/builds/2", {}, None),
        ("GET", "/api/1/testers/groups", {}, None),
        (
            "PATCH",
            "/api/1/projects/1/builds/2/",
            {"comment": "a & b\n🎉", "tags": "x,y", "groups": "", "landing_page_mode": "open", "metadata_k": "v"},
            form,
        ),
        (
            "POST",
            "/api/1/projects/1/builds/2/copy",
            {"folder_name": "/A/B", "app_name": "N", "groups": "g", "projectGroups": "h", "allowAllTesters": "0"},
            form,
        ),
        ("POST", "/api/1/projects/1/builds/2/copy", {"folder_name": "F"}, form),
        ("POST", "/api/1/projects/1/builds/2/invites/", {"groups": "QA,14", "comment": "hi", "notify": "on"}, form),
        ("POST", "/api/1/projects/1/builds/2/invites/", {"groups": "QA"}, form),
    ]


def test_basic_credentials_are_utf8(server: HTTPServer) -> None:
    server.expect_oneshot_request(
        "/api/1/projects/", headers={"Authorization": "Basic asO8QGV4YW1wbGUub3JnOms="}
    ).respond_with_json(PROJECTS)
    Wire(server.url_for(""), auth=BasicAuth("jü@example.org", "k")).client.projects.list()


def test_oidc_sends_bearer_and_config_key_even_with_a_netrc(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine localhost login mallory password x\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.expect_oneshot_request(
        "/api/1/projects/", headers={"Authorization": "Bearer token", "X-OIDC-Config-Key": "oidc_key"}
    ).respond_with_json(PROJECTS)
    assert (
        Wire(server.url_for(""), auth=OidcAuth(lambda: Token("token"), "oidc_key")).client.projects.list()[0].id == "1"
    )


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    seen: list[bytes] = []
    answer = http_ok('{"status": "ok", "build": {"id": "2"}}')

    def talk(connection: socket.socket) -> None:
        seen.append(receive(connection))
        connection.sendall(answer)

    with raw_server(talk) as url:
        Wire(url).client.builds.get("../1", "2?a")
    assert seen[0].startswith(b"GET /api/1/projects/..%2F1/builds/2%3Fa HTTP/1.1\r\n")


def test_many_requests_share_one_connection() -> None:
    connections: list[int] = []

    def talk(connection: socket.socket) -> None:
        connections.append(1)
        while receive(connection):
            connection.sendall(http_ok('{"status": "ok", "projects": []}'))

    with raw_server(talk) as url:
        client = Wire(url).client
        for _ in range(3):
            client.projects.list()
        client.transport.close()
    assert len(connections) == 1


# --- Retries ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
def test_429_is_retried_on_every_method(server: HTTPServer, call: str) -> None:
    method, path, send = CALLS[call]
    server.expect_oneshot_request(path, method=method).respond_with_json(
        {"status": "fail"}, status=429, headers={"Retry-After": "7"}
    )
    server.expect_oneshot_request(path, method=method).respond_with_json(GOOD[call])
    wire = Wire(server.url_for(""))
    send(wire.client)
    assert wire.waits == [7.0]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_bad_gateway_is_retried_on_get(server: HTTPServer, status: int) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_data("<html>", status=status)
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"status": "fail", "code": 1}, status=status)
    server.expect_oneshot_request("/api/1/projects/").respond_with_json(PROJECTS)
    wire = Wire(server.url_for(""))
    assert wire.client.projects.list()
    assert len(wire.waits) == 2
    assert 0.25 <= wire.waits[0] <= 0.5 <= wire.waits[1] <= 1.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("call", WRITES)
def test_a_write_of_unknown_fate_is_never_sent_twice(server: HTTPServer, call: str, status: int) -> None:
    method, path, send = CALLS[call]
    server.expect_oneshot_request(path, method=method).respond_with_data("gone", status=status)
    with pytest.raises(TransportError, match=str(status)) as caught:
        send(Wire(server.url_for("")).client)
    assert caught.value.sent
    assert len(server.log) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_no_other_status_is_retried(server: HTTPServer, status: int) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"status": "fail"}, status=status)
    with pytest.raises(ServiceError):
        Wire(server.url_for("")).client.projects.list()
    assert len(server.log) == 1


def test_retries_end(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_data("no", status=503)
    wire = Wire(server.url_for(""), retries=2)
    with pytest.raises(TransportError, match="503"):
        wire.client.projects.list()
    assert len(server.log) == 3
    assert len(wire.waits) == 2


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("0", 0, 0),
        ("86400", LONGEST_WAIT, LONGEST_WAIT),
        ("in 40 s", 30, 40),
        ("500 s ago", 0, 0),
        ("soon", 0.25, 0.5),
        ("-3", 0.25, 0.5),
        ("", 0.25, 0.5),
    ],
)
def test_retry_after_is_honoured_and_capped(server: HTTPServer, header: str, least: float, most: float) -> None:
    dates = {"in 40 s": 40, "500 s ago": -500}
    if header in dates:
        header = formatdate(time.time() + dates[header], usegmt=True)
    server.expect_oneshot_request("/api/1/projects/").respond_with_data("", status=503, headers={"Retry-After": header})
    server.expect_oneshot_request("/api/1/projects/").respond_with_json(PROJECTS)
    wire = Wire(server.url_for(""))
    wire.client.projects.list()
    assert least <= wire.waits[0] <= most


def receive(connection: socket.socket) -> bytes:
    """One whole request."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
    return head + body


def http_ok(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@contextmanager
def raw_server(talk: Callable[[socket.socket], object]) -> Iterator[str]:
    """A socket that does with each connection just what `talk` says."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    talk(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.mark.parametrize("call", CALLS)
def test_a_connection_that_breaks_after_sending_is_retried_on_get_only(call: str) -> None:
    seen: list[bytes] = []
    with raw_server(lambda connection: seen.append(receive(connection))) as url:
        wire = Wire(url, retries=2)
        with pytest.raises(TransportError, match="broke") as caught:
            CALLS[call][2](wire.client)
    assert len(seen) == (3 if call == "GET" else 1)
    assert caught.value.sent is (call != "GET")


@pytest.mark.parametrize("call", CALLS)
def test_a_refused_connection_is_retried_on_every_method(call: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    wire = Wire(url, retries=2)
    with pytest.raises(TransportError, match="cannot be reached: check region, base-url and the network") as caught:
        CALLS[call][2](wire.client)
    assert len(wire.waits) == 2
    assert not caught.value.sent


def test_a_host_that_does_not_exist_is_told_by_name() -> None:
    with pytest.raises(TransportError, match=r"no-such-host\.invalid cannot be reached"):
        Wire("https://no-such-host.invalid", retries=0).client.projects.list()


@pytest.mark.parametrize("call", CALLS)
def test_a_silent_server_meets_the_timeout(call: str) -> None:
    hold = threading.Event()
    seen: list[bytes] = []

    def be_silent(connection: socket.socket) -> None:
        seen.append(receive(connection))
        hold.wait(3)

    with raw_server(be_silent) as url:
        wire = Wire(url, timeout=0.2, retries=1)
        with pytest.raises(TransportError, match=r"no answer within 0\.2 s") as caught:
            CALLS[call][2](wire.client)
        hold.set()
    assert caught.value.sent is (call != "GET")
    assert len(wire.waits) == (1 if call == "GET" else 0)


def test_a_dripping_server_meets_the_timeout_too() -> None:
    def drip(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)

    with raw_server(drip) as url, pytest.raises(TransportError, match=r"no answer within 0\.3 s"):
        Wire(url, timeout=0.3, retries=0).client.projects.list()


def test_a_body_that_ends_early_is_no_answer() -> None:
    def cut(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"status": "ok", ')

    with raw_server(cut) as url, pytest.raises(TransportError, match="broke before the whole answer"):
        Wire(url, retries=0).client.projects.list()


def test_a_port_that_speaks_something_else_is_named_as_such() -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"220 mail.example ESMTP ready\r\n")
        receive(connection)

    with raw_server(greet) as url, pytest.raises(TransportError, match=r"does not speak HTTP.*port of base-url"):
        Wire(url).client.projects.list()


# --- TLS --------------------------------------------------------------------------------------------


@contextmanager
def tls_server(authority: trustme.CA, host: str) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    with HTTPServer(ssl_context=context) as httpserver:
        httpserver.expect_request("/api/1/projects/").respond_with_json(PROJECTS)
        yield httpserver


def test_a_certificate_that_is_not_trusted_stops_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with tls_server(trustme.CA(), "localhost") as httpserver:
        wire = Wire(httpserver.url_for(""))
        with pytest.raises(TransportError, match=r"certificate is not trusted here.*REQUESTS_CA_BUNDLE") as caught:
            wire.client.builds.invite("1", "2", groups=["QA"])
        assert not wire.waits
        assert not caught.value.sent
        assert not httpserver.log


def test_the_companys_certificates_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with tls_server(authority, "localhost") as httpserver:
        assert Wire(httpserver.url_for("")).client.projects.list()


def test_https_to_a_port_without_tls_says_so(server: HTTPServer) -> None:
    url = server.url_for("").replace("http:", "https:")
    with pytest.raises(TransportError, match="does not speak TLS on that port"):
        Wire(url).client.projects.list()
    server.clear()


# --- Redirects --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", WRITES)
def test_a_redirected_write_is_an_error(server: HTTPServer, call: str, status: int) -> None:
    method, path, send = CALLS[call]
    server.expect_oneshot_request(path, method=method).respond_with_data(
        "", status=status, headers={"Location": server.url_for("/elsewhere")}
    )
    with pytest.raises(TransportError, match=f"redirected \\({status}\\)"):
        send(Wire(server.url_for("")).client)
    assert len(server.log) == 1


def test_a_get_follows_within_the_host(server: HTTPServer) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_data("", status=301, headers={"Location": "/new/"})
    server.expect_oneshot_request("/new/").respond_with_json(PROJECTS)
    assert Wire(server.url_for("")).client.projects.list()


def test_a_get_never_carries_credentials_to_another_host(server: HTTPServer) -> None:
    with HTTPServer() as other:
        server.expect_oneshot_request("/api/1/projects/").respond_with_data(
            "", status=302, headers={"Location": other.url_for("/api/1/projects/")}
        )
        with pytest.raises(TransportError, match="not followed"):
            Wire(server.url_for("")).client.projects.list()
        assert not other.log


def test_a_redirect_to_nonsense_is_an_error() -> None:
    def talk(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n")

    with raw_server(talk) as url, pytest.raises(TransportError, match="redirected"):
        Wire(url).client.projects.list()


def test_what_is_for_this_machine_goes_to_no_proxy(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with raw_server(lambda connection: seen.append(receive(connection))) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        server.expect_request("/api/1/projects/").respond_with_json(PROJECTS)
        assert Wire(server.url_for("")).client.projects.list()
    assert seen == []


def test_a_redirect_in_a_circle_ends(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_data(
        "", status=302, headers={"Location": "/api/1/projects/"}
    )
    with pytest.raises(TransportError, match="redirected more than 3 times"):
        Wire(server.url_for("")).client.projects.list()


# --- The envelope -----------------------------------------------------------------------------------


def test_fail_with_http_200_is_an_error(server: HTTPServer) -> None:
    server.expect_oneshot_request("/api/1/projects/1/builds/2").respond_with_json(
        {"status": "fail", "code": 1, "message": "Invalid build id"}
    )
    with pytest.raises(
        ApiError, match=r"HTTP 200, code 1\): Invalid build id\. Check project-id and build-id"
    ) as caught:
        Wire(server.url_for("")).client.builds.get("1", "2")
    assert caught.value.not_found


@pytest.mark.parametrize("code", ["156", 156, None, "many"])
def test_codes_come_as_numbers_strings_or_not_at_all(server: HTTPServer, code: object) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"status": "fail", "code": code})
    with pytest.raises(ApiError) as caught:
        Wire(server.url_for("")).client.projects.list()
    assert caught.value.code == (156 if str(code) == "156" else None)
    assert ("landing-page-mode: closed" in str(caught.value)) is (str(code) == "156")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<html><body>Bad gateway</body></html>", 200),
        ("", 200),
        ("null", 200),
        ("[]", 200),
        ('{"projects": []}', 200),
        ('{"status": "ok"}', 200),
        ('{"status": "ok", "projects": "none"}', 200),
        ('{"status": "ok", "projects": [}', 200),
        ("\xff\xfe", 200),
    ],
)
def test_what_is_not_the_documented_shape_is_told_and_never_guessed(server: HTTPServer, body: str, status: int) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_data(body.encode("latin-1"), status=status)
    with pytest.raises((TransportError, ApiError)) as caught:
        Wire(server.url_for("")).client.projects.list()
    assert f"HTTP {status}" in str(caught.value)


def test_excerpts_are_short_single_lines_without_secrets(server: HTTPServer) -> None:
    body = f"<html>\n\n{API_KEY}\x1b[2J\r\n::error::x {BasicAuth(EMAIL, API_KEY)._token()}" + "y" * 5000
    server.expect_oneshot_request("/api/1/projects/").respond_with_data(body, content_type="text/html")
    with pytest.raises(TransportError) as caught:
        Wire(server.url_for("")).client.projects.list()
    text = str(caught.value)
    assert "text/html" in text
    assert API_KEY not in text
    assert "***" in text
    assert len(text) < 400
    assert text.isprintable()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"status": "fail", "code": 104, "message": "User not found"}, "first check that region"),
        (401, "nope", "first check that region"),
        (200, {"status": "fail", "code": 5, "message": "Invalid key"}, "first check that region"),
        (200, {"status": "fail", "code": 104, "message": "User not found"}, "first check that region"),
        (401, {"status": "fail", "message": "Token has expired"}, "fetch a new token"),
        (401, {"status": "fail", "message": "Invalid audience"}, "case matters"),
        (403, {"status": "fail", "code": 5, "message": "admin needed"}, "region is the one of the account"),
        (403, "", "its role is Admin"),
    ],
)
def test_refused_credentials_say_what_to_check(server: HTTPServer, status: int, body: object, expected: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    server.expect_oneshot_request("/api/1/projects/").respond_with_data(text, status=status)
    with pytest.raises(AuthError, match=expected):
        Wire(server.url_for(""), auth=OidcAuth(lambda: Token("token"), "oidc_key")).client.projects.list()


def test_only_who_signs_in_by_a_token_is_told_of_tokens(server: HTTPServer) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"message": "Token has expired"}, status=401)
    with pytest.raises(AuthError, match="first check that region"):
        Wire(server.url_for("")).client.projects.list()


def test_shapes_that_vary_are_all_read(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(
        {"status": "ok", "projects": [{"id": 19, "brandNew": {"x": 1}}, {"id": "19-groupshot", "name": None}]}
    )
    server.expect_request("/api/1/projects/1/builds/").respond_with_json(
        {
            "status": "ok",
            "builds": [
                {"id": 5, "appVersionCode": 20, "sessions": "6", "crashes": None, "testers": "n/a", "downloads": 1},
                {"id": "6", "sessions": {}, "tags": "a, b", "folderPath": "/F", "uploadedAt": "2019-04-04 16:03:15"},
                {"id": "7", "tags": [{"id": 1, "name": "x"}, "y"], "tagsExtra": None},
            ],
        }
    )
    server.expect_request("/api/1/testers/groups").respond_with_json(
        {
            "status": "ok",
            "groups": [
                {
                    "id": 14,
                    "name": "g",
                    "testers": [[{"email": "a@x.org"}, {"email": "b@x.org"}], [[{"email": "c@x.org"}]]],
                },
                {"id": "15", "name": "flat", "testers": [{"email": "a@x.org"}]},
                {"id": "16", "name": "none"},
            ],
        }
    )
    server.expect_request("/api/1/projects/1/builds/2/").respond_with_json({"status": "ok", "metadata": [], "tags": []})
    client = Wire(server.url_for("")).client
    first, second = client.projects.list()
    assert (first.id, second.id) == ("19", "19-groupshot")
    assert first.model_extra == {"brandNew": {"x": 1}}
    one, two, three = client.builds.list("1")
    assert (one.id, one.app_version_code, one.sessions, one.crashes, one.testers, one.downloads) == (
        "5",
        "20",
        6,
        None,
        None,
        1,
    )
    assert (two.sessions, two.tags, two.folder) == (None, ["a", "b"], "/F")
    assert three.tags == ["x", "y"]
    groups = client.groups.list()
    assert [len(group.testers) if group.testers is not None else None for group in groups] == [3, 1, None]
    assert client.builds.update("1", "2", tags=["x"]).metadata == {}


def test_compressed_answers_are_read(server: HTTPServer) -> None:
    body = gzip.compress(b'{"status": "ok", "projects": []}')
    server.expect_request("/api/1/projects/").respond_with_data(body, headers={"Content-Encoding": "gzip"})
    assert Wire(server.url_for("")).client.projects.list() == []


def test_sunset_is_told_once(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(
        PROJECTS, headers={"Deprecation": "true", "Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}
    )
    wire = Wire(server.url_for(""))
    wire.client.projects.list()
    wire.client.projects.list()
    assert len(wire.warnings) == 1
    assert "31 Dec 2026" in wire.warnings[0]


@pytest.mark.parametrize("call", WRITES)
def test_a_dry_run_cannot_write(server: HTTPServer, call: str) -> None:
    with pytest.raises(InputError, match="dry-run is set, so"):
        CALLS[call][2](Wire(server.url_for(""), read_only=True).client)
    assert not server.log


def test_no_error_shows_a_secret_that_the_service_echoes(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_json({"status": "fail", "message": f"bad key {API_KEY}"})
    wire = Wire(server.url_for(""))
    with pytest.raises(AppDistError) as caught:
        wire.client.projects.list()
    assert API_KEY not in str(caught.value) + repr(caught.value) + repr(vars(wire.transport)["_session"].auth)
