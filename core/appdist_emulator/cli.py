"""The emulator on the command line: `sauce-appdist emulator`, `python -m appdist_emulator`."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from appdist_emulator.dialects import DialectName
from appdist_emulator.seed import SEEDS, SeedError, named_seed, read_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PROGRAM = "sauce-appdist emulator"
_USAGE = 2


def main(argv: list[str]) -> int:
    """Serve until SIGINT or SIGTERM. Returns 0, or 2 if the emulator cannot start."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as end:  # argparse has printed the reason
        return end.code if isinstance(end.code, int) else _USAGE
    try:
        from appdist_emulator.server import Emulator  # Flask and PyJWT are optional
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"flask", "werkzeug", "jwt", "cryptography"}:
            raise
        return _refuse(f"{error.name} is not installed; run: pip install 'sauce-appdist[emulator]'")
    try:
        named = options.seed in SEEDS
        seed = named_seed(options.seed) if named else None if options.seed is None else read_seed(Path(options.seed))
        emulator = Emulator(seed, dialect=options.dialect, port=options.port, quiet=options.quiet)
    except OSError as error:
        return _refuse(
            f"--seed {options.seed}: {error.strerror}; use a readable JSON file, or one of {', '.join(SEEDS)}"
        )
    except SeedError as error:
        return _refuse(f"--seed {options.seed}: {'; '.join(str(error).splitlines())}")
    with _signals() as ignore_them:
        try:
            emulator.start(announce=_announce)
            while True:
                time.sleep(3600)
        except OSError as error:
            reason = error.strerror or "not available"
            return _refuse(f"--port {options.port}: {reason}; choose another port, or 0 for a free one")
        except KeyboardInterrupt:
            ignore_them()  # it is stopping already
        emulator.stop()
    return 0


@contextlib.contextmanager
def _signals() -> Iterator[Callable[[], None]]:
    """Make SIGTERM end the program as SIGINT does, until the block ends. Yields a function that ignores both."""
    before: dict[signal.Signals, Any] = {}

    def ignore() -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)

    # Only the main thread may set handlers, and only it receives signals.
    with contextlib.suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(url: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"Emulator listening on {url}\n")
        sys.stdout.flush()


def _refuse(text: str) -> int:
    sys.stderr.write(f"{_PROGRAM}: {text}\n")
    return _USAGE


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid port: use 0 (a free one) to 65535")
    return port


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Emulates Sauce Labs Mobile App Distribution on 127.0.0.1, to try workflows on: "
        "set base-url to its address. GET /_emulator/ lists the control paths.",
    )
    parser.add_argument("--port", type=_port, default=8765, metavar="N", help="default 8765; 0 takes a free port")
    parser.add_argument(
        "--seed",
        metavar="NAME|FILE",
        help="the account to start with: northwind (default), gate (builds with scripted sessions), or a JSON file; "
        "in both named seeds, ci@northwind.example has the API key nw-demo-key-0001",
    )
    parser.add_argument(
        "--dialect",
        choices=get_args(DialectName),
        default="classic",
        help="classic: the documented service; compat: the newer server with the same paths (default classic)",
    )
    parser.add_argument("--quiet", action="store_true", help="do not print a line for each request")
    return parser
