"""The figures as JSON and as a table of rows, with the definition of each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from serving.figures.counting import Duration, Group, PledgeFigures, Share

DEFINITIONS = {
    "kpi_1": (
        "Share of the listings identified after orders and notices of authorities that were removed within 2 working"
        " days of their identification"
    ),
    "kpi_2": (
        "Share of the listings identified after alerts in public registers that were removed within 2 working days of"
        " their identification"
    ),
    "identification": "Share of the cases whose listings were all identified within 3 working days of receipt",
    "reappearance": "Share of the identified listings that put up again a product that had been removed before",
    "identify": "Hours from the receipt of a case until every listing that may be concerned was judged",
    "remove": "Hours from the identification of a listing until the marketplace confirmed its removal",
    "inform": (
        "Hours from the receipt of a case until its buyers were informed: every one whose order was handed over had a"
        " notice sent, or, without such orders, the desk noted it"
    ),
}
NOTES = (
    "Counted over the listings of this marketplace together (pooled). The Commission's first two reports took the plain"
    " mean over signatories; how later periods were calculated is not known to us: compare with care.",
    "The reports do not say at which instant the 2 working days begin. Here they begin with the identification of the"
    " listing, and the day of identification is not counted (Regulation 1182/71).",
    "A listing that is not removed counts once its time is over; until then it is pending. A share of nothing is no"
    " share, and is left empty.",
    "The median of an even number is the mean of the middle two; the 90th percentile is by nearest rank.",
)
SHARES = ("kpi_1", "kpi_2", "identification", "reappearance")
DURATIONS = ("identify", "remove", "inform")
COLUMNS = (
    "group", "name", "figure", "numerator", "denominator", "pending", "share", "n", "median_hours", "p90_hours",
    "from", "to", "definition",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One figure of one group, for a table."""

    group: str
    name: str
    figure: str
    share: Share | None = None
    duration: Duration | None = None


def lines(figures: PledgeFigures) -> list[Line]:
    """Return every figure: those of all first, then by authority, category and country."""
    whole = [Line("all", "", name, share=getattr(figures, name)) for name in SHARES]
    whole += [Line("all", "", name, duration=getattr(figures, name)) for name in DURATIONS]
    for group, parts in figures.groups.items():
        for part in parts:
            whole.append(Line(group, part.name, "kpi_1", share=part.kpi_1))
            whole.append(Line(group, part.name, "kpi_2", share=part.kpi_2))
            whole.append(Line(group, part.name, "remove", duration=part.remove))
    return whole


def as_json(figures: PledgeFigures) -> dict[str, Any]:
    """Return the figures as JSON values."""
    return {
        "from": figures.first.isoformat(),
        "to": figures.last.isoformat(),
        "zone": figures.zone,
        "as_of": figures.as_of,
        **{name: _share(getattr(figures, name)) for name in SHARES},
        **{name: _duration(getattr(figures, name)) for name in DURATIONS},
        "groups": {group: [_group(part) for part in parts] for group, parts in figures.groups.items()},
        "definitions": DEFINITIONS,
        "notes": list(NOTES),
    }


def as_csv(figures: PledgeFigures) -> str:
    """Return the figures as CSV, one figure a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    period = (figures.first.isoformat(), figures.last.isoformat())
    for line in lines(figures):
        share, duration = line.share, line.duration
        counts = ("", "", "", "") if share is None else (share.numerator, share.denominator, share.pending, share.value)
        hours = ("", "", "") if duration is None else (duration.n, duration.median, duration.p90)
        cells = (line.group, line.name, line.figure, *counts, *hours, *period, DEFINITIONS[line.figure])
        writer.writerow("" if cell is None else _harmless(cell) for cell in cells)
    return text.getvalue()


def _harmless(cell: object) -> object:
    """A spreadsheet takes a text that begins like this for a formula; names of authorities come from outside."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _share(share: Share) -> dict[str, Any]:
    return {
        "share": share.value,
        "numerator": share.numerator,
        "denominator": share.denominator,
        "pending": share.pending,
    }


def _duration(duration: Duration) -> dict[str, Any]:
    return {"n": duration.n, "median_hours": duration.median, "p90_hours": duration.p90}


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "kpi_1": _share(group.kpi_1),
        "kpi_2": _share(group.kpi_2),
        "remove": _duration(group.remove),
    }
