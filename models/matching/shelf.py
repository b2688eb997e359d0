"""Many signatures side by side: an index of their keys, and the features of one signature against all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.matching.features import COLUMN, FEATURES
from models.matching.identifiers import telling
from models.matching.rarity import Rarity
from models.matching.signature import HASH_BITS, HEADER, Group, Has, Signature, key_of

Floats = NDArray[np.float32]
Rows = NDArray[np.uint32]
Whole = NDArray[np.int32]
_ROW_BITS = 64 - HASH_BITS
MOST_ROWS = 1 << 17
"""Of one block: its vectors as 32-bit floats and what a search works with stay within some hundred megabytes."""
_MEANING_FROM = np.float32(0.2)
"""Cosine below which two texts have nothing to do with each other."""
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
        """Bytes that its arrays take."""
        arrays = (self.unique, self.starts, self.rows, self.vectors, self.scales, self.words, self.text, self.has)
        return sum(array.nbytes for array in arrays) + len(self.titles) + self.title_ends.nbytes

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
        (rows,) = self._found([key])
        place = int(np.searchsorted(rows, row))
        return place < len(rows) and int(rows[place]) == row

    def having(self, group: Group, texts: Sequence[str]) -> Iterator[tuple[str, Rows]]:
        """Yield the rows that have each of some texts of a group."""
        for text, rows in zip(texts, self._found([key_of(group, text) for text in texts]), strict=True):
            if len(rows):
                yield text, rows

    def meanings(self, query: Signature, rows: NDArray[np.int64]) -> Floats:
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

    def _found(self, keys: Sequence[int]) -> Iterator[Rows]:
        wanted = np.array(keys, dtype=np.uint64)
        places = np.searchsorted(self.unique, wanted)
        for key, place in zip(keys, places.tolist(), strict=True):
            if place < len(self.unique) and int(self.unique[place]) == key:
                yield self.rows[self.starts[place] : self.starts[place + 1]]
            else:
                yield self.rows[:0]


def _indexed(keys: NDArray[np.uint64], rows: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint32], Rows]:
    # A row fits below the bits of the hash: one sort of whole numbers gives both in order.
    together = np.sort((keys << np.uint64(_ROW_BITS)) | rows)
    keys = together >> np.uint64(_ROW_BITS)
    begins = (
        np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.zeros(0, dtype=np.int64)
    )
    starts = np.append(begins, len(keys)).astype(np.uint32)
    return keys[begins], starts, (together & np.uint64((1 << _ROW_BITS) - 1)).astype(np.uint32)


class Comparison:
    """The features of one signature against the rows of a block, `SECOND` ones left out.

    Every value follows from keys and whole-number products alone: it is the same whichever of the two is the query, and
    whatever else is on the shelf.

    Parameters
    ----------
    alert_asks : bool
        Whether the query is the alert, and the rows are listings; else the other way round.
    rarity : Rarity
        Tells how much a brand says.
    """

    def __init__(self, block: Block, query: Signature, alert_asks: bool, rarity: Rarity) -> None:
        self.block, self.query, self.rarity = block, query, rarity
        n = len(block)
        self._none = np.zeros(n, dtype=bool)
        columns: dict[str, Floats] = {}
        both = block.has & np.uint8(query.has)
        either = block.has | np.uint8(query.has)

        gtin = self._any((Group.GTIN, query.gtins))
        columns["gtin"] = _flag(gtin)
        columns["gtin_other"] = _flag(((both & Has.GTIN) > 0) & ~gtin)

        model = self._most((Group.NUMBER, query.numbers), telling)
        columns["model"] = model
        near = (model == 0) & self._near_model()
        open_ = ((both & Has.MODEL) > 0) & (model == 0) & ~near
        of_family = open_ & self._any((Group.FAMILY, query.texts[Group.FAMILY]))
        columns["model_near"] = _flag(near)
        columns["model_of_family"] = _flag(of_family)
        columns["model_other"] = _flag(open_ & ~of_family)
        columns["batch"] = _flag(self._any((Group.BATCH, query.batches)))

        said_in_row = self._most((Group.SAID, query.brands), rarity.of_name)
        said_here = self._most((Group.BRAND, query.said), rarity.of_name)
        same = self._most((Group.BRAND, query.brands), rarity.of_name)
        said = np.where(same > 0, np.float32(0), np.maximum(said_in_row, said_here))
        near = (same == 0) & (said == 0) & self._near_brand()
        left = (same == 0) & (said == 0) & ~near
        columns["brand"], columns["brand_said"], columns["brand_near"] = same, said, _flag(near)
        columns["brand_other"] = _flag(left & ((both & Has.BRAND) > 0))
        columns["brand_absent"] = _flag(left & ((both & Has.BRAND) == 0) & ((either & Has.BRAND) > 0))
        self._agreed = np.maximum(np.maximum(same, said), columns["brand_near"])

        words_in_words = self._weights(Group.WORD, query.words)
        words_in_body = self._weights(Group.BODY, query.words)
        body_in_words = self._weights(Group.WORD, query.body)
        body_in_body = self._weights(Group.BODY, query.body)
        mine = _share(words_in_words + words_in_body, np.full(n, query.words_weight))
        theirs = _share(words_in_words + body_in_words, block.words)
        columns["name_words"], columns["title_words"] = (mine, theirs) if alert_asks else (theirs, mine)
        shared = words_in_words + words_in_body + body_in_words + body_in_body
        columns["text_words"] = _share(shared, np.sqrt(block.text.astype(np.float64) * query.text_weight))

        first = self._any((Group.KIND, query.kinds[:1]))
        among = self._any((Group.KINDS, query.kinds[:1]), (Group.KIND, query.kinds))
        kind = np.where(first, np.float32(1), np.float32(0.5) * among)
        other = _flag(~first & ~among)
        columns["kind"], columns["kind_other"] = kind, other
        columns["category"] = _flag(self._any((Group.CATEGORY, query.texts[Group.CATEGORY])))
        columns["hazards"] = _flag(self._any((Group.HAZARD, query.hazards)))
        columns["country"] = _flag(self._any((Group.COUNTRY, query.countries)))
        columns["brand_and_kind"] = self._agreed * kind
        columns["brand_and_words"] = self._agreed * columns["text_words"]
        columns["brand_only"] = self._agreed * other
        self.columns: Mapping[str, Floats] = columns

    def highest(self, weights: Floats, bias: float) -> Floats:
        """Return what the logit of every row comes to at most: with the same meaning, and without second features."""
        total = np.full(len(self.block), np.float32(bias + weights[COLUMN["meaning"]]))
        for name, values in self.columns.items():
            weight = weights[COLUMN[name]]
            if weight:
                total += weight * values
        total += weights[COLUMN["brand_and_meaning"]] * self._agreed
        return total

    def matrix(self, rows: NDArray[np.int64]) -> Floats:
        """Return the features of some rows, shape (rows, features); the second ones are 0."""
        result = np.zeros((len(rows), len(FEATURES)), dtype=np.float32)
        for name, values in self.columns.items():
            result[:, COLUMN[name]] = values[rows]
        meaning = self.meaning(rows)
        result[:, COLUMN["meaning"]] = meaning
        result[:, COLUMN["brand_and_meaning"]] = self._agreed[rows] * meaning
        return result

    def meaning(self, rows: NDArray[np.int64]) -> Floats:
        """Return how alike the meaning of some rows is."""
        cosines = self.block.meanings(self.query, rows)
        scaled: Floats = np.clip((cosines - _MEANING_FROM) / (1 - _MEANING_FROM), 0, 1)
        return scaled

    def _any(self, *asked: tuple[Group, Sequence[str]]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] | None = None
        for group, texts in asked:
            for _, rows in self.block.having(group, texts):
                if found is None:
                    found = np.zeros(len(self.block), dtype=bool)
                found[rows] = True
        return self._none if found is None else found

    def _most(self, asked: tuple[Group, Sequence[str]], value: Callable[[str], float]) -> Floats:
        """Return the highest value of those texts that each row has, 0 for none."""
        values = np.zeros(len(self.block), dtype=np.float32)
        for text, rows in self.block.having(*asked):
            values[rows] = np.maximum(values[rows], np.float32(value(text)))
        return values

    def _weights(self, group: Group, weights: Mapping[str, int]) -> Whole:
        """Return the sum of the weights of those words that each row has: whole numbers, so that the order is all
        one."""
        total = np.zeros(len(self.block), dtype=np.int32)
        for text, rows in self.block.having(group, tuple(weights)):
            total[rows] += weights[text]
        return total

    def _near_model(self) -> NDArray[np.bool_]:
        texts = self.query.texts
        return self._any(
            (Group.SHORTENED_MODEL, texts[Group.MODEL]),
            (Group.MODEL, texts[Group.SHORTENED_MODEL]),
            (Group.MIXED_MODEL, texts[Group.MIXED_MODEL]),
        )

    def _near_brand(self) -> NDArray[np.bool_]:
        texts = self.query.texts
        return self._any(
            (Group.NEAR_BRAND, texts[Group.NEAR_BRAND]),
            (Group.SAID, texts[Group.NEAR_BRAND]),
            (Group.NEAR_BRAND, texts[Group.SAID]),
        )


def _flag(values: NDArray[np.bool_]) -> Floats:
    return values.astype(np.float32)


def _share(part: Whole, whole: NDArray[Any]) -> Floats:
    """Return part over whole, at most 1, and 0 where there is no whole."""
    share = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    limited: Floats = np.minimum(1, share).astype(np.float32)
    return limited
