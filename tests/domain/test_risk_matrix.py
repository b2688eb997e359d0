"""Severity x probability -> level, against FACTS 4.2 written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.risk import BANDS, MATRIX_RANKS, RiskLevel, band_index, band_indices, highest, risk_level

LETTERS = {"L": RiskLevel.LOW, "M": RiskLevel.MEDIUM, "H": RiskLevel.HIGH, "S": RiskLevel.SERIOUS}
MATRIX = [
    # a probability inside the band, its label, levels of severity 1 2 3 4
    (0.75, "> 50 %", "HSSS"),
    (0.3, "> 1/10", "MSSS"),
    (0.05, "> 1/100", "MSSS"),
    (0.005, "> 1/1 000", "LHSS"),
    (0.0005, "> 1/10 000", "LMHS"),
    (0.00005, "> 1/100 000", "LLMH"),
    (0.000005, "> 1/1 000 000", "LLLM"),
    (0.0000005, "<= 1/1 000 000", "LLLL"),
]
CELLS = [(p, severity, LETTERS[row[severity - 1]]) for p, _, row in MATRIX for severity in (1, 2, 3, 4)]
EDGES = [0.5, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001]

probabilities = st.one_of(
    st.floats(0, 1),
    st.sampled_from([0.0, 1.0, *EDGES]),
    st.floats(-9, 0).map(lambda power: 10.0**power),
)
severities = st.integers(1, 4)


@pytest.mark.parametrize(("probability", "severity", "level"), CELLS)
def test_every_cell_is_that_of_the_guidelines(probability: float, severity: int, level: RiskLevel) -> None:
    assert risk_level(severity, probability) == level


@pytest.mark.parametrize(("probability", "label"), [(p, label) for p, label, _ in MATRIX])
def test_every_band_has_the_label_that_the_guidelines_print(probability: float, label: str) -> None:
    assert BANDS[band_index(probability)].label == label


@pytest.mark.parametrize(("row", "edge"), list(enumerate(EDGES)))
def test_a_probability_on_a_band_edge_belongs_to_the_lower_band(row: int, edge: float) -> None:
    assert band_index(edge) == row + 1


@pytest.mark.parametrize(("row", "edge"), list(enumerate(EDGES)))
def test_a_probability_just_above_a_band_edge_belongs_to_the_upper_band(row: int, edge: float) -> None:
    assert band_index(float(np.nextafter(edge, 1.0))) == row


def test_zero_lies_in_the_last_band_and_one_in_the_first() -> None:
    assert (band_index(0.0), band_index(1.0)) == (7, 0)


@given(severities, probabilities, probabilities)
def test_more_probability_never_lowers_the_level(severity: int, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert risk_level(severity, less).rank <= risk_level(severity, more).rank


@given(severities, severities, probabilities)
def test_more_severity_never_lowers_the_level(one: int, other: int, probability: float) -> None:
    less, more = sorted((one, other))
    assert risk_level(less, probability).rank <= risk_level(more, probability).rank


@given(st.lists(probabilities, min_size=1, max_size=20))
def test_bands_of_an_array_are_those_of_its_members(members: list[float]) -> None:
    assert band_indices(np.array(members)).tolist() == [band_index(p) for p in members]


def test_the_matrix_as_an_array_holds_the_same_cells() -> None:
    assert [[list(LETTERS.values())[rank - 1] for rank in row] for row in MATRIX_RANKS.tolist()] == [
        [LETTERS[letter] for letter in row] for _, _, row in MATRIX
    ]


def test_the_folding_chair_of_the_guidelines_is_a_low_risk() -> None:
    assert risk_level(1, 1 / 500) == RiskLevel.LOW


@pytest.mark.parametrize("severity", [0, 5, -1, 2.5])
def test_a_severity_outside_one_to_four_is_refused(severity: int) -> None:
    with pytest.raises(ValueError, match=rf"severity {severity}"):
        risk_level(severity, 0.1)


@pytest.mark.parametrize("probability", [-1e-9, 1.0000001, float("nan"), float("inf")])
def test_a_probability_outside_zero_to_one_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="not within 0 and 1"):
        risk_level(1, probability)


def test_a_product_is_as_risky_as_its_worst_scenario() -> None:
    assert highest([RiskLevel.LOW, RiskLevel.HIGH, RiskLevel.MEDIUM]) == RiskLevel.HIGH


def test_a_product_without_a_scenario_has_no_level() -> None:
    assert highest([]) == RiskLevel.NONE


def test_levels_rank_from_none_to_serious() -> None:
    ranked = sorted(RiskLevel, key=lambda level: level.rank)
    assert [level.value for level in ranked] == ["none", "low", "medium", "high", "serious"]
