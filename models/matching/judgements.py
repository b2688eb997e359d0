"""What people have said of matches, and listings that are so like a judged one that the same holds for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.matching.asking import Asked, postings
from models.matching.comparison import Comparison
from models.matching.rarity import Rarity
from models.matching.shelf import Block
from models.matching.signature import Signature

Content = Literal["identical", "nearly identical", "other"]
_ALL_RARE = Rarity({})
"""Brands play no part in it."""
LEAST_TEXT, LEAST_MEANING = 0.6, 0.7
"""From which share of words and which likeness of meaning (as the features have them) on two listings are nearly
identical. Another model number or GTIN makes them different, however alike they read."""


@dataclass(frozen=True)
class Judged:
    """A listing that a person has judged a match of, as it was then."""

    alert_id: str
    content_hash: str
    signature: Signature


class Judgements:
    """Judged pairs, as they are looked up; never changed.

    Parameters
    ----------
    confirmed, refused : sequence of Judged
    """

    def __init__(self, confirmed: Sequence[Judged] = (), refused: Sequence[Judged] = ()) -> None:
        self._confirmed, self._refused = _Likeness(confirmed), _Likeness(refused)

    def __len__(self) -> int:
        return len(self._confirmed.judged) + len(self._refused.judged)

    def confirmed(self, content_hash: str, signature: Signature) -> dict[str, Content]:
        """Return the alerts whose product a listing offers, as it is like a confirmed one."""
        return self._confirmed.like(content_hash, signature)

    def refused(self, content_hash: str, signature: Signature) -> dict[str, Content]:
        """Return the alerts whose product a listing does not offer, as it is like a refused one."""
        return self._refused.like(content_hash, signature)

    def of_alert(self, alert_id: str) -> tuple[list[Judged], list[Judged]]:
        """Return what was confirmed and what was refused for an alert."""
        return (
            [each for each in self._confirmed.judged if each.alert_id == alert_id],
            [each for each in self._refused.judged if each.alert_id == alert_id],
        )


def alike(block: Block, signature: Signature) -> NDArray[np.int64]:
    """Return the rows of a block that are nearly identical to a listing; it is the same the other way round."""
    (found,) = postings(block, [Asked(signature)])
    every = np.arange(len(block), dtype=np.uint32)
    comparison = Comparison(found, alert_asks=True, rarity=_ALL_RARE, rows=every)
    columns = comparison.columns
    differ = columns["model_of_family"] + columns["model_other"] + columns["gtin_other"] > 0
    near = (columns["text_words"] >= LEAST_TEXT) & ~differ
    rows = np.flatnonzero(near)
    near[rows] = comparison.meaning(rows) >= LEAST_MEANING
    return np.flatnonzero(near | (columns["gtin"] > 0))


class _Likeness:
    def __init__(self, judged: Sequence[Judged]) -> None:
        self.judged = tuple(judged)
        self._block = Block.of([each.signature.to_bytes() for each in self.judged]) if self.judged else None

    def like(self, content_hash: str, signature: Signature) -> dict[str, Content]:
        found: dict[str, Content] = {}
        if self._block is None:
            return found
        for row in alike(self._block, signature).tolist():
            found.setdefault(self.judged[row].alert_id, "nearly identical")
        for each in self.judged:
            if each.content_hash == content_hash:
                found[each.alert_id] = "identical"
        return found


NOTHING_JUDGED = Judgements()
