"""Baselines answer as a model does and know what their kind can know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import issparse
from sklearn.linear_model import LogisticRegression

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Example
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy
from training import baselines
from training.baselines import Baseline, train_baselines
from training.evaluation import evaluate
from training.rivals import as_rivals

WORDS = {"fire": "cheap charger with a hot battery", "choking": "toy with small parts", "cuts": "sharp knife"}


def some(n: int, first: int = 0) -> list[Example]:
    names = ("fire", "fire", "choking", "cuts")
    return [
        Example(
            id=f"e{i}",
            title=f"{WORDS[names[i % 4]]} number {i}",
            labels=(names[i % 4],),
            risk_level=RiskLevel.SERIOUS if names[i % 4] == "fire" else RiskLevel.LOW,
        )
        for i in range(first, first + n)
    ]


@pytest.fixture(scope="module")
def trained(taxonomy: Taxonomy, small_model: HazardClassifier) -> dict[str, Baseline]:
    return {b.name: b for b in train_baselines(some(80), taxonomy, small_model.encoder)}


def test_there_are_three(trained: dict[str, Baseline]) -> None:
    assert list(trained) == ["majority", "TF-IDF + LR", "frozen encoder + LR"]


def test_the_majority_says_the_most_frequent_hazard_of_everything(
    trained: dict[str, Baseline], taxonomy: Taxonomy
) -> None:
    model = trained["majority"]
    predictions = model.predict(e.to_listing() for e in some(8))
    flagged = predictions.hazards >= model.thresholds

    assert [taxonomy.names[j] for j in np.flatnonzero(flagged.all(axis=0))] == ["fire"]
    assert flagged.sum() == 8
    assert predictions.hazards[0, taxonomy.names.index("fire")] == 0.5


@pytest.mark.parametrize("name", ["TF-IDF + LR", "frozen encoder + LR"])
def test_one_that_reads_tells_clear_cases_apart(trained: dict[str, Baseline], taxonomy: Taxonomy, name: str) -> None:
    metrics = evaluate(trained[name], some(40, first=200), taxonomy, draw=False, resamples=0).metrics["headline"]

    assert metrics["hazards"]["top1"] == 1.0
    assert metrics["levels"]["accuracy"] == 1.0


def test_hazards_that_nobody_has_get_their_base_rate(trained: dict[str, Baseline], taxonomy: Taxonomy) -> None:
    predictions = trained["TF-IDF + LR"].predict([some(1)[0].to_listing()])

    assert predictions.hazards[0, taxonomy.names.index("drowning")] == 0.0


def test_regressions_that_share_features_change_none(
    taxonomy: Taxonomy, small_model: HazardClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit sorts a sparse matrix in its place, and others read it meanwhile: figures differed from run to run."""
    given: list[bool] = []

    class Watched(LogisticRegression):
        def fit(self, features: Any, target: Any, sample_weight: Any = None) -> LogisticRegression:
            given.append(not issparse(features) or bool(features.has_sorted_indices))
            return super().fit(features, target, sample_weight)

    monkeypatch.setattr(baselines, "LogisticRegression", Watched)
    train_baselines(some(80), taxonomy, small_model.encoder)
    assert len(given) > 6
    assert all(given)


def test_answers_do_not_depend_on_company(trained: dict[str, Baseline]) -> None:
    listings = [e.to_listing() for e in some(6)]
    for model in trained.values():
        together = model.predict(listings).hazards
        alone = np.concatenate([model.predict([listing]).hazards for listing in listings])
        np.testing.assert_allclose(together, alone, atol=1e-6)
        assert model.predict([]).hazards.shape == (0, together.shape[1])


def test_without_levels_in_training_none_are_judged(taxonomy: Taxonomy, small_model: HazardClassifier) -> None:
    bare = [Example(id=e.id, title=e.title, labels=e.labels) for e in some(60)]
    built = train_baselines(bare, taxonomy, small_model.encoder)
    rows = evaluate(
        small_model, some(40, first=300), taxonomy, rivals=as_rivals(built), draw=False, resamples=0, closely=False
    ).metrics["comparisons"]

    assert "auroc" in rows[0]["figures"]
    assert [row["name"] for row in rows if "auroc" not in row["figures"]] == [b.name for b in built]


def test_examples_without_any_hazard_train_nothing(taxonomy: Taxonomy, small_model: HazardClassifier) -> None:
    assert train_baselines([], taxonomy, small_model.encoder) == []
    assert train_baselines([Example(id="1", title="x", labels=())], taxonomy, small_model.encoder) == []


def test_of_very_many_examples_some_are_drawn_the_same_each_time(
    taxonomy: Taxonomy, small_model: HazardClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baselines, "MOST", 40)
    listings = [e.to_listing() for e in some(5)]
    first, again = (
        train_baselines(some(80), taxonomy, small_model.encoder, seed=3)[1].predict(listings).hazards for _ in "ab"
    )
    whole = train_baselines(some(40), taxonomy, small_model.encoder, seed=3)[1].predict(listings).hazards

    np.testing.assert_array_equal(first, again)
    assert np.abs(first - whole).max() > 1e-6
