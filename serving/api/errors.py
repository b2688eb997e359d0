"""Turns whatever ends a request early into a problem."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPMethod

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from serving.admission import Refused, TooLate
from serving.api.frame import note_problem, request_id
from serving.api.problems import (
    DEADLINE,
    INTERNAL_ERROR,
    INVALID_PARAMETER,
    STORE_UNAVAILABLE,
    TOO_BUSY,
    FieldError,
    Problem,
    ProblemError,
    problem,
    problem_of_status,
    shortened,
    writable,
)
from serving.api.responses import ProblemResponse
from serving.pages import error_page, wants_page

_log = logging.getLogger("hazardlens.api")
_RETRY_STORE = "5"

Handler = Callable[[Request, Exception], Awaitable[Response]]


def install_error_handlers(app: FastAPI) -> None:
    """Give every error of the app the shape of a problem."""
    handlers: dict[type[Exception], Handler] = {
        ProblemError: answer_to,
        Refused: answer_to,
        HTTPException: _http,
        RequestValidationError: _parameters,
        OperationalError: _store,
        InterfaceError: _store,
        PoolTimeout: _store,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)


async def answer_to(request: Request, error: Exception) -> Response:
    """Return the answer to a problem, or to what the engine refuses."""
    if isinstance(error, Refused):
        kind = DEADLINE if isinstance(error, TooLate) else TOO_BUSY
        error = ProblemError(
            kind, f"{error.reason} Try again in {error.retry_after} s.", headers={"Retry-After": str(error.retry_after)}
        )
    assert isinstance(error, ProblemError)
    return _answer(request, error.at(_instance(request)), error.headers)


def internal_error(request: Request) -> Response:
    """Return the answer to a fault of ours; what it was stands in the log only."""
    detail = f"It is our fault. The log has the reason under request {request_id(request.scope)}."
    return _answer(request, problem(INTERNAL_ERROR, detail, _instance(request)), {})


def _instance(request: Request) -> str:
    return writable(request.url.path)


def _answer(request: Request, found: Problem, headers: dict[str, str]) -> Response:
    note_problem(request.scope, found.name)
    if wants_page(request):
        return error_page(request, found, headers)
    return ProblemResponse(found, headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = problem_of_status(error.status_code)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        allowed = headers.get("allow") or headers.get("Allow") or HTTPMethod.GET
        detail = f"{request.method} does not work on this path; use {allowed}."
    else:
        detail = f"Nothing answers at {_instance(request)}." if error.status_code == 404 else str(error.detail)
    return _answer(request, problem(kind, detail, _instance(request)), headers)


async def _parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = []
    for found in error.errors():
        field = ".".join(str(part) for part in found["loc"][1:])
        value = None if found["type"] == "missing" else shortened(found.get("input"))
        errors.append(
            FieldError(
                field=field,
                value=value,
                message=found["msg"],
                hint=f"see {found['loc'][0]} parameters in /openapi.json",
            )
        )
    detail = "; ".join(f"{e.field}: {e.message}" for e in errors)
    return _answer(request, problem(INVALID_PARAMETER, detail, _instance(request), errors), {})


async def _store(request: Request, error: Exception) -> Response:
    _log.error("request %s: the database does not answer: %s", request_id(request.scope), error)
    detail = "The database does not answer; nothing is lost by asking again."
    return _answer(request, problem(STORE_UNAVAILABLE, detail, _instance(request)), {"Retry-After": _RETRY_STORE})
