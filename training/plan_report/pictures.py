"""Pictures of the printed plan."""

from __future__ import annotations

import textwrap
from collections import defaultdict

import numpy as np

from models.simulation.period import LEVELS, Period
from training.canvas import BLUE, GREY, ORANGE, new_figure, nothing, png, tidy

_COLOURS = ("#BFBFBF", "#56B4E9", "#F0E442", "#E69F00", "#D55E00")
_MOST_CATEGORIES = 24


def matrix_picture(period: Period) -> bytes:
    """Draw the risk register: hazards by category, colour the expected listings of level high or serious."""
    if not period.cells:
        return nothing("No listing of the period has a hazard scenario.")
    hazards: defaultdict[str, float] = defaultdict(float)
    categories: defaultdict[str, float] = defaultdict(float)
    for (hazard, category), cell in period.cells.items():
        hazards[hazard] += cell.inherent
        categories[category] += cell.inherent
    rows = sorted(hazards, key=lambda name: (-hazards[name], name))
    columns = sorted(categories, key=lambda name: (-categories[name], name))[:_MOST_CATEGORIES]
    counts, risk = np.zeros((len(rows), len(columns))), np.zeros((len(rows), len(columns)))
    for i, hazard in enumerate(rows):
        for j, category in enumerate(columns):
            found = period.cells.get((hazard, category))
            if found is not None:
                counts[i, j], risk[i, j] = found.n, found.inherent
    figure = new_figure(0.42 * len(columns) + 3.0, 0.32 * len(rows) + 2.6)
    axes = figure.subplots()
    shown = np.log10(1 + risk)
    image = axes.imshow(shown, cmap="YlOrRd", aspect="auto", vmin=0, vmax=max(0.5, float(shown.max())))
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shown[i, j] > 0.7 * max(0.5, float(shown.max())) else "black"
            axes.text(j, i, _short(count), ha="center", va="center", fontsize=7, color=colour)
    names = [textwrap.shorten(name, 32, placeholder="…") for name in columns]
    axes.set_xticks(range(len(columns)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set_xticks(np.arange(-0.5, len(columns)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(rows)), minor=True)
    axes.grid(which="minor", color="#E5E5E5", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    bar = figure.colorbar(image, ax=axes, shrink=0.7)
    marks = [value for value in (0, 1, 10, 100, 1_000, 10_000, 100_000) if np.log10(1 + value) <= image.norm.vmax]
    bar.set_ticks([float(np.log10(1 + value)) for value in marks], labels=[f"{value:,}" for value in marks])
    bar.set_label("expected listings of level high or serious", fontsize=8)
    return png(figure)


def residual_picture(period: Period) -> bytes:
    """Draw, a hazard, what was expected to be of level high or serious, and what of it went on sale."""
    inherent: defaultdict[str, float] = defaultdict(float)
    residual: defaultdict[str, float] = defaultdict(float)
    for (hazard, _), cell in period.cells.items():
        inherent[hazard] += cell.inherent
        residual[hazard] += cell.residual
    names = sorted(inherent, key=lambda name: (inherent[name], name))[-15:]
    if not names:
        return nothing("No listing of the period has a hazard scenario.")
    figure = new_figure(7.2, 0.36 * len(names) + 1.2)
    axes = figure.subplots()
    places = np.arange(len(names))
    before = axes.barh(places + 0.2, [inherent[n] for n in names], 0.38, color=GREY, label="before measures")
    after = axes.barh(
        places - 0.2, [residual[n] for n in names], 0.38, color=ORANGE, hatch="//", edgecolor="white", label="on sale"
    )
    for bars in (before, after):
        axes.bar_label(bars, [f" {bar.get_width():,.1f}" for bar in bars], fontsize=7)
    axes.set_yticks(places, names, fontsize=8)
    axes.set(xlabel="expected listings of level high or serious")
    axes.margins(x=0.1)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    tidy(axes)
    axes.grid(axis="y", visible=False)
    return png(figure)


def levels_picture(period: Period) -> bytes:
    """Draw how the listings spread over the levels, and over the actions."""
    if not period.n:
        return nothing("Nothing was assessed in the period.")
    figure = new_figure(7.2, 2.6)
    left, right = figure.subplots(1, 2)
    counts = [period.levels[level] for level in LEVELS]
    bars = left.bar(LEVELS, counts, color=_COLOURS, edgecolor=GREY, linewidth=0.5)
    left.bar_label(bars, [f"{count / period.n:.1%}" for count in counts], fontsize=7)
    left.set_title("Level of risk", fontsize=9)
    names = list(period.actions)
    names.sort(key=lambda name: -period.actions[name])
    words = [textwrap.fill(name.replace("_", " "), 12) for name in names]
    bars = right.bar(words, [period.actions[name] for name in names], color=BLUE)
    right.bar_label(bars, [f"{period.actions[name] / period.n:.1%}" for name in names], fontsize=7)
    right.set_title("Action", fontsize=9)
    for axes in (left, right):
        axes.margins(y=0.12)
        tidy(axes)
        axes.grid(axis="x", visible=False)
        axes.tick_params(labelsize=7)
    left.set_ylabel("listings", fontsize=8)
    return png(figure)


def _short(count: float) -> str:
    return f"{count / 1000:.0f}k" if count >= 10_000 else f"{count:.0f}"
