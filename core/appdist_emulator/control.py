"""`/_emulator/`: control paths for tests and demos. They are not part of the service and need no credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, request

from appdist_emulator.faults import FaultError
from appdist_emulator.replies import fail, reply
from appdist_emulator.seed import SEEDS, SeedError, named_seed

if TYPE_CHECKING:
    from appdist_emulator.service import Service

PREFIX = "/_emulator/"
control = Blueprint("control", __name__, url_prefix=PREFIX.rstrip("/"))

_INDEX = {
    "GET /_emulator/state": "the whole account, with hidden builds and the outbox",
    "POST /_emulator/reset": "start again from the seed in the JSON body, from ?seed=default|northwind|gate, or from "
    "the first seed; also clears the request log and the faults, and ends all lives",
    "POST /_emulator/life": "play a build's life: build_id, speed, events",
    "GET /_emulator/life": "past and future events in the lives of builds",
    "GET /_emulator/outbox": "the mails that the service would have sent",
    "GET /_emulator/requests": "the request log, with secrets hidden; DELETE clears it",
    "POST /_emulator/settings": "change some of the seed's settings",
    "GET /_emulator/settings": "the settings in force",
    "POST /_emulator/faults": "order a fault: method, path (regex), times, skip, status, body, headers, "
    "content_type, delay, drop (before|after), after",
    "GET /_emulator/faults": "the ordered faults; DELETE cancels them",
}


@control.get("/")
def index() -> Response:
    return reply(
        {
            "status": "ok",
            "emulator": "Sauce Labs Mobile App Distribution",
            "dialect": _service().dialect.name,
            "endpoints": _INDEX,
        }
    )


@control.get("/state")
def state() -> Response:
    return reply(_service().dialect.account.snapshot(request.host_url.rstrip("/")))


@control.post("/reset")
def reset() -> Response:
    named = request.args.get("seed")
    if named not in {None, "default", *SEEDS}:
        names = ", ".join(("default", *SEEDS))
        return fail(400, f"seed: must be one of {names}; send any other seed as the JSON body", 400)
    seed = None if named is None else named_seed(SEEDS[0] if named == "default" else named)
    if request.get_data():
        if named:
            return fail(400, f"use either ?seed={named} or a JSON body", 400)
        seed = _object()
        if seed is None:
            return fail(400, "the seed must be a JSON object", 400)
    try:
        _service().reset(seed)
    except SeedError as error:
        return fail(400, f"invalid seed:\n{error}", 400)
    return reply({"status": "ok"})


@control.get("/life")
def lives() -> Response:
    return reply(_service().dialect.account.lives())


@control.post("/life")
def play() -> Response:
    order = _object()
    if order is None:
        return fail(400, "the life must be a JSON object", 400)
    try:
        life = _service().dialect.account.play(order)
    except SeedError as error:
        return fail(400, f"invalid life:\n{error}", 400)
    return reply({"status": "ok", "life": life})


@control.get("/settings")
def settings() -> Response:
    return reply(_service().dialect.account.settings.model_dump())


@control.post("/settings")
def configure() -> Response:
    changes = _object()
    if changes is None:
        return fail(400, "the settings must be a JSON object", 400)
    try:
        changed = _service().dialect.account.configure(changes)
    except SeedError as error:
        return fail(400, f"invalid settings:\n{error}", 400)
    return reply({"status": "ok", "settings": changed.model_dump()})


@control.get("/outbox")
def outbox() -> Response:
    return reply(_service().dialect.account.outbox())


@control.get("/requests")
def requests() -> Response:
    return reply(_service().log.view())


@control.delete("/requests")
def forget_requests() -> Response:
    _service().log.clear()
    return reply({"status": "ok"})


@control.get("/faults")
def faults() -> Response:
    return reply(_service().faults.view())


@control.post("/faults")
def order_fault() -> Response:
    order = _object()
    if order is None:
        return fail(400, "the fault must be a JSON object", 400)
    try:
        fault = _service().faults.order(order)
    except FaultError as error:
        return fail(400, f"invalid fault:\n{error}", 400)
    return reply({"status": "ok", "fault": fault})


@control.delete("/faults")
def cancel_faults() -> Response:
    _service().faults.clear()
    return reply({"status": "ok"})


def _service() -> Service:
    service: Service = g.service
    return service


def _object() -> dict[str, Any] | None:
    # Ignore the content type: people send these bodies with curl.
    data = request.get_json(force=True, silent=True)
    return data if isinstance(data, dict) else None
