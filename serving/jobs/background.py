"""Assesses behind the calls that somebody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from time import monotonic

from models.classifier.classifier import Detail
from models.domain.listing import Listing
from serving.admission import Full
from serving.engine import AssessmentEngine, InForce, Outcome

_LOOKS_EVERY = 0.004
"""Seconds, about half of what a listing takes."""
_PATIENCE = 0.25
"""Seconds: under steady load one listing a lane goes on after so long, so that a job is slow and never stands still."""


class Background:
    """Takes what calls leave over of an engine.

    One thread of the engine is left free for a call that may come, and each listing is started only while no call is
    there. With a single thread, a call waits for what one listing takes at most. Answers of a job are not remembered,
    since a long list would push out those of all calls.

    Parameters
    ----------
    engine : AssessmentEngine
    """

    def __init__(self, engine: AssessmentEngine) -> None:
        self.engine = engine
        self._lanes = max(1, engine.threads - 1)
        self._own = 0

    async def assess(self, listings: Sequence[Listing], explain: Detail, in_force: InForce) -> list[Outcome]:
        """Assess some listings of a job; one outcome each, in the same order."""
        outcomes: dict[int, Outcome] = {}
        numbers = iter(range(len(listings)))

        async def lane(turns: Iterator[int]) -> None:
            for i in turns:
                outcomes[i] = await self._one(listings[i], explain, in_force)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._lanes, len(listings))):
                group.create_task(lane(numbers))
        return [outcomes[i] for i in range(len(listings))]

    async def _one(self, listing: Listing, explain: Detail, in_force: InForce) -> Outcome:
        while True:
            await self._room()
            self._own += 1
            try:
                return (await self.engine.assess([listing], explain, in_force, remember=False))[0]
            except Full as full:
                await asyncio.sleep(min(full.retry_after, 1))
            finally:
                self._own -= 1

    async def _room(self) -> None:
        until = monotonic() + _PATIENCE
        while self.engine.admission.in_flight > self._own and monotonic() < until:
            await asyncio.sleep(_LOOKS_EVERY)
