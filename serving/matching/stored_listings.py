"""Alert -> listings: exact search over every listing that was assessed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from models.domain.alert import Alert
from models.domain.listing import Listing
from models.domain.match import Match
from models.matching.combiner import Combiner, logit, probability, shipped_combiner
from models.matching.features import COLUMN
from models.matching.judgements import NOTHING_JUDGED, Content, Judged, Judgements, alike
from models.matching.matcher import LEAST, SURE, AlertMatcher, KnownAlert
from models.matching.rivals import in_order
from models.matching.search import Hit, Shelf
from models.matching.signature import Group, key_of
from models.matching.signing import Signer
from models.matching.wording import worded
from serving.matching.signatures import SignatureStore
from serving.matching.stored_pictures import SeenOf

NOTHING_SEEN: SeenOf = {}
_SIGNED_AT_ONCE = 500
_OUT_OF_ORDER = 5_000
"""Rows that are looked at again: PostgreSQL gives numbers out before it commits, so that a lower one may come later."""
_LONGEST_TRANSACTION = timedelta(minutes=10)


@dataclass(frozen=True)
class Searched:
    """What a search has looked at.

    Parameters
    ----------
    contents : int
        Distinct contents of listings.
    matches : list of list of Match
        For each alert, best first; every listing that has such a content now.
    """

    contents: int
    matches: list[list[Match]]


class ListingSearch:
    """The stored listings in memory, some 700 bytes each; filled at the first search, and brought up to date by each.

    Its methods block: call them from a thread.

    Parameters
    ----------
    signer : Signer
        Of the model that reads alerts, and listings that have no signature yet.
    engine : Engine
        Of a migrated database.
    """

    def __init__(self, signer: Signer, engine: Engine, combiner: Combiner | None = None) -> None:
        self.signer = signer
        self.combiner = combiner or shipped_combiner()
        self.signatures = SignatureStore(engine)
        self._shelf = Shelf(self.combiner, alert_asks=True)
        self._hashes: list[str] = []
        self._last = 0
        self._late: set[int] = set()
        self._signed_until: datetime | None = None
        self._lock = threading.Lock()

    def search(
        self,
        alerts: Sequence[KnownAlert],
        judgements: Judgements = NOTHING_JUDGED,
        least: float = LEAST,
        most: int = 1_000,
        wanted: Callable[[], bool] = lambda: True,
        known: AlertMatcher | None = None,
        seen: SeenOf = NOTHING_SEEN,
    ) -> Searched:
        """Search for all alerts at once, which is cheaper than one after the other.

        Parameters
        ----------
        judgements : Judgements
            Contents like a refused one are left out, those like a confirmed one are there whatever they look like.
        least : float
            Least probability.
        most : int
            Most contents for each alert.
        wanted : callable
            Is asked between parts of the work; the search ends with what it has once it says no.
        known : AlertMatcher, optional
            All known alerts: a listing that another one fits better is taken for this one's the less.
        seen : mapping
            Listings whose pictures look like those of an alert.
        """
        with self._lock:
            self.refresh(wanted)
            hits = self._shelf.search([alert.signature for alert in alerts], least, most)
            hits = [
                self._with_pictures(alert, some, seen.get(alert.id, {}), least, most)
                for alert, some in zip(alerts, hits, strict=True)
            ]
            if known is not None:
                hits = self._weighed(alerts, hits, known, least)
            judged = [self._judged(alert, some, judgements) for alert, some in zip(alerts, hits, strict=True)]
            contents = sorted({self._hashes[hit.row] for some, _ in judged for hit in some})
            listings = self.signatures.listings_of(contents)
            matches = [
                self._matches_of(alert, some, like, listings, seen.get(alert.id, {}), least)
                for alert, (some, like) in zip(alerts, judged, strict=True)
            ]
            return Searched(len(self._shelf), matches)

    def search_for(
        self,
        alerts: Mapping[str, Alert],
        judgements: Judgements = NOTHING_JUDGED,
        least: float = LEAST,
        known: AlertMatcher | None = None,
        seen: SeenOf = NOTHING_SEEN,
    ) -> Searched:
        """Read alerts, by their ids, and search for them."""
        signatures = self.signer.alerts(list(alerts.values()))
        asked = [
            KnownAlert(key, alert.title, alert.url, signature)
            for (key, alert), signature in zip(alerts.items(), signatures, strict=True)
        ]
        return self.search(asked, judgements, least, known=known, seen=seen)

    def _with_pictures(
        self, alert: KnownAlert, hits: list[Hit], seen: Mapping[str, float], least: float, most: int
    ) -> list[Hit]:
        """Return the hits with those that pictures bring; one that has none alike is found as it was."""
        if not seen:
            return hits
        contents: dict[str, float] = {}
        for listing, content in self.signatures.contents_of(list(seen)).items():
            contents[content] = max(contents.get(content, 0.0), seen[listing])
        rows = [row for row, content in enumerate(self._hashes) if content in contents]
        shown = self._shelf.compare(alert.signature, rows, lambda row: contents[self._hashes[row]])
        kept = [hit for hit in hits if self._hashes[hit.row] not in contents]
        return in_order((*kept, *(hit for hit in shown if hit.logit >= logit(least))))[:most]

    def _weighed(
        self, alerts: Sequence[KnownAlert], hits: Sequence[Sequence[Hit]], known: AlertMatcher, least: float
    ) -> list[list[Hit]]:
        """Return the hits with what other alerts say of them; looked up once for all alerts that are searched for."""
        contents = sorted({self._hashes[hit.row] for some in hits for hit in some})
        packed = self.signatures.of_contents(contents, self.signer.version)
        beside = dict(zip(packed, known.rivals.beside(list(packed.values()), least), strict=True))
        weighed = []
        for alert, some in zip(alerts, hits, strict=True):
            number = known.by_id.get(alert.id)
            if number is not None:
                some = [known.rivals.weighed(number, hit, beside[self._hashes[hit.row]]) for hit in some]
            weighed.append(in_order(hit for hit in some if hit.logit >= logit(least)))
        return weighed

    def _judged(
        self, alert: KnownAlert, hits: Sequence[Hit], judgements: Judgements
    ) -> tuple[list[Hit], dict[int, Content]]:
        """Return the hits without refused contents, and with confirmed ones, and which rows are like those."""
        confirmed, refused = judgements.of_alert(alert.id)
        known, against = self._like(confirmed), self._like(refused)
        known = {row: content for row, content in known.items() if against.get(row) != "identical"}
        kept = [hit for hit in hits if hit.row in known or hit.row not in against]
        missing = sorted(known.keys() - {hit.row for hit in kept})
        return [*self._shelf.compare(alert.signature, missing), *kept], known

    def _like(self, judged: Sequence[Judged]) -> dict[int, Content]:
        found: dict[int, Content] = {}
        for each in judged:
            begin = 0
            for block in self._shelf.blocks:
                for row in alike(block, each.signature).tolist():
                    same = self._hashes[begin + row] == each.content_hash
                    if same or begin + row not in found:
                        found[begin + row] = "identical" if same else "nearly identical"
                begin += len(block)
        return found

    def refresh(self, wanted: Callable[[], bool] = lambda: True) -> None:
        """Sign what was assessed without a signature of this version, and take over what is new."""
        version = self.signer.version
        now = datetime.now(UTC)
        while wanted() and (unsigned := self.signatures.unsigned(version, _SIGNED_AT_ONCE, self._signed_until)):
            listings = [Listing.model_validate(raw) for raw in unsigned]
            signed = self.signer.listings(listings)
            packed = {listing.content_hash(): each.to_bytes() for listing, each in zip(listings, signed, strict=True)}
            self.signatures.keep(packed, version)
        self._signed_until = now - _LONGEST_TRANSACTION
        for rows in self.signatures.since(self._last - _OUT_OF_ORDER, version):
            new = [row for row in rows if row[0] not in self._late]
            self._shelf.add([signature for _, _, signature in new])
            self._hashes += [content for _, content, _ in new]
            self._late |= {number for number, _, _ in new}
            self._last = max(self._last, rows[-1][0])
        self._late = {number for number in self._late if number > self._last - _OUT_OF_ORDER}

    @property
    def memory(self) -> int:
        """Bytes that the shelf takes."""
        return self._shelf.memory

    def _matches_of(
        self,
        alert: KnownAlert,
        hits: Sequence[Hit],
        like: Mapping[int, Content],
        listings: Mapping[str, Sequence[str]],
        seen: Mapping[str, float],
        least: float,
    ) -> list[Match]:
        found: list[Match] = []
        for hit in hits:
            ids, content = listings.get(self._hashes[hit.row], ()), like.get(hit.row, "other")
            if not hit.features[COLUMN["picture"]]:
                found += self._matches(alert, hit, content, ids)
                continue
            # Listings of equal text may have other pictures.
            for listing in ids:
                features = hit.features.copy()
                features[COLUMN["picture"]] = seen.get(listing, 0.0)
                own = Hit(hit.row, float(self.combiner.logits(features[None])[0]), features)
                if content != "other" or own.logit >= logit(least):
                    found += self._matches(alert, own, content, [listing])
        return found

    def _matches(self, alert: KnownAlert, hit: Hit, content: Content, listings: Sequence[str]) -> list[Match]:
        block, row = self._shelf.place(hit.row)

        def has(group: Group, text: str) -> bool:
            return block.has_key(row, key_of(group, text))

        features = worded(hit.features, self.combiner, alert.signature, has)
        return [
            Match(
                listing_id=listing_id,
                alert_id=alert.id,
                probability=probability(hit.logit) if content == "other" else max(SURE, probability(hit.logit)),
                features=features,
                content=content,
                title=alert.title,
                url=alert.url,
            )
            for listing_id in listings
        ]
