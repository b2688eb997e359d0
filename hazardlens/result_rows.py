"""From rows of an input table to rows of results: one each, in order, whatever happens to any of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
    from models.domain.assessment import Assessment, Tiers
    from models.plan.plan import Plan
    from models.sources.listings import ScoredInput

_LOG = logging.getLogger(__name__)

COLUMNS = (
    "id",
    "hazards",
    "risk_score",
    "risk_level",
    "level_probabilities",
    "action",
    "tier",
    "abstains",
    "notes",
    "error",
)
"""Keys of a result. Where `error` says why a row has no answer, the figures are null."""

Result = dict[str, Any]
CHUNK = 256
"""Rows that are scored together."""


def score_rows(
    model: HazardClassifier, plan: Plan, rows: Iterable[ScoredInput], chunk: int = CHUNK, tiers: Tiers = "full"
) -> Iterator[list[Result]]:
    """Score rows a chunk at a time; each chunk of rows gives as many results, in the same order.

    Parameters
    ----------
    tiers : {"full", "two"}
        ``two`` lets the model's screen answer where it may.
    """
    stream = iter(rows)
    while batch := list(islice(stream, chunk)):
        answers = _answers(model, plan, batch, tiers)
        yield [_result(row, *answers.get(i, (None, row.error))) for i, row in enumerate(batch)]


def unread(rows: Iterable[ScoredInput]) -> Iterator[ScoredInput]:
    """Yield the rows; those that name pictures get the note that these were not read."""
    for row in rows:
        named = row.images is not None and row.listing is not None
        note = "images: not read; --pictures reads them"
        yield replace(row, notes=[*row.notes, note], images=None) if named else row


def _answers(
    model: HazardClassifier, plan: Plan, batch: Sequence[ScoredInput], tiers: Tiers
) -> dict[int, tuple[Assessment | None, str | None]]:
    """Return (assessment, error) of each row that holds a listing, by its place in the batch.

    Rows of equal content are assessed once: nothing of a result but its id tells them apart.
    """
    listings = {i: row.listing for i, row in enumerate(batch) if row.listing is not None}
    contents = {i: listing.content_hash() for i, listing in listings.items()}
    first = {contents[i]: listing for i, listing in reversed(listings.items())}
    try:
        assessments = dict(zip(first, model.assess_many(first.values(), plan, tiers=tiers), strict=True))
    except Exception:  # noqa: BLE001  (each listing is tried again alone; the one at fault is logged)
        _LOG.info("a chunk failed as a whole; its listings are assessed one by one")
    else:
        return {i: (assessments[content], None) for i, content in contents.items()}
    alone: dict[int, tuple[Assessment | None, str | None]] = {}
    for i, listing in listings.items():
        try:
            alone[i] = (model.assess(listing, plan), None)
        except Exception as error:  # noqa: BLE001  (logged, and told in the row; the other rows go on)
            _LOG.exception("row %d, listing %r could not be assessed", batch[i].row, listing.id)
            alone[i] = (None, f"row {batch[i].row}: could not be assessed: {type(error).__name__}: {error}")
    return alone


def _result(row: ScoredInput, assessment: Assessment | None, error: str | None) -> Result:
    if assessment is None:
        return {**dict.fromkeys(COLUMNS), "id": row.id, "abstains": [], "notes": list(row.notes), "error": error}
    return {
        "id": row.id,
        "hazards": {hazard.risk_type: hazard.probability for hazard in assessment.hazards},
        "risk_score": assessment.risk_score,
        "risk_level": assessment.risk_level.value,
        "level_probabilities": {level.value: p for level, p in assessment.level_probabilities.items()},
        "action": assessment.decision.action.value,
        "tier": assessment.tier,
        "abstains": list(assessment.abstains),
        "notes": [*row.notes, *assessment.notes],
        "error": None,
    }
