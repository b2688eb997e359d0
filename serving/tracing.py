"""Traces by OpenTelemetry, where an operator names a collector.

FastAPI makes the span of the request and takes the caller's `traceparent`; the phases of the request and of its
listings become spans below it once the answer is out, from the times that were taken anyway. Nothing that a seller
wrote is ever an attribute. Without a collector neither the SDK nor the exporter is imported.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from fastapi.telemetry import TelemetryConfig

from models.classifier.stopwatch import Lap, Stopwatch
from models.domain.errors import InputError
from serving.settings import PREFIX, Settings
from serving.watching import RequestWatch

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_log = logging.getLogger("hazardlens.tracing")
_STANDARD = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PATH = "/v1/traces"
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_ASSESS = "assess"


class Tracing:
    """Makes spans and sends them to a collector, from a thread of its own.

    Parameters
    ----------
    provider : TracerProvider
    """

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self._tracer = provider.get_tracer("hazardlens")

    @property
    def telemetry(self) -> TelemetryConfig:
        """What FastAPI needs to know."""
        return {**OFF, "tracing": True, "tracer_provider": self.provider, "exclude": _untraced}

    def mark(self, request_id: str, watch: RequestWatch) -> None:
        """Write the request's id and what it found out onto the span of the request, before its answer ends it."""
        from opentelemetry import trace

        span = trace.get_current_span()
        span.set_attribute("hazardlens.request_id", request_id)
        for name, value in watch.facts.items():
            span.set_attribute(f"hazardlens.{name}", value)

    def phases(self, watch: RequestWatch) -> None:
        """Make the spans of the phases, below the span of the request."""
        shift = time_ns() - int(1e9 * perf_counter())
        for lap in watch.laps:
            below = self._span(lap, None, shift)
            if lap.phase == _ASSESS:
                for listing in watch.listings:
                    self._listing(listing, below, shift)

    def _listing(self, watch: Stopwatch, below: Any, shift: int) -> None:
        if watch.laps:
            whole = self._span(Lap("listing", watch.begun, watch.laps[-1].ended), below, shift, tokens=watch.tokens)
            for lap in watch.laps:
                self._span(lap, whole, shift)

    def _span(self, lap: Lap, below: Any, shift: int, **facts: int) -> Any:
        """Make the span of a lap and return the context for spans below it."""
        from opentelemetry import trace

        attributes = {f"hazardlens.{name}": value for name, value in facts.items()}
        begun, ended = (shift + int(1e9 * at) for at in (lap.begun, lap.ended))
        span = self._tracer.start_span(lap.phase, context=below, start_time=begun, attributes=attributes)
        span.end(ended)
        return trace.set_span_in_context(span, below)

    def close(self) -> None:
        """Send what is left; blocks for some seconds at most."""
        self.provider.shutdown()


OFF: TelemetryConfig = {
    "auto_configure": False, "tracing": False, "metrics": False, "logs": False, "operation_spans": False,
}  # fmt: skip
"""What FastAPI needs to know where nothing is traced."""


def tracing_of(settings: Settings, environment: Mapping[str, str] | None = None) -> Tracing | None:
    """Return what traces requests, None where no collector is named.

    Parameters
    ----------
    settings : Settings
        `otlp_endpoint` names the collector; else the standard variables of OpenTelemetry do. These also say how spans
        are sampled (``OTEL_TRACES_SAMPLER``), what the service is called, which headers go with them and so on.

    Raises
    ------
    InputError
        If our own setting names a collector and the packages are not there.
    """
    given = os.environ if environment is None else environment
    named = next((name for name in _STANDARD if given.get(name)), None)
    if (settings.otlp_endpoint is None and named is None) or given.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        hint = "pip install 'hazardlens[otel]'"
        if settings.otlp_endpoint is not None:
            place = f"{PREFIX}OTLP_ENDPOINT"
            raise InputError("the packages of OpenTelemetry are not installed", place=place, hint=hint) from error
        _log.warning("%s is set, but nothing is traced: the packages are not installed; %s", named, hint)
        return None
    resource = Resource.create(
        {"service.name": given.get("OTEL_SERVICE_NAME") or "hazardlens", "process.pid": os.getpid()}
    )
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=_traces_url(settings.otlp_endpoint))))
    return Tracing(provider)


def _traces_url(endpoint: str | None) -> str | None:
    """Add the path of traces, as the standard variable does; None lets the exporter read the standard variables."""
    if endpoint is None or endpoint.endswith(_PATH):
        return endpoint
    return endpoint.rstrip("/") + _PATH


def _untraced(scope: Mapping[str, Any]) -> bool:
    """Probes come every few seconds and say nothing."""
    return scope["path"] in _UNTRACED
