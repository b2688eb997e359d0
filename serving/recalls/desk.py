"""The recall desk of one server: its parts, over one database and under one set of rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, select

from models.deadlines.clocks import Duty
from models.reasons.marketplace import Marketplace
from serving.recalls import clocks as case_clocks
from serving.recalls.cases import CASES, Cases, RecallCase, change_case, get_case, open_case, settle
from serving.recalls.clocks import Clocks
from serving.recalls.errors import RecallConflictError, RecallRefusedError
from serving.recalls.events import ACTS, SERVER, append
from serving.recalls.matches import Matches, Proposal, Remember, propose
from serving.recalls.orders import Ordering, Orders
from serving.recalls.receiving import Receiving
from serving.recalls.rules import RecallRules
from serving.recalls.telling import Telling
from serving.recalls.words import CaseAct, FoundBy, Informed
from serving.store.buyer_tables import BuyerLineRow
from serving.store.database import one_at_a_time, wait_for_turn

LONGEST_ANSWER = 50_000


class RecallDesk:
    """Alerts, cases, clocks, matches, takedown orders and answers. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    rules : RecallRules
    marketplace : Marketplace
        Who answers.
    remember : Remember, optional
        Where judgements of matches are kept beyond their case.
    """

    def __init__(
        self, engine: Engine, rules: RecallRules, marketplace: Marketplace, remember: Remember | None = None
    ) -> None:
        self.engine = engine
        self.rules = rules
        self.telling = Telling(marketplace)
        ordering = Ordering(rules, self.telling)
        self.receiving = Receiving(engine, rules)
        self.clocks = Clocks(engine, rules)
        self.cases = Cases(engine)
        self.matches = Matches(engine, ordering, remember)
        self.orders = Orders(engine, ordering)

    def search_done(
        self,
        case_id: int,
        proposals: Sequence[Proposal],
        looked_at: int,
        now: dt.datetime,
        wanted: dt.datetime | None = None,
    ) -> list[int]:
        """Note that the store was searched for a case's alert, with what was found.

        Parameters
        ----------
        looked_at : int
            Listings that were looked at.
        wanted : datetime, optional
            For which wish the search was begun: a later one is still open.

        Returns
        -------
        list of int
            Matches that a person must judge.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            found = get_case(connection, case_id)
            asked = propose(connection, case_id, proposals, FoundBy.SEARCH, SERVER, now)
            finished = now if wanted is None or found.search_wanted_at in (None, wanted) else wanted
            values = {"search_finished_at": finished, "search_started_at": None, "search_failure": ""}
            change_case(connection, case_id, looked_at=looked_at, **values)
            facts = {"looked_at": looked_at, "found": len(proposals), "to_judge": len(asked)}
            append(connection, now, SERVER, CaseAct.SEARCHED, case_id, facts)
            settle(connection, case_id, now)
        return asked

    def found_at_scoring(
        self, connection: Connection, alert_id: str, proposals: Sequence[Proposal], now: dt.datetime
    ) -> None:
        """Add listings that were found for an alert as they were assessed, in the transaction that keeps the answers.

        A closed case gets what was put up again, and is open then; what is only alike, it does not.
        """
        wait_for_turn(connection, ACTS)
        row = connection.execute(
            select(CASES.c.id, CASES.c.closed_at).where(CASES.c.alert_id == alert_id)
        ).one_or_none()
        if row is None:
            return
        wanted = [each for each in proposals if row.closed_at is None or each.relisted]
        asked = propose(connection, row.id, wanted, FoundBy.SCORING, SERVER, now)
        if asked and row.closed_at is not None:
            change_case(connection, row.id, closed_at=None)
            append(connection, now, SERVER, CaseAct.REOPENED, row.id, {"why": "a confirmed product was put up again"})
        if asked:
            settle(connection, row.id, now)

    def draft(self, case_id: int, text: str, person: str, now: dt.datetime) -> None:
        """Keep the draft of an answer.

        Raises
        ------
        RecallConflictError
            If the case is closed.
        RecallRefusedError
            If the text is empty or too long.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            open_case(connection, case_id)
            change_case(connection, case_id, answer=_checked(text))
            append(connection, now, person, CaseAct.DRAFTED, case_id, {"characters": len(text)})

    def answered(self, case_id: int, text: str, person: str, at: dt.datetime, now: dt.datetime) -> None:
        """Note that an answer was sent, as it was sent: that ends the clocks which ask for one.

        Parameters
        ----------
        at : datetime
            When it was sent.

        Raises
        ------
        RecallConflictError
            If the case is closed.
        RecallRefusedError
            If the text is empty or too long, or the moment lies in the future or before the receipt.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            found = open_case(connection, case_id)
            _check_moment("sent_at", at, found, now)
            change_case(connection, case_id, answer=_checked(text), answered_at=at)
            append(connection, now, person, CaseAct.ANSWERED, case_id, {"at": at.isoformat(), "text": text})
            case_clocks.meet(connection, case_id, Duty.PROCESS, at, now)

    def informed(
        self, case_id: int, who: Informed, person: str, at: dt.datetime, now: dt.datetime, note: str = ""
    ) -> None:
        """Note that sellers or buyers were informed; said again, the later word counts.

        Parameters
        ----------
        at : datetime
            When the last one was.

        Raises
        ------
        RecallConflictError
            If the case is closed, or order lines were handed over, whose receipts say when the buyers were informed.
        RecallRefusedError
            If the moment lies in the future or before the receipt.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            found = open_case(connection, case_id)
            _check_moment("at", at, found, now)
            lines = select(BuyerLineRow.id).where(BuyerLineRow.case_id == case_id).limit(1)
            if who is Informed.BUYERS and connection.execute(lines).first() is not None:
                told = "the receipts of its order lines say when the buyers were informed"
                raise RecallConflictError(f"Case {case_id}: {told}.")
            column = "sellers_informed_at" if who is Informed.SELLERS else "informed_at"
            change_case(connection, case_id, **{column: at})
            facts = {"who": who.value, "at": at.isoformat(), **({"reason": note} if note.strip() else {})}
            append(connection, now, person, CaseAct.INFORMED, case_id, facts)


def _check_moment(field: str, at: dt.datetime, case: RecallCase, now: dt.datetime) -> None:
    if not case.received_at <= at <= now + dt.timedelta(minutes=5):
        hint = f"give a moment from {case.received_at.isoformat(timespec='minutes')} until now"
        raise RecallRefusedError(field, "it lies before the receipt or in the future", hint, at.isoformat())


def _checked(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_ANSWER:
        hint = f"write 1 to {LONGEST_ANSWER:,} characters"
        raise RecallRefusedError("text", "it is empty" if not text.strip() else "it is too long", hint)
    return text.strip()
