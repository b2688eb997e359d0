"""Fits the weights of features: a logistic regression in which each has the sign that sense demands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from models.matching.combiner import Combiner
from models.matching.features import FEATURES
from models.matching.rarity import Rarity
from training.matching.pairs import Pairs

Array = NDArray[np.float64]

BY_HAND = {
    "gtin": 9.0, "gtin_other": -1.5, "model_of_family": -2.5, "model_other": -0.7, "batch": 2.0,
    "hazards": 0.2, "country": 0.2, "picture": 7.0, "fits_other": -6.0, "fits_sister": -3.0,
}  # fmt: skip
"""Weights of the features that hardly a rewritten alert has. A shared GTIN alone nearly decides; different ones speak
against a match only a little, as one product has a code for every size. Another number of the same range undoes most of
what the brand says: it is what tells a recalled model from its sisters. A picture that looks the same brings a pair
before people's eyes by itself, and decides with the same kind of product: sellers copy pictures, also those of others.
A listing that another alert fits better is most likely that one's: a part of the difference is taken off, and more, up
to a limit, where the other may be about the same product or its sister, as such are told apart by little; less than
was best on alerts for development, as two alerts may be about one product. The rest weighs as much as a middling word.
"""
_BEGIN = {
    "model": 5.0, "model_near": 3.0,
    "brand": 3.0, "brand_said": 3.0, "brand_near": 2.0, "brand_absent": -0.3, "brand_other": -1.5,
    "name_words": 3.0, "title_words": 3.0, "text_words": 4.0, "name_signs": 1.0, "meaning": 5.0,
    "kind": 1.0, "kind_other": -1.0, "category": 0.5,
}  # fmt: skip
_BEGIN_BIAS = -11.0


@dataclass(frozen=True)
class Fitted:
    """Weights, and how well they hold on groups that were not learnt from."""

    combiner: Combiner
    log_loss: float
    expected_error: float
    """Mean gap between probability and share of true pairs, over ten bands of probability (ECE)."""


def first_guess(rarity: Rarity) -> Combiner:
    """Return weights by hand, by which the first pairs are mined."""
    weights = [BY_HAND.get(feature.name, _BEGIN.get(feature.name, 0.0)) for feature in FEATURES]
    return Combiner(np.array(weights, dtype=np.float32), _BEGIN_BIAS, rarity)


def fit(pairs: Pairs, held_out: NDArray[np.bool_], rarity: Rarity, ridge: float = 1.0) -> Fitted:
    """Fit the weights on some pairs, and scale them on the held-out ones so that probabilities hold there.

    Parameters
    ----------
    held_out : array of bool
        Which pairs belong to product groups that are not learnt from.
    ridge : float
        Half the penalty on squared weights, over all pairs together.
    """
    free = np.array([feature.learnt for feature in FEATURES])
    fixed = np.array([BY_HAND.get(feature.name, 0.0) for feature in FEATURES])
    features, same = pairs.features.astype(np.float64), pairs.same.astype(np.float64)
    base = features @ fixed
    learnt = ~held_out
    weights, bias = _regressed(features[learnt][:, free], same[learnt], base[learnt], free, ridge)
    whole = fixed.copy()
    whole[free] = weights
    slope, offset = _scaled(features[held_out] @ whole + bias, same[held_out])
    # Weights set by hand keep their meaning beside the others, so they are scaled with them.
    made = Combiner((whole * slope).astype(np.float32), float(bias * slope + offset), rarity)
    probabilities = expit(made.logits(pairs.features[held_out]).astype(np.float64))
    return Fitted(made, _log_loss(probabilities, same[held_out]), expected_error(probabilities, same[held_out]))


def expected_error(probabilities: Array, same: Array, bands: int = 10) -> float:
    """Return the expected calibration error: mean gap of probability and share of true pairs, bands weighted by
    size."""
    band = np.minimum((probabilities * bands).astype(int), bands - 1)
    gaps = [
        abs(float(probabilities[band == i].sum() - same[band == i].sum())) for i in range(bands) if np.any(band == i)
    ]
    return sum(gaps) / len(same)


def _regressed(features: Array, same: Array, base: Array, free: NDArray[np.bool_], ridge: float) -> tuple[Array, float]:
    sides = [feature.side for feature, is_free in zip(FEATURES, free, strict=True) if is_free]
    bounds = [(0.0, None) if side == "for" else (None, 0.0) for side in sides]

    def loss(parameters: Array) -> tuple[float, Array]:
        logits = features @ parameters[:-1] + parameters[-1] + base
        error = expit(logits) - same
        value = float(np.sum(np.logaddexp(0, logits) - same * logits) + ridge * np.sum(parameters[:-1] ** 2))
        gradient = np.append(features.T @ error + 2 * ridge * parameters[:-1], error.sum())
        return value, gradient

    start = np.append(np.zeros(features.shape[1]), -3.0)
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)], options={"maxiter": 2_000}
    )
    return found.x[:-1], float(found.x[-1])


def _scaled(logits: Array, same: Array) -> tuple[float, float]:
    """Return slope and offset of Platt's scaling; the slope is above 0."""

    def loss(parameters: Array) -> float:
        scaled = np.exp(parameters[0]) * logits + parameters[1]
        return float(np.sum(np.logaddexp(0, scaled) - same * scaled))

    found = minimize(loss, np.zeros(2), method="L-BFGS-B")
    return float(np.exp(found.x[0])), float(found.x[1])


def _log_loss(probabilities: Array, same: Array) -> float:
    clipped = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return float(-np.mean(same * np.log(clipped) + (1 - same) * np.log1p(-clipped)))
