"""What Prometheus reads.

One process: each app has its own registry, so that one process can hold several. Several workers: each writes its
samples into files of a shared directory (`PROMETHEUS_MULTIPROC_DIR`, read by prometheus_client when it is imported),
and whichever worker is asked answers for all of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from models.classifier.stopwatch import Stopwatch
from models.domain.assessment import Assessment, Versions
from serving.process_memory import resident_bytes
from serving.watching import RequestWatch, Source
from serving.worker_files import forget_dead_workers, shared_directory

_SECONDS = (
    0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
)  # fmt: skip
_PHASE_SECONDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0015, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1, 5, 30,
)  # fmt: skip
_LISTINGS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_TOKENS = (8, 16, 24, 32, 48, 64, 80, 96, 112, 127, 256, 512)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FRESH_FOR = 5.0
"""Seconds until the gauges of a worker are brought up to date again."""

Reading = Callable[[], float]


class Metrics:
    """Counters, gauges and histograms of one app; an `Observer` of its engine."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.shared = shared_directory()
        if self.shared is None:
            ProcessCollector(registry=self.registry)
        self._requests = self._histogram(
            "request_seconds", "Time to answer a request.", ("method", "route", "status"), _SECONDS
        )
        self._request_phases = self._histogram(
            "request_phase_seconds",
            "Phases of a request for assessments: read, assess (all its listings), store, write.",
            ("phase",),
            _PHASE_SECONDS,
        )
        self._listing_phases = self._histogram(
            "listing_phase_seconds",
            "Phases of a listing that the model worked on: queue, language, encode, judge, explain, decide, tell.",
            ("phase",),
            _PHASE_SECONDS,
        )
        self._size = self._histogram("request_listings", "Listings in a request for assessments.", (), _LISTINGS)
        self._tokens = self._histogram("listing_tokens", "Tokens that the encoder read of a listing.", (), _TOKENS)
        self._problems = self._counter("problems", "Requests answered with a problem, by its type.", ("type",))
        self._listings = self._counter("listings", "Listings assessed.", ("level", "action"))
        self._abstained = self._counter("abstentions", "Listings that the model is not at home with.", ("reason",))
        self._errors = self._counter("listing_errors", "Listings of a request answered with an error.", ("type",))
        self._answers = self._counter(
            "answers", "Answers by where they came from: model, joined (a run under way), cache.", ("source",)
        )
        self._changes = self._counter("changes", "Changes of what answers are made with: model, plan.", ("what",))
        self._pictures = self._counter(
            "pictures", "Pictures by what came of them: read, unreadable, not_fetched.", ("outcome",)
        )
        self._picture_backlog = self._gauge(
            "picture_readings_waiting", "Listings whose pictures are still to be read.", mode="livemax"
        )
        self._model_failures = self._counter("model_failures", "Models that could not be put in force.")
        self._in_flight = self._gauge("listings_in_flight", "Listings accepted and not yet answered.")
        self._capacity = self._gauge("listings_capacity", "Most listings in flight.")
        self._remembered = self._gauge("remembered_bytes", "Answers that are remembered, in bytes.")
        self._ready = self._gauge("ready", "Workers with the model loaded and the database migrated.")
        self._model = self._gauge(
            "model_info", "Workers that answer with these versions; 0 for earlier ones.", ("model", "plan", "taxonomy")
        )
        self._recall_clocks = self._gauge(
            "recall_clocks",
            "Periods of recall cases that are open, by duty and state: running, of these soon and breached; paused.",
            ("duty", "state"),
            "livemostrecent",
        )
        self._recall_orders = self._gauge(
            "recall_orders",
            "Takedown orders without a receipt: waiting, of these overdue.",
            ("state",),
            "livemostrecent",
        )
        self._memory = self._gauge("worker_resident_bytes", "Memory of a worker.", mode="liveall")
        self._processor = self._counter("worker_cpu_seconds", "Processor time of all workers.")
        self._hook_tries = self._counter("hook_tries", "Tries of webhooks, by what came of them.", ("outcome",))
        # Every worker reads these from the one database.
        self._hook_backlog = self._gauge("hook_backlog", "Webhooks that wait.", mode="livemostrecent")
        self._hook_oldest = self._gauge("hook_oldest_seconds", "Age of the oldest of them.", mode="livemostrecent")
        self._hook_dead = self._gauge("hook_dead_letters", "Webhooks that were given up.", mode="livemostrecent")
        for source in get_args(Source):  # a rate needs a zero to start from
            self._answers.labels(source)
        for outcome in ("read", "unreadable", "not_fetched"):
            self._pictures.labels(outcome)
        for outcome in ("delivered", "failed", "dead", "lost"):
            self._hook_tries.labels(outcome)
        self._versions: Versions | None = None
        self._readings: dict[Gauge, Reading] = {}
        self._processor_seen = 0.0

    def _histogram(self, name: str, what: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"hazardlens_{name}", what, labels, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"hazardlens_{name}", what, labels, registry=self.registry)

    def _gauge(
        self,
        name: str,
        what: str,
        labels: tuple[str, ...] = (),
        mode: Literal["livesum", "liveall", "livemax", "livemostrecent"] = "livesum",
    ) -> Gauge:
        return Gauge(f"hazardlens_{name}", what, labels, multiprocess_mode=mode, registry=self.registry)

    def request(
        self, method: str, route: str, status: int, seconds: float, watch: RequestWatch, problem: str | None
    ) -> None:
        """Note an answered request; `problem` is the type of the problem that it was answered with."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).observe(seconds)
        for lap in watch.laps:
            self._request_phases.labels(lap.phase).observe(lap.seconds)
        if problem is not None:
            self._problems.labels(problem).inc()

    def asked(self, listings: int) -> None:
        """Note how many listings a request for assessments holds."""
        self._size.observe(listings)

    def computed(self, watch: Stopwatch) -> None:
        """Note where the time of a listing went."""
        for lap in watch.laps:
            self._listing_phases.labels(lap.phase).observe(lap.seconds)
        self._tokens.observe(watch.tokens)

    def answered(self, source: Source) -> None:
        """Note where the answer for a listing came from."""
        self._answers.labels(source).inc()

    def assessed(self, assessment: Assessment) -> None:
        """Note an assessed listing."""
        self._listings.labels(assessment.risk_level.value, assessment.decision.action.value).inc()
        for reason in assessment.abstains:
            self._abstained.labels(reason.partition(":")[0]).inc()

    def refused(self, kind: str) -> None:
        """Note a listing that was answered with an error of that kind."""
        self._errors.labels(kind).inc()

    def versions(self, versions: Versions) -> None:
        """Note what answers are made with from now on."""
        before, self._versions = self._versions, versions
        if before is not None:
            self._model.labels(**before.model_dump()).set(0)
            for what in ("model", "plan"):
                if getattr(before, what) != getattr(versions, what):
                    self._changes.labels(what).inc()
        self._model.labels(**versions.model_dump()).set(1)

    def picture(self, outcome: str) -> None:
        """Note what came of a picture."""
        self._pictures.labels(outcome).inc()

    def reads_pictures(self, backlog: Reading) -> None:
        """Note where to read how many listings wait for their pictures to be read."""
        self.read(self._picture_backlog, backlog)

    def model_failed(self) -> None:
        """Note a model that could not be put in force."""
        self._model_failures.inc()

    def ready(self, versions: Versions, in_flight: Reading, capacity: int) -> None:
        """Note that the model is loaded, and where to read the number of listings in flight."""
        self._ready.set(1)
        self._capacity.set(capacity)
        self.read(self._in_flight, in_flight)
        self.versions(versions)

    def recalls(self, clocks: Mapping[str, Mapping[str, int]], waiting: int, overdue: int) -> None:
        """Note how the clocks of recall cases stand, by duty and state, and how many takedown orders wait."""
        for duty, states in clocks.items():
            for state, count in states.items():
                self._recall_clocks.labels(duty, state).set(count)
        self._recall_orders.labels("waiting").set(waiting)
        self._recall_orders.labels("overdue").set(overdue)

    def remembers(self, size: Reading) -> None:
        """Note where to read how many bytes of answers are remembered."""
        self.read(self._remembered, size)

    def hook_tried(self, outcome: str) -> None:
        """Note what came of a try of a webhook."""
        self._hook_tries.labels(outcome).inc()

    def hooks_wait(self, backlog: Reading, oldest: Reading, dead: Reading) -> None:
        """Note where to read how many webhooks wait, since when, and how many were given up."""
        self.read(self._hook_backlog, backlog)
        self.read(self._hook_oldest, oldest)
        self.read(self._hook_dead, dead)

    def read(self, gauge: Gauge, reading: Reading) -> None:
        """Take a gauge's value from a reading whenever the gauges are refreshed."""
        self._readings[gauge] = reading

    def refresh(self) -> None:
        """Bring the gauges of this process up to date."""
        for gauge, reading in self._readings.items():
            gauge.set(reading())
        used = os.times()
        now = used.user + used.system
        self._processor.inc(max(0.0, now - self._processor_seen))
        self._processor_seen = now
        if resident := resident_bytes():
            self._memory.set(resident)

    async def keep_fresh(self) -> None:
        """Refresh for ever where a fellow worker may answer for this one."""
        while self.shared is not None:
            self.refresh()
            await asyncio.sleep(_FRESH_FOR)

    def exposition(self) -> bytes:
        """Return the text that Prometheus reads; of all workers where there are several. Blocks."""
        self.refresh()
        if self.shared is None:
            return generate_latest(self.registry)
        forget_dead_workers(self.shared)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, str(self.shared))  # type: ignore[no-untyped-call]
        return generate_latest(everyone)
