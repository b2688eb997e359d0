"""Alert -> listings by pictures: which stored listings have a picture that looks like one known of an alert."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import aliased

from models.pictures.identity import BITS, SAME, Fingerprint, Hashes, distances
from serving.store.picture_tables import KnownPictureRow, PictureReadingRow, PictureRow

Subjects = Mapping[tuple[str, str], Sequence[str]]
"""Kind and subject of known pictures -> ids of the alerts that they stand for."""
SeenOf = dict[str, dict[str, float]]
"""Alert id -> listing id -> how alike the most alike pictures are, 0 to 1."""
_READ_AT_ONCE = 1_000


def listings_seen(engine: Engine, subjects: Subjects, alerts: Collection[str]) -> SeenOf:
    """Return the listings whose pictures, as they were read last, look like known ones of some alerts; blocks.

    The pictures of the store are read once, block by block, for all alerts together, and not at all where none of the
    alerts has a known picture. Mirror images are found only as listings come: their hashes are not stored.
    """
    found: dict[str, dict[str, int]] = {}
    with engine.connect() as connection:
        wanted = _wanted(connection, subjects, frozenset(alerts))
        if not wanted:
            return {}
        for listings, hashes, owners in _stored(connection):
            for alert, known in wanted.items():
                near = distances(hashes[:, None], known[None]).min(axis=1)
                for place in np.flatnonzero(near <= SAME).tolist():
                    listing, its = listings[owners[place]], found.setdefault(alert, {})
                    its[listing] = min(its.get(listing, BITS), int(near[place]))
    return {
        alert: {listing: 1 - distance / (BITS / 2) for listing, distance in sorted(its.items())}
        for alert, its in found.items()
    }


def _wanted(connection: Connection, subjects: Subjects, alerts: frozenset[str]) -> dict[str, Hashes]:
    parts: dict[str, list[Hashes]] = {}
    for (kind, subject), its in subjects.items():
        if alerts.isdisjoint(its):
            continue
        known = KnownPictureRow
        query = select(known.hashes).where(known.kind == kind, known.subject == subject).order_by(known.id)
        for texts in connection.execute(query).scalars():
            for alert in alerts.intersection(its):
                parts.setdefault(alert, []).append(Fingerprint.of_texts(texts).hashes)
    whole = {alert: np.concatenate(some) for alert, some in parts.items()}
    return {alert: hashes for alert, hashes in whole.items() if len(hashes)}


def _stored(connection: Connection) -> Iterator[tuple[list[str], Hashes, list[int]]]:
    """Yield (listing ids, hashes of their pictures, place of each hash's listing) of some pictures at a time."""
    reading, shown = PictureReadingRow, aliased(PictureRow)
    newest = (
        select(reading.id)
        .join(shown, shown.reading_id == reading.id)
        .where(reading.listing_id == PictureRow.listing_id, shown.state == "read")
        .order_by(reading.queued_at.desc(), reading.id)
        .limit(1)
        .correlate(PictureRow)
        .scalar_subquery()
    )
    after = ""
    while True:
        query = (
            select(PictureRow.id, PictureRow.listing_id, PictureRow.hashes)
            .where(PictureRow.id > after, PictureRow.state == "read", PictureRow.reading_id == newest)
            .order_by(PictureRow.id)
            .limit(_READ_AT_ONCE)
        )
        rows = connection.execute(query).all()
        if not rows:
            return
        prints = [Fingerprint.of_texts(row.hashes or []).hashes for row in rows]
        owners = np.repeat(np.arange(len(rows)), [len(each) for each in prints]).tolist()
        if owners:
            yield [row.listing_id for row in rows], np.concatenate(prints), owners
        after = rows[-1].id
