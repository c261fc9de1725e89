"""The client for scripts: what goes beyond one request and its sample answer (those are in contract/)."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request, Response

import sauce_appdist
from harness import API_KEY, EMAIL
from sauce_appdist import Client
from sauce_appdist.api.builds import Build
from sauce_appdist.api.feedbacks import Feedback
from sauce_appdist.api.sessions import Session
from sauce_appdist.api.webhooks import Webhook
from sauce_appdist.auth.oidc import Token
from sauce_appdist.auth.signing import ApiKeyAuth, BasicAuth, OidcAuth
from sauce_appdist.errors import ApiError, AuthError, InputError, TransportError
from sauce_appdist.steps.find import newest
from sauce_appdist.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    from sauce_appdist.auth.signing import Auth

DOWNLOAD = "/api/1/projects/1/builds/2/download/"
APK = b"PK\x03\x04" + bytes(range(256)) * 1000


def client_of(server: HTTPServer, auth: Auth | None = None, **options: Any) -> Client:
    transport = Transport(
        server.url_for(""), auth or BasicAuth(EMAIL, API_KEY), **{"timeout": 5.0, "sleep": lambda _: None, **options}
    )
    return Client(transport)


# --- From the environment -----------------------------------------------------------------------------


def test_the_package_offers_the_client_and_its_errors() -> None:
    assert sauce_appdist.Client is Client
    assert issubclass(ApiError, sauce_appdist.AppDistError)
    with pytest.raises(AttributeError, match="has no attribute 'Clint'"):
        _ = sauce_appdist.Clint


def test_from_env_reads_what_the_command_line_reads() -> None:
    with Client.from_env({"APPDIST_API_KEY": "key-00000000", "APPDIST_REGION": "eu-central-1"}) as client:
        assert repr(client) == "Client('https://mobile.eu-central-1.saucelabs.com')"
        assert "key-00000000" not in repr(vars(client.transport))
    with pytest.raises(InputError, match="region is 'us-west-1'"):
        Client.from_env({"APPDIST_API_KEY": "key-00000000", "APPDIST_REGION": "us-west-1"})


def test_what_the_service_warns_of_is_logged(server: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(
        {"status": "ok", "projects": []}, headers={"Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}
    )
    client = Client.from_env(
        {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": server.url_for("")}
    )
    with caplog.at_level(logging.DEBUG, "sauce_appdist"):
        client.projects.list()
        client.projects.list()
    levels = [record.levelname for record in caplog.records if record.name == "sauce_appdist"]
    assert levels.count("WARNING") == 1
    assert levels.count("DEBUG") == 2
    assert "Thu, 31 Dec 2026 23:59:59 GMT" in caplog.text


# --- Models -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2019-04-04 16:03:15", datetime(2019, 4, 4, 16, 3, 15)),  # noqa: DTZ001 - the service names no zone
        ("2019-04-04T16:03:15Z", datetime(2019, 4, 4, 16, 3, 15, tzinfo=UTC)),
        ("2019-04-04T18:03:15+02:00", datetime(2019, 4, 4, 16, 3, 15, tzinfo=UTC)),
        (1554393795, datetime(2019, 4, 4, 16, 3, 15, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        ({}, None),
    ],
)
def test_times_are_aware_where_the_zone_is_known(text: object, read: datetime | None) -> None:
    at = Build.model_validate({"id": 1, "uploadedAt": text}).uploaded_at
    assert at == read
    assert bool(at and at.tzinfo) == bool(read and read.tzinfo)


def test_the_newest_build_is_found_whatever_the_times_look_like() -> None:
    builds = [
        Build.model_validate({"id": number, "uploadedAt": at})
        for number, at in enumerate([None, "2019-04-04 16:03:15", "2019-04-04T18:03:16Z", "2018-01-01 00:00:00", "?"])
    ]
    assert [build.id for build in sorted(builds, key=newest)] == ["0", "4", "3", "1", "2"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15:01", 901), ("00:27", 27), ("1:02:03", 3723), ("45", 45), (45, 45), ("", None), ("long", None), (None, None)],
)
def test_durations(text: object, seconds: int | None) -> None:
    session = Session.model_validate({"id": 1, "duration": text})
    assert session.duration == (None if seconds is None else timedelta(seconds=seconds))


def test_the_two_times_of_a_feedback_are_kept_apart() -> None:
    one = Feedback.model_validate({"recordedAt": "2018-08-01 14:14:46"})
    assert (one.recorded_at, str(one.recorded_at_alternate)) == (None, "2018-08-01 14:14:46")


@pytest.mark.parametrize(
    ("status", "enabled"), [("1", True), (0, False), ("Active", True), ("later", None), (None, None)]
)
def test_a_webhook_is_enabled_or_nobody_knows(status: object, enabled: bool | None) -> None:
    assert Webhook.model_validate({"id": 1, "status": status}).enabled is enabled


# --- Pages --------------------------------------------------------------------------------------------


def pages(server: HTTPServer, *each: list[int], total_pages: int | None) -> list[str]:
    """A log of these ids, page by page; returns what was asked for."""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.args["page"])
        number = min(int(request.args["page"]), len(each)) - 1
        pagination = {"page": number + 1, "per_page": 100}
        if total_pages is not None:
            pagination["total_pages"] = total_pages
        audits = [{"id": one} for one in each[number]]
        return Response(
            json.dumps({"status": "ok", "audits": audits, "pagination": pagination}),
            content_type="application/json",
        )

    server.expect_request("/api/2/audits/").respond_with_handler(answer)
    return asked


def test_pages_are_asked_for_as_they_are_needed(server: HTTPServer) -> None:
    asked = pages(server, [1, 2], [3, 4], [5], total_pages=3)
    trail = client_of(server).audits.list()
    assert asked == []
    assert [audit.id for audit in islice(trail, 3)] == ["1", "2", "3"]
    assert asked == ["1", "2"]
    assert [audit.id for audit in trail] == ["1", "2", "3", "4", "5"]
    assert asked == ["1", "2", "1", "2", "3"]


def test_what_moves_to_the_next_page_meanwhile_comes_once(server: HTTPServer) -> None:
    pages(server, [1, 2], [2, 3], [4], total_pages=3)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2", "3", "4"]


def test_a_page_without_anything_new_is_not_the_end(server: HTTPServer) -> None:
    pages(server, [1, 2], [1, 2], [2, 3], [3, 4], total_pages=4)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2", "3", "4"]


def test_items_without_an_id_are_all_kept(server: HTTPServer) -> None:
    page = {"status": "ok", "audits": [{"actionLabel": "a"}, {"actionLabel": "a"}], "pagination": {"total_pages": 1}}
    server.expect_request("/api/2/audits/admin-trail/").respond_with_json(page)
    assert len(list(client_of(server).audits.admin_trail())) == 2


def test_a_filter_that_is_none_is_refused(server: HTTPServer) -> None:
    with pytest.raises(TypeError, match=r"'startdate' is no filter \(did you mean 'start_date'\?\)"):
        client_of(server).audits.list(startdate="2026-05-01")  # type: ignore[call-arg]


def test_a_server_that_tells_no_number_of_pages_is_asked_until_there_is_no_more(server: HTTPServer) -> None:
    asked = pages(server, [1, 2], [3], [], total_pages=None)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2", "3"]
    assert asked == ["1", "2", "3"]


def test_a_server_that_knows_no_pages_does_not_go_on_for_ever(server: HTTPServer) -> None:
    asked = pages(server, [1, 2], total_pages=None)
    assert [audit.id for audit in client_of(server).audits.list()] == ["1", "2"]
    assert asked == ["1", "2"]


# --- Downloads ----------------------------------------------------------------------------------------


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
        # An iterator, or werkzeug would mend the length.
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


# --- Logs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "I/ActivityManager: Grüße 🚆\n", '{"status": "ok"}\n', "{ not json"])
def test_logs_are_text(server: HTTPServer, text: str) -> None:
    server.expect_request("/api/1/projects/1/builds/2/sessions/3/", query_string="fields=logs").respond_with_data(
        text.encode(), content_type="application/text"
    )
    assert client_of(server).sessions.logs("1", "2", "3") == text


def test_logs_that_are_refused_are_no_logs(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/1/builds/2/sessions/3/").respond_with_json(
        {"status": "fail", "code": 1, "message": "Missing session"}
    )
    with pytest.raises(ApiError, match="Missing session"):
        client_of(server).sessions.logs("1", "2", "3")


# --- Names that newer servers changed -----------------------------------------------------------------


def test_only_a_404_is_asked_again_under_the_other_name(server: HTTPServer) -> None:
    server.expect_ordered_request("/api/1/webhook/5/", method="DELETE").respond_with_data("<html>", 404)
    server.expect_ordered_request("/api/1/webhooks/5/", method="DELETE").respond_with_json({"status": "ok"})
    server.expect_ordered_request("/api/1/webhooks/6/", method="DELETE").respond_with_json({"status": "ok"})
    client = client_of(server)
    client.webhooks.delete("5")
    client.webhooks.delete("6")
    server.clear()
    server.expect_oneshot_request("/api/1/webhook/5/", method="DELETE").respond_with_data("", 500)
    with pytest.raises(TransportError) as caught:
        client_of(server).webhooks.delete("5")
    assert caught.value.sent
    assert len(server.log) == 1


def test_an_envelope_tells_more_than_a_page(server: HTTPServer) -> None:
    """Both names are answered with 404: the one that says what is missing is told."""
    server.expect_request("/api/1/webhook/5/").respond_with_data("<html>", 404, content_type="text/html")
    server.expect_request("/api/1/webhooks/5/").respond_with_json(
        {"status": "fail", "code": 1, "message": "no such webhook"}, status=404
    )
    with pytest.raises(ApiError, match="no such webhook"):
        client_of(server).webhooks.get("5")
    server.clear()
    server.expect_request("/api/1/webhook/5/").respond_with_json(
        {"status": "fail", "code": 1, "message": "no such webhook"}, status=404
    )
    server.expect_request("/api/1/webhooks/5/").respond_with_data("", 403)
    with pytest.raises(ApiError, match="no such webhook"):
        client_of(server).webhooks.get("5")


def test_104_has_two_meanings(server: HTTPServer) -> None:
    nameless = {"status": "fail", "code": 104, "message": "Missing webhook name"}
    server.expect_request("/api/1/webhook/").respond_with_json(nameless, status=400)
    with pytest.raises(ApiError, match="Missing webhook name"):
        client_of(server).webhooks.add(name="", url="https://a.example")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.builds.update("1", "2", tags="production"),
        lambda client: client.builds.invite("1", "2", groups="QA", notify=True),
        lambda client: client.builds.copy("1", "2", to_folder="F", groups=["QA, Berlin"]),
        lambda client: client.testers.add("a@example.com"),
        lambda client: client.groups.add_testers("12", "a@example.com"),
        lambda client: client.testers.get(None),
        lambda client: client.sites.create("emea", login_method="password"),
    ],
)
def test_what_would_be_sent_as_something_else_is_not_sent(server: HTTPServer, call: Callable[[Client], object]) -> None:
    with pytest.raises(InputError):
        call(client_of(server))
    assert not server.log


def test_an_id_may_be_a_number(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/6905338/builds/").respond_with_json({"status": "ok", "builds": []})
    assert client_of(server).builds.list(6905338) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "ok", "projects": None}, "projects: Input should be a valid"),
        ({"status": "ok", "projects": [{"name": "no id"}]}, "projects.0.id: Field required"),
        ({"status": "fail", "code": 99, "message": ["no"]}, "refused (HTTP 200, code 99)"),
    ],
)
def test_what_cannot_be_left_out_is_named(server: HTTPServer, answer: dict[str, Any], expected: str) -> None:
    server.expect_request("/api/1/projects/").respond_with_json(answer)
    with pytest.raises((TransportError, ApiError)) as caught:
        client_of(server).projects.list()
    assert expected in str(caught.value)


def test_odd_members_do_not_hide_a_group(server: HTTPServer) -> None:
    groups = [{"id": 1, "name": "QA", "testers": [[{"email": "a@example.com"}, {"email": []}]]}, {"id": 2, "name": "B"}]
    server.expect_request("/api/1/testers/groups").respond_with_json({"status": "ok", "groups": groups})
    one, other = client_of(server).groups.list()
    assert (one.name, one.testers, other.testers) == ("QA", None, None)


def test_an_id_leads_nowhere_else(server: HTTPServer) -> None:
    paths: list[str] = []

    def answer(request: Request) -> Response:
        paths.append(request.environ["RAW_URI"])
        return Response('{"status": "ok"}', content_type="application/json")

    server.expect_request(re.compile(".*")).respond_with_handler(answer)
    client_of(server).testers.delete("../groups/12")
    assert paths == ["/api/1/testers/..%2Fgroups%2F12"]
