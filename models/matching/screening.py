"""The first look at a block: which rows can reach a limit at all, by few and simple sums."""

from __future__ import annotations

import numpy as np

from models.matching.asking import Postings
from models.matching.combiner import Combiner, Floats
from models.matching.features import COLUMN
from models.matching.shelf import Rows
from models.matching.signature import Group
from models.matching.sought import strong_parts, strong_weights

_NEVER_LOOKED_UP = ("meaning", "hazards", "country")
"""Taken for 1 in every row."""
SLACK = 1e-3
"""Sums in other order, and roots in 32 bits, differ by far less."""


def reachable(found: Postings, combiner: Combiner, alert_asks: bool, reserve: float, least: float) -> Rows:
    """Return the rows whose logit may reach a limit, in order: none that reaches it is left out.

    What speaks against a match is left out, what speaks for it counts in full wherever a key of it agrees; only the
    shares of common words are computed. Every weight of a feature that speaks for a match is at least 0, so that this
    bounds the logit from above.

    Parameters
    ----------
    reserve : float
        The most that second features add.
    """
    block, weight = found.block, {name: float(combiner.weights[column]) for name, column in COLUMN.items()}
    query = found.query
    of_theirs, of_mine = ("title_words", "name_words") if alert_asks else ("name_words", "title_words")
    # Sums of whole numbers below 2^24, which 32-bit floats hold exactly.
    highest: Floats = np.zeros(len(block), dtype=np.float32)
    in_titles: Floats = np.zeros(len(block), dtype=np.float32)
    for words in (query.words, query.body):
        for word, rows in found.having(Group.WORD, tuple(words)):
            in_titles[rows] += np.float32(words[word])
        for word, rows in found.having(Group.BODY, tuple(words)):
            highest[rows] += np.float32(words[word])
    highest += in_titles
    mine = highest * np.float32(weight[of_mine] / query.words_weight) if weight[of_mine] and query.words else None
    highest *= block.text_scale
    highest *= np.float32(weight["text_words"] * (query.text_weight**-0.5 if query.text_weight else 0))
    in_titles *= block.title_scale
    in_titles *= np.float32(weight[of_theirs])
    highest += in_titles
    if mine is not None:
        highest += mine
    more = strong_weights(weight)
    for part, some in strong_parts(query).items():
        if more[part]:
            for group, texts in some:
                for _, rows in found.having(group, texts):
                    highest[rows] += np.float32(more[part])
    everywhere = combiner.bias + reserve + sum(weight[name] for name in _NEVER_LOOKED_UP) + SLACK
    return np.flatnonzero(highest >= np.float32(least - everywhere)).astype(np.uint32)
