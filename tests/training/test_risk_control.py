"""Thresholds with a guarantee: what is promised holds, and nothing is promised that cannot be."""

from __future__ import annotations

import numpy as np

from models.domain.guarantee import Guarantee
from training.risk_control import RECALL_OF_DANGEROUS, recall_guarantee

RESAMPLES = 200


def market(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Risk scores of listings, of which every fourth is dangerous and scores higher on the whole."""
    dangerous = rng.random(n) < 0.25
    return np.clip(rng.normal(np.where(dangerous, 0.65, 0.3), 0.2), 0, 1), dangerous


def guarantee(scores: np.ndarray, dangerous: np.ndarray) -> Guarantee:
    return recall_guarantee(scores, dangerous, calibrated_on="2026-01-31", source="a test")


def test_the_promise_holds_in_nine_of_ten_calibrations() -> None:
    rng = np.random.default_rng(0)
    scores, dangerous = market(rng, 200_000)
    kept = 0
    for _ in range(RESAMPLES):
        chosen = guarantee(*market(rng, 500))
        assert chosen.threshold is not None
        kept += bool(np.mean(scores[dangerous] >= chosen.threshold) >= 0.95)
    # Binomial: with a true rate of 0.9 fewer than 171 of 200 happen in one of 50 runs.
    assert kept >= 171


def test_it_is_not_kept_by_flagging_everything() -> None:
    rng = np.random.default_rng(1)
    scores, dangerous = market(rng, 2_000)
    chosen = guarantee(scores, dangerous)
    assert chosen.threshold is not None
    assert 0.2 < chosen.threshold < 0.5
    assert np.mean(scores >= chosen.threshold) < 0.7


def test_too_few_dangerous_listings_allow_no_promise() -> None:
    scores, dangerous = np.linspace(0, 1, 100), np.arange(100) >= 60
    assert guarantee(scores, dangerous).threshold is None
    assert guarantee(scores, np.zeros(100, dtype=bool)).threshold is None


def test_it_says_what_it_rests_on() -> None:
    scores, dangerous = market(np.random.default_rng(2), 400)
    found = guarantee(scores, dangerous)
    assert (found.id, found.score, found.n) == (RECALL_OF_DANGEROUS, "risk_score", 400)
    assert found.positives == dangerous.sum()
    assert (found.calibrated_on, found.source) == ("2026-01-31", "a test")
    assert "at least 95%" in found.statement
    assert Guarantee.from_dict(found.as_dict()) == found


def test_of_a_perfect_score_the_threshold_lies_in_the_gap() -> None:
    dangerous = np.arange(400) >= 200
    found = guarantee(np.where(dangerous, 0.9, 0.1), dangerous)
    assert found.threshold is not None
    assert 0.1 < found.threshold <= 0.9
