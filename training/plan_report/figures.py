"""The document's chapters that the period's figures fill: risk register, residual risk, KPIs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from models.plan.plan import Plan
from models.simulation.period import ACTIONS, LEVELS, Cell, Period
from training.plan_report.blocks import Block, Heading, Picture, Table, Text
from training.plan_report.pictures import levels_picture, matrix_picture, residual_picture

_REGISTER_ROWS = 40
_MISSING_ROWS = 12

EXPECTED = (
    "Expected figures are sums of probabilities: an offer that is of level high or serious with probability 0.3 counts"
    " 0.3. They are as good as the model's calibration, and are no count of accidents."
)


def register(period: Period) -> Iterator[Block]:
    """Every pair of hazard and category that the period shows."""
    yield Heading("Risk register")
    yield Text(
        "Each offer counts where its worst hazard scenario lies, by hazard and product category. Numbers are offers;"
        f" the colour is the expected number of level high or serious among them. {period.harmless:,} offers have no"
        " scenario that reaches the matrix."
    )
    words = "Hazard by product category: offers (number) and expected high or serious ones (colour)."
    yield Picture(matrix_picture(period), words)
    found = sorted(period.cells.items(), key=lambda item: (-item[1].inherent, item[0]))
    rows = [_register_row(hazard, category, cell) for (hazard, category), cell in found[:_REGISTER_ROWS]]
    if len(found) > _REGISTER_ROWS:
        rest = found[_REGISTER_ROWS:]
        yield Text(
            f"The {_REGISTER_ROWS} pairs with the highest expected risk; {len(rest)} more with"
            f" {sum(cell.n for _, cell in rest):,} offers stand in the picture only."
        )
    if rows:
        columns = [
            "Hazard",
            "Category",
            "Typical scenario",
            "Offers",
            "serious",
            "high",
            "medium",
            "Stopped",
            "Expected",
        ]
        yield Table(columns, rows, [0.12, 0.16, 0.27, 0.07, 0.08, 0.06, 0.08, 0.09, 0.09], [3, 4, 5, 6, 7, 8])
        yield Text(
            "Stopped: information was requested, or a person decides first, or the offer is blocked. Expected: offers"
            f" of level high or serious, before measures. {EXPECTED}",
            quiet=True,
        )


def _register_row(hazard: str, category: str, cell: Cell) -> list[str]:
    counts = [cell.n, cell.levels[4], cell.levels[3], cell.levels[2], cell.restricted]
    return [hazard, category, cell.sentence, *(f"{count:,}" for count in counts), f"{cell.inherent:,.1f}"]


def residual(period: Period) -> Iterator[Block]:
    """What is left after the measures."""
    yield Heading("Residual risk")
    share = period.residual / period.inherent if period.inherent else 0.0
    yield Text(
        f"Before measures {period.inherent:,.1f} offers of level high or serious are expected among the"
        f" {period.n:,} of the period. After them {period.residual:,.1f} of these are on sale: {share:.1%} remains."
        f" In return {period.held_wrongly:,.1f} offers below that level are expected among the {period.held:,} that"
        " were held or blocked."
    )
    yield Picture(
        residual_picture(period), "Expected offers of level high or serious, before measures and on sale.", 0.85
    )
    totals: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for (hazard, _), cell in period.cells.items():
        for i, value in enumerate((cell.n, cell.inherent, cell.residual)):
            totals[hazard][i] += value
    rows = [
        [hazard, f"{n:,.0f}", f"{before:,.1f}", f"{after:,.1f}", f"{after / before:.1%}" if before else "–"]
        for hazard, (n, before, after) in sorted(totals.items(), key=lambda item: (-item[1][2], item[0]))
    ]
    if rows:
        columns = ["Hazard", "Offers", "Before measures", "On sale", "Remains"]
        yield Table(columns, rows, [0.36, 0.16, 0.18, 0.15, 0.15], [1, 2, 3, 4])
    yield Text(EXPECTED, quiet=True)


def kpis(period: Period, plan: Plan) -> Iterator[Block]:
    """Figures of the period, each with what it is a share of."""
    yield Heading("Key figures of the period")
    yield Picture(levels_picture(period), "Offers of the period by level of risk and by action.")
    errors = sum(period.errors.values())
    figures = [
        ("Offers assessed before sale", period.n, None, "one an offer: its newest assessment"),
        ("Proactive control: stopped before sale", period.restricted, period.n, "request information, hold or block"),
        ("Held for a person or blocked", period.held, period.n, "no sale before a person has decided"),
        ("Referred to a person", period.referred, period.n, "in a review queue, whatever the action"),
        ("Published with a warning", period.actions["publish_with_warning"], period.n, ""),
        (
            "Level high or serious",
            period.levels["high"] + period.levels["serious"],
            period.n,
            "after the plan's section classify",
        ),
        ("Model not at home", period.abstained, period.n, "language not covered, nothing to read, out of scope"),
        ("Rules that could not be judged", errors, period.n, "each applies the plan's on_error action"),
    ]
    rows = [
        [name, f"{n:,}", "–" if base is None else f"{n / base:.2%}" if base else "–", how]
        for name, n, base, how in figures
    ]
    yield Table(["Figure", "Offers", "Share", "Definition"], rows, [0.36, 0.12, 0.12, 0.4], [1, 2])
    yield Text(
        "Not in this document: the share of offers removed within two working days of an authority's notice, or of a"
        " recall found by own monitoring (KPI 1 and KPI 2 of the Product Safety Pledge). They are measured where"
        " notices and recall matches are kept, not from assessments before sale.",
        quiet=True,
    )
    yield from _work(period, plan)
    yield from _missing(period)


def _work(period: Period, plan: Plan) -> Iterator[Block]:
    if not period.queues:
        return
    yield Heading("Work for reviewers", 2)
    queues = plan.document.mitigate.queues
    rows = []
    for name in dict.fromkeys([*queues, *sorted(period.queues)]):
        count, minutes = period.queues[name], queues[name].minutes if name in queues else None
        rows.append([name, f"{count:,}", "–" if minutes is None else f"{count * minutes / 60:,.1f}"])
    yield Table(["Queue", "Offers", "Hours, by the plan's minutes an item"], rows, [0.4, 0.2, 0.4], [1, 2])


def _missing(period: Period) -> Iterator[Block]:
    if not period.missing:
        return
    yield Heading("Safety information that was missing (GPSR Article 22(9))", 2)
    rows = [
        [code.replace("-", " "), f"{n:,}", f"{n / period.n:.2%}"]
        for code, n in period.missing.most_common(_MISSING_ROWS)
    ]
    yield Table(["What", "Offers", "Share of all"], rows, [0.5, 0.25, 0.25], [1, 2])


def basis(period: Period) -> Iterator[Block]:
    """What the figures rest on."""
    yield Heading("What the figures rest on")
    versions = [
        ("Models", period.models),
        ("Plans", period.plans),
        ("Languages", period.languages),
        ("Actions", period.actions),
        ("Levels", period.levels),
    ]
    order = {name: i for i, name in enumerate([*LEVELS, *ACTIONS])}
    rows = [
        [
            name,
            "; ".join(
                f"{key} {n:,}"
                for key, n in sorted(counts.items(), key=lambda item: (order.get(item[0], 99), -item[1], item[0]))[:25]
            ),
        ]
        for name, counts in versions
    ]
    yield Table(["Versions and counts", "Offers"], rows, [0.22, 0.78])
    if period.unreadable:
        yield Text(f"{period.unreadable:,} records could not be read, or hold no decision, and count nowhere.")
    yield Text(
        "Severities, injury rates and base rates are judgements of the authors of the knowledge base; shares of hazards"
        " follow counts of official alerts where there are any. The document supports people who decide; it does not"
        " replace the risk assessment that the law asks of economic operators.",
        quiet=True,
    )
