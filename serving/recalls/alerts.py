"""Alerts as they are kept: one for each, whatever the number of sources; every version followed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from models.domain.alert import Alert
from models.sources.identity import AlertIdentity, identity_of, may_be_same, same_product
from models.sources.merging import Change, changes, digest_of, merged
from serving.recalls.documents import ask_anew
from serving.store.recall_tables import AlertRow, AlertSightingRow

ALERTS = AlertRow.__table__
SIGHTINGS = AlertSightingRow.__table__
_SEARCHED = frozenset({"title", "brand", "category", "description", "models", "barcodes", "batches"})
"""Fields by which listings are found: when one changes, the store is searched anew."""


@dataclass(frozen=True)
class KeptAlert:
    """An alert with what is known of its receipt."""

    id: str
    identity: str
    received_at: dt.datetime
    updated_at: dt.datetime
    withdrawn_at: dt.datetime | None
    alert: Alert


@dataclass(frozen=True)
class Sighting:
    """What one source says of an alert."""

    source: str
    reference: str
    document_id: int
    first_at: dt.datetime
    last_at: dt.datetime
    gone_at: dt.datetime | None


@dataclass(frozen=True)
class Took:
    """What became of an alert that was taken in.

    Parameters
    ----------
    new : bool
        Nobody had told of it before.
    changed : list of Change
        What is known otherwise than before.
    restored : bool
        It had been withdrawn, and a source tells of it again.
    """

    id: str
    new: bool
    changed: list[Change]
    restored: bool = False

    @property
    def search(self) -> bool:
        """Whether the store is to be searched for it."""
        return self.new or self.restored or any(change.field in _SEARCHED for change in self.changed)

    def facts(self) -> list[dict[str, Any]]:
        """Return the changes as they are logged."""
        return [asdict(change) for change in self.changed]


def as_kept(row: Row[Any] | Mapping[str, Any]) -> KeptAlert:
    """Return the alert of a row."""
    values = row if isinstance(row, Mapping) else row._mapping
    return KeptAlert(
        values["id"], values["identity"], values["received_at"], values["updated_at"], values["withdrawn_at"],
        Alert.of_json(values["alert"]),
    )  # fmt: skip


def take(
    connection: Connection, alert: Alert, source: str, rank: int, document_id: int, received: dt.datetime,
    now: dt.datetime,
) -> Took:  # fmt: skip
    """Keep what a source says of an alert, within the transaction that keeps its document.

    Parameters
    ----------
    rank : int
        How far the source is trusted; where two contradict each other, the lower one counts.
    received : datetime
        When the marketplace had it.
    """
    identity = identity_of(alert)
    known = find(connection, identity, alert)
    if known is None:
        key = uuid.uuid4().hex
        values = {"id": key, "received_at": received, "withdrawn_at": None}
        connection.execute(insert(AlertRow).values(**values, **_columns(alert, identity, now)))
        _sight(connection, key, alert, source, rank, document_id, now)
        return Took(key, True, [])
    if known.identity != str(identity) and identity.prefix:  # it was first told of without its prefix
        changed = {"identity": str(identity), "reference": alert.reference}
        connection.execute(update(AlertRow).where(ALERTS.c.id == known.id).values(**changed))
    if _sighted(connection, known.id, alert, source, rank, document_id, now):
        return Took(known.id, False, [])
    return _followed(connection, known, now)


def find(connection: Connection, identity: AlertIdentity, alert: Alert | None = None) -> KeptAlert | None:
    """Return the kept alert of an identity; with an alert, also one whose prefix was left out and that is the same."""
    same = (ALERTS.c.register == identity.register) & (ALERTS.c.number == identity.number)
    rows = [as_kept(row) for row in connection.execute(select(ALERTS).where(same))]
    for row in rows:
        if row.identity == str(identity):
            return row
    if alert is None:
        return None
    alike = (row for row in rows if may_be_same(identity_of(row.alert), identity) and same_product(row.alert, alert))
    return next(alike, None)


def get(connection: Connection, alert_id: str) -> KeptAlert | None:
    """Return an alert, None where there is none of that id."""
    row = connection.execute(select(ALERTS).where(ALERTS.c.id == alert_id)).one_or_none()
    return None if row is None else as_kept(row)


def sightings(connection: Connection, alert_id: str) -> list[Sighting]:
    """Return which sources told of an alert, first ones first."""
    columns = [SIGHTINGS.c[name] for name in Sighting.__dataclass_fields__]
    query = select(*columns).where(SIGHTINGS.c.alert_id == alert_id).order_by(SIGHTINGS.c.first_at, SIGHTINGS.c.source)
    return [Sighting(*row) for row in connection.execute(query)]


def lose(connection: Connection, alert_id: str, source: str, now: dt.datetime) -> bool:
    """Note that a source no longer tells of an alert.

    Returns
    -------
    bool
        Whether no source does any more: the alert counts as withdrawn.
    """
    of_alert = SIGHTINGS.c.alert_id == alert_id
    said = select(SIGHTINGS.c.document_id).where(of_alert, SIGHTINGS.c.source == source)
    for document_id in connection.execute(said).scalars().all():
        ask_anew(connection, document_id)
    gone = update(AlertSightingRow).where(of_alert, SIGHTINGS.c.source == source, SIGHTINGS.c.gone_at.is_(None))
    connection.execute(gone.values(gone_at=now))
    left = connection.execute(select(SIGHTINGS.c.source).where(of_alert, SIGHTINGS.c.gone_at.is_(None)).limit(1))
    return left.first() is None and withdraw(connection, alert_id, now)


def withdraw(connection: Connection, alert_id: str, now: dt.datetime) -> bool:
    """Note that an alert was withdrawn; False where that was known."""
    first = update(AlertRow).where(ALERTS.c.id == alert_id, ALERTS.c.withdrawn_at.is_(None))
    return connection.execute(first.values(withdrawn_at=now)).rowcount > 0


def _sighted(
    connection: Connection, alert_id: str, alert: Alert, source: str, rank: int, document_id: int, now: dt.datetime
) -> bool:
    """Keep the version of a source; True where it is the one that is known."""
    mine = (SIGHTINGS.c.alert_id == alert_id) & (SIGHTINGS.c.source == source)
    row = connection.execute(select(SIGHTINGS.c.digest, SIGHTINGS.c.gone_at).where(mine)).one_or_none()
    if row is None:
        _sight(connection, alert_id, alert, source, rank, document_id, now)
        return False
    values: dict[str, Any] = {"last_at": now, "document_id": document_id}
    if row.digest == digest_of(alert) and row.gone_at is None:
        connection.execute(update(AlertSightingRow).where(mine).values(**values))
        return True
    values |= {"reference": alert.reference, "rank": rank, "digest": digest_of(alert), "alert": alert.as_json()}
    connection.execute(update(AlertSightingRow).where(mine).values(**values, gone_at=None))
    return False


def _sight(
    connection: Connection, alert_id: str, alert: Alert, source: str, rank: int, document_id: int, now: dt.datetime
) -> None:
    values = {
        "alert_id": alert_id, "source": source, "reference": alert.reference, "document_id": document_id, "rank": rank,
        "digest": digest_of(alert), "alert": alert.as_json(), "first_at": now, "last_at": now,
    }  # fmt: skip
    connection.execute(insert(AlertSightingRow).values(**values))


def _followed(connection: Connection, known: KeptAlert, now: dt.datetime) -> Took:
    """Bring an alert up to date with what its sources say."""
    query = select(SIGHTINGS.c.alert).where(SIGHTINGS.c.alert_id == known.id, SIGHTINGS.c.gone_at.is_(None))
    versions = connection.execute(query.order_by(SIGHTINGS.c.rank, SIGHTINGS.c.first_at, SIGHTINGS.c.source))
    whole = merged([Alert.of_json(row.alert) for row in versions])
    found = changes(known.alert, whole)
    restored = known.withdrawn_at is not None
    if found or restored:
        values = _columns(whole, identity_of(whole), now)
        del values["identity"]  # it may be known by a fuller number than this version says
        change = update(AlertRow).where(ALERTS.c.id == known.id)
        connection.execute(change.values(**values, withdrawn_at=None))
    return Took(known.id, False, found, restored)


def _columns(alert: Alert, identity: AlertIdentity, now: dt.datetime) -> dict[str, Any]:
    return {
        "identity": str(identity),
        "register": identity.register,
        "number": identity.number,
        "reference": alert.reference,
        "title": alert.title,
        "brand": alert.brand,
        "category": alert.category,
        "level": alert.level.value,
        "country": alert.country_of_notification,
        "published": alert.date.isoformat() if alert.date else "",
        "digest": digest_of(alert),
        "updated_at": now,
        "alert": alert.as_json(),
    }
