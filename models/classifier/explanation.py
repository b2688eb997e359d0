"""Exact attribution: every logit as a sum over the listing's own words.

With mean pooling, e = (1/n) sum h_t, and the encoder's share of a logit is w . e / |e| = sum_t w . h_t / (n |e|): each
token's contribution comes from the forward pass that scored the listing. Sparse features add the weight of each n-gram,
shared equally by its words; the knowledge block adds its share, given to the names and cues it read. What falls on
special tokens and glue between fields stands in `rest`, so that bias + parts = logit holds exactly.

The sum is exact for this text; it is no claim about the text without a word: a transformer reads words in context.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from models.classifier.composing import ComposedText
from models.classifier.encoder import Encoding
from models.classifier.heads import LinearHeads
from models.classifier.sparse import SparseFeatures, words_of
from models.domain.assessment import Attribution, Highlight
from models.domain.listing import Listing

_Place = tuple[str, int, int]


@dataclass(frozen=True)
class ExplainedListing:
    """What one forward pass leaves behind for the explanation."""

    listing: Listing
    text: ComposedText
    encoding: Encoding
    knowledge: Sequence[float]


def attribute(
    explained: ExplainedListing,
    heads: LinearHeads,
    sparse: SparseFeatures,
    names: Sequence[str],
    which: Sequence[int],
    limit: int = 12,
) -> list[Attribution]:
    """Return the attribution of some heads.

    Parameters
    ----------
    names : sequence of str
        Risk type of each head.
    which : sequence of int
        Heads to explain.
    limit : int
        Highlights per head, largest contribution first; the others are summed into `rest`.
    """
    words = words_of(explained.text.text)
    places = [explained.text.origin(word.start, word.end) for word in words]
    token_word = _words_of_tokens(explained.encoding, [(w.start, w.end) for w in words])
    _, uses = sparse.uses(explained.text.text)
    scale = len(explained.encoding.tokens) * explained.encoding.norm
    anchors = _knowledge_places(explained.text)
    result = []
    for h in which:
        by_place: dict[_Place | None, float] = defaultdict(float)
        dense = explained.encoding.tokens.astype("float64") @ heads.dense[h].astype("float64") / scale
        for contribution, word in zip(dense, token_word, strict=True):
            by_place[places[word] if word is not None else None] += float(contribution)
        sparse_sum = 0.0
        for use in uses:
            contribution = use.value * float(heads.sparse[h, use.column])
            sparse_sum += contribution
            for word in use.words:
                by_place[places[word]] += contribution / len(use.words)
        knowledge = float(explained.knowledge[h]) * float(heads.knowledge[h])
        for anchor in anchors or [None]:
            by_place[anchor] += knowledge / max(1, len(anchors))
        bias = float(heads.bias[h])
        parts = {"dense": float(dense.sum()), "sparse": sparse_sum, "knowledge": knowledge}
        highlights = _largest(explained.listing, by_place, limit)
        result.append(
            Attribution(
                risk_type=names[h],
                logit=bias + sum(parts.values()),
                bias=bias,
                parts=parts,
                highlights=highlights,
                rest=sum(parts.values()) - sum(highlight.weight for highlight in highlights),
            )
        )
    return result


def _words_of_tokens(encoding: Encoding, spans: list[tuple[int, int]]) -> list[int | None]:
    """Return the word that each token lies in (or next follows, for punctuation), None for special tokens."""
    result: list[int | None] = []
    word = 0
    for start, end in encoding.offsets:
        if end <= start or not spans:
            result.append(None)
            continue
        while word + 1 < len(spans) and spans[word][1] <= start:
            word += 1
        result.append(word)
    return result


def _knowledge_places(text: ComposedText) -> list[_Place | None]:
    places: dict[_Place | None, None] = {}
    for field, findings in text.findings.items():
        spans = [(name.start, name.end) for name in findings.names] + [(cue.start, cue.end) for cue in findings.cues]
        places.update(dict.fromkeys((field, start, end) for start, end in spans))
    return list(places)


def _largest(listing: Listing, by_place: dict[_Place | None, float], limit: int) -> list[Highlight]:
    fields = dict(listing.texts())
    ranked = sorted(
        ((place, weight) for place, weight in by_place.items() if place is not None),
        key=lambda item: (-abs(item[1]), item[0]),
    )
    return [
        Highlight(field=field, start=start, end=end, text=fields[field][start:end], weight=weight)
        for (field, start, end), weight in ranked[:limit]
    ]
