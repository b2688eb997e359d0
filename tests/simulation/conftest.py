"""Assessments, listings and plans of every shape."""

from __future__ import annotations

import datetime as dt
from typing import Any

import yaml
from hypothesis import strategies as st

from models.domain.action import Action
from models.domain.assessment import (
    CueFound,
    Findings,
    HazardScore,
    KindGuess,
    Language,
    Scenario,
    Sensitivity,
    Span,
    Versions,
)
from models.domain.listing import EconomicOperator, Listing, SellerHistory
from models.domain.risk import RiskLevel
from models.simulation.replay import PlanText

DAY = dt.date(2026, 3, 31)
_SHARE = st.floats(0, 1)
_LEVEL = st.sampled_from(list(RiskLevel))
_HAZARDS = ("choking", "fire", "chemical")
_KINDS = ("laser-pointer", "soft-toy", "t-shirt")
CONDITIONS = (
    'level >= "high"',
    'level == "medium" and risk_score >= 0.5',
    'hazard("fire") > 0.3',
    "abstains or not language_covered",
    '"laser-pointer" in kinds',
    "prohibited",
    "seller_removals >= 3",
    "not (seller_warnings > 1)",
    "targets_eea and not traceability_complete",
    "count(countries_without_warnings) > 0",
    'p_unsafe > threshold("cut")',
    'severity >= 3 or consumers == "very_vulnerable"',
    "recall_match >= 0.5",
    "true",
)


@st.composite
def listings(draw: st.DrawFn) -> Listing:
    """Listings with and without what plans look at."""
    operator = st.builds(
        EconomicOperator, name=st.sampled_from(["", "Doe"]), address=st.sampled_from(["", "Paris, FR"])
    )
    return Listing(
        id=draw(st.text("abc123", min_size=1, max_size=6)),
        title=draw(st.text(max_size=20).map(lambda t: t.replace("\x00", ""))),
        brand=draw(st.sampled_from(["", "Acme"])),
        target_countries=draw(st.lists(st.sampled_from(["DE", "fr", "US"]), max_size=2)),
        seller=draw(st.none() | st.builds(SellerHistory, prior_warnings=st.integers(0, 3), removals=st.integers(0, 5))),
        manufacturer=draw(st.none() | operator),
        responsible_person=draw(st.none() | operator),
    )


@st.composite
def findings(draw: st.DrawFn, listing: Listing) -> Findings:
    """What a model may find in a listing."""
    level = draw(_LEVEL)
    scenario = None
    if level is not RiskLevel.NONE:
        scenario = Scenario(
            risk_type=draw(st.sampled_from(_HAZARDS)),
            kind=draw(st.sampled_from(_KINDS)),
            consumers=draw(st.sampled_from(["very_vulnerable", "vulnerable", "other"])),
            sentence="It happens.",
            severity=draw(st.integers(1, 4)),
            p_unsafe=draw(_SHARE),
            p_hazard=0.5,
            p_injury=0.5,
            probability=0.1,
            band="> 1/100",
            level=level,
            sensitivity=Sensitivity(
                severity_up=level, severity_down=level, probability_up=level, probability_down=level
            ),
        )
    span = Span(field="title", start=0, end=0, text="")
    cues = [CueFound(cue="small-parts", effect="aggravating", negated=draw(st.booleans()), span=span)]
    return Findings(
        id="0" * 32,
        listing_id=listing.id,
        content_hash=listing.content_hash(),
        versions=Versions(model="m", plan="p", taxonomy="t"),
        language=Language(code=draw(st.sampled_from(["de", "en", "und"])), confidence=0.5, covered=draw(st.booleans())),
        risk_level=level,
        level_probabilities=dict.fromkeys(RiskLevel, 0.2),
        risk_score=draw(_SHARE),
        p_unsafe=draw(_SHARE),
        hazards=[
            HazardScore(
                risk_type=name, probability=draw(_SHARE), given_unsafe=draw(_SHARE), flagged=draw(st.booleans())
            )
            for name in _HAZARDS
        ],
        scenario=scenario,
        kinds=[
            KindGuess(kind=kind, name=kind, category="Toys", probability=draw(_SHARE))
            for kind in draw(st.lists(st.sampled_from(_KINDS), unique=True, max_size=3))
        ],
        cues=draw(st.just(cues) | st.just([])),
        abstains=draw(st.just([]) | st.just(["no-text: nothing to read"])),
        notes=[],
        warning_languages=draw(st.just([]) | st.just(["de"])),
    )


@st.composite
def plan_texts(draw: st.DrawFn) -> str:
    """Plans of up to eight rules."""
    rules: list[dict[str, Any]] = []
    for i in range(draw(st.integers(1, 8))):
        rule = {
            "id": f"r{i}",
            "when": draw(st.sampled_from(CONDITIONS)),
            "action": draw(st.sampled_from([action.value for action in Action])),
            "reason": "Because.",
            "status": draw(st.sampled_from(["live", "live", "background", "draft", "expired"])),
        }
        if draw(st.booleans()):
            rule["queue"] = draw(st.sampled_from(["fast", "slow"]))
        rules.append(rule)
    return yaml.safe_dump(
        {
            "name": "drawn",
            "version": "1",
            "identify": {"prohibited_kinds": [{"kind": "laser-pointer", "reason": "Not here."}]},
            "assess": {"thresholds": {"cut": {"score": "p_unsafe", "otherwise": draw(_SHARE)}}},
            "classify": {
                "changes": [{"id": "up", "when": "p_unsafe > 0.8", "at_least": draw(_LEVEL).value, "reason": "Doubt."}]
            },
            "mitigate": {
                "otherwise": draw(st.sampled_from(["publish", "hold_for_review"])),
                "queues": {"fast": {"who": "a", "minutes": 2}, "slow": {"who": "b", "minutes": 9}},
                "rules": rules,
            },
        }
    )


def plan_of(text: str) -> PlanText:
    """A plan as simulations take it."""
    return PlanText(text, "plan.yaml", DAY)
