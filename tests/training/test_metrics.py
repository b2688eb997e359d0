from __future__ import annotations

import math
import warnings
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    cohen_kappa_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from models.domain.alert import Example
from training.intervals import Interval, bootstrap_intervals
from training.metrics import (
    HazardStatistics,
    LevelStatistics,
    average_precision,
    quadratic_kappa,
    rounded,
    row_dict,
)
from training.reliability import (
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    reliability_curve,
)
from training.slices import OTHERS, slice_indices

THRESHOLDS = np.array([0.5, 0.3, 0.7])
TABLES = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        hnp.arrays(bool, (n, 3)),
        hnp.arrays(float, (n, 3), elements=st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])),
        hnp.arrays(int, n, elements=st.integers(0, 3)),
    )
)


def sample(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.4, 0.1, 0.02]
    scores = np.round(np.clip(0.35 * truth + 0.8 * rng.random((n, 3)), 0, 1), 2)  # rounding makes ties
    return truth, scores


class TestHazards:
    def test_by_hand(self) -> None:
        """Two classes, four listings; everything below can be counted on the fingers."""
        truth = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], dtype=bool)
        scores = np.array([[0.9, 0.2], [0.4, 0.6], [0.6, 0.8], [0.1, 0.0]])
        result = HazardStatistics(truth, scores, np.array([0.5, 0.5]), least=1)()
        # Class 0: flags listings 0 and 2, finds 1 of 2: F1 = 2/4. Class 1: flags 1 and 2, finds 1 of 1: F1 = 2/3.
        assert result["macro_f1"] == pytest.approx((1 / 2 + 2 / 3) / 2)
        assert result["micro_f1"] == pytest.approx(2 * 2 / (3 + 4))
        # AP of class 0: order 0, 2, 1: 1/2 x 1 + 1/2 x 2/3; of class 1: the case comes first: 1.
        assert result["map"] == pytest.approx((5 / 6 + 1) / 2)
        # Labelled are listings 0, 1, 2; highest are classes 0, 1, 1: right for 0 and 2.
        assert result["top1"] == pytest.approx(2 / 3)

    def test_table_is_what_scikit_learn_says(self) -> None:
        truth, scores = sample()
        for j, row in enumerate(HazardStatistics(truth, scores, THRESHOLDS).table(("a", "b", "c"))):
            flagged = scores[:, j] >= THRESHOLDS[j]
            assert row.precision == pytest.approx(precision_score(truth[:, j], flagged))
            assert row.recall == pytest.approx(recall_score(truth[:, j], flagged))
            assert row.f1 == pytest.approx(f1_score(truth[:, j], flagged))
            assert row.average_precision == pytest.approx(average_precision_score(truth[:, j], scores[:, j]))
            assert (row.n, row.flagged) == (truth[:, j].sum(), flagged.sum())

    def test_means_are_what_scikit_learn_says(self) -> None:
        truth, scores = sample()
        result = HazardStatistics(truth, scores, THRESHOLDS, least=1)()
        flagged = scores >= THRESHOLDS
        assert result["macro_f1"] == pytest.approx(f1_score(truth, flagged, average="macro"))
        assert result["micro_f1"] == pytest.approx(f1_score(truth, flagged, average="micro"))
        assert result["map"] == pytest.approx(average_precision_score(truth, scores, average="macro"))

    @given(TABLES)
    def test_average_precision_with_ties_and_weights_is_scikit_learns(self, table) -> None:
        truth, scores, weights = table
        if not (truth[:, 0] * weights).any():
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = average_precision_score(truth[:, 0], scores[:, 0], sample_weight=weights)
        assert average_precision(truth[:, 0], scores[:, 0], weights.astype(float)) == pytest.approx(expected)

    @given(TABLES)
    def test_a_weight_is_a_repetition(self, table) -> None:
        """What the bootstrap rests on: a row of weight k counts as k rows."""
        truth, scores, weights = table
        repeated = np.repeat(np.arange(len(truth)), weights)
        statistics = HazardStatistics(truth, scores, THRESHOLDS, least=1)
        counted = statistics.counted
        if not len(repeated) or not truth[repeated].any(axis=0)[counted].all():
            return  # a class without cases in the resample: the repeated rows would leave it out
        weighted = statistics(weights.astype(float))
        expected = HazardStatistics(truth[repeated], scores[repeated], THRESHOLDS, least=1)()
        assert weighted == pytest.approx(expected, nan_ok=True)

    @given(TABLES)
    def test_the_order_of_the_listings_does_not_matter(self, table) -> None:
        truth, scores, _ = table
        one = HazardStatistics(truth, scores, THRESHOLDS, least=1)()
        assert one == pytest.approx(HazardStatistics(truth[::-1], scores[::-1], THRESHOLDS, least=1)(), nan_ok=True)

    def test_one_in_a_hundred_models_that_know_nothing_passes_chance(self) -> None:
        rng = np.random.default_rng(0)
        passed = 0
        for trial in range(200):
            truth = rng.random((60, 3)) < [0.3, 0.2, 0.15]
            statistics = HazardStatistics(truth, rng.random((60, 3)), THRESHOLDS)
            passed += statistics()["map"] > statistics.chance_map(shuffles=100, seed=trial)
        assert passed <= 8  # expected 2 to 4; more than 8 has a probability under 1 %

    def test_a_model_that_knows_something_passes_chance(self) -> None:
        truth, scores = sample()
        statistics = HazardStatistics(truth, scores, THRESHOLDS)
        assert statistics()["map"] > statistics.chance_map()

    def test_rare_classes_enter_no_mean(self) -> None:
        truth = np.zeros((20, 2), dtype=bool)
        truth[:6, 0], truth[:4, 1] = True, True
        scores = np.where(truth, 0.9, 0.1)
        scores[:, 1] = 1 - scores[:, 1]  # class 1 is all wrong
        statistics = HazardStatistics(truth, scores, np.array([0.5, 0.5]))
        assert statistics()["macro_f1"] == 1.0
        assert statistics()["map"] == 1.0
        assert [row.counted for row in statistics.table(("a", "b"))] == [True, False]

    def test_a_threshold_is_met_by_equality(self) -> None:
        statistics = HazardStatistics(np.array([[True]]), np.array([[0.5]]), np.array([0.5]), least=1)
        assert statistics()["macro_f1"] == 1.0

    def test_what_is_undefined_is_nan_and_none_in_json(self) -> None:
        empty = HazardStatistics(np.zeros((0, 3), dtype=bool), np.zeros((0, 3)), THRESHOLDS)
        assert all(math.isnan(value) for value in empty().values())
        assert set(rounded(empty()).values()) == {None}
        row = empty.table(("a", "b", "c"))[0]
        assert row_dict(row)["precision"] is None
        assert row_dict(row)["threshold"] == 0.5

    def test_shapes_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match="do not fit"):
            HazardStatistics(np.zeros((2, 3), dtype=bool), np.zeros((2, 2)), THRESHOLDS)


