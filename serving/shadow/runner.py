"""Runs the plan and the model on trial, behind the live answer and apart from it.

The live path only hands over what it has answered already: a bounded queue that never waits, and one thread that
works it off. When the queue is full, an answer is passed over; when anything fails, it is counted and told. Neither
reaches the live answer.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from models.classifier.classifier import HazardClassifier
from models.domain.assessment import Assessment, Findings, Versions, assessment_id
from models.domain.listing import Listing
from models.matching.looking import looked_before
from models.plan.plan import Plan
from models.plan.reading import load_plan
from serving.engine import AssessmentEngine
from serving.shadow.store import ShadowRow, ShadowStore, shadow_row
from serving.store.assessments import Answered

_log = logging.getLogger("hazardlens.shadow")
_WAITING = 2_000
"""Answers that may wait; each holds a listing and its assessment."""
_BATCH = 50
_TICK = 0.5
_NICE = 10


@dataclass(frozen=True)
class Trial:
    """What is on trial.

    Parameters
    ----------
    plan : Path or None
        Plan on trial; None lets the live plan decide on what the model on trial finds.
    model : Path or None
        Model on trial; None lets the plan on trial decide on what the live model found.
    rate : float
        Share of the listings that it sees, 0 to 1. Equal content is seen always or never.
    """

    plan: Path | None = None
    model: Path | None = None
    rate: float = 1.0

    @property
    def wanted(self) -> bool:
        """Whether there is anything to try."""
        return (self.plan is not None or self.model is not None) and self.rate > 0


@dataclass
class ShadowState:
    """How the trial is going; counts since the start of this process."""

    state: str = "off"
    taken: int = 0
    not_sampled: int = 0
    passed_over: int = 0
    done: int = 0
    failed: int = 0
    last_failure: str | None = None


class ShadowRunner:
    """Plan and model on trial.

    Parameters
    ----------
    live : AssessmentEngine or None
        Its plan and model stand in for what is not on trial; to be given before `begin`.
    """

    def __init__(self, trial: Trial, store: ShadowStore, live: AssessmentEngine | None = None) -> None:
        self.trial = trial
        self.state = ShadowState()
        self.plan: Plan | None = None
        self.model: HazardClassifier | None = None
        self.live = live
        self._store = store
        self._waiting: queue.Queue[Answered | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def _engine(self) -> AssessmentEngine:
        assert self.live is not None, "the trial began before there was anything live"
        return self.live

    @property
    def waiting(self) -> int:
        """Answers that wait for the trial."""
        return self._waiting.qsize()

    def begin(self) -> None:
        """Start the thread, which loads what is on trial; returns at once."""
        if self.trial.wanted:
            self.state.state = "loading"
            self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
            self._thread.start()

    def offer(self, answers: Sequence[Answered]) -> None:
        """Hand over answers that were given; never waits and never raises."""
        if self.state.state not in ("loading", "running"):
            return
        for answer in answers:
            if not sampled(answer.assessment.content_hash, self.trial.rate):
                self.state.not_sampled += 1
                continue
            try:
                self._waiting.put_nowait(_without_explanation(answer))
                self.state.taken += 1
            except queue.Full:
                self.state.passed_over += 1

    def end(self) -> None:
        """Drop what waits and stop the thread."""
        self._stopping.set()
        if self._thread is None:
            return
        with suppress(queue.Full):  # the thread sees the event after its batch
            self._waiting.put_nowait(None)
        self._thread.join(timeout=30)

    def drain(self) -> None:
        """Wait until everything that was handed over is done; for tests and reports."""
        self._waiting.join()

    def _run(self) -> None:
        with suppress(AttributeError, OSError):  # where the system lets a thread step back behind the live ones
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            self._load()
        except Exception as error:  # noqa: BLE001  (the trial fails, the server does not)
            self.state.state = "failed"
            self._tell(error, "what is on trial could not be loaded")
            self._forget()
            return
        self.state.state = "running"
        while not self._stopping.is_set():
            batch = self._next()
            try:
                if batch:
                    self._try(batch)
            finally:
                for _ in range(len(batch)):
                    self._waiting.task_done()
        self._forget()

    def _load(self) -> None:
        if self.trial.model is not None:
            self.model = HazardClassifier.load(self.trial.model, threads=1)
        if self.trial.plan is not None:
            self.plan = self._as_it_stands(load_plan(self.trial.plan))

    def _as_it_stands(self, plan: Plan) -> Plan:
        """Return the plan as it is today, with the thresholds of the model that it now goes with."""
        guarantees = {guarantee.id: guarantee for guarantee in (self.model or self._engine.model).guarantees}
        today = plan.on(dt.datetime.now(dt.UTC).date())
        return today if today.guarantees == guarantees else today.bound_to(guarantees.values())

    def _next(self) -> list[Answered | None]:
        batch: list[Answered | None] = []
        with suppress(queue.Empty):
            batch.append(self._waiting.get(timeout=_TICK))
            while len(batch) < _BATCH:
                batch.append(self._waiting.get_nowait())
        return batch

    def _try(self, batch: Sequence[Answered | None]) -> None:
        rows: list[ShadowRow] = []
        if self.plan is not None:
            self.plan = self._as_it_stands(self.plan)
        for answer in batch:
            if answer is None or self._stopping.is_set():
                continue
            try:
                rows.append(shadow_row(answer.assessment, self.judge(answer.listing, answer.assessment)))
                self.state.done += 1
            except Exception as error:  # noqa: BLE001  (counted, told, and without effect on the live answer)
                self._tell(error, f"listing {answer.listing.id!r} could not be tried")
        try:
            self._store.save(rows)
        except Exception as error:  # noqa: BLE001  (the same)
            self.state.done -= len(rows)
            self._tell(error, f"{len(rows)} results could not be kept", len(rows))

    def judge(self, listing: Listing, live: Assessment) -> Assessment:
        """Return what plan and model on trial make of a listing."""
        plan = self.plan or self._engine.plan
        if self.model is not None:
            return next(self.model.assess_many([listing], plan, looked=looked_before(live)))
        versions = Versions(model=live.versions.model, plan=plan.id, taxonomy=live.versions.taxonomy)
        found = {name: getattr(live, name) for name in Findings.model_fields if name != "explanation"}
        own = assessment_id(live.content_hash, live.listing_id, versions, live.matches, live.tier)
        found |= {"id": own, "versions": versions}
        findings = Findings(**found)
        return Assessment.of(findings, plan.decide(findings, listing))

    def _forget(self) -> None:
        """Give back what waits, so that nobody waits for it."""
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return
            self._waiting.task_done()

    def _tell(self, error: Exception, what: str, times: int = 1) -> None:
        self.state.failed += times
        self.state.last_failure = f"{what}: {type(error).__name__}: {error}"
        _log.warning("%s", self.state.last_failure, exc_info=_log.isEnabledFor(logging.DEBUG))


def _without_explanation(answer: Answered) -> Answered:
    """Full explanations are some hundred times the answer; they must not wait in memory."""
    if not answer.assessment.explanation:
        return answer
    return replace(answer, assessment=answer.assessment.model_copy(update={"explanation": []}))


def sampled(content_hash: str, rate: float) -> bool:
    """Tell whether listings of this content are on trial: a share of `rate` of all contents.

    Examples
    --------
    >>> sampled("00" * 32, 0.01), sampled("ff" * 32, 0.99), sampled("ff" * 32, 1.0)
    (True, False, True)
    """
    return int(content_hash[:13], 16) < rate * 16**13
