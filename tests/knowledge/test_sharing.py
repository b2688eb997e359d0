"""Models of equal knowledge share it, and what is built from it, as long as one of them lives."""

from __future__ import annotations

import gc
import weakref

from models.knowledge.base import Knowledge, shared_knowledge
from models.knowledge.matching import matcher_of


def test_equal_knowledge_is_read_once_and_has_one_matcher(knowledge: Knowledge) -> None:
    content = knowledge.to_json()
    first, second = shared_knowledge(content, knowledge.digest), shared_knowledge(content, knowledge.digest)
    assert first is second
    assert first == knowledge
    assert matcher_of(first) is matcher_of(second)
    assert matcher_of(first) is not matcher_of(knowledge)


def test_it_is_forgotten_with_the_last_model_that_had_it(knowledge: Knowledge) -> None:
    shared = shared_knowledge(knowledge.to_json(), "a digest of its own")
    gone = weakref.ref(shared), weakref.ref(matcher_of(shared))
    del shared
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_indexes_cut_words_as_texts_are_cut(knowledge: Knowledge) -> None:
    from models.knowledge.romanised import RomanisedForms
    from models.knowledge.stemming import WordForms

    for forms in (WordForms("en"), WordForms("ja"), WordForms("ru"), RomanisedForms("ru")):
        for kind in knowledge.kinds[:50]:
            for name in [kind.name, *kind.names.get("ru", [])]:
                assert forms.stemmed(name) == forms.stem(name).text
