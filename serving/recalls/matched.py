"""What matching finds, as the recall desk takes it: by searching the store, and as listings are assessed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, distinct, func, select

from models.domain.listing import Listing
from models.domain.match import Match
from serving.matching.judging import JudgementStore, Verdict
from serving.matching.recalls import KnownRecalls
from serving.matching.stored_listings import ListingSearch
from serving.recalls.alerts import KeptAlert
from serving.recalls.desk import RecallDesk
from serving.recalls.matches import Proposal, Remember
from serving.recalls.searching import Found, FoundListing, Search, proposal_of
from serving.recalls.words import MatchState
from serving.store.assessments import Answered
from serving.store.tables import AssessmentRow

_LIKELY = 0.5
"""Probability from which on a listing that was just assessed is shown on a case; a search of the store shows more."""


def searching_with(search: Callable[[], ListingSearch], known: Callable[[], KnownRecalls]) -> Search:
    """Return what finds the stored listings of alerts.

    Parameters
    ----------
    search, known : callable
        Give what is in force.
    """

    def find(alerts: Sequence[KeptAlert]) -> Found:
        store = search()
        recalls = known()
        # An alert that has just come, and its pictures, are to be among those that are known.
        recalls.refresh()
        matcher = recalls.matcher
        searched = store.search_for(
            {each.id: each.alert for each in alerts},
            matcher.judgements,
            known=matcher,
            seen=recalls.seen_of([each.id for each in alerts]),
        )
        with store.signatures.engine.connect() as connection:
            listings = connection.execute(select(func.count(distinct(AssessmentRow.listing_id)))).scalar_one()
        return Found(listings, [[_found(match) for match in some] for some in searched.matches])

    return find


def remembering(judgements: JudgementStore) -> Remember:
    """Return what keeps judgements for listings that are like the judged ones."""

    def remember(
        connection: Connection,
        alert_id: str,
        listings: Sequence[Listing],
        state: MatchState,
        person: str,
        reason: str,
        now: dt.datetime,
    ) -> None:
        judgements.judge(alert_id, listings, Verdict(state.value), person, now, reason, connection)

    return remember


def note_matches(desk: RecallDesk, connection: Connection, answers: Sequence[Answered], now: dt.datetime) -> None:
    """Put listings that were just assessed on the cases of the alerts that they match, in the answers' transaction."""
    by_alert: dict[str, list[Proposal]] = {}
    for answer in answers:
        for match in answer.assessment.matches:
            if match.probability >= _LIKELY or match.content != "other":
                found = proposal_of(_found(match), answer.listing, answer.assessment.id)
                by_alert.setdefault(match.alert_id, []).append(found)
    for alert_id in sorted(by_alert):
        desk.found_at_scoring(connection, alert_id, by_alert[alert_id], now)


def _found(match: Match) -> FoundListing:
    return FoundListing(match.listing_id, match.probability, [f.model_dump() for f in match.features], match.content)
