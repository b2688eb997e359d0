"""Listing -> alerts: the matches of a listing among the known alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from models.domain.alert import Alert
from models.domain.listing import Listing
from models.domain.match import Match
from models.matching.combiner import Combiner, logit, probability, shipped_combiner
from models.matching.judgements import NOTHING_JUDGED, Judgements
from models.matching.rivals import Rivals
from models.matching.search import Hit
from models.matching.signature import Group, Signature
from models.matching.signing import Signer
from models.matching.wording import worded

LEAST, MOST = 0.1, 5
"""Matches that are worth showing: from this probability on, at most so many of a listing."""
SURE = 0.999
"""Probability of a listing that is like a confirmed one."""
_LOOKED_AT = 20
"""Alerts that are weighed against each other, at least: one that others outdo makes room for the next."""
_NO_PICTURES: Mapping[str, float] = {}


@dataclass(frozen=True)
class KnownAlert:
    """An alert that listings are compared with."""

    id: str
    title: str
    url: str
    signature: Signature


class AlertMatcher:
    """The known alerts as they are searched; never changed, only replaced.

    Parameters
    ----------
    signer : Signer
        Reads listings for `match`.
    alerts : sequence of KnownAlert
    judgements : Judgements
        What people have said.
    """

    def __init__(
        self,
        signer: Signer,
        alerts: Sequence[KnownAlert],
        judgements: Judgements | None = None,
        combiner: Combiner | None = None,
    ) -> None:
        self.signer, self.alerts = signer, tuple(alerts)
        self.judgements = judgements or NOTHING_JUDGED
        self.combiner = combiner or shipped_combiner()
        self.by_id = {alert.id: i for i, alert in enumerate(self.alerts)}
        self.rivals = Rivals(self.combiner, [alert.signature for alert in self.alerts])

    @classmethod
    def of(cls, signer: Signer, alerts: Sequence[Alert], judgements: Judgements | None = None) -> Self:
        """Read and encode alerts; each is known by its reference."""
        signatures = signer.alerts(alerts)
        known = [
            KnownAlert(alert.reference, alert.title, alert.url, signature)
            for alert, signature in zip(alerts, signatures, strict=True)
        ]
        return cls(signer, known, judgements)

    def __len__(self) -> int:
        return len(self.alerts)

    def match(
        self,
        listings: Sequence[Listing],
        least: float = LEAST,
        most: int = MOST,
        progress: Callable[[int], object] | None = None,
    ) -> list[Match]:
        """Read listings and return their matches, in the order of the listings, best first."""
        signatures = self.signer.listings(listings, progress)
        return [
            match
            for listing, signature in zip(listings, signatures, strict=True)
            for match in self.matches(listing.id, listing.content_hash(), signature, least, most)
        ]

    def matches(
        self,
        listing_id: str,
        content_hash: str,
        signature: Signature,
        least: float = LEAST,
        most: int = MOST,
        pictures: Mapping[str, float] = _NO_PICTURES,
    ) -> list[Match]:
        """Return the matches of one listing, best first: refused ones left out, those like a confirmed one first.

        Parameters
        ----------
        pictures : mapping
            Alert id -> how alike the listing's pictures and the alert's are, 0 to 1; others have nothing alike.
        """
        if not self.alerts and not len(self.judgements):
            return []
        confirmed = self.judgements.confirmed(content_hash, signature)
        refused = self.judgements.refused(content_hash, signature)
        # Equal content was judged itself; what is only like both is not let through.
        confirmed = {alert: content for alert, content in confirmed.items() if refused.get(alert) != "identical"}
        refused = {alert: content for alert, content in refused.items() if alert not in confirmed}

        def alike(row: int) -> float:
            return pictures.get(self.alerts[row].id, 0.0)

        asked = (lambda _, row: alike(row)) if pictures else None
        wanted = most + len(refused)
        found_first = self.rivals.shelf.search([signature], least, max(wanted, _LOOKED_AT), asked)[0]
        hits = [hit for hit in self.rivals.of_listing(found_first) if hit.logit >= logit(least)][:wanted]
        rows = {hit.row for hit in hits}
        known = [row for alert in confirmed if (row := self.by_id.get(alert)) is not None and row not in rows]
        hits += self.rivals.shelf.compare(signature, known, alike)
        found = [self._match(listing_id, signature, hit) for hit in hits]
        found = [
            match.model_copy(update={"content": confirmed[match.alert_id], "probability": max(match.probability, SURE)})
            if match.alert_id in confirmed
            else match
            for match in found
            if match.alert_id not in refused
        ]
        # An alert that was withdrawn, or is not known here, still holds its product down.
        found += [
            Match(listing_id=listing_id, alert_id=alert, probability=SURE, features=[], content=content)
            for alert, content in confirmed.items()
            if alert not in self.by_id
        ]
        return sorted(found, key=lambda match: (-match.probability, match.alert_id))[: max(most, len(confirmed))]

    def _match(self, listing_id: str, listing: Signature, hit: Hit) -> Match:
        alert = self.alerts[hit.row]
        own = {group: frozenset(texts) for group, texts in listing.texts.items()}

        def has(group: Group, text: str) -> bool:
            return text in own[group]

        return Match(
            listing_id=listing_id,
            alert_id=alert.id,
            probability=probability(hit.logit),
            features=worded(hit.features, self.combiner, alert.signature, has),
            title=alert.title,
            url=alert.url,
        )
