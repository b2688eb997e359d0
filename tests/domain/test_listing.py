"""What a seller may upload: limits, NUL, reading order, content hash, repair."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.domain.listing import LIMITS, Listing, repaired

AT_LIMIT: dict[str, Any] = {
    "id": lambda n: {"id": "i" * n},
    "title": lambda n: {"title": "é" * n},
    "description": lambda n: {"description": "😀" * n},
    "brand": lambda n: {"brand": "b" * n},
    "category": lambda n: {"category": "c" * n},
    "captions": lambda n: {"captions": ["a picture"] * n},
    "caption": lambda n: {"captions": ["c" * n]},
    "caption picture": lambda n: {"captions": [{"text": "c", "picture": "p" * n}]},
    "caption failure": lambda n: {"captions": [{"text": "", "failure": "f" * n}]},
    "attributes": lambda n: {"attributes": {f"a{i}": "v" for i in range(n)}},
    "attribute name": lambda n: {"attributes": {"a" * n: "v"}},
    "attribute value": lambda n: {"attributes": {"a": "v" * n}},
    "target_countries": lambda n: {"target_countries": ["DE"] * n},
    "warnings": lambda n: {"warnings": ["keep away"] * n},
    "warning": lambda n: {"warnings": ["w" * n]},
}
OTHER_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
    "description": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
    "category": st.text("abc", max_size=3),
    "brand": st.text("abc", max_size=3),
    "attributes": st.dictionaries(st.text("ab", max_size=2), st.text("ab", max_size=2), max_size=2),
    "captions": st.lists(st.text("ab", max_size=3), max_size=2),
    "gtin": st.text("0123", max_size=3),
    "model": st.text("ab", max_size=2),
    "price": st.text("0123", max_size=3),
    "language": st.sampled_from(["", "en", "de"]),
    "target_countries": st.lists(st.sampled_from(["DE", "FR"]), max_size=2),
    "seller_id": st.text("ab", max_size=2),
    "seller": st.one_of(st.none(), st.fixed_dictionaries({"removals": st.integers(0, 2)})),
    "manufacturer": st.one_of(st.none(), st.fixed_dictionaries({"name": st.text("ab", max_size=2)})),
    "responsible_person": st.one_of(st.none(), st.fixed_dictionaries({"email": st.text("ab", max_size=2)})),
    "warnings": st.lists(st.text("ab", max_size=3), max_size=2),
}


def listing(**fields: Any) -> Listing:
    return Listing.model_validate({"id": "1", "title": "A thing", **fields})


def test_every_limit_is_tested_here() -> None:
    assert set(AT_LIMIT) == set(LIMITS)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_value_at_its_limit_is_accepted(limit: str) -> None:
    fields = AT_LIMIT[limit](LIMITS[limit])
    name, given_value = next(iter(fields.items()))
    assert len(getattr(listing(**fields), name)) == len(given_value)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_value_over_its_limit_is_refused(limit: str) -> None:
    with pytest.raises(ValidationError, match=str(LIMITS[limit])):
        listing(**AT_LIMIT[limit](LIMITS[limit] + 1))


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "a\0b"},
        {"title": "\0"},
        {"description": "x\0"},
        {"brand": "\0x"},
        {"category": "x\0"},
        {"captions": ["x\0"]},
        {"attributes": {"x\0": "v"}},
        {"attributes": {"x": "v\0"}},
        {"warnings": ["x\0"]},
        {"manufacturer": {"name": "x\0"}},
        {"language": "e\0"},
        {"gtin": "1\0"},
        {"seller_id": "s\0"},
    ],
    ids=lambda fields: str(next(iter(fields))),
)
def test_a_nul_byte_is_refused_in_every_field(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="NUL"):
        listing(**fields)


@pytest.mark.parametrize("missing", ["id", "title"])
def test_id_and_title_are_required(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        Listing.model_validate({key: "x" for key in ("id", "title") if key != missing})


def test_an_empty_id_is_refused() -> None:
    with pytest.raises(ValidationError, match="id"):
        listing(id="")


def test_an_empty_title_is_accepted() -> None:
    assert listing(title="").title == ""


def test_a_misspelt_field_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="tittle"):
        listing(tittle="x")


@pytest.mark.parametrize("code", ["D", "DEU", "D1", ""])
def test_a_country_is_two_letters(code: str) -> None:
    with pytest.raises(ValidationError, match="target_countries"):
        listing(target_countries=[code])


def test_texts_come_in_the_order_a_shopper_reads_them_without_empty_ones() -> None:
    whole = listing(
        title="t",
        category="c",
        brand="  ",
        captions=["p", "", {"text": "q", "source": "ocr"}],
        attributes={"size": "s", "b": ""},
        description="d",
        warnings=["w"],
    )
    assert list(whole.texts()) == [
        ("title", "t"),
        ("category", "c"),
        ("captions[0]", "p"),
        ("captions[2]", "q"),
        ("attributes.size", "s"),
        ("description", "d"),
        ("warnings[0]", "w"),
    ]


@given(st.text("abc", min_size=1, max_size=5), st.fixed_dictionaries({}, optional=OTHER_FIELDS))
def test_the_content_hash_ignores_the_id(other_id: str, fields: dict[str, Any]) -> None:
    assert listing(**fields).content_hash() == listing(**fields, id=other_id).content_hash()


@pytest.mark.parametrize("detail", [{"picture": "ab"}, {"mark": "ce"}, {"failure": "took too long"}])
def test_the_content_hash_changes_with_what_a_caption_tells_besides_its_words(detail: dict[str, str]) -> None:
    assert listing(captions=[{"text": "c", **detail}]).content_hash() != listing(captions=["c"]).content_hash()


def test_the_content_hash_of_plain_captions_stays_what_it_was_before_captions_named_pictures() -> None:
    # Answers, reviews and removals of years ago are found by it.
    old = listing(title="t", captions=["a", "b"]).content_hash()
    assert old == "508181dce5f53774836946ae539663086b13967eff2d2c726c42d369c8c38a4d"


@given(st.data())
def test_the_content_hash_changes_with_every_other_field(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(OTHER_FIELDS)))
    one, other = listing(**{name: data.draw(OTHER_FIELDS[name])}), listing(**{name: data.draw(OTHER_FIELDS[name])})
    assert (one.content_hash() == other.content_hash()) == (getattr(one, name) == getattr(other, name))


def test_every_field_but_the_id_takes_part_in_the_hash_test() -> None:
    assert set(OTHER_FIELDS) == set(Listing.model_fields) - {"id"}


def test_a_listing_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        listing().title = "another"


@given(st.text(), st.integers(0, 40))
def test_a_repaired_text_is_always_accepted(text: str, limit: int) -> None:
    mended = repaired(text, limit)
    assert len(mended) <= limit
    assert listing(description=mended).description == mended


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40))
def test_a_sound_text_is_left_alone_by_the_repair(text: str) -> None:
    assert repaired(text, 40) == text


def test_repair_keeps_tabs_and_line_breaks_and_replaces_control_characters_and_lone_surrogates() -> None:
    assert repaired("a\tb\nc\x00d\x1be\ud800f", 100) == "a\tb\nc d e?f"
