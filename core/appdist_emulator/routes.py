"""The documented paths and their parameters, spelled as in the vendor's two documents.

A path must match exactly, slash included; the other form is a 404, never a redirect. The lists of
testers and audits exist with and without a slash, since the two documents differ; so does the upload,
since the vendor's own clients differ. A DELETE takes
parameters from the query too, since some clients cannot send it with a body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request

from appdist_emulator.replies import reply
from appdist_emulator.state.records import Refusal, Upload

if TYPE_CHECKING:
    from werkzeug import Response as AnyResponse
    from werkzeug.datastructures import MultiDict

    from appdist_emulator.dialects.classic import Classic
    from appdist_emulator.state.account import Account
    from appdist_emulator.state.records import Trail

api = Blueprint("api", __name__, url_prefix="/api/1")
audits = Blueprint("audits", __name__, url_prefix="/api/2/audits")
uploads = Blueprint("uploads", __name__, url_prefix="/api/upload")

BUILDS = "/projects/<project>/builds/"
BUILD = "/projects/<project>/builds/<build>"
GROUP = "/testers/groups/<group>"
TESTER = "/testers/<tester>"
WEBHOOK = "/webhook/<webhook>/"


@api.before_request
@audits.before_request
def sign_in() -> None:
    g.user = _dialect().user()


# --- projects and builds ----------------------------------------------------------------------


@api.get("/projects/")
def list_projects() -> Response:
    return reply({"status": "ok", "projects": _account().projects(g.user, _base())})


@api.get(BUILDS)
def list_builds(project: str) -> Response:
    return reply({"status": "ok", "builds": _account().builds(g.user, project, _base())})


@api.get(BUILD)
def get_build(project: str, build: str) -> Response:
    return reply({"status": "ok", "build": _account().build(g.user, project, build, _base())})


@api.delete(BUILD)
def delete_build(project: str, build: str) -> Response:
    _account().delete(g.user, project, build)
    return reply({"status": "ok"})


@api.patch(BUILD + "/")
def update_build(project: str, build: str) -> Response:
    return reply(_account().update(g.user, project, build, _patch_fields()))


@api.post(BUILD + "/copy")
def copy_build(project: str, build: str) -> Response:
    return reply(_account().copy(g.user, project, build, _fields(request.form)))


@api.post(BUILD + "/invites/")
def invite(project: str, build: str) -> Response:
    _account().invite(g.user, project, build, _fields(request.form))
    return reply({"status": "ok"})


@api.get(BUILD + "/download/")
def download(project: str, build: str) -> AnyResponse:
    return _dialect().deliver(*_account().download(g.user, project, build))


# --- sessions and feedbacks -------------------------------------------------------------------


@api.get(BUILD + "/sessions/")
def list_sessions(project: str, build: str) -> Response:
    return reply({"status": "ok", "sessions": _account().sessions(g.user, project, build)})


@api.get(BUILD + "/sessions/<session>/")
def get_session(project: str, build: str, session: str) -> Response:
    found = _account().session(g.user, project, build, session, request.args.get("fields", "meta"), _base())
    if isinstance(found, str):
        return Response(found, content_type="application/text")
    return reply({"status": "ok", "session": found})


@api.get("/feedbacks/")
def list_feedbacks() -> Response:
    return reply({"status": "ok", "feedbacks": _account().feedbacks(g.user, _base())})


# --- testers and groups -----------------------------------------------------------------------


@api.get("/testers")
@api.get("/testers/")
def list_testers() -> Response:
    return reply({"status": "ok", "testers": _account().testers(g.user, request.args.get("buildId"))})


@api.post("/testers/")
def add_testers() -> Response:
    _account().add_testers(g.user, _fields(request.form))
    return reply({"status": "ok"})


@api.get(TESTER)
def get_tester(tester: str) -> Response:
    return reply({"status": "ok", "tester": _account().tester(g.user, tester)})


@api.delete(TESTER)
def delete_tester(tester: str) -> Response:
    _account().delete_tester(g.user, tester)
    return reply({"status": "ok"})


@api.post(TESTER + "/block/")
@api.delete(TESTER + "/block/")
def block_tester(tester: str) -> Response:
    _account().block(g.user, tester, blocked=request.method == "POST")
    return reply({"status": "ok"})


@api.get("/testers/groups")
def list_groups() -> Response:
    return reply({"status": "ok", "groups": _account().groups(g.user)})


@api.post("/testers/groups")
def add_group() -> Response:
    return reply(_account().add_group(g.user, _fields(request.form)))


@api.post(GROUP)
def join_group(group: str) -> Response:
    return reply({"status": "ok", "testers": _account().join_group(g.user, group, _fields(request.form))})


@api.delete(GROUP)
def leave_group(group: str) -> Response:
    fields = _fields(request.args) | _fields(request.form)
    return reply({"status": "ok", "testers": _account().leave_group(g.user, group, fields)})


@api.get("/cpanel/permissions/")
def list_admins() -> Response:
    return reply({"status": "ok", "admins": _account().admins(g.user)})


# --- webhooks and sites -----------------------------------------------------------------------


@api.get("/webhooks/")
def list_webhooks() -> Response:
    return reply({"status": "ok", "webhooks": _account().webhooks(g.user)})


@api.post("/webhook/")
def add_webhook() -> Response:
    _account().add_webhook(g.user, _fields(request.form))
    return reply({"status": "ok"})


@api.get(WEBHOOK)
def get_webhook(webhook: str) -> Response:
    return reply({"status": "ok", "webhook": _account().webhook(g.user, webhook)})


@api.post(WEBHOOK)
def update_webhook(webhook: str) -> Response:
    _account().update_webhook(g.user, webhook, _fields(request.form))
    return reply({"status": "ok"})


@api.delete(WEBHOOK)
def delete_webhook(webhook: str) -> Response:
    _account().delete_webhook(g.user, webhook)
    return reply({"status": "ok"})


@api.get("/site/")
def list_sites() -> Response:
    return reply({"status": "ok", "site": _account().sites(g.user)})


@api.post("/site/")
def add_site() -> Response:
    _account().add_site(g.user, _fields(request.form))
    return reply({"status": "ok"})


@api.delete("/site/<site>/")
def delete_site(site: str) -> Response:
    _account().delete_site(g.user, site)
    return reply({"status": "ok"})


# --- audits -----------------------------------------------------------------------------------


@api.get("/audits")
@api.get("/audits/")
def recent_audits() -> Response:
    return reply({"status": "ok", "audits": _account().recent_audits(g.user)})


@audits.get("/")
def list_audits() -> Response:
    return _audits(None)


@audits.get("/admin-trail/")
def admin_trail() -> Response:
    return _audits("admin")


@audits.get("/tester-trail/")
def tester_trail() -> Response:
    return _audits("tester")


def _audits(trail: Trail | None) -> Response:
    return reply({"status": "ok", **_account().audits(g.user, trail, _fields(request.args))})


# --- upload -----------------------------------------------------------------------------------


@uploads.post("")
@uploads.post("/")
def upload() -> Response:
    """Take a file and answer with its build (docs/reference/api-facts.md#uploading)."""
    user = _dialect().uploader()
    file = request.files.get("file")
    if file is None:
        raise Refusal(1, "Missing or invalid parameter: file")
    symbols = request.files.get("symbols_file")
    return reply(
        _account().upload(
            user,
            Upload(file.filename or "", file.read(), (symbols.filename or "") if symbols else ""),
            _fields(request.form),
            _base(),
        )
    )


# --- shared -----------------------------------------------------------------------------------


def _dialect() -> Classic:
    dialect: Classic = g.dialect
    return dialect


def _account() -> Account:
    return _dialect().account


def _base() -> str:
    return request.host_url.rstrip("/")


def _fields(form: MultiDict[str, str]) -> dict[str, str]:
    # Of a repeated field the last value counts, as in PHP, which the service seems to use.
    return {name: values[-1] for name, values in form.lists()}


def _patch_fields() -> dict[str, str]:
    """Read a PATCH, as documented: urlencoded or JSON; "multipart/form-data is not supported"."""
    if request.mimetype == "application/x-www-form-urlencoded":
        return _fields(request.form)
    if request.mimetype == "application/json":
        data = request.get_json(silent=True)
        if not isinstance(data, dict):
            raise Refusal(1, "The body is not a JSON object")
        # The documents give each parameter the type STRING: a list of tags is a mistake of the client.
        if not all(isinstance(value, str) for value in data.values()):
            raise Refusal(1, "Parameters must be strings")
        return data
    if request.mimetype == "multipart/form-data":
        raise Refusal(1, "multipart/form-data is not supported for this endpoint")
    if request.content_length:
        raise Refusal(1, "The body must be application/x-www-form-urlencoded or application/json")
    return {}
