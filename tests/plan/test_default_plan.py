"""The plan that ships: what a marketplace could start with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.domain.action import Action
from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.plan.document import plan_schema
from models.plan.facts import Circumstances, facts_of
from models.plan.names import FACTS
from models.plan.plan import Plan
from models.plan.reading import default_plan_file, read_plan
from models.plan.vocabulary import vocabulary_of

MAKER = {"name": "Knopskud ApS", "address": "Eksempelvej 2, Aarhus, DK", "email": "hej@knopskud.example"}


def assessed(level: str = "none", **fields: Any) -> dict[str, Any]:
    return {"risk_level": level, "risk_score": 0.1, "p_unsafe": 0.1, **fields}


def listing(**fields: Any) -> dict[str, Any]:
    return {"title": "Wooden blocks", "brand": "Knopskud", "manufacturer": MAKER, **fields}


def test_nothing_is_wrong_or_odd_about_it(taxonomy: Taxonomy, knowledge: Knowledge) -> None:
    assert read_plan(None, vocabulary_of(taxonomy, knowledge)).problems == []


def test_every_rule_gives_a_reason_and_cites_its_article(default_plan: Plan) -> None:
    cited = [basis for rule in default_plan.rules for basis in rule.spec.legal_basis]
    assert all(rule.spec.reason and rule.spec.legal_basis for rule in default_plan.rules)
    assert all(basis.startswith(("GPSR Article", "DSA Article", "Pledge")) for basis in cited)


def test_its_prohibited_kinds_are_those_of_the_knowledge_base(default_plan: Plan, knowledge: Knowledge) -> None:
    named = {entry.kind for entry in default_plan.document.identify.prohibited_kinds}
    assert named == {kind.id for kind in knowledge.kinds if kind.prohibited}


def test_the_published_schema_is_in_step() -> None:
    published = json.loads((datasets_dir() / "plans" / "schema.json").read_text(encoding="utf-8"))
    assert published == plan_schema(), "write it anew: hazardlens plan schema > datasets/plans/schema.json"


@pytest.mark.parametrize(
    ("level", "action"),
    [
        ("none", Action.PUBLISH),
        ("low", Action.PUBLISH),
        ("medium", Action.PUBLISH_WITH_WARNING),
        ("high", Action.HOLD_FOR_REVIEW),
        ("serious", Action.HOLD_FOR_REVIEW),
    ],
)
def test_it_acts_by_level(default_plan: Plan, level: str, action: Action) -> None:
    assert default_plan.decide_on(assessed(level), {"title": "Any"}).action == action


@pytest.mark.parametrize("level", RiskLevel)
@pytest.mark.parametrize("reason", ["language-not-covered: little is known", "no-text: nothing"])
def test_it_holds_what_the_model_abstains_from(default_plan: Plan, level: RiskLevel, reason: str) -> None:
    assert default_plan.decide_on(assessed(level, abstains=[reason]), {"title": ""}).action == Action.HOLD_FOR_REVIEW


def test_doubt_counts_against_products_for_infants(default_plan: Plan) -> None:
    scenario = {"risk_type": "choking", "severity": 4, "consumers": "very_vulnerable"}
    sure = default_plan.decide_on(assessed("medium", risk_score=0.1, scenario=scenario), listing())
    doubt = default_plan.decide_on(assessed("medium", risk_score=0.49, scenario=scenario), listing())
    adults = default_plan.decide_on(
        assessed("medium", risk_score=0.49, scenario={**scenario, "consumers": "other"}), listing()
    )
    assert (sure.action, doubt.action, adults.action) == (
        Action.PUBLISH_WITH_WARNING, Action.HOLD_FOR_REVIEW, Action.PUBLISH_WITH_WARNING,
    )  # fmt: skip
    assert doubt.level == RiskLevel.HIGH


def test_it_asks_for_traceability_only_where_the_offer_is_for_the_eea(default_plan: Plan) -> None:
    bare: dict[str, Any] = {"title": "Cotton bag"}
    assert default_plan.decide_on(assessed(), bare).action == Action.PUBLISH
    assert default_plan.decide_on(assessed(), {**bare, "target_countries": ["US"]}).action == Action.PUBLISH
    asked = default_plan.decide_on(assessed(), {**bare, "target_countries": ["DE"]})
    assert asked.action == Action.REQUEST_INFORMATION
    assert asked.obligations[0].missing == ["identification", "manufacturer"]
    assert asked.queue is None
    assert default_plan.decide_on(assessed(), listing(target_countries=["DE"])).action == Action.PUBLISH


def test_it_asks_for_warnings_only_where_the_product_needs_them(default_plan: Plan) -> None:
    offer = listing(target_countries=["DE", "FR"])
    assert default_plan.decide_on(assessed("low", warning_languages=[]), offer).action == Action.PUBLISH
    asked = default_plan.decide_on(assessed("medium", warning_languages=["de"]), offer)
    assert asked.action == Action.REQUEST_INFORMATION
    assert asked.obligations[0].missing == ["warnings-FR"]
    shown = default_plan.decide_on(assessed("medium", warning_languages=["de", "fr"]), offer)
    assert shown.action == Action.PUBLISH_WITH_WARNING


@pytest.mark.parametrize(
    ("probability", "action"), [(0.9, Action.HOLD_FOR_REVIEW), (0.5, Action.HOLD_FOR_REVIEW), (0.4, Action.PUBLISH)]
)
def test_it_holds_prohibited_kinds(default_plan: Plan, probability: float, action: Action) -> None:
    kinds = [{"kind": "water-beads", "category": "Toys", "probability": probability}]
    assert default_plan.decide_on(assessed(kinds=kinds), listing()).action == action


@pytest.mark.parametrize(
    ("seller", "action", "rule"),
    [
        ({"suspended": True}, Action.BLOCK, "seller-suspended"),
        ({"removals": 3, "prior_warnings": 1}, Action.HOLD_FOR_REVIEW, "repeat-offender"),
        ({"removals": 3, "prior_warnings": 0}, Action.PUBLISH, "seller-to-warn"),
        ({"removals": 3}, Action.PUBLISH, None),
        ({"removals": 2, "prior_warnings": 5}, Action.PUBLISH, None),
        ({"suspended": False}, Action.PUBLISH, None),
    ],
)
def test_it_looks_at_what_is_known_of_the_seller(
    default_plan: Plan, seller: dict[str, Any], action: Action, rule: str | None
) -> None:
    decision = default_plan.decide_on(assessed(), listing(seller=seller))
    assert decision.action == action
    assert [name for name in decision.rules if name != "level-none"] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("circumstances", "action"),
    [
        (Circumstances(), Action.PUBLISH),
        (Circumstances(recall_match=0.4), Action.PUBLISH),
        (Circumstances(recall_match=0.5), Action.HOLD_FOR_REVIEW),
        (Circumstances(recall_match=0.95), Action.BLOCK),
        (Circumstances(removed_before=True), Action.BLOCK),
    ],
)
def test_recalls_and_removed_listings_stay_down(
    default_plan: Plan, circumstances: Circumstances, action: Action
) -> None:
    assert default_plan.decide_on(assessed(), listing(), circumstances).action == action


def test_every_fact_of_the_language_is_there(default_plan: Plan) -> None:
    facts = facts_of({}, {})
    default_plan.judge(facts)
    assert set(FACTS) <= set(facts)
    assert {name for name, value in facts.items() if value is None and name in FACTS} - {
        name for name, fact in FACTS.items() if fact.absent
    } <= {"level", "model_level", "risk_score", "p_unsafe", "language", "language_confidence", "language_covered"}


def test_a_live_answer_and_the_stored_one_have_the_same_facts(small_model: Any, default_plan: Plan) -> None:
    offer = Listing(
        id="1",
        title="Laser pointer 5000mW",
        brand="X",
        warnings=["Achtung! Nicht in die Augen leuchten."],
        target_countries=["de"],
    )
    live = small_model.assess(offer, default_plan)
    stored = Assessment.model_validate_json(live.model_dump_json())
    kept = offer.model_dump(mode="json", exclude_defaults=True)
    assert facts_of(live.model_dump(mode="json"), offer.model_dump(mode="json")) == facts_of(
        stored.model_dump(mode="json"), kept
    )
    assert default_plan.decide_on(stored.model_dump(mode="json"), kept) == live.decision
    assert live.warning_languages == ["de"]


def test_the_file_is_the_one_of_the_datasets() -> None:
    assert default_plan_file() == datasets_dir() / "plans" / "default.yaml"


@pytest.mark.parametrize(
    ("captions", "cues", "action", "level"),
    [
        (
            [{"text": "laser power 5000 mW", "source": "mark", "mark": "laser-power"}],
            ["laser-high-power"],
            "hold",
            "high",
        ),
        ([{"text": "laser power 1 mW", "source": "mark", "mark": "laser-power"}], [], "publish", "none"),
        ([{"text": "warning: strong magnets", "source": "mark", "mark": "magnet-warning"}], [], "publish_w", "medium"),
        (["strong magnets"], [], "publish", "none"),
    ],
)
def test_what_is_printed_on_a_picture_raises_the_level(
    default_plan: Plan, captions: list[Any], cues: list[str], action: str, level: str
) -> None:
    found = [{"cue": cue, "effect": "aggravating", "negated": False, "span": {}} for cue in cues]
    decided = default_plan.decide_on(assessed("none", cues=found), listing(captions=captions))

    assert decided.action.value.startswith(action)
    assert decided.level == RiskLevel(level)
