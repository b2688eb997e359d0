"""Alerts become examples without what only an inspector knows; examples become listings."""

from __future__ import annotations

import dataclasses
import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from models.domain.alert import Alert, AlertLevel, Example
from models.domain.listing import LIMITS

ALERT = Alert(
    source="safety-gate",
    reference="SR/04459/25",
    title="Toy phone",
    risk_types=("choking",),
    level=AlertLevel.SERIOUS,
    date=dt.date(2025, 3, 1),
    category="Toys",
    brand="Bimbo",
    description="Pink plastic phone.",
    captions=("a pink phone",),
    hazard_text="SECRET-HAZARD",
    measures="SECRET-MEASURE",
    country_of_notification="SECRET-NOTIFIER",
    country_of_origin="SECRET-ORIGIN",
    models=("SECRET-MODEL",),
    barcodes=("SECRET-BARCODE",),
    batches=("SECRET-BATCH",),
    url="https://SECRET.example",
    unknown_labels=("SECRET-LABEL",),
)


def test_an_example_holds_nothing_that_states_the_defect_or_the_measures() -> None:
    # The address of the notice is for people who look at evidence; nothing else of it is kept.
    assert "SECRET" not in repr(dataclasses.replace(ALERT.to_example(), url=""))


def test_the_level_of_a_notice_is_no_level_of_the_example() -> None:
    assert ALERT.to_example().risk_level is None


def test_an_example_keeps_what_a_seller_writes_and_the_labels() -> None:
    assert ALERT.to_example() == Example(
        id="SR/04459/25",
        date="2025-03-01",
        lang="en",
        title="Toy phone",
        brand="Bimbo",
        category="Toys",
        description="Pink plastic phone.",
        captions=("a pink phone",),
        labels=("choking",),
        source="safety-gate",
        url=ALERT.url,
    )


def test_a_listing_made_of_an_example_holds_no_label_and_no_source() -> None:
    written = ALERT.to_example().to_listing().model_dump_json(exclude={"id"})
    assert not any(word in written for word in ("choking", "safety-gate", "2025-03-01", "serious"))


def test_an_alert_without_a_date_gives_an_example_without_one() -> None:
    assert dataclasses.replace(ALERT, date=None).to_example().date == ""


@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.text(max_size=5), max_size=60))
def test_every_example_becomes_a_listing(identity: str, title: str, captions: list[str]) -> None:
    listing = Example(id=identity, title=title, captions=tuple(captions)).to_listing()
    assert listing.id
    assert len(listing.captions) == min(len(captions), LIMITS["captions"])


def test_an_example_longer_than_the_limits_is_cut_to_them() -> None:
    listing = Example(id="i" * 999, title="t" * 9_999, description="d" * 999_999, lang="x" * 99).to_listing()
    assert (len(listing.id), len(listing.title), len(listing.description)) == (200, 1_000, 100_000)


def test_the_fingerprint_follows_text_and_labels_but_not_id_and_source() -> None:
    example = ALERT.to_example()
    same = dataclasses.replace(example, id="other", source="elsewhere", extra={"x": "y"})
    assert same.fingerprint() == example.fingerprint()
    for change in (
        {"title": "x"},
        {"description": "x"},
        {"captions": ()},
        {"labels": ("fire",)},
        {"labels": None},
        {"labels": ()},
    ):
        assert dataclasses.replace(example, **change).fingerprint() != example.fingerprint()
