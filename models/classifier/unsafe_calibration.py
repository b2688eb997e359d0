"""P(unsafe) under a stated prior: alerts and ordinary listings set the scale of the knowledge base's odds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.classifier.fit_settings import FitSettings
from models.classifier.heads import BetaCalibration
from models.classifier.market_evidence import market_evidence
from models.classifier.reading import ReadListing
from models.classifier.scenarios import ScenarioModel

Array = NDArray[np.float64]

_FEWEST = 50


def fit_unsafe_calibration(
    alerts: Array,
    alerts_read: Sequence[ReadListing],
    ordinary: Array,
    ordinary_read: Sequence[ReadListing],
    scenarios: Callable[[Array], ScenarioModel],
    prior: float,
    fit: FitSettings,
) -> BetaCalibration:
    """Calibrate the log odds of an unsafe offer: alerts against ordinary listings, under the stated prior.

    Alerts weigh the prior in all, ordinary listings the rest, so that the probabilities mean what they say on
    a market with that share of unsafe offers. The market's evidence is computed on the other folds each time. Ordinary
    listings count as safe; a few are not, which makes the probabilities a little low, never high.

    Parameters
    ----------
    alerts, ordinary : array of shape (n, kinds)
        P(kind | text).
    scenarios : callable
        The scenario model under some evidence.
    prior : float
        Stated share of unsafe offers.

    Returns
    -------
    BetaCalibration
        The identity where either side has fewer than 50 texts. Platt's sigmoid, which has one slope for both ends,
        missed by half as much again on alerts and listings that were held out within the training part.
    """
    if min(len(alerts), len(ordinary)) < _FEWEST:
        return BetaCalibration()
    rng = np.random.default_rng(fit.seed)
    fold_a, fold_o = (rng.integers(0, fit.folds, len(part)) for part in (alerts, ordinary))
    scores_a, scores_o = np.zeros((len(alerts), 1)), np.zeros((len(ordinary), 1))
    for fold in range(fit.folds):
        model = scenarios(market_evidence(alerts[fold_a != fold], ordinary[fold_o != fold]))
        for scores, posteriors, read, folds in (
            (scores_a, alerts, alerts_read, fold_a),
            (scores_o, ordinary, ordinary_read, fold_o),
        ):
            held_out = np.flatnonzero(folds == fold).tolist()
            risks = [model.risks(read[i].facts()) for i in held_out]
            scores[held_out] = model.unsafe_log_odds(posteriors[held_out], risks)
    weights = np.concatenate(
        [
            np.full(len(alerts), prior / len(alerts)),
            np.full(len(ordinary), (1 - prior) / len(ordinary)),
        ]
    )
    target = np.concatenate([np.ones(len(alerts)), np.zeros(len(ordinary))])
    return _fit_beta(np.concatenate([scores_a, scores_o])[:, 0], target, weights * len(target))


def _fit_beta(scores: Array, target: Array, weights: Array) -> BetaCalibration:
    """Fit both slopes; one that comes out below 0 is left out, so that a higher score never gives less."""
    log_p, log_not_p = BetaCalibration.logs(scores)
    features = np.column_stack([log_p, -log_not_p])
    model = LogisticRegression(C=1e6, max_iter=1000).fit(features, target, sample_weight=weights)
    if model.coef_.min() < 0:
        features = features * (np.arange(2) == model.coef_[0].argmax())
        model = LogisticRegression(C=1e6, max_iter=1000).fit(features, target, sample_weight=weights)
    rising, falling = np.maximum(model.coef_[0], 0.0)
    return BetaCalibration(float(rising), float(falling), float(model.intercept_[0]))
