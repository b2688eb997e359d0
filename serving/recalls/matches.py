"""Listings that may be what an alert is about: proposed by a search or at scoring time, judged by a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Row, insert, select, update

from models.domain.listing import Listing
from serving.recalls.cases import CaseLine, change_case, get_case, open_case, settle
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.recalls.events import ACTS, append
from serving.recalls.orders import Ordering, order, withdraw_orders
from serving.recalls.words import CaseAct, FoundBy, MatchState
from serving.review.items import countries_column
from serving.store.database import one_at_a_time
from serving.store.recall_tables import CaseMatchRow

MATCHES = CaseMatchRow.__table__
_TITLE_KEPT = 200
JUDGED_AT_ONCE = 1_000


@dataclass(frozen=True)
class Proposal:
    """A listing that was found for an alert.

    Parameters
    ----------
    probability : float
        That they are one product, 0 to 1.
    features : sequence of mapping
        What it rests on: name, value, contribution and text of each.
    identical : bool
        The product is the same beyond doubt, by an identifier or by its content.
    relisted : bool
        It is like one that was confirmed before, put up again.
    """

    listing: Listing
    probability: float
    features: Sequence[Mapping[str, Any]] = ()
    identical: bool = False
    relisted: bool = False
    assessment_id: str = ""


@dataclass(frozen=True)
class CaseMatch:
    """A listing of a case; the columns of its row."""

    id: int
    case_id: int
    listing_id: str
    assessment_id: str
    content_hash: str
    title: str
    seller: str
    countries: str
    listing: dict[str, Any]
    probability: float
    features: list[dict[str, Any]]
    identical: bool
    relisted: bool
    found_by: str
    found_at: dt.datetime
    state: MatchState
    judged_by: str | None
    judged_at: dt.datetime | None
    note: str


@dataclass(frozen=True)
class Judged:
    """What became of a selection.

    Parameters
    ----------
    done : list of int
        Matches that were judged.
    left : dict
        Match -> why it was left as it is.
    orders : list of str
        Takedown orders that were sent.
    """

    done: list[int] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)


def as_match(row: Row[Any]) -> CaseMatch:
    """Return the match of a row."""
    values = {each.name: row._mapping[each.name] for each in fields(CaseMatch)}
    return CaseMatch(**{**values, "state": MatchState(values["state"])})


def propose(
    connection: Connection, case_id: int, proposals: Sequence[Proposal], found_by: FoundBy, actor: str, now: dt.datetime
) -> list[int]:
    """Add listings to a case, within a transaction that holds the turn of cases.

    A listing stands once in a case. One that was refused stays refused; one that was confirmed and is there with other
    content is asked about again, as listed again.

    Returns
    -------
    list of int
        Matches that a person must judge now, and before need not.
    """
    asked = []
    for proposal in proposals:
        key = _propose(connection, case_id, proposal, found_by, actor, now)
        if key is not None:
            asked.append(key)
    return asked


def _propose(
    connection: Connection, case_id: int, proposal: Proposal, found_by: FoundBy, actor: str, now: dt.datetime
) -> int | None:
    listing = proposal.listing
    values = {**_described(proposal), "found_by": found_by.value, "found_at": now}
    mine = (MATCHES.c.case_id == case_id) & (MATCHES.c.listing_id == listing.id)
    row = connection.execute(select(MATCHES).where(mine)).one_or_none()
    facts = {"listing": listing.id, "probability": proposal.probability, "by": found_by.value,
             "relisted": proposal.relisted}  # fmt: skip
    if row is None:
        state = {"case_id": case_id, "state": MatchState.PROPOSED.value, "note": ""}
        added = insert(CaseMatchRow).values(**values, **state).returning(MATCHES.c.id)
        key: int = connection.execute(added).scalar_one()
        act = CaseAct.RELISTED if proposal.relisted else CaseAct.MATCH_FOUND
        append(connection, now, actor, act, case_id, {"match": key, **facts})
        return key
    known = as_match(row)
    if known.content_hash == values["content_hash"] or known.state is MatchState.REFUSED:
        return None
    changed = update(CaseMatchRow).where(MATCHES.c.id == known.id)
    if known.state is MatchState.PROPOSED:
        connection.execute(changed.values(**_described(proposal)))
        return None
    connection.execute(changed.values(**{**values, "relisted": True, "state": MatchState.PROPOSED.value}))
    append(connection, now, actor, CaseAct.RELISTED, case_id, {"match": known.id, **facts, "relisted": True})
    return known.id


def _described(proposal: Proposal) -> dict[str, Any]:
    listing = proposal.listing
    return {
        "listing_id": listing.id,
        "assessment_id": proposal.assessment_id,
        "content_hash": listing.content_hash(),
        "title": listing.title[:_TITLE_KEPT],
        "seller": listing.seller_id,
        "countries": countries_column(list(listing.target_countries)),
        "listing": listing.model_dump(mode="json", exclude_defaults=True),
        "probability": proposal.probability,
        "features": [dict(each) for each in proposal.features],
        "identical": proposal.identical,
        "relisted": proposal.relisted,
    }


class Remember(Protocol):
    """Keeps what a person has said of listings and an alert, so that it counts for others like them."""

    def __call__(
        self,
        connection: Connection,
        alert_id: str,
        listings: Sequence[Listing],
        state: MatchState,
        person: str,
        reason: str,
        now: dt.datetime,
    ) -> None:
        """Keep it, within the transaction of the judgement."""


@dataclass(frozen=True)
class Matches:
    """Reads matches and takes judgements. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    ordering : Ordering
        How confirmed listings are ordered down.
    remember : Remember, optional
        Where judgements are kept beyond the case.
    """

    engine: Engine
    ordering: Ordering
    remember: Remember | None = None

    def of_case(
        self, case_id: int, state: MatchState | None = None, limit: int = 500, after: int = 0
    ) -> list[CaseMatch]:
        """Return the matches of a case: those to judge first, most probable first."""
        query = select(MATCHES).where(MATCHES.c.case_id == case_id)
        if state is not None:
            query = query.where(MATCHES.c.state == state.value)
        waits = (MATCHES.c.state != MatchState.PROPOSED.value, MATCHES.c.relisted.desc(), MATCHES.c.probability.desc())
        with self.engine.connect() as connection:
            found = connection.execute(query.order_by(*waits, MATCHES.c.id).limit(limit).offset(after))
            return [as_match(row) for row in found]

    def get(self, case_id: int, match_ids: Sequence[int]) -> list[CaseMatch]:
        """Return matches of a case by their numbers, in the order of these.

        Raises
        ------
        NoRecallError
            If the case has none of some number.
        """
        with self.engine.connect() as connection:
            found = _of_case(connection, case_id, match_ids)
        return [found[match_id] for match_id in match_ids]

    def of_listing(self, listing_id: str) -> list[CaseMatch]:
        """Return every case's match of a listing, newest first."""
        query = select(MATCHES).where(MATCHES.c.listing_id == listing_id).order_by(MATCHES.c.id.desc())
        with self.engine.connect() as connection:
            return [as_match(row) for row in connection.execute(query)]

    def add(
        self, case_id: int, proposals: Sequence[Proposal], found_by: FoundBy, actor: str, now: dt.datetime
    ) -> list[int]:
        """Add listings to an open case.

        Raises
        ------
        RecallConflictError
            If the case is closed or not there.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            open_case(connection, case_id)
            asked = propose(connection, case_id, proposals, found_by, actor, now)
            settle(connection, case_id, now)
            return asked

    def judge(
        self, line: CaseLine, match_ids: Sequence[int], state: MatchState, person: str, note: str, now: dt.datetime
    ) -> Judged:
        """Confirm or refuse matches of a case; those of another state are left, each with its reason.

        What is confirmed is ordered down in the same transaction.

        Raises
        ------
        RecallConflictError
            If the case is closed.
        RecallRefusedError
            If nothing is chosen, or too much, or no reason given for refusing.
        """
        _check(match_ids, state, note)
        case_id, judged = line.case.id, Judged()
        with one_at_a_time(self.engine, ACTS) as connection:
            open_case(connection, case_id)
            found = _of_case(connection, case_id, match_ids)
            for match_id in dict.fromkeys(match_ids):
                match = found[match_id]
                if match.state is not MatchState.PROPOSED:
                    judged.left[match_id] = f"It is {match.state} already, by {match.judged_by}."
                    continue
                values = {"state": state.value, "judged_by": person, "judged_at": now, "note": note}
                connection.execute(update(CaseMatchRow).where(MATCHES.c.id == match_id).values(**values))
                act = CaseAct.CONFIRMED if state is MatchState.CONFIRMED else CaseAct.REFUSED
                append(connection, now, person, act, case_id, {"match": match_id, "listing": match.listing_id})
                judged.done.append(match_id)
            if self.remember is not None and judged.done:
                listings = [Listing.model_validate(found[match_id].listing) for match_id in judged.done]
                self.remember(connection, line.case.alert_id, listings, state, person, note, now)
            if state is MatchState.CONFIRMED and judged.done:
                confirmed = [found[match_id] for match_id in judged.done]
                judged.orders.extend(order(connection, self.ordering, line, confirmed, person, now))
                if get_case(connection, case_id).ordered_at is None:
                    change_case(connection, case_id, ordered_at=now)
            settle(connection, case_id, now, person)
        return judged

    def take_back(self, line: CaseLine, match_id: int, person: str, reason: str, now: dt.datetime) -> None:
        """Take a judgement back: the match waits to be judged again, and its takedown order is withdrawn.

        Raises
        ------
        RecallConflictError
            If it was not judged, or the listing was removed already.
        RecallRefusedError
            Without a reason.
        """
        if not reason.strip():
            raise RecallRefusedError("reason", "there is none", "say why in a few words")
        case_id = line.case.id
        with one_at_a_time(self.engine, ACTS) as connection:
            open_case(connection, case_id)
            match = _of_case(connection, case_id, [match_id])[match_id]
            if match.state is MatchState.PROPOSED:
                raise RecallConflictError(f"Match {match_id} waits to be judged.")
            withdraw_orders(connection, case_id, match_id, person, reason, now)
            values = {"state": MatchState.PROPOSED.value, "judged_by": None, "judged_at": None, "note": ""}
            connection.execute(update(CaseMatchRow).where(MATCHES.c.id == match_id).values(**values))
            facts = {"match": match_id, "listing": match.listing_id, "reason": reason}
            append(connection, now, person, CaseAct.TAKEN_BACK, case_id, facts, {"state": match.state.value})
            settle(connection, case_id, now, person)


def _of_case(connection: Connection, case_id: int, match_ids: Sequence[int]) -> dict[int, CaseMatch]:
    query = select(MATCHES).where(MATCHES.c.case_id == case_id, MATCHES.c.id.in_(match_ids))
    found = {row.id: as_match(row) for row in connection.execute(query)}
    for match_id in match_ids:
        if match_id not in found:
            raise NoRecallError(f"Case {case_id} has no match {match_id}.")
    return found


def _check(match_ids: Sequence[int], state: MatchState, note: str) -> None:
    if not 1 <= len(match_ids) <= JUDGED_AT_ONCE:
        raise RecallRefusedError("matches", f"{len(match_ids)} are chosen", f"choose 1 to {JUDGED_AT_ONCE}")
    if state is MatchState.PROPOSED:
        raise RecallRefusedError("state", "a judgement confirms or refuses", "give confirmed or refused", state.value)
    if state is MatchState.REFUSED and not note.strip():
        raise RecallRefusedError("note", "there is none", "say why it is another product")
