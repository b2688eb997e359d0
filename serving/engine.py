"""The loaded model and plan behind an async door: bounded, fair between requests, equal content assessed once."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Self

from models.classifier.classifier import Detail, HazardClassifier
from models.classifier.explaining import explain_listing
from models.classifier.stopwatch import Stopwatch
from models.domain.assessment import Assessment, Tiers, Versions, assessment_id
from models.domain.explanation import Detail as ExplanationDetail
from models.domain.explanation import Explanation
from models.domain.listing import Listing
from models.matching.looking import NOT_LOOKED, Looked, Recalls
from models.plan.plan import Plan
from serving.admission import Admission, Ticket
from serving.matching.pictures import for_listing
from serving.remembered import Remembered
from serving.turns import Turns, Work
from serving.watching import Observer, Unobserved, listing_watch

_log = logging.getLogger("hazardlens.engine")
_Key = tuple[str, Detail, Tiers, str, str, str]
"""Content hash, detail, tiers, versions of model, plan and known alerts: what makes two answers the same."""
_HANDED_OVER_AT_ONCE = 16
"""Listings of one request that are handed over before others get their turn on the event loop: about a millisecond."""


@dataclass(frozen=True)
class Limits:
    """How much an engine takes on.

    Parameters
    ----------
    in_flight : int
        Listings accepted and not yet answered.
    wait_seconds : float
        Longest wait in the queue with which a request is accepted.
    remembered_bytes : int
        Size of the answers that are remembered.
    cores : tuple of int
        Cores to pin the threads to; none leaves them to the system.
    """

    in_flight: int = 4_000
    wait_seconds: float = math.inf
    remembered_bytes: int = 0
    cores: tuple[int, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A listing that could not be assessed, through a fault of ours."""

    listing_id: str
    error: Exception


Outcome = Assessment | Failure


