"""What acts on the recall desk share over HTTP: who asks for what, in a thread, refusals as problems."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Path, Request
from pydantic import BaseModel

from models.domain.errors import InputError
from serving.access.asking import principal_of
from serving.api.given import given
from serving.api.problems import NOT_FOUND, RECALL_CONFLICT, WRONG_SHAPE, FieldError, ProblemError, shortened
from serving.api.recall_records import detail
from serving.api.responses import JsonResponse
from serving.recalls.desk import RecallDesk
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.services import Services, services_of

RECALLS = "/v1/recalls"
CASE = RECALLS + "/cases/{case_id}"
BODY = (400, 409, 413, 415, 422, 500, 503)
"""Problems of every act that takes a body."""
CaseId = Annotated[int, Path(description="`id` of a case", ge=1, lt=2**31)]
_T = TypeVar("_T")
_Body = TypeVar("_Body", bound=BaseModel)


@dataclass(frozen=True)
class Asked(Generic[_Body]):
    """An act that somebody asks for now."""

    services: Services
    body: _Body
    person: str
    now: dt.datetime

    @property
    def desk(self) -> RecallDesk:
        """What does it."""
        return self.services.recalls


async def asked(request: Request, kind: type[_Body]) -> Asked[_Body]:
    """Return what a request with a body of a kind asks for.

    Raises
    ------
    ProblemError
        As `given`.
    """
    body = await given(request, kind)
    return Asked(services_of(request), body, principal_of(request).name, dt.datetime.now(dt.UTC))


async def case_after(
    request: Request, case_id: int, kind: type[_Body], act: Callable[[Asked[_Body]], object]
) -> JsonResponse:
    """Do an act on a case, and answer with the case as it is then."""
    wanted = await asked(request, kind)
    await done(lambda: act(wanted))
    return JsonResponse(await done(lambda: detail(wanted.desk, case_id)))


async def done(act: Callable[[], _T]) -> _T:
    """Do something in a thread; what the desk refuses becomes a problem."""
    try:
        return await asyncio.to_thread(act)
    except NoRecallError as error:
        raise ProblemError(NOT_FOUND, str(error)) from error
    except RecallConflictError as error:
        raise ProblemError(RECALL_CONFLICT, str(error)) from error
    except RecallRefusedError as error:
        value = None if error.value is None else shortened(error.value)
        found = FieldError(field=error.field, value=value, message=error.message, hint=error.hint)
        raise ProblemError(WRONG_SHAPE, f"{error.field}: {error.message}; {error.hint}.", [found]) from error
    except InputError as error:
        found = FieldError(field=error.place, value=None, message=error.message, hint=error.hint)
        raise ProblemError(WRONG_SHAPE, str(error), [found]) from error
