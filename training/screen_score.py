"""Fits a screen's score on what the whole model says of listings that teach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.screening.score import ScreenScore

Array = NDArray[np.float64]

_ITERATIONS = 1_000
_STRENGTH = 1.0


def fit_score(rows: Array, probability: Array, weight: Array) -> ScreenScore:
    """Return the logistic regression that comes nearest the whole model's probabilities, by cross-entropy.

    Parameters
    ----------
    rows : array of shape (n, features)
        From `models.screening.score.features`.
    probability : array of shape (n,)
        P(high or serious) of the whole model.
    weight : array of shape (n,)
    """
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale < 1e-9] = 1.0
    scaled = (rows - mean) / scale
    # Each listing stands there as dangerous and as harmless, by how likely it is which.
    twice, says = np.vstack([scaled, scaled]), np.repeat([1, 0], len(rows))
    weights = np.concatenate([weight * probability, weight * (1 - probability)])
    fitted = LogisticRegression(C=_STRENGTH, max_iter=_ITERATIONS).fit(twice, says, sample_weight=weights)
    return ScreenScore(mean, scale, fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))
