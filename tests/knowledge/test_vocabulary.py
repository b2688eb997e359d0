"""Words that are read when they are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.base import Knowledge
from models.knowledge.vocabulary import Vocabulary

WORDS = st.dictionaries(st.sampled_from(["de", "fr", "ru"]), st.dictionaries(st.text(), st.text()))


@given(WORDS)
def test_it_holds_what_it_was_made_of_in_the_same_order(words: dict[str, dict[str, str]]) -> None:
    vocabulary = Vocabulary.of(words)
    assert vocabulary == words
    assert [(language, list(each.items())) for language, each in vocabulary.items()] == [
        (language, list(each.items())) for language, each in words.items()
    ]


def test_a_language_that_it_has_not_is_no_key() -> None:
    vocabulary = Vocabulary.of({"de": {"Lampe": "lamp"}})
    assert "fr" not in vocabulary
    assert vocabulary.get("fr") is None
    with pytest.raises(KeyError):
        vocabulary["fr"]


def test_a_knowledge_base_is_written_as_it_was_read(knowledge: Knowledge) -> None:
    content = knowledge.to_json()
    again = Knowledge.from_json(content)
    assert again == knowledge
    assert again.to_json() == content
