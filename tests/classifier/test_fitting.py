"""Fitting: heads, calibration that has not seen its own samples, thresholds, rare classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.metrics import roc_auc_score

from models.classifier.calibrating import fit_calibration
from models.classifier.fit_settings import FitSettings
from models.classifier.head_fitting import cross_fitted_logits, fit_heads
from models.classifier.heads import Blocks

SETTINGS = FitSettings()


def blocks_of(features: np.ndarray, heads: int) -> Blocks:
    """The same features in every block."""
    dense = features.astype(np.float32)
    return Blocks(dense, csr_matrix(dense), np.repeat(features[:, :1], heads, axis=1).astype(np.float64))


@pytest.fixture(scope="module")
def learnable() -> tuple[Blocks, np.ndarray]:
    """300 listings with four risk types: two that the features tell, one with a single case, one with none."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((300, 6))
    labels = np.column_stack([features[:, 0] > 0, features[:, 1] > 0.5, np.arange(300) == 7, np.zeros(300, dtype=bool)])
    return blocks_of(features, 4), labels


def test_heads_learn_what_the_features_tell(learnable: tuple[Blocks, np.ndarray]) -> None:
    blocks, labels = learnable
    logits = fit_heads(blocks, labels, np.ones(300), SETTINGS).logits(blocks)
    assert roc_auc_score(labels[:, 0], logits[:, 0]) > 0.99
    assert roc_auc_score(labels[:, 1], logits[:, 1]) > 0.9


@pytest.mark.parametrize(("head", "rate"), [(2, 1 / 300), (3, 1e-4)])
def test_a_risk_type_with_fewer_than_two_cases_gets_its_base_rate_alone(
    learnable: tuple[Blocks, np.ndarray], head: int, rate: float
) -> None:
    blocks, labels = learnable
    heads = fit_heads(blocks, labels, np.ones(300), SETTINGS)
    assert not heads.dense[head].any()
    assert not heads.sparse[head].any()
    assert heads.knowledge[head] == 0.0
    assert heads.bias[head] == pytest.approx(np.log(rate / (1 - rate)), abs=1e-3)


def test_a_sample_of_probable_labels_counts_as_a_case_and_as_another_by_their_shares(
    learnable: tuple[Blocks, np.ndarray],
) -> None:
    blocks, labels = learnable
    shares = np.where(labels, 0.75, 0.25)
    twice = np.tile(np.arange(300), 2)
    known = np.concatenate([labels, ~labels])
    probable = fit_heads(blocks, shares, np.ones(300), SETTINGS).logits(blocks)
    drawn = fit_heads(blocks.rows(twice), known, np.repeat([0.75, 0.25], 300), SETTINGS).logits(blocks)
    assert probable[:, :2] == pytest.approx(drawn[:, :2], abs=1e-3)
    certain = fit_heads(blocks, labels, np.ones(300), SETTINGS).logits(blocks)
    assert np.abs(probable[:, 0]).max() < np.abs(certain[:, 0]).max()


