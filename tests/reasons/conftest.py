"""Statements that the database takes, and an assessment to make them from."""

from __future__ import annotations

from typing import Any

import pytest

from models.domain.assessment import Assessment, CueFound, HazardScore, Language, Scenario, Sensitivity, Span, Versions
from models.domain.listing import EconomicOperator, Listing
from models.domain.risk import RiskLevel

ILLEGAL = {
    "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
    "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
    "illegal_content_legal_ground": "Regulation (EU) 2023/988, Article 5",
    "illegal_content_explanation": "The toy has small parts.",
    "content_type": ["CONTENT_TYPE_PRODUCT"],
    "category": "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
    "category_specification": ["KEYWORD_UNSAFE_PRODUCTS"],
    "territorial_scope": ["DE", "GR"],
    "content_language": "DE",
    "content_date": "2026-03-30",
    "application_date": "2026-03-31",
    "decision_facts": "The offer was assessed before sale.",
    "source_type": "SOURCE_VOLUNTARY",
    "automated_detection": "Yes",
    "automated_decision": "AUTOMATED_DECISION_FULLY",
    "content_id": {"EAN-13": "4006381333931"},
    "puid": "hazardlens-0f0f",
}


@pytest.fixture
def statement() -> dict[str, Any]:
    """A whole statement; tests change one field each."""
    return dict(ILLEGAL)


@pytest.fixture
def listing() -> Listing:
    """A listing full of words that must not reach a public database."""
    return Listing(
        id="SELLER-REF-77",
        title="Zorblax rattle from Jane Doe",
        description="Write to jane.doe@shop.example",
        brand="Zorblax",
        gtin="4006381333931",
        seller_id="seller-4711",
        target_countries=["de", "EL"],
        manufacturer=EconomicOperator(name="Doe Works", address="1 Private Lane", email="jane.doe@shop.example"),
    )


def assessment_of(listing: Listing, level: RiskLevel = RiskLevel.SERIOUS, hazard: str = "choking") -> Any:
    """Everything of an assessment but its decision."""
    scenario = Scenario(
        risk_type=hazard,
        kind="baby-rattle",
        consumers="very_vulnerable",
        sentence="A part comes off and blocks the airway of the child.",
        severity=4,
        p_unsafe=0.5,
        p_hazard=0.5,
        p_injury=0.001,
        probability=0.00025,
        band="> 1/10 000",
        level=level,
        sensitivity=Sensitivity(severity_up=level, severity_down=level, probability_up=level, probability_down=level),
    )
    return {
        "id": "0f" * 16,
        "listing_id": listing.id,
        "content_hash": "ab" * 32,
        "versions": Versions(model="m1", plan="default@1+00000000", taxonomy="safety-gate@2026.1"),
        "language": Language(code="de", confidence=0.9, covered=True),
        "risk_level": level,
        "level_probabilities": {each: 1.0 if each is level else 0.0 for each in RiskLevel},
        "risk_score": 0.9,
        "p_unsafe": 0.5,
        "hazards": [HazardScore(risk_type=hazard, probability=0.9, given_unsafe=0.9, flagged=True)],
        "scenario": None if level is RiskLevel.NONE else scenario,
        "kinds": [],
        "cues": [
            CueFound(
                cue="small-parts",
                effect="aggravating",
                negated=False,
                span=Span(field="title", start=0, end=7, text="Zorblax"),
            )
        ],
        "abstains": [],
        "notes": [],
    }


@pytest.fixture
def assessment(listing: Listing) -> Assessment:
    """An assessment of the listing; the decision in it plays no part here."""
    from models.domain.action import Action
    from models.domain.assessment import Decision

    decision = Decision(action=Action.BLOCK, rules=["r"], reasons=["Reason."])
    return Assessment(**assessment_of(listing), decision=decision)
