"""What every answer of the API has in common; each module of `api/` has the models of its resource.

Models have Python names for the vendor's spellings. Every field that a server may leave out is optional: None is
unknown. Unknown fields are kept in `model_extra`. Ids are opaque strings. Shapes that vary are all read
(docs/reference/api-facts.md#shapes-that-vary).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from pydantic import ValidationError

    Counter = int | None
    # A time. No document names the zone of the times without one, like `2019-04-04 16:03:15`: those are naive.
    # One that names its zone is aware.
    Moment = datetime | None
else:

    def _no_flag(value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("no number")  # noqa: TRY004 - pydantic takes this one
        return value

    # The Python call is reached only by what cannot be read, so that long lists parse at full speed.
    _Unreadable = Annotated[Any, AfterValidator(lambda _: None)]
    _Number = Annotated[int, BeforeValidator(_no_flag)]  # `"12"` is one, `true` is none
    Counter = Annotated[
        Annotated[int, Field(strict=True)] | _Number | _Unreadable | None, Field(union_mode="left_to_right")
    ]
    Moment = Annotated[datetime | _Unreadable | None, Field(union_mode="left_to_right")]


def _names(value: object) -> object:
    """A list of names from a list, a comma separated string, a lone number, or objects with a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [item.get("name", item) if isinstance(item, dict) else item for item in value]
    return value


def _flat(value: object) -> object:
    """Members come as a list in a list; any depth is read."""
    if not isinstance(value, list):
        return value
    flat: list[object] = []
    for item in value:
        flat.extend(_flat(item) if isinstance(item, list) else [item])  # type: ignore[arg-type]
    return flat


def _mapping(value: object) -> object:
    """An empty PHP array is written `[]`, also where an object is meant."""
    return {} if value == [] else value


Names = Annotated[list[str], BeforeValidator(_names)]
Flat = BeforeValidator(_flat)
PhpObject = BeforeValidator(_mapping)

# Not documented: read where a server shows it, else None, which is unknown.
FOLDER = AliasChoices("folderPath", "folder_path", "folderName", "folder_name", "folder")


def spellings(project_id: str) -> tuple[str, ...]:
    """`6806100-myapplication` may be the id, as in the older document, or its number, as in the present one."""
    number, dash, _ = project_id.partition("-")
    return (project_id, number) if dash and number.isdecimal() else (project_id,)


class ApiModel(BaseModel):
    """Reads the vendor's camelCase, keeps what it does not know, takes numbers as ids.

    An optional field that cannot be read is unknown; see `readable`.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        coerce_numbers_to_str=True,
        protected_namespaces=(),
        ser_json_timedelta="float",
        defer_build=True,
    )


def readable(body: bytes, error: ValidationError) -> bytes | None:
    """An answer without the fields that `error` found unreadable, so that they do not spoil the rest of it.

    None where nothing can be left out.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):  # what pydantic reads and Python does not: a number of 5,000 digits
        return None
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = None if problem["type"] == "missing" else _innermost_field(data, problem["loc"])
        if field is None:
            return None
        inside, name = field
        inside.pop(name, None)
    return json.dumps(data).encode()


def _innermost_field(data: Any, location: tuple[int | str, ...]) -> tuple[dict[str, Any], str] | None:
    """The object and the name of the field that a location leads to, as far as the data goes.

    A list without some of its items would be another list, so it is never an item.
    """
    found = None
    for step in location:
        if isinstance(data, dict) and step in data:
            found = (data, str(step))
        elif not (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            break
        data = data[step]
    return found


class Reply(ApiModel):
    """The envelope: `status` is "ok" or "fail"."""

    status: str | None = None
    code: Counter = None
    message: str | None = None
