"""What a signature is looked for by at a first look: keys, and what each adds at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.matching.signature import Group, Signature, key_of


class Part(IntEnum):
    """What a shared key is a part of."""

    IN_TITLE = 0
    IN_BODY = 1
    GTIN = 2
    BATCH = 3
    MODEL = 4
    BRAND = 5
    KIND = 6
    CATEGORY = 7


def strong_parts(query: Signature) -> dict[Part, tuple[tuple[Group, Sequence[str]], ...]]:
    """Return what counts in full wherever a key of it agrees: all but words."""
    texts = query.texts
    return {
        Part.GTIN: ((Group.GTIN, query.gtins),),
        Part.BATCH: ((Group.BATCH, query.batches),),
        Part.MODEL: (
            (Group.NUMBER, query.numbers),
            (Group.SHORTENED_MODEL, texts[Group.MODEL]),
            (Group.MODEL, texts[Group.SHORTENED_MODEL]),
            (Group.MIXED_MODEL, texts[Group.MIXED_MODEL]),
        ),
        Part.BRAND: (
            (Group.BRAND, query.brands),
            (Group.SAID, query.brands),
            (Group.BRAND, query.said),
            (Group.NEAR_BRAND, texts[Group.NEAR_BRAND]),
            (Group.SAID, texts[Group.NEAR_BRAND]),
            (Group.NEAR_BRAND, texts[Group.SAID]),
        ),
        Part.KIND: (
            (Group.KIND, (*query.kinds, *query.named)),
            (Group.KINDS, query.kinds[:1]),
            (Group.NAMED_KIND, (*query.named, *query.kinds[:1])),
        ),
        Part.CATEGORY: ((Group.CATEGORY, texts[Group.CATEGORY]),),
    }


def strong_weights(weight: Mapping[str, float]) -> dict[Part, float]:
    """Return the most that each strong part adds, from the weights of features by name."""
    with_brand = ("brand_long", "brand_and_kind", "brand_and_words", "brand_and_meaning", "brand_alone")
    return {
        Part.GTIN: weight["gtin"],
        Part.BATCH: weight["batch"],
        Part.MODEL: max(weight["model"], weight["model_near"]),
        Part.BRAND: max(weight["brand"], weight["brand_said"], weight["brand_near"])
        + sum(weight[name] for name in with_brand),
        Part.KIND: weight["kind"] + weight["kind_named"],
        Part.CATEGORY: weight["category"],
    }


@dataclass(frozen=True)
class Sought:
    """The keys of one signature, each with its part, and the weight of its word or 1."""

    keys: NDArray[np.uint64]
    parts: NDArray[np.uint8]
    weights: NDArray[np.uint8]

    @classmethod
    def of(cls, query: Signature) -> Self:
        """Return what is looked for."""
        words = {**query.words, **query.body}
        rows = [(key_of(Group.WORD, word), Part.IN_TITLE, weight) for word, weight in words.items()]
        rows += [(key_of(Group.BODY, word), Part.IN_BODY, weight) for word, weight in words.items()]
        for part, some in strong_parts(query).items():
            rows += [(key, part, 1) for key in dict.fromkeys(key_of(group, t) for group, texts in some for t in texts)]
        keys, parts, weights = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(np.array(keys, dtype=np.uint64), np.array(parts, np.uint8), np.array(weights, np.uint8))
