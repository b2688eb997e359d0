from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.errors import InputError
from models.domain.listing import LIMITS, Caption, EconomicOperator, Listing, SellerHistory
from models.sources.listing_fields import FIELDS
from models.sources.listings import iter_listings, listing_of, read_listings, to_json_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from([*FIELDS, "lang", "ean", "price_old"])
CLEAN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
FILLED = CLEAN.filter(str.strip)
LISTINGS = st.builds(
    Listing, id=FILLED.map(str.strip), title=CLEAN, description=CLEAN, category=CLEAN, brand=CLEAN, gtin=CLEAN,
    model=CLEAN, price=CLEAN, language=CLEAN.map(lambda t: t[:20]), seller_id=CLEAN,
    attributes=st.dictionaries(CLEAN, CLEAN, max_size=3),
    captions=st.lists(st.builds(Caption, text=FILLED, source=st.sampled_from(["given", "ocr", "caption", "mark"]),
                                confidence=st.floats(0, 1), picture=CLEAN, mark=st.sampled_from(["", "ce"]),
                                failure=CLEAN), max_size=3),
    target_countries=st.lists(st.sampled_from(["DE", "FR", "IE"]), unique=True),
    manufacturer=st.none() | st.builds(EconomicOperator, name=FILLED, address=CLEAN, email=CLEAN),
    warnings=st.lists(FILLED, max_size=2),
)  # fmt: skip


def lines(tmp_path: Path, *rows: Any) -> Path:
    path = tmp_path / "l.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n", encoding="utf-8")
    return path


