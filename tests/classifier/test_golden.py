"""Golden inputs travel in the artifact, and tell a model that answers otherwise from the one that was trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.classifier.golden import TOLERANCE, Golden, GoldenCase, shown
from models.domain.alert import Example
from models.domain.assessment import Assessment
from models.domain.errors import ArtifactError
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.plan.plan import Plan
from training.golden_inputs import golden_inputs
from training.training_data import held_out_corpus

LISTINGS = [
    Listing(id="laser", title="Green laser pointer 5000mW"),
    Listing(id="bag", title="Cotton bag"),
    Listing(id="rassel", title="Babyrassel aus Holz", language="de"),
]


@pytest.fixture
def own(small_model_dir: Path) -> HazardClassifier:
    """A copy of the model that a test may spoil."""
    return HazardClassifier.load(small_model_dir, threads=1)


@pytest.fixture
def assess(own: HazardClassifier, default_plan: Plan) -> Callable[[Listing], Assessment]:
    return lambda listing: own.assess(listing, default_plan)


def test_a_model_passes_its_own_test_after_the_way_through_the_artifact(
    own: HazardClassifier, assess: Callable[[Listing], Assessment], default_plan: Plan, tmp_path: Path
) -> None:
    own.golden = Golden.of(LISTINGS, assess)
    own.save(tmp_path / "model")
    loaded = HazardClassifier.load(tmp_path / "model", threads=1)
    assert [case.listing for case in loaded.golden.cases] == LISTINGS
    assert loaded.golden.failures(lambda listing: loaded.assess(listing, default_plan)) == []


def test_a_model_that_answers_otherwise_fails_and_says_where(
    own: HazardClassifier, assess: Callable[[Listing], Assessment]
) -> None:
    golden = Golden.of(LISTINGS, assess)
    own.heads.bias[:] = own.heads.bias[::-1] + 5.0
    failures = golden.failures(assess)
    assert len(failures) == len(LISTINGS)
    assert failures[0].startswith("listing laser: ")
    assert golden.failures(assess, golden.cases[1:2])[0].startswith("listing bag: ")


def test_numbers_that_are_none_fail(own: HazardClassifier, assess: Callable[[Listing], Assessment]) -> None:
    case = GoldenCase.of(LISTINGS[0], assess(LISTINGS[0]))
    answer = assess(LISTINGS[0])
    broken = answer.model_copy(update={"level_probabilities": dict.fromkeys(answer.level_probabilities, math.nan)})
    assert "nan" in case.strays(broken, TOLERANCE)


def test_whatever_is_raised_is_a_failure() -> None:
    def broken(_: Listing) -> Assessment:
        raise np.exceptions.AxisError("no such axis")

    golden = Golden((GoldenCase(LISTINGS[0], {}),))
    assert golden.failures(broken) == ["listing laser: AxisError: no such axis"]


@given(st.floats(-1, 1))
def test_a_difference_counts_from_the_tolerance_on(
    small_model: HazardClassifier, default_plan: Plan, gap: float
) -> None:
    answer = _answer(small_model, default_plan)
    case = GoldenCase.of(LISTINGS[1], answer)
    moved = case.probabilities | {"level none": case.probabilities["level none"] + gap}
    strays = GoldenCase(case.listing, moved).strays(answer, TOLERANCE)
    assert bool(strays) == (abs(moved["level none"] - case.probabilities["level none"]) > TOLERANCE)


_ANSWERS: dict[int, Assessment] = {}


def _answer(model: HazardClassifier, plan: Plan) -> Assessment:
    return _ANSWERS.setdefault(id(model), model.assess(LISTINGS[1], plan))


def test_an_artifact_without_golden_inputs_still_loads(own: HazardClassifier, tmp_path: Path) -> None:
    own.golden = Golden()
    manifest = own.save(tmp_path / "model")
    assert "golden.json" not in manifest.files
    assert not HazardClassifier.load(tmp_path / "model", threads=1).golden


@pytest.mark.parametrize("content", [b"", b"[]", b'{"tolerance": 0.1, "cases": [{"listing": {}}]}', b'{"cases": []}'])
def test_golden_inputs_that_cannot_be_read_are_told(content: bytes) -> None:
    with pytest.raises(ArtifactError, match="golden"):
        Golden.from_json(content, "var/models/default/golden.json")


@pytest.fixture(scope="module")
def written(small_model: HazardClassifier) -> list[Example]:
    return held_out_corpus(small_model.knowledge, small_model.taxonomy, 0, 300)


def test_training_chooses_two_of_each_language_english_first(
    small_model: HazardClassifier, written: list[Example]
) -> None:
    golden = golden_inputs(small_model, written)
    languages = [case.listing.language for case in golden.cases]
    assert set(languages) == {example.lang for example in written}
    assert languages[0] == "en"
    assert max(map(languages.count, languages)) == 2


def test_a_model_that_is_loaded_again_answers_them_in_every_language(
    small_model: HazardClassifier, written: list[Example], assess: Callable[[Listing], Assessment]
) -> None:
    golden = golden_inputs(small_model, written)
    assert len({case.listing.language for case in golden.cases}) > 20
    assert golden.failures(assess) == []


def test_a_server_answers_its_first_golden_input_with_the_words_of_few_languages(
    small_model: HazardClassifier, written: list[Example]
) -> None:
    detector = small_model.reader.detector

    def asked(listing: Listing) -> int:
        return len(set().union(*(detector.asks(text, listing.language) for _, text in listing.texts())) - {"en"})

    first = golden_inputs(small_model, written).cases[0].listing
    harmless = [e for e in written if e.lang == "en" and e.risk_level not in (RiskLevel.HIGH, RiskLevel.SERIOUS)]
    assert asked(first) == min(asked(example.to_listing()) for example in harmless)
    assert asked(first) < max(asked(example.to_listing()) for example in harmless)


def test_many_failures_are_told_in_one_line() -> None:
    assert shown(["a", "b"]) == "a; b"
    assert shown(list("abcde")) == "a; b; c; 2 more"