Finish = Callable[[Assessment, Listing], Assessment]
FinishingFor = Callable[[HazardClassifier], Finish]
RecallsFor = Callable[[HazardClassifier], Recalls | None]


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
    recalls : Recalls or None
        Looks for matches among the known alerts.
    tiers : {"full", "two"}
        Whether the model's screen answers where it may, and no explanation is asked for.
    """

    model: HazardClassifier
    plan: Plan
    finish: Finish
    versions: Versions
    recalls: Recalls | None = None
    tiers: Tiers = "full"

    @classmethod
    def of(cls, model: HazardClassifier, plan: Plan, finish: Finish, recalls: Recalls | None = None) -> Self:
        """Bind the plan to the model."""
        bound = plan.bound_to(model.guarantees)
        versions = Versions(model=model.version, plan=bound.id, taxonomy=model.taxonomy.id)
        return cls(model, bound, finish, versions, recalls)

    def assess(self, listing: Listing, explain: Detail, watch: Stopwatch | None = None) -> Assessment:
        """Assess one listing, on the calling thread; the watch gets the phases."""
        watch = watch or Stopwatch()
        first = self.model.first_tier(self.tiers, explain)
        answer = first.answer(listing, self.plan, self.recalls, watch) if first is not None else None
        if answer is None:
            answer = self.model.assess(listing, self.plan, explain, watch, self.recalls)
        assessment = self.finish(answer, listing)
        watch.lap("tell")
        return assessment


@dataclass(eq=False)
class _Run:
    """An assessment that waits or is under way, and how many listings of requests want it."""

    work: Work[Assessment]
    result: asyncio.Future[Assessment]
    wanted_by: int = 0


class AssessmentEngine:
    """Assesses listings on a pool of threads; the event loop only hands work over.

    Each listing is assessed alone, so that equal content gets an equal answer whatever else is going on. Requests share
    the threads by turns; what nobody waits for any more is dropped from the queue.

    Parameters
    ----------
    model : HazardClassifier
        Answers, until another one is put in force. Its encoder's `threads` sizes the pool.
    plan : Plan
        Decides the action, until another one is put in force.
    limits : Limits
        How much it takes on.
    finishing_for : callable
        Gives what completes the answers of a model, on the pool's threads.
    recalls_for : callable
        Gives what looks for matches of a model's listings; asked once a model, before it is put in force.
    """

    def __init__(
        self,
        model: HazardClassifier,
        plan: Plan,
        limits: Limits | None = None,
        finishing_for: FinishingFor = as_it_is,
        recalls_for: RecallsFor = lambda _: None,
    ) -> None:
        limits = limits or Limits()
        self.finishing_for = finishing_for
        self.threads = model.encoder.threads
        self.admission = Admission(limits.in_flight, self.threads, limits.wait_seconds)
        self.remembered = Remembered(limits.remembered_bytes)
        self._recalls_for = recalls_for
        self.in_force = InForce.of(model, plan, finishing_for(model), recalls_for(model))
        self.observer: Observer = Unobserved()
        self._swapping = threading.Lock()
        self._turns = Turns(self.threads, limits.cores)
        self._running: dict[_Key, _Run] = {}

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
            self.in_force = InForce.of(self.in_force.model, plan, self.in_force.finish, self.in_force.recalls)

    def put_model_in_force(self, model: HazardClassifier) -> None:
        """Let another model answer from now on; listings of requests that have begun keep theirs."""
        recalls = self._recalls_for(model)  # it may have alerts to read: plans need not wait for that
        with self._swapping:
            self.in_force = InForce.of(model, self.in_force.plan, self.finishing_for(model), recalls)

    def with_model(self, model: HazardClassifier) -> InForce:
        """Return what would be in force with another model, but for the known alerts."""
        return InForce.of(model, self.in_force.plan, self.finishing_for(model))

    async def assess(
        self,
        listings: Sequence[Listing],
        explain: Detail = "none",
        in_force: InForce | None = None,
        within: float | None = None,
        remember: bool = True,
    ) -> list[Outcome]:
        """Assess listings; one outcome each, in the same order, all by what is in force now.

        When the caller is cancelled, listings that wait and that no other request waits for are dropped.

        Parameters
        ----------
        in_force : InForce, optional
            What was in force when the caller began.
        within : float, optional
            Seconds that there are for it.
        remember : bool
            Whether the answers may take the place of others that are remembered.

        Raises
        ------
        Full
            If the queue is too long or as many listings as allowed are in flight; nothing was assessed.
        TooLate
            If the answer would take longer than there is time; nothing was assessed.
        """
        by = in_force or self.in_force
        with self.admission.admit(len(listings), explain, within) as ticket:
            if len(listings) == 1:
                return [await self._outcome(listings[0], explain, by, ticket, remember)]
            outcomes: list[asyncio.Task[Outcome]] = []
            async with asyncio.TaskGroup() as group:
                for number, listing in enumerate(listings, start=1):
                    outcomes.append(group.create_task(self._outcome(listing, explain, by, ticket, remember)))
                    if number % _HANDED_OVER_AT_ONCE == 0:
                        await asyncio.sleep(0)
        return [outcome.result() for outcome in outcomes]

    async def explain(
        self,
        listing: Listing,
        detail: ExplanationDetail,
        risk_types: Sequence[str] = (),
        in_force: InForce | None = None,
        looked: Looked = NOT_LOOKED,
    ) -> Explanation:
        """Assess a listing anew and explain the answer.

        Parameters
        ----------
        in_force : InForce, optional
            What was in force when the caller began.
        looked : Looked
            What was found among the known alerts when the answer was given.

        Raises
        ------
        Full
            If the queue is too long or as many listings as allowed are in flight.
        """
        by, kind = in_force or self.in_force, f"explanation {detail}"

        def do() -> Explanation:
            begun = perf_counter()
            try:
                return explain_listing(by.model, listing, by.plan, detail, risk_types, looked)
            finally:
                self.admission.took(perf_counter() - begun, kind)

        with self.admission.admit(1, kind) as ticket:
            work = Work(do)
            self._turns.submit(work, ticket)
            # A caller that is cancelled cancels the work, which is then dropped if it has not begun.
            return await asyncio.wrap_future(work.future)

    async def _outcome(self, listing: Listing, explain: Detail, by: InForce, ticket: Ticket, remember: bool) -> Outcome:
        try:
            return addressed_to(await self._assessment(listing, explain, by, ticket, remember), listing)
        except Exception as error:  # noqa: BLE001  (one listing must not lose the others; it is logged)
            _log.exception("listing %r could not be assessed", listing.id)
            return Failure(listing.id, error)

    async def _assessment(
        self, listing: Listing, explain: Detail, by: InForce, ticket: Ticket, remember: bool
    ) -> Assessment:
        """Return what is remembered of equal content by the same versions, join its run under way, or start one."""
        by = replace(by, recalls=await for_listing(by.recalls, listing.id))
        known_alerts = by.recalls.version if by.recalls is not None else ""
        key = (listing.content_hash(), explain, by.tiers, by.versions.model, by.versions.plan, known_alerts)
        run = self._running.get(key)
        if run is not None:
            self.observer.answered("joined")
            ticket.left -= 1  # it is no work of its own
            self._turns.advance(run.work, ticket)
            return await self._result(key, run)
        known = self.remembered.get(key)
        if known is not None:
            self.observer.answered("cache")
            ticket.left -= 1
            return known
        self.observer.answered("model")
        work = Work(partial(self._work, listing, explain, by, key if remember else None, listing_watch()))
        run = self._running[key] = _Run(work, asyncio.wrap_future(work.future))
        run.result.add_done_callback(partial(self._ended, key, run, ticket))
        self._turns.submit(work, ticket)
        return await self._result(key, run)

    async def _result(self, key: _Key, run: _Run) -> Assessment:
        """Wait for a run with others; who leaves last before it begins drops it."""
        run.wanted_by += 1
        try:
            # Shielded: when one of several waiting requests is cancelled, the others still get their answer.
            return await asyncio.shield(run.result)
        finally:
            run.wanted_by -= 1
            if not run.wanted_by and run.work.future.cancel():
                self._forget(key, run)  # now, so that nobody joins what was dropped

    def _ended(self, key: _Key, run: _Run, ticket: Ticket, done: asyncio.Future[Assessment]) -> None:
        self._forget(key, run)
        ticket.left -= 1
        if not done.cancelled():
            done.exception()  # marks it as seen where every waiting request has gone

    def _forget(self, key: _Key, run: _Run) -> None:
        if self._running.get(key) is run:
            del self._running[key]

    def _work(self, listing: Listing, explain: Detail, by: InForce, key: _Key | None, watch: Stopwatch) -> Assessment:
        watch.lap("queue")
        begun = perf_counter()
        try:
            assessment = by.assess(listing, explain, watch)
        finally:
            self.admission.took(perf_counter() - begun, explain)
        if key is not None:
            self.remembered.put(key, assessment)
        self.observer.computed(watch)
        return assessment

    @property
    def alive(self) -> bool:
        """Whether the threads that assess are there."""
        return self._turns.alive

    def close(self) -> None:
        """Finish what is being assessed and drop the rest."""
        self._turns.close()


def addressed_to(assessment: Assessment, listing: Listing) -> Assessment:
    """Return the assessment of equal content as the answer for this listing's id."""
    if assessment.listing_id == listing.id:
        return assessment
    own = assessment_id(assessment.content_hash, listing.id, assessment.versions, assessment.matches, assessment.tier)
    matches = [match.model_copy(update={"listing_id": listing.id}) for match in assessment.matches]
    return assessment.model_copy(update={"id": own, "listing_id": listing.id, "matches": matches})
