"""`sauce-appdist api <resource> <verb>`: every endpoint as a command, one row each.

A row names the parameters of the client's method and how to show its result. The help text is the method's docstring.
Parameters are parsed like the inputs of steps, and a name means the same everywhere.
"""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, Field, create_model

from sauce_appdist.api import EMPTY, addresses
from sauce_appdist.api.builds import UpdatedBuild
from sauce_appdist.api.webhooks import ACTIONS, Webhook
from sauce_appdist.errors import Cancelled, InputError, NotSent, PartialSuccessError, ServiceError
from sauce_appdist.interface import kebab
from sauce_appdist.interface.inputs import ConnectionInputs, extra, option
from sauce_appdist.interface.types import CommaFreeNames, Flag, Identifier, Items, Line, Pairs, Prose, Tags
from sauce_appdist.models import Reply
from sauce_appdist.text import one_line, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sauce_appdist.api.audits import Audit, AuditTrail
    from sauce_appdist.api.testers import Tester
    from sauce_appdist.ci.terminal import Answers
    from sauce_appdist.client import Client

Values = dict[str, Any]


def _addresses(emails: list[str]) -> list[str]:
    """Checked before a question is asked about them; every other check is the client's alone."""
    return addresses(emails).split(",")


Addresses = Annotated[CommaFreeNames, AfterValidator(_addresses)]
PARAMETERS: Mapping[str, tuple[Any, str]] = {
    "project_id": (Identifier, "Id of the project."),
    "build_id": (Identifier, "Id of the build."),
    "session_id": (Identifier, "Id of the session."),
    "tester_id": (Identifier, "Id of the tester."),
    "group_id": (Identifier, "Id of the tester group."),
    "webhook_id": (Identifier, "Id of the webhook."),
    "site_id": (Identifier, "Id of the site."),
    "release_notes": (Prose, "Release notes. They replace the present ones."),
    "tags": (Tags, "Tags, separated by commas. They replace the present ones."),
    "groups": (CommaFreeNames, "Names of tester groups, separated by commas. copy and invite accept ids too."),
    "clear_groups": (Flag, "Remove all groups from the build."),
    "project_groups": (CommaFreeNames, "Tester groups (name or id) of the copy's project."),
    "landing_page_mode": (Literal["open", "closed"], "open to anyone with the link, or closed (requires a login)."),
    "metadata": (Pairs, "key=value. Repeat the option for several."),
    "to_folder": (Line, "Folder to copy to, by name or path. Created if it does not exist."),
    "app_name": (Line, "Name of the app in the folder. Default: the same name."),
    "allow_all_testers": (Flag, "Whether all other users may install the copy. Default: as for the original."),
    "message": (Prose, "Text to add to the e-mail."),
    "notify": (Flag, "Send an e-mail."),
    "to": (
        Line,
        "File to write or replace, or a directory: nothing is replaced there. Default: the current directory.",
    ),
    "emails": (Addresses, "E-mail addresses of testers, separated by commas."),
    "group": (Line, "Tester group to add the testers to. Created if it does not exist."),
    "name": (Line, "Name of the group or the webhook."),
    "site_name": (Line, "Name of the site: at least four letters, digits, - or _."),
    "url": (Line, "URL that the service calls."),
    "enabled": (Flag, "Whether the service calls the webhook."),
    "actions": (Items, f"Events to call the webhook for: {', '.join(ACTIONS)}."),
    "project_ids": (
        CommaFreeNames,
        "Ids of the projects to call the webhook for, separated by commas. Default: all.",
    ),
    "login_method": (Literal["sso", "credentials"], "How users log in."),
    "site": (Line, "Subdomain or enterprise id of one site, for multi-site accounts."),
    "action_type": (int, "Number of the only action type to show."),
    "start_date": (Line, "First day, like 2026-03-31."),
    "end_date": (Line, "Last day."),
    "page": (int, "Number of the page. Default: 1."),
    "per_page": (int, "Items per page, at most 200 (on newer servers 100). Default: 50."),
    "all": (Flag, "Read all pages."),
    "yes": (Flag, "Do not ask for confirmation."),
}
_BUILD = "project_id build_id"
_TRAIL = "site action_type start_date end_date page per_page all"
_TRAIL_COLUMNS = "timestamp action_label user_email ip_address site_name action_data"
_WEBHOOK = "enabled actions project_ids"