class TestLevels:
    RNG = np.random.default_rng(5)
    TRUTH = RNG.integers(0, 5, 200)
    PREDICTED = np.clip(TRUTH + RNG.integers(-1, 2, 200), 0, 4)
    SCORE = np.round(PREDICTED / 4 * 0.7 + RNG.random(200) * 0.3, 2)

    def test_what_scikit_learn_says(self) -> None:
        result = LevelStatistics(self.TRUTH, self.PREDICTED, self.SCORE)()
        kappa = cohen_kappa_score(self.TRUTH, self.PREDICTED, weights="quadratic")
        assert result["kappa"] == pytest.approx(kappa)
        assert result["auroc"] == pytest.approx(roc_auc_score(self.TRUTH >= 3, self.SCORE))
        assert result["accuracy"] == pytest.approx((self.TRUTH == self.PREDICTED).mean())

    def test_by_hand(self) -> None:
        result = LevelStatistics(np.array([0, 4, 3, 1]), np.array([0, 4, 1, 3]), np.array([0.1, 0.9, 0.2, 0.5]))()
        assert result["dangerous_recall"] == 0.5
        assert result["flagged_share"] == 0.5
        # Pairs (dangerous, other): 0.9 beats both, 0.2 beats 0.1 and loses to 0.5: 3 of 4.
        assert result["auroc"] == 0.75
        # Squared distances 0, 0, 4, 4; expected by the margins {0, 1, 3, 4} twice: mean of (i - j)^2 = 5.
        assert result["kappa"] == pytest.approx(1 - (8 / 4) / 5)

    def test_weights_are_repetitions(self) -> None:
        weights = np.random.default_rng(1).integers(0, 3, 200)
        index = np.repeat(np.arange(200), weights)
        weighted = LevelStatistics(self.TRUTH, self.PREDICTED, self.SCORE)(weights.astype(float))
        assert weighted == pytest.approx(LevelStatistics(self.TRUTH[index], self.PREDICTED[index], self.SCORE[index])())

    def test_confusion_has_known_levels_in_rows(self) -> None:
        confusion = LevelStatistics(np.array([4, 4]), np.array([0, 4]), np.zeros(2)).confusion()
        assert confusion[4].tolist() == [1, 0, 0, 0, 1]
        assert confusion.sum() == 2

    def test_undefined_without_both_kinds(self) -> None:
        none = LevelStatistics(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0))()
        assert all(math.isnan(value) for value in none.values())
        safe = LevelStatistics(np.zeros(3, dtype=int), np.zeros(3, dtype=int), np.zeros(3))()
        assert math.isnan(safe["auroc"])
        assert math.isnan(safe["kappa"])
        assert safe["accuracy"] == 1.0

    def test_kappa_is_zero_for_a_rater_who_does_not_look(self) -> None:
        assert quadratic_kappa(np.outer([3.0, 4.0, 1.0], [2.0, 2.0, 2.0])) == pytest.approx(0.0)


