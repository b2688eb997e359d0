"""Everything that one page shows about one item, read in one go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.domain.action import Action
from models.domain.assessment import Assessment
from models.domain.risk import RiskLevel
from serving.highlighting import fields_of
from serving.matching.side_by_side import SideBySide, side_by_side
from serving.review.browsing import hidden_from
from serving.review.desk import ReviewDesk
from serving.review.events import Event
from serving.review.items import Decided, Item, NoItemError
from serving.review.verdicts import asks_for_second
from serving.review.words import Sample, State
from serving.store.assessments import AssessmentStore, StoredAssessment

_VERSIONS_SHOWN = 5
_FACTS = {
    "price": "Price",
    "model": "Model",
    "gtin": "GTIN",
    "seller_id": "Seller",
    "target_countries": "Sold to",
}


@dataclass(frozen=True)
class Change:
    """One field of the listing that another version had otherwise."""

    label: str
    before: str
    now: str


@dataclass(frozen=True)
class OtherVersion:
    """An earlier or later text of the same listing, and what was decided of it."""

    assessed_at: dt.datetime
    level: str
    action: str
    changes: list[Change]


@dataclass(frozen=True)
class Dossier:
    """What the page of an item shows."""

    item: Item
    listing: Mapping[str, Any]
    assessment: Assessment
    facts: list[tuple[str, str]]
    decisions: list[Decided]
    blind: bool
    history: Sequence[Event]
    versions: list[OtherVersion]
    of_seller: list[Item]
    matches: list[SideBySide]

    @property
    def fields(self) -> list[tuple[str, str, str]]:
        """(name, label, text) of what the seller wrote."""
        return fields_of(self.listing)


def dossier_of(desk: ReviewDesk, store: AssessmentStore, item_id: int, person: str) -> Dossier:
    """Read the dossier of an item; blocks.

    Raises
    ------
    NoItemError
        If there is no such item for this person.
    """
    item = _as_any_other(desk, desk.browsing.item(item_id), person)
    stored = store.get(item.assessment_id)
    assert stored is not None, "an item is opened for a kept assessment"
    decisions = desk.browsing.decisions(item_id)
    standing = [each for each in decisions if each.undone_at is None]
    blind = hidden_from(person, item, standing)
    history = desk.browsing.history(item_id)
    if blind:  # the second look must not see the first
        decisions = [each for each in decisions if each.reviewer == person]
        history = [event for event in history if event.person == person]
    assessment = Assessment.model_validate(stored.assessment)
    return Dossier(
        item,
        stored.listing,
        assessment,
        _facts(stored.listing),
        decisions,
        blind,
        history,
        _versions(store, stored),
        desk.browsing.of_seller(item.seller, item.listing_id, person, 8) if item.seller else [],
        side_by_side(store.engine, stored.listing, assessment.matches),
    )


def _as_any_other(desk: ReviewDesk, item: Item, person: str) -> Item:
    """Return what is shown of an item: of a golden one no more than of any other, and that to its reviewer alone.

    Raises
    ------
    NoItemError
        If it is another reviewer's.
    """
    if item.only_for is None:
        return item
    if item.only_for != person:
        raise NoItemError(f"There is no item {item.id}.")
    made = [each for each in desk.browsing.decisions(item.id) if each.undone_at is None]
    another_looks = bool(made) and asks_for_second(Action(made[-1].action), RiskLevel(made[-1].model_level))
    return replace(item, sample=Sample.PLAN.value, only_for=None, state=State.SECOND if another_looks else item.state)


def _facts(listing: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, label in _FACTS.items():
        value = listing.get(name)
        if value:
            found.append((label, ", ".join(value) if isinstance(value, list) else str(value)))
    for name, label in (("manufacturer", "Manufacturer"), ("responsible_person", "Responsible person")):
        operator = listing.get(name) or {}
        parts = [str(operator[key]) for key in ("name", "address", "email") if operator.get(key)]
        found.append((label, ", ".join(parts) or "–"))
    return found


def _versions(store: AssessmentStore, current: StoredAssessment) -> list[OtherVersion]:
    own = _texts(current.listing)
    found = []
    for other in store.of_listing(str(current.listing["id"]), _VERSIONS_SHOWN + 1):
        if other.id == current.id:
            continue
        theirs = _texts(other.listing)
        changes = [
            Change(label, theirs.get(label, ""), own.get(label, ""))
            for label in dict.fromkeys((*own, *theirs))
            if own.get(label, "") != theirs.get(label, "")
        ]
        decision = other.assessment["decision"]
        found.append(OtherVersion(other.created_at, other.assessment["risk_level"], decision["action"], changes))
    return found[:_VERSIONS_SHOWN]


def _texts(listing: Mapping[str, Any]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, label, text in fields_of(listing):
        texts[label if label not in texts else name] = text
    return texts | dict(_facts(listing))
