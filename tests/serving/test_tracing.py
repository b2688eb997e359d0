"""Traces reach a real collector over HTTP, hold together, and hold nothing that a seller wrote."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from models.domain.errors import InputError
from serving.settings import Settings
from serving.tracing import tracing_of
from tests.serving.conftest import BAG, HEATER, client_of, post

ROOT = Path(__file__).parents[2]
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


@dataclass
class Collector:
    """A collector that keeps what it gets."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def spans(self) -> list[Span]:
        """Every span so far."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span for r in requests for found in r.resource_spans for scope in found.scope_spans for span in scope.spans
        ]

    def service(self) -> dict[str, str]:
        """Attributes of the service that sent them."""
        first = ExportTraceServiceRequest.FromString(self.bodies[0]).resource_spans[0].resource
        return {entry.key: entry.value.string_value for entry in first.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that listens on a real port."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.paths.append(self.path)
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


def traced(settings: Settings, *calls: tuple[str, str, dict[str, Any]]) -> None:
    """Start a server, make calls and end it, so that everything was sent."""
    with client_of(settings) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        for method, path, rest in calls:
            client.request(method, path, **rest)


def facts(span: Span) -> dict[str, Any]:
    """Attributes of a span."""
    return {entry.key: getattr(entry.value, entry.value.WhichOneof("value")) for entry in span.attributes}


def test_a_request_is_one_trace_with_its_phases(settings: Settings, collector: Collector) -> None:
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-01", "X-Request-ID": "upload-7"}
    call = ("POST", "/v1/assessments?explain=tokens", {"json": [HEATER, BAG], "headers": headers})
    traced(replace(settings, otlp_endpoint=collector.url), call)

    spans = collector.spans()
    by_id = {span.span_id: span for span in spans}
    (root,) = (span for span in spans if span.kind == Span.SPAN_KIND_SERVER)
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert root.parent_span_id.hex() == CALLER
    assert set(collector.paths) == {"/v1/traces"}
    assert collector.service()["service.name"] == "hazardlens"

    def below(parent: Span) -> list[str]:
        found = [span for span in spans if span.parent_span_id == parent.span_id]
        return [span.name for span in sorted(found, key=lambda span: span.start_time_unix_nano)]

    assert below(root) == ["read", "assess", "store", "write"]
    listings = [span for span in spans if span.name == "listing"]
    assert [by_id[span.parent_span_id].name for span in listings] == ["assess", "assess"]
    for listing in listings:
        assert below(listing) == ["queue", "language", "encode", "judge", "match", "explain", "decide", "tell"]
        assert facts(listing)["hazardlens.tokens"] > 2
    for span in spans:
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano

    told = facts(root)
    assert told["http.route"] == "/v1/assessments"
    assert told["http.response.status_code"] == 200
    assert told["hazardlens.request_id"] == "upload-7"
    assert told["hazardlens.listings"] == 2
    assert told["hazardlens.plan"].startswith("default@")
    assert {"hazardlens.model", "hazardlens.taxonomy"} <= set(told)


def test_nothing_that_a_seller_wrote_is_sent(settings: Settings, collector: Collector) -> None:
    secret = {"id": "Geheimnummer", "title": "Unverwechselbar", "description": "Zwiebelfisch", "brand": "Markenwort"}
    wrong = {"id": "Fehlernummer", "title": 3, "Feldname": "Wert"}
    traced(
        replace(settings, otlp_endpoint=collector.url),
        ("POST", "/v1/assessments", {"json": [secret, wrong]}),
        ("POST", "/v1/assessments", {"json": {"Unfug": "Quatsch"}}),
        ("POST", "/v1/assessments", {"content": b"{Kaputt", "headers": {"Content-Type": "application/json"}}),
    )

    sent = b"".join(collector.bodies)
    assert [facts(s)["http.response.status_code"] for s in collector.spans() if s.kind == Span.SPAN_KIND_SERVER] == [
        200, 422, 400,
    ]  # fmt: skip
    words = [
        "Geheimnummer",
        "Unverwechselbar",
        "Zwiebelfisch",
        "Markenwort",
        "Fehlernummer",
        "Unfug",
        "Quatsch",
        "Kaputt",
    ]
    assert [word for word in [*words, "Feldname", "Wert"] if word.encode() in sent] == []


def test_probes_are_not_traced(settings: Settings, collector: Collector) -> None:
    probes = [("GET", path, {}) for path in ("/healthz", "/readyz", "/metrics")]
    traced(replace(settings, otlp_endpoint=collector.url), *probes, ("GET", "/v1/model", {}))

    assert [facts(span)["url.path"] for span in collector.spans()] == ["/v1/model"]


def test_the_standard_variable_names_a_collector_too(
    settings: Settings, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "uploads")
    traced(settings, ("GET", "/v1/model", {}))

    assert collector.service()["service.name"] == "uploads"
    assert len(collector.spans()) == 1


def test_a_caller_that_does_not_sample_is_not_traced(settings: Settings, collector: Collector) -> None:
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
    traced(replace(settings, otlp_endpoint=collector.url), ("GET", "/v1/model", {"headers": headers}))

    assert collector.bodies == []


def test_a_collector_that_is_gone_holds_nobody_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with client_of(replace(settings, otlp_endpoint="http://127.0.0.1:9")) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        assert post(client, [HEATER])["results"][0]["error"] is None


@pytest.mark.parametrize(
    "environment", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}]
)
def test_without_a_collector_nothing_is_traced(environment: dict[str, str]) -> None:
    assert tracing_of(Settings(), environment) is None


def test_without_a_collector_neither_sdk_nor_exporter_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from serving.app import create_app; from serving.settings import Settings;"
        "create_app(Settings(database_url='sqlite:///unused.db'));"
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_missing_packages_are_an_error_with_a_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(InputError, match=r"OTLP_ENDPOINT.*not installed.*hazardlens\[otel\]"):
        tracing_of(Settings(otlp_endpoint="http://127.0.0.1:4318"), {})
    assert tracing_of(Settings(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}) is None


def test_an_address_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="HAZARDLENS_OTLP_ENDPOINT"):
        Settings.from_environment({"HAZARDLENS_OTLP_ENDPOINT": "collector:4318"})
