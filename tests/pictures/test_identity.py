"""Pictures that are used again are found, different ones are not, and the search misses nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from models.pictures.hash_index import HashIndex, PictureIndex
from models.pictures.identity import BITS, SAME, Fingerprint, distances, fingerprint, similarity
from tests.benchmarks.drawn_pictures import EDITS, drawn

_MANY = 40


@pytest.fixture(scope="module")
def originals() -> list[Fingerprint]:
    return [fingerprint(drawn(i)) for i in range(_MANY)]


def test_different_pictures_are_told_apart(originals: list[Fingerprint]) -> None:
    index = PictureIndex(originals)
    for i, picture in enumerate(originals):
        assert set(index.same(picture)) == {i}
        assert similarity(picture, picture) == 1.0


def test_edited_pictures_are_found_again(originals: list[Fingerprint]) -> None:
    index = PictureIndex(originals)
    recall = {}
    for name, edit in EDITS.items():
        matched = [index.same(fingerprint(edit(drawn(i)))) for i in range(_MANY)]
        assert all(set(found) <= {i} for i, found in enumerate(matched)), name
        recall[name] = sum(i in found for i, found in enumerate(matched)) / _MANY
    assert min(recall.values()) >= 0.9, recall
    assert sum(recall.values()) >= 0.98 * len(recall), recall


def test_a_picture_is_found_mirrored(originals: list[Fingerprint]) -> None:
    mirrored = fingerprint(ImageOps.mirror(drawn(5)))
    assert mirrored.distance(originals[5]) <= SAME
    assert originals[5].distance(originals[6]) > SAME


def test_where_there_is_nothing_to_see_nothing_is_the_same() -> None:
    blank, grey = (fingerprint(Image.new("RGB", (200, 200), colour)) for colour in ("white", "grey"))
    assert blank.texts == []
    assert blank.distance(grey) == BITS
    assert similarity(blank, blank) == 0.0
    assert PictureIndex([blank, grey]).same(blank) == {}


def test_hashes_are_stored_as_text_and_come_back(originals: list[Fingerprint]) -> None:
    back = Fingerprint.of_texts(originals[3].texts)
    assert np.array_equal(back.hashes, originals[3].hashes)
    assert all(len(text) == 64 for text in back.texts)
    assert originals[3].distance(back) == 0


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 300),
    flips=st.lists(st.integers(0, BITS - 1), max_size=60, unique=True),
    most=st.integers(0, 60),
)
def test_the_search_finds_exactly_what_comparing_with_all_finds(
    seed: int, count: int, flips: list[int], most: int
) -> None:
    chance = np.random.default_rng(seed)
    hashes = chance.integers(0, 2**64, (count + 1, 4), dtype=np.uint64)
    wanted = hashes[0].copy()
    for bit in flips:
        wanted[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    places, found = HashIndex(hashes).near(wanted, most)
    far = distances(hashes, wanted)
    assert places.tolist() == np.flatnonzero(far <= most).tolist()
    assert found.tolist() == far[places].tolist()
    assert (0 in places) == (len(flips) <= most)


def test_an_empty_index_finds_nothing(originals: list[Fingerprint]) -> None:
    assert PictureIndex([]).same(originals[0]) == {}
