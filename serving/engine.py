"""The loaded model and plan behind an async door: bounded, fair between requests, equal content assessed once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

from models.classifier.classifier import Detail, HazardClassifier
from models.classifier.explaining import explain_listing
from models.classifier.stopwatch import Stopwatch
from models.domain.assessment import Assessment, Versions, assessment_id
from models.domain.explanation import Detail as ExplanationDetail
from models.domain.explanation import Explanation
from models.domain.listing import Listing
from models.plan.plan import Plan
from serving.admission import Admission
from serving.watching import Observer, Unobserved, listing_watch

_log = logging.getLogger("hazardlens.engine")


@dataclass(frozen=True)
class Failure:
    """A listing that could not be assessed, through a fault of ours."""

    listing_id: str
    error: Exception


Outcome = Assessment | Failure


@dataclass(frozen=True)
class InForce:
    """The plan that decides, and the versions that answers then name: swapped as one."""

    plan: Plan
    versions: Versions


Finish = Callable[[Assessment, Listing], Assessment]


def as_it_is(assessment: Assessment, _: Listing) -> Assessment:
    """Return the assessment: nothing is to be added."""
    return assessment


class AssessmentEngine:
    """Assesses listings on a pool of threads; the event loop only hands work over.

    Each listing is assessed alone, so that equal content gets an equal answer whatever else is going on.

    Parameters
    ----------
    model : HazardClassifier
        Its encoder's `threads` sizes the pool.
    plan : Plan
        Decides the action, until another one is put in force.
    max_in_flight : int
        Listings accepted and not yet answered.
    finish : callable
        Completes an answer, on the pool's threads.
    """

    def __init__(
        self, model: HazardClassifier, plan: Plan, max_in_flight: int = 4_000, finish: Finish = as_it_is
    ) -> None:
        self.model = model
        self.finish = finish
        self.threads = model.encoder.threads
        self.admission = Admission(max_in_flight, self.threads)
        self.in_force = self._in_force(plan)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="assess")
        self._running: dict[tuple[str, Detail, str], asyncio.Future[Assessment]] = {}
        self.observer: Observer = Unobserved()

    @property
    def plan(self) -> Plan:
        """The plan in force."""
        return self.in_force.plan

    @property
    def versions(self) -> Versions:
        """What answers depend on now."""
        return self.in_force.versions

    def put_in_force(self, plan: Plan) -> None:
        """Let another plan decide from now on; listings of requests that have begun keep theirs."""
        self.in_force = self._in_force(plan)

    def _in_force(self, plan: Plan) -> InForce:
        bound = plan.bound_to(self.model.guarantees)
        return InForce(bound, Versions(model=self.model.version, plan=bound.id, taxonomy=self.model.taxonomy.id))

    async def assess(
        self, listings: Sequence[Listing], explain: Detail = "none", in_force: InForce | None = None
    ) -> list[Outcome]:
        """Assess listings; one outcome each, in the same order, all by the plan that is in force now.

        Parameters
        ----------
        in_force : InForce, optional
            What was in force when the caller began.

        Raises
        ------
        Full
            If as many listings as allowed are in flight; nothing was assessed.
        """
        outcomes: dict[int, Outcome] = {}
        deciding = in_force or self.in_force
        # The requests share the pool by turns: each has but a few listings waiting in it at any time, so that
        # one of a thousand listings does not hold up one of a single listing.
        numbers = iter(range(len(listings)))

        async def lane(turns: Iterator[int]) -> None:
            for i in turns:
                outcomes[i] = await self._outcome(listings[i], explain, deciding.plan)

        with self.admission.admit(len(listings)):
            async with asyncio.TaskGroup() as group:
                for _ in range(min(len(listings), self.threads + 1)):
                    group.create_task(lane(numbers))
        return [outcomes[i] for i in range(len(listings))]

    async def explain(self, listing: Listing, detail: ExplanationDetail, risk_types: Sequence[str] = ()) -> Explanation:
        """Assess a listing anew and explain the answer.

        Raises
        ------
        Full
            If as many listings as allowed are in flight.
        """
        with self.admission.admit(1):
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, explain_listing, self.model, listing, self.plan, detail, risk_types
            )

    async def _outcome(self, listing: Listing, explain: Detail, plan: Plan) -> Outcome:
        try:
            return await self._shared(listing, explain, plan)
        except Exception as error:  # noqa: BLE001  (one listing must not lose the others; it is logged)
            _log.exception("listing %r could not be assessed", listing.id)
            return Failure(listing.id, error)

    async def _shared(self, listing: Listing, explain: Detail, plan: Plan) -> Assessment:
        """Join the run of equal content that is under way, or start one."""
        key = (listing.content_hash(), explain, plan.id)
        running = self._running.get(key)
        self.observer.answered("model" if running is None else "joined")
        if running is None:
            running = asyncio.ensure_future(
                asyncio.get_running_loop().run_in_executor(
                    self._pool, self._work, listing, explain, plan, listing_watch()
                )
            )
            self._running[key] = running
            running.add_done_callback(lambda done: self._finished(key, done))
        # Shielded: when one of several waiting requests is cancelled, the others still get their answer.
        return addressed_to(await asyncio.shield(running), listing)

    def _finished(self, key: tuple[str, Detail, str], done: asyncio.Future[Assessment]) -> None:
        self._running.pop(key, None)
        if not done.cancelled():
            done.exception()  # marks it as seen where every waiting request has gone

    def _work(self, listing: Listing, explain: Detail, plan: Plan, watch: Stopwatch) -> Assessment:
        watch.lap("queue")
        begun = perf_counter()
        try:
            assessment = self.finish(self.model.assess(listing, plan, explain, watch), listing)
            watch.lap("tell")
            self.observer.computed(watch)
            return assessment
        finally:
            self.admission.took(perf_counter() - begun)

    def close(self) -> None:
        """Finish what is being assessed and drop the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def addressed_to(assessment: Assessment, listing: Listing) -> Assessment:
    """Return the assessment of equal content as the answer for this listing's id."""
    if assessment.listing_id == listing.id:
        return assessment
    own = assessment_id(assessment.content_hash, listing.id, assessment.versions)
    return assessment.model_copy(update={"id": own, "listing_id": listing.id})
