"""What the market says of a product kind: how often authorities name it, against how often it is offered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STRENGTH = 0.5
"""Weight of the market's log ratio beside the knowledge base's own odds. Half, since alerts and listings at hand are
seldom of the same years and shops; chosen on hand-labelled listings, as a constant of the scenario."""
_PSEUDO_COUNT = 5.0


def market_evidence(alerts: Array, ordinary: Array) -> Array:
    """Return what alerts and ordinary listings add to each kind's log odds of an unsafe offer.

    evidence_k = 1/2 log[(a_k + 5) / sum(a + 5)] - 1/2 log[(o_k + 5) / sum(o + 5)]

    With alerts drawn from unsafe products and ordinary listings from all, the log ratio of their shares is the log of
    P(unsafe | kind) / P(unsafe): positive-unlabelled learning with the kind as the only feature (Elkan and Noto 2008,
    "Learning classifiers from only positive and unlabeled data"). It sees product mix and nothing else, so that the
    style in which inspectors write cannot enter. Five imagined cases of each kind keep rare kinds near 0.

    Parameters
    ----------
    alerts, ordinary : array of shape (n, kinds)
        P(kind | text) of the alerts and of the ordinary listings.

    Returns
    -------
    array of shape (kinds,)
        Zeros where either side is empty.
    """
    if not len(alerts) or not len(ordinary):
        return np.zeros(alerts.shape[1])
    result: Array = _STRENGTH * (_log_share(alerts) - _log_share(ordinary))
    return result


def _log_share(posteriors: Array) -> Array:
    counts = posteriors.sum(axis=0) + _PSEUDO_COUNT
    share: Array = np.log(counts) - np.log(counts.sum())
    return share
