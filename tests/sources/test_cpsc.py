from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.alert import AlertLevel
from models.domain.taxonomy import Taxonomy
from models.sources.cpsc import read_recalls, without_recall
from models.sources.cpsc_hazards import RULES, hazards_in


def test_recalls_give_alerts_with_weak_labels(samples: Path, taxonomy: Taxonomy) -> None:
    (toy, heater, chest, lantern), report = read_recalls(samples / "cpsc_recalls.json", taxonomy, strict=True)
    assert report.label_kind == "weak"
    assert (toy.title, toy.risk_types) == ("Bead Caterpillar Pull Toys", ("choking",))
    assert toy.description.startswith("Bead Caterpillar pull toys with six painted segments. The toys were sold")
    assert toy.captions == ("Bead Caterpillar Pull Toy", "Lot number on the base")
    assert (toy.models, toy.barcodes) == (("BC-6", "BC-8"), ("0000000000062",))
    assert heater.risk_types == ("fire", "electric shock")
    assert chest.title == "Furniture Drawer Chests"
    assert lantern.risk_types == ()
    assert {a.level for a in (toy, heater, chest, lantern)} == {AlertLevel.UNKNOWN}


def test_nothing_listing_shaped_speaks_of_the_recall(samples: Path, taxonomy: Taxonomy) -> None:
    for alert in read_recalls(samples / "cpsc_recalls.json", taxonomy)[0]:
        assert "recall" not in repr(replace(alert.to_example(), url="")).casefold()


WORDS = ["This recall involves", "recalled", "lamps", "The", ".", "Recall", "blue.", "é", "“"]


@given(st.lists(st.sampled_from(WORDS)))
def test_cleaning_leaves_no_recall_whatever_the_text(words: list[str]) -> None:
    clean = without_recall(" ".join(words))
    assert "recall" not in clean.casefold()
    assert without_recall(clean) == clean


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The battery can overheat, posing a fire hazard and a risk of injury.", ["fire"]),
        ("The chest is unstable, posing tip-over and entrapment hazards.", ["entrapment", "injuries"]),
        ("The shock absorber can fail, posing a crash hazard.", ["injuries"]),
        ("The padding contains flame-retardant chemicals.", ["chemical"]),
        ("The blinds' cord can strangle a child.", ["strangulation"]),
        ("Small parts can come loose.", ["choking"]),
        ("The shampoo can contain bacteria.", ["microbiological"]),
        ("The lid can hurt users.", ["injuries"]),
        ("The heater can leak carbon monoxide.", ["asphyxiation"]),
        ("Magnets can be swallowed.", ["injuries"]),
        ("A bang can damage hearing.", ["damage to hearing"]),
        ("A part can cause eye damage.", ["damage to sight"]),
        ("The hook can behave in an odd way.", []),
    ],
)
def test_the_rules_read_the_hazard_sentence(sentence: str, expected: list[str]) -> None:
    assert hazards_in(sentence) == expected


def test_every_rule_names_a_risk_type_of_the_taxonomy_and_a_reason(taxonomy: Taxonomy) -> None:
    assert {name for rule in RULES for name in rule.risk_types} <= set(taxonomy.names)
    assert all(rule.why for rule in RULES)
