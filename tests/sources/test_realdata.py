from __future__ import annotations

import csv
from pathlib import Path

import pytest

from models.domain.taxonomy import Taxonomy
from models.sources.cpsc import without_recall
from models.sources.cpsc_hazards import hazards_in
from models.sources.detect import read_alerts
from models.sources.examples import read_examples, read_ordinary
from models.sources.listings import iter_listings

pytestmark = pytest.mark.realdata
LABELLED = {
    "safety_gate_alerts_2009_2011.csv": 5_106,
    "cpsc_recalls_to_2025.csv": 1_529,
    "cpsc_recalls_translated_to_2025.csv.gz": 7_429,
    "labelled_listings_dev.csv": 352,
}


@pytest.mark.parametrize("name", LABELLED)
def test_labelled_tables_are_read_whole_and_clean(realdata_dir: Path, taxonomy: Taxonomy, name: str) -> None:
    examples, report = read_examples(realdata_dir / name, taxonomy, strict=True)
    assert (len(examples), report.refused, report.replaced_bytes) == (LABELLED[name], 0, 0)
    assert not {"hazard_text", "raw_labels", "label_kind"} & {key for e in examples for key in e.extra}


def test_ordinary_listings_are_read_whole(realdata_dir: Path) -> None:
    examples, report = read_ordinary(realdata_dir / "ordinary_listings_sample.csv.gz", strict=True)
    assert len(examples) == 18_968
    assert report.ignored_columns == ["price"]


@pytest.mark.parametrize("name", [*LABELLED, "ordinary_listings_sample.csv.gz"])
def test_every_table_can_be_scored(realdata_dir: Path, name: str) -> None:
    outcomes = list(iter_listings(realdata_dir / name))
    assert not [o.error for o in outcomes if o.error]
    assert all(o.listing is not None and o.listing.id == o.id for o in outcomes)


def test_alert_tables_can_be_matched(realdata_dir: Path, taxonomy: Taxonomy) -> None:
    alerts, _ = read_alerts(realdata_dir / "safety_gate_alerts_2009_2011.csv", taxonomy, strict=True)
    assert len(alerts) == LABELLED["safety_gate_alerts_2009_2011.csv"]


def test_the_cpsc_rules_agree_with_the_labels_published_beside_the_sentences(realdata_dir: Path) -> None:
    with (realdata_dir / "cpsc_recalls_to_2025.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    agree = sum(set(hazards_in(r["hazard_text"])) == {x for x in r["labels"].split(";") if x} for r in rows)
    assert agree / len(rows) > 0.95
    assert not any("recall" in without_recall(r["description"]).casefold() for r in rows)
    kept = sum(len(without_recall(r["description"])) for r in rows) / sum(len(r["description"]) for r in rows)
    assert kept > 0.8
