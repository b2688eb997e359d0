"""Adjacent words of one side are one phrase, and the sums stay what they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.phrases import field_shares, phrases
from models.classifier.placing import Place

FIELDS = {"title": "small magnetic balls, free shipping", "captions[0]": "two balls", "captions[1]": "box"}
SPANS: list[Place] = [
    ("title", 0, 5), ("title", 6, 14), ("title", 15, 20), ("title", 22, 26), ("title", 27, 35),
    ("captions[0]", 0, 3), ("captions[0]", 4, 9), ("captions[1]", 0, 3),
]  # fmt: skip


def found(*weights: float) -> dict[str, float]:
    return {p.text: round(p.weight, 6) for p in phrases(FIELDS, SPANS, np.array(weights))}


def test_words_that_speak_for_the_same_side_are_one_phrase() -> None:
    assert found(0.5, 1.0, 0.8, 0, 0, 0, 0, 0) == {"small magnetic balls": 2.3}


def test_a_word_of_the_other_side_parts_them() -> None:
    assert found(0.5, -1.0, 0.8, 0, 0, 0, 0, 0) == {"magnetic": -1.0, "balls": 0.8, "small": 0.5}


def test_a_comma_parts_them() -> None:
    assert found(0, 0, 1.0, 1.0, 0, 0, 0, 0) == {"balls": 1.0, "free": 1.0}


def test_a_weak_word_does_not_water_down_a_strong_one() -> None:
    assert found(0.1, 1.0, 0.9, 0, 0, 0, 0, 0) == {"magnetic balls": 1.9, "small": 0.1}


def test_fields_are_not_joined_and_faint_words_are_left_out() -> None:
    assert found(0, 0, 0, 0, 1.0, 1.0, 0.01, 0) == {"shipping": 1.0, "two": 1.0}


def test_a_listing_without_shares_has_no_phrase() -> None:
    assert phrases(FIELDS, SPANS, np.zeros(len(SPANS))) == []


@given(st.lists(st.floats(-5, 5), min_size=len(SPANS), max_size=len(SPANS)))
def test_fields_add_up_to_all_words_and_phrases_to_the_words_in_them(weights: list[float]) -> None:
    shares = np.array(weights)
    fields = field_shares(FIELDS, SPANS, shares)
    assert [field.field for field in fields] == ["title", "captions"]
    assert sum(field.weight for field in fields) == pytest.approx(shares.sum(), abs=1e-9)
    for phrase in phrases(FIELDS, SPANS, shares):
        inside = [
            weight
            for (name, start, end), weight in zip(SPANS, weights, strict=True)
            if name == phrase.field and phrase.start <= start and end <= phrase.end
        ]
        assert phrase.weight == pytest.approx(sum(inside), abs=1e-9)
        assert len({weight > 0 for weight in inside}) == 1
