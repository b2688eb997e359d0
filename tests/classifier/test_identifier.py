"""The packed identifier answers as langid does, and rows are told apart exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from models.classifier.identifier import PackedIdentifier, distinct_rows
from models.classifier.language import identifier

TEXTS = [
    "Kinderspielzeug aus Holz",
    "Jouet en bois pour enfants, dès 3 ans",
    "çocuk oyuncağı",
    "LASER POINTER",
    "лазер pointer 激光",
    "1234",
    "",
]


@pytest.fixture(scope="module")
def peer() -> LanguageIdentifier:
    library = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    library.set_languages(identifier().nb_classes)
    return library


@pytest.fixture(scope="module")
def ours() -> PackedIdentifier:
    return identifier()


@pytest.mark.parametrize("text", TEXTS)
def test_it_ranks_languages_as_the_library_does(text: str, ours: PackedIdentifier, peer: LanguageIdentifier) -> None:
    assert ours.rank(text) == peer.rank(text)


def test_it_ranks_any_text_as_the_library_does(ours: PackedIdentifier, peer: LanguageIdentifier) -> None:
    @given(st.text(max_size=60))
    def equal(text: str) -> None:
        assert ours.rank(text) == peer.rank(text)

    equal()


@given(arrays(np.uint32, st.tuples(st.integers(0, 12), st.integers(1, 4)), elements=st.integers(0, 2)))
def test_distinct_rows_make_up_the_matrix(matrix: np.ndarray) -> None:  # type: ignore[type-arg]
    # A factor of 0 gives rows that end alike one number.
    for rows, which in (distinct_rows(matrix), distinct_rows(matrix, mixing=0)):
        assert np.array_equal(rows[which], matrix)
        assert len({tuple(row) for row in rows.tolist()}) == len(rows)
