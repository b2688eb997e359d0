"""Every route against every role: what is not allowed is refused, and nothing is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Mount

from serving.access.principal import Role
from serving.access.routes import OPEN, ROLES, roles_of
from serving.settings import Settings
from tests.serving.conftest import bearer, client_of
from tests.serving.test_error_shape import check

JOBS = {
    "POST /v1/jobs", "GET /v1/jobs", "GET /v1/jobs/{job_id}", "GET /v1/jobs/{job_id}/result",
    "POST /v1/jobs/{job_id}/cancel", "DELETE /v1/jobs/{job_id}",
}  # fmt: skip
"""Of the caller's own."""
OWN = JOBS | {
    "GET /account", "POST /account/name", "POST /account/password", "POST /account/language", "POST /account/sign-out",
}  # fmt: skip
OVERSIGHT = {
    "GET /review/dashboard",
    "GET /review/dashboard/{figure}",
    "GET /review/quality",
    "GET /review/log",
    "POST /review/log/verify",
    "GET /review/log/export",
    "GET /v1/figures/pledge",
    "GET /review/figures",
    "GET /review/commitments",
}
CONSOLE = {
    "GET /review",
    "POST /review/next",
    "POST /review/views",
    "POST /review/views/{view_id}",
    "POST /review/views/{view_id}/delete",
    "POST /review/views/{view_id}/default",
    "POST /review/bulk",
    "POST /review/bulk/preview",
    "POST /review/batches/{batch}/undo",
    "POST /review/decisions/{decision_id}/undo",
    "GET /review/items/{item_id}",
    "GET /review/items/{item_id}/why",
    "POST /review/items/{item_id}/worksheet",
    "POST /review/items/{item_id}/claim",
    "POST /review/items/{item_id}/renew",
    "POST /review/items/{item_id}/release",
    "POST /review/items/{item_id}/skip",
    "POST /review/items/{item_id}/hold",
    "POST /review/items/{item_id}/escalate",
    "POST /review/items/{item_id}/decide",
    "GET /review/complaints",
    "POST /review/complaints/{appeal_id}",
    "GET /review/cases/{case_id}/notice",
    "POST /review/cases/{case_id}/notice",
    "POST /review/cases/{case_id}/notice/release",
    "GET /v1/cases/{case_id}/notice",
    "PUT /v1/cases/{case_id}/notice",
    "POST /v1/cases/{case_id}/notice/release",
}
TOLD = {"GET /v1/cases/{case_id}/notices/{language}", "GET /v1/cases/{case_id}/buyers"}
"""Of recalls, without a person."""
ALLOWED = {
    # what each role may besides health and the sign-in page, written out once more: a change must be meant
    Role.UPLOADER: OWN | TOLD | {
        "POST /v1/cases/{case_id}/buyers", "POST /v1/cases/{case_id}/buyers/receipts",
        "GET /v1/cases/{case_id}/buyers/list",
        "DELETE /session", "GET /openapi.json", "POST /v1/assessments", "GET /v1/assessments/{assessment_id}",
        "GET /v1/assessments/{assessment_id}/explanation", "GET /v1/model",
    },
    Role.REVIEWER: OWN | TOLD | {
        "DELETE /session", "GET /openapi.json", "POST /v1/assessments", "GET /v1/assessments/{assessment_id}",
        "GET /v1/assessments/{assessment_id}/explanation", "GET /v1/model", "GET /", "GET /assessments/{assessment_id}",
        "GET /v1/assessments", "GET /v1/assessments/{assessment_id}/statement", "POST /v1/statements",
        "POST /v1/statements/check", "GET /v1/plans", "GET /v1/plans/{name}", *CONSOLE, *OVERSIGHT,
    },
    Role.SCIENTIST: OWN | {
        "DELETE /session", "GET /openapi.json", "POST /v1/assessments", "GET /v1/assessments/{assessment_id}",
        "GET /v1/assessments/{assessment_id}/explanation", "GET /v1/model", "GET /", "GET /assessments/{assessment_id}",
        "GET /v1/assessments", "GET /v1/plans", "GET /v1/plans/{name}", "POST /v1/plans", "POST /v1/plans/rollback",
        "GET /v1/shadow", "GET /v1/shadow/differences", "GET /metrics", "GET /review/golden", *OVERSIGHT,
    },
}  # fmt: skip
OPEN_ROUTES = {
    "GET /healthz", "GET /readyz", "POST /session", "GET /session/oidc", "GET /session/oidc/callback",
    "GET /static/{path}", "GET /authorities", "GET /authorities/{country}", "GET /v1/authorities",
    "GET /v1/authorities/{country}",
}  # fmt: skip
ROUTES = [route for route in ROLES if ROLES[route] != OPEN]


