"""The dashboard: how the reviews are going, in charts, tables and files."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from serving.api.problems import NOT_FOUND, ProblemError, shortened
from serving.console.charts import Picture, Series, bars, diagonal, dots, lines
from serving.console.language import chosen_language, translations_for
from serving.console.rendering import render
from serving.oversight.figures import FIGURES, SHARES, Table
from serving.services import services_of

router = APIRouter(include_in_schema=False)
PERIODS = (7, 30, 90, 365)
_LONGEST_NAME = 64


@router.get("/review/dashboard")
async def dashboard_page(request: Request, days: int = 30, queue: str = "") -> Response:
    """Show every figure of a period and a queue."""
    services = services_of(request)
    found = await asyncio.to_thread(services.figures.of, *_asked(days, queue))
    said = translations_for(chosen_language(request)).gettext
    values = {
        "tables": found.tables,
        "waiting": found.waiting,
        "charts": {name: _chart(name, table, said) for name, table in found.tables.items()},
        "scope": found.scope,
        "periods": PERIODS,
        "queue_names": dict.fromkeys((*services.engine.plan.document.mitigate.queues, *found.waiting.queues)),
        "shares": SHARES,
    }
    return render(request, "dashboard.html", values)


@router.get("/review/dashboard/{figure}")
async def figure_file(request: Request, figure: str, days: int = 30, queue: str = "") -> Response:
    """Give one figure as CSV."""
    name, dot, ending = figure.partition(".")
    if name not in FIGURES or (dot, ending) != (".", "csv"):
        raise ProblemError(NOT_FOUND, f"There is no figure {shortened(figure)}.")
    found = await asyncio.to_thread(services_of(request).figures.of, *_asked(days, queue))
    headers = {"Content-Disposition": f'attachment; filename="{figure}"', "Cache-Control": "no-store"}
    return Response(found.tables[name].as_csv(), media_type="text/csv; charset=utf-8", headers=headers)


def _asked(days: int, queue: str) -> tuple[int, str]:
    return days if days in PERIODS else 30, queue.replace("\x00", "")[:_LONGEST_NAME]


def _chart(name: str, table: Table, said: Any) -> Markup | None:
    """Draw a figure; None where there is nothing to draw, or the table says it better."""
    if table.is_empty or name in ("levels", "categories"):
        return None
    if name in ("precision-by-level", "precision-by-hazard"):
        rows: Any = [(said(row[0]), row[3], row[4], row[5], row[1]) for row in table.rows]
        return dots(Picture(said("Share of confirmed risks among the findings, with intervals.")), rows)
    if name == "reliability":
        of = list(dict.fromkeys(table.column("probability of")))
        series: Any = [
            (said(str(each)), [(row[1], row[4], row[5], row[6]) for row in table.rows if row[0] == each]) for each in of
        ]
        return diagonal(Picture(said("What the model says against what reviewers found, in tenths.")), series)
    labels: Any = [str(label)[5:] if name != "months" else label for label in table.column(table.columns[0])]
    if name == "months":
        ends: Any = list(zip(table.column("lower end"), table.column("upper end"), strict=True))
        series = [
            Series(said("expected"), table.column("expected")),
            Series(said("share"), table.column("share"), ends),
        ]
        return lines(Picture(said("Expected and found share of high or serious risks by month."), True), labels, series)
    series = [Series(said(column), table.column(column)) for column in table.columns[1:]]
    if name == "ages":
        return bars(
            Picture(said("Items that wait, by the time they have waited.")), table.column("waiting for"), series
        )
    if name == "flow":
        return lines(Picture(said("Items that came in, were decided and were open, by time.")), labels, series)
    pictures = {
        "decisions": said("Decisions by time and finding."),
        "clocks": said("Items decided by their due date and after it, by time."),
        "trial": said("Listings that a trial saw, and those that it would decide otherwise, by time."),
    }
    return (lines if name == "trial" else bars)(Picture(pictures[name]), labels, series)
