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
    """A part of the API over a transport. All methods raise what `Transport.request` raises."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport


class RenamedResource(Resource):
    """A resource that newer servers have under another name: the documented one is asked first.

    A server without that path says 404 and has done nothing. The name that was answered is kept.
    Source: docs/reference/api-facts.md#webhooks and docs/reference/api-facts.md#sites.
    """

    names: tuple[str, ...]

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._name: str | None = None

    def ask(
        self, method: str, reply: type[R], item_id: str | None = None, *, form: Mapping[str, str] | None = None
    ) -> R:
        """The answer for the whole list or for one item of it."""
        refusals: list[ServiceError] = []
        for name in (self._name,) if self._name else self.names:
            parts = (name,) if item_id is None else (name, item_id)
            try:
                answer = self.transport.request(method, f"{path('/api/1', *parts)}/", reply, form=form)
            except ServiceError as error:
                # Where the documented path is not there, the other one's 403 or 405 may be a proxy's or a web page's.
                if error.status not in ({404, 403, 405} if refusals else {404}):
                    raise
                refusals.append(error)
            else:
                self._name = name
                return answer
        # An envelope tells more than a page.
        raise next((one for one in refusals if isinstance(one, ApiError)), refusals[0])


def path(base: str, *parts: str | int) -> str:
    """A path of ids and names. Raises InputError for an id that would make it another endpoint's."""
    for part in parts:
        if not isinstance(part, (str, int)) or part in {"", ".", ".."}:
            raise InputError(f"an id is {part!r}, which is no id: expected something like 6905338.")
    return "/".join((base, *(quote(str(part), safe="") for part in parts)))


def joined(names: Iterable[str] | None) -> str | None:
    """The vendor's lists: comma separated. Raises InputError for what would be split into something else."""
    if names is None:
        return None
    if isinstance(names, str):
        raise InputError(f"a list is given as the text {one_line(names, 60)!r}: give [{one_line(names, 60)!r}].")
    names = list(names)
    for name in names:
        if "," in name:
            raise InputError(
                f"{one_line(name, 60)!r} has a comma, at which the service would split it: give a group by its id."
            )
    return ",".join(names)


def given(**fields: str | None) -> dict[str, str]:
    """The fields that are given; a keyword's `__` stands for `-`."""
    return {name.replace("__", "-"): value for name, value in fields.items() if value is not None}
