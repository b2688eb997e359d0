"""TF-IDF with places: scikit-learn's figures, and every feature's words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from models.classifier.sparse import SparseFeatures, words_of

TEXTS = [
    "Laser pointer 5000mW green laser",
    "laser level with tripod",
    "Toy magnet balls, strong magnets 5 mm",
    "Café-Set, 2.5 kg",
    "magnet magnet magnet ball",
    "LED lamp, lamp shade",
    "Крем для лица",
    "cream for the face 50 ml",
    "ball pen blue",
]


def word_grams(text: str) -> list[str]:
    forms = [word.form for word in words_of(text)]
    return forms + [f"{one} {other}" for one, other in pairwise(forms)]


def character_grams(text: str) -> list[str]:
    padded = [f"⟨{word.form}⟩" for word in words_of(text)]
    return [f"\t{form[i : i + n]}" for form in padded for n in (3, 4, 5) for i in range(len(form) - n + 1)]


@pytest.fixture(scope="module")
def features() -> SparseFeatures:
    return SparseFeatures.fit(TEXTS, min_texts=1)


@pytest.mark.parametrize(("analyzer", "block"), [(word_grams, "words"), (character_grams, "characters")])
def test_each_block_equals_scikit_learns_tfidf(
    features: SparseFeatures, analyzer: Callable[[str], list[str]], block: str
) -> None:
    peer = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, smooth_idf=True, norm="l2").fit(TEXTS)
    ours_of_block = {name for name in features.columns if name.startswith("\t") == (block == "characters")}
    assert set(peer.vocabulary_) == ours_of_block
    fresh = [*TEXTS, "green magnet lamp, unknown words", "lamp lamp lamp"]
    ours, theirs = features.transform(fresh).toarray(), peer.transform(fresh).toarray()
    for name, column in peer.vocabulary_.items():
        assert ours[:, features.columns[name]] == pytest.approx(theirs[:, column], abs=1e-5)


@settings(max_examples=60)
@given(st.data())
def test_the_words_parts_add_up_to_the_features(
    features: SparseFeatures, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    text = " ".join([data.draw(texts), *data.draw(st.lists(st.sampled_from(TEXTS), max_size=2))])
    incidence = features.incidence(text)
    row = np.bincount(incidence.columns, weights=incidence.values, minlength=features.size)
    assert row == pytest.approx(features.transform([text]).toarray()[0], abs=1e-6)
    assert set(incidence.words.tolist()) <= set(range(len(words_of(text))))


@settings(max_examples=60)
@given(st.data())
def test_each_block_of_a_text_has_length_one_or_none(
    features: SparseFeatures, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    row = features.transform([data.draw(texts)]).toarray()[0]
    words = np.array([not name.startswith("\t") for name in features.columns])
    for block in (words, ~words):
        assert any(np.linalg.norm(row[block]) == pytest.approx(length, abs=1e-4) for length in (0.0, 1.0))


@given(st.text(max_size=60))
def test_words_lie_in_the_text_in_order(text: str) -> None:
    words = words_of(text)
    ends = [0, *(word.end for word in words)]
    assert all(end <= word.start < word.end <= len(text) for end, word in zip(ends, words, strict=False))


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Café-Set, 2.5 kg", ["cafe", "set", "2.5", "kg"]),
        ("GRÖSSE", ["grosse"]),
        ("under_score", ["under", "score"]),
        ("", []),
        ("ЁЛКА", ["елка"]),
        ("cafe\u0301 ok", ["cafe", "ok"]),
    ],
)
def test_words_are_folded_without_case_and_accents(text: str, forms: list[str]) -> None:
    assert [word.form for word in words_of(text)] == forms


def test_a_pair_of_words_is_brought_by_both_in_equal_parts(features: SparseFeatures) -> None:
    words, incidence = words_of("strong magnets 5 mm"), features.incidence("strong magnets 5 mm")
    pair = incidence.columns == features.columns["strong magnets"]
    assert [words[i].form for i in incidence.words[pair]] == ["strong", "magnets"]
    assert len(set(incidence.values[pair].tolist())) == 1


def test_features_of_few_texts_are_left_out() -> None:
    assert set(SparseFeatures.fit(["red lamp", "red toy"], max_characters=0).columns) == {"red"}


def test_of_many_features_the_commonest_are_kept_and_ties_go_by_spelling() -> None:
    kept = SparseFeatures.fit(["b a c", "c", "c a b"], max_words=2, max_characters=0, min_texts=1)
    assert list(kept.columns) == ["c", "a"]


def test_the_order_of_the_texts_does_not_matter() -> None:
    one, other = SparseFeatures.fit(TEXTS), SparseFeatures.fit(TEXTS[::-1])
    assert one.columns == other.columns
    assert one.idf.tolist() == other.idf.tolist()


def test_a_text_of_unknown_words_has_no_features(features: SparseFeatures) -> None:
    assert features.transform(["zzz", ""]).nnz == 0
