"""The documented endpoints: one module per resource, with its models and one method per endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from sauce_appdist.errors import InputError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sauce_appdist.models import Reply
    from sauce_appdist.transport import Transport

R = TypeVar("R", bound="Reply")


class Resource:
    """A part of the API over a transport. All methods raise what `Transport.request` raises."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport


class RenamedResource(Resource):
    """A resource that newer servers have under another name (facts.md part 6): the documented one is asked first.

    A server without that path says 404 and has done nothing. The name that was answered is kept.
    """

    names: tuple[str, ...]

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._name: str | None = None

    def ask(
        self, method: str, reply: type[R], item_id: str | None = None, *, form: Mapping[str, str] | None = None
    ) -> R:
        """The answer for the whole list or for one item of it."""
        missing: ServiceError | None = None
        for name in (self._name,) if self._name else self.names:
            parts = (name,) if item_id is None else (name, item_id)
            try:
                answer = self.transport.request(method, f"{path('/api/1', *parts)}/", reply, form=form)
            except ServiceError as error:
                if error.status != 404:
                    raise
                missing = missing or error
            else:
                self._name = name
                return answer
        assert missing is not None  # noqa: S101 - there is always a name to ask
        raise missing


def path(base: str, *parts: str) -> str:
    """A path of ids and names. Raises InputError for an id that would make it another endpoint's."""
    for part in parts:
        if part in {"", ".", ".."}:
            raise InputError(f"an id is {part!r}, which is no id: expected something like 6905338.")
    return "/".join((base, *(quote(part, safe="") for part in parts)))


def joined(names: Iterable[str] | None) -> str | None:
    """The vendor's lists: comma separated."""
    return None if names is None else ",".join(names)


def given(**fields: str | None) -> dict[str, str]:
    """The fields that are given; a keyword's `__` stands for `-`."""
    return {name.replace("__", "-"): value for name, value in fields.items() if value is not None}
