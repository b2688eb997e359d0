from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.sources import cpsc, opendatasoft, safety_gate_json
from models.sources.alert_fields import BadRecordError
from models.sources.report import ReadReport
from models.sources.safety_gate_json import read_portal

TAXONOMY = load_taxonomy()
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["reference", "product", "risk", "versions", "riskType", "name", "key", "id", "brands", "alert_number",
     "alert_type", "product_name", "RecallNumber", "Products",
     "Hazards", "Name", "Title", "Description", "Images", "publicationDate"]
)  # fmt: skip
RECORDS = st.recursive(st.dictionaries(KEYS, ANY, max_size=6), lambda r: st.dictionaries(KEYS, r | ANY, max_size=6))


def test_a_portal_detail_gives_an_alert_in_english_where_there_is_one(samples: Path, taxonomy: Taxonomy) -> None:
    (toy, lights), report = read_portal(samples / "safety_gate_portal.json", taxonomy, strict=True)
    assert toy.title == "Pull toy Bead caterpillar"
    assert toy.description == "Painted caterpillar of six wooden segments on a cord."
    assert (toy.date, toy.brand, toy.country_of_notification) == (dt.date(2030, 1, 4), "Tumblewick", "Denmark")
    assert (toy.models, toy.barcodes, toy.batches) == (("BC-6", "BC-8"), ("0000000000062",), ("T30-07",))
    assert toy.hazard_text == "The beads come off the axle easily."
    assert toy.measures == "Compulsory measures: Withdrawal of the product from the market"
    assert toy.country_of_origin == ""
    assert toy.url.endswith("/alertDetail/90001")
    assert (lights.language, lights.level.value) == ("et", "information")
    assert lights.risk_types == ("electric shock", "fire", "other")
    assert report.unknown_labels == {"Glare": 1}


@pytest.mark.parametrize("wrap", [lambda r: r, lambda r: [r], lambda r: {"content": [r], "totalPages": 1}])
def test_one_detail_a_list_and_a_page_are_read(tmp_path: Path, taxonomy: Taxonomy, wrap: Any) -> None:
    record = {"reference": "SR/1/30", "product": {"nameSpecific": "Lamp"}}
    path = tmp_path / "p.json"
    path.write_text(json.dumps(wrap(record)), encoding="utf-8")
    assert [a.title for a in read_portal(path, taxonomy)[0]] == ["Lamp"]


def test_bad_records_are_refused_by_number_and_the_next_goes_on(tmp_path: Path, taxonomy: Taxonomy) -> None:
    path = tmp_path / "p.json"
    path.write_text('[7, {"reference": "SR/1/30"}, {"reference": "SR/2/30", "product": {"nameSpecific": "Lamp"}}]')
    alerts, report = read_portal(path, taxonomy)
    assert len(alerts) == 1
    assert [(r.line, r.column) for r in report.refusals] == [(1, "reference"), (2, "product")]
    with pytest.raises(InputError, match="record 1: column 'reference'"):
        read_portal(path, taxonomy, strict=True)


def test_broken_json_names_line_and_column(tmp_path: Path, taxonomy: Taxonomy) -> None:
    path = tmp_path / "p.json"
    path.write_text('[\n{"reference": }]', encoding="utf-8")
    with pytest.raises(InputError, match="line 2: column 15"):
        read_portal(path, taxonomy)


@pytest.mark.parametrize("parse", [safety_gate_json.alert_of, opendatasoft.alert_of, cpsc.alert_of])
@settings(max_examples=150, deadline=None)
@given(record=RECORDS)
def test_no_record_breaks_a_reader(parse: Any, record: Any) -> None:
    try:
        alert = parse(record, TAXONOMY, ReadReport("x"))
    except BadRecordError:
        return
    assert alert.reference
    assert alert.title
