"""The server itself: paths, connections, the request log, reset and faults."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator
from emulator.support import BUILD, CI, PROJECTS

if TYPE_CHECKING:
    from emulator.support import Ask, Look


def order(api: Ask, **fault: Any) -> None:
    answer = api("POST", "/_emulator/faults", json=fault, auth=None)
    assert answer.status_code == 200, answer.text


# --- paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/1/projects"),
        ("GET", "/api/1/projects/6905338/builds"),
        ("GET", BUILD + "/"),
        ("DELETE", BUILD + "/"),
        ("PATCH", BUILD),
        ("POST", BUILD + "/copy/"),
        ("POST", BUILD + "/invites"),
        ("GET", BUILD + "/download"),
        ("GET", "/api/1/testers/groups/"),
        ("GET", "/api/1/testers/501/"),
        ("POST", "/api/1/testers/501/block"),
        ("POST", "/api/1/testers/groups/12/"),
        ("GET", BUILD + "/sessions"),
        ("GET", BUILD + "/sessions/8911052001"),
        ("GET", "/api/1/feedbacks"),
        ("GET", "/api/1/cpanel/permissions"),
        ("GET", "/api/1/webhooks"),
        ("GET", "/api/1/webhooks/31/"),
        ("POST", "/api/1/webhook"),
        ("GET", "/api/1/webhook/31"),
        ("GET", "/api/1/site"),
        ("DELETE", "/api/1/site/20131"),
        ("GET", "/api/2/audits"),
        ("GET", "/api/2/audits/admin-trail"),
        ("POST", "/api/1/testers"),
        ("POST", "/api/1/testers/groups/"),
        ("POST", "/api/upload//"),
        ("GET", "/api//1/projects/"),
        ("GET", "/api/3/projects/"),
        ("GET", "/"),
    ],
)
def test_any_other_path_is_404_and_no_redirect(api: Ask, method: str, path: str) -> None:
    answer = api(method, path)
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (404, "fail", 404)


def test_a_wrong_slash_is_explained(api: Ask) -> None:
    assert "with a slash" in api("GET", "/api/1/projects").json()["message"]
    assert "without a slash" in api("GET", BUILD + "/").json()["message"]


def test_a_wrong_method_is_405(api: Ask) -> None:
    answer = api("PUT", BUILD)
    assert (answer.status_code, answer.json()["code"]) == (405, 405)


# --- connections ------------------------------------------------------------------------------


def test_a_session_keeps_one_connection(api: Ask, look: Look) -> None:
    for _ in range(3):
        assert api("GET", PROJECTS).status_code == 200
    api("POST", f"{BUILD}/copy", data={})  # refused, with a body
    api("GET", PROJECTS, auth=None)
    assert api("GET", "/nowhere").headers["Content-Length"]
    log = look("requests")
    assert len(log) == 6
    assert {entry["connection"] for entry in log} == {log[0]["connection"]}
    requests.get(look_url(api) + PROJECTS, auth=CI, timeout=5)
    assert look("requests")[-1]["connection"] != log[0]["connection"]


def look_url(api: Ask) -> str:
    return api("GET", "/_emulator/").url.removesuffix("/_emulator/")


def test_an_unread_body_does_not_break_the_next_request(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=5)
    for _ in range(2):
        connection.request("POST", "/nowhere", body=b"x" * 300_000)
        assert connection.getresponse().read().startswith(b'{"status": "fail"')
    connection.request("POST", "/nowhere", body=iter([b"chunk", b"ed"]), encode_chunked=True)
    assert connection.getresponse().read()
    connection.request("HEAD", "/_emulator/")
    head = connection.getresponse()
    assert int(head.headers["Content-Length"]) > 0
    assert head.read() == b""
    connection.request("GET", "/_emulator/")
    assert json.loads(connection.getresponse().read())["status"] == "ok"
    connection.close()


def test_expect_continue_is_answered(emulator: Emulator) -> None:
    host, port = emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as wire:
        wire.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 100")
        wire.sendall(b"ok")
        assert wire.recv(100).startswith(b"HTTP/1.1 404")


def test_a_get_is_fast_on_a_kept_connection(api: Ask) -> None:
    times = []
    for _ in range(50):
        started = time.perf_counter()
        api("GET", PROJECTS)
        times.append(time.perf_counter() - started)
    # Nagle and delayed acknowledgements would make it 40 ms; a busy machine must not fail this.
    assert statistics.median(times) < 0.02


def test_requests_at_the_same_time(emulator: Emulator, look: Look) -> None:
    def invite() -> None:
        for _ in range(5):
            answer = requests.post(f"{emulator.url}{BUILD}/copy", data={"folder_name": "F"}, auth=CI, timeout=10)
            assert answer.status_code == 200

    threads = [threading.Thread(target=invite) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (project,) = [one for one in look("state")["projects"] if one["folderPath"] == "/F"]
    assert len({build["id"] for build in project["builds"]}) == 30
    assert [entry["number"] for entry in look("requests")] == list(range(1, 31))


def test_stopping_closes_the_port_and_kept_connections() -> None:
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = emulator.url
    with requests.Session() as session:
        with emulator:
            url = emulator.url
            assert url.startswith("http://127.0.0.1:")
            session.get(url + "/_emulator/", timeout=5)
            with pytest.raises(RuntimeError, match="already"):
                emulator.start()
        with pytest.raises(requests.ConnectionError):
            session.get(url + "/_emulator/", timeout=5)
    emulator.stop()  # twice does no harm


def test_stopping_does_not_wait_for_a_delay(emulator: Emulator, api: Ask) -> None:
    order(api, path="projects", delay=60)

    answers = []

    def ask() -> None:
        answers.append(requests.get(emulator.url + PROJECTS, auth=CI, timeout=30).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    while not api("GET", "/_emulator/requests").json():
        time.sleep(0.01)
    started = time.perf_counter()
    emulator.stop()
    thread.join()
    assert time.perf_counter() - started < 5
    assert answers == [200]


# --- the request log --------------------------------------------------------------------------


def test_the_log_tells_what_was_asked(api: Ask, look: Look) -> None:
    api("GET", "/api/1/testers", params={"buildId": "8911052"})
    api("PATCH", f"{BUILD}/", data={"tags": "a", "comment": "x"})
    api("PATCH", f"{BUILD}/", json={"tags": "b"})
    api("GET", "/nowhere", auth=None)
    first, second, third, fourth = look("requests")
    assert first == {
        "number": 1,
        "method": "GET",
        "path": "/api/1/testers",
        "query": {"buildId": "8911052"},
        "content_type": "",
        "form": {},
        "files": [],
        "auth": "basic",
        "connection": first["connection"],
        "status": 200,
        "fault": None,
        "at": first["at"],
    }
    assert second["form"] == {"tags": "a", "comment": "x"}
    assert second["content_type"] == "application/x-www-form-urlencoded"
    assert (third["form"], third["content_type"]) == ({"tags": "b"}, "application/json")
    assert (fourth["status"], fourth["auth"], fourth["number"]) == (404, None, 4)
    api("DELETE", "/_emulator/requests")
    assert look("requests") == []


def test_the_log_and_the_state_hold_no_secret(api: Ask, look: Look) -> None:
    keys = ["nw-demo-key-0001", "demo-oidc-token", "oidc_northwind_demo", "somebody-elses-key"]
    api("PATCH", f"{BUILD}/", data={"metadata_note": f"key {keys[0]} in a note"})
    api("PATCH", f"{BUILD}/", json={"other": {"deep": [keys[1]]}})
    api("GET", "/api/1/testers", params={"api_key": keys[3], "x": keys[2]})
    oidc = {"Authorization": f"Bearer {keys[1]}", "X-OIDC-Config-Key": keys[2]}
    api("GET", PROJECTS, auth=lambda request: request, headers=oidc)
    for key in (keys[0], keys[3]):
        api("POST", "/api/upload/", auth=None, data={"api_key": key}, files={"file": ("a.apk", b"x")})
    log = look("requests")
    assert [entry["auth"] for entry in log] == ["basic", "basic", "basic", "oidc", "api_key", "api_key"]
    assert log[0]["form"] == {"metadata_note": "key *** in a note"}
    assert (log[-1]["form"], log[-1]["files"]) == ({"api_key": "***"}, ["a.apk"])
    assert not [key for key in keys if key in json.dumps(log)]
    state = look("state")
    api("POST", "/_emulator/reset")
    assert not [key for key in keys if key in json.dumps(look("state"))]
    assert state["company"] == "Northwind Travel"


# --- looking inside and starting again --------------------------------------------------------


def test_a_short_key_does_not_blank_the_log(api: Ask, look: Look) -> None:
    api("POST", "/_emulator/reset", json={"users": [{"email": "a@b.example", "api_key": "k"}]})
    api("POST", "/api/1/testers/", data={"email": "k@k.example", "group": "k"}, auth=("a@b.example", "k"))
    assert look("requests")[0]["form"] == {"email": "k@k.example", "group": "***"}


def test_the_index_names_the_endpoints(api: Ask) -> None:
    body = api("GET", "/_emulator/", auth=None).json()
    assert "POST /_emulator/faults" in body["endpoints"]


def test_reset(api: Ask, look: Look) -> None:
    before = look("state")
    api("DELETE", BUILD)
    order(api, path="projects", status=503, times=None)
    assert look("state") != before
    assert api("POST", "/_emulator/reset", auth=None).json() == {"status": "ok"}
    assert (look("state"), look("requests"), look("faults")) == (before, [], [])


def test_reset_to_another_seed_and_back(api: Ask, look: Look) -> None:
    default = look("state")
    seed = {"company": "Minimal", "users": [{"email": "a@b.example", "api_key": "k"}]}
    api("POST", "/_emulator/reset", json=seed)
    assert (look("state")["company"], look("state")["projects"]) == ("Minimal", [])
    assert api("GET", PROJECTS).status_code == 401
    assert api("GET", PROJECTS, auth=("a@b.example", "k")).json() == {"status": "ok", "projects": []}
    api("POST", "/_emulator/reset?seed=default")
    assert look("state") == default
    with Emulator(seed) as other:
        requests.post(f"{other.url}/_emulator/reset?seed=default", timeout=5)
        requests.post(f"{other.url}/_emulator/reset", timeout=5)
        state = requests.get(f"{other.url}/_emulator/state", timeout=5).json()
        assert state["company"] == "Minimal"


@pytest.mark.parametrize(
    ("path", "body", "hint"),
    [
        ("reset", {"users": []}, "users"),
        ("reset", {"users": [{"email": "a@b.example"}]}, "users[0].api_key"),
        ("reset", [1], "JSON object"),
        ("reset?seed=other", None, "default"),
        ("reset?seed=default", {"users": []}, "either"),
    ],
)
def test_a_bad_reset_changes_nothing(api: Ask, look: Look, path: str, body: Any, hint: str) -> None:
    before = look("state")
    answer = api("POST", f"/_emulator/{path}", json=body)
    assert (answer.status_code, answer.json()["status"]) == (400, "fail")
    assert hint in answer.json()["message"]
    assert look("state") == before


# --- faults -----------------------------------------------------------------------------------


def test_a_fault_once(api: Ask, look: Look) -> None:
    order(api, path="/projects/$", status=503, body="upstream gone", headers={"Retry-After": "7"})
    answer = api("GET", PROJECTS)
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "upstream gone", "7")
    assert api("GET", PROJECTS).status_code == 200
    assert [(entry["status"], entry["fault"]) for entry in look("requests")] == [(503, 1), (200, None)]
    (fault,) = look("faults")
    assert (fault["hits"], fault["left"]) == (1, 0)


def test_faults_choose_their_requests(api: Ask) -> None:
    order(api, method="post", path="invites", status=500)
    order(api, status=502, skip=1, times=2)
    assert api("GET", PROJECTS).status_code == 200  # skipped
    assert api("POST", f"{BUILD}/invites/", data={"groups": "QA"}).status_code == 500
    assert [api("GET", PROJECTS).status_code for _ in range(3)] == [502, 502, 200]
    order(api, path="projects", status=429, times=None)
    assert {api("GET", PROJECTS).status_code for _ in range(5)} == {429}
    assert api("GET", "/_emulator/state").status_code == 200  # never here
    api("DELETE", "/_emulator/faults")
    assert api("GET", PROJECTS).status_code == 200


def test_bodies_of_a_fault(api: Ask) -> None:
    order(api, body={"status": "fail", "code": 1, "message": "no"})
    answer = api("GET", PROJECTS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json()["code"] == 1
    order(api, status=502, body="<html>", content_type="text/html")
    assert api("GET", PROJECTS).headers["Content-Type"] == "text/html"
    order(api, status=302, headers={"Location": "/elsewhere"})
    answer = api("GET", PROJECTS)
    assert (answer.status_code, answer.headers["Location"], answer.content) == (302, "/elsewhere", b"")
    order(api, status=204)
    assert api("GET", PROJECTS).status_code == 204
    order(api, headers={"Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"})
    answer = api("GET", PROJECTS)
    assert answer.json()["status"] == "ok"
    assert answer.headers["Sunset"].startswith("Thu")


def test_a_truncated_answer(api: Ask) -> None:
    order(api, body="half", headers={"Content-Length": "100"})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api("GET", PROJECTS)
    assert api("GET", PROJECTS).status_code == 200


def test_a_delay(api: Ask, look: Look) -> None:
    order(api, path="projects", delay=0.3)
    started = time.perf_counter()
    assert api("GET", PROJECTS).json()["status"] == "ok"
    assert time.perf_counter() - started >= 0.3
    order(api, method="POST", delay=0.5, after=True)
    with pytest.raises(requests.ReadTimeout):
        api("POST", f"{BUILD}/copy", data={"folder_name": "F"}, timeout=0.2)
    assert "/F" in look("state")["folders"]  # carried out, although nobody heard of it


def test_dropped_before_it_was_carried_out(api: Ask, look: Look) -> None:
    order(api, method="POST", path="/copy$", drop="before")
    with pytest.raises(requests.ConnectionError):
        api("POST", f"{BUILD}/copy", data={"folder_name": "F"})
    assert "/F" not in look("state")["folders"]
    entry = look("requests")[0]
    assert (entry["status"], entry["fault"], entry["form"]) == (None, 1, {"folder_name": "F"})


def test_dropped_after_it_was_carried_out(api: Ask, look: Look) -> None:
    order(api, method="POST", path="/invites/$", drop="after")
    with pytest.raises(requests.ConnectionError):
        api("POST", f"{BUILD}/invites/", data={"groups": "QA", "notify": "on"})
    assert len(look("outbox")) == 3
    assert api("POST", f"{BUILD}/invites/", data={"groups": "QA"}).status_code == 200


def test_an_answer_lost_after_it_was_carried_out(api: Ask, look: Look) -> None:
    order(api, method="POST", path="/copy$", status=504, after=True)
    assert api("POST", f"{BUILD}/copy", data={"folder_name": "F"}).status_code == 504
    assert "/F" in look("state")["folders"]


# What stands between a client and the service, and what says neither ok nor fail: docs/reference/emulator.md#faults.
PAGE = "<html><title>Access denied</title><p>Policy 17 blocks this site.</p></html>"


@pytest.mark.parametrize("status", [401, 403, 407, 503])
@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        ({"body": PAGE, "content_type": "text/html"}, "text/html", PAGE),
        ({"body": {"error": "Invalid audience"}}, "application/json", '{"error": "Invalid audience"}'),
        ({"body": {"errors": [{"detail": "no seat"}]}}, "application/json", '{"errors": [{"detail": "no seat"}]}'),
        ({"body": {"message": "no seat"}}, "application/json", '{"message": "no seat"}'),
        ({"body": "no seat"}, "text/plain; charset=utf-8", "no seat"),
        ({}, "text/plain; charset=utf-8", ""),
    ],
)
def test_a_refusal_in_another_shape(api: Ask, status: int, fault: dict[str, Any], kind: str, text: str) -> None:
    order(api, path="^/api/1/", status=status, **fault)
    answer = api("GET", PROJECTS)
    assert (answer.status_code, answer.headers["Content-Type"], answer.text) == (status, kind, text)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"body": {}}, "{}"),
        ({"body": {"status": "queued"}, "status": 202}, '{"status": "queued"}'),
        ({"body": '"success"', "content_type": "application/json"}, '"success"'),
        ({"body": ["ok"]}, '["ok"]'),
        ({"status": 204}, ""),
    ],
)
def test_a_write_that_is_answered_in_another_shape(api: Ask, look: Look, fault: dict[str, Any], text: str) -> None:
    order(api, path="/invites/$", after=True, **fault)
    answer = api("POST", f"{BUILD}/invites/", data={"groups": "QA", "notify": "on"})
    assert (answer.status_code, answer.text) == (fault.get("status", 200), text)
    assert len(look("outbox")) == 3


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        ({}, "set at least one of status, body"),
        ({"path": "["}, "path: not a regular expression"),
        ({"status": 1}, "status"),
        ({"status": "503"}, "status"),
        ({"status": 503, "times": 0}, "times"),
        ({"status": 503, "skip": -1}, "skip"),
        ({"drop": "during"}, "drop"),
        ({"drop": "before", "after": True}, "drop 'after'"),
        ({"drop": "after", "status": 500}, "drop"),
        ({"delay": -1}, "delay"),
        ({"status": 503, "tmies": 2}, "tmies: unknown key (did you mean times?)"),
        ({"status": 503, "headers": {"A": "b\nc"}}, "headers"),
        ([], "JSON object"),
    ],
)
def test_a_bad_order_is_explained(api: Ask, look: Look, fault: Any, hint: str) -> None:
    answer = api("POST", "/_emulator/faults", json=fault)
    assert (answer.status_code, answer.json()["status"]) == (400, "fail")
    assert hint in answer.json()["message"]
    assert look("faults") == []
