"""What the routes share: settings, metrics, store, engine; how they start and stop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from fastapi import Request
from sqlalchemy import Connection

from models.classifier.classifier import HazardClassifier
from models.classifier.cores import one_thread_of_algebra
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.parts import in_parts
from models.plan.reading import load_plan
from models.reasons.marketplace import load_marketplace
from serving.access.allowances import Allowances
from serving.access.keyring import Keyring
from serving.access.oidc.flow import ProviderSignIn
from serving.access.principal import Allowance
from serving.access.sign_in import PasswordSignIn
from serving.api.problems import DRAINING, INTERNAL_ERROR, NOT_READY, ProblemError
from serving.buyers.notices import NoticeDesk
from serving.buyers.sending import BuyerList
from serving.demo import seed
from serving.early import begin_unpacking
from serving.engine import AssessmentEngine, Outcome, RecallsFor
from serving.erasure.retention import Retention
from serving.evidence import Pairs, add_items, read_items
from serving.hooks.schedule import Schedule
from serving.hooks.sender import SendingRules
from serving.hooks.webhooks import Webhooks
from serving.jobs import runner
from serving.jobs.background import Background
from serving.jobs.files import JobFiles
from serving.live_plan import LivePlan
from serving.matching.judging import JudgementStore
from serving.matching.recalls import KnownRecalls, watch_recalls
from serving.matching.signatures import SignatureStore
from serving.matching.stored_listings import ListingSearch
from serving.metrics import Metrics
from serving.model_watch import ModelWatch
from serving.outgoing.addresses import AddressRules
from serving.oversight.counted import CountedFigures
from serving.pictures import reader as picture_reader
from serving.pictures.room import PictureRoom
from serving.process_memory import give_back, keep_small
from serving.recalls.desk import RecallDesk
from serving.recalls.fetching import Fetcher, client_of
from serving.recalls.matched import note_matches, remembering, searching_with
from serving.recalls.polling import Poller
from serving.recalls.runner import RecallRunner, Work
from serving.recalls.searching import Searching
from serving.recalls.sources import load_sources
from serving.recalls.ways import WAYS
from serving.review.deciding import Decisions
from serving.review.desk import ReviewDesk
from serving.setting_rules import desk_rules, keep_of, limits_of, recall_rules, trial_of
from serving.settings import Settings
from serving.shadow.runner import ShadowRunner
from serving.shadow.store import ShadowStore
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import open_database
from serving.store.idempotency import IdempotencyStore
from serving.store.jobs import JobStore
from serving.store.keys import KeyStore
from serving.store.migrating import migrate
from serving.store.plans import PlanStore
from serving.store.preferences import Preferences
from serving.store.saving import Saving
from serving.telling import Telling
from serving.tracing import tracing_of

_log = logging.getLogger("hazardlens")
_KEPT_AT_ONCE = 16
"""Answers of a job in one transaction: a call waits that long for the database's one writer."""


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
        self.signatures = SignatureStore(database)
        self.match_judgements = JudgementStore(database)
        self.store = AssessmentStore(database, self._also_keep)
        self.pictures = PictureRoom(settings, self.store, self.metrics.picture)
        self.saving = Saving(self.store)
        marketplace, remember = load_marketplace(settings.marketplace), remembering(self.match_judgements)
        self.recalls = RecallDesk(database, recall_rules(settings), marketplace, remember)
        self.recall_runner = RecallRunner()
        self.plans = PlanStore(self.store.engine)
        self.shadow_store = ShadowStore(self.store.engine)
        self.keys = IdempotencyStore(self.store.engine, timedelta(hours=settings.idempotency_hours))
        self.notices = NoticeDesk(self.store.engine)
        self.buyers = BuyerList(self.store.engine, timedelta(days=settings.buyers_keep_days))
        self.job_store = JobStore(self.store.engine)
        self.job_files = JobFiles(settings.jobs)
        keep = timedelta(hours=settings.job_keep_hours)
        self.jobs = runner.JobRunner(self.job_store, self.job_files, self.keys, keep)
        self.hooks = Webhooks(
            self.store.engine,
            AddressRules(settings.outgoing_networks),
            Schedule(settings.hook_tries, settings.hook_backoff_seconds),
            SendingRules(settings.hook_timeout_seconds, timedelta(days=settings.hook_keep_days)),
            self.metrics.hook_tried,
        )
        self.keyring = Keyring(KeyStore(self.store.engine), session_lasts=timedelta(hours=settings.session_hours))
        self.sign_in = PasswordSignIn(self.store.engine)
        self.provider = ProviderSignIn.of(settings, self.sign_in.accounts)
        self.retention = Retention(self.store.engine, keep_of(settings))
        self.preferences = Preferences(self.store.engine)
        self.figures = CountedFigures(self.store.engine)
        self.allowances = Allowances(Allowance(settings.requests_per_minute, settings.listings_per_minute))
        self.draining = False
        self.in_work = 0
        self.failure: Exception | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self.on_settled: Callable[[], None] = lambda: None
        self.shadow = ShadowRunner(trial_of(settings), self.shadow_store)
        self._listing_search: ListingSearch | None = None
        self._searching = threading.Lock()
        self._engine: AssessmentEngine | None = None
        self._live_plan: LivePlan | None = None
        self._model_watch: ModelWatch | None = None
        self._starting: asyncio.Task[None] | None = None
        self._watching: list[asyncio.Task[None]] = []
        self._loaded = asyncio.Event()
        self._ending = False

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
    def decisions(self) -> Decisions:
        """What takes reviewers' verdicts, under the plan and the taxonomy in force."""
        in_force = self.engine.in_force
        return self.desk.decisions(in_force.plan, in_force.model.taxonomy.names)

    @property
    def live_plan(self) -> LivePlan:
        """What keeps the engine's plan the live one; there once the engine is."""
        assert self._live_plan is not None
        return self._live_plan

    @property
    def model_watch(self) -> ModelWatch:
        """What keeps the engine's model the one of its place; there once the engine is."""
        assert self._model_watch is not None
        return self._model_watch

    def begin(self) -> None:
        """Start loading; returns at once."""
        self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        begin_unpacking()
        try:
            await asyncio.to_thread(migrate, self.store.engine)
            self.hooks.sender.begin()
            await self.keyring.begin()
            engine = await asyncio.to_thread(load_engine, self.settings, self._recalls_for)
            live_plan = LivePlan(self.plans, engine, self.metrics.versions)
            await asyncio.to_thread(live_plan.begin)
            model_watch = ModelWatch(self.settings.model, engine, self._another_model, self.metrics.model_failed)
            await asyncio.to_thread(model_watch.begin)
            known = await asyncio.to_thread(known_items, engine.model, self.settings)
        except Exception as error:  # noqa: BLE001  (logged, and told by /readyz)
            self.failure = error
            _log.critical("could not start: %s", error, exc_info=_log.isEnabledFor(logging.DEBUG))
            self._loaded.set()
            self.on_failure()
            return
        self._live_plan, self._model_watch = live_plan, model_watch
        engine.observer = self.metrics
        self.metrics.remembers(lambda: engine.remembered.bytes)
        sender = self.hooks.sender
        self.metrics.hooks_wait(
            lambda: sender.figures.backlog, lambda: sender.figures.oldest_seconds, lambda: sender.figures.dead
        )
        self._engine = engine
        self._watching = [
            asyncio.create_task(self.retention.watch()),
            asyncio.create_task(live_plan.watch()),
            asyncio.create_task(self.metrics.keep_fresh()),
            asyncio.create_task(watch_recalls(lambda: engine.in_force.recalls)),
            asyncio.create_task(keep_small()),
        ]
        if self.settings.model_watch:
            self._watching.append(asyncio.create_task(model_watch.watch(self.settings.model_watch)))
        self.shadow.live = engine
        self.shadow.begin()
        self.jobs.begin(
            runner.Engine(
                Background(engine).assess,
                lambda: engine.in_force,
                self._keep_of_job,
                self.count,
                runner.Pictures(self.pictures.rules, self.pictures.received, self.pictures.reader.wake),
            )
        )
        self.recall_runner.begin(self._recall_work(engine.model))
        self.pictures.reader.begin(picture_reader.Engine(Background(engine).assess, lambda: engine.in_force))
        self.metrics.reads_pictures(lambda: self.pictures.reader.backlog)
        self.metrics.ready(engine.versions, lambda: engine.admission.in_flight, engine.admission.capacity)
        _log.info(
            "ready: model %s, plan %s, taxonomy %s",
            engine.versions.model,
            engine.versions.plan,
            engine.versions.taxonomy,
        )
        self._loaded.set()
        if self.settings.demo:
            try:
                await seed(engine, self.desk, self.decisions)
            except Exception:  # noqa: BLE001  (the server answers without them)
                _log.exception("the example listings are not whole")
        # Other languages and thousands of items take a while; the server answers meanwhile.
        await asyncio.to_thread(model_watch.go_on)
        await asyncio.to_thread(self._add_known, engine.model, known)
        await asyncio.to_thread(self.on_settled)
        await asyncio.to_thread(give_back)

    def _recall_work(self, model: HazardClassifier) -> Work:
        search = searching_with(lambda: self.listing_search, lambda: self._known_recalls)
        searching = Searching(self.recalls, self.store, search)
        if not self.settings.recall_poll:
            return Work(self.recalls, None, searching, self.metrics.recalls)
        fetcher = Fetcher(client_of(self.settings.outgoing_networks))
        sources = load_sources(self.settings.recall_sources)
        receiving = self.recalls.receiving
        poller = Poller(self.recalls.engine, sources, receiving, fetcher, model.taxonomy, WAYS)
        return Work(self.recalls, poller, searching, self.metrics.recalls)

    def _recalls_for(self, model: HazardClassifier) -> KnownRecalls:
        """Return what looks for matches of a model's listings, with the alerts that are known now."""
        recalls = KnownRecalls(model, self.store.engine)
        recalls.refresh(lambda: not self._ending)
        return recalls

    @property
    def _known_recalls(self) -> KnownRecalls:
        recalls = self.engine.in_force.recalls
        assert isinstance(recalls, KnownRecalls)
        return recalls

    @property
    def listing_search(self) -> ListingSearch:
        """What finds the stored listings of an alert; it keeps their signatures in memory once it has been used."""
        recalls = self._known_recalls
        with self._searching:
            if self._listing_search is None or self._listing_search.signer.version != recalls.signer.version:
                self._listing_search = ListingSearch(recalls.signer, self.store.engine)
            return self._listing_search

    def _another_model(self, model: HazardClassifier) -> None:
        """Let what hangs on the model follow it; on the thread that has put it in force."""
        self.metrics.versions(self.engine.versions)
        self.live_plan.note_another_model()
        threading.Thread(target=self._add_known_anew, args=(model,), name="known-items", daemon=True).start()

    def _add_known_anew(self, model: HazardClassifier) -> None:
        try:
            self._add_known(model, known_items(model, self.settings))
        except (InputError, OSError) as error:
            _log.error("model %s explains without the known items: %s", model.version, error)

    def _add_known(self, model: HazardClassifier, known: Pairs) -> None:
        add_items(model, known, lambda: not self._ending and self.engine.model is model)

    async def until_loaded(self) -> None:
        """Wait until requests are served, or the start has failed."""
        await self._loaded.wait()

    async def started(self) -> None:
        """Wait until the start is over, demo listings included, and raise what made it fail."""
        if self._starting is not None:
            await asyncio.shield(self._starting)
        if self.failure is not None:
            raise self.failure

    async def end(self) -> None:
        """Stop loading, finish what is being assessed, close the database."""
        self._ending = True
        if self._model_watch is not None:
            self._model_watch.end()
        tasks = [*self._watching, *([self._starting] if self._starting is not None else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.recall_runner.end()
        await self.jobs.end()
        await self.hooks.sender.end()
        await self.pictures.end()
        await self.keyring.end()
        await asyncio.to_thread(self.shadow.end)
        if self._engine is not None:
            await asyncio.to_thread(self._engine.close)
        await self.saving.end()
        await asyncio.to_thread(self.store.close)
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)

    def _also_keep(self, connection: Connection, answers: Sequence[Answered]) -> None:
        """Keep what hangs on answers, in the transaction that keeps them."""
        self.desk.kept(connection, answers)
        note_matches(self.recalls, connection, answers, datetime.now(UTC))
        self.signatures.keep_within(connection, answers)
        self.pictures.store.keep_within(connection, answers)

    def _keep_of_job(self, answers: Sequence[Answered]) -> None:
        for part in in_parts(answers, _KEPT_AT_ONCE):
            self.store.save(part)
        self.shadow.offer(answers)

    def count(self, outcomes: Sequence[Outcome], refused: int) -> None:
        """Note in the metrics what came of a list of listings."""
        for outcome in outcomes:
            if isinstance(outcome, Assessment):
                self.metrics.assessed(outcome)
            else:
                self.metrics.refused(INTERNAL_ERROR.name)
        for _ in range(refused):
            self.metrics.refused("invalid-listing")


def known_items(model: HazardClassifier, settings: Settings) -> Pairs:
    """Read the operator's table of known items, if there is one.

    Raises
    ------
    InputError
        Naming file, line and column.
    """
    return read_items(model, settings.evidence) if settings.evidence else []


def load_engine(settings: Settings, recalls_for: RecallsFor = lambda _: None) -> AssessmentEngine:
    """Load model and plan.

    Raises
    ------
    InputError
        If either is missing or not readable.
    """
    one_thread_of_algebra()
    plan = load_plan(settings.plan)
    # The link is followed once: it may be moved while files are read.
    model = HazardClassifier.load(settings.model.resolve(), settings.threads_of_a_worker)
    marketplace = load_marketplace(settings.marketplace)
    return AssessmentEngine(
        model, plan, limits_of(settings), lambda answering: Telling(answering.knowledge, marketplace), recalls_for
    )


def services_of(request: Request) -> Services:
    """Return the services of the app that serves a request."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services
