"""Which words carry a hazard, in the order in which the model loses it.

Exact shares tell what each word gives in the whole text. Where several words say the same, taking the first away lets
the next ones speak louder. So the strongest words are cut, the rest is read and split anew, a few times: each pass is
one more forward pass, and exact for the text that is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.classifier.placing import Place

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
    from models.classifier.explanation import ExplainedListing

CUTS = (0.05, 0.15)
"""Shares of the words that are gone when the text is read again. Chosen on alerts' texts that no published figure uses:
one cut at a tenth loses the hazard by 0.006 less, four cuts by 0.002 more."""


def reread_ranking(
    model: HazardClassifier,
    explained: ExplainedListing,
    hazard: int,
    cuts: Sequence[float] = CUTS,
) -> list[Place]:
    """Return the places of a listing, those that carry a hazard most first.

    Parameters
    ----------
    hazard : int
        Column of the risk type.
    cuts : sequence of float
        Rising shares of the places; without any, the order is that of the exact shares.
    """
    shares = model.explainer.hazard_shares(explained, [hazard])
    places, weights = list(shares.spans), shares.weights[:, 0].copy()
    position = {place: i for i, place in enumerate(places)}
    order: list[int] = []
    for cut in cuts:
        goal = max(1, round(cut * len(places)))
        order += _strongest(weights, order)[: max(0, goal - len(order))]
        left = _weights_of_the_rest(model, explained, [places[i] for i in order], hazard)
        weights = np.full(len(places), -np.inf)
        for place, weight in left.items():
            touched = [position[place]] if place in position else _touching(places, place)
            for i in touched:
                weights[i] = (0.0 if np.isinf(weights[i]) else weights[i]) + weight / len(touched)
    order += _strongest(weights, order)
    return [places[i] for i in order]


def _strongest(weights: NDArray[np.float64], gone: Sequence[int]) -> list[int]:
    taken = set(gone)
    return [i for i in np.argsort(-weights, kind="stable").tolist() if i not in taken]


def _weights_of_the_rest(
    model: HazardClassifier, explained: ExplainedListing, gone: Sequence[Place], hazard: int
) -> dict[Place, float]:
    rest = model.reread(explained, gone)
    shares = model.explainer.hazard_shares(rest, [hazard])
    return dict(zip(shares.spans, shares.weights[:, 0].tolist(), strict=True))


def _touching(places: Sequence[Place], place: Place) -> list[int]:
    name, start, end = place
    return [i for i, (field, s, e) in enumerate(places) if field == name and s < end and e > start]
