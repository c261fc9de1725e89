"""Downloads: where they go, when they start over, what they leave."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from api.support import client_of
from harness import API_KEY, EMAIL
from sauce_appdist.auth.oidc import Token
from sauce_appdist.auth.signing import ApiKeyAuth, BasicAuth, OidcAuth
from sauce_appdist.errors import ApiError, AuthError, InputError, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    from sauce_appdist.auth.signing import Auth


DOWNLOAD = "/api/1/projects/1/builds/2/download/"
APK = b"PK\x03\x04" + bytes(range(256)) * 1000


def storage_of(server: HTTPServer) -> str:
    """The same server by another name, which makes it another host."""
    return server.url_for("").replace("localhost", "127.0.0.1")


@pytest.mark.parametrize(
    "auth",
    [BasicAuth(EMAIL, API_KEY), ApiKeyAuth(API_KEY), OidcAuth(lambda: Token("token-00000"), "oidc_config")],
    ids=lambda a: type(a).__name__,
)
def test_no_credential_follows_to_another_host(
    server: HTTPServer, tmp_path: Path, auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password hunter2-hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))  # what a runner may have lying around
    seen: dict[str, str] = {}

    def keep(request: Request) -> Response:
        seen.update(request.headers)
        assert request.args["X-Amz-Signature"] == "s3cr3t"
        return Response(APK, content_type="application/octet-stream")

    server.expect_request(DOWNLOAD).respond_with_data(
        "",
        302,
        {"Location": f"{storage_of(server)}/files/My%20App.apk?X-Amz-Signature=s3cr3t", "Set-Cookie": "session=1"},
    )
    server.expect_request("/files/My App.apk").respond_with_handler(keep)
    log: list[str] = []
    file = client_of(server, auth, log=log.append).builds.download("1", "2", to=tmp_path)
    assert (file.path, file.size, file.path.read_bytes()) == (tmp_path / "My App.apk", len(APK), APK)
    assert not {"Authorization", "X-Api-Key", "X-Oidc-Config-Key", "Cookie"} & seen.keys()
    assert "s3cr3t" not in "".join(log)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_redirect_to_another_host_is_for_downloads_only(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_data(
        "", 302, {"Location": f"{storage_of(server)}/x?sig=s3cr3t"}
    )
    with pytest.raises(TransportError, match="which is not followed") as caught:
        client_of(server).projects.list()
    assert "s3cr3t" not in str(caught.value)


def test_a_download_never_goes_on_without_tls(server: HTTPServer, tmp_path: Path) -> None:
    server.expect_request(DOWNLOAD).respond_with_data(
        "", 302, {"Location": "http://storage.example/app.apk?sig=s3cr3t"}
    )
    with pytest.raises(TransportError, match=r"redirected \(302\) to http://storage.example, which is not followed"):
        client_of(server).builds.download("1", "2", to=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", ["half", "502"])
def test_a_download_that_breaks_off_begins_again(server: HTTPServer, tmp_path: Path, bad: str) -> None:
    tries: list[str] = []

    def answer(_: Request) -> Response:
        tries.append("")
        if len(tries) == 1 and bad == "502":
            return Response("", 502)
        body = APK if len(tries) > 1 else APK[:1000]
        # An iterator, or werkzeug would correct the length.
        return Response(
            iter([body]), content_type="application/octet-stream", headers={"Content-Length": str(len(APK))}
        )

    server.expect_request(DOWNLOAD).respond_with_handler(answer)
    file = client_of(server).builds.download("1", "2", to=tmp_path / "a.apk")
    assert file.path.read_bytes() == APK
    assert len(tries) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.apk"]


def test_a_file_that_is_there_stays_when_the_new_one_does_not_come(server: HTTPServer, tmp_path: Path) -> None:
    (tmp_path / "a.apk").write_bytes(b"old")
    server.expect_request(DOWNLOAD).respond_with_json({"status": "fail", "code": 1, "message": "no such build"})
    with pytest.raises(ApiError, match=r"HTTP 200, code 1\): no such build"):
        client_of(server).builds.download("1", "2", to=tmp_path / "a.apk")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="app.apk"', "app.apk"),
        ('attachment; filename="../../.bashrc"', "bashrc"),
        ('attachment; filename="a\\\\b\x1b[2J.apk"', "b_[2J.apk".replace("[", "_")),
        ("attachment; filename*=UTF-8''Grüße%20🚆.apk", "Grüße _.apk"),
        ("", "build-2"),
    ],
)
def test_the_name_of_a_file_leads_nowhere_else(server: HTTPServer, tmp_path: Path, header: str, name: str) -> None:
    headers = {"Content-Disposition": header.encode().decode("latin-1")} if header else {}
    server.expect_request(DOWNLOAD).respond_with_data(APK, headers=headers, content_type="application/octet-stream")
    file = client_of(server).builds.download("1", "2", to=tmp_path)
    assert file.path.parent == tmp_path
    assert file.path.name == name


@pytest.mark.parametrize("code", [401, 403])
def test_a_download_that_is_refused_is_a_refusal(server: HTTPServer, tmp_path: Path, code: int) -> None:
    server.expect_request(DOWNLOAD).respond_with_json({"status": "fail", "code": 104, "message": "no"}, status=code)
    with pytest.raises(AuthError):
        client_of(server).builds.download("1", "2", to=tmp_path)


@pytest.mark.parametrize(
    "location",
    [
        "https://localhost:99999/x?sig=s3cr3t",
        "ftp://localhost/x?sig=s3cr3t",
        "file://localhost/etc/passwd?sig=s3cr3t",
        "http://[bad?sig=s3cr3t",
    ],
)
@pytest.mark.parametrize("hops", [0, 1])
def test_a_wrong_redirect_shows_no_signature(server: HTTPServer, tmp_path: Path, location: str, hops: int) -> None:
    first = location if hops == 0 else f"{storage_of(server)}/next?sig=s3cr3t"
    server.expect_request(DOWNLOAD).respond_with_data("", 302, {"Location": first})
    server.expect_request("/next").respond_with_data("", 302, {"Location": location})
    log: list[str] = []
    with pytest.raises(TransportError) as caught:
        client_of(server, log=log.append).builds.download("1", "2", to=tmp_path)
    assert "s3cr3t" not in str(caught.value) + "".join(log)
    assert list(tmp_path.iterdir()) == []


def test_who_left_our_host_is_never_signed_again(server: HTTPServer, tmp_path: Path) -> None:
    """A storage that sends back to the API must not be able to have it read for us."""
    server.expect_request(DOWNLOAD).respond_with_data("", 302, {"Location": f"{storage_of(server)}/x"})
    server.expect_request("/x").respond_with_data("", 302, {"Location": server.url_for("/api/1/cpanel/permissions/")})

    def permissions(request: Request) -> Response:
        assert request.authorization is None
        return Response("{}", 401)

    server.expect_request("/api/1/cpanel/permissions/").respond_with_handler(permissions)
    with pytest.raises((TransportError, AuthError)):
        client_of(server).builds.download("1", "2", to=tmp_path)


def test_the_storage_is_asked_again_when_it_is_busy(server: HTTPServer, tmp_path: Path) -> None:
    server.expect_request(DOWNLOAD).respond_with_data("", 302, {"Location": f"{storage_of(server)}/x"})
    server.expect_oneshot_request("/x").respond_with_data("", 503)
    server.expect_request("/x").respond_with_data(APK, content_type="application/octet-stream")
    assert client_of(server).builds.download("1", "2", to=tmp_path / "a.apk").size == len(APK)


def test_a_slow_download_goes_on_as_long_as_something_comes(server: HTTPServer, tmp_path: Path) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(6):
            time.sleep(0.2)
            yield APK[:1000]

    server.expect_request(DOWNLOAD).respond_with_handler(
        lambda _: Response(drip(), content_type="application/octet-stream")
    )
    assert client_of(server, timeout=0.6).builds.download("1", "2", to=tmp_path / "a.apk").size == 6000


def test_a_cancelled_download_leaves_nothing(server: HTTPServer, tmp_path: Path) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(50):
            time.sleep(0.1)
            yield APK

    server.expect_request(DOWNLOAD).respond_with_handler(
        lambda _: Response(drip(), content_type="application/octet-stream")
    )
    environ = {
        "PATH": os.environ["PATH"],
        "APPDIST_EMAIL": EMAIL,
        "APPDIST_API_KEY": API_KEY,
        "APPDIST_BASE_URL": server.url_for(""),
    }
    words = ["api", "builds", "download", "--project-id", "1", "--build-id", "2", "--to", str(tmp_path / "a.apk")]
    running = subprocess.Popen([sys.executable, "-m", "sauce_appdist", *words], env=environ)
    while not list(tmp_path.iterdir()):
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_written_through(server: HTTPServer, tmp_path: Path) -> None:
    (tmp_path / "real.apk").write_bytes(b"old")
    (tmp_path / "latest.apk").symlink_to("real.apk")
    server.expect_request(DOWNLOAD).respond_with_data(APK, content_type="application/octet-stream")
    client_of(server).builds.download("1", "2", to=tmp_path / "latest.apk")
    assert (tmp_path / "latest.apk").is_symlink()
    assert (tmp_path / "real.apk").read_bytes() == APK


@pytest.mark.parametrize("status", [204, 206])
def test_a_part_of_a_file_is_no_file(server: HTTPServer, tmp_path: Path, status: int) -> None:
    server.expect_request(DOWNLOAD).respond_with_data(APK[:9], status, content_type="application/octet-stream")
    with pytest.raises(ApiError):
        client_of(server).builds.download("1", "2", to=tmp_path)


@pytest.mark.parametrize("to", [None, "."])
def test_a_name_that_the_service_chooses_replaces_nothing(
    server: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gradlew").write_bytes(b"mine")
    server.expect_request(DOWNLOAD).respond_with_data(
        APK, headers={"Content-Disposition": "attachment; filename=gradlew"}, content_type="application/octet-stream"
    )
    with pytest.raises(InputError, match=r"/gradlew exists, .*--to"):
        client_of(server).builds.download("1", "2", to=to)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("gradlew", b"mine")]
    assert client_of(server).builds.download("1", "2", to="gradlew").path.read_bytes() == APK


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=\"a.apk\"; filename*=UTF-8''b%20%C3%BC.apk", "b ü.apk"),
        ("attachment; filename*=UTF-8''b.apk; filename=a.apk", "b.apk"),
        ("attachment; FileName*=iso-8859-1'de'%fc.apk; filename=a.apk", "ü.apk"),
        ("attachment; filename=a.apk; filename*=UTF-8''", "a.apk"),
        ("attachment; filename=a.apk; filename*=broken", "a.apk"),
    ],
)
def test_the_extended_name_wins(server: HTTPServer, tmp_path: Path, header: str, name: str) -> None:
    """RFC 6266, 4.3."""
    server.expect_request(DOWNLOAD).respond_with_data(
        APK, headers={"Content-Disposition": header}, content_type="application/octet-stream"
    )
    assert client_of(server).builds.download("1", "2", to=tmp_path).path.name == name
