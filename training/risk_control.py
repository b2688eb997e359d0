"""Thresholds with a finite-sample guarantee, by MAPIE's risk control."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from models.domain.guarantee import Guarantee

RECALL_OF_DANGEROUS = "recall-of-high-or-serious"
_TARGET, _CONFIDENCE = 0.95, 0.9
_THRESHOLDS = np.arange(0, 200) / 200


def recall_guarantee(
    risk_score: NDArray[np.float64],
    dangerous: NDArray[np.bool_],
    *,
    calibrated_on: str = "",
    source: str,
    target: float = _TARGET,
    confidence: float = _CONFIDENCE,
) -> Guarantee:
    """Return the threshold on the risk score that keeps the recall of high or serious, at the best precision.

    Learn then test (Angelopoulos, Bates, Candes, Jordan and Lei 2021): thresholds are tested one after the other from 0
    upwards, where recall only falls, until one cannot be shown to keep the target. The promise is that, in
    `confidence` of all calibration sets, the recall on listings like those of the calibration set is at least `target`.

    Parameters
    ----------
    risk_score : array of shape (n,)
        P(high or serious) of listings that the model has not learnt from.
    dangerous : array of bool, shape (n,)
        Whether the listing is of level high or serious.

    Returns
    -------
    Guarantee
        Its threshold is None where no threshold can be shown to keep the promise, which is so with fewer than some 45
        dangerous listings whatever the model.
    """
    threshold = _controlled_threshold(risk_score, dangerous, target, confidence) if dangerous.any() else None
    return Guarantee(
        id=RECALL_OF_DANGEROUS,
        statement=f"Of the listings whose level is high or serious at least {target:.0%} have a risk score at or above "
        f"the threshold, with {confidence:.0%} confidence.",
        score="risk_score",
        threshold=threshold,
        target=target,
        confidence=confidence,
        n=len(risk_score),
        positives=int(dangerous.sum()),
        calibrated_on=calibrated_on,
        source=source,
    )


def _controlled_threshold(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], target: float, confidence: float
) -> float | None:
    from mapie.risk_control import BinaryClassificationController, precision, recall

    controller = BinaryClassificationController(
        lambda column: np.column_stack([1.0 - np.ravel(column), np.ravel(column)]),
        recall,
        target_level=target,
        confidence_level=confidence,
        best_predict_param_choice=precision,
        list_predict_params=_THRESHOLDS,
        fwer_method="fixed_sequence",
    )
    with warnings.catch_warnings():
        # That no threshold qualifies is an answer here, and precision is undefined above the highest score.
        warnings.filterwarnings("ignore", category=UserWarning, module="mapie")
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        controller.calibrate(np.clip(scores, 0.0, 1.0).reshape(-1, 1), truth.astype(np.int64))
    best = controller.best_predict_param
    return None if best is None else float(best)
