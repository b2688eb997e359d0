"""What sellers are told: in their language, why, and what to change."""

from __future__ import annotations

from typing import Any

import pytest

from models.domain.action import Action
from models.domain.assessment import Assessment, Decision, KindGuess, Obligation, RuleFired
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.plan.plan import Plan
from models.plan.traceability import GAPS
from models.reasons.marketplace import load_marketplace
from models.reasons.message import seller_message, with_message
from models.reasons.seller_texts import load_seller_texts
from models.reasons.statement import restriction_of
from tests.reasons.conftest import assessment_of

MARKETPLACE = load_marketplace()


def no_name(kind: str, language: str) -> str:
    """No kind has a name."""
    return ""


def decided(listing: Listing, action: Action, *codes: str, **given: Any) -> Assessment:
    """An assessment with a decision of one rule a reason code."""
    fired = [RuleFired(id=code, action=action, reason=f"{code}.", reason_code=code) for code in codes]
    decision = Decision(action=action, rules=list(codes), reasons=[f"{code}." for code in codes], fired=fired, **given)
    return Assessment(**assessment_of(listing), decision=decision)


def lines(listing: Listing, assessment: Assessment) -> list[str]:
    """Lines of the message, none where there is no message."""
    message = seller_message(assessment, listing, MARKETPLACE, no_name)
    return [] if message is None else message.lines


def test_a_published_offer_without_a_duty_gets_no_message(listing: Listing) -> None:
    assert seller_message(decided(listing, Action.PUBLISH, "level-low"), listing, MARKETPLACE, no_name) is None


def test_a_held_offer_is_told_action_hazard_and_where_to_complain(listing: Listing) -> None:
    told = lines(listing, decided(listing, Action.HOLD_FOR_REVIEW, "risk"))

    assert len(told) == 3
    assert told[0].startswith("Ihr Angebot „Zorblax rattle from Jane Doe“ ist noch nicht im Verkauf")
    assert "Ersticken an Kleinteilen" in told[1]
    assert told[2].endswith(MARKETPLACE.complaint_url)


def test_everything_missing_becomes_a_sentence_of_what_to_add(listing: Listing) -> None:
    duty = Obligation(
        id="complete-traceability", who="seller", text="Add.", missing=["manufacturer-email", "identification"]
    )
    warnings = Obligation(id="add-warnings", who="seller", text="Warn.", missing=["warnings-DE", "warnings-GR"])
    inner = Obligation(id="confirm-recall", who="reviewer", text="Confirm the match.")
    told = lines(listing, decided(listing, Action.REQUEST_INFORMATION, "x", obligations=[duty, warnings, inner]))

    german = load_seller_texts()["de"].groups["obligations"]
    assert german["manufacturer-email"] in told
    assert german["identification"] in told
    assert any("DE, GR" in line for line in told)
    assert not any("Confirm" in line for line in told)


@pytest.mark.parametrize("code", sorted(GAPS))
def test_every_gap_of_traceability_has_a_sentence_in_every_language(code: str) -> None:
    for texts in load_seller_texts().values():
        assert texts.has("obligations", code), texts.language


def test_rules_of_the_default_plan_that_hold_or_block_have_a_sentence(default_plan: Plan) -> None:
    english = load_seller_texts()["en"]
    for rule in default_plan.rules:
        if rule.status == "live" and rule.spec.action.rank >= Action.HOLD_FOR_REVIEW.rank:
            assert english.has("reasons", rule.spec.reason_code or rule.id), rule.id


def test_an_obligation_of_the_marketplace_is_told_in_its_own_words(listing: Listing) -> None:
    own = Obligation(id="send-photo", who="seller", text="Send a photo of the plug.")
    known = Obligation(id="evidence", who="seller", text="Send evidence.")
    told = lines(listing, decided(listing, Action.PUBLISH, "x", obligations=[own, known]))

    assert told == ["Send a photo of the plug.", load_seller_texts()["de"].groups["obligations"]["evidence"]]


@pytest.mark.parametrize(
    ("stated", "found", "language"), [("FR", "de", "fr"), ("", "de", "de"), ("", "und", "en"), ("xx", "zh", "en")]
)
def test_the_language_is_the_stated_then_the_found_then_english(
    listing: Listing, stated: str, found: str, language: str
) -> None:
    listing = listing.model_copy(update={"language": stated})
    assessment = decided(listing, Action.BLOCK, "risk")
    assessment = assessment.model_copy(update={"language": assessment.language.model_copy(update={"code": found})})
    message = seller_message(assessment, listing, MARKETPLACE, no_name)

    assert message is not None
    assert (message.language, message.direction) == (language, "ltr")


def test_a_right_to_left_message_says_so(listing: Listing) -> None:
    listing = listing.model_copy(update={"language": "ar"})
    message = seller_message(decided(listing, Action.BLOCK, "risk"), listing, MARKETPLACE, no_name)

    assert message is not None
    assert message.direction == "rtl"


def test_a_prohibited_kind_is_named_in_the_language(listing: Listing) -> None:
    assessment = decided(listing, Action.BLOCK, "prohibited-kind")
    kind = KindGuess(kind="baby-rattle", name="baby rattle", category="Toys", probability=0.9)
    assessment = assessment.model_copy(update={"kinds": [kind]})
    message = seller_message(assessment, listing, MARKETPLACE, lambda kind, language: f"{kind} auf {language}")

    assert message is not None
    assert "baby-rattle auf de" in message.lines[1]


def test_a_guess_at_a_prohibited_kind_is_not_stated_as_a_fact(listing: Listing) -> None:
    held = lines(listing, decided(listing, Action.HOLD_FOR_REVIEW, "prohibited-kind"))
    blocked = lines(listing, decided(listing, Action.BLOCK, "prohibited-kind"))

    assert (len(held), len(blocked)) == (2, 3)


def test_reasons_that_do_not_decide_are_not_told_but_conduct_is(listing: Listing) -> None:
    fired = [
        RuleFired(id="a", action=Action.BLOCK, reason="A.", reason_code="removed-before"),
        RuleFired(id="b", action=Action.HOLD_FOR_REVIEW, reason="B.", reason_code="risk"),
        RuleFired(id="c", action=Action.PUBLISH, reason="C.", reason_code="repeat-offender"),
    ]
    decision = Decision(action=Action.BLOCK, rules=["a", "b", "c"], reasons=["A.", "B.", "C."], fired=fired)
    assessment = Assessment(**assessment_of(listing), decision=decision)
    german = load_seller_texts()["de"].groups["reasons"]
    told = lines(listing, assessment)

    assert german["removed-before"] in told
    assert german["repeat-offender"] in told
    assert len(told) == 4
    assert restriction_of(decision).reasons == ["A."]


def test_a_message_is_added_once_and_nothing_else_changes(listing: Listing) -> None:
    assessment = decided(listing, Action.BLOCK, "risk")
    once = with_message(assessment, listing, MARKETPLACE, no_name)

    assert once.decision.seller is not None
    assert with_message(once, listing, MARKETPLACE, no_name) is once
    assert once.model_copy(update={"decision": assessment.decision}) == assessment


def test_a_level_without_a_scenario_speaks_of_another_hazard(listing: Listing) -> None:
    parts = assessment_of(listing, RiskLevel.NONE)
    decision = decided(listing, Action.HOLD_FOR_REVIEW, "risk").decision
    told = lines(listing, Assessment(**parts, decision=decision))

    assert "eine andere Gefahr" in told[1]
