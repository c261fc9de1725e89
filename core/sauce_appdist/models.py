"""The base of all response models; each module of `api/` has the models of its resource.

Models use Python names for the vendor's spellings. Every field that a server may omit is optional, and None means
unknown. Unknown fields are kept in `model_extra`. Ids are opaque strings. Every known variant of a shape is accepted
(docs/reference/api-facts.md#shapes-that-vary).
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from pydantic import ValidationError

    Counter = int | None
    # A time. It is naive if the service sends no time zone, like `2019-04-04 16:03:15`: no document names the zone.
    # It is aware if the service sends one.
    Moment = datetime | None
else:

    def _no_flag(value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("not a number")  # noqa: TRY004 - pydantic takes this one
        return value

    # Only unreadable values reach the Python call, so that long lists parse at full speed.
    _Unreadable = Annotated[Any, AfterValidator(lambda _: None)]
    _Number = Annotated[int, BeforeValidator(_no_flag)]  # accepts `"12"`, rejects `true`
    Counter = Annotated[
        Annotated[int, Field(strict=True)] | _Number | _Unreadable | None, Field(union_mode="left_to_right")
    ]
    Moment = Annotated[datetime | _Unreadable | None, Field(union_mode="left_to_right")]


def _names(value: object) -> object:
    """A list of names from a list, a comma-separated string, a single number, or objects with a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [item.get("name", item) if isinstance(item, dict) else item for item in value]
    return value


def _refused(value: object) -> object:
    """A list of refused names: also from what PHP makes of a filtered list, an object, and from nested lists.

    Any name in it is one too many, so that reading too much does no harm. A list that clears a build, like its tags,
    is not read that way.
    """
    if isinstance(value, dict):
        value = [value] if "name" in value else list(value.values())
    return _names(_flat(value))


def _flat(value: object) -> object:
    """A flat list from a nested one of any depth; the service nests members in a second list."""
    if not isinstance(value, list):
        return value
    flat, rest = [], value[::-1]
    while rest:
        item = rest.pop()
        if isinstance(item, list):
            rest.extend(reversed(item))
        else:
            flat.append(item)
    return flat


def _mapping(value: object) -> object:
    """An object, also from `[]`: PHP writes an empty object like that."""
    return {} if value == [] else value


Names = Annotated[list[str], BeforeValidator(_names)]
RefusedNames = Annotated[list[str], BeforeValidator(_refused)]
Flat = BeforeValidator(_flat)
PhpObject = BeforeValidator(_mapping)

# An id that can be sent back: not empty, no blanks around it.
Id = Annotated[str, Field(pattern=r"^\S(?:.*\S)?$")]

# Not documented. None (unknown) if the server does not show it.
FOLDER = AliasChoices("folderPath", "folder_path", "folderName", "folder_name", "folder")


def spellings(project_id: str) -> tuple[str, ...]:
    """The ids to try: `6806100-myapplication` is its number in the newer document, all of it in the older one."""
    number, dash, _ = project_id.partition("-")
    return (number, project_id) if dash and number.isdecimal() else (project_id,)


class ApiModel(BaseModel):
    """A model that reads the vendor's camelCase, keeps unknown fields, and accepts numbers as ids.

    An optional field that cannot be read becomes None, and `unreadable` tells it from one that is missing.
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

    def unreadable(self, *names: str) -> bool:
        """Whether the server sent one of these fields in a shape that cannot be read.

        A decision must not take such a field for a missing one. `model_extra` keeps its value.
        """
        extra = self.model_extra or {}
        return any(spelled + _UNREADABLE in extra for name in names for spelled in _spelled(type(self), name))


_UNREADABLE = " (unreadable)"


def _spelled(model: type[ApiModel], name: str) -> list[str]:
    """The names that a field of a model may have in JSON."""
    field = model.model_fields[name]
    alias = field.validation_alias or field.alias or name
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [name, *(choice for choice in choices if isinstance(choice, str))]


def readable(body: bytes, error: ValidationError) -> bytes | None:
    """A JSON response in which the fields that `error` reports are marked as unreadable, so that the rest can be used.

    None if no field can be marked.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):  # pydantic reads a number of 5,000 digits, Python does not
        return None
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = None if problem["type"] == "missing" else _innermost_field(data, problem["loc"])
        if field is None:
            return None
        inside, name = field
        if name in inside:
            inside[name + _UNREADABLE] = inside.pop(name)
    return json.dumps(data).encode()


def _innermost_field(data: Any, location: tuple[int | str, ...]) -> tuple[dict[str, Any], str] | None:
    """The object and the field name that a location leads to, as far as the data goes.

    Never an item of a list: without some of its items it would be a different list.
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
    """The envelope of every response: `status` is "ok" or "fail" (docs/reference/api-facts.md#errors).

    v3 has none: there, 2xx and the resource are a success.
    """

    enveloped: ClassVar[bool] = True

    status: str | None = None
    code: Counter = None
    message: str | None = None

    @classmethod
    def of_newer_server(cls, _body: bytes) -> bool:
        """Whether only a newer server answers in this shape (docs/reference/api-facts.md#the-newer-server)."""
        return False


def has_field(body: bytes, *names: str) -> bool:
    """Whether JSON has a field of one of these names, at any depth."""
    return any(re.search(rb'"%s"\s*:' % name.encode(), body) for name in names)
