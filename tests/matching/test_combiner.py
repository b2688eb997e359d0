"""Weights as data: complete, of the right signs, with a meaning for each feature."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from models.domain.errors import InputError
from models.matching.combiner import Combiner, load_combiner, logit, probability, shipped_combiner
from models.matching.features import FEATURES, SECOND


def test_the_shipped_weights_have_the_signs_that_sense_demands() -> None:
    combiner = shipped_combiner()
    for feature, weight in zip(FEATURES, combiner.weights, strict=True):
        assert weight >= 0 if feature.side == "for" else weight <= 0, feature.name
    assert combiner.bias < 0
    assert {"alerts", "pairs", "held_out_calibration_error"} <= set(combiner.made)


def test_every_feature_is_documented() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
    assert all(len(feature.meaning) > 20 and feature.said for feature in FEATURES)
    assert all(next(f for f in FEATURES if f.name == name).side == "for" for name in SECOND)


def test_a_combiner_survives_as_json() -> None:
    combiner = shipped_combiner()
    again = Combiner.from_json(combiner.to_json())
    np.testing.assert_allclose(again.weights, combiner.weights, atol=1e-4)
    assert again.rarity == combiner.rarity


@pytest.mark.parametrize(("name", "weight"), [("model", -1), ("brand_other", 2), ("meaning", "much"), ("gtin", None)])
def test_a_wrong_weight_is_refused_by_name(name: str, weight: object) -> None:
    raw = orjson.loads(shipped_combiner().to_json())
    raw["weights"][name] = weight
    with pytest.raises(InputError, match=name):
        Combiner.from_json(orjson.dumps(raw))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.json"):
        load_combiner(tmp_path / "nothing.json")


@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.999])
def test_probability_and_logit_undo_each_other(p: float) -> None:
    assert probability(logit(p)) == pytest.approx(p)
    assert probability(-1e6) == 0.0
