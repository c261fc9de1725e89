"""The Flask application: each path exactly as documented, each error as a reply of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask import Flask, g
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from appdist_emulator.control import control
from appdist_emulator.replies import fail
from appdist_emulator.routes import api, audits, uploads
from appdist_emulator.state.records import Refusal

if TYPE_CHECKING:
    import flask

    from appdist_emulator.service import Service


def make_app(service: Service) -> Flask:
    app = _Flask(service)
    app.url_map.merge_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["MAX_FORM_MEMORY_SIZE"] = None  # release notes may be long

    @app.before_request
    def begin() -> None:
        # A reset replaces the dialect and its account: a request keeps those that it began with.
        g.service, g.dialect = service, service.dialect

    for blueprint in (api, audits, uploads, control):
        app.register_blueprint(blueprint)
    service.dialect.install(app)

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> flask.Response:
        return fail(refusal.code, refusal.message, g.dialect.status(refusal))

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> flask.Response:
        status = error.code or 500
        return fail(status, error.description or error.name, status)

    return app


class _Flask(Flask):
    def __init__(self, service: Service) -> None:
        super().__init__("appdist_emulator", static_folder=None)
        self._path = service.dialect.path

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        super().add_url_rule(self._path(rule), *args, **options)

    def raise_routing_exception(self, request: flask.Request) -> NoReturn:
        problem = request.routing_exception
        path = request.path
        other = path[:-1] if path.endswith("/") else path + "/"
        adapter = self.url_map.bind("")
        # A client that gets a slash wrong must fail, and the reply says why.
        if isinstance(problem, RequestRedirect) or (
            isinstance(problem, MethodNotAllowed) and adapter.test(other, request.method)
        ):
            ends = "without" if path.endswith("/") else "with"
            raise NotFound(f"No such path: the documented one ends {ends} a slash")
        raise problem if problem is not None else NotFound
