"""Whether style reaches P(unsafe), and how that is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Example
from training.predicted import Predicted
from training.style_control import style_control, unsafe_calibration, within_kind_auroc

SOURCE = np.array(([True] * 10 + [False] * 10) * 2)
KINDS = np.array(["toy"] * 20 + ["lamp"] * 20)


def test_a_score_that_tells_kinds_apart_and_nothing_else_is_a_coin() -> None:
    assert within_kind_auroc((KINDS == "toy").astype(float), SOURCE, KINDS) == 0.5


def test_a_score_that_tells_the_source_is_caught() -> None:
    assert within_kind_auroc(SOURCE.astype(float), SOURCE, KINDS) == 1.0


def test_kinds_with_few_of_one_source_do_not_count() -> None:
    kinds = np.array([f"kind {i}" for i in range(40)])
    assert within_kind_auroc(SOURCE.astype(float), SOURCE, kinds) is None


def test_a_model_of_written_listings_judges_both_styles_alike(small_model: HazardClassifier) -> None:
    alerts = [Example(f"a{i}", f"The laser pointer number {i} emits a beam.") for i in range(20)]
    ordinary = [Example(f"o{i}", f"{i} pcs!! Laser pointer pen, best gift") for i in range(20)]
    texts = [Predicted.of(small_model, part) for part in (alerts, ordinary)]
    found = style_control(small_model, *texts, small_model.knowledge, small_model.taxonomy, pairs=200)
    assert found["pairs"] == 200
    assert found["pairs_same_level"] > 0.8
    assert found["source_auroc_words"] > 0.9, "the words alone give the source away"
    assert 0 <= found["source_auroc_within_kind"] <= 1


def test_without_alerts_only_the_pairs_are_judged(small_model: HazardClassifier) -> None:
    nothing = Predicted.of(small_model, [])
    found = style_control(small_model, nothing, nothing, small_model.knowledge, small_model.taxonomy, pairs=20)
    assert set(found) == {"pairs", "pairs_same_level", "pairs_log_odds_difference"}


@pytest.mark.parametrize("prior", [0.05, 0.3])
def test_a_calibrated_probability_has_no_calibration_error(prior: float) -> None:
    # Two groups: 80 % of alerts and 20 % of ordinary listings lie in the first.
    share = prior * 0.8 / (prior * 0.8 + (1 - prior) * 0.2)
    other = prior * 0.2 / (prior * 0.2 + (1 - prior) * 0.8)
    alerts, ordinary = (np.repeat([share, other], counts) for counts in ((800, 200), (200, 800)))
    found = unsafe_calibration(alerts, ordinary, prior)
    assert found["ece"] == pytest.approx(0.0, abs=1e-9)
    assert found["auroc"] == pytest.approx(0.8)
    assert (found["prior"], found["n_alerts"], found["n_ordinary"]) == (prior, 1000, 1000)


@given(shift=st.floats(0.05, 0.4))
def test_a_shifted_probability_is_off_by_its_shift(shift: float) -> None:
    found = unsafe_calibration(np.full(1000, 0.1 + shift), np.full(1000, 0.1 + shift), 0.1)
    assert found["ece"] == pytest.approx(shift)
