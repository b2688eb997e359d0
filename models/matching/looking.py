"""What an assessment asks of the known alerts, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from models.domain.match import Match

if TYPE_CHECKING:
    from models.classifier.reading import ReadListing
    from models.domain.assessment import Findings


@dataclass(frozen=True)
class Looked:
    """What came of looking for matches.

    Parameters
    ----------
    recall_match : float or None
        Highest probability; 0 where nothing was found, None where there are no alerts.
    removed_before : bool
        The listing is like one that a person has confirmed.
    signature : (str, bytes) or None
        What the store keeps to find the listing again, after its version.
    """

    matches: tuple[Match, ...] = ()
    recall_match: float | None = None
    removed_before: bool = False
    signature: tuple[str, bytes] | None = None


NOT_LOOKED = Looked()


def looked_before(answer: Findings) -> Looked:
    """Return what an answer says was found: for what asks the model again about the same offer."""
    return Looked(tuple(answer.matches), answer.recall_match, answer.removed_before)


class Recalls(Protocol):
    """Looks for matches of a listing that a model has read and encoded."""

    @property
    def version(self) -> str:
        """Changes whenever a listing may get other matches than before."""
        ...

    @property
    def knows_pictures(self) -> bool:
        """Whether some picture speaks for an alert, so that a listing's own may."""
        ...

    def seen(self, listing_id: str) -> Mapping[str, float]:
        """Return the alerts that a listing's pictures speak for, with their likeness (0 to 1); may block."""
        ...

    def look(
        self,
        read: ReadListing,
        embedding: NDArray[np.float32],
        kinds: NDArray[np.float64],
        hazards: list[str],
        pictures: Mapping[str, float] | None = None,
    ) -> Looked:
        """Return what is known of the listing's product.

        Parameters
        ----------
        pictures : mapping, optional
            What `seen` says of the listing, where somebody has asked already.
        """
        ...
