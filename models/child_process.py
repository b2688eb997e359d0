"""A process of our own code beside this one, spoken to by pipes: what hangs or breaks there can be ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

_ENDS_WITHIN = 5.0


class ChildProcess:
    """A running module of ours, which knows nothing of our environment but what it is told.

    Parameters
    ----------
    module : str
        Is run as ``__main__``.
    environment : mapping
        All that it is told, the path of modules apart.
    """

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def id(self) -> int:
        """Of the process, for the system."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def to(self) -> IO[bytes]:
        """What it reads."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def back(self) -> IO[bytes]:
        """What it writes."""
        assert self._process.stdout is not None
        return self._process.stdout

    @contextmanager
    def killed_after(self, seconds: float) -> Iterator[threading.Event]:
        """Kill it where the block is not over in time, and set the event."""
        overdue = threading.Event()

        def kill() -> None:
            overdue.set()
            self._process.kill()

        timer = threading.Timer(seconds, kill)
        timer.start()
        try:
            yield overdue
        finally:
            timer.cancel()

    def wait(self) -> int:
        """Wait until it ends by itself; return its exit code."""
        return self._process.wait()

    def end(self) -> int:
        """Kill it if it lives, and return its exit code."""
        self._process.kill()
        code = self._process.wait(_ENDS_WITHIN)
        for stream in (self.to, self.back):
            try:
                stream.close()
            except BrokenPipeError:  # what it did not read is of no use any more
                continue
        return code