@settings(max_examples=60, deadline=None)
@given(listings=st.lists(LISTINGS, max_size=4))
def test_a_listing_written_as_a_line_is_read_back_equal_and_without_notes(listings: list[Listing]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l.jsonl"
        path.write_text("".join(to_json_line(listing) + "\n" for listing in listings), encoding="utf-8")
        found, _ = read_listings(path)
    assert [o.listing for o in found] == listings
    assert [o.notes for o in found] == [[] for _ in listings]


@settings(max_examples=200, deadline=None)
@given(record=st.dictionaries(NAMES, JSON, max_size=8))
def test_any_object_whatsoever_becomes_a_listing(record: dict[str, Any]) -> None:
    outcome = listing_of(record, 3)
    assert outcome.listing is not None
    assert outcome.error is None
    assert outcome.id == outcome.listing.id


@settings(max_examples=100, deadline=None)
@given(content=st.lists(st.binary(max_size=40), max_size=6))
def test_every_line_of_any_bytes_gives_exactly_one_outcome(content: list[bytes]) -> None:
    rows = [c.replace(b"\n", b"") for c in content]
    magic = (b"PAR1", b"PK", b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
    rows = [r for r in rows if not r.startswith(magic)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l.jsonl"
        path.write_bytes(b"\n".join(rows))
        found, report = read_listings(path)
    expected = [i for i, r in enumerate(rows, 1) if r.decode("utf-8", "replace").strip()]
    assert [o.row for o in found] == expected
    assert all((o.listing is None) == (o.error is not None) for o in found)
    assert report.rows == len(found)


def test_a_row_that_cannot_be_read_names_row_and_mend_and_the_next_goes_on(tmp_path: Path) -> None:
    path = lines(tmp_path, {"id": "a", "title": "x"}, '{"id": "b", ', "", "7", {"id": "c", "title": "y"})
    found, report = read_listings(path)
    assert [(o.row, o.id, o.listing is not None) for o in found] == [
        (1, "a", True), (2, "row-2", False), (4, "row-4", False), (5, "c", True),
    ]  # fmt: skip
    assert "line 2" in str(found[1].error)
    assert "one complete JSON object a line" in str(found[1].error)
    assert "not an object" in str(found[2].error)
    assert (report.read, report.refused) == (2, 2)


def test_a_file_of_unreadable_rows_still_gives_one_outcome_each(tmp_path: Path) -> None:
    found, report = read_listings(lines(tmp_path, "{", "nonsense"))
    assert [o.error is not None for o in found] == [True, True]
    assert report.refused == 2


def test_a_full_listing_keeps_every_field(samples: Path) -> None:
    found, report = read_listings(samples / "listings.jsonl")
    by_id = {o.id: o.listing for o in found}
    train = by_id["li-005"]
    assert len(found) == len(by_id) == 62
    assert report.refused == 0
    assert not [o.notes for o in found if o.notes]
    assert train is not None
    assert train.manufacturer is not None
    assert train.manufacturer.email == "hej@knopskud.example"
    assert train.attributes["Pieces"] == "42"
    assert (train.gtin, train.model) == ("0000000000017", "KT-42")
    magnets = by_id["li-003"]
    assert magnets is not None
    assert magnets.captions[1] == Caption(text="NOT FOR CHILDREN", source="ocr", confidence=0.71)
    assert {"ar", "he", "ja", "zh", "ru", "th"} <= {listing.language for listing in by_id.values() if listing}


@pytest.mark.parametrize(
    ("record", "field", "value", "note"),
    [
        ({"title": "a"}, "id", "row-9", "id: missing; row-9 was given"),
        ({"id": " ", "title": "a"}, "id", "row-9", "id: missing"),
        ({"id": "1"}, "title", "", "title: missing; left empty"),
        ({"id": "1", "title": "x" * 1_001}, "title", "x" * 1_000, "title: 1001 characters, cut to 1000"),
        ({"id": "1", "title": "a\x00b"}, "title", "a b", "title: control characters"),
        ({"id": "1", "title": "a\ud83d"}, "title", "a?", "broken characters"),
        ({"id": "1", "title": ["a", "b"]}, "title", '["a", "b"]', "title: a list; kept as text"),
        ({"id": 7, "title": 8.0}, "title", "8", None),
        ({"id": "1", "title": "a", "lang": "de"}, "language", "de", None),
        ({"id": "1", "title": "a", "lang": "de", "language": "fr"}, "language", "fr", None),
        ({"id": "1", "title": "a", "ean": 4012345678901.0}, "gtin", "4012345678901", None),
        ({"id": "1", "title": "a", "price": 3.5}, "price", "3.5", None),
        ({"id": "1", "title": "a", "captions": "x ; y"}, "captions", [Caption(text="x"), Caption(text="y")], None),
        ({"id": "1", "title": "a", "captions": '["x"]'}, "captions", [Caption(text="x")], None),
        ({"id": "1", "title": "a", "captions": ["x", None, " "]}, "captions", [Caption(text="x")], None),
        ({"id": "1", "title": "a", "captions": [{"text": "x", "source": "robot"}]}, "captions",
         [Caption(text="x")], "source 'robot' is none of"),
        ({"id": "1", "title": "a", "captions": [{"text": "x", "confidence": 7}]}, "captions",
         [Caption(text="x")], "confidence 7 is not within"),
        ({"id": "1", "title": "a", "captions": [{"text": "x", "mark": "C E"}]}, "captions",
         [Caption(text="x")], "mark 'C E' is no code"),
        ({"id": "1", "title": "a", "captions": [{"text": "", "source": "ocr", "failure": "took too long"}]}, "captions",
         [Caption(text="", source="ocr", failure="took too long")], None),
        ({"id": "1", "title": "a", "captions": ["x"] * 60}, "captions", [Caption(text="x")] * 50, "60 given"),
        ({"id": "1", "title": "a", "attributes": '{"k": 1, "n": null}'}, "attributes", {"k": "1"}, None),
        ({"id": "1", "title": "a", "attributes": "Colour: red ; Size: M"}, "attributes",
         {"Colour": "red", "Size": "M"}, None),
        ({"id": "1", "title": "a", "attributes": [{"name": "k", "value": "v"}]}, "attributes", {"k": "v"}, None),
        ({"id": "1", "title": "a", "attributes": "red"}, "attributes", {}, "attributes: no names and values"),
        ({"id": "1", "title": "a", "attributes": "{broken"}, "attributes", {}, "attributes: no names and values"),
        ({"id": "1", "title": "a", "target_countries": "de, FR;Germany"}, "target_countries", ["DE", "FR"],
         "'Germany' is no ISO 3166-1"),
        ({"id": "1", "title": "a", "manufacturer": "Example GmbH"}, "manufacturer",
         EconomicOperator(name="Example GmbH"), None),
        ({"id": "1", "title": "a", "manufacturer": ["x"]}, "manufacturer", None, "neither an object nor a name"),
        ({"id": "1", "title": "a", "warnings": "hot ; sharp"}, "warnings", ["hot", "sharp"], None),
    ],
)  # fmt: skip
def test_odd_values_are_mended_with_a_note(record: dict[str, Any], field: str, value: Any, note: str | None) -> None:
    outcome = listing_of(record, 9)
    assert getattr(outcome.listing, field) == value
    if note is None:
        assert outcome.notes == []
    else:
        assert any(note in line for line in outcome.notes)


def test_more_attributes_than_the_limit_are_cut_with_a_note() -> None:
    outcome = listing_of({"id": "1", "title": "a", "attributes": {str(i): i for i in range(300)}})
    assert outcome.listing is not None
    assert len(outcome.listing.attributes) == LIMITS["attributes"]
    assert "attributes: 300 given, the first 200 kept" in outcome.notes


def test_nesting_to_the_edge_of_the_parser_is_survived(tmp_path: Path) -> None:
    deep = "[" * 900 + "]" * 900
    outcome = read_listings(lines(tmp_path, f'{{"id": "1", "title": {deep}, "captions": [{deep}]}}'))[0][0]
    assert (outcome.listing is None) == (outcome.error is not None)


def test_broken_bytes_are_repaired_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(b"id,title,color\n1,caf\xe9,red\n2,tea,red\n")
    found, report = read_listings(path)
    assert found[0].listing is not None
    assert found[0].listing.title == "caf\ufffd"
    assert found[0].notes == ["encoding: 1 bytes that are no UTF-8 were replaced"]
    assert found[1].notes == []
    assert (report.replaced_bytes, report.repaired, report.ignored_columns) == (1, 1, ["color"])


def test_ragged_rows_of_a_csv_give_an_error_each(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("id,title\n1\n2,b\n3,c,d\n", encoding="utf-8")
    found, _ = read_listings(path)
    assert [(o.row, o.error is None) for o in found] == [(2, False), (3, True), (4, False)]
    assert "quote cells" in str(found[2].error)


def test_a_table_without_title_and_description_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("id,name\n1,a\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"column 'title'.*columns found: id, name"):
        read_listings(path)


def test_parquet_with_nested_fields_is_read(tmp_path: Path) -> None:
    path = tmp_path / "l.parquet"
    columns = {
        "id": ["1", None], "title": ["lamp", "cup"], "captions": [["x", "y"], None],
        "attributes": pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string())),
        "manufacturer": [{"name": "Example GmbH"}, None],
    }  # fmt: skip
    pq.write_table(pa.table(columns), path)
    found, _ = read_listings(path)
    first = found[0].listing
    assert first is not None
    assert [c.text for c in first.captions] == ["x", "y"]
    assert first.attributes == {"k": "v"}
    assert first.manufacturer == EconomicOperator(name="Example GmbH")
    assert found[1].id == "row-2"


def test_what_is_known_of_the_seller_is_read_and_what_is_no_value_is_noted() -> None:
    known = listing_of({"id": "1", "title": "a", "seller": {"removals": 3, "suspended": False, "since": 2020}})
    assert known.listing is not None
    assert known.listing.seller == SellerHistory(removals=3, suspended=False)
    cell = listing_of({"id": "1", "title": "a", "seller": '{"prior_warnings": "many", "removals": 2}'})
    assert cell.listing is not None
    assert cell.listing.seller == SellerHistory(removals=2)
    assert cell.notes == ["seller.prior_warnings: 'many' is no value of it; taken as not known"]
    for other, note in (("s-104", "seller: not readable as JSON; left out"), ([1], "seller: no object; left out")):
        outcome = listing_of({"id": "1", "title": "a", "seller": other})
        assert outcome.listing is not None
        assert outcome.listing.seller is None
        assert outcome.notes == ([note] if isinstance(other, list) else outcome.notes)


def test_the_country_of_an_operator_is_read_and_what_is_none_is_noted() -> None:
    outcome = listing_of(
        {
            "id": "1",
            "title": "a",
            "manufacturer": {"name": "M", "country": "cn"},
            "responsible_person": {"country": "Eire"},
        }
    )
    assert outcome.listing is not None
    assert outcome.listing.manufacturer == EconomicOperator(name="M", country="CN")
    assert outcome.listing.responsible_person == EconomicOperator()
    assert outcome.notes == ["responsible_person.country: 'Eire' is no ISO 3166-1 alpha-2 code; left out"]


def test_listings_stream_one_by_one(samples: Path) -> None:
    stream = iter_listings(samples / "listings.jsonl")
    assert next(stream).id == "li-001"
    stream.close()  # type: ignore[attr-defined]
