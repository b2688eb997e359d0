"""What a person is shown when an act does not fit."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from serving.api.errors import answer_to
from serving.api.problems import NOT_FOUND, ProblemError
from serving.console.rendering import render
from serving.review.items import NoItemError, ReviewConflictError, ReviewRefusedError


def install_review_errors(app: FastAPI) -> None:
    """Answer what reviews refuse with a line for the page's message."""
    app.add_exception_handler(NoItemError, _missing)
    app.add_exception_handler(ReviewConflictError, _conflict)
    app.add_exception_handler(ReviewRefusedError, _refused)


async def _missing(request: Request, error: Exception) -> Response:
    return await answer_to(request, ProblemError(NOT_FOUND, str(error)))


async def _conflict(request: Request, error: Exception) -> Response:
    return render(request, "conflict.html", {"conflict": error}, 409)


async def _refused(request: Request, error: Exception) -> Response:
    return render(request, "refused.html", {"refused": error}, 422)