def test_fitting_twice_gives_the_same_bits(learnable: tuple[Blocks, np.ndarray]) -> None:
    blocks, labels = learnable
    one, other = (fit_heads(blocks, labels, np.ones(300), SETTINGS) for _ in range(2))
    for name in ("dense", "sparse", "knowledge", "bias"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_a_sample_of_weight_zero_teaches_nothing(learnable: tuple[Blocks, np.ndarray]) -> None:
    blocks, labels = learnable
    weights = np.where(np.arange(300) < 200, 1.0, 0.0)
    spoilt = labels.copy()
    spoilt[200:] = ~spoilt[200:]
    one, other = (fit_heads(blocks, given, weights, SETTINGS).logits(blocks) for given in (labels, spoilt))
    assert one[:, :2] == pytest.approx(other[:, :2], abs=0.05)


def test_progress_of_every_head_is_told(learnable: tuple[Blocks, np.ndarray]) -> None:
    blocks, labels = learnable
    told: list[tuple[str, int, int]] = []
    fit_heads(blocks, labels, np.ones(300), SETTINGS, lambda *step: told.append(step))
    assert len(told) == 4
    assert {(stage, total) for stage, _, total in told} == {("fitting heads", 4)}


RATIOS_ALONE = replace(SETTINGS, mixture={"dense": 0.0, "sparse": 0.0, "ratios": 1.0, "knowledge": 0.0})


def counted(seed: int = 7) -> tuple[Blocks, np.ndarray]:
    """120 listings of 30 features, none below 0 as TF-IDF never is; the first tells the one risk type."""
    rng = np.random.default_rng(seed)
    features = np.abs(rng.standard_normal((120, 30)))
    return blocks_of(features, 1), features[:, :1] > 0.8


def test_ratios_learn_what_the_features_tell_and_stay_linear() -> None:
    blocks, labels = counted()
    heads = fit_heads(blocks, labels, np.ones(120), RATIOS_ALONE)
    logits = heads.logits(blocks)
    assert roc_auc_score(labels[:, 0], logits[:, 0]) > 0.95
    assert logits == pytest.approx(blocks.sparse @ heads.sparse.T + heads.bias, abs=1e-4)


def test_ratios_learn_from_real_samples_alone() -> None:
    blocks, labels = counted()
    real = np.arange(120) < 80
    spoilt = labels.copy()
    spoilt[80:] = ~spoilt[80:]
    one, other = (fit_heads(blocks, given, np.ones(120), RATIOS_ALONE, real=real) for given in (labels, spoilt))
    assert one.sparse.tobytes() == other.sparse.tobytes()
    assert one.bias == other.bias


def test_without_two_real_cases_the_plain_regression_takes_the_place_of_the_ratios() -> None:
    blocks, labels = counted()
    real = ~labels[:, 0]
    plain = replace(SETTINGS, mixture={"dense": 0.0, "sparse": 1.0, "ratios": 0.0, "knowledge": 0.0})
    one = fit_heads(blocks, labels, np.ones(120), RATIOS_ALONE, real=real)
    other = fit_heads(blocks, labels, np.ones(120), plain)
    assert one.sparse == pytest.approx(other.sparse)
    assert one.bias == pytest.approx(other.bias)


def testcross_fitted_logits_know_nothing_of_a_samples_own_label() -> None:
    rng = np.random.default_rng(1)
    blocks = blocks_of(rng.standard_normal((200, 300)), 1)
    noise = rng.random((200, 1)) < 0.5
    inside = fit_heads(blocks, noise, np.ones(200), SETTINGS).logits(blocks)
    outside = cross_fitted_logits(blocks, noise, np.ones(200), np.arange(200), SETTINGS, None)
    assert roc_auc_score(noise[:, 0], inside[:, 0]) > 0.95
    assert roc_auc_score(noise[:, 0], outside[:, 0]) < 0.6


def testcross_fitted_logits_know_nothing_of_the_labels_of_a_samples_group() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(100), 2)
    blocks = blocks_of(np.repeat(rng.standard_normal((100, 300)), 2, axis=0), 1)
    noise = np.repeat(rng.random((100, 1)) < 0.5, 2, axis=0)
    apart = cross_fitted_logits(blocks, noise, np.ones(200), groups, SETTINGS, None)
    leaking = cross_fitted_logits(blocks, noise, np.ones(200), np.arange(200), SETTINGS, None)
    assert roc_auc_score(noise[:, 0], leaking[:, 0]) > 0.8
    assert roc_auc_score(noise[:, 0], apart[:, 0]) < 0.6


def test_samples_of_one_group_alone_are_scored_by_heads_that_saw_them() -> None:
    rng = np.random.default_rng(3)
    blocks, labels = blocks_of(rng.standard_normal((40, 3)), 1), rng.random((40, 1)) < 0.5
    alone = cross_fitted_logits(blocks, labels, np.ones(40), np.zeros(40, dtype=np.int64), SETTINGS, None)
    assert alone == pytest.approx(fit_heads(blocks, labels, np.ones(40), SETTINGS).logits(blocks))


def test_calibration_brings_overconfident_logits_to_their_frequencies() -> None:
    rng = np.random.default_rng(4)
    truth = rng.standard_normal(4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-truth)))[:, None]
    calibration = fit_calibration(8 * truth[:, None] + 3, labels, np.ones(4000))
    probabilities = calibration.probabilities(8 * truth[:, None] + 3)[:, 0]
    for low in (0.1, 0.3, 0.5, 0.7):
        inside = (probabilities >= low) & (probabilities < low + 0.2)
        assert labels[inside].mean() == pytest.approx(probabilities[inside].mean(), abs=0.06)


def test_a_calibrated_slope_is_never_negative() -> None:
    logits = np.linspace(-3, 3, 100)[:, None]
    assert fit_calibration(logits, logits < 0, np.ones(100)).slope[0] > 0


def test_few_cases_leave_the_logit_as_it_is() -> None:
    logits = np.linspace(-3, 3, 100)[:, None]
    calibration = fit_calibration(logits, np.arange(100)[:, None] >= 96, np.ones(100))
    assert (calibration.slope[0], calibration.offset[0]) == (1.0, 0.0)


class TestMixture:
    """How much each part counts."""

    def test_without_real_examples_it_is_the_same_for_all(self) -> None:
        assert SETTINGS.mixture_of(0) == SETTINGS.mixture_of(1000) == SETTINGS.mixture

    @given(st.integers(0, 100_000))
    def test_knowledge_counts_less_the_more_cases_there_are_and_the_parts_add_up(self, cases: int) -> None:
        fit = SETTINGS.for_examples()
        mixture, more = fit.mixture_of(cases), fit.mixture_of(cases + 10)
        assert sum(mixture.values()) == pytest.approx(1.0)
        assert 0.2 <= more["knowledge"] < mixture["knowledge"] <= 0.4

    def test_a_rare_risk_type_leans_on_its_knowledge(self, learnable: tuple[Blocks, np.ndarray]) -> None:
        blocks, labels = learnable
        leaning = replace(SETTINGS, knowledge_of_rare=0.5)
        rare, usual = (fit_heads(blocks, labels, np.ones(300), fit) for fit in (leaning, SETTINGS))
        cases = labels[:, 1].sum()
        assert rare.knowledge[1] / usual.knowledge[1] == pytest.approx(1 + 50 / (50 + cases))
        assert np.abs(rare.dense[1]).sum() < np.abs(usual.dense[1]).sum()
