"""The figures of the pledge as a document that an authority reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.notices.commitments import Commitment
from models.reasons.marketplace import Marketplace
from serving.figures.counting import Duration, Group, PledgeFigures, Share
from serving.figures.telling import DEFINITIONS, DURATIONS, NOTES, SHARES
from training.plan_report.blocks import Block, Heading, Paper, Table, Text

_NAMES = {
    "kpi_1": "KPI 1",
    "kpi_2": "KPI 2",
    "identification": "Identified in time",
    "reappearance": "Listed again",
    "identify": "To identify",
    "remove": "To remove",
    "inform": "To inform",
}


def pledge_paper(figures: PledgeFigures, areas: Sequence[Commitment], marketplace: Marketplace) -> Paper:
    """Return the document."""
    facts = [
        ("Marketplace", f"{marketplace.name} ({marketplace.operator})"),
        ("Single contact point", marketplace.safety_contact),
        ("Period", f"{figures.first} to {figures.last} ({figures.zone})"),
        ("Reporting period", marketplace.reporting_period),
        ("Figures as of", f"{figures.as_of:%Y-%m-%d %H:%M} UTC"),
    ]
    return Paper("Product Safety Pledge: figures", facts, list(_blocks(figures, areas)))


def _blocks(figures: PledgeFigures, areas: Sequence[Commitment]) -> Iterator[Block]:
    yield Heading("Key figures")
    yield Table(
        ["Figure", "Share", "Numerator", "Denominator", "Pending", "Definition"],
        [[_NAMES[name], *_share(getattr(figures, name)), DEFINITIONS[name]] for name in SHARES],
        [0.14, 0.11, 0.12, 0.14, 0.1, 0.39],
        [1, 2, 3, 4],
    )
    yield Heading("Times", 2)
    yield Table(
        ["Step", "Count", "Median, hours", "90th percentile, hours", "Definition"],
        [[_NAMES[name], *_duration(getattr(figures, name)), DEFINITIONS[name]] for name in DURATIONS],
        [0.15, 0.1, 0.14, 0.16, 0.45],
        [1, 2, 3],
    )
    for note in NOTES:
        yield Text(note, quiet=True)
    for group, parts in figures.groups.items():
        yield Heading(f"By {group}")
        if not parts:
            yield Text("No listing was identified in the period.")
            continue
        yield Table(
            [group.capitalize(), "KPI 1", "of", "KPI 2", "of", "Median hours to remove"],
            [_group(part) for part in parts],
            [0.36, 0.12, 0.12, 0.12, 0.12, 0.16],
            [1, 2, 3, 4, 5],
        )
    yield Heading("Commitments")
    yield Text("The areas of the Product Safety Pledge+ in our words, and what this installation does for each.")
    yield Table(
        ["#", "Area", "Status here", "Evidence", "Read in"],
        [_area(area) for area in areas],
        [0.05, 0.33, 0.26, 0.2, 0.16],
    )


def _share(share: Share) -> list[str]:
    shown = "none to count" if share.value is None else f"{share.value:.1%}"
    return [shown, f"{share.numerator:,}", f"{share.denominator:,}", f"{share.pending:,}"]


def _duration(duration: Duration) -> list[str]:
    return [
        f"{duration.n:,}",
        *("–" if hours is None else f"{hours:,.1f}" for hours in (duration.median, duration.p90)),
    ]


def _group(part: Group) -> list[str]:
    cells = [part.name or "–"]
    for share in (part.kpi_1, part.kpi_2):
        cells += ["–" if share.value is None else f"{share.value:.1%}", f"{share.denominator:,}"]
    return [*cells, _duration(part.remove)[1]]


def _area(area: Commitment) -> list[str]:
    evidence = "\n".join(f"{each.kind}: {each.name}" for each in area.evidence)
    status = f"{area.status}. {area.note}" if area.note else str(area.status)
    name = f"{area.name} ({area.deadline})" if area.deadline else area.name or "–"
    return [area.id, name, status, evidence or "–", area.source if area.verified else "not verified"]
