"""What Prometheus reads. Each app has its own registry, so that one process can hold several."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from models.domain.assessment import Assessment, Versions

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counters, gauges and histograms of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "hazardlens_request_seconds",
            "Time to answer a request.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._listings = Counter(
            "hazardlens_listings", "Listings assessed.", ("level", "action"), registry=self.registry
        )
        self._errors = Counter(
            "hazardlens_listing_errors",
            "Listings of a request answered with an error.",
            ("type",),
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "hazardlens_listings_in_flight", "Listings accepted and not yet answered.", registry=self.registry
        )
        self._capacity = Gauge("hazardlens_listings_capacity", "Most listings in flight.", registry=self.registry)
        self._ready = Gauge(
            "hazardlens_ready", "1 once the model is loaded and the database migrated.", registry=self.registry
        )
        self._model = Info("hazardlens_model", "Versions that answers are made with.", registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note an answered request."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).observe(seconds)

    def assessed(self, assessment: Assessment) -> None:
        """Note an assessed listing."""
        self._listings.labels(assessment.risk_level.value, assessment.decision.action.value).inc()

    def refused(self, kind: str) -> None:
        """Note a listing that was answered with an error of that kind."""
        self._errors.labels(kind).inc()

    def versions(self, versions: Versions) -> None:
        """Note what answers are made with from now on."""
        self._model.info(versions.model_dump())

    def ready(self, versions: Versions, in_flight: Callable[[], float], capacity: int) -> None:
        """Note that the model is loaded, and where to read the number of listings in flight."""
        self._ready.set(1)
        self._capacity.set(capacity)
        self._in_flight.set_function(in_flight)
        self.versions(versions)

    def exposition(self) -> bytes:
        """Return the text that Prometheus reads."""
        return generate_latest(self.registry)
