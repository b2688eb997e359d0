"""Reads a JSON body as a type of ours."""

from __future__ import annotations

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from models.domain.errors import InputError
from serving.api.body import parse_json, read_body
from serving.api.intake import field_errors
from serving.api.problems import WRONG_SHAPE, FieldError, ProblemError
from serving.services import services_of

_Body = TypeVar("_Body", bound=BaseModel)


async def given(request: Request, kind: type[_Body]) -> _Body:
    """Return the body of a request.

    Raises
    ------
    ProblemError
        422 naming each field that is wrong; 400, 413 and 415 as `read_body` and `parse_json` say.
    """
    return typed(parse_json(await read_body(request, services_of(request).settings.max_body_bytes)), kind)


def typed(raw: object, kind: type[_Body]) -> _Body:
    """Return a value as a type of ours.

    Raises
    ------
    ProblemError
        422 naming each field that is wrong.
    """
    try:
        return kind.model_validate(raw)
    except ValidationError as failure:
        errors = field_errors(failure, kind)
        detail = "; ".join(f"{error.field or 'the body'}: {error.message}" for error in errors[:3])
        raise ProblemError(WRONG_SHAPE, detail, errors) from failure


def refusal(error: InputError) -> ProblemError:
    """Return what was found wrong with a field of the body as a problem."""
    found = FieldError(field=error.place, value=None, message=error.message, hint=error.hint)
    return ProblemError(WRONG_SHAPE, f"{error.place}: {error.message}", [found])