def routes_of(client: TestClient) -> Iterator[tuple[str, str]]:
    """Method and pattern of every route that the app has."""
    for route in iter_route_contexts(client.app.routes):  # type: ignore[attr-defined]
        if isinstance(route.route, Mount):
            yield "GET", re.sub("^/static/[0-9a-f]+$", "/static/{path}", str(route.path))
        else:
            yield from ((method, str(route.path)) for method in (route.methods or ()) if method != "HEAD")


@pytest.fixture(scope="module")
def place(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(model=small_model_dir, database_url=f"sqlite:///{tmp_path_factory.mktemp('roles') / 'h.db'}")


@pytest.fixture(scope="module")
def server(place: Settings) -> Iterator[TestClient]:
    """A ready app; each request of a test brings its own key, or none."""
    with client_of(place) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        del client.headers["Authorization"]
        yield client


@pytest.fixture(scope="module")
def keys(place: Settings) -> dict[Role, dict[str, str]]:
    return {role: bearer(place, role) for role in Role}


def ask(client: TestClient, method: str, pattern: str, headers: dict[str, str] | None = None) -> Any:
    return client.request(method, re.sub(r"{\w+}", "0" * 32, pattern), headers=headers)


def test_every_route_has_its_roles(server: TestClient) -> None:
    found = set(routes_of(server))

    missing = sorted(f"{method} {pattern}" for method, pattern in found - set(ROLES))
    assert missing == [], "add these routes with the roles that may use them to ROLES in serving/access/routes.py"
    assert set(ROLES) - found == set(), "these rows of serving/access/routes.py name no route"


def test_nothing_is_open_but_health_and_the_way_in() -> None:
    assert {" ".join(route) for route, roles in ROLES.items() if roles == OPEN} == OPEN_ROUTES


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_the_table_says_what_each_role_may(role: Role) -> None:
    """New routes are added here too, so that a role never grows by accident."""
    known = set().union(*ALLOWED.values())
    assert {" ".join(route) for route in ROUTES if role in ROLES[route] and " ".join(route) in known} == ALLOWED[role]


def test_an_admin_may_do_everything() -> None:
    assert [route for route in ROUTES if Role.ADMIN not in ROLES[route]] == []


@pytest.mark.parametrize(("method", "pattern"), ROUTES)
def test_without_a_key_nothing_is_answered(server: TestClient, method: str, pattern: str) -> None:
    problem = check(ask(server, method, pattern), 401)
    assert problem.type == "urn:hazardlens:problem:unauthenticated"
    assert ask(server, method, pattern).headers["www-authenticate"] == 'Bearer realm="hazardlens"'


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("method", "pattern"), ROUTES)
def test_a_role_does_what_is_its_own_and_nothing_else(
    server: TestClient, keys: dict[Role, dict[str, str]], method: str, pattern: str, role: Role
) -> None:
    """What is allowed fails for other reasons here, such as a missing body, and never for the role."""
    answer = ask(server, method, pattern, keys[role])
    if role in (roles_of(method, pattern) or ()):
        assert answer.status_code not in (401, 403), answer.text
        assert answer.status_code < 500, answer.text
    else:
        problem = check(answer, 403)
        assert problem.type == "urn:hazardlens:problem:forbidden"
        assert role in problem.detail
        assert "insufficient_scope" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1/", "//healthz", "/healthz/", "/static", "/metrics/x", "/%2e/v1/model"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_without_a_key_not_even_a_path_that_is_not_there_is_told(server: TestClient, method: str, path: str) -> None:
    check(server.request(method, path), 401)


def test_health_and_static_files_answer_without_a_key(server: TestClient) -> None:
    static = server.app.state.static  # type: ignore[attr-defined]
    for path in ("/healthz", "/readyz", f"{static}/style.css"):
        assert server.get(path).status_code == 200


def test_a_route_that_the_table_does_not_name_is_refused_to_everybody(
    server: TestClient, keys: dict[Role, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ROLES, ("GET", "/v1/model"))

    problem = check(server.get("/v1/model", headers=keys[Role.ADMIN]), 403)

    assert "serving/access/routes.py" in problem.detail


def test_the_openapi_document_tells_the_roles(server: TestClient, keys: dict[Role, dict[str, str]]) -> None:
    document = server.get("/openapi.json", headers=keys[Role.UPLOADER]).json()
    ways = document["components"]["securitySchemes"]

    assert ways["key"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            roles = ROLES[method.upper(), path]
            if roles == OPEN:
                assert operation["security"] == []
            else:
                assert operation["security"] == [{name: []} for name in ways]
                assert operation["x-roles"] == sorted(roles)
                assert {"401", "403", "429"} <= set(operation["responses"])
