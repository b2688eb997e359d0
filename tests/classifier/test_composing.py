"""The encoder's text, and every character's way back to the seller's own words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.composing import FIELD_BUDGETS, Boilerplate, ComposedText, Composer, load_boilerplate
from models.domain.listing import Listing
from models.knowledge.matching import KnowledgeMatcher

LANGUAGES = ("en", "de", "ru", "ar", "ja", "th", "he", "ko", "zh", "hi", "und", "el")


def composed(composer: Composer, language: str = "en", **fields: object) -> ComposedText:
    listing = Listing.model_validate({"id": "1", "title": "", **fields})
    return composer.compose(listing, dict.fromkeys(dict(listing.texts()), language))


@settings(max_examples=150)
@given(st.data())
def test_every_piece_maps_back_into_its_field(
    composer: Composer, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    fields = dict(listing.texts())
    text = composer.compose(listing, {name: data.draw(st.sampled_from(LANGUAGES)) for name in fields})
    for piece in text.pieces:
        origin = fields[piece.field][piece.origin_start : piece.origin_end]
        assert origin
        if piece.verbatim:
            assert text.text[piece.start : piece.end] == origin
        assert text.origins([(piece.start, piece.end)]) == [(piece.field, piece.origin_start, piece.origin_end)]


@settings(max_examples=100)
@given(st.data())
def test_pieces_follow_each_other_without_overlap(
    composer: Composer, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    text = composer.compose(listing, {name: data.draw(st.sampled_from(LANGUAGES)) for name in dict(listing.texts())})
    ends = [0, *(piece.end for piece in text.pieces)]
    assert all(end <= piece.start < piece.end for end, piece in zip(ends, text.pieces, strict=False))
    assert ends[-1] <= len(text.text)
    assert 0.0 <= text.known_share <= 1.0


@settings(max_examples=100)
@given(st.data())
def test_one_walk_finds_the_origins_of_all_spans(
    composer: Composer, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    text = composer.compose(listing, {name: data.draw(st.sampled_from(LANGUAGES)) for name in dict(listing.texts())})
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text.text) + 2), max_size=12)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    first = [next((p for p in text.pieces if p.end > start and p.start < end), None) for start, end in spans]
    own = [None if piece is None else piece.origin(*span) for piece, span in zip(first, spans, strict=True)]
    assert text.origins(spans) == own


@settings(max_examples=100)
@given(st.data())
def test_a_text_without_some_places_is_what_the_others_gave(
    composer: Composer, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    text = composer.compose(listing, {name: data.draw(st.sampled_from(LANGUAGES)) for name in dict(listing.texts())})
    assert text.without([]) == text

    gone = [
        (piece.field, piece.origin_start, data.draw(st.integers(piece.origin_start + 1, piece.origin_end)))
        for piece in text.pieces
        if data.draw(st.booleans())
    ]
    left = text.without(gone)
    for piece in left.pieces:
        assert not any(n == piece.field and s < piece.origin_end and e > piece.origin_start for n, s, e in gone)
        if piece.verbatim:
            whole = dict(listing.texts())[piece.field]
            assert left.text[piece.start : piece.end] == whole[piece.origin_start : piece.origin_end]
    untouched = [
        p for p in text.pieces if not any(n == p.field and s < p.origin_end and e > p.origin_start for n, s, e in gone)
    ]
    assert {(p.field, p.origin_start) for p in untouched} <= {(p.field, p.origin_start) for p in left.pieces}


@settings(max_examples=60)
@given(st.data())
def test_no_field_takes_more_than_its_budget(
    composer: Composer, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    long = (data.draw(texts) + "я" * data.draw(st.integers(0, 5)) + "w" * data.draw(st.integers(0, 1500))) * 3
    language = data.draw(st.sampled_from(LANGUAGES))
    text = composed(
        composer,
        language,
        title=long[:1000],
        description=long,
        category=long[:2000],
        brand=long[:500],
        captions=[long[:2000]] * 3,
        attributes={"a": long[:2000], "b": long[:2000]},
        warnings=[long[:2000]] * 3,
    )
    taken = dict.fromkeys(FIELD_BUDGETS, 0)
    for piece in text.pieces:
        taken[re.split(r"[.\[]", piece.field, maxsplit=1)[0]] += piece.end - piece.start
    assert {name: n for name, n in taken.items() if n > FIELD_BUDGETS[name]} == {}


def test_a_listing_without_words_gives_an_empty_text(composer: Composer) -> None:
    text = composed(composer)
    assert (text.text, text.pieces, text.known_share) == ("", (), 1.0)


def test_fields_are_sentences_of_the_text(composer: Composer) -> None:
    assert composed(composer, title="Red lamp", brand="Lux", description="A lamp.").text == "Red lamp. Lux. A lamp.. "


def test_boilerplate_that_tells_who_wrote_never_reaches_the_text(composer: Composer) -> None:
    text = composed(
        composer, title="Doll - best seller, FREE SHIPPING", description="Doll. Packaging: red box. The recalled doll."
    )
    assert not re.search("shipping|seller|packaging|recalled", text.text, re.IGNORECASE)
    assert text.text.count("oll") == 3


def test_structure_signs_and_runs_of_white_space_never_reach_the_text(composer: Composer) -> None:
    assert composed(composer, title="【NEW】 ★ red\t\t lamp | [3 pcs]").text == "NEW red lamp 3 pcs. "


def test_findings_keep_what_the_boilerplate_cut(composer: Composer) -> None:
    title = "Lamp, unplugged. Wholesale best seller"
    hits = composed(composer, title=title).findings["title"].cues
    assert [title[hit.start : hit.end] for hit in hits] == ["Wholesale"]


def test_a_gloss_word_maps_to_the_sellers_own_words(composer: Composer) -> None:
    text = composed(composer, "ru", title="Мощная лазерная указка для детей")
    start = text.text.index("laser pointer")
    assert text.origins([(start, start + len("laser pointer"))]) == [("title", 7, 22)]


def test_a_part_of_a_gloss_word_maps_to_the_whole_origin(composer: Composer) -> None:
    text = composed(composer, "de", title="Laserpointer")
    assert text.origins([(0, 5), (6, 13)]) == [("title", 0, 12)] * 2


def test_a_part_of_a_verbatim_piece_maps_character_by_character(composer: Composer) -> None:
    assert composed(composer, title="a lamp").origins([(3, 5)]) == [("title", 3, 5)]


def test_the_glue_between_fields_has_no_origin(composer: Composer) -> None:
    text = composed(composer, title="lamp", brand="Lux")
    assert text.origins([(4, 6), (len(text.text), len(text.text) + 1)]) == [None, None]


def test_latin_words_in_another_script_pass_as_they_stand(composer: Composer) -> None:
    text = composed(composer, "ru", title="Чехол XYZ-500 чёрный")
    assert "XYZ-500" in text.text


def test_words_that_no_gloss_knows_do_not_count_as_known(composer: Composer) -> None:
    assert composed(composer, "ru", title="лазерная указка").known_share == 1.0
    assert composed(composer, "ru", title="йцукенгшщзх").known_share == 0.0
    assert 0.2 < composed(composer, "ru", title="лазерная указка йцукенгшщзхъфыва").known_share < 0.8


def test_a_multilingual_encoder_reads_the_text_without_gloss(matcher: KnowledgeMatcher) -> None:
    text = composed(Composer(matcher, load_boilerplate(), gloss=False), "ru", title="Лазерная указка")
    assert (text.text, text.known_share) == ("Лазерная указка. ", 1.0)


def test_findings_of_a_long_description_stop_where_the_reading_stops(composer: Composer) -> None:
    text = composed(composer, description="word " * 10_000 + "5000mW")
    assert text.findings["description"].cues == ()
    assert len(text.text) <= FIELD_BUDGETS["description"] + len(". ")


@pytest.mark.parametrize(
    ("patterns", "text", "kept"),
    [
        ([], "a  b", ["a", "b"]),
        (["cut"], "one CUT two", ["one", "two"]),
        (["cut"], "cut", []),
        (["cut", r"\d+"], "1 cut 2 x", ["x"]),
        (["cut"], "uncut cut cutting", ["uncut", "ting"]),
        (["包装"], "红色包装盒", ["红色", "盒"]),
    ],
)
def test_boilerplate_keeps_the_rest_in_order(patterns: list[str], text: str, kept: list[str]) -> None:
    assert [text[start:end] for start, end in Boilerplate(patterns).kept(text)] == kept
