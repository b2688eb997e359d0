"""Adds the message to the seller to every answer."""

from __future__ import annotations

from dataclasses import dataclass

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.knowledge.base import Knowledge
from models.reasons.marketplace import Marketplace
from models.reasons.message import with_message


@dataclass(frozen=True)
class Telling:
    """Completes an assessment with the message to the seller, in the seller's language.

    Parameters
    ----------
    knowledge : Knowledge
        Names of product kinds in every language.
    marketplace : Marketplace
        Where a seller can complain.
    """

    knowledge: Knowledge
    marketplace: Marketplace

    def __call__(self, assessment: Assessment, listing: Listing) -> Assessment:
        """Return the assessment with its message."""
        return with_message(assessment, listing, self.marketplace, self.kind_name)

    def kind_name(self, kind: str, language: str) -> str:
        """Return the name of a product kind in a language, empty where it has none."""
        found = self.knowledge.kind_by_id.get(kind)
        names = found.names.get(language) if found is not None else None
        return str(names[0]) if names else ""
