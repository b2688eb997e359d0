"""Takes documents in: what they tell of becomes alerts, cases, clocks and events, all in one transaction or not at all.

So a process that ends at any point has either taken a document in or not; it is taken in again by whoever comes next,
and what was there already is left as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from models.deadlines.clocks import NoticeKind
from models.domain.alert import Alert
from models.domain.parts import in_parts
from models.sources.identity import AlertIdentity
from serving.hooks.kinds import ALERT_RECEIVED
from serving.hooks.outbox import Outbox
from serving.recalls import alerts as kept
from serving.recalls import clocks
from serving.recalls.documents import Document, finish, keep
from serving.recalls.errors import NoRecallError
from serving.recalls.events import ACTS, SERVER, append
from serving.recalls.rules import RecallRules
from serving.recalls.words import CaseAct
from serving.store.database import one_at_a_time
from serving.store.recall_tables import CaseNoticeRow, RecallCaseRow

CASES = RecallCaseRow.__table__
NOTICES = CaseNoticeRow.__table__
_AT_ONCE = 100
"""Alerts of one transaction: others wait for it. What was taken of a longer document before a crash is known again."""
_STRICTEST = (
    NoticeKind.ORDER, NoticeKind.AUTHORITY_NOTICE, NoticeKind.NOTICE, NoticeKind.CONSUMER, NoticeKind.MONITORING,
)  # fmt: skip
"""A case is of the first of these among its notices."""


@dataclass(frozen=True)
class Receipt:
    """How the marketplace came to know of an alert.

    Parameters
    ----------
    received_at : datetime
        When it had it: the clocks begin here.
    authority, country, region, zone : str
        Who sent it, and by whose days its periods are counted.
    reference : str
        The sender's own number, where that is not the alert's.
    said : mapping
        What else the sender said, as JSON: listings, period, contact.
    """

    kind: NoticeKind
    received_at: dt.datetime
    authority: str = ""
    country: str = ""
    region: str = ""
    zone: str = ""
    reference: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)
    actor: str = SERVER


@dataclass
class Taken:
    """What a document brought.

    Parameters
    ----------
    document_id : int
    cases : dict
        Alert -> its case, of every alert in the document that has one.
    new, updated, restored : list of str
        Alerts.
    """

    document_id: int
    cases: dict[str, int] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)


class Receiving:
    """Takes in what sources and people send. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    rules : RecallRules
    """

    def __init__(self, engine: Engine, rules: RecallRules) -> None:
        self.engine = engine
        self.rules = rules

    def take(
        self,
        document: Document,
        found: Sequence[Alert],
        receipt: Receipt,
        *,
        rank: int = 0,
        failure: str = "",
        then: Callable[[Connection], None] | None = None,
    ) -> Taken:
        """Take a document in with the alerts that it tells of.

        Parameters
        ----------
        rank : int
            How far its source is trusted; see `serving.recalls.alerts.take`.
        failure : str
            What could not be read of it.
        then : callable, optional
            Further writes of the last transaction: that all of it was taken in.

        Raises
        ------
        InputError
            If the calendar that the receipt names is not known; nothing was taken in.
        """
        self.rules.calendar(receipt.kind, receipt.country, receipt.region, receipt.zone)
        taken: Taken | None = None
        parts = list(in_parts(found, _AT_ONCE)) or [found]
        for number, part in enumerate(parts, start=1):
            with one_at_a_time(self.engine, ACTS) as connection:
                document_id = keep(connection, document, failure)
                taken = taken or Taken(document_id)
                for alert in part:
                    self._take(connection, alert, document, receipt, rank, taken)
                if number == len(parts):
                    finish(connection, document_id, document)
                    if then is not None:
                        then(connection)
        assert taken is not None
        return taken

    def keep_unread(self, document: Document, failure: str) -> int:
        """Keep a document of which nothing could be read, and why; its server is asked for it again."""
        with one_at_a_time(self.engine, ACTS) as connection:
            return keep(connection, document, failure)

    def lose(self, source: str, alert_ids: Sequence[str], now: dt.datetime) -> list[str]:
        """Note that a source no longer tells of some alerts; return those that nobody tells of any more."""
        withdrawn = []
        for alert_id in alert_ids:
            with one_at_a_time(self.engine, ACTS) as connection:
                if kept.lose(connection, alert_id, source, now):
                    self._withdrawn(connection, alert_id, f"{source} no longer tells of it", SERVER, now)
                    withdrawn.append(alert_id)
        return withdrawn

    def withdraw(self, document: Document, identity: AlertIdentity, why: str, actor: str, now: dt.datetime) -> Taken:
        """Take in that an alert was withdrawn by who had sent it.

        Raises
        ------
        NoRecallError
            If there is no such alert.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            found = kept.find(connection, identity)
            if found is None:
                raise NoRecallError(f"No alert is known as {identity}.")
            document_id = keep(connection, document)
            finish(connection, document_id, document)
            if kept.withdraw(connection, found.id, now):
                self._withdrawn(connection, found.id, why, actor, now)
            case_id = _case_of(connection, found.id)
            return Taken(document_id, {} if case_id is None else {found.id: case_id})

    def _take(
        self, connection: Connection, alert: Alert, document: Document, receipt: Receipt, rank: int, taken: Taken
    ) -> None:
        now = document.fetched_at
        took = kept.take(
            connection, alert, document.source, rank, taken.document_id, receipt.received_at, now
        )  # fmt: skip
        if took.new:
            taken.new.append(took.id)
        elif took.restored:
            taken.restored.append(took.id)
        elif took.changed:
            taken.updated.append(took.id)
        case_id = _case_of(connection, took.id)
        if case_id is None:
            case_id = self._open(connection, took.id, alert, receipt, taken.document_id, now)
        else:
            self._follow(connection, case_id, took, receipt, taken.document_id, now)
        taken.cases[took.id] = case_id

    def _open(
        self, connection: Connection, alert_id: str, alert: Alert, receipt: Receipt, document_id: int, now: dt.datetime
    ) -> int:
        values = {
            "alert_id": alert_id,
            "kind": receipt.kind.value,
            "authority": receipt.authority,
            "country": receipt.country.upper(),
            "received_at": receipt.received_at,
            "search_wanted_at": now,
            "search_failure": "",
            "answer": "",
        }
        case_id: int = connection.execute(insert(RecallCaseRow).values(**values).returning(CASES.c.id)).scalar_one()
        facts = {"alert": alert_id, "reference": alert.reference, "source": alert.source, "kind": receipt.kind.value,
                 "received": receipt.received_at.isoformat(), "document": document_id}  # fmt: skip
        append(connection, now, receipt.actor, CaseAct.RECEIVED, case_id, facts)
        self._note(connection, case_id, receipt, document_id, now)
        due = connection.execute(select(CASES.c.due_at).where(CASES.c.id == case_id)).scalar_one()
        body = {
            "alert_id": alert_id, "case_id": case_id, "source": alert.source, "reference": alert.reference,
            "title": alert.title, "brand": alert.brand, "kind": receipt.kind.value, "authority": receipt.authority,
            "received_at": receipt.received_at, "due_at": due,
        }  # fmt: skip
        Outbox.put(connection, ALERT_RECEIVED, f"alert:{alert_id}", body, subject=f"case:{case_id}")
        return case_id

    def _follow(
        self,
        connection: Connection,
        case_id: int,
        took: kept.Took,
        receipt: Receipt,
        document_id: int,
        now: dt.datetime,
    ) -> None:
        if took.restored:
            append(connection, now, receipt.actor, CaseAct.RESTORED, case_id, {"document": document_id})
            if receipt.kind is NoticeKind.MONITORING:  # its clocks had ended
                self._note(connection, case_id, receipt, document_id, now)
        if took.changed:
            facts = {"document": document_id, "changes": took.facts()}
            append(connection, now, receipt.actor, CaseAct.UPDATED, case_id, facts)
        if took.search:
            _change(connection, case_id, search_wanted_at=now)
        if receipt.kind is not NoticeKind.MONITORING:
            self._notified(connection, case_id, receipt, document_id, now)

    def _notified(
        self, connection: Connection, case_id: int, receipt: Receipt, document_id: int, now: dt.datetime
    ) -> None:
        """Take a further notice on the same alert: it starts clocks of its own, and a closed case is open again."""
        same = select(NOTICES.c.id).where(
            NOTICES.c.case_id == case_id, NOTICES.c.document_id == document_id, NOTICES.c.kind == receipt.kind.value
        )
        if connection.execute(same).first() is not None:
            return
        case = connection.execute(select(CASES.c.kind, CASES.c.closed_at).where(CASES.c.id == case_id)).one()
        facts = {"kind": receipt.kind.value, "authority": receipt.authority, "document": document_id,
                 "received": receipt.received_at.isoformat()}  # fmt: skip
        append(connection, now, receipt.actor, CaseAct.NOTIFIED, case_id, facts)
        if case.closed_at is not None:
            append(connection, now, receipt.actor, CaseAct.REOPENED, case_id, {"why": "a further notice"})
            _change(connection, case_id, closed_at=None)
        if _STRICTEST.index(receipt.kind) < _STRICTEST.index(NoticeKind(case.kind)):
            values = {"authority": receipt.authority, "country": receipt.country.upper()}
            _change(connection, case_id, kind=receipt.kind.value, **values)
        _change(connection, case_id, answered_at=None, search_wanted_at=now)
        self._note(connection, case_id, receipt, document_id, now)

    def _note(self, connection: Connection, case_id: int, receipt: Receipt, document_id: int, now: dt.datetime) -> None:
        values = {
            "case_id": case_id,
            "document_id": document_id,
            "kind": receipt.kind.value,
            "authority": receipt.authority,
            "country": receipt.country.upper(),
            "region": receipt.region,
            "zone": receipt.zone,
            "reference": receipt.reference,
            "received_at": receipt.received_at,
            "kept_at": now,
            "said": dict(receipt.said),
        }
        key = connection.execute(insert(CaseNoticeRow).values(**values).returning(NOTICES.c.id)).scalar_one()
        clocks.start(connection, self.rules, key, now)

    def _withdrawn(self, connection: Connection, alert_id: str, why: str, actor: str, now: dt.datetime) -> None:
        case_id = _case_of(connection, alert_id)
        if case_id is not None:
            append(connection, now, actor, CaseAct.WITHDRAWN, case_id, {"why": why})
            clocks.end(connection, case_id, "the alert was withdrawn", now)


def _case_of(connection: Connection, alert_id: str) -> int | None:
    found = connection.execute(select(CASES.c.id).where(CASES.c.alert_id == alert_id)).scalar_one_or_none()
    return None if found is None else int(found)


def _change(connection: Connection, case_id: int, **values: Any) -> None:
    connection.execute(update(RecallCaseRow).where(CASES.c.id == case_id).values(**values))
