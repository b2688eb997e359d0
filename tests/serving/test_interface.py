"""Every operation of the OpenAPI document, asked what it expects and what it does not (schemathesis)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from serving.access.routes import ROLES
from serving.settings import Settings

DOCUMENTED = [
    route for route in ROLES if route[1].startswith("/v1/") or route[1] in ("/healthz", "/readyz", "/metrics")
]
NAMES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""As many as fit into a minute for all operations together."""


@pytest.fixture(scope="module")
def live_settings(live_settings: Settings) -> Settings:
    """With the example listings."""
    return replace(live_settings, demo=True)


@pytest.fixture(scope="module")
def interface(live_url: str, live_key: dict[str, str]) -> Any:
    """The document of a running server."""
    return schemathesis.openapi.from_url(f"{live_url}/openapi.json", headers=live_key)


def test_every_operation_of_the_document_is_asked(interface: Any) -> None:
    found = {(operation.ok().method.upper(), operation.ok().path) for operation in interface.get_all_operations()}
    assert found == set(DOCUMENTED)


def test_a_breach_would_be_seen(live_url: str, live_key: dict[str, str], shared_client: TestClient) -> None:
    document = deepcopy(shared_client.get("/openapi.json").json())
    document["components"]["schemas"]["Health"]["required"].append("colour")
    operation = schemathesis.openapi.from_dict(document)["/healthz"]["GET"]

    with pytest.raises(BaseException, match="colour"):
        ask(operation, GenerationMode.POSITIVE, live_url, live_key)


@pytest.mark.parametrize(("method", "path"), DOCUMENTED)
def test_whatever_is_asked_the_answer_is_as_documented(
    interface: Any, live_url: str, live_key: dict[str, str], method: str, path: str
) -> None:
    """No 5xx, no status, type or shape that the document does not name."""
    operation = interface[path][method]
    ask(operation, GenerationMode.POSITIVE, live_url, live_key)
    if "{" in path or operation.body or operation.query:  # otherwise nothing can be wrong in a request
        ask(operation, GenerationMode.NEGATIVE, live_url, live_key)


def ask(operation: Any, mode: GenerationMode, url: str, key: dict[str, str]) -> None:
    """Ask an operation for requests that follow its schema, or break it, and check each answer."""
    checks = [CHECKS.get_one(name) for name in NAMES]

    @FEW
    @given(operation.as_strategy(generation_mode=mode))
    def once(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=url, headers=key, checks=checks)

    once()
