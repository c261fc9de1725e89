"""Where the reports of the gate go: a JSON file and a JUnit file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sauce_appdist.errors import InputError

JSON_REPORT, JUNIT_REPORT = "appdist-gate.json", "appdist-gate.xml"


class ReportFiles:
    """Both files, in one directory. Those of an earlier run are removed first."""

    def __init__(self, folder: str) -> None:
        """Make the directory and remove earlier reports. Raises InputError if files cannot be written there."""
        self._folder = Path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in (JSON_REPORT, JUNIT_REPORT):
                self._write(name, "")
                (self._folder / name).unlink()
        except OSError as error:
            raise self._unwritable(error) from None

    def write(self, json_report: str, junit_report: str) -> None:
        """Write both. Raises InputError, and leaves neither, if one cannot be written."""
        try:
            self._write(JSON_REPORT, json_report)
            self._write(JUNIT_REPORT, junit_report)
        except OSError as error:
            for name in (JSON_REPORT, JUNIT_REPORT):  # rather none than an outdated one
                with suppress(OSError):
                    (self._folder / name).unlink()
            raise self._unwritable(error) from None

    def _write(self, name: str, text: str) -> None:
        """Replace the file at once: a job that is cancelled leaves the old text or the new one, never a part."""
        part = self._folder / f".{name}.part"
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(self._folder / name)

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"gate-reports is {self._folder}, where nothing can be written: {error.strerror}.")
