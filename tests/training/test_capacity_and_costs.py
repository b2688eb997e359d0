"""What a reviewer finds with little time, and what a threshold costs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.capacity import CAPACITIES, CapacityStatistics, review_capacity
from training.costs import RATIOS, CostCurve, cost_table
from training.metrics import LevelStatistics

SERIOUS, NONE = 4, 0


def levels(truth: list[int], score: list[float], predicted: list[int] | None = None) -> LevelStatistics:
    return LevelStatistics(np.array(truth), np.array(predicted or truth), np.array(score, dtype=np.float64))


class TestCapacity:
    def test_of_a_perfect_order_the_first_are_all_dangerous(self) -> None:
        scores = np.linspace(1, 0, 200)
        found = CapacityStatistics(np.arange(200) < 10, scores, (0.01, 0.05, 0.1))()

        assert [found[f"precision@{c}"] for c in (0.01, 0.05, 0.1)] == [1.0, 1.0, 0.5]
        assert [found[f"recall@{c}"] for c in (0.01, 0.05, 0.1)] == [0.2, 1.0, 1.0]

    def test_of_equal_scores_the_share_that_fits_is_counted(self) -> None:
        found = CapacityStatistics(np.arange(100) < 30, np.ones(100), (0.1,))()

        assert found == {"precision@0.1": pytest.approx(0.3), "recall@0.1": pytest.approx(0.1)}

    def test_a_reviewer_looks_at_one_listing_at_least(self) -> None:
        found = CapacityStatistics(np.array([True, False, True]), np.array([0.9, 0.5, 0.1]), (0.005,))()

        assert (found["precision@0.005"], found["recall@0.005"]) == (1.0, 0.5)

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=40))
    def test_a_weight_is_so_many_copies(self, rows: list[tuple[bool, int]]) -> None:
        truth = np.array([dangerous for dangerous, _ in rows])
        weights = np.array([1 + score % 3 for _, score in rows])
        scores = np.array([float(score) for _, score in rows])

        weighted = CapacityStatistics(truth, scores)(weights.astype(np.float64))
        copied = CapacityStatistics(np.repeat(truth, weights), np.repeat(scores, weights))()

        np.testing.assert_allclose(list(weighted.values()), list(copied.values()), equal_nan=True)

    def test_the_table_has_intervals_around_its_figures(self) -> None:
        rng = np.random.default_rng(0)
        truth = rng.choice([NONE, SERIOUS], 300, p=[0.8, 0.2])
        table = review_capacity(levels(truth.tolist(), (truth + rng.random(300) * 5).tolist()), np.arange(300), 60, 0)

        assert (table["n"], table["dangerous"]) == (300, int((truth == SERIOUS).sum()))
        assert [row["share"] for row in table["rows"]] == list(CAPACITIES)
        assert [row["listings"] for row in table["rows"]] == [2, 3, 6, 15, 30]
        for row in table["rows"]:
            for name in ("precision", "recall"):
                low, high = row[f"{name}_interval"]
                assert 0 <= low <= row[name] <= high <= 1

    def test_without_a_dangerous_listing_there_is_no_row(self) -> None:
        assert review_capacity(levels([NONE, 1], [0.4, 0.3]), np.arange(2), 10, 0)["rows"] == []
        assert review_capacity(levels([], []), np.arange(0), 10, 0) == {"n": 0, "dangerous": 0, "rows": []}


class TestCosts:
    TRUTH: ClassVar = [SERIOUS, NONE, SERIOUS, NONE, NONE]
    SCORE: ClassVar = [0.9, 0.8, 0.4, 0.3, 0.1]

    def test_each_threshold_misses_and_holds_what_lies_on_the_wrong_side(self) -> None:
        curve = CostCurve.of(levels(self.TRUTH, self.SCORE))
        found = {
            round(float(t), 6): (m / 200, h / 200)
            for t, m, h in zip(curve.thresholds, curve.missed, curve.held_wrongly, strict=True)
        }

        assert found[0.0] == (0, 3)
        assert found[0.4] == (0, 1)
        assert found[0.8] == (1, 1)
        assert found[0.9] == (1, 0)
        assert found[1.0] == (2, 0)

    @given(
        st.lists(st.tuples(st.sampled_from([NONE, 2, 3, SERIOUS]), st.floats(0, 1)), min_size=2, max_size=30),
        st.floats(0, 1),
    )
    def test_the_curve_agrees_with_counting(self, rows: list[tuple[int, float]], threshold: float) -> None:
        truth, score = np.array([t for t, _ in rows]), np.array([s for _, s in rows])
        curve = CostCurve.of(levels(truth.tolist(), score.tolist()))
        at = curve.at(threshold)
        held = score >= threshold

        assert curve.missed[at] == pytest.approx(1000 * (~held & (truth >= 3)).sum() / len(rows))
        assert curve.held_wrongly[at] == pytest.approx(1000 * (held & (truth < 3)).sum() / len(rows))

    def test_the_table_weighs_both_errors(self) -> None:
        table = cost_table(levels(self.TRUTH, self.SCORE, [SERIOUS, SERIOUS, NONE, NONE, NONE]))
        row = next(row for row in table["rows"] if row["ratio"] == 5.0)

        assert [row["ratio"] for row in table["rows"]] == list(RATIOS)
        assert (row["hold_nothing"], row["hold_everything"]) == (5 * 400, 600)
        assert (row["best_threshold"], row["best_cost"]) == (0.4, 200)
        assert row["level_cost"] == 5 * 200 + 200
        assert (row["rule_threshold"], row["rule_missed"], row["rule_held_wrongly"]) == (0.166667, 0, 400)

    def test_no_threshold_is_cheaper_than_the_cheapest(self) -> None:
        for row in cost_table(levels(self.TRUTH, self.SCORE))["rows"]:
            assert row["best_cost"] <= min(row["rule_cost"], row["hold_nothing"], row["hold_everything"])

    @pytest.mark.parametrize("truth", [[], [NONE, NONE], [SERIOUS, SERIOUS]])
    def test_with_one_side_only_there_is_nothing_to_weigh(self, truth: list[int]) -> None:
        assert cost_table(levels(truth, [0.5] * len(truth)))["rows"] == []
