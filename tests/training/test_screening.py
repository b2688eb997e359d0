"""The threshold of the screen: what it promises, and what it does where it cannot promise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from models.domain.errors import ArtifactError
from models.screening.score import FEATURES, ScreenScore
from models.screening.screen import SCREEN, Screen
from models.screening.static_encoder import StaticEncoder
from training.screen_card import screen_card, write_screen_card
from training.screen_score import fit_score
from training.screening import CONFIDENCE, MOST_LOST, calibrated, fewest_positives, loss_threshold

_RESAMPLES = 200
STATIC = StaticEncoder.of(np.eye(3, 4, dtype=np.float32))
SCORE = ScreenScore.unfitted()


def drawn(seed: int, n: int = 6_000) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of which those of dangerous listings lie higher, and overlap."""
    rng = np.random.default_rng(seed)
    dangerous = rng.random(n) < 0.2
    return np.where(dangerous, rng.beta(2.0, 2.0, n), rng.beta(1.0, 12.0, n)), dangerous


def test_the_promise_is_kept_in_as_many_calibrations_as_it_says() -> None:
    scores, dangerous = drawn(10_000, 1_000_000)
    found = np.sort(scores[dangerous])
    kept = []
    for seed in range(_RESAMPLES):
        threshold = loss_threshold(*drawn(seed))
        assert threshold is not None
        kept.append(np.searchsorted(found, threshold) / len(found) <= MOST_LOST)
    # 95 % of calibrations at least; of 200 fewer than 184 would be a chance of about one in fifty.
    assert np.mean(kept) >= CONFIDENCE - 0.03


def test_no_threshold_that_lets_more_pass_would_keep_the_promise() -> None:
    scores, dangerous = drawn(1)
    threshold = loss_threshold(scores, dangerous)
    assert threshold is not None
    assert (scores[~dangerous] < threshold).mean() > 0.25
    a_step_higher = 1.02 * threshold
    lost, then_lost = (int((scores[dangerous] < t).sum()) for t in (threshold, a_step_higher))
    assert binom.cdf(lost, dangerous.sum(), MOST_LOST) <= 1 - CONFIDENCE
    assert binom.cdf(then_lost, dangerous.sum(), MOST_LOST) > 1 - CONFIDENCE


def test_too_few_dangerous_listings_give_no_threshold() -> None:
    least = fewest_positives()
    safe = np.zeros(1_000)
    for positives, expected in ((least - 1, False), (least, True)):
        scores = np.concatenate([safe, np.ones(positives)])
        assert (loss_threshold(scores, scores > 0) is not None) == expected


def test_a_table_that_loses_too_many_lowers_the_threshold_for_all() -> None:
    scores, dangerous = drawn(2, 20_000)
    together = loss_threshold(scores, dangerous)
    assert together is not None
    hard = np.zeros(len(scores), dtype=np.int64)
    hard[np.flatnonzero(dangerous & (scores < together))] = 1
    apart = loss_threshold(scores, dangerous, hard)
    assert apart is not None
    assert apart < together
    assert not (dangerous & (scores < apart)).any()


def test_a_screen_says_what_it_lost_where() -> None:
    scores, dangerous = drawn(3)
    of_table = np.arange(len(scores)) % 2
    screen = calibrated(STATIC, SCORE, scores, dangerous, of_table, ["a.csv", "b.csv"])
    below = scores < (screen.guarantee.threshold or 0)
    assert [source.name for source in screen.sources] == ["a.csv", "b.csv"]
    assert sum(source.lost for source in screen.sources) == (below & dangerous).sum() > 0
    assert sum(source.screened for source in screen.sources) == below.sum()
    assert (screen.guarantee.n, screen.guarantee.positives) == (len(scores), dangerous.sum())
    assert screen.why_not == ""


