"""The documented endpoints: one module per resource, with its models and one method per endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from sauce_appdist.errors import ApiError, InputError, ServiceError
from sauce_appdist.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sauce_appdist.models import Reply
    from sauce_appdist.wire.transport import Transport

R = TypeVar("R", bound="Reply")


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
    for part in parts:
        if not isinstance(part, (str, int)) or part in {"", ".", ".."}:
            raise InputError(f"an id is {part!r}, which is not a valid id: expected something like 6905338.")
    return "/".join((base, *(quote(str(part), safe="") for part in parts)))


def joined(names: Iterable[str] | None) -> str | None:
    """A comma-separated list, as the service reads it; None for None.

    Raises InputError for a text instead of a list, and for a name with a comma.
    """
    if names is None:
        return None
    if isinstance(names, str):
        raise InputError(f"a list is the text {one_line(names, 60)!r}: pass [{one_line(names, 60)!r}].")
    names = list(names)
    for name in names:
        if "," in name:
            raise InputError(
                f"{one_line(name, 60)!r} contains a comma, where the service would split it: use the id of the group."
            )
    return ",".join(names)


def form_fields(**fields: str | None) -> dict[str, str]:
    """The form or query fields that are not None; `__` in a keyword stands for `-`."""
    return {name.replace("__", "-"): value for name, value in fields.items() if value is not None}
