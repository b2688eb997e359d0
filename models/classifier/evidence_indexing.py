"""From listings with known hazards to items of the evidence index: embedding and product kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.classifier.evidence import EvidenceIndex, EvidenceItem, Vectors
from models.classifier.kind_model import name_strengths
from models.domain.alert import Example
from models.domain.listing import Listing

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier

_CHUNK = 1_000


def items_of(examples: Iterable[Example]) -> list[tuple[EvidenceItem, Listing]]:
    """Return the items of examples whose labels are known, with the listings they are found by."""
    return [
        (
            EvidenceItem(
                type="alert" if example.labels else "review",
                reference=example.id,
                title=example.title,
                labels=example.labels,
                risk_level=example.risk_level,
                url=example.url,
                source=example.source,
            ),
            example.to_listing(),
        )
        for example in examples
        if example.labels is not None
    ]


def index_listings(
    model: HazardClassifier,
    pairs: Sequence[tuple[EvidenceItem, Listing]],
    progress: Callable[[int], object] | None = None,
) -> EvidenceIndex:
    """Return an index of items that are found by listings."""
    return EvidenceIndex(*embedded(model, pairs, progress))


def embedded(
    model: HazardClassifier,
    pairs: Sequence[tuple[EvidenceItem, Listing]],
    progress: Callable[[int], object] | None = None,
) -> tuple[list[EvidenceItem], Vectors]:
    """Return the items with their likeliest product kind, and their vectors; for `EvidenceIndex.add`.

    Parameters
    ----------
    progress : callable, optional
        Called with the number of listings done since the last call.
    """
    items: list[EvidenceItem] = []
    vectors = np.zeros((len(pairs), model.encoder.dimension), dtype=np.float32)
    for start in range(0, len(pairs), _CHUNK):
        part = pairs[start : start + _CHUNK]
        texts = [model.read(listing).text for _, listing in part]
        embeddings = model.encoder.embed([text.text for text in texts], progress)
        judged = model.kind_model.judge(embeddings, name_strengths(texts, model.knowledge))
        kinds = judged.posterior.argmax(axis=1)
        items += [
            replace(item, kind=model.knowledge.kinds[int(kind)].id) for (item, _), kind in zip(part, kinds, strict=True)
        ]
        vectors[start : start + len(part)] = embeddings
    return items, vectors
