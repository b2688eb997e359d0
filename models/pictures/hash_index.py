"""Finds every hash near another one among millions, and misses none.

Two hashes that differ in at most d of 256 bits differ in at most d // 16 bits of one of their sixteen 16-bit pieces at
least (Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012). So only those that are
that near in some piece are compared whole: for d = 31 some thousands of a million.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from models.pictures.identity import BITS, SAME, Fingerprint, Hashes, distances

_PIECES = 16
_KEYS = 1 << 16
_FARTHEST = 3 * _PIECES - 1
"""Beyond that so many pieces would be asked for that comparing all is faster."""


class HashIndex:
    """Hashes that can be searched; some 100 MB and a second for a million.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n, 4)
    """

    def __init__(self, hashes: Hashes) -> None:
        self.hashes = np.ascontiguousarray(hashes, np.uint64).reshape(-1, 4)
        pieces = self.hashes.view(np.uint16).reshape(-1, _PIECES)
        self._order = np.empty((_PIECES, len(pieces)), np.int32)
        self._starts = np.zeros((_PIECES, _KEYS + 1), np.int32)
        for i in range(_PIECES):
            keys = np.ascontiguousarray(pieces[:, i])
            self._order[i] = np.argsort(keys, kind="stable")
            np.cumsum(np.bincount(keys, minlength=_KEYS), out=self._starts[i, 1:])

    def __len__(self) -> int:
        return len(self.hashes)

    def near(self, wanted: Hashes, most: int = SAME) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the places of all hashes that differ in at most `most` bits, ascending, and in how many.

        Parameters
        ----------
        wanted : ndarray of uint64, shape (4,)
        most : int
            0 to 256.
        """
        wanted = np.ascontiguousarray(wanted, np.uint64)
        places = self._candidates(wanted, most) if most <= _FARTHEST else np.arange(len(self))
        found = distances(self.hashes[places], wanted)
        places, found = places[found <= most], found[found <= most]
        places, first = np.unique(places, return_index=True)
        return places, found[first]

    def _candidates(self, wanted: Hashes, most: int) -> NDArray[np.int64]:
        keys = wanted.view(np.uint16)[:, None] ^ _masks(most // _PIECES)[None]
        piece = np.arange(_PIECES)[:, None]
        starts, ends = self._starts[piece, keys].ravel(), self._starts[piece, keys.astype(np.int64) + 1].ravel()
        lengths = ends - starts
        total = int(lengths.sum())
        # The k-th of a run of consecutive places is its start and k; all runs at once.
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        within = np.arange(total) - before
        rows = np.repeat(np.repeat(np.arange(_PIECES), keys.shape[1]), lengths)
        places: NDArray[np.int64] = self._order[rows, np.repeat(starts, lengths) + within].astype(np.int64)
        return places


class PictureIndex:
    """Pictures that can be asked for by what they look like.

    Parameters
    ----------
    pictures : sequence of Fingerprint
        Each is known by its place.
    """

    def __init__(self, pictures: Sequence[Fingerprint]) -> None:
        counts = [len(picture.hashes) for picture in pictures]
        self._owners = np.repeat(np.arange(len(pictures)), counts)
        parts = [picture.hashes for picture in pictures]
        self._index = HashIndex(np.concatenate(parts) if parts else np.empty((0, 4), np.uint64))

    def __len__(self) -> int:
        return len(self._index)

    def same(self, picture: Fingerprint, most: int = SAME) -> dict[int, int]:
        """Return the places of the pictures that look the same, with the least distance, nearest first."""
        best: dict[int, int] = {}
        for wanted in np.concatenate([picture.hashes, picture.mirrored]):
            for place, far in zip(*self._index.near(wanted, most), strict=True):
                owner = int(self._owners[place])
                best[owner] = min(best.get(owner, BITS), int(far))
        return dict(sorted(best.items(), key=lambda item: item[1]))


@cache
def _masks(bits: int) -> NDArray[np.uint16]:
    """Return all 16-bit words with at most so many bits."""
    words = [sum(1 << i for i in chosen) for many in range(bits + 1) for chosen in combinations(range(16), many)]
    return np.array(words, np.uint16)
