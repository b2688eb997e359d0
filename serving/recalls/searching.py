"""Has the store searched for the alerts of cases, several at once, one worker at a time."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import and_, or_, select, update

from models.domain.listing import Listing
from serving.recalls.alerts import ALERTS, KeptAlert, as_kept
from serving.recalls.cases import CASES
from serving.recalls.desk import RecallDesk
from serving.recalls.events import ACTS, SERVER, append
from serving.recalls.matches import Proposal
from serving.recalls.notices import named_listings
from serving.recalls.words import CaseAct
from serving.store.assessments import AssessmentStore
from serving.store.database import one_at_a_time
from serving.store.recall_tables import OPEN, RecallCaseRow

_log = logging.getLogger("hazardlens.recalls")
_AT_ONCE = 100
_LEASE = dt.timedelta(minutes=15)
"""After so long a search whose worker died is begun again."""
_TRIED_AGAIN = dt.timedelta(minutes=5)
NAMED = {"name": "named", "value": 1.0, "contribution": 0.0, "text": "named by who sent the notice"}
"""What speaks for a listing that a notice names."""


@dataclass(frozen=True)
class FoundListing:
    """A listing that a search found for an alert.

    Parameters
    ----------
    features : sequence of mapping
        What the probability rests on: name, value, contribution, text.
    content : str
        ``identical``, ``nearly identical`` or ``other``, against listings that were confirmed for the alert.
    """

    listing_id: str
    probability: float
    features: Sequence[dict[str, Any]] = ()
    content: str = "other"


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    looked_at : int
        Listings that it looked at.
    matches : list of list of FoundListing
        For each alert, best first.
    """

    looked_at: int
    matches: list[list[FoundListing]]


class Search(Protocol):
    """What finds an alert's product among the stored listings."""

    def __call__(self, alerts: Sequence[KeptAlert]) -> Found:
        """Search for all alerts at once; blocks."""


@dataclass(frozen=True)
class Searching:
    """Searches for what waits. Its methods block: call them from a thread.

    Parameters
    ----------
    desk : RecallDesk
    store : AssessmentStore
        Of the listings.
    search : Search
    """

    desk: RecallDesk
    store: AssessmentStore
    search: Search
    now: Callable[[], dt.datetime] = field(default=lambda: dt.datetime.now(dt.UTC))

    def run(self) -> int:
        """Search for the cases that wait for it, if any; return how many these were."""
        claimed = self._claim()
        if not claimed:
            return 0
        try:
            found = self.search([alert for _, alert, _ in claimed])
        except Exception as error:  # noqa: BLE001  (told on each case, and tried again)
            _log.exception("the search for %d alerts failed", len(claimed))
            self._failed([case_id for case_id, _, _ in claimed], f"{type(error).__name__}: {error}")
            return 0
        for (case_id, _, wanted), matches in zip(claimed, found.matches, strict=True):
            found_ids = {each.listing_id for each in matches}
            named = [
                FoundListing(key, 1.0, [NAMED])
                for key in named_listings(self.desk.cases, case_id)
                if key not in found_ids
            ]
            proposals = proposals_of([*named, *matches], self.store)
            self.desk.search_done(case_id, proposals, found.looked_at, self.now(), wanted)
        _log.info("searched %d listings for %d alerts", found.looked_at, len(claimed))
        return len(claimed)

    def _claim(self) -> list[tuple[int, KeptAlert, dt.datetime]]:
        now = self.now()
        wanted = and_(
            CASES.c.search_wanted_at.is_not(None),
            or_(CASES.c.search_finished_at.is_(None), CASES.c.search_finished_at < CASES.c.search_wanted_at),
            or_(CASES.c.search_started_at.is_(None), CASES.c.search_started_at < now - _LEASE),
        )
        query = (
            select(CASES.c.id.label("case_id"), CASES.c.search_wanted_at, ALERTS)
            .join(ALERTS, ALERTS.c.id == CASES.c.alert_id)
            .where(wanted, OPEN)
            .order_by(CASES.c.search_wanted_at, CASES.c.id)
            .limit(_AT_ONCE)
        )
        with self.desk.engine.connect() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return []
        with one_at_a_time(self.desk.engine, ACTS) as connection:
            rows = connection.execute(query).all()
            mine = update(RecallCaseRow).where(CASES.c.id.in_([row.case_id for row in rows]))
            connection.execute(mine.values(search_started_at=now))
        return [(row.case_id, as_kept(row), row.search_wanted_at) for row in rows]

    def _failed(self, case_ids: Sequence[int], why: str) -> None:
        now = self.now()
        again = now - _LEASE + _TRIED_AGAIN
        with one_at_a_time(self.desk.engine, ACTS) as connection:
            failed = update(RecallCaseRow).where(CASES.c.id.in_(case_ids))
            connection.execute(failed.values(search_started_at=again, search_failure=why[:2_000]))
            for case_id in case_ids:
                append(connection, now, SERVER, CaseAct.SEARCH_FAILED, case_id, {"why": why[:500]})


def proposals_of(found: Sequence[FoundListing], store: AssessmentStore) -> list[Proposal]:
    """Return what was found with the listings as they are stored; one that is gone is left out."""
    return [
        proposal_of(each, Listing.model_validate(stored.listing), stored.id)
        for each in found
        for stored in store.of_listing(each.listing_id, 1)
    ]


def proposal_of(found: FoundListing, listing: Listing, assessment_id: str) -> Proposal:
    """Return what was found as a case takes it."""
    return Proposal(
        listing,
        found.probability,
        found.features,
        identical=found.content == "identical",
        relisted=found.content != "other",
        assessment_id=assessment_id,
    )