PROBABILITIES = st.integers(1, 200).flatmap(
    lambda n: st.tuples(
        hnp.arrays(bool, n), hnp.arrays(float, n, elements=st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    )
)


class TestReliability:
    def test_by_hand(self) -> None:
        """Four predictions of 0.2, one of them true, and four of 0.75, all true: (0.05 + 0.25) / 2."""
        p = np.array([0.2] * 4 + [0.75] * 4)
        y = np.array([1, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
        curve = reliability_curve(y, p)
        assert [(b.n, round(b.predicted, 9), b.observed) for b in curve] == [(4, 0.2, 0.25), (4, 0.75, 1.0)]
        assert expected_calibration_error(y, p) == pytest.approx(0.15)

    @given(PROBABILITIES)
    def test_bins_hold_every_prediction_once_and_rise(self, data) -> None:
        y, p = data
        curve = reliability_curve(y, p)
        assert sum(b.n for b in curve) == len(p)
        assert sum(b.n * b.observed for b in curve) == pytest.approx(y.sum())
        means = [b.predicted for b in curve]
        assert means == sorted(means)

    def test_a_weight_of_two_is_the_same_prediction_twice(self) -> None:
        rng = np.random.default_rng(1)
        p = rng.random(400)
        y, w = rng.random(400) < p**2, rng.integers(1, 4, 400)
        once = expected_calibration_error(y, p, weights=w.astype(float))
        assert once == pytest.approx(expected_calibration_error(np.repeat(y, w), np.repeat(p, w)))
        assert once != pytest.approx(expected_calibration_error(y, p))

    @given(PROBABILITIES)
    def test_the_order_of_equal_predictions_does_not_matter(self, data) -> None:
        y, p = data
        assert expected_calibration_error(y[::-1], p[::-1]) == pytest.approx(expected_calibration_error(y, p))

    @given(PROBABILITIES)
    def test_the_error_is_at_least_that_of_the_mean(self, data) -> None:
        y, p = data
        assert expected_calibration_error(y, p) >= abs(y.mean() - p.mean()) - 1e-9

    def test_calibrated_predictions_have_an_error_near_zero_and_distorted_ones_the_distortion(self) -> None:
        rng = np.random.default_rng(0)
        p = rng.beta(0.4, 4, 100_000)
        y = rng.random(100_000) < p
        assert expected_calibration_error(y, p) < 0.005
        assert expected_calibration_error(y, np.clip(p + 0.1, 0, 1)) == pytest.approx(0.1, abs=0.01)

    def test_few_data_alone_give_an_error(self) -> None:
        """Why the report says so: perfectly calibrated predictions, 50 at a time."""
        rng = np.random.default_rng(0)
        errors = []
        for _ in range(200):
            p = rng.random(50)
            errors.append(expected_calibration_error(rng.random(50) < p, p))
        assert np.mean(errors) > 0.05

    def test_pooling_hides_what_classes_show(self) -> None:
        rng = np.random.default_rng(0)
        p = np.full((20_000, 2), 0.5)
        y = rng.random((20_000, 2)) < [0.4, 0.6]
        assert expected_calibration_error(y, p) < 0.01
        assert classwise_calibration_error(y, p) == pytest.approx(0.1, abs=0.01)

    @given(PROBABILITIES)
    def test_brier_is_scikit_learns(self, data) -> None:
        y, p = data
        assert brier_score(y, p) == pytest.approx(brier_score_loss(y, p, pos_label=True))

    def test_nothing_gives_nan(self) -> None:
        assert reliability_curve(np.zeros(0, dtype=bool), np.zeros(0)) == []
        assert math.isnan(expected_calibration_error(np.zeros(0, dtype=bool), np.zeros(0)))
        assert math.isnan(classwise_calibration_error(np.zeros((0, 3), dtype=bool), np.zeros((0, 3))))
        assert math.isnan(brier_score(np.zeros(0, dtype=bool), np.zeros(0)))

    @pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan")])
    def test_what_is_no_probability_is_refused(self, bad: float) -> None:
        with pytest.raises(ValueError, match="not within 0 and 1"):
            reliability_curve(np.array([True]), np.array([bad]))


class TestIntervals:
    @staticmethod
    def mean_of(values: np.ndarray):
        return lambda weights: {"mean": float(weights @ values / weights.sum())}

    def test_95_percent_intervals_hold_the_truth_95_percent_of_the_time(self) -> None:
        """Sixty products of five rows that share most of their luck: resampling products covers, rows do not."""
        rng = np.random.default_rng(0)
        groups = np.repeat(np.arange(60), 5)
        covered = {"products": 0, "rows": 0}
        for trial in range(200):
            values = np.repeat(rng.normal(size=60), 5) + 0.3 * rng.normal(size=300)
            for name, units in (("products", groups), ("rows", np.arange(300))):
                interval = bootstrap_intervals(self.mean_of(values), units, resamples=200, seed=trial)["mean"]
                covered[name] += interval.low <= 0.0 <= interval.high
        assert 0.90 <= covered["products"] / 200 <= 0.985
        assert covered["rows"] / 200 < 0.75

    def test_equal_seeds_give_equal_intervals(self) -> None:
        values = np.random.default_rng(0).normal(size=50)
        groups = np.arange(50)
        draw = [bootstrap_intervals(self.mean_of(values), groups, resamples=50, seed=s)["mean"] for s in (1, 1, 2)]
        assert draw[0] == draw[1] != draw[2]

    @settings(max_examples=20)
    @given(st.integers(2, 40), st.integers(0, 5))
    def test_intervals_are_ordered_and_within_the_data(self, n: int, seed: int) -> None:
        values = np.random.default_rng(seed).random(n)
        interval = bootstrap_intervals(self.mean_of(values), np.arange(n), resamples=30, seed=seed)["mean"]
        assert values.min() - 1e-9 <= interval.low <= interval.high <= values.max() + 1e-9

    def test_resamples_where_a_metric_is_undefined_are_left_out(self) -> None:
        def sometimes(weights: np.ndarray) -> dict[str, float]:
            return {"first": 1.0 if weights[0] else float("nan"), "never": float("nan")}

        intervals = bootstrap_intervals(sometimes, np.arange(5), resamples=50)
        assert intervals["first"] == Interval(1.0, 1.0)
        assert math.isnan(intervals["never"].low)

    @pytest.mark.parametrize(("n", "resamples"), [(0, 10), (1, 10), (5, 0)])
    def test_no_interval_where_there_is_nothing_to_resample(self, n: int, resamples: int) -> None:
        assert bootstrap_intervals(self.mean_of(np.ones(n)), np.arange(n), resamples=resamples) == {}


class TestSlices:
    EXAMPLES: ClassVar = [
        Example(
            id=str(i),
            title="x" * (5 + i * 20),
            date=f"20{10 + i % 3}",
            lang="en" if i % 4 else "",
            category="Toys" if i % 2 else "Lighting",
            captions=("c",) if i % 5 == 0 else (" ",),
            caption_sources=(("ocr",) if i % 10 == 0 else ("given",)) if i % 5 == 0 else (),
        )
        for i in range(60)
    ]

    def test_every_example_stands_in_one_value_of_each_dimension(self) -> None:
        for values in slice_indices(self.EXAMPLES, ["fr"] * 60, least=10).values():
            assert sorted(np.concatenate(list(values.values())).tolist()) == list(range(60))

    def test_values_are_read_from_the_examples(self) -> None:
        slices = slice_indices(self.EXAMPLES, ["fr"] * 60, least=3)
        assert {name: len(index) for name, index in slices["language"].items()} == {"en": 45, "fr": 15}
        assert {name: len(index) for name, index in slices["captions"].items()} == {
            "with captions": 12,
            "without captions": 48,
        }
        assert {name: len(index) for name, index in slices["caption source"].items()} == {
            "no captions": 48,
            "read off the pictures": 6,
            "given by the seller": 6,
        }
        assert set(slices["year"]) == {"2010", "2011", "2012"}
        assert slices["length"]["under 60 characters"].tolist() == [0, 1, 2]

    def test_small_values_are_put_together(self) -> None:
        slices = slice_indices(self.EXAMPLES, ["fr"] * 60, least=20)
        assert set(slices["language"]) == {"en", OTHERS}

    def test_a_dimension_with_one_value_says_nothing(self) -> None:
        assert "source" not in slice_indices(self.EXAMPLES)

    def test_consumer_groups_are_named_in_words_where_they_are_known(self) -> None:
        groups = ["very_vulnerable"] * 30 + ["other"] * 20 + [""] * 10
        found = slice_indices(self.EXAMPLES, consumers=groups, least=5)["consumers"]
        assert {name: len(index) for name, index in found.items()} == {
            "other consumers": 20,
            "unknown": 10,
            "very vulnerable (under 3 years, severe disability)": 30,
        }
        assert "consumers" not in slice_indices(self.EXAMPLES)
