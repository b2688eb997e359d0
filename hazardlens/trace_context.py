"""The caller's trace goes on in the server, where the caller traces."""

from __future__ import annotations

import sys

import httpx


def carry_trace(request: httpx.Request) -> None:
    """Add `traceparent` and its kin where the calling program has loaded OpenTelemetry; it is never loaded for this."""
    propagate = sys.modules.get("opentelemetry.propagate")
    if propagate is not None:
        propagate.inject(request.headers)
