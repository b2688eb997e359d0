"""What a person is shown when an act does not fit."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from serving.api.errors import answer_to
from serving.api.problems import NOT_FOUND, ProblemError
from serving.console.rendering import render
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.review.items import NoItemError, ReviewConflictError, ReviewRefusedError


def install_console_errors(app: FastAPI) -> None:
    """Answer what reviews and the recall desk refuse with a line for the page's message."""
    for missing in (NoItemError, NoRecallError):
        app.add_exception_handler(missing, _missing)
    for conflict in (ReviewConflictError, RecallConflictError):
        app.add_exception_handler(conflict, _conflict)
    for refused in (ReviewRefusedError, RecallRefusedError):
        app.add_exception_handler(refused, _refused)


async def _missing(request: Request, error: Exception) -> Response:
    return await answer_to(request, ProblemError(NOT_FOUND, str(error)))


async def _conflict(request: Request, error: Exception) -> Response:
    return render(request, "conflict.html", {"conflict": error}, 409)


async def _refused(request: Request, error: Exception) -> Response:
    return render(request, "refused.html", {"refused": error}, 422)
