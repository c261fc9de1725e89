"""The files that a gate leaves: JSON for scripts, JUnit XML for test reporters."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sauce_appdist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_REPORT, JUNIT_REPORT = "appdist-gate.json", "appdist-gate.xml"


class ReportFiles:
    """Both files, in a directory that has none of an earlier run: what is there is of this one."""

    def __init__(self, folder: str) -> None:
        """Raises InputError where they cannot be written."""
        self._folder = Path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in (JSON_REPORT, JUNIT_REPORT):
                self._write(name, "")
                (self._folder / name).unlink()
        except OSError as error:
            raise self._unwritable(error) from None

    def write(self, about: Mapping[str, Any], junit: str) -> None:
        """Raises InputError where they cannot be written."""
        try:
            self._write(JSON_REPORT, json.dumps(about, ensure_ascii=False, indent=2) + "\n")
            self._write(JUNIT_REPORT, junit)
        except OSError as error:
            for name in (JSON_REPORT, JUNIT_REPORT):  # better none than one of before
                with suppress(OSError):
                    (self._folder / name).unlink()
            raise self._unwritable(error) from None

    def _write(self, name: str, text: str) -> None:
        """There is the whole of it or the one before, whenever the job is cancelled."""
        part = self._folder / f".{name}.part"
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(self._folder / name)

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"gate-reports is {self._folder}, where nothing can be written: {error.strerror}.")
