"""A warm parent of steps: it has imported the package, and forks for each step that it is told to run.

A step is still a process of its own, with its signals, its memory and its exit, and runs `sauce_appdist.cli.entrypoint`;
only its imports are those of the parent. Orders and reports are lines of JSON on stdin and stdout.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import random
import resource
import select
import signal
import sys
import warnings
from contextlib import suppress
from typing import Any, NoReturn

ADDRESSES = 1 << 30  # bytes of address space that a step gets: a machine that runs out of memory reports nothing


def warm() -> None:
    """Import what steps import."""
    for optional in ("charset_normalizer", "chardet", "simplejson"):
        sys.modules[optional] = None  # type: ignore[assignment] # as the entrypoint does
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    import sauce_appdist
    import sauce_appdist.cli

    for module in pkgutil.walk_packages(sauce_appdist.__path__, "sauce_appdist."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def child(order: dict[str, Any], inherited: list[int]) -> NoReturn:
    """Become the step."""
    from sauce_appdist.cli import entrypoint

    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, (name, how) in enumerate(
            ((os.devnull, os.O_RDONLY), (order["stdout"], os.O_WRONLY), (order["stderr"], os.O_WRONLY))
        ):
            opened = os.open(name, how | os.O_CREAT | os.O_TRUNC if how else how, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        for descriptor in inherited:
            os.close(descriptor)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        random.seed()
        sys.argv = ["sauce-appdist", *order["argv"]]
        entrypoint()
    except BaseException:  # noqa: BLE001 - as the interpreter ends
        sys.excepthook(*sys.exc_info())
        os._exit(1)


class Parent:
    """Obeys orders from stdin, and reports on stdout."""

    def __init__(self) -> None:
        # A step's own 0 and 1 are files: orders and reports keep to copies of them.
        self._orders, self._reports = os.dup(0), os.dup(1)
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._inherited = [self._orders, self._reports, self._woken, wake]
        self._running: dict[int, int] = {}  # process: number of the order

    def serve(self) -> None:
        """Until stdin ends."""
        self._report(ready=True)
        buffer = b""
        while True:
            ready, _, _ = select.select([self._orders, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 1 << 12)
                self._bury()
            if self._orders in ready:
                part = os.read(self._orders, 1 << 16)
                if not part:
                    return
                *lines, buffer = (buffer + part).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))

    def _obey(self, order: dict[str, Any]) -> None:
        if "signal" in order:
            for pid in [pid for pid, number in self._running.items() if number == order["number"]]:
                with suppress(ProcessLookupError):
                    os.kill(pid, order["signal"])
        elif (pid := os.fork()) == 0:
            child(order, self._inherited)
        else:
            self._running[pid] = order["number"]

    def _bury(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                pid, status, usage = ended
                seconds = usage.ru_utime + usage.ru_stime
                code = os.waitstatus_to_exitcode(status)
                self._report(ended=self._running.pop(pid), code=code, memory=usage.ru_maxrss << 10, cpu=seconds)

    def _report(self, **what: Any) -> None:
        os.write(self._reports, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    warm()
    Parent().serve()
