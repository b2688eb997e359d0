"""Answers that were given lately, so that equal content need not be assessed again."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Hashable

from models.domain.assessment import Assessment

_OVERHEAD = 500
"""Bytes of an entry besides its text: key, hash table, links (measured on CPython 3.11)."""
_FAST = 1
_NO_HEADER = -15
"""Window of 2^15 bytes, and no checksum."""


class Remembered:
    """Answers as packed JSON, the latest used ones up to a number of bytes; may be used from any thread.

    So an answer takes a fraction of the memory of its objects, some 2 kB, and its size is known exactly. Packing it
    costs about a hundredth of an assessment, and so does reading it.

    Parameters
    ----------
    most_bytes : int
        0 remembers nothing.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Assessment | None:
        """Return the answer that is remembered under a key; it was made for some listing of that content."""
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                return None
            self._answers.move_to_end(key)
        return Assessment.from_json(zlib.decompress(found, _NO_HEADER))

    def put(self, key: Hashable, answer: Assessment) -> None:
        """Remember an answer, and forget those that were not used for longest where there is no room for it."""
        if not self.most_bytes:
            return
        packed = zlib.compress(answer.to_json(), _FAST, _NO_HEADER)
        size = len(packed) + _OVERHEAD
        if size > self.most_bytes:
            return
        with self._lock:
            if key in self._answers:
                return
            self._answers[key] = packed
            self.bytes += size
            while self.bytes > self.most_bytes:
                _, oldest = self._answers.popitem(last=False)
                self.bytes -= len(oldest) + _OVERHEAD

    def __len__(self) -> int:
        return len(self._answers)
