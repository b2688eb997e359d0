"""hazardlens: product-safety risk of marketplace listings. Here are the command line and the Python client.

Examples
--------
>>> from hazardlens import Client
>>> Client("http://127.0.0.1:8000").base_url
'http://127.0.0.1:8000'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hazardlens.client import Client
    from hazardlens.client_errors import ClientError, ItemError
    from hazardlens.client_jobs import Job
    from hazardlens.webhooks import WebhookRefusedError, verify_webhook

__all__ = ["Client", "ClientError", "ItemError", "Job", "WebhookRefusedError", "verify_webhook"]

_PLACES = {
    "Client": "hazardlens.client",
    "ClientError": "hazardlens.client_errors",
    "ItemError": "hazardlens.client_errors",
    "Job": "hazardlens.client_jobs",
    "WebhookRefusedError": "hazardlens.webhooks",
    "verify_webhook": "hazardlens.webhooks",
}


def __getattr__(name: str) -> object:
    # The command line imports this package too and must not pay for httpx.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
