"""Exact search: every stored signature whose probability reaches a limit, or the best ones, and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappush, heapreplace
from itertools import accumulate

import numpy as np

from models.domain.parts import in_parts
from models.matching.asking import Asked, Postings, postings
from models.matching.combiner import Combiner, Floats, logit
from models.matching.comparison import Comparison
from models.matching.features import COLUMN
from models.matching.first_look import FirstLook
from models.matching.screening import reachable
from models.matching.shelf import MOST_ROWS, Block, Rows
from models.matching.signature import TITLE_KEPT, Signature
from models.matching.spelling import likeness

_SLACK = 1e-3
"""Logits of the first pass are added in another order: by far less than this they differ from the last ones."""
_AT_ONCE = 64
_OPEN_ROWS = 1 << 14
Pictures = Callable[[int, int], float]
"""Likeness (0 to 1) of the pictures of a query and a row, by their numbers."""
OfRow = Callable[[int], float]
"""Likeness of the pictures of the query and a row."""


@dataclass(frozen=True)
class Hit:
    """A row that was found.

    Parameters
    ----------
    row : int
        Its number on the shelf.
    features : array of shape (features,)
    """

    row: int
    logit: float
    features: Floats


class Shelf:
    """Signatures that are searched; more can be added.

    The search is exact. A first look at a block leaves out the rows whose logit cannot reach the limit by what they
    share at all. Keys give most features of the others. A row whose logit cannot reach the limit even with the same
    meaning and all second features, which speak for a match and are at most 1, is left out; then likewise with the
    meaning that it has; the rest is computed in full, best first, until no further one can be among the best. The
    keys of all queries are looked up together.

    Parameters
    ----------
    combiner : Combiner
    alert_asks : bool
        Whether queries are alerts and rows listings; else the other way round.
    """

    def __init__(self, combiner: Combiner, alert_asks: bool) -> None:
        self.combiner, self.alert_asks = combiner, alert_asks
        self.blocks: tuple[Block, ...] = ()
        self._open: list[bytes] = []

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    @property
    def memory(self) -> int:
        """Bytes that the blocks take."""
        return sum(block.memory for block in self.blocks)

    def add(self, packed: Sequence[bytes]) -> None:
        """Add signatures, as `Signature.to_bytes` gives them; they get the next numbers.

        The last block is made anew with what comes, as long as it is small: a search through many small ones takes
        longer.
        """
        if not packed:
            return
        kept = self.blocks[:-1] if self._open else self.blocks
        waiting = [*self._open, *packed]
        new = [Block.of(part) for part in in_parts(waiting, MOST_ROWS)]
        last = waiting[(len(new) - 1) * MOST_ROWS :]
        self._open = last if len(last) < _OPEN_ROWS else []
        self.blocks = (*kept, *new)

    def place(self, row: int) -> tuple[Block, int]:
        """Return the block of a row, and its place there."""
        for block in self.blocks:
            if row < len(block):
                return block, row
            row -= len(block)
        raise IndexError(row)

    def search(
        self, queries: Sequence[Signature], least: float, most: int, pictures: Pictures | None = None
    ) -> list[list[Hit]]:
        """Return for each query the rows whose probability is at least `least`, best first, at most `most` of them.

        Parameters
        ----------
        least : float
            Above 0, below 1.
        """
        found = [_Best(logit(least), most) for _ in queries]
        asked = [Asked(query) for query in queries]
        begins = accumulate((len(block) for block in self.blocks), initial=0)
        for block, begin in zip(self.blocks, begins, strict=False):
            if not len(block) or not asked:
                continue
            for number, its in enumerate(postings(block, asked)):
                self._look(its, begin, found[number], None if pictures is None else partial(pictures, number))
        return [best.hits() for best in found]

    def search_few(self, first: FirstLook, least: float) -> list[list[Hit]]:
        """Return for each of many queries the rows whose probability is at least `least`, best first.

        For a shelf of few rows: most queries have nothing to look for there.
        """
        found = [_Best(logit(least), max(1, len(self))) for _ in first.queries]
        begins = accumulate((len(block) for block in self.blocks), initial=0)
        for block, begin in zip(self.blocks, begins, strict=False):
            for number, rows in first.reachable(block, self.combiner.reserve(False), logit(least)):
                (its,) = postings(block, [Asked(first.queries[number])])
                self._look_at(its, rows, begin, found[number], None)
        return [best.hits() for best in found]

    def compare(self, query: Signature, rows: Sequence[int], pictures: OfRow | None = None) -> list[Hit]:
        """Return the features of some rows, whatever their probability, in their order."""
        found: dict[int, Hit] = {}
        begin = 0
        for block in self.blocks:
            here = sorted({row - begin for row in rows if begin <= row < begin + len(block)})
            if here:
                places = np.array(here, dtype=np.uint32)
                (its,) = postings(block, [Asked(query)])
                comparison = Comparison(its, self.alert_asks, self.combiner.rarity, places)
                features = comparison.matrix(np.arange(len(places)))
                features = self._complete(its, features, places, begin, pictures)
                logits = self.combiner.logits(features).tolist()
                found |= {
                    begin + place: Hit(begin + place, value, line)
                    for place, value, line in zip(places.tolist(), logits, features, strict=True)
                }
            begin += len(block)
        return [found[row] for row in rows]

    def _look(self, found: Postings, begin: int, best: _Best, pictures: OfRow | None) -> None:
        reserve = self.combiner.reserve(pictures is not None)
        rows = reachable(found, self.combiner, self.alert_asks, reserve, best.limit)
        if len(rows):
            self._look_at(found, rows, begin, best, pictures)

    def _look_at(self, found: Postings, rows: Rows, begin: int, best: _Best, pictures: OfRow | None) -> None:
        """Offer those of some rows that can be among the best."""
        left = np.float32(self.combiner.reserve(pictures is not None) + _SLACK)
        comparison = Comparison(found, self.alert_asks, self.combiner.rarity, rows)
        highest = comparison.highest(self.combiner.weights, self.combiner.bias) + left
        places = np.flatnonzero(highest >= best.limit)
        rows = rows[places]
        # Those that the meaning of the texts still leaves open, best first.
        features = comparison.matrix(places)
        highest = self.combiner.logits(features) + left
        order = np.argsort(-highest, kind="stable")
        order = order[highest[order] >= best.limit]
        for start in range(0, len(order), _AT_ONCE):
            some = order[start : start + _AT_ONCE]
            some = some[highest[some] >= best.limit]
            if not len(some):
                return
            lines = self._complete(found, features[some], rows[some], begin, pictures)
            logits = self.combiner.logits(lines).tolist()
            for row, value, line in zip(rows[some].tolist(), logits, lines, strict=True):
                best.offer(Hit(begin + row, value, line))

    def _complete(self, found: Postings, features: Floats, rows: Rows, begin: int, pictures: OfRow | None) -> Floats:
        """Return the features of some rows with the second ones."""
        title = found.query.title[:TITLE_KEPT]
        if self.combiner.weights[COLUMN["name_signs"]]:
            features[:, COLUMN["name_signs"]] = [likeness(title, found.block.title(row)) for row in rows.tolist()]
        if pictures is not None:
            features[:, COLUMN["picture"]] = [pictures(begin + row) for row in rows.tolist()]
        return features


class _Best:
    """The best hits so far; of equal ones those with the lower number."""

    def __init__(self, least: float, most: int) -> None:
        self.least, self.most = least, most
        self._heap: list[tuple[float, int, Hit]] = []

    @property
    def limit(self) -> float:
        """Logit below which no further hit can be among the best."""
        return max(self.least, self._heap[0][0]) if len(self._heap) >= self.most else self.least

    def offer(self, hit: Hit) -> None:
        if hit.logit < self.least:
            return
        entry = (hit.logit, -hit.row, hit)
        if len(self._heap) < self.most:
            heappush(self._heap, entry)
        elif entry[:2] > self._heap[0][:2]:
            heapreplace(self._heap, entry)

    def hits(self) -> list[Hit]:
        return [entry[2] for entry in sorted(self._heap, key=lambda entry: (-entry[0], -entry[1]))]
