"""What people have said of matches, and listings that are so like a judged one that the same holds for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.matching.shelf import Block, Comparison
from models.matching.signature import Signature

Content = Literal["identical", "nearly identical", "other"]
LEAST_TEXT, LEAST_MEANING = 0.6, 0.7
"""From which share of words and which likeness of meaning (as the features have them) on two listings are nearly
identical.
Another model number or GTIN makes them different, however alike they read."""


@dataclass(frozen=True)
class Judged:
    """A listing that a person has judged a match of.

    Parameters
    ----------
    packed : bytes
        Its signature.
    """

    alert_id: str
    content_hash: str
    packed: bytes


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


class _Likeness:
    def __init__(self, judged: Sequence[Judged]) -> None:
        self.judged = tuple(judged)
        self._block = Block.of([each.packed for each in self.judged]) if self.judged else None

    def like(self, content_hash: str, signature: Signature) -> dict[str, Content]:
        found: dict[str, Content] = {}
        if self._block is None:
            return found
        meaning = self._block.meanings([signature])[0]
        columns = Comparison(self._block, signature, meaning, alert_asks=True).columns
        differ = columns["model_of_family"] + columns["model_other"] + columns["gtin_other"] > 0
        alike = (columns["text_words"] >= LEAST_TEXT) & (columns["meaning"] >= LEAST_MEANING) & ~differ
        for row in np.flatnonzero(alike | (columns["gtin"] > 0)).tolist():
            found.setdefault(self.judged[row].alert_id, "nearly identical")
        for each in self.judged:
            if each.content_hash == content_hash:
                found[each.alert_id] = "identical"
        return found