class Verb(NamedTuple):
    """One endpoint: required and optional parameters, the columns of its table, and the question to confirm.

    Only commands that delete, block or send e-mails ask; with `asks_if`, only if that flag is set. `call` replaces the
    client's method of the same name; `check` raises if the response shows that not everything was done.
    """

    needs: str = ""
    takes: str = ""
    columns: str = ""
    asks: str = ""
    asks_if: str = ""
    call: Callable[[Client, Values], object] | None = None
    check: Callable[[Any, Values], None] | None = None


def _update(client: Client, values: Values) -> object:
    if values.pop("clear_groups", False):
        if "groups" in values:
            raise InputError("groups and clear-groups are both set: set only one of them.")
        values["groups"] = EMPTY
    return client.builds.update(**values)


def _all_members(changed: list[Tester], values: Values) -> None:
    known = {(tester.email or "").casefold() for tester in changed}
    missing = [email for email in values["emails"] if email.casefold() not in known]
    if missing:
        problem = f"emails: nothing changed for {', '.join(missing)}: no such tester, or nothing to change."
        raise PartialSuccessError(f"{problem} The others are done.") if known else InputError(problem)


def _all_groups(answer: Any, values: Values) -> None:
    """Raise PartialSuccessError for unknown groups: copy and update accept them, and only the response shows it."""
    lists = [getattr(answer, name, None) for name in ("invalid_groups", "invalid_project_groups")]
    refused = [name for names in lists for name in names or []]
    if isinstance(answer, UpdatedBuild) and answer.groups is not None:
        refused += [name for name in values.get("groups", []) if name not in answer.groups]
    fields = {"invalid_groups", "invalid_project_groups", *(["groups"] if "groups" in values else [])}
    fields &= type(answer).model_fields.keys()
    if answer.unreadable(*fields):
        raise PartialSuccessError("Done, but the answer does not tell in a readable way which groups were refused.")
    if refused:
        raise PartialSuccessError(f"Done, except for groups that the service does not know: {', '.join(refused)}.")


def _trail(method: str) -> Callable[[Client, Values], object]:
    def call(client: Client, values: Values) -> object:
        everything, number = values.pop("all", False), values.pop("page", None)
        if everything and number is not None:
            raise InputError("page and all are both set: set only one of them.")
        if not everything:
            values.setdefault("per_page", 50)
        trail: AuditTrail = getattr(client.audits, method)(**values)
        return _AllPages(trail) if everything else trail.page(1 if number is None else number)

    return call


class _AllPages(list["Audit"]):
    """Every item of an audit log, and whether some may be missing."""

    def __init__(self, trail: AuditTrail) -> None:
        super().__init__(trail)
        self.incomplete = trail.incomplete


def _all_pages(answer: object, _: Values) -> None:
    if isinstance(answer, _AllPages) and answer.incomplete:
        raise PartialSuccessError("The list may be incomplete, as the warning says: run the command again.")


def _recorded_log(client: Client, values: Values) -> object:
    return client.sessions.logs(**values, errors="surrogateescape")


def _create_site(client: Client, values: Values) -> object:
    client.sites.create(values.pop("site_name"), **values)
    return None


