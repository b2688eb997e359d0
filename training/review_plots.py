"""Figures for whoever decides on thresholds and staff: capacity, costs, comparison, slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.canvas import BLUE, GREEN, GREY, ORANGE, new_figure, nothing, png, tidy
from training.costs import RATIOS, CostCurve

FIGURE_NAMES = {
    "macro_f1": "macro-F1",
    "map": "mAP",
    "micro_f1": "micro-F1",
    "top1": "top-1",
    "auroc": "AUROC",
    "kappa": "kappa",
}


def capacity_plot(capacity: Mapping[str, Any]) -> bytes:
    """Draw precision and recall at each review capacity with their intervals, from `review_capacity`."""
    rows = capacity["rows"]
    if not rows:
        return nothing("No listing of level high or serious is known.")
    figure = new_figure(7.2, 3.9)
    axes = figure.subplots()
    places = np.arange(len(rows))
    for name, offset, colour, marker in (("precision", -0.12, BLUE, "o"), ("recall", 0.12, ORANGE, "s")):
        values = np.array([row[name] for row in rows], dtype=np.float64)
        limits = np.array([row.get(f"{name}_interval") or [row[name]] * 2 for row in rows], dtype=np.float64).T
        spread = np.clip(np.abs(limits - values), 0.0, None)
        label = {"precision": "precision: high or serious among those reviewed", "recall": "recall: share found"}[name]
        axes.errorbar(places + offset, values, yerr=spread, fmt=marker, color=colour, capsize=3, label=label)
    base = capacity["dangerous"] / capacity["n"]
    axes.axhline(base, color=GREY, linestyle=":", linewidth=1.2, label=f"precision of a random choice ({base:.0%})")
    axes.set_xticks(places, [f"{row['share']:.1%}\n{row['listings']} listings" for row in rows])
    axes.set(xlabel="share of listings that a reviewer looks at, riskiest first", ylim=(-0.03, 1.03))
    axes.legend(fontsize=9, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.32), ncols=1)
    tidy(axes)
    return png(figure)


def cost_plot(curve: CostCurve) -> bytes:
    """Draw the cost of each threshold for each cost ratio, relative to the cheaper of holding nothing or everything."""
    if not curve.missed.any() or not curve.held_wrongly.any():
        return nothing("Without listings on both sides of high there are no costs to weigh.")
    figure = new_figure(7.2, 4.2)
    axes = figure.subplots()
    inside = curve.thresholds <= 1.0
    for ratio, colour, style in zip(RATIOS, (BLUE, ORANGE, GREEN), ("-", "--", "-."), strict=True):
        cost = curve.cost(ratio)
        relative = cost / max(min(cost[0], cost[-1]), 1e-12)
        x, y = curve.thresholds[inside], relative[inside]
        label = f"missed : held = {ratio:g} : 1"
        axes.step(x, y, where="pre", color=colour, linestyle=style, linewidth=1.6, label=label)
        best, rule = int(y.argmin()), curve.at(1 / (1 + ratio))
        axes.plot([x[best]], [y[best]], "o", color=colour, markeredgecolor="black", markersize=7)
        axes.plot([1 / (1 + ratio)], [relative[rule]], "D", color=colour, markeredgecolor="black", markersize=6)
    axes.axhline(1.0, color=GREY, linestyle=":", linewidth=1.2)
    axes.plot([], [], "o", color="white", markeredgecolor="black", label="cheapest here")
    axes.plot([], [], "D", color="white", markeredgecolor="black", label="1 / (1 + ratio)")
    axes.set(xlabel="threshold on the risk score", ylabel="cost, 1 = without a model", xlim=(-0.02, 1.02))
    axes.set_ylim(0, 2.05)
    axes.legend(fontsize=9, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    tidy(axes)
    return png(figure)


def comparison_plot(table: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the model's figure minus each rival's with its interval, one panel a figure, from `compare`."""
    rivals = [row for row in table if row.get("differences")]
    names = [name for name in FIGURE_NAMES if any(name in row["differences"] for row in rivals)]
    if not rivals or not names:
        return nothing("There is no rival to compare with.")
    columns = len(names) if len(names) <= 4 else 3
    lines = -(-len(names) // columns)
    figure = new_figure(2.7 * columns + 1.4, (0.42 * len(rivals) + 1.15) * lines)
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
    places = np.arange(len(rivals))[::-1]
    for panel, name in zip(grid.flat, names, strict=False):
        for place, row in zip(places, rivals, strict=True):
            found = row["differences"].get(name)
            if found is None or found["value"] is None:
                continue
            low, high = (found[end] if found[end] is not None else found["value"] for end in ("low", "high"))
            colour = BLUE if low > 0 else ORANGE if high < 0 else GREY
            panel.plot([low, high], [place, place], color=colour, linewidth=2.4, solid_capstyle="butt")
            panel.plot([found["value"]], [place], "o", color=colour, markersize=6)
        panel.axvline(0.0, color="black", linewidth=1)
        panel.set_title(FIGURE_NAMES[name], fontsize=10)
        panel.set_yticks(places, [row["name"] for row in rivals], fontsize=9)
        panel.set_ylim(-0.6, len(rivals) - 0.4)
        panel.margins(x=0.15)
        tidy(panel)
    for panel in grid.flat[len(names) :]:
        panel.set_axis_off()
    figure.supxlabel("this model minus the other: right of 0 this model is better", fontsize=9)
    return png(figure)


def slices_plot(rows: Sequence[Mapping[str, Any]], figure_name: str = "top1", most: int = 40) -> bytes:
    """Draw one figure of every slice, the dot as large as the slice."""
    shown = [row for row in rows if row.get(figure_name) is not None][:most]
    if not shown:
        return nothing("No slice has a figure to show.")
    figure = new_figure(7.6, 0.24 * len(shown) + 1.0)
    axes = figure.subplots()
    places = np.arange(len(shown))[::-1]
    values = [row[figure_name] for row in shown]
    sizes = np.array([row["n_labelled"] for row in shown], dtype=np.float64)
    axes.hlines(places, 0, values, color="#D9D9D9", linewidth=1.2)
    axes.scatter(values, places, s=20 + 160 * sizes / sizes.max(), color=BLUE, zorder=3)
    labels = [f"{row['dimension']}: {row['value'][:42]} ({row['n_labelled']})" for row in shown]
    axes.set_yticks(places, labels, fontsize=8)
    axes.set(xlim=(0, 1.03), ylim=(-0.8, len(shown) - 0.2), xlabel=FIGURE_NAMES[figure_name])
    tidy(axes)
    axes.grid(axis="y", visible=False)
    return png(figure)
