"""A listing without some words is what a seller could have written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.classifier.leaving_out import every_occurrence, leave_out
from models.domain.listing import Caption, Listing

LISTING = Listing(
    id="1",
    title="Strong magnetic balls",
    description="Magnetic balls, 5 mm. MAGNETIC BALLS!",
    captions=[Caption(text="balls in a box", source="ocr", confidence=0.5)],
    attributes={"a.b[0]": "magnetic balls"},
    warnings=["no balls for babies"],
)


def test_a_gap_is_left_and_not_two() -> None:
    assert leave_out(LISTING, [("title", 7, 15)]).title == "Strong balls"
    assert leave_out(LISTING, [("title", 0, 6)]).title == "magnetic balls"
    assert leave_out(LISTING, [("title", 0, 21)]).title == ""


def test_every_kind_of_field_can_lose_words() -> None:
    places = [("captions[0]", 0, 5), ("attributes.a.b[0]", 0, 8), ("warnings[0]", 3, 8)]
    left = leave_out(LISTING, places)
    assert left.captions == [Caption(text="in a box", source="ocr", confidence=0.5)]
    assert left.attributes == {"a.b[0]": "balls"}
    assert left.warnings == ["no for babies"]
    assert left.title == LISTING.title


@given(st.text(min_size=1, max_size=30), st.data())
def test_nothing_but_the_place_and_a_gap_is_gone(text: str, data: st.DataObject) -> None:
    listing = Listing(id="1", title=text.replace("\0", "x"))
    title = listing.title
    if not title.strip():
        return
    start = data.draw(st.integers(0, len(title) - 1))
    end = data.draw(st.integers(start + 1, len(title)))
    left = leave_out(listing, [("title", start, end)]).title
    assert left.startswith(title[:start])
    after = title[end:]
    assert after.endswith(left[start:])
    assert not after.removesuffix(left[start:]).strip()


def test_without_a_phrase_means_without_any_of_it() -> None:
    assert every_occurrence(LISTING, ("title", 7, 21)) == [
        ("attributes.a.b[0]", 0, 14),
        ("description", 0, 14),
        ("description", 22, 36),
        ("title", 7, 21),
    ]


def test_part_of_a_word_is_no_occurrence() -> None:
    listing = Listing(id="1", title="laser", description="lasers, laser")
    assert every_occurrence(listing, ("title", 0, 5)) == [("description", 8, 13), ("title", 0, 5)]


def test_without_gaps_between_words_a_part_is_an_occurrence() -> None:
    listing = Listing(id="1", title="激光笔", description="绿色激光笔大功率")
    assert every_occurrence(listing, ("title", 0, 3)) == [("description", 2, 5), ("title", 0, 3)]
