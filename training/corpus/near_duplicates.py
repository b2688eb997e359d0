"""How many texts nearly repeat another one: MinHash over character shingles, candidates checked exactly."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
"""Characters of a shingle: the same for languages with and without spaces."""
_BANDS, _ROWS = 10, 4
_PRIME = np.uint64(4_294_967_311)


class NearDuplicates:
    """Counts texts whose shingles overlap with an earlier text's.

    Parameters
    ----------
    threshold : float
        Jaccard index of the shingle sets from which two texts are near-duplicates. At 0.8, ten bands of four
        hashes find a pair with a probability of 1 - (1 - 0.8^4)^10 = 0.995.
    """

    def __init__(self, threshold: float = 0.8) -> None:
        self.threshold = threshold
        rng = np.random.default_rng(0)
        self._factors = rng.integers(1, 2**31, size=(_BANDS * _ROWS, 1), dtype=np.uint64)
        self._offsets = rng.integers(0, 2**31, size=(_BANDS * _ROWS, 1), dtype=np.uint64)
        self._buckets: dict[tuple[int, bytes], list[int]] = {}
        self._sets: list[frozenset[int]] = []
        self.repeats = 0

    @property
    def seen(self) -> int:
        """How many texts were given."""
        return len(self._sets)

    @property
    def rate(self) -> float:
        """Share of texts that nearly repeat an earlier one."""
        return self.repeats / self.seen if self.seen else 0.0

    def add(self, text: str) -> bool:
        """Take a text and tell whether it nearly repeats an earlier one."""
        folded = " ".join(text.casefold().split())
        shingles = frozenset(
            zlib.crc32(folded[i : i + SHINGLE].encode()) for i in range(max(1, len(folded) - SHINGLE + 1))
        )
        keys = self._keys(shingles)
        candidates = {other for key in keys for other in self._buckets.get(key, ())}
        repeated = any(_jaccard(shingles, self._sets[other]) >= self.threshold for other in candidates)
        self.repeats += repeated
        for key in keys:
            self._buckets.setdefault(key, []).append(len(self._sets))
        self._sets.append(shingles)
        return repeated

    def _keys(self, shingles: frozenset[int]) -> list[tuple[int, bytes]]:
        values: NDArray[np.uint64] = np.fromiter(shingles, dtype=np.uint64, count=len(shingles))
        smallest = ((self._factors * values + self._offsets) % _PRIME).min(axis=1)
        return [(band, smallest[band * _ROWS : (band + 1) * _ROWS].tobytes()) for band in range(_BANDS)]


def near_duplicate_rate(texts: Iterable[str], threshold: float = 0.8) -> float:
    """Return the share of texts that nearly repeat an earlier one.

    Examples
    --------
    >>> near_duplicate_rate(["a wooden toy train", "a wooden toy train!", "hair dryer 2000 W"])
    0.3333333333333333
    """
    counter = NearDuplicates(threshold)
    for text in texts:
        counter.add(text)
    return counter.rate


def _jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)
