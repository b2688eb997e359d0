"""What a signature is looked up by: its keys, found in a block all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np

from models.matching.shelf import Block, Rows
from models.matching.signature import Group, Signature, key_of


class Asked:
    """A signature as a query.

    Parameters
    ----------
    query : Signature
    """

    def __init__(self, query: Signature) -> None:
        self.query = query
        texts = query.texts
        looked_up: tuple[tuple[Group, Sequence[str]], ...] = (
            (Group.GTIN, query.gtins),
            (Group.NUMBER, query.numbers),
            (Group.SHORTENED_MODEL, texts[Group.MODEL]),
            (Group.MODEL, texts[Group.SHORTENED_MODEL]),
            (Group.MIXED_MODEL, texts[Group.MIXED_MODEL]),
            (Group.FAMILY, texts[Group.FAMILY]),
            (Group.BATCH, query.batches),
            (Group.SAID, query.brands),
            (Group.BRAND, query.said),
            (Group.BRAND, query.brands),
            (Group.NEAR_BRAND, texts[Group.NEAR_BRAND]),
            (Group.SAID, texts[Group.NEAR_BRAND]),
            (Group.NEAR_BRAND, texts[Group.SAID]),
            *((group, tuple(words)) for words in (query.words, query.body) for group in (Group.WORD, Group.BODY)),
            (Group.KIND, query.kinds),
            (Group.KINDS, query.kinds[:1]),
            (Group.NAMED_KIND, (*query.named, *query.kinds[:1])),
            (Group.KIND, query.named),
            *((group, texts[group]) for group in (Group.CATEGORY, Group.HAZARD, Group.COUNTRY)),
        )
        self.pairs = tuple(dict.fromkeys((group, text) for group, some in looked_up for text in some))
        self.keys = np.array([key_of(group, text) for group, text in self.pairs], dtype=np.uint64)


class Postings:
    """The rows of a block that have what a query asks for.

    Parameters
    ----------
    spans : sequence of (begin, end)
        Of each pair of the query in the block's `rows`.
    """

    def __init__(self, block: Block, asked: Asked, spans: Sequence[tuple[int, int]]) -> None:
        self.block, self.query = block, asked.query
        self._spans = {pair: span for pair, span in zip(asked.pairs, spans, strict=True) if span[0] < span[1]}

    def having(self, group: Group, texts: Sequence[str]) -> Iterator[tuple[str, Rows]]:
        """Yield the rows that have each of some texts of a group, in order."""
        for text in texts:
            span = self._spans.get((group, text))
            if span is not None:
                yield text, self.block.rows[span[0] : span[1]]


def postings(block: Block, queries: Sequence[Asked]) -> Iterator[Postings]:
    """Yield what each query finds in a block; the keys of all are looked up together."""
    found = block.spans(np.concatenate([asked.keys for asked in queries]))
    begins, ends = (part.tolist() for part in found)
    limits = pairwise(accumulate((len(asked.keys) for asked in queries), initial=0))
    for asked, (first, last) in zip(queries, limits, strict=True):
        yield Postings(block, asked, list(zip(begins[first:last], ends[first:last], strict=True)))
