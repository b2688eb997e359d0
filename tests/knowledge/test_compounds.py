"""Words written as one are read from their parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.base import Knowledge
from models.knowledge.compounds import Compounds
from models.knowledge.matching import KnowledgeMatcher

COMPOUNDS = Compounds({"kinder": "children", "spielzeug": "toy", "leder": "leather", "tasche": "bag", "das": ""})


@pytest.fixture(scope="module")
def matcher(knowledge: Knowledge) -> KnowledgeMatcher:
    return KnowledgeMatcher(knowledge)


@pytest.mark.parametrize(
    ("word", "english"),
    [
        ("kinderspielzeug", "children toy"),
        ("ledertasche", "leather bag"),
        ("kinderledertasche", "children leather bag"),
        ("spielzeugstasche", "toy bag"),
        ("spielzeug", ""),
        ("spielzeugxyz", ""),
        ("dasspielzeug", ""),
    ],
)
def test_a_compound_is_its_parts_and_only_where_all_are_known(word: str, english: str) -> None:
    assert COMPOUNDS.read(word) == english


def test_words_that_are_known_already_are_left_alone() -> None:
    text = "kinderspielzeug ledertasche"
    assert COMPOUNDS.find(text, [(0, 15)]) == {(16, 27): "leather bag"}
    assert COMPOUNDS.find(text, [(0, 15), (16, 21)]) == {}


@given(st.lists(st.sampled_from(["kinder", "leder", "tasche", "spielzeug", "x"]), max_size=8).map("".join))
def test_every_compound_found_is_a_word_of_the_text(text: str) -> None:
    for start, end in COMPOUNDS.find(text, []):
        assert (start, end) == (0, len(text))


def test_german_compounds_reach_the_gloss(matcher: KnowledgeMatcher) -> None:
    assert [hit.english for hit in matcher.find("Ledertasche", "de").glosses] == ["leather bag"]
