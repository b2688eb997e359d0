"""Known items that come in while the server runs: tables of alerts, reviewed listings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from models.classifier.classifier import HazardClassifier
from models.classifier.evidence import EvidenceItem
from models.classifier.evidence_indexing import embedded, items_of
from models.domain.listing import Listing
from models.domain.parts import in_parts
from models.domain.risk import RiskLevel
from models.sources.examples import read_examples

Pairs = list[tuple[EvidenceItem, Listing]]

_log = logging.getLogger("hazardlens.evidence")
_CHUNK = 500


def read_items(model: HazardClassifier, path: Path) -> Pairs:
    """Read a table as `hazardlens ingest` writes it: items with known labels, and the listings they are found by.

    Raises
    ------
    InputError
        Naming file, line and column.
    """
    examples, _ = read_examples(path, model.taxonomy, labelled=False, unknown="other")
    return items_of(examples)


def add_items(model: HazardClassifier, pairs: Pairs, wanted: Callable[[], bool] = lambda: True) -> None:
    """Add items to the model's index, part by part: each part is found as soon as it is in.

    Parameters
    ----------
    wanted : callable
        Is asked before each part; the rest is left out once it says no.
    """
    for part in in_parts(pairs, _CHUNK):
        if not wanted():
            return
        model.evidence.add(*embedded(model, part))
    _log.info("%d known items added, %d in all", len(pairs), len(model.evidence))


def add_review(
    model: HazardClassifier,
    listing: Listing,
    *,
    reference: str,
    labels: Sequence[str],
    risk_level: RiskLevel,
    url: str = "",
) -> None:
    """Add a listing that a person has decided on; a later decision of the same reference takes its place."""
    item = EvidenceItem(
        type="review",
        reference=reference,
        title=listing.title,
        labels=tuple(labels),
        risk_level=risk_level,
        url=url,
        source="review",
    )
    add_items(model, [(item, listing)])
