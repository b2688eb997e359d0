"""The key figures of the Product Safety Pledge, by period."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from models.deadlines.calendar import WorkCalendar
from models.reasons.marketplace import load_marketplace
from serving.api.openapi import problems
from serving.api.problems import INVALID_PARAMETER, FieldError, ProblemError
from serving.api.responses import JsonResponse
from serving.figures.counting import PledgeFigures
from serving.figures.records import figures_of
from serving.figures.telling import as_csv, as_json
from serving.services import Services, services_of

router = APIRouter(tags=["recalls"])
_SECOND_HALF = 7


class ShareAnswer(BaseModel):
    """A share, with what it is a share of."""

    share: float | None = Field(description="null where the denominator is 0")
    numerator: int
    denominator: int
    pending: int = Field(description="not done, and its time not over: counted in neither")


class DurationAnswer(BaseModel):
    """How long something took."""

    n: int
    median_hours: float | None
    p90_hours: float | None


class GroupAnswer(BaseModel):
    """The figures of an authority, a category or a country."""

    name: str
    kpi_1: ShareAnswer
    kpi_2: ShareAnswer
    remove: DurationAnswer


class PledgeAnswer(BaseModel):
    """The figures of a period."""

    model_config = ConfigDict(populate_by_name=True)

    first: dt.date = Field(alias="from")
    last: dt.date = Field(alias="to")
    zone: str = Field(description="time zone in which days begin")
    as_of: dt.datetime
    kpi_1: ShareAnswer
    kpi_2: ShareAnswer
    identification: ShareAnswer
    reappearance: ShareAnswer
    identify: DurationAnswer
    remove: DurationAnswer
    inform: DurationAnswer
    groups: dict[str, list[GroupAnswer]] = Field(description="by `authority`, `category` and `country`")
    definitions: dict[str, str]
    notes: list[str]


@router.get(
    "/v1/figures/pledge",
    summary="Key figures of the Product Safety Pledge",
    description=(
        "KPI 1 and KPI 2 with numerator, denominator and definition; time to identify, to remove and to inform; how"
        " often removed products came back. Without `from` and `to`: the half-year that is running."
    ),
    response_model=PledgeAnswer,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **problems(422, 500, 503)},
)
async def get_pledge(
    request: Request,
    first: Annotated[dt.date | None, Query(alias="from", description="first day of the period")] = None,
    last: Annotated[dt.date | None, Query(alias="to", description="last day of the period")] = None,
    format: Annotated[Literal["json", "csv"], Query(description="`csv` is one figure a row")] = "json",
) -> Response:
    """Return the figures of a period."""
    figures = await asyncio.to_thread(pledge_of, services_of(request), first, last)
    if format == "json":
        return JsonResponse(as_json(figures))
    name = f"pledge-{figures.first}-{figures.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(as_csv(figures), media_type="text/csv; charset=utf-8", headers=headers)


def pledge_of(services: Services, first: dt.date | None, last: dt.date | None) -> PledgeFigures:
    """Count the figures of a period, by default of the half-year that is running. It blocks.

    Raises
    ------
    ProblemError
        422 for a period that ends before it begins.
    """
    calendar, now = load_marketplace(services.settings.marketplace).calendar, dt.datetime.now(dt.UTC)
    begin, end = period_of(first, last, calendar, now)
    if end < begin:
        error = FieldError(field="to", value=str(end), message=f"is before from ({begin})", hint="give a later day")
        raise ProblemError(INVALID_PARAMETER, f"to: {error.message}; {error.hint}.", [error])
    return figures_of(services.store.engine, begin, end, calendar, now)


def period_of(
    first: dt.date | None, last: dt.date | None, calendar: WorkCalendar, now: dt.datetime
) -> tuple[dt.date, dt.date]:
    """Return first and last day; what is not given is of the half-year in which the other, or today, lies."""
    begin = first or half_year(last or calendar.local_day(now))[0]
    return begin, last or half_year(begin)[1]


def half_year(day: dt.date) -> tuple[dt.date, dt.date]:
    """Return first and last day of the half-year of a day: how often the pledge of 2018 was reported on.

    Examples
    --------
    >>> half_year(dt.date(2026, 11, 26))
    (datetime.date(2026, 7, 1), datetime.date(2026, 12, 31))
    """
    if day.month >= _SECOND_HALF:
        return dt.date(day.year, _SECOND_HALF, 1), dt.date(day.year, 12, 31)
    return dt.date(day.year, 1, 1), dt.date(day.year, 6, 30)
