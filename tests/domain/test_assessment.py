"""The id of an answer, and its small rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.domain.assessment import HazardScore, Sensitivity, Versions, assessment_id
from models.domain.risk import RiskLevel

BASE = {"content_hash": "c", "listing_id": "l", "model": "m", "plan": "p", "taxonomy": "t"}


def identity(content_hash: str, listing_id: str, model: str, plan: str, taxonomy: str) -> str:
    return assessment_id(content_hash, listing_id, Versions(model=model, plan=plan, taxonomy=taxonomy))


@given(st.fixed_dictionaries({part: st.text(max_size=10) for part in BASE}))
def test_an_id_is_32_hex_digits_and_equal_for_equal_input(parts: dict[str, str]) -> None:
    assert re.fullmatch("[0-9a-f]{32}", identity(**parts))
    assert identity(**parts) == identity(**dict(parts))


@pytest.mark.parametrize("part", BASE)
def test_content_listing_and_each_version_change_the_id(part: str) -> None:
    assert identity(**BASE) != identity(**{**BASE, part: "other"})


def test_parts_cannot_flow_into_each_other() -> None:
    assert identity("ab", "c", "m", "p", "t") != identity("a", "bc", "m", "p", "t")


def test_a_score_outside_zero_to_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="probability"):
        HazardScore(risk_type="fire", probability=1.01, given_unsafe=0.5, flagged=True)


def test_a_scenario_is_stable_when_no_single_step_changes_the_level() -> None:
    same = dict.fromkeys(("severity_up", "severity_down", "probability_up", "probability_down"), RiskLevel.LOW)
    assert Sensitivity(**same).stable
    assert not Sensitivity(**{**same, "severity_up": RiskLevel.MEDIUM}).stable