def test_a_screen_without_threshold_says_why() -> None:
    scores, dangerous = drawn(4, 300)
    screen = calibrated(STATIC, SCORE, scores, dangerous, np.zeros(300, dtype=np.int64), ["a.csv"])
    assert screen.guarantee.threshold is None
    assert f"{dangerous.sum()} listings" in screen.why_not
    assert str(fewest_positives()) in screen.why_not
    assert screen.sources[0].screened == 0


def test_a_score_comes_near_the_probabilities_that_it_learns_from() -> None:
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(3_000, len(FEATURES)))
    rows[:, 1] = 7.0  # says nothing
    probability = 1 / (1 + np.exp(3 - 2 * rows[:, 0] + rows[:, 2]))
    score = fit_score(rows, probability, np.ones(len(rows)))
    assert np.abs(score.of(rows) - probability).max() < 0.02
    assert score.weights[1] == pytest.approx(0)
    assert (score.of(rows[:1]) == score.of(rows)[:1]).all()


def test_a_listing_that_weighs_nothing_teaches_nothing() -> None:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(400, len(FEATURES)))
    wrong = np.arange(len(rows)) >= 200
    probability = np.where(wrong, 0.9, 1 / (1 + np.exp(-rows[:, 0])))
    taught = fit_score(rows, probability, np.where(wrong, 0.0, 1.0))
    assert np.corrcoef(taught.of(rows[wrong]), rows[wrong, 0])[0, 1] > 0.9


def test_a_score_travels_with_its_screen_by_the_names_of_its_features(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    score = ScreenScore(*rng.random((3, len(FEATURES))), bias=-1.5)
    scores, dangerous = drawn(9)
    made = calibrated(STATIC, score, scores, dangerous, np.zeros(len(scores), dtype=np.int64), ["a.csv"])
    for name, content in made.files().items():
        (tmp_path / name).write_bytes(content)
    rows = rng.normal(size=(20, len(FEATURES)))
    assert (Screen.load(tmp_path).score.of(rows) == score.of(rows)).all()

    about = (tmp_path / SCREEN).read_text(encoding="utf-8").replace(FEATURES[0], "something else")
    (tmp_path / SCREEN).write_text(about, encoding="utf-8")
    with pytest.raises(ArtifactError, match="made of other features"):
        Screen.load(tmp_path)


def test_what_is_barred_is_never_lost() -> None:
    scores, dangerous = drawn(5)
    barred = np.where(dangerous & (scores < 0.2), np.inf, scores)
    assert (loss_threshold(barred, dangerous) or 0) > (loss_threshold(scores, dangerous) or 0)


def test_vectors_in_eight_bits_stay_what_they_were() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 32)).astype(np.float32)
    found = StaticEncoder.of(vectors).embed([[i, (7 * i) % 50] for i in range(50)])
    expected = np.stack([vectors[i] + vectors[(7 * i) % 50] for i in range(50)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert (found * expected).sum(axis=1).min() == pytest.approx(1, abs=1e-3)
    assert not StaticEncoder.of(vectors).embed([[]]).any()


def test_the_card_of_a_screen_has_its_promise_and_what_each_table_lost(tmp_path: Path) -> None:
    scores, dangerous = drawn(3)
    weighed = replace(SCORE, weights=np.linspace(-1.0, 2.0, len(FEATURES)))
    screen = calibrated(STATIC, weighed, scores, dangerous, np.arange(len(scores)) % 2, ["a.csv", "b.csv"])
    page, text = (path.read_text(encoding="utf-8") for path in write_screen_card(screen, "abc123", tmp_path / "papers"))
    assert "Screen of hazardlens abc123" in page
    for source in screen.sources:
        assert (
            f"| {source.name} | {source.n:,} | {source.screened:,} | {source.positives:,} | {source.lost:,} |" in text
        )
    assert f"< {screen.guarantee.threshold:.3f}" in text.replace("&lt;", "<").replace("\\", "")
    assert text.index(FEATURES[-1]) < text.index(FEATURES[0])  # the strongest stands first
    never = replace(screen, guarantee=replace(screen.guarantee, threshold=None), why_not="too few of them")
    assert "too few of them" in screen_card(never, "abc123").markdown({})
