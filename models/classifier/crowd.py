"""How many listings are being worked on at this moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Crowd:
    """Counts the listings that are being worked on; safe to use from several threads.

    Examples
    --------
    >>> crowd = Crowd()
    >>> with crowd.joined():
    ...     crowd.alone
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._size = 0

    @property
    def alone(self) -> bool:
        """Whether at most one listing is being worked on."""
        return self._size <= 1

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Count one more while the block runs."""
        with self._lock:
            self._size += 1
        try:
            yield
        finally:
            with self._lock:
                self._size -= 1
