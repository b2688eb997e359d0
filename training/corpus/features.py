"""The places of a listing that can hold a cue, with the harmless words that stand there otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from models.classifier.scenarios import CueFact
from training.corpus.cue_drawing import MOST_CUES
from training.corpus.ordering import strolled
from training.corpus.settings import Style
from training.corpus.spans import Span, Spans, unmasked

Place = Literal["title", "body", "caption"]

_PLACES: Mapping[Style, tuple[tuple[float, Place], ...]] = {
    "seller_rich": ((0.35, "title"), (0.9, "body"), (1.0, "caption")),
    "seller_title_only": ((0.9, "title"), (1.0, "caption")),
    "seller_bullets": ((0.3, "title"), (0.92, "body"), (1.0, "caption")),
    "attributes": ((0.4, "title"), (0.92, "body"), (1.0, "caption")),
    "inspector": ((0.1, "title"), (0.92, "body"), (1.0, "caption")),
}
"""Cumulative shares of the places, per style."""

_FILLED: Mapping[Place, float] = {"title": 0.35, "body": 0.6, "caption": 0.3}
_FILLED_BY_INSPECTORS = 0.2
"""How often a place that holds no cue says something harmless."""


class Feature(NamedTuple):
    """One place: where it is, what stands there without a cue ("" for nothing), and the cue's words, if any."""

    place: Place
    filler: str
    words: str = ""
    fact: CueFact | None = None

    def spans(self) -> Spans:
        """Return what the place says."""
        if self.fact is None:
            return [Span(self.filler, self.filler)] if self.filler else []
        return [Span(self.words, self.filler, "cue", self.fact)]

    def told(self, spans: Spans) -> Spans:
        """Return a sentence about the feature; without a harmless filler it vanishes when masked."""
        return spans if self.filler else unmasked(spans)


def drawn_features(
    style: Style, cues: Sequence[tuple[CueFact, str]], fillers: Sequence[str], rng: Random
) -> list[Feature]:
    """Return the places of a listing. Their number, places and fillers do not depend on the cues.

    Parameters
    ----------
    cues : sequence of (cue, words)
        At most `MOST_CUES`.
    fillers : sequence of str
        Harmless features.
    """
    features = []
    for _ in range(MOST_CUES):
        luck = rng.random()
        place = next(place for edge, place in _PLACES[style] if luck <= edge)
        filler = fillers[int(rng.random() * len(fillers))]
        filled = _FILLED_BY_INSPECTORS if style == "inspector" else _FILLED[place]
        features.append(Feature(place, filler if rng.random() < filled else ""))
    for i, (fact, words) in zip(strolled(range(MOST_CUES), rng), cues, strict=False):
        features[i] = features[i]._replace(words=words, fact=fact)
    return features
