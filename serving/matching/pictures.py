"""Which alerts the pictures of a listing speak for: those whose known pictures they look like."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select

from models.classifier.reading import ReadListing
from models.matching.looking import Looked, Recalls
from models.pictures.identity import BITS
from serving.matching.judging import Judgement, Verdict
from serving.matching.stored_pictures import SeenOf, listings_seen
from serving.store.picture_tables import KnownPictureRow, PictureReadingRow, PictureRow
from serving.store.recall_tables import AlertRow

Likeness = Mapping[str, float]
"""Alert id -> how alike the most alike pictures are, 0 to 1."""


class AlertPictures:
    """The known pictures that stand for alerts: of an alert itself, and of listings that were confirmed for it.

    Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._alerts: Mapping[tuple[str, str], Sequence[str]] = {}
        self.version = ""

    def __bool__(self) -> bool:
        return bool(self._alerts)

    def state(self) -> str:
        """Return what changes whenever the known pictures do."""
        query = select(func.count(), func.max(KnownPictureRow.added_at))
        with self._engine.connect() as connection:
            count, newest = connection.execute(query).one()
        return f"{count}:{newest or ''}"

    def refresh(self, standing: Sequence[Judgement]) -> None:
        """Look up for which alerts the known pictures stand.

        Parameters
        ----------
        standing : sequence of Judgement
            What people have said of matches.
        """
        confirmed: dict[str, list[str]] = {}
        for each in standing:
            if each.verdict is Verdict.CONFIRMED:
                confirmed.setdefault(each.listing_id, []).append(each.alert_id)
        known = KnownPictureRow
        query = select(known.kind, known.subject).distinct().order_by(known.kind, known.subject)
        of_alerts = (
            select(AlertRow.id, AlertRow.reference, known.subject)
            .join(known, (known.subject == AlertRow.id) | (known.subject == AlertRow.reference))
            .where(known.kind == "alert", AlertRow.withdrawn_at.is_(None))
            .distinct()
        )
        found: dict[tuple[str, str], list[str]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(of_alerts.order_by(AlertRow.id)):
                found.setdefault(("alert", row.subject), []).append(row.id)
            for kind, subject in connection.execute(query):
                if kind == "removed" and subject in confirmed:
                    found[kind, subject] = sorted(set(confirmed[subject]))
        self._alerts = found
        self.version = hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:12] if found else ""

    def seen(self, listing_id: str) -> Likeness:
        """Return the alerts whose pictures the listing's look like, as they were read last."""
        if not self._alerts:
            return {}
        reading = PictureReadingRow
        newest = (
            select(reading.id)
            .join(PictureRow, PictureRow.reading_id == reading.id)
            .where(reading.listing_id == listing_id, PictureRow.state == "read")
            .order_by(reading.queued_at.desc(), reading.id)
            .limit(1)
            .correlate(None)
            .scalar_subquery()
        )
        query = select(PictureRow.matches).where(PictureRow.reading_id == newest, PictureRow.state == "read")
        found: dict[str, float] = {}
        with self._engine.connect() as connection:
            for matches in connection.execute(query).scalars():
                for match in matches or ():
                    likeness = max(0.0, 1 - match["distance"] / (BITS / 2))
                    for alert in self._alerts.get((match["kind"], match["subject"]), ()):
                        found[alert] = max(found.get(alert, 0.0), likeness)
        return dict(sorted(found.items()))

    def seen_of(self, alerts: Collection[str]) -> SeenOf:
        """Return the stored listings whose pictures look like the known ones of some alerts."""
        return listings_seen(self._engine, self._alerts, alerts)


@dataclass(frozen=True)
class ForListing:
    """Known alerts, as one listing with its pictures is compared with them: looked up once for its key and its matches.

    Parameters
    ----------
    recalls : Recalls
    likeness : mapping
        What `Recalls.seen` says of the listing.
    """

    recalls: Recalls
    likeness: Likeness
    knows_pictures = True

    @property
    def version(self) -> str:
        """Changes whenever the listing may get other matches: two of equal content may have other pictures."""
        return f"{self.recalls.version}:{self.likeness}"

    def seen(self, listing_id: str) -> Likeness:  # noqa: ARG002
        """Return what was looked up."""
        return self.likeness

    def look(
        self,
        read: ReadListing,
        embedding: NDArray[np.float32],
        kinds: NDArray[np.float64],
        hazards: list[str],
        pictures: Likeness | None = None,
    ) -> Looked:
        """Return what is known of the listing's product."""
        return self.recalls.look(read, embedding, kinds, hazards, self.likeness if pictures is None else pictures)


async def for_listing(recalls: Recalls | None, listing_id: str) -> Recalls | None:
    """Return the known alerts as one listing is compared with them."""
    if recalls is None or not recalls.knows_pictures:
        return recalls
    return ForListing(recalls, await asyncio.to_thread(recalls.seen, listing_id))
