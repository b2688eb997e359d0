"""The label set: what ships, dirty labels, foreign files, and errors that name place and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy, fold_label, load_taxonomy

RISK_TYPES = (
    "asphyxiation",
    "burns",
    "chemical",
    "choking",
    "cuts",
    "damage to hearing",
    "damage to sight",
    "drowning",
    "electric shock",
    "electromagnetic disturbance",
    "energy consumption",
    "entrapment",
    "environment",
    "fire",
    "health risk / other",
    "injuries",
    "incorrect measurement",
    "microbiological",
    "security",
    "strangulation",
    "suffocation",
    "other",
)

DIRTY = [
    ("Type of risk: Electric shock, Injuried", ("electric shock", "injuries")),
    ("Strangulation / Injuries", ("strangulation", "injuries")),
    ("Strangulation/Injuries", ("strangulation", "injuries")),
    ("  CHOKING ;fire; ", ("choking", "fire")),
    ("ELECTRIC_SHOCK", ("electric shock",)),
    ("riskType.ELECTRIC_SHOCK", ("electric shock",)),
    ("Eletric  shock", ("electric shock",)),
    ("electric chock", ("electric shock",)),
    ("Chocking", ("choking",)),
    ("Chemcial", ("chemical",)),
    ("Risk of chemical", ("chemical",)),
    ("Injures", ("injuries",)),
    ("Micro-biological", ("microbiological",)),
    ("Damage to eyesight", ("damage to sight",)),
    ("Damage to hearing and burns", ("damage to hearing", "burns")),
    ("Health risk / other", ("health risk / other",)),
    ("health risk/other", ("health risk / other",)),
    ("Health risk / other, Fire", ("health risk / other", "fire")),
    ("MEASUREMENT_INCORRECT", ("incorrect measurement",)),
    ("Choking|Fire|Choking", ("choking", "fire")),
    ("ｆｉｒｅ", ("fire",)),
    ("", ()),
    (" ; , ", ()),
]


def test_the_22_risk_types_of_safety_gate_ship(taxonomy: Taxonomy) -> None:
    assert sorted(taxonomy.names) == sorted(RISK_TYPES)


def test_every_key_is_a_value_of_the_safety_gate_enumeration(taxonomy: Taxonomy) -> None:
    assert all(risk.key == risk.key.upper().replace(" ", "_") for risk in taxonomy.risk_types)
    assert len({risk.key for risk in taxonomy.risk_types}) == 22


def test_the_id_names_taxonomy_and_version(taxonomy: Taxonomy) -> None:
    assert taxonomy.id == f"{taxonomy.name}@{taxonomy.version}"


def test_consumer_categories_leave_out_what_no_consumer_buys(taxonomy: Taxonomy) -> None:
    assert set(taxonomy.categories) - set(taxonomy.consumer_categories) == {
        "Eco-design",
        "Explosive atmospheres equipment",
        "Lifts",
        "Rail and guided transport",
        "Waste",
    }


@pytest.mark.parametrize(("raw", "names"), DIRTY)
def test_dirty_labels_are_cleaned(taxonomy: Taxonomy, raw: str, names: tuple[str, ...]) -> None:
    parsed = taxonomy.parse_labels(raw)
    assert (parsed.names, parsed.unknown) == (names, ())


def test_an_unknown_label_becomes_other_and_is_reported_as_written(taxonomy: Taxonomy) -> None:
    parsed = taxonomy.parse_labels("Fire; Bad Luck")
    assert (parsed.names, parsed.unknown) == (("fire", "other"), ("Bad Luck",))


def test_a_taxonomy_without_a_fallback_drops_and_reports_what_it_does_not_know(tmp_path: Path) -> None:
    parsed = load_taxonomy(written(tmp_path, "risk_types: [fire]")).parse_labels("fire, magic")
    assert (parsed.names, parsed.unknown) == (("fire",), ("magic",))


@given(st.data())
def test_every_name_key_and_alias_reads_as_its_risk_type_in_any_case(data: st.DataObject) -> None:
    taxonomy = load_taxonomy()
    risk = data.draw(st.sampled_from(taxonomy.risk_types))
    spelling = data.draw(st.sampled_from([risk.name, risk.key, risk.label, *risk.aliases]))
    cased = data.draw(st.sampled_from([str.upper, str.lower, str.title]))(spelling)
    assert taxonomy.parse_labels(f"  {cased} ").names == (risk.name,)


@given(st.text(max_size=60))
def test_any_string_is_read_as_names_of_the_taxonomy_without_repeats(raw: str) -> None:
    taxonomy = load_taxonomy()
    names = taxonomy.parse_labels(raw).names
    assert set(names) <= set(taxonomy.names)
    assert len(set(names)) == len(names)


@given(st.text("aB _.:;", max_size=20))
def test_folding_leaves_no_capital_no_underscore_and_no_double_space(raw: str) -> None:
    folded = fold_label(raw)
    assert not any(sign in folded for sign in ("B", "_", "  "))


def test_defaults_give_a_severity_for_each_consumer_group(taxonomy: Taxonomy) -> None:
    choking = taxonomy.risk_type("choking")
    assert [choking.severity_for(group) for group in ("very_vulnerable", "vulnerable", "other")] == [4, 4, 3]


def test_asking_for_a_risk_type_that_is_none_is_a_key_error(taxonomy: Taxonomy) -> None:
    with pytest.raises(KeyError, match="magic"):
        taxonomy.risk_type("magic")


def test_another_label_set_is_read_from_another_file(tmp_path: Path) -> None:
    foreign = load_taxonomy(
        written(
            tmp_path,
            """
