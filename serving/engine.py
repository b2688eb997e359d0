"""The loaded model and plan behind an async door: bounded, fair between requests, equal content assessed once."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Self

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
_Run = tuple[str, Detail, str, str]
"""Content hash, detail, versions of model and plan: what makes two runs the same."""


@dataclass(frozen=True)
class Failure:
    """A listing that could not be assessed, through a fault of ours."""

    listing_id: str
    error: Exception


Outcome = Assessment | Failure


Finish = Callable[[Assessment, Listing], Assessment]
FinishingFor = Callable[[HazardClassifier], Finish]


def as_it_is(_: HazardClassifier) -> Finish:
    """Return what completes the answers of a model with nothing."""
    return lambda assessment, _: assessment


@dataclass(frozen=True)
class InForce:
    """What answers are made with, and the versions that they then name: swapped as one.

    A request holds on to what was in force when it began, so that its answers and its versions are of one piece, and a
    model lives until the last request that began with it is answered.

    Parameters
    ----------
    model : HazardClassifier
    plan : Plan
        Bound to the guarantees of the model.
    finish : callable
        Completes an answer of the model.
    versions : Versions
    """

    model: HazardClassifier
    plan: Plan
    finish: Finish
    versions: Versions

    @classmethod
    def of(cls, model: HazardClassifier, plan: Plan, finish: Finish) -> Self:
        """Bind the plan to the model."""
        bound = plan.bound_to(model.guarantees)
        return cls(model, bound, finish, Versions(model=model.version, plan=bound.id, taxonomy=model.taxonomy.id))

    def assess(self, listing: Listing, explain: Detail, watch: Stopwatch | None = None) -> Assessment:
        """Assess one listing, on the calling thread; the watch gets the phases."""
        watch = watch or Stopwatch()
        assessment = self.finish(self.model.assess(listing, self.plan, explain, watch), listing)
        watch.lap("tell")
        return assessment


class AssessmentEngine:
    """Assesses listings on a pool of threads; the event loop only hands work over.

    Each listing is assessed alone, so that equal content gets an equal answer whatever else is going on.

    Parameters
    ----------
    model : HazardClassifier
        Answers, until another one is put in force. Its encoder's `threads` sizes the pool.
    plan : Plan
        Decides the action, until another one is put in force.
    max_in_flight : int
        Listings accepted and not yet answered.
    finishing_for : callable
        Gives what completes the answers of a model, on the pool's threads.
    """

    def __init__(
        self, model: HazardClassifier, plan: Plan, max_in_flight: int = 4_000, finishing_for: FinishingFor = as_it_is
    ) -> None:
        self.finishing_for = finishing_for
        self.threads = model.encoder.threads
        self.admission = Admission(max_in_flight, self.threads)
        self.in_force = InForce.of(model, plan, finishing_for(model))
        self._swapping = threading.Lock()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="assess")
        self._running: dict[_Run, asyncio.Future[Assessment]] = {}
        self.observer: Observer = Unobserved()

    @property
    def model(self) -> HazardClassifier:
        """The model in force."""
        return self.in_force.model

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
        with self._swapping:
            self.in_force = InForce.of(self.in_force.model, plan, self.in_force.finish)

    def put_model_in_force(self, model: HazardClassifier) -> None:
        """Let another model answer from now on; listings of requests that have begun keep theirs."""
        finish = self.finishing_for(model)
        with self._swapping:
            self.in_force = InForce.of(model, self.in_force.plan, finish)

    async def assess(
        self, listings: Sequence[Listing], explain: Detail = "none", in_force: InForce | None = None
    ) -> list[Outcome]:
        """Assess listings; one outcome each, in the same order, all by what is in force now.

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
                outcomes[i] = await self._outcome(listings[i], explain, deciding)

        with self.admission.admit(len(listings)):
            async with asyncio.TaskGroup() as group:
                for _ in range(min(len(listings), self.threads + 1)):
                    group.create_task(lane(numbers))
        return [outcomes[i] for i in range(len(listings))]

    async def explain(
        self,
        listing: Listing,
        detail: ExplanationDetail,
        risk_types: Sequence[str] = (),
        in_force: InForce | None = None,
    ) -> Explanation:
        """Assess a listing anew and explain the answer.

        Parameters
        ----------
        in_force : InForce, optional
            What was in force when the caller began.

        Raises
        ------
        Full
            If as many listings as allowed are in flight.
        """
        by = in_force or self.in_force
        with self.admission.admit(1):
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, explain_listing, by.model, listing, by.plan, detail, risk_types
            )

    async def _outcome(self, listing: Listing, explain: Detail, by: InForce) -> Outcome:
        try:
            return await self._shared(listing, explain, by)
        except Exception as error:  # noqa: BLE001  (one listing must not lose the others; it is logged)
            _log.exception("listing %r could not be assessed", listing.id)
            return Failure(listing.id, error)

    async def _shared(self, listing: Listing, explain: Detail, by: InForce) -> Assessment:
        """Join the run of equal content that is under way by the same versions, or start one."""
        key = (listing.content_hash(), explain, by.versions.model, by.versions.plan)
        running = self._running.get(key)
        self.observer.answered("model" if running is None else "joined")
        if running is None:
            running = asyncio.ensure_future(
                asyncio.get_running_loop().run_in_executor(
                    self._pool, self._work, listing, explain, by, listing_watch()
                )
            )
            self._running[key] = running
            running.add_done_callback(lambda done: self._finished(key, done))
        # Shielded: when one of several waiting requests is cancelled, the others still get their answer.
        return addressed_to(await asyncio.shield(running), listing)

    def _finished(self, key: _Run, done: asyncio.Future[Assessment]) -> None:
        self._running.pop(key, None)
        if not done.cancelled():
            done.exception()  # marks it as seen where every waiting request has gone

    def _work(self, listing: Listing, explain: Detail, by: InForce, watch: Stopwatch) -> Assessment:
        watch.lap("queue")
        begun = perf_counter()
        try:
            assessment = by.assess(listing, explain, watch)
        finally:
            self.admission.took(perf_counter() - begun)
        self.observer.computed(watch)
        return assessment

    def close(self) -> None:
        """Finish what is being assessed and drop the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def addressed_to(assessment: Assessment, listing: Listing) -> Assessment:
    """Return the assessment of equal content as the answer for this listing's id."""
    if assessment.listing_id == listing.id:
        return assessment
    own = assessment_id(assessment.content_hash, listing.id, assessment.versions)
    return assessment.model_copy(update={"id": own, "listing_id": listing.id})
