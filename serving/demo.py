"""Fills an empty store with the example listings, so that the page has something to show."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from models.sources.listings import read_listings
from serving.engine import AssessmentEngine
from serving.store.assessments import Answered, AssessmentStore

_log = logging.getLogger("hazardlens.demo")


async def seed(engine: AssessmentEngine, store: AssessmentStore, source: Path | None = None) -> int:
    """Assess the listings of a file and keep them, if the store is empty.

    Parameters
    ----------
    source : Path, optional
        Any table that `models.sources.listings` reads; by default the samples that ship with hazardlens.

    Returns
    -------
    int
        Number of assessments added.
    """
    if await asyncio.to_thread(store.count):
        return 0
    listings = await asyncio.to_thread(_read, source or datasets_dir() / "samples" / "listings.jsonl")
    # One by one, so that real requests find free threads from the first second.
    outcomes = [(listing, (await engine.assess([listing]))[0]) for listing in listings]
    answers = [Answered(listing, outcome) for listing, outcome in outcomes if isinstance(outcome, Assessment)]
    await asyncio.to_thread(store.save, answers)
    _log.info("%d example listings assessed", len(answers))
    return len(answers)


def _read(source: Path) -> list[Listing]:
    rows, _ = read_listings(source)
    return [row.listing for row in rows if row.listing is not None]
