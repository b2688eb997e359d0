"""What the routes share: settings, metrics, store, engine; how they start and stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from fastapi import Request
from threadpoolctl import threadpool_limits

from models.classifier.classifier import HazardClassifier
from models.plan.reading import load_plan
from models.reasons.marketplace import load_marketplace
from serving.access.allowances import Allowances
from serving.access.keyring import Keyring
from serving.access.principal import Allowance
from serving.api.problems import DRAINING, NOT_READY, ProblemError
from serving.demo import seed
from serving.engine import AssessmentEngine, Limits
from serving.evidence import add_items, read_items
from serving.live_plan import LivePlan
from serving.metrics import Metrics
from serving.review.desk import DeskRules, ReviewDesk
from serving.review.intake import IntakeRules
from serving.settings import Settings
from serving.shadow.runner import ShadowRunner, Trial
from serving.shadow.store import ShadowStore
from serving.store.assessments import AssessmentStore
from serving.store.database import open_database
from serving.store.keys import KeyStore
from serving.store.migrating import migrate
from serving.store.plans import PlanStore
from serving.store.saving import Saving
from serving.telling import Telling
from serving.tracing import tracing_of

_log = logging.getLogger("hazardlens")


class Services:
    """The parts of one running server.

    The server listens while the model is still loading, so that a probe can tell "starting" from "dead".

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.tracing = tracing_of(settings)
        database = open_database(settings.database_url)
        self.desk = ReviewDesk(database, desk_rules(settings))
        self.store = AssessmentStore(database, self.desk.kept)
        self.saving = Saving(self.store)
        self.plans = PlanStore(self.store.engine)
        self.shadow_store = ShadowStore(self.store.engine)
        self.keyring = Keyring(KeyStore(self.store.engine))
        self.allowances = Allowances(Allowance(settings.requests_per_minute, settings.listings_per_minute))
        self.draining = False
        self.in_work = 0
        self.failure: Exception | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self.shadow = ShadowRunner(trial_of(settings), self.shadow_store)
        self._engine: AssessmentEngine | None = None
        self._live_plan: LivePlan | None = None
        self._starting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def engine(self) -> AssessmentEngine:
        """The engine.

        Raises
        ------
        ProblemError
            503 until the model is loaded.
        """
        if self._engine is not None:
            return self._engine
        if self.failure is not None:
            raise ProblemError(NOT_READY, "The server could not start; its log has the reason.")
        raise ProblemError(NOT_READY, "The model is loading.", headers={"Retry-After": "2"})

    @property
    def loaded(self) -> AssessmentEngine | None:
        """The engine, None until the model is loaded."""
        return self._engine

    def require_ready(self) -> None:
        """Raise `ProblemError` (503) unless a request for an assessment would be taken."""
        if self.draining:
            raise ProblemError(DRAINING, "The server is ending; another one will answer.", headers={"Retry-After": "1"})
        if not self.engine.alive:
            raise ProblemError(NOT_READY, "The threads that assess have ended.")

    def drain(self) -> None:
        """Take no more requests from now on; those that were taken are finished. Safe in a signal handler."""
        self.draining = True

    @property
    def live_plan(self) -> LivePlan:
        """What keeps the engine's plan the live one; there once the engine is."""
        assert self._live_plan is not None
        return self._live_plan

    def begin(self) -> None:
        """Start loading; returns at once."""
        self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        try:
            await asyncio.to_thread(migrate, self.store.engine)
            await self.keyring.begin()
            engine = await asyncio.to_thread(load_engine, self.settings)
            live_plan = LivePlan(self.plans, engine, self.metrics.versions)
            await asyncio.to_thread(live_plan.begin)
            table = self.settings.evidence
            known = await asyncio.to_thread(read_items, engine.model, table) if table else []
        except Exception as error:  # noqa: BLE001  (logged, and told by /readyz)
            self.failure = error
            _log.critical("could not start: %s", error, exc_info=_log.isEnabledFor(logging.DEBUG))
            self.on_failure()
            return
        self._live_plan = live_plan
        engine.observer = self.metrics
        self.metrics.remembers(lambda: engine.remembered.bytes)
        self._engine = engine
        self._watching = asyncio.create_task(live_plan.watch())
        self._refreshing = asyncio.create_task(self.metrics.keep_fresh())
        self.shadow.live = engine
        self.shadow.begin()
        self.metrics.ready(engine.versions, lambda: engine.admission.in_flight, engine.admission.capacity)
        _log.info(
            "ready: model %s, plan %s, taxonomy %s",
            engine.versions.model,
            engine.versions.plan,
            engine.versions.taxonomy,
        )
        if self.settings.demo:
            await seed(engine, self.store)
        # Thousands of items take a while; the server answers meanwhile.
        await asyncio.to_thread(add_items, engine.model, known)

    async def started(self) -> None:
        """Wait until the start is over, demo listings included, and raise what made it fail."""
        if self._starting is not None:
            await asyncio.shield(self._starting)
        if self.failure is not None:
            raise self.failure

    async def end(self) -> None:
        """Stop loading, finish what is being assessed, close the database."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])
        for task in (self._watching, self._refreshing):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await self.keyring.end()
        await asyncio.to_thread(self.shadow.end)
        if self._engine is not None:
            await asyncio.to_thread(self._engine.close)
        await self.saving.end()
        await asyncio.to_thread(self.store.close)
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)


def load_engine(settings: Settings) -> AssessmentEngine:
    """Load model and plan.

    Raises
    ------
    InputError
        If either is missing or not readable.
    """
    one_thread_of_algebra()
    plan = load_plan(settings.plan)
    model = HazardClassifier.load(settings.model, settings.threads or len(settings.cores) or None)
    marketplace = load_marketplace(settings.marketplace)
    return AssessmentEngine(
        model, plan, limits_of(settings), lambda answering: Telling(answering.knowledge, marketplace)
    )


def limits_of(settings: Settings) -> Limits:
    """Return how much the engine takes on."""
    return Limits(
        settings.max_in_flight, settings.max_queue_ms / 1_000, settings.remember_mb * 1_000_000, settings.cores
    )


def desk_rules(settings: Settings) -> DeskRules:
    """Return how reviews are done here.

    Raises
    ------
    InputError
        If the facts of the marketplace are not in order.
    """
    calendar = load_marketplace(settings.marketplace).calendar
    return DeskRules(
        IntakeRules(calendar, learn_daily=settings.review_learn_daily),
        lease=timedelta(minutes=settings.review_lease_minutes),
        grace=timedelta(seconds=settings.review_grace_seconds),
    )


def trial_of(settings: Settings) -> Trial:
    """Return what is on trial."""
    return Trial(settings.shadow_plan, settings.shadow_model, settings.shadow_rate)


def one_thread_of_algebra() -> None:
    """Keep linear algebra to the thread that asks for it.

    Listings are assessed on threads of their own: threads within these would only wait for each other.
    """
    threadpool_limits(limits=1, user_api="blas")


def services_of(request: Request) -> Services:
    """Return the services of the app that serves a request."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services
