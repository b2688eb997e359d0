"""Product texts, read and encoded once for everything that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier.classifier import HazardClassifier
from models.classifier.reading import ReadListing
from models.classifier.wording import Opinion
from models.domain.listing import Listing
from models.matching.rarity import Rarity
from models.matching.signature import Signature
from models.matching.signing import Signer

_SURE_KIND = 0.5
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Texts:
    """What a model has read.

    Parameters
    ----------
    embeddings : array of shape (n, dimension)
    """

    model: HazardClassifier
    read: list[ReadListing]
    embeddings: NDArray[np.float32]
    opinions: list[Opinion]

    @classmethod
    def of(cls, model: HazardClassifier, listings: Sequence[Listing]) -> Texts:
        """Read and encode listings."""
        read = [model.read(listing) for listing in listings]
        embeddings = model.encoder.embed([each.text.text for each in read])
        opinions: list[Opinion] = []
        for start in range(0, len(read), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            opinions += model.opinions(read[part], embeddings[part])
        return cls(model, read, embeddings, opinions)

    @property
    def kinds(self) -> list[str | None]:
        """The product kind of each, None where the model is not sure."""
        return [
            self.model.knowledge.kinds[int(each.kinds.argmax())].id if each.kinds.max() >= _SURE_KIND else None
            for each in self.opinions
        ]

    def signed(self, rarity: Rarity) -> list[Signature]:
        """Return their signatures."""
        signer = Signer(self.model, rarity)
        return [
            signer.sign(read, embedding, opinion.kinds, self.model.concerns(opinion))
            for read, embedding, opinion in zip(self.read, self.embeddings, self.opinions, strict=True)
        ]
