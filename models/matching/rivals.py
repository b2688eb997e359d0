"""What other alerts say of a match: a listing that another alert fits better most likely offers that one's product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from operator import attrgetter

from models.matching.combiner import Combiner
from models.matching.features import COLUMN
from models.matching.first_look import FirstLook
from models.matching.search import Hit, Shelf
from models.matching.signature import Signature

_SPAN, _SPAN_OF_KIN = 10.0, 3.0
"""Difference of logits that counts in full: by an alert about another product, by one about perhaps the same."""
_SAME_PRODUCT = 0.5
"""Probability from which on two alerts may be about one product, or about its sister: then each speaks less against the
other, and not at all where they share a GTIN or a model number."""
_MOST_SAME = 1_000
_FEW = 500
"""Listings up to which all alerts are looked at side by side; among more, most alerts have something to look for."""
Fits = Mapping[int, float]
"""Number of an alert -> logit by which it fits a listing, without what others say."""


class Rivals:
    """The known alerts, as each speaks against matches of the others.

    Parameters
    ----------
    combiner : Combiner
    alerts : sequence of Signature
        An alert is known by its place among them.
    """

    def __init__(self, combiner: Combiner, alerts: Sequence[Signature]) -> None:
        self.combiner, self.alerts = combiner, tuple(alerts)
        self.shelf = Shelf(combiner, alert_asks=False)
        self.shelf.add([alert.to_bytes() for alert in self.alerts])
        self._kin: dict[int, frozenset[int]] = {}
        self._same: dict[int, frozenset[int]] = {}

    def weighed(self, alert: int, hit: Hit, fits: Fits) -> Hit:
        """Return a match of an alert with what the others say.

        Parameters
        ----------
        fits : mapping
            The alerts that fit the listing; those that fit it less than the alert itself may be left out.
        """
        better = [(logit, other) for other, logit in fits.items() if other != alert and logit > hit.logit]
        if not better:
            return hit
        kin, same = self.kin(alert), self._same[alert]
        best = max((logit for logit, other in better if other not in kin), default=hit.logit)
        best_kin = max((logit for logit, other in better if other in kin and other not in same), default=hit.logit)
        features = hit.features.copy()
        features[COLUMN["fits_other"]] = min(1.0, (best - hit.logit) / _SPAN)
        features[COLUMN["fits_sister"]] = min(1.0, (best_kin - hit.logit) / _SPAN_OF_KIN)
        return replace(hit, features=features, logit=float(self.combiner.logits(features[None])[0]))

    def of_listing(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return the matches of one listing, whose rows are numbers of alerts, with what the others say; best first."""
        fits = {hit.row: hit.logit for hit in hits}
        return in_order(self.weighed(hit.row, hit, fits) for hit in hits)

    def beside(self, listings: Sequence[bytes], least: float) -> list[dict[int, float]]:
        """Return for each listing the alerts that fit it with at least some probability.

        Parameters
        ----------
        listings : sequence of bytes
            As `Signature.to_bytes` gives them.
        """
        found: list[dict[int, float]] = [{} for _ in listings]
        shelf = Shelf(self.combiner, alert_asks=True)
        shelf.add(listings)
        few = len(listings) <= _FEW
        found_by = shelf.search_few(self._first_look, least) if few else shelf.search(self.alerts, least, len(listings))
        for number, hits in enumerate(found_by):
            for hit in hits:
                found[hit.row][number] = hit.logit
        return found

    @cached_property
    def _first_look(self) -> FirstLook:
        return FirstLook(self.combiner, True, self.alerts)

    def kin(self, alert: int) -> frozenset[int]:
        """Return the alerts that may be about the product of one: those that it would match as a listing."""
        if alert not in self._kin:
            hits = self.shelf.search([self.alerts[alert]], _SAME_PRODUCT, _MOST_SAME)[0]
            codes = [COLUMN["gtin"], COLUMN["model"]]
            self._same[alert] = frozenset(hit.row for hit in hits if hit.features[codes].any())
            self._kin[alert] = frozenset(hit.row for hit in hits)
        return self._kin[alert]


def in_order(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits best first; of equal ones the lower number first."""
    return sorted(sorted(hits, key=attrgetter("row")), key=attrgetter("logit"), reverse=True)
