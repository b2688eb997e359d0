"""Labelled pairs of listing and alert: true ones by rewriting, and the false ones that are hardest to tell from
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from models.domain.alert import Example
from models.domain.listing import Listing
from models.knowledge.base import Knowledge
from models.matching.combiner import Combiner
from models.matching.identifiers import gtins_in, model_key, models_in
from models.matching.names import brand_key
from models.matching.rivals import Rivals
from models.matching.signature import Signature
from training.matching.rewriting import Disguise, Named, Rewriter, product_words

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Rewritten:
    """A listing written from an alert."""

    listing: Listing
    alert: int
    disguise: Disguise


@dataclass(frozen=True)
class Pairs:
    """Features of pairs, whether each is true, and the alert that it is grouped by."""

    features: Floats
    same: NDArray[np.bool_]
    alerts: NDArray[np.int64]


def rewritten_alerts(
    alerts: Sequence[Example], kinds: Sequence[str | None], knowledge: Knowledge, languages: Sequence[str], seed: int
) -> list[Rewritten]:
    """Return up to two listings for each alert: one that keeps brand or model, and one that keeps neither.

    Parameters
    ----------
    kinds : sequence of str or None
        Product kind of each alert, where it is known.
    """
    rewriter, rng = Rewriter(knowledge, languages), Random(seed)
    found: list[Rewritten] = []
    for i, (alert, kind) in enumerate(zip(alerts, kinds, strict=True)):
        for both_dropped in (False, True):
            disguise = rewriter.disguise(Named.of(alert), both_dropped, rng)
            if disguise is not None:
                known = knowledge.kind_by_id[kind] if kind is not None else None
                listing = rewriter.rewrite(alert, known, disguise, len(found), rng)
                found.append(Rewritten(listing, i, disguise))
    return found


@dataclass(frozen=True)
class Product:
    """What tells whether two alerts may be about one product.

    Parameters
    ----------
    brand : str
        Its key, empty for none.
    kind : str or None
        Product kind, where it is known.
    name : frozenset of str
        Words of the title without brand and model, plurals as singulars.
    models, gtins : frozenset of str
    """

    brand: str
    kind: str | None
    name: frozenset[str]
    models: frozenset[str]
    gtins: frozenset[str]

    @classmethod
    def of(cls, alert: Example, kind: str | None) -> Product:
        """Read the product of an alert."""
        named = Named.of(alert)
        texts = (alert.brand, alert.title, alert.description)
        return cls(
            brand_key(named.brand),
            kind,
            frozenset(product_words(alert.title, named)),
            frozenset({*models_in(alert.brand), *models_in(alert.title), model_key(named.model)} - {""}),
            frozenset(gtins_in(texts)),
        )

    def may_be(self, other: Product) -> bool:
        """Tell whether both may be one product: the same GTIN; or the same brand with model, name or kind the same.

        Two of one brand and kind may be one product or two, and nobody knows which.
        """
        if self.gtins & other.gtins:
            return True
        if not self.brand or self.brand != other.brand:
            return False
        same_kind = self.kind is not None and self.kind == other.kind
        return same_kind or bool(self.models & other.models) or (bool(self.name) and self.name == other.name)


def mined_pairs(
    combiner: Combiner,
    alerts: Sequence[Signature],
    products: Sequence[Product],
    listings: Sequence[Signature],
    truth: Sequence[int | None],
    most: int = 20,
    least: float = 1e-3,
) -> Pairs:
    """Return each listing's true pair, and the alerts that a combiner takes for most likely.

    What is left out has next to no probability. Pairs with another alert of what may be the same product may be true
    and are left out too.

    Parameters
    ----------
    truth : sequence of int or None
        Number of the alert that each listing offers the product of.
    """
    rivals = Rivals(combiner, alerts)
    rows: list[Floats] = []
    same: list[bool] = []
    of: list[int] = []
    for listing, true in zip(listings, truth, strict=True):
        hits = rivals.shelf.search([listing], least, most)[0]
        if true is not None and all(hit.row != true for hit in hits):
            hits += rivals.shelf.compare(listing, [true])
        # All are weighed, as in use, before those are left out of which nobody knows whether they are true.
        for hit in rivals.of_listing(hits):
            if true is not None and hit.row != true and products[hit.row].may_be(products[true]):
                continue
            rows.append(hit.features)
            same.append(hit.row == true)
            of.append(hit.row)
    return Pairs(np.stack(rows), np.array(same), np.array(of))
