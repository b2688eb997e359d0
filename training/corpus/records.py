"""One listing of a corpus with everything that is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.classifier.scenarios import CueFact
from models.domain.alert import Example
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from training.corpus.settings import Style
from training.corpus.spans import Placement


@dataclass(frozen=True, slots=True)
class CorpusListing:
    """A listing, what it was written from, and the labels that follow.

    Parameters
    ----------
    kind : str
        Id of the product kind.
    cues : tuple of CueFact
        Cues that the listing was written with; cues that a product's name carries are part of the kind.
    labels : tuple of str
        Risk types of an unsafe listing; empty for a safe one.
    expected : mapping of risk type to probability
        Of the labels if the listing is unsafe: what `labels` are one draw of.
    risk_level : RiskLevel
        What the matrix gives for kind and cues; it does not depend on the draw of `unsafe`.
    names_used : tuple of str
        Names of the kind in the text, the title's first, as the knowledge base spells them.
    weight : float
        Importance weight: weighted, the listings have the base rates of the knowledge base.
    placements : tuple of Placement
        Where the cues stand.
    wrong_category : bool
        Whether the category is that of another product.
    """

    listing: Listing
    kind: str
    cues: tuple[CueFact, ...]
    language: str
    style: Style
    unsafe: bool
    labels: tuple[str, ...]
    expected: Mapping[str, float]
    risk_level: RiskLevel
    names_used: tuple[str, ...]
    weight: float
    placements: tuple[Placement, ...]
    wrong_category: bool

    def to_example(self) -> Example:
        """Return the listing as a training example; attributes join the description, one a line."""
        return Example.of_listing(
            self.listing,
            lang=self.language,
            labels=self.labels,
            risk_level=self.risk_level,
            source="corpus",
            weight=self.weight,
            extra={
                "kind": self.kind,
                "style": self.style,
                "unsafe": str(self.unsafe).lower(),
                "cues": ";".join(f"{'-' if fact.negated else ''}{fact.cue}" for fact in self.cues),
                "names_used": ";".join(self.names_used),
            },
        )
