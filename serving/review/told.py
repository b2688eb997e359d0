"""What reviews tell outside, by webhooks: in the transaction of the act, and not before it can no longer be undone."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection

from models.domain.action import Action
from models.domain.assessment import Assessment
from serving.hooks.kinds import REVIEW_DECIDED, listing_kind
from serving.hooks.outbox import Outbox
from serving.review.items import Decided, Item
from serving.review.words import Round


def tell_sent_to_review(connection: Connection, assessment: Assessment, now: dt.datetime) -> None:
    """Tell that the plan has sent a listing to a person."""
    decision = assessment.decision
    body = {
        "listing_id": assessment.listing_id,
        "assessment_id": assessment.id,
        "action": decision.action,
        "level": decision.level or assessment.risk_level,
        "reason_codes": list(dict.fromkeys(fired.reason_code or fired.id for fired in decision.fired)),
        "by": "plan",
        "at": now,
    }
    Outbox.put(
        connection, listing_kind(decision.action), f"assessment:{assessment.id}", body,
        subject=_subject(assessment.listing_id),
    )  # fmt: skip


def tell_decision(connection: Connection, item: Item, decided: Decided) -> None:
    """Tell a decision that is final, and what it does to the listing, once its grace time is over."""
    action = Action(decided.action)
    review = {
        "item": item.id,
        "decision": decided.id,
        "listing_id": item.listing_id,
        "assessment_id": decided.assessment_id,
        "round": decided.round,
        "outcome": decided.outcome,
        "action": action,
        "level": decided.level,
        "hazards": decided.hazards,
        "reason_code": decided.reason_code,
        "model_action": decided.model_action,
        "model_level": decided.model_level,
        "decided_at": decided.decided_at,
    }
    listing = {
        "listing_id": item.listing_id,
        "assessment_id": decided.assessment_id,
        "action": action,
        "level": decided.level,
        "reason_codes": [decided.reason_code] if decided.reason_code else [],
        "by": "appeal" if decided.round == Round.APPEAL else "review",
        "at": decided.decided_at,
    }
    for kind, body in ((REVIEW_DECIDED, review), (listing_kind(action), listing)):
        Outbox.put(
            connection, kind, _key(decided), body, subject=_subject(item.listing_id), not_before=decided.final_at
        )


def take_back(connection: Connection, decided: Decided) -> bool:
    """Let a decision that is undone leave nothing behind; False where it was told already."""
    kinds = (REVIEW_DECIDED, listing_kind(Action(decided.action)))
    return all(Outbox.withdraw(connection, kind, _key(decided)) for kind in kinds)


def _key(decided: Decided) -> str:
    return f"decision:{decided.id}"


def _subject(listing_id: str) -> str:
    return f"listing:{listing_id}"
