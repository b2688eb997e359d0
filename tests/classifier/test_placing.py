"""Places are whole words of the seller's text, whatever the script, and none overlaps another."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.classifier.placing import Places, find_places
from models.classifier.sparse import words_of
from models.domain.listing import Listing


def places_of(model: HazardClassifier, listing: Listing) -> Places:
    explained = model.explained(listing)
    text = explained.read.text
    return find_places(listing, text, words_of(text.text), explained.encoding.offsets)


def texts_of(model: HazardClassifier, title: str, language: str = "") -> list[str]:
    spans = places_of(model, Listing(id="1", title=title, language=language)).spans
    return [title[start:end] for _, start, end in spans]


@settings(max_examples=40)
@given(st.data())
def test_places_are_disjoint_slices_of_their_fields(
    small_model: HazardClassifier, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    places = places_of(small_model, listing)
    fields = dict(listing.texts())
    assert all(0 <= start < end <= len(fields[name]) for name, start, end in places.spans)
    for (name, _, end), (following, start, _) in pairwise(places.spans):
        assert name != following or end <= start
    assert places.of_word.max(initial=0) <= len(places)
    assert places.of_token.max(initial=0) <= len(places)


@pytest.mark.parametrize(
    ("title", "language", "whole"),
    [
        ("cafe\u0301 laser", "en", "cafe\u0301"),
        ("children\u2019s laser toy", "en", "children\u2019s"),
        ("Kette fu\u0308r Babys", "de", "fu\u0308r Babys"),
        ("हरा लेजर पॉइंटर", "hi", "लेजर पॉइंटर"),
        ("绿色激光笔", "zh", "激光笔"),
        ("超強力レーザーポインター", "ja", "レーザーポインター"),
        ("مُؤَشِّر ليزر", "ar", "مُؤَشِّر ليزر"),
    ],
)
def test_a_place_never_cuts_what_a_reader_sees_as_one(
    small_model: HazardClassifier, title: str, language: str, whole: str
) -> None:
    assert whole in texts_of(small_model, title, language)


def test_signs_and_emoji_belong_to_no_word(small_model: HazardClassifier) -> None:
    assert texts_of(small_model, "🔥👩\u200d👧 laser, pointer!! 🔥", "en") == ["laser", "pointer"]


def test_a_name_beyond_what_the_encoder_reads_has_a_place_all_the_same(small_model: HazardClassifier) -> None:
    title = "word " * 90 + "laser pointer"
    assert any("laser" in text for text in texts_of(small_model, title, "en"))