RESOURCES: Mapping[str, Mapping[str, Verb]] = {
    "projects": {"list": Verb(columns="id name platform package_name folder landing_page_mode")},
    "builds": {
        "list": Verb(
            "project_id",
            columns="id app_version app_version_code uploaded_at sessions crashes feedbacks downloads tags",
        ),
        "get": Verb(_BUILD),
        "update": Verb(
            _BUILD, "release_notes tags groups clear_groups landing_page_mode metadata", call=_update, check=_all_groups
        ),
        "copy": Verb(f"{_BUILD} to_folder", "app_name groups project_groups allow_all_testers", check=_all_groups),
        "invite": Verb(
            f"{_BUILD} groups",
            "message notify",
            asks="Send an e-mail about build {build_id} to every tester of {groups}?",
            asks_if="notify",
        ),
        "download": Verb(_BUILD, "to"),
        "delete": Verb(_BUILD, asks="Delete build {build_id} of project {project_id} with its sessions and crashes?"),
    },
    "sessions": {
        "list": Verb(_BUILD, columns="id start_time duration tester_email device country_name crashed"),
        "get": Verb(f"{_BUILD} session_id"),
        "events": Verb(f"{_BUILD} session_id"),
        "logs": Verb(f"{_BUILD} session_id", call=_recorded_log),
    },
    "testers": {
        "list": Verb("", "build_id", columns="id email groups is_blocked last_login created_at"),
        "get": Verb("tester_id"),
        "add": Verb("emails", "group notify", asks="Send a welcome e-mail to {emails}?", asks_if="notify"),
        "block": Verb("tester_id", asks="Block tester {tester_id} from every app?"),
        "unblock": Verb("tester_id"),
        "delete": Verb("tester_id", asks="Delete tester {tester_id} with all memberships and invitations?"),
    },
    "groups": {
        "list": Verb(columns="id name testers"),
        "create": Verb("name"),
        "add-testers": Verb("group_id emails", columns="email", check=_all_members),
        "remove-testers": Verb(
            "group_id emails",
            columns="email",
            asks="Remove {emails} from group {group_id}? The service deletes a group without members.",
            check=_all_members,
        ),
    },
    "feedbacks": {"list": Verb(columns="id recorded_at reported_by project_id build_id session_id text")},
    "audits": {
        "list": Verb("", _TRAIL, columns=_TRAIL_COLUMNS, call=_trail("list"), check=_all_pages),
        "admin-trail": Verb("", _TRAIL, columns=_TRAIL_COLUMNS, call=_trail("admin_trail"), check=_all_pages),
        "tester-trail": Verb("", _TRAIL, columns=_TRAIL_COLUMNS, call=_trail("tester_trail"), check=_all_pages),
        "recent": Verb(columns="timestamp event_type ip_address event_data"),
    },
    "permissions": {"list": Verb(columns="email role permissions")},
    "webhooks": {
        "list": Verb(columns="id name enabled actions project_ids url"),
        "get": Verb("webhook_id"),
        "add": Verb("name url", _WEBHOOK),
        "update": Verb("webhook_id name url", _WEBHOOK),
        "delete": Verb("webhook_id", asks="Delete webhook {webhook_id}?"),
    },
    "sites": {
        "list": Verb(columns="id name builds_count users"),
        "create": Verb("site_name", "login_method", call=_create_site),
        "delete": Verb("site_id", asks="Delete site {site_id}?"),
    },
}


def module(resource: str) -> Any:
    """The module of a resource; the first line of its docstring is the help text."""
    return import_module(f"sauce_appdist.api.{resource}")


def summary(resource: str, verb: str) -> str:
    """The help text of a verb: the first line of the docstring of the client's method."""
    method = getattr(getattr(module(resource), resource.capitalize()), verb.replace("-", "_"))
    return (method.__doc__ or "").partition("\n")[0]


def inputs_of(resource: str, verb: str) -> type[ConnectionInputs]:
    """The parameters of a row, declared like the inputs of a step."""
    row = RESOURCES[resource][verb]
    fields: dict[str, Any] = {}
    for name in row.needs.split():
        annotation, description = PARAMETERS[name]
        declared = option(None, description, multiline=annotation is Prose)
        fields[name] = (annotation, Field(..., description=description, json_schema_extra=extra(declared)))
    for name in [*row.takes.split(), *(["yes"] if row.asks else [])]:
        annotation, description = PARAMETERS[name]
        fields[name] = (annotation | None, option(None, description, multiline=annotation is Prose))
    return create_model(f"{resource} {verb}", __base__=ConnectionInputs, **fields)


