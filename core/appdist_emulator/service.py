"""The emulated service: the account in its dialect, the ordered faults and the request log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appdist_emulator.dialects.classic import Classic
from appdist_emulator.dialects.compat import Compat
from appdist_emulator.faults import FaultBook
from appdist_emulator.request_log import RequestLog
from appdist_emulator.seed import default_seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appdist_emulator.dialects import DialectName

_DIALECTS: dict[DialectName, type[Classic]] = {"classic": Classic, "compat": Compat}


class Service:
    """Starts from a seed (None: the default one). Raises SeedError, or ValueError for an unknown dialect."""

    def __init__(self, seed: Mapping[str, Any] | None, dialect: DialectName) -> None:
        self._seed = default_seed() if seed is None else seed
        if dialect not in _DIALECTS:
            raise ValueError(f"dialect: {dialect!r} is not one of {', '.join(_DIALECTS)}")
        self.dialect = _DIALECTS[dialect](self._seed)
        self.faults = FaultBook()
        self.log = RequestLog()

    def reset(self, seed: Mapping[str, Any] | None) -> None:
        """Start again from this seed, or from the first one. Raises SeedError, and then changes nothing."""
        self.dialect = type(self.dialect)(self._seed if seed is None else seed)
        self.faults.clear()
        self.log.clear()
