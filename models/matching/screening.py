"""The first look at a block: which rows can reach a limit at all, by few and simple sums."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.matching.asking import Postings
from models.matching.combiner import Combiner, Floats
from models.matching.features import COLUMN
from models.matching.shelf import Rows
from models.matching.signature import Group

_NEVER_LOOKED_UP = ("meaning", "hazards", "country")
"""Taken for 1 in every row."""
_SLACK = 1e-3
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
    for rows, more in _strong(found, weight):
        highest[rows] += np.float32(more)
    everywhere = combiner.bias + reserve + sum(weight[name] for name in _NEVER_LOOKED_UP) + _SLACK
    return np.flatnonzero(highest >= np.float32(least - everywhere)).astype(np.uint32)


def _strong(found: Postings, weight: dict[str, float]) -> Iterator[tuple[Rows, float]]:
    query, texts = found.query, found.query.texts
    of_brand = max(weight["brand"], weight["brand_said"], weight["brand_near"]) + sum(
        weight[name] for name in ("brand_long", "brand_and_kind", "brand_and_words", "brand_and_meaning", "brand_alone")
    )
    of_model = max(weight["model"], weight["model_near"])
    for more, asked in (
        (weight["gtin"], ((Group.GTIN, query.gtins),)),
        (weight["batch"], ((Group.BATCH, query.batches),)),
        (
            of_model,
            (
                (Group.NUMBER, query.numbers),
                (Group.SHORTENED_MODEL, texts[Group.MODEL]),
                (Group.MODEL, texts[Group.SHORTENED_MODEL]),
                (Group.MIXED_MODEL, texts[Group.MIXED_MODEL]),
            ),
        ),
        (
            of_brand,
            (
                (Group.BRAND, query.brands),
                (Group.SAID, query.brands),
                (Group.BRAND, query.said),
                (Group.NEAR_BRAND, texts[Group.NEAR_BRAND]),
                (Group.SAID, texts[Group.NEAR_BRAND]),
                (Group.NEAR_BRAND, texts[Group.SAID]),
            ),
        ),
        (
            weight["kind"] + weight["kind_named"],
            (
                (Group.KIND, (*query.kinds, *query.named)),
                (Group.KINDS, query.kinds[:1]),
                (Group.NAMED_KIND, (*query.named, *query.kinds[:1])),
            ),
        ),
        (weight["category"], ((Group.CATEGORY, texts[Group.CATEGORY]),)),
    ):
        if more:
            for group, some in asked:
                for _, rows in found.having(group, some):
                    yield rows, more
