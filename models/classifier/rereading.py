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

from models.classifier.leaving_out import leave_out
from models.classifier.placing import Place
from models.domain.listing import Listing

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
    from models.classifier.explanation import ExplainedListing

CUTS = (0.1,)
"""Shares of the words that are gone when the text is read again."""


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
        left = _weights_of_the_rest(model, explained.read.listing, places, order, hazard)
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
    model: HazardClassifier, listing: Listing, places: Sequence[Place], gone: Sequence[int], hazard: int
) -> dict[Place, float]:
    shortened = leave_out(listing, [places[i] for i in gone])
    shares = model.explainer.hazard_shares(model.explained(shortened.listing), [hazard])
    return {
        shortened.original(place): float(weight)
        for place, weight in zip(shares.spans, shares.weights[:, 0], strict=True)
    }


def _touching(places: Sequence[Place], place: Place) -> list[int]:
    name, start, end = place
    return [i for i, (field, s, e) in enumerate(places) if field == name and s < end and e > start]
