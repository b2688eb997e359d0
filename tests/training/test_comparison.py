"""Models side by side on the same examples; captions taken out; the champion of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.classifier.classifier import HazardClassifier
from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.listing import Listing
from models.domain.taxonomy import Taxonomy, parse_taxonomy
from training.captions import ALL, REMOVED, caption_effect, with_captions
from training.comparison import Rivalry, compare, figures_of
from training.evaluation import Evaluation, evaluate
from training.promotion import champion_metrics
from training.registry import promote
from training.rivals import Rival, apart_from, as_rivals, champion_rival, training_rivals
from training.scored import Scored

Build = Callable[..., Any]


def rivalry(model: Any, examples: list[Example], taxonomy: Taxonomy, name: str = "x", **more: Any) -> Rivalry:
    scored = Scored.of(examples, model.predict(e.to_listing() for e in examples), taxonomy)
    return Rivalry(name, "", scored, model.thresholds, **more)


class TestCompare:
    def test_a_model_does_not_differ_from_itself(
        self, table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
    ) -> None:
        same = rivalry(table_model(0.5), known_examples, taxonomy)
        _, row = compare(same, [same], np.arange(len(known_examples)), resamples=20)

        assert {tuple(found.values()) for found in row["differences"].values()} == {(0.0, 0.0, 0.0)}

    def test_a_difference_is_that_of_the_figures_and_lies_in_its_interval(
        self, table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
    ) -> None:
        own = rivalry(table_model(0.9), known_examples, taxonomy, "own")
        other = rivalry(table_model(0.3), known_examples, taxonomy, "other")
        mine, row = compare(own, [other], np.arange(len(known_examples)), resamples=100)

        assert set(row["differences"]) == {"macro_f1", "map", "micro_f1", "top1", "auroc", "kappa"}
        for name, found in row["differences"].items():
            assert found["value"] == pytest.approx(mine["figures"][name] - row["figures"][name], abs=2e-6)
            assert 0 < found["low"] <= found["value"] <= found["high"]

    def test_figures_are_those_of_the_headline(
        self, table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
    ) -> None:
        rivals = [Rival("weak", "", table_model(0.1))]
        metrics = evaluate(table_model(0.6), known_examples, taxonomy, rivals=rivals, draw=False, resamples=5).metrics
        alone = evaluate(table_model(0.1), known_examples, taxonomy, draw=False, resamples=0).metrics

        for name, of in (("this model", metrics), ("weak", alone)):
            figures = figures_of(metrics["comparisons"], name)
            assert figures is not None
            assert figures["map"] == of["headline"]["hazards"]["map"]
            assert figures["kappa"] == of["headline"]["levels"]["kappa"]

    def test_paired_resampling_is_surer_than_two_separate_ones(
        self, table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
    ) -> None:
        """Nearly equal models differ surely by little, though each alone is unsure by much."""
        model = table_model(0.6)
        near = replace(model, hazards={key: value + 1e-3 for key, value in model.hazards.items()})
        rivals = [Rival("near", "", near)]
        metrics = evaluate(model, known_examples, taxonomy, rivals=rivals, draw=False, resamples=100).metrics
        found = metrics["comparisons"][1]["differences"]["map"]
        low, high = metrics["headline"]["hazards"]["intervals"]["map"]

        assert found["high"] - found["low"] < (high - low) / 10

    def test_who_knows_no_levels_has_no_figure_for_them(
        self, table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
    ) -> None:
        own = rivalry(table_model(0.9), known_examples, taxonomy)
        other = rivalry(table_model(0.3), known_examples, taxonomy, levels=False)
        _, row = compare(own, [other], np.arange(len(known_examples)), resamples=5)

        assert "auroc" not in row["figures"]
        assert "auroc" not in row["differences"]

    def test_a_rival_that_is_missing_says_why(
        self, table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
    ) -> None:
        rivals = [Rival("champion", "version 3", missing="it is broken")]
        metrics = evaluate(table_model(0.6), known_examples, taxonomy, rivals=rivals, draw=False, resamples=5).metrics

        assert metrics["comparisons"][1]["not_compared"] == "it is broken"
        assert champion_metrics(metrics) is None


@dataclass
class Reader:
    """Knows a hazard only where the captions tell it: what captions are worth to it is known."""

    taxonomy: Taxonomy
    thresholds: NDArray[np.float64]
    version: str = "reader"

    def predict(self, listings: Iterable[Listing], progress: object = None) -> Predictions:
        rows = list(listings)
        hazards = np.full((len(rows), len(self.taxonomy.names)), 0.1)
        for i, listing in enumerate(rows):
            for caption in listing.captions:
                if caption.text in self.taxonomy.names:
                    hazards[i, self.taxonomy.names.index(caption.text)] = 0.9
        levels = np.tile([1.0, 0, 0, 0, 0], (len(rows), 1))
        known = np.ones(len(rows))
        return Predictions(hazards, hazards, levels, 1 - levels[:, 0], known, ["en"] * len(rows), [""] * len(rows))


class TestCaptions:
    @pytest.fixture
    def told(self, taxonomy: Taxonomy) -> tuple[Reader, list[Example]]:
        names = ("fire", "choking", "cuts")
        examples = [
            Example(
                id=f"e{i}",
                title="a thing",
                description="it is",
                captions=() if i % 4 == 0 else (names[i % 3],),
                labels=(names[i % 3],),
                source=("a", "b")[i % 8 > 5],
            )
            for i in range(160)
        ]
        return Reader(taxonomy, np.full(len(taxonomy.names), 0.5)), examples

    def test_without_their_captions_the_same_listings_are_judged_worse(
        self, told: tuple[Reader, list[Example]], taxonomy: Taxonomy
    ) -> None:
        model, examples = told
        parts = evaluate(model, examples, taxonomy, draw=False, resamples=30).metrics["captions"]

        assert [part["part"] for part in parts] == [ALL, "source a", "source b"]
        assert [part["n"] for part in parts] == [120, 80, 40]
        for part in parts:
            assert (part["whole"][1]["name"], part["title_only"][1]["name"]) == (REMOVED, "title alone")
            for rows in (part["whole"], part["title_only"]):
                assert rows[0]["figures"]["top1"] == 1.0
                assert rows[1]["figures"]["top1"] < 0.7
                assert rows[1]["differences"]["top1"]["low"] > 0

    def test_listings_without_captions_do_not_count(
        self, told: tuple[Reader, list[Example]], taxonomy: Taxonomy
    ) -> None:
        model, examples = told
        bare = [replace(example, captions=("  ",)) for example in examples]
        scored = Scored.of(bare, model.predict(e.to_listing() for e in bare), taxonomy)

        assert with_captions(bare, np.arange(160)).tolist() == []
        assert caption_effect(model, scored, np.arange(160), model.thresholds, resamples=5) == []

    def test_they_are_left_alone_when_told_to(self, told: tuple[Reader, list[Example]], taxonomy: Taxonomy) -> None:
        model, examples = told
        metrics = evaluate(model, examples, taxonomy, closely=False, draw=False, resamples=5).metrics

        assert metrics["captions"] == []
        assert metrics["label_noise"] == {"n": 0, "flagged": 0, "per_class": {}}


class TestChampion:
    def test_there_is_none_without_a_registry(self, taxonomy: Taxonomy, tmp_path: Path) -> None:
        assert champion_rival(taxonomy, [], tracking_uri=f"sqlite:///{tmp_path / 'none.db'}") is None
        assert not (tmp_path / "none.db").exists()

    def test_it_is_the_version_that_holds_the_alias(self, taxonomy: Taxonomy, copied_store: str) -> None:
        promote(2, tracking_uri=copied_store)
        found = champion_rival(taxonomy, [], tracking_uri=copied_store)

        assert found is not None
        assert isinstance(found.model, HazardClassifier)
        assert found.about.startswith("version 2 of the registry")

    def test_nobody_is_compared_with_himself(
        self, taxonomy: Taxonomy, logged_store: Any, small_model: HazardClassifier
    ) -> None:
        assert champion_rival(taxonomy, [], small_model.version, logged_store.uri) is None

    def test_one_of_another_label_set_is_named_and_not_compared(self, logged_store: Any) -> None:
        other = parse_taxonomy({"name": "mine", "version": "2", "risk_types": ["sharp", "hot"]})
        found = champion_rival(other, [], tracking_uri=logged_store.uri)

        assert found is not None
        assert found.model is None
        assert "another label set" in found.missing

    def test_its_figures_on_these_examples_decide_about_the_alias(
        self, table_model: Build, known_examples: list[Example], taxonomy: Taxonomy
    ) -> None:
        rivals = [Rival("champion", "version 1", table_model(0.3))]
        metrics = evaluate(table_model(0.6), known_examples, taxonomy, rivals=rivals, draw=False, resamples=0).metrics
        alone = evaluate(table_model(0.3), known_examples, taxonomy, draw=False, resamples=0).metrics
        found = champion_metrics(metrics)

        assert found is not None
        assert found["evaluation_sha256"] == metrics["evaluation_sha256"]
        assert found["headline"]["hazards"]["map"] == alone["headline"]["hazards"]["map"]
        assert found["headline"]["levels"]["auroc"] == alone["headline"]["levels"]["auroc"]


class TestRivals:
    def test_examples_of_tested_products_teach_no_baseline(self) -> None:
        tested = [Example(id="a", title="Green laser pointer with a very strong beam for cats")]
        given = [
            Example(id="a", title="another text of the same recall"),
            Example(id="b", title="Green LASER pointer, with a very strong beam for cats!"),
            Example(id="c", title="Wooden train"),
        ]
        assert [example.id for example in apart_from(given, tested)] == ["c"]

    def test_a_model_of_the_knowledge_base_alone_has_no_baseline(
        self, taxonomy: Taxonomy, small_model: HazardClassifier
    ) -> None:
        assert training_rivals([], [], taxonomy, small_model.encoder, registry=False) == []
        assert as_rivals([]) == []


def test_evaluations_without_rivals_compare_nothing(evaluation_of: Callable[[float], Evaluation]) -> None:
    assert evaluation_of(0.6).metrics["comparisons"] == []
