"""What captions are worth: the same listings with their captions taken out, judged by the same model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.listing import Listing
from training.comparison import Rivalry, compare
from training.scored import Scored

Array = NDArray[np.float64]
Index = NDArray[np.int64]

ALL = "all with captions"
REMOVED = "captions removed"
_LEAST = 30
"""Fewest listings with captions of a source that gets rows of its own."""


class _Predicts(Protocol):
    def predict(self, listings: list[Listing], /) -> Predictions: ...


def with_captions(examples: Sequence[Example], rows: Index) -> Index:
    """Return those of the rows whose example has a caption."""
    has = np.array([any(map(str.strip, example.captions)) for example in examples], dtype=bool)
    chosen: Index = rows[has[rows]]
    return chosen


def caption_effect(
    model: _Predicts, scored: Scored, rows: Index, thresholds: Array, *, resamples: int = 500, seed: int = 0
) -> list[dict[str, Any]]:
    """Compare listings as they are with the same listings without their captions.

    Two questions: what captions add to a whole listing, and what they add where the seller wrote no description, as on
    marketplaces that show a title and pictures.

    Returns
    -------
    list of dict
        For all listings with captions, and for each source of which there are at least 30: ``part``, ``n``,
        ``whole`` and ``title_only``, each two rows of `compare`. A difference above 0 is what captions add. Empty
        without captions.
    """
    chosen = with_captions(scored.examples, rows)
    if not len(chosen):
        return []
    kept = scored.part(chosen)

    def told(name: str, about: str, **without: Any) -> Rivalry:
        if not without:
            return Rivalry(name, about, kept, thresholds)
        changed = [replace(example, **without) for example in kept.examples]
        predictions = model.predict([example.to_listing() for example in changed])
        return Rivalry(name, about, replace(kept, predictions=predictions), thresholds)

    whole = told("as uploaded", "the listings with their captions")
    removed = told(REMOVED, "the same listings without them", captions=())
    bare = told("title and captions", "the listings without their description", description="")
    barest = told("title alone", "neither description nor captions", description="", captions=())
    return [
        {
            "part": part,
            "n": len(index),
            "whole": compare(whole, [removed], index, resamples=resamples, seed=seed),
            "title_only": compare(bare, [barest], index, resamples=resamples, seed=seed),
        }
        for part, index in _parts(kept.examples).items()
    ]


def _parts(examples: Sequence[Example]) -> dict[str, Index]:
    sources = np.array([example.source for example in examples], dtype=object).astype(str)
    parts = {ALL: np.arange(len(examples))}
    for source in np.unique(sources):
        index = np.flatnonzero(sources == source)
        if source and _LEAST <= len(index) < len(examples):
            parts[f"source {source}"] = index
    return parts