name: toys
version: "7"
fallback_risk_type: misc
risk_types: [{name: sharp, severity: [3, 2, 1], injury: 0.01, aliases: [pointy]}, misc]
product_categories: [{name: Dolls}, {name: Forklifts, consumer: false}]
""",
        )
    )
    assert foreign.id == "toys@7"
    assert foreign.names == ("sharp", "misc")
    assert foreign.consumer_categories == ("Dolls",)
    assert foreign.parse_labels("POINTY, haunted").names == ("sharp", "misc")


def test_a_number_that_yaml_reads_as_text_is_still_a_number(tmp_path: Path) -> None:
    assert load_taxonomy(written(tmp_path, "risk_types: [{name: fire, injury: 1e-4}]")).risk_types[0].injury == 1e-4


WRONG_FILES = [
    ("a list", "- fire", "risk_types", "name"),
    ("no risk types", "name: x", "risk_types", "name"),
    ("empty risk types", "risk_types: []", "risk_types", "name"),
    ("no name", "risk_types: [{label: Fire}]", "risk_types[0]", "name"),
    ("a number for a risk type", "risk_types: [fire, 7]", "risk_types[1]", "name"),
    ("a name twice", "risk_types: [fire, fire]", "'fire' stands twice", "unique"),
    ("short severity", "risk_types: [{name: fire, severity: [1, 2]}]", "risk_types[0]", "1, 2, 3, 4"),
    ("severity 5", "risk_types: [{name: fire, severity: [1, 2, 5]}]", "severity [1, 2, 5]", "1, 2, 3, 4"),
    ("injury above 1", "risk_types: [{name: fire, injury: 2}]", "injury 2", "probability"),
    ("injury 0", "risk_types: [{name: fire, injury: 0}]", "injury 0", "probability"),
    ("injury in words", "risk_types: [{name: fire, injury: often}]", "injury 'often'", "probability"),
    ("injury nothing", "risk_types: [{name: fire, injury: }]", "injury None", "probability"),
    ("aliases as a string", "risk_types: [{name: fire, aliases: blaze}]", "aliases 'blaze'", "list"),
    ("foreign levels", "risk_types: [fire]\nrisk_levels: [{name: low}]", "risk_levels", "order"),
    ("levels without names", "risk_types: [fire]\nrisk_levels: [low]", "risk_levels", "name"),
    ("categories without names", "risk_types: [fire]\nproduct_categories: [Toys]", "product_categories", "name"),
    ("unknown fallback", "risk_types: [fire]\nfallback_risk_type: misc", "'misc'", "risk_types"),
    ("no YAML", "risk_types: [fire", "YAML", ""),
]


@pytest.mark.parametrize(("content", "wrong", "mend"), [c[1:] for c in WRONG_FILES], ids=[c[0] for c in WRONG_FILES])
def test_a_wrong_taxonomy_names_file_value_and_mend(tmp_path: Path, content: str, wrong: str, mend: str) -> None:
    file = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        load_taxonomy(file)
    assert str(file) in str(caught.value)
    assert wrong in str(caught.value)
    assert mend in caught.value.hint


def test_a_missing_taxonomy_file_is_named_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml: no such taxonomy file \(give --taxonomy"):
        load_taxonomy(tmp_path / "absent.yaml")


def test_a_directory_for_a_taxonomy_file_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=str(tmp_path)):
        load_taxonomy(tmp_path)


def test_a_file_that_is_not_utf_8_is_a_named_error(tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.yaml"
    file.write_bytes("risk_types: [brûlure]".encode("latin-1"))
    with pytest.raises(InputError, match=str(file)):
        load_taxonomy(file)


def written(directory: Path, content: str) -> Path:
    file = directory / "taxonomy.yaml"
    file.write_text(content, encoding="utf-8")
    return file
