"""The client carries the trace of the program that calls it."""

from __future__ import annotations

import sys

import httpx
import pytest
from opentelemetry import propagate, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from hazardlens.trace_context import carry_trace

CALLER = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def test_a_traced_program_tells_its_trace() -> None:
    request = httpx.Request("GET", "http://127.0.0.1/")
    with trace.use_span(NonRecordingSpan(CALLER)):
        carry_trace(request)

    assert request.headers["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"


def test_a_program_outside_of_any_span_tells_none() -> None:
    request = httpx.Request("GET", "http://127.0.0.1/")
    carry_trace(request)

    assert "traceparent" not in request.headers


def test_a_program_without_opentelemetry_tells_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, propagate.__name__)
    request = httpx.Request("GET", "http://127.0.0.1/")
    with trace.use_span(NonRecordingSpan(CALLER)):
        carry_trace(request)

    assert "traceparent" not in request.headers
