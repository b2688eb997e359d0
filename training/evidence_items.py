"""The evidence index of a model: the examples it was given, or written listings where there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from models.classifier.evidence import EvidenceIndex, EvidenceItem
from models.classifier.evidence_indexing import index_listings, items_of
from models.domain.alert import Example
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
    from models.domain.listing import Listing

_WRITTEN_PER_KIND = 2
MOST = 100_000
"""Items of an artifact's index; the latest examples stay."""


def evidence_index(
    model: HazardClassifier,
    examples: Sequence[Example],
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> EvidenceIndex:
    """Build the index.

    Parameters
    ----------
    examples : sequence of Example
        Only those with known labels are kept, all parts of a split alike: the index shows what is known, and no figure
        of an evaluation rests on it. Without any, listings are written from the knowledge base and say so.
    """
    pairs = items_of(examples) if examples else _written(model, seed)
    return index_listings(model, pairs[-MOST:], progress)


def _written(model: HazardClassifier, seed: int) -> list[tuple[EvidenceItem, Listing]]:
    settings = CorpusSettings(size=0, min_per_kind=_WRITTEN_PER_KIND, seed=seed + 2)
    return [
        (
            EvidenceItem(
                type="written",
                reference=f"written-{i + 1}",
                title=written.listing.title,
                # What is written to be safe or of little risk has labels too where its kind is unsafe now and then.
                labels=written.labels,
                risk_level=written.risk_level,
                source="written from the knowledge base",
            ),
            written.listing,
        )
        for i, written in enumerate(write_corpus(model.knowledge, model.taxonomy, settings))
    ]
