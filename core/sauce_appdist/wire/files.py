"""Downloads that leave a whole file or none."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sauce_appdist.errors import InputError

if TYPE_CHECKING:
    from types import TracebackType


class AtomicDownload:
    """A file that is written under a temporary name, and renamed when it is complete.

    `to` is the file, which is replaced if it exists. In a directory, and in the current one for None, the file gets
    the name that `keep` receives, and replaces nothing: somebody else has chosen that name. Raises InputError if it
    cannot be written.
    """

    def __init__(self, to: str | os.PathLike[str] | None) -> None:
        to = "." if to is None else to
        if not os.fspath(to).strip():
            raise InputError("to is empty: set a file or a directory, or omit it for the current directory.")
        # A symbolic link keeps pointing to the file, as with other programs.
        self._to = Path(os.path.realpath(to))
        if os.fspath(to) == "-" or (self._to.exists() and not (self._to.is_file() or self._to.is_dir())):
            raise InputError(f"to is {to}, expected a file or a directory.")
        if os.fspath(to).endswith(("/", os.sep)) and not self._to.is_dir():
            raise InputError(f"to is {to}, a directory that does not exist: create it first.")

    def __enter__(self) -> Self:
        try:
            folder = self._to if self._to.is_dir() else self._to.parent
            self.file = tempfile.NamedTemporaryFile(dir=folder, prefix=".sauce-appdist-", delete=False)
        except OSError as error:
            raise self._unwritable(error) from None
        return self

    def keep(self, name: str) -> Path:
        """Give the complete file its name; returns its path."""
        self.file.close()
        os.chmod(self.file.name, 0o666 & ~_umask())  # noqa: PTH101 - a temporary file is readable by its owner only
        if not self._to.is_dir():
            return Path(self.file.name).replace(self._to)
        place = self._to / _safe(name)
        try:
            place.open("x").close()  # takes the name; of two downloads only one can
        except FileExistsError:
            raise InputError(
                f"{place} exists, and a name that the service chooses replaces no file: "
                f"set to (--to) to the file to write. Nothing was replaced."
            ) from None
        try:
            return Path(self.file.name).replace(place)
        except BaseException:
            with suppress(OSError):
                place.unlink()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            Path(self.file.name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"to is {self._to}, which cannot be written: {error.strerror or error}.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _safe(name: str) -> str:
    """A name from a server, made safe: it stays in its directory, and the file is not hidden."""
    name = re.sub(r"[^\w .()+@-]", "_", re.split(r"[/\\]", name)[-1]).lstrip(". ")
    name = name.encode(errors="replace")[-200:].decode(errors="ignore")  # a file system counts bytes
    coding = sys.getfilesystemencoding()
    return name.encode(coding, "replace").decode(coding).replace("?", "_") or "download"
