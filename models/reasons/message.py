"""The message to the seller that a decision asks for, put together from the sentences of the seller's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from models.domain.action import Action
from models.domain.assessment import Assessment, Decision, RuleFired, SellerMessage
from models.domain.listing import Listing
from models.reasons.marketplace import Marketplace
from models.reasons.seller_texts import FALLBACK, SellerTexts, load_seller_texts

KindName = Callable[[str, str], str]
"""Product kind and language -> its name there, empty where there is none."""
_WARNINGS = "warnings-"
_TITLE_SHOWN = 80
_CERTAIN = frozenset({"prohibited-kind", "removed-before"})
"""Reasons that state a fact, and ask for the offer's removal."""


def with_message(assessment: Assessment, listing: Listing, marketplace: Marketplace, kind_name: KindName) -> Assessment:
    """Return the assessment with the message to its seller in the decision."""
    message = seller_message(assessment, listing, marketplace, kind_name)
    if message == assessment.decision.seller:
        return assessment
    decision = assessment.decision.model_copy(update={"seller": message})
    return assessment.model_copy(update={"decision": decision})


def seller_message(
    assessment: Assessment,
    listing: Listing,
    marketplace: Marketplace,
    kind_name: KindName,
    texts: Mapping[str, SellerTexts] | None = None,
) -> SellerMessage | None:
    """Return what to tell the seller, None where there is nothing to tell: published, and nothing to change.

    The language is the one that the listing states, else the one it is written in, else English.
    """
    known = texts or load_seller_texts()
    language = next((code for code in (listing.language.lower(), assessment.language.code) if code in known), FALLBACK)
    told, decision = known[language], assessment.decision
    duties = list(_duties(told, decision))
    reasons = list(dict.fromkeys(_reasons(told, assessment, kind_name)))
    if decision.action is Action.PUBLISH and not duties and not reasons:
        return None
    lines = []
    if decision.action is not Action.PUBLISH:
        lines.append(told.say("actions", decision.action.value, title=listing.title[:_TITLE_SHOWN]))
    lines += [*reasons, *duties]
    if marketplace.restricts(decision.action):
        lines.append(told.say("closing", "complaint", complaint_url=marketplace.complaint_url))
    return SellerMessage(language=language, direction=told.direction, lines=lines)


def _duties(told: SellerTexts, decision: Decision) -> Iterator[str]:
    """What to change: a sentence for everything that is missing."""
    for obligation in decision.obligations:
        if obligation.who != "seller":
            continue
        countries = [code.removeprefix(_WARNINGS) for code in obligation.missing if code.startswith(_WARNINGS)]
        codes = [code for code in obligation.missing if told.has("obligations", code)]
        for code in codes:
            yield told.say("obligations", code)
        if countries:
            yield told.say("obligations", "warnings", countries=", ".join(countries))
        if not codes and not countries:
            # A marketplace's own obligation: in its own words, where no sentence of that name was written.
            own = told.has("obligations", obligation.id)
            yield told.say("obligations", obligation.id) if own else obligation.text


def _reasons(told: SellerTexts, assessment: Assessment, kind_name: KindName) -> Iterator[str]:
    """Why: a sentence for each rule that decides, and for each that concerns the seller's conduct."""
    for rule in assessment.decision.fired:
        if told.has("reasons", rule.reason_code) and _is_told(rule, assessment.decision.action):
            hazard = assessment.scenario.risk_type if assessment.scenario else ""
            kind = assessment.kinds[0].kind if assessment.kinds else ""
            values = {
                "hazard": told.groups["hazards"].get(hazard, hazard or told.groups["hazards"]["other"]),
                "kind": kind_name(kind, told.language) or kind,
            }
            yield told.say("reasons", rule.reason_code, **values)


def _is_told(rule: RuleFired, action: Action) -> bool:
    if rule.reason_code in _CERTAIN and action is not Action.BLOCK:
        return False  # a person looks first: the guess may be wrong
    held = rule.action == action and action.rank >= Action.HOLD_FOR_REVIEW.rank
    return held or rule.reason_code == "repeat-offender"
