"""The documented endpoints: one module per resource, with its models and one method per endpoint."""

from __future__ import annotations

import enum
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from sauce_appdist.errors import ApiError, InputError, ServiceError
from sauce_appdist.text import is_single_line, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sauce_appdist.models import Reply
    from sauce_appdist.wire.transport import Transport

R = TypeVar("R", bound="Reply")


class Empty(enum.Enum):
    """The type of `EMPTY`."""

    EMPTY = "empty"


# An empty list that is meant, like no group at all. An empty list itself is refused: it is what a script computes by
# mistake, and the service would clear what it is sent for.
EMPTY: Final = Empty.EMPTY


class Resource:
    """A group of endpoints over a transport. Every method raises what `Transport.request` raises."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport


class RenamedResource(Resource):
    """A resource that newer servers have under another name. The documented name is tried first.

    A server without that path responds 404 and has done nothing. The name that works is used from then on.
    Source: docs/reference/api-facts.md#webhooks and docs/reference/api-facts.md#sites.
    """

    names: tuple[str, ...]

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._name: str | None = None

    def ask(
        self, method: str, reply: type[R], item_id: str | None = None, *, form: Mapping[str, str] | None = None
    ) -> R:
        """The response for the whole list, or for the item with this id."""
        refusals: list[ServiceError] = []
        for name in (self._name,) if self._name else self.names:
            parts = (name,) if item_id is None else (name, item_id)
            try:
                answer = self.transport.request(method, f"{path('/api/1', *parts)}/", reply, form=form)
            except ServiceError as error:
                # After a 404 for the documented path, a 403 or 405 for the other may come from a proxy or a web page.
                if error.status not in ({404, 403, 405} if refusals else {404}):
                    raise
                refusals.append(error)
            else:
                self._name = name
                return answer
        # An error envelope says more than a web page.
        raise next((one for one in refusals if isinstance(one, ApiError)), refusals[0])


def path(base: str, *parts: str | int) -> str:
    """A path of ids and names. Raises InputError for an id that would lead to another endpoint."""
    return "/".join((base, *(quote(identifier("an id", part), safe="") for part in parts)))


# --- What the service would misunderstand is refused before it is sent: one function per kind of parameter ---
#
# Each returns the text to send, None for None, and raises InputError, which names the parameter as on the command line.


def identifier(name: str, value: str | int) -> str:
    """An id; ids are texts, whole numbers work too."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64:
        return str(value)
    if isinstance(value, str) and value not in {"", ".", ".."} and value == value.strip() and _is_line(value):
        return value
    raise InputError(f"{name} is {_shown(value)}, which is not a valid id: expected something like 6905338.")


def line(name: str, value: str | None, *, needed: bool = False) -> str | None:
    """A text of one line."""
    if value is None and not needed:
        return None
    if not isinstance(value, str):
        raise InputError(f"{name} is {_shown(value)}, expected a text.")
    if not value.strip():
        raise InputError(f"{name} is empty: set a value{'' if needed else ', or omit it'}.")
    if not _is_line(value):
        raise InputError(f"{name} is {_shown(value)}, expected one line of UTF-8 without control characters.")
    return value


def prose(name: str, value: str | None) -> str | None:
    """A text of any number of lines."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"{name} is {_shown(value)}, expected a text.")
    if not value.strip():
        raise InputError(f"{name} is empty: set a text, or omit it.")
    if "\0" in value or not _is_utf8(value):
        raise InputError(f"{name} is {_shown(value)}, expected UTF-8 without NUL characters.")
    return value


def joined(
    name: str, names: Iterable[str] | Empty | None, *, needed: bool = False, remedy: str = "the service would split it"
) -> str | None:
    """A comma-separated list, as the service reads it; "" for `EMPTY`. A list that is `needed` has at least one item.

    `remedy` says what to do about an item with a comma.
    """
    if not needed and (names is None or names is EMPTY):
        return None if names is None else ""
    if isinstance(names, (str, bytes)):
        raise InputError(f"{name} is the text {_shown(names)}, expected a list: pass [{_shown(names)}].")
    try:
        items = [] if names is None or names is EMPTY else list(names)
    except TypeError:
        raise InputError(f"{name} is {_shown(names)}, expected a list of texts.") from None
    if not items:
        meant = "set at least one item" if needed else "omit it, or pass EMPTY (sauce_appdist.EMPTY) for none at all"
        raise InputError(f"{name} is an empty list: {meant}.")
    for item in items:
        if isinstance(item, str) and not item.strip():
            raise InputError(f"{name} has an empty item: remove it.")
        if not isinstance(item, str) or not _is_line(item):
            raise InputError(f"{name} has {_shown(item)}, expected texts of one line.")
        if "," in item:
            raise InputError(f"{name} has {_shown(item)}, which contains a comma: {remedy}.")
    return ",".join(items)


def or_empty(names: list[str] | None) -> list[str] | Empty | None:
    """A list that is meant even if it is empty."""
    return EMPTY if names is not None and not names else names


def addresses(emails: Iterable[str]) -> str:
    """A comma-separated list of e-mail addresses, at least one."""
    emails = emails if isinstance(emails, (str, bytes)) or not hasattr(emails, "__iter__") else list(emails)
    text = joined("emails", emails, needed=True) or ""
    for email in text.split(","):
        if not re.fullmatch(r"[^\s@;<>]+@[^\s@;<>]+", email):
            raise InputError(f"emails has {_shown(email)}, expected one e-mail address per item, like qa@example.com.")
    return text


def flag(name: str, value: bool | None) -> bool | None:
    """A boolean. A text such as "false" is refused: Python takes it as true."""
    if value is not None and not isinstance(value, bool):
        raise InputError(f"{name} is {_shown(value)}, expected True or False.")
    return value


def choice(name: str, value: str | None, known: Iterable[str]) -> str | None:
    """One of the known words."""
    if value is not None and value not in tuple(known):
        raise InputError(f"{name} is {_shown(value)}, expected one of {', '.join(known)}.")
    return value


def whole(name: str, value: int | None, least: int) -> str | None:
    """A whole number of at least `least`."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 1 << 64:
        raise InputError(f"{name} is {_shown(value)}, expected {least} or more.")
    return str(value)


def day(name: str, value: date | str | None) -> str | None:
    """A date as `YYYY-MM-DD`. A time of day is refused: the service takes whole days."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return date.fromisoformat(value).isoformat()
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
    except ValueError:
        pass
    raise InputError(f"{name} is {_shown(value)}, expected a date like 2026-03-31.")


def web_address(name: str, value: str) -> str:
    """The URL of a web server."""
    text = line(name, value, needed=True) or ""
    if not re.fullmatch(r"https?://[^/\s]\S*", text):
        raise InputError(f"{name} is not a valid URL: expected one like https://hooks.example.com/appdist.")
    return text


def form_fields(**fields: str | None) -> dict[str, str]:
    """The form or query fields that are not None; `__` in a keyword stands for `-`."""
    return {name.replace("__", "-"): value for name, value in fields.items() if value is not None}


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_line(text: str) -> bool:
    return is_single_line(text) and _is_utf8(text)


def _shown(value: object) -> str:
    """A wrong value for a message."""
    try:
        return one_line(repr(value), 60)
    except ValueError:  # Python shows no number of more than 4,300 digits
        return f"{type(value).__name__} of thousands of digits"
