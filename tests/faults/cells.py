"""The cells of the matrix: a step, one of its requests, and a fault; all of them, a sample, or one by its name."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from faults.commands import STEPS, Step
from faults.tables import ANSWERS, FIXED, REDIRECTS, RETRY_AFTER, SHAPES, SHORT, SIGNALS, changed_field, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from faults.proxy import Fault, Seen
    from faults.runs import Clean

# Of the long tables, each request gets every so-manieth row; its neighbour gets the next ones.
STRIDES = {"answers": 48, "fields": 24, "redirects": 8, "retry-after": 4}
_NO_GROUPS = {"missing", "null", "empty-list", "empty-object", "empty-text", "no", "zero"}


class Cell(NamedTuple):
    """A step whose `number`-th request meets a fault; `after`: the service has had the request."""

    step: Step
    number: int
    label: str
    writes: bool
    fault: Fault
    after: bool

    def __str__(self) -> str:
        phase = f"-{'after' if self.after else 'before'}" if self.writes and _has_phases(self.fault) else ""
        return f"{self.step.name}/{self.number}-{self.label}/{self.fault.name}{phase}"

    @property
    def lies(self) -> bool:
        """Whether the fault tells something about the account that may be true, so that the step may act on it."""
        return not self.writes and self.fault.plausible and self.fault.says != "unknown"

    @property
    def invents(self) -> bool:
        """Whether the fault changes a value that an output repeats."""
        return self.lies or self.fault.kind == "field"

    @property
    def hides_refused_groups(self) -> bool:
        """Whether the answer to a copy has something that cannot be read where the refused groups belong."""
        name = str(self.fault.field[0]) if self.fault.field else ""
        return name in {"invalid_groups", "invalid_project_groups"} and self.fault.shape not in _NO_GROUPS


def _has_phases(fault: Fault) -> bool:
    return fault.stage == "request" and not fault.passes and fault.kind != "field" and not fault.before


def _cells(step: Step, seen: Seen, faults: Sequence[Fault]) -> Iterator[Cell]:
    """The cells of a request with these faults. No answer says of a write what is not so: nobody could notice."""
    assert seen.request
    writes = seen.request.writes
    for fault in faults:
        if fault.tls and (seen.number > 1 or seen.request.to_provider):
            continue
        if fault.before == "stale" and seen.number == 1:
            continue
        phases = [False, True] if writes and _has_phases(fault) else [True]
        if writes and fault.says != "unknown":
            phases = [fault.says == "done"]
        for after in phases:
            yield Cell(step, seen.number, seen.request.label, writes, fault, after)


def _fields(seen: Seen) -> list[Fault]:
    if not seen.passed:
        return []
    return [changed_field(path, shape, seen.passed) for path in fields_of(seen.passed) for shape in SHAPES]


def cells_of(step: Step, clean: Clean) -> list[Cell]:
    """Every cell of a step."""
    found: list[Cell] = []
    start = list(STEPS).index(step.name)
    for seen in clean.seen:
        at = start + seen.number
        tables = {"answers": ANSWERS, "fields": _fields(seen), "redirects": REDIRECTS, "retry-after": RETRY_AFTER}
        faults = [*SHORT, *SIGNALS]
        for name, table in tables.items():
            faults += table[at % STRIDES[name] :: STRIDES[name]]
        found += _cells(step, seen, faults)
    return found


def sample_of(step: Step, clean: Clean, seed: int, share: int) -> list[Cell]:
    """`share` cells of each request of a step; the kinds of faults take turns, so that each occurs as often."""
    dice = random.Random(f"{seed} {step.name}")
    found: list[Cell] = []
    turn = list(STEPS).index(step.name) * 5
    for seen in clean.seen:
        kinds: dict[str, list[Cell]] = {}
        for cell in _cells(step, seen, [*FIXED.values(), *_fields(seen)]):
            kinds.setdefault(cell.fault.kind, []).append(cell)
        names = list(kinds)
        found += [dice.choice(kinds[names[(turn + number) % len(names)]]) for number in range(share)]
        turn += share
    return found


def cell_of(name: str, clean: Callable[[Step], Clean]) -> Cell:
    """The cell with this name. Raises ValueError if there is none."""
    step_name, request, fault_name = name.split("/", 2)
    step = STEPS[step_name]
    number = int(request.partition("-")[0])
    seen = clean(step).seen[number - 1]
    bare = fault_name.removesuffix("-before").removesuffix("-after")
    faults = [fault for text in {fault_name, bare} if (fault := FIXED.get(text))]
    if bare.startswith("field:"):
        faults = [fault for fault in _fields(seen) if fault.name == fault_name]
    for cell in _cells(step, seen, faults):
        if str(cell) == name:
            return cell
    raise ValueError(f"no cell {name!r}")
