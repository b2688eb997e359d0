"""A look inside a fitted model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Example
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus
from training.encoder_export import export_encoder
from training.inside import BLOCKS, ablation, look_inside, quantisation
from training.predicted import Predicted


@pytest.fixture(scope="module")
def unsafe(small_model: HazardClassifier) -> list[Example]:
    settings = CorpusSettings(size=300, seed=9, min_per_kind=0, languages={"en": 1.0})
    written = write_corpus(small_model.knowledge, small_model.taxonomy, settings)
    return [w.to_example() for w in written if w.labels][:60]


def truth_of(model: HazardClassifier, examples: list[Example]) -> np.ndarray:
    return np.array([[name in (e.labels or ()) for name in model.taxonomy.names] for e in examples])


def test_every_choice_of_blocks_has_its_row_all_of_them_first(
    small_model: HazardClassifier, unsafe: list[Example]
) -> None:
    read = [small_model.read(e.to_listing()) for e in unsafe]
    before = small_model.heads
    rows = ablation(small_model, read, truth_of(small_model, unsafe))
    assert len(rows) == 7
    assert rows[0]["parts"] == " + ".join(BLOCKS)
    assert {row["parts"] for row in rows[-3:]} == set(BLOCKS)
    assert len({row["map"] for row in rows}) > 3, "blocks differ in what they know"
    assert small_model.heads is before


def test_int8_is_judged_beside_fp32(small_model: HazardClassifier, unsafe: list[Example]) -> None:
    read = [small_model.read(e.to_listing()) for e in unsafe[:30]]
    found = quantisation(small_model, export_encoder(), read, truth_of(small_model, unsafe[:30]))
    assert 0.97 < found["cosine"] < 1.0
    for name in ("macro_f1", "map", "top1"):
        figures = found[name]
        assert figures["difference"] == pytest.approx(figures["int8"] - figures["fp32"], abs=2e-4)


def test_what_the_data_cannot_tell_is_left_out(small_model: HazardClassifier) -> None:
    nothing = Predicted.of(small_model, [])
    given = {"encoder": export_encoder(), "prior_unsafe": 0.1, "explain": 60, "pairs": 20}
    found = look_inside(small_model, nothing, nothing, [], **given)
    assert set(found) == {"style"}


def test_held_out_alerts_and_offers_tell_it_all(small_model: HazardClassifier, unsafe: list[Example]) -> None:
    offers = [replace(e, id=f"o{i}", title=f"paperback novel number {i}", description="") for i, e in enumerate(unsafe)]
    alerts, market = (Predicted.of(small_model, part) for part in (unsafe, offers))
    given = {"encoder": export_encoder(precision="fp32"), "prior_unsafe": 0.1, "explain": 60, "pairs": 20}
    found = look_inside(small_model, alerts, market, unsafe[:4], **given)
    assert set(found) == {"style", "ablation", "unsafe", "faithfulness"}
    assert found["faithfulness"]["listings"] == 4
    assert found["unsafe"]["auroc"] > 0.9