def run(resource: str, verb: str, inputs: ConnectionInputs, client: Client, ci: Answers) -> None:
    """Ask for confirmation if needed, call the endpoint, and show the result.

    Raises InputError if the user declines, or if a confirmation is needed and nobody can be asked; PartialSuccessError
    if only part was done, or if it is unknown whether the request had an effect.
    """
    row = RESOURCES[resource][verb]
    values = {name: getattr(inputs, name) for name in f"{row.needs} {row.takes}".split()}
    values = {name: value for name, value in values.items() if value is not None}
    question = row.asks.format_map({name: _cell(value) for name, value in values.items()}) if row.asks else ""
    asks = question and (not row.asks_if or values.get(row.asks_if)) and not getattr(inputs, "yes", None)
    if asks and not inputs.dry_run:
        _confirm(question, ci)
    call = row.call or (lambda client, values: getattr(getattr(client, resource), verb.replace("-", "_"))(**values))
    sent = dict(values)  # `call` may change `values`
    try:
        answer = call(client, values)
    except NotSent as dry:
        ci.show({"dry-run": True, "told": str(dry)}, text=f"Dry run: {dry}")
        return
    except ServiceError as error:
        if not error.sent:
            raise
        raise PartialSuccessError(
            f"{error} Whether the request had an effect is unknown. It was not sent again: check before you repeat it.",
            unknown=True,
        ) from None
    columns = row.columns.split()
    if "build_id" in sent and resource == "testers" and isinstance(answer, list):
        columns += dict.fromkeys(name for tester in answer for name in tester.model_extra or {})
    _show(answer, columns, ci)
    if row.check:
        row.check(answer, sent)


def _confirm(question: str, ci: Answers) -> None:
    try:
        confirmed = ci.ask(question)
    except Cancelled:
        raise Cancelled("Cancelled. Nothing was sent.") from None
    if confirmed is None:
        raise InputError(f"{question} This is not a terminal, so the command cannot ask: set --yes. Nothing was sent.")
    if not confirmed:
        raise InputError("You did not confirm. Nothing was sent.")


def _show(answer: Any, columns: list[str], ci: Answers) -> None:
    """Show a list as a table, a single item as lines of name and value; in JSON with the service's names."""
    if isinstance(answer, str):
        ci.show_recording("logs", answer)
        return
    if answer is None:
        ci.show({"status": "ok"}, text="Done.")
        return
    items, data, note = answer, None, ""
    if hasattr(answer, "pagination"):
        items, data = answer.audits, _json(answer, envelope=False)
        note = _page(answer.pagination, answer.audits)
    elif hasattr(answer, "accounts"):
        items, data = answer.accounts, _json(answer)
        note = f"Managers: {', '.join(one.email or '?' for one in answer.managers)}" if answer.managers else ""
    if isinstance(items, list):
        shown = [name for name in columns if any(getattr(item, name, None) is not None for item in items)]
        rows = [[_cell(getattr(item, name, None)) for name in shown] for item in items]
        ci.show(
            [_json(item) for item in items] if data is None else data,
            columns=[kebab(name) for name in shown],
            rows=rows,
        )
        ci.info(note or plural(len(rows), "row"))
    else:
        rows = [[kebab(name), _cell(value)] for name, value in _fields(answer).items() if value not in (None, "")]
        ci.show(_json(answer), rows=rows)


def _page(pagination: Any, items: list[Audit]) -> str:
    number, pages = pagination.page or 1, pagination.total_pages
    total = f"{pagination.total} in total" if pagination.total is not None else plural(len(items), "row")
    more = "; --all reads all pages" if pages is None or number < pages else ""
    return f"Page {number}{f' of {pages}' if pages else ''}, {total}{more}."


def _fields(answer: Any) -> dict[str, Any]:
    if isinstance(answer, BaseModel):
        envelope = Reply.model_fields if isinstance(answer, Reply) else {}
        named = {name: getattr(answer, name) for name in type(answer).model_fields if name not in envelope}
        derived = {"enabled": answer.enabled} if isinstance(answer, Webhook) else {}
        return {**named, **derived, **(answer.model_extra or {})}
    return {name: str(value) for name, value in answer._asdict().items()}


def _json(answer: Any, *, envelope: bool = True) -> Any:
    if isinstance(answer, BaseModel):
        left_out = None if envelope else {*Reply.model_fields}
        return answer.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=left_out)
    return {name: value if isinstance(value, int) else str(value) for name, value in answer._asdict().items()}


def _cell(value: Any) -> str:
    """A value on one line, for a table."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = value.isoformat(" ")
        case list():
            text = ", ".join(map(_cell, value))
        case dict():
            text = ", ".join(f"{name}: {_cell(item)}" for name, item in value.items())
        case BaseModel():
            text = getattr(value, "name", None) or getattr(value, "email", None) or str(_json(value))
        case _:
            text = str(value)
    return one_line(text, 500)
