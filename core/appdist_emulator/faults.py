"""Faults: which requests fail, how, and how often. Tests order them through `/_emulator/faults`."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from appdist_emulator.seed import explain

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultError(ValueError):
    """The order is invalid; the text names each wrong key."""


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


HeaderText = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]


class Order(BaseModel):
    """The body of POST /_emulator/faults."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    method: Annotated[str, StringConstraints(to_upper=True, min_length=1)] | None = None
    path: Annotated[str, AfterValidator(_regex)] = ""
    times: Annotated[int, Field(ge=1, strict=True)] | None = 1
    skip: Annotated[int, Field(ge=0, strict=True)] = 0
    status: Annotated[int, Field(ge=200, le=599, strict=True)] | None = None
    body: str | dict[str, Any] | list[Any] | None = None
    headers: dict[HeaderText, HeaderText] = Field(default_factory=dict)
    content_type: HeaderText | None = None
    delay: Annotated[float, Field(ge=0, le=600)] = 0
    drop: Literal["before", "after"] | None = None
    after: bool = False

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if self.drop and (self.status or self.body is not None or self.headers or self.content_type):
            raise ValueError("drop: cannot be combined with status, body, headers or content_type")
        if self.drop == "before" and self.after:
            raise ValueError("after: cannot be combined with drop 'before'; use drop 'after'")
        if not (self.drop or self.status or self.body is not None or self.headers or self.content_type or self.delay):
            raise ValueError("set at least one of status, body, headers, content_type, delay or drop")
        return self

    @property
    def replaces(self) -> bool:
        """Whether the fault replaces the service's answer; otherwise it changes or delays it."""
        return self.status is not None or self.body is not None

    @property
    def carried_out_first(self) -> bool:
        return self.after or self.drop == "after"

    def content(self) -> tuple[bytes, str]:
        if self.body is None:
            return b"", "text/plain; charset=utf-8"
        if isinstance(self.body, str):
            return self.body.encode(), "text/plain; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json"


@dataclass
class Fault:
    id: int
    order: Order
    skip: int
    left: int | None
    hits: int = 0

    def view(self) -> dict[str, Any]:
        return {"id": self.id, "hits": self.hits, "left": self.left, **self.order.model_dump()}


class FaultBook:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last = 0

    def order(self, data: Mapping[str, Any]) -> dict[str, Any]:
        try:
            order = Order.model_validate(data)
        except ValidationError as error:
            raise FaultError(explain(error, Order.model_fields)) from None
        with self._lock:
            self._last += 1
            fault = Fault(self._last, order, order.skip, order.times)
            self._faults.append(fault)
            return fault.view()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request and count the use. The fault that was ordered first wins."""
        with self._lock:
            for fault in self._faults:
                order = fault.order
                if fault.left == 0 or order.method not in {None, method}:
                    continue
                if not re.search(order.path, path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def view(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.view() for fault in self._faults]

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
