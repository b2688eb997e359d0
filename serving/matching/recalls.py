"""The alerts that listings are compared with as they are assessed, kept up with the database."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select

from models.classifier.classifier import HazardClassifier
from models.classifier.reading import ReadListing
from models.domain.alert import Alert
from models.domain.listing import Listing
from models.domain.parts import in_parts
from models.matching.combiner import shipped_combiner
from models.matching.judgements import Judged, Judgements
from models.matching.looking import Looked, Recalls
from models.matching.matcher import AlertMatcher, KnownAlert
from models.matching.signature import Signature
from models.matching.signing import Signer
from serving.matching.judging import Judgement, JudgementStore, Verdict
from serving.matching.pictures import AlertPictures
from serving.matching.signatures import SignatureStore
from serving.matching.stored_pictures import SeenOf
from serving.store.recall_tables import AlertRow

_log = logging.getLogger("hazardlens.matching")
_CHUNK = 200


async def watch_recalls(current: Callable[[], Recalls | None], seconds: float = 2.0) -> None:
    """Keep what looks for matches now up with the database, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        recalls = current()
        if isinstance(recalls, KnownRecalls):
            try:
                await asyncio.to_thread(recalls.refresh)
            except Exception:  # noqa: BLE001  (told, and tried again: what is known stays in force meanwhile)
                _log.exception("the known alerts could not be brought up to date")


@dataclass(frozen=True)
class _State:
    """What is known of the database: numbers that change whenever alerts or judgements do."""

    alerts: int
    updated: str
    judgements: int
    pictures: str


class KnownRecalls:
    """The alerts and judgements of the database, as they are looked up for one model; `refresh` follows them.

    Used from the threads that assess; what they see is replaced as a whole.

    Parameters
    ----------
    model : HazardClassifier
    engine : Engine
        Of a migrated database.
    """

    def __init__(self, model: HazardClassifier, engine: Engine) -> None:
        self.signer = Signer(model, shipped_combiner().rarity)
        self._engine = engine
        self._judgements = JudgementStore(engine)
        self._signatures = SignatureStore(engine)
        self._alerts: dict[str, tuple[str, KnownAlert]] = {}
        self._judged: dict[str, Signature] = {}
        self._pictures = AlertPictures(engine)
        self._state = _State(0, "", 0, "0:")
        self._refreshing = threading.Lock()
        self.matcher = AlertMatcher(self.signer, ())
        self.version = ""

    def look(
        self,
        read: ReadListing,
        embedding: NDArray[np.float32],
        kinds: NDArray[np.float64],
        hazards: list[str],
        pictures: Mapping[str, float] | None = None,
    ) -> Looked:
        """Return the matches of a listing, and its signature; blocks where its pictures have yet to be looked up."""
        matcher = self.matcher
        signature = self.signer.sign(read, embedding, kinds, hazards)
        packed = signature.to_bytes()
        if not len(matcher) and not len(matcher.judgements):
            return Looked(signature=(self.signer.version, packed))
        likeness = self.seen(read.listing.id) if pictures is None else pictures
        matches = matcher.matches(read.listing.id, read.listing.content_hash(), signature, pictures=likeness)
        return Looked(
            tuple(matches),
            max((match.probability for match in matches), default=0.0),
            any(match.content != "other" for match in matches),
            (self.signer.version, packed),
        )

    @property
    def knows_pictures(self) -> bool:
        """Whether some picture speaks for an alert."""
        return bool(self._pictures)

    def seen(self, listing_id: str) -> Mapping[str, float]:
        """Return the alerts that a listing's pictures speak for, with their likeness; blocks where any is known."""
        return self._pictures.seen(listing_id)

    def seen_of(self, alerts: Collection[str]) -> SeenOf:
        """Return the stored listings that the pictures of some alerts speak for, with their likeness; blocks."""
        return self._pictures.seen_of(alerts)

    def refresh(self, wanted: Callable[[], bool] = lambda: True) -> bool:
        """Take over what has changed in the database; blocks, and reads and encodes what is new.

        Returns
        -------
        bool
            Whether anything has changed.
        """
        with self._refreshing:
            state = self._look_up()
            if state == self._state:
                return False
            known = self._known_alerts(wanted)
            if known is None:
                return False
            standing = self._judgements.standing()
            self._pictures.refresh(standing)
            self.matcher = AlertMatcher(self.signer, known, self._known_judgements(standing))
            self.version = f"{state.alerts}:{state.updated}:{state.judgements}:{self._pictures.version}"
            self._state = state
            _log.info("%d alerts known, %d judgements of matches", len(known), len(self.matcher.judgements))
            return True

    def _look_up(self) -> _State:
        query = select(func.count(), func.max(AlertRow.updated_at)).where(AlertRow.withdrawn_at.is_(None))
        with self._engine.connect() as connection:
            count, updated = connection.execute(query).one()
        return _State(count, str(updated or ""), self._judgements.newest(), self._pictures.state())

    def _known_alerts(self, wanted: Callable[[], bool]) -> list[KnownAlert] | None:
        query = select(AlertRow.id, AlertRow.digest).where(AlertRow.withdrawn_at.is_(None)).order_by(AlertRow.id)
        with self._engine.connect() as connection:
            there = {row.id: row.digest for row in connection.execute(query)}
        new = [key for key, digest in there.items() if key not in self._alerts or self._alerts[key][0] != digest]
        for part in in_parts(new, _CHUNK):
            if not wanted():
                return None
            some = {key: there[key] for key in part}
            self._alerts |= {known.id: (some[known.id], known) for known in self._read(some)}
        self._alerts = {key: self._alerts[key] for key in there if key in self._alerts}
        return [known for _, known in self._alerts.values()]

    def _read(self, digests: Mapping[str, str]) -> list[KnownAlert]:
        """Return alerts by id, with the signatures that are kept; others are made, and kept."""
        ids = list(digests)
        query = select(AlertRow.id, AlertRow.alert).where(AlertRow.id.in_(ids))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        alerts = {}
        for row in rows:
            try:
                alerts[row.id] = Alert.of_json(row.alert)
            except (KeyError, TypeError, ValueError) as error:
                # One that cannot be read keeps no other from being known.
                _log.error("alert %s is not compared: it cannot be read: %r", row.id, error)
        kept = self._signatures.of_alerts(ids, self.signer.version)
        signatures = {key: signature for key, (digest, signature) in kept.items() if digests[key] == digest}
        missing = [key for key in alerts if key not in signatures]
        made = dict(zip(missing, self.signer.alerts([alerts[key] for key in missing]), strict=True))
        if made:
            self._signatures.keep_of_alerts({key: (digests[key], made[key]) for key in made}, self.signer.version)
        signatures |= made
        return [KnownAlert(key, alert.title, alert.url, signatures[key]) for key, alert in alerts.items()]

    def _known_judgements(self, standing: Sequence[Judgement]) -> Judgements:
        new = {each.content_hash: each for each in standing if each.content_hash not in self._judged}
        signatures = self.signer.listings([Listing.model_validate(each.listing) for each in new.values()])
        self._judged |= dict(zip(new, signatures, strict=True))
        sides: dict[Verdict, list[Judged]] = {verdict: [] for verdict in Verdict}
        for each in standing:
            sides[each.verdict].append(Judged(each.alert_id, each.content_hash, self._judged[each.content_hash]))
        return Judgements(sides[Verdict.CONFIRMED], sides[Verdict.REFUSED])
