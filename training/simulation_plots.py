"""Pictures of a plan's simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.canvas import BLUE, GREY, ORANGE, new_figure, nothing, png, tidy

_WORDS = {
    "publish": "publish",
    "publish_with_warning": "publish with warning",
    "request_information": "request information",
    "hold_for_review": "hold for review",
    "block": "block",
}
_AROUND = 0.1
_PANELS = 6


def actions_plot(actions: Mapping[str, Any]) -> bytes:
    """Draw how many listings get each action, before and after."""
    names = list(actions["before"])
    figure = new_figure(7.2, 3.4)
    axes = figure.subplots()
    places = np.arange(len(names))
    for offset, side, colour, hatch in ((0.2, "before", GREY, ""), (-0.2, "after", BLUE, "//")):
        counts = [actions[side][name] for name in names]
        bars = axes.barh(places + offset, counts, 0.38, color=colour, hatch=hatch, edgecolor="white", label=side)
        axes.bar_label(bars, [f" {count:,}" for count in counts], fontsize=8)
    axes.set_yticks(places, [_WORDS[name] for name in names])
    axes.set(xlabel="listings")
    axes.margins(x=0.12)
    axes.legend(frameon=False, fontsize=9)
    tidy(axes)
    axes.grid(axis="y", visible=False)
    return png(figure)


def flow_plot(matrix: Sequence[Sequence[int]]) -> bytes:
    """Draw what became of each earlier action: rows sum to the listings that had it."""
    counts = np.array(matrix, dtype=np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    figure = new_figure(6.4, 4.6)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[i, j] > 0.5 else "black"
            axes.text(j, i, f"{count:,.0f}", ha="center", va="center", color=colour, fontsize=9)
    names = [name.replace(" ", "\n", 1) for name in _WORDS.values()]
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel="action after", ylabel="action before")
    figure.colorbar(image, ax=axes, label="share of the action before", shrink=0.85)
    return png(figure)


def thresholds_plot(cuts: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the score's histogram around each number that the plan compares it with."""
    if not cuts:
        return nothing("The plan compares no score with a number.")
    shown = cuts[:_PANELS]
    columns = min(2, len(shown))
    lines = -(-len(shown) // columns)
    figure = new_figure(4.2 * columns, 2.6 * lines)
    for panel, cut in zip(figure.subplots(lines, columns, squeeze=False).flat, shown, strict=False):
        histogram = np.array(cut["histogram"], dtype=np.float64)
        edges = np.linspace(0, 1, len(histogram) + 1)
        low, high = max(0.0, cut["at"] - _AROUND), min(1.0, cut["at"] + _AROUND)
        inside = (edges[:-1] >= low - 1e-9) & (edges[1:] <= high + 1e-9)
        below = edges[:-1] < cut["at"] - 1e-9
        for mask, colour in ((inside & below, GREY), (inside & ~below, BLUE)):
            panel.bar(edges[:-1][mask], histogram[mask], np.diff(edges)[mask], align="edge", color=colour)
        panel.axvline(cut["at"], color=ORANGE, linewidth=1.6)
        panel.set_title(f"{cut['label']}\n{cut['reached']:,} reach {cut['at']:g}", fontsize=8)
        panel.set(xlim=(low, high))
        panel.set_xlabel(cut["score"], fontsize=8)
        tidy(panel)
    for panel in figure.axes[len(shown) :]:
        panel.set_axis_off()
    figure.supylabel("listings in a bin", fontsize=9)
    return png(figure)


def workload_plot(queues: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the hours of review a day in each queue, before and after."""
    shown = [row for row in queues if row["minutes_a_day"] and any(row["minutes_a_day"])]
    if not shown:
        return nothing("No listing needs a person.")
    figure = new_figure(7.2, 0.6 * len(shown) + 1.3)
    axes = figure.subplots()
    places = np.arange(len(shown))[::-1]
    for offset, side, colour, hatch in ((0.2, 0, GREY, ""), (-0.2, 1, BLUE, "//")):
        hours = [row["minutes_a_day"][side] / 60 for row in shown]
        label = ("before", "after")[side]
        bars = axes.barh(places + offset, hours, 0.38, color=colour, hatch=hatch, edgecolor="white", label=label)
        axes.bar_label(bars, [f" {hour:,.1f}" for hour in hours], fontsize=8)
    axes.set_yticks(places, [row["queue"] for row in shown])
    axes.set(xlabel="hours of review a day")
    axes.margins(x=0.12)
    axes.legend(frameon=False, fontsize=9)
    tidy(axes)
    axes.grid(axis="y", visible=False)
    return png(figure)
