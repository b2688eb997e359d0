"""Many signatures side by side: an index of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.matching.signature import HASH_BITS, HEADER, Signature

Floats = NDArray[np.float32]
Rows = NDArray[np.uint32]
Whole = NDArray[np.int32]
_ROW_BITS = 64 - HASH_BITS
MOST_ROWS = 1 << 17
"""Of one block: its vectors as 32-bit floats and what a search works with stay within some hundred megabytes."""
_VECTORS_AT_ONCE = 4_096


@dataclass(frozen=True)
class Block:
    """Some signatures, unpacked; never changed.

    Parameters
    ----------
    unique : array of uint64
        Keys, sorted.
    starts : array
        Where the rows of each key begin in `rows`, and the end.
    vectors : array of int8, shape (n, dimension)
    """

    unique: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    rows: Rows
    vectors: NDArray[np.int8]
    scales: Floats
    words: Whole
    text: Whole
    has: NDArray[np.uint8]
    titles: bytes
    title_ends: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.scales)

    @property
    def memory(self) -> int:
        """Bytes that its arrays take, once it has been searched."""
        arrays = (self.unique, self.starts, self.rows, self.vectors, self.scales, self.words, self.text, self.has)
        return sum(array.nbytes for array in arrays) + len(self.titles) + self.title_ends.nbytes + self._scales

    @property
    def _scales(self) -> int:
        return 2 * self.scales.nbytes  # `text_scale` and `title_scale`

    @classmethod
    def of(cls, packed: Sequence[bytes]) -> Block:
        """Unpack signatures of one dimension, as `Signature.to_bytes` gives them."""
        n = len(packed)
        whole = np.frombuffer(b"".join(packed), dtype=np.uint8)
        ends = np.cumsum([len(each) for each in packed], dtype=np.int64)
        begins = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1])) if n else ends
        headers = whole[begins[:, None] + np.arange(HEADER.itemsize)].reshape(-1).view(HEADER)
        dimension = int(headers["dimension"][0]) if n else 0
        after = begins + HEADER.itemsize
        vectors = np.empty((n, dimension), dtype=np.int8)
        for start in range(0, n, _VECTORS_AT_ONCE):
            part = slice(start, start + _VECTORS_AT_ONCE)
            vectors[part] = whole[after[part, None] + np.arange(dimension)].view(np.int8)
        counts = headers["keys"].astype(np.int64)
        key_begins = after + dimension
        row_of_key = np.repeat(np.arange(n, dtype=np.uint64), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(key_begins, counts) + 8 * within
        keys = np.zeros(len(places), dtype=np.uint64)
        for i in range(HASH_BITS // 8):
            keys |= whole[places + i].astype(np.uint64) << np.uint64(8 * i)
        title_begins = key_begins + 8 * counts
        titles = b"".join(
            each[int(begin - first) :] for each, begin, first in zip(packed, title_begins, begins, strict=True)
        )
        return cls(
            *_indexed(keys, row_of_key),
            vectors,
            np.ascontiguousarray(headers["scale"]),
            np.ascontiguousarray(headers["words"]),
            np.ascontiguousarray(headers["text"]),
            np.ascontiguousarray(headers["has"]),
            titles,
            np.cumsum(headers["title"], dtype=np.uint32),
        )

    def title(self, row: int) -> str:
        """Return the title of a row."""
        begin = int(self.title_ends[row - 1]) if row else 0
        return self.titles[begin : int(self.title_ends[row])].decode("ascii")

    def has_key(self, row: int, key: int) -> bool:
        """Tell whether a row has a key."""
        begins, ends = self.spans(np.array([key], dtype=np.uint64))
        rows = self.rows[begins[0] : ends[0]]
        place = int(np.searchsorted(rows, row))
        return place < len(rows) and int(rows[place]) == row

    def meanings(self, query: Signature, rows: Rows) -> Floats:
        """Return the cosines of a vector with those of some rows, each the same to the last bit whatever rows are asked
        for with it.
        """
        asked = query.vector.astype(np.float32)
        result = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), _VECTORS_AT_ONCE):
            part = slice(start, start + _VECTORS_AT_ONCE)
            result[part] = self.vectors[rows[part]].astype(np.float32) @ asked
        # First the two scales: their product is the same whichever side asks.
        result *= np.float32(query.scale) * self.scales[rows]
        return result

    def spans(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return where the rows of each key begin and end in `rows`; both 0 for one that no row has."""
        if not len(self.unique):
            return np.zeros(len(keys), dtype=np.uint32), np.zeros(len(keys), dtype=np.uint32)
        places = np.searchsorted(self.unique, keys)
        there = self.unique[np.minimum(places, len(self.unique) - 1)] == keys
        places = np.where(there, places, 0)
        return self.starts[places] * there, self.starts[places + 1] * there

    @cached_property
    def text_scale(self) -> Floats:
        """One over the square root of the weight of all words; 0 where there is none."""
        return np.divide(1, np.sqrt(self.text), out=np.zeros(len(self)), where=self.text > 0).astype(np.float32)

    @cached_property
    def title_scale(self) -> Floats:
        """One over the weight of the title's words; 0 where there is none."""
        return np.divide(1, self.words, out=np.zeros(len(self)), where=self.words > 0).astype(np.float32)


def _indexed(keys: NDArray[np.uint64], rows: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32], Rows]:
    # A row fits below the bits of the hash: one sort of whole numbers gives both in order.
    together = np.sort((keys << np.uint64(_ROW_BITS)) | rows)
    keys = together >> np.uint64(_ROW_BITS)
    begins = (
        np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.zeros(0, dtype=np.int64)
    )
    starts = np.append(begins, len(keys)).astype(np.uint32)
    return keys[begins], starts, (together & np.uint64((1 << _ROW_BITS) - 1)).astype(np.uint32)
