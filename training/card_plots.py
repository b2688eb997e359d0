"""Pictures of the data card: hazards and years of each part."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from training.canvas import BLUE, GREEN, GREY, ORANGE, new_figure, nothing, png, tidy

Profiles = Mapping[str, Mapping[str, Any]]
_COLOURS = (BLUE, GREEN, ORANGE, GREY)
_MOST = 12
_HATCHES = ("", "//", "..", "xx")


def label_shares_plot(profiles: Profiles) -> bytes:
    """Draw the share of the labelled examples that have each of the main hazards, one bar a part."""
    parts = {name: part for name, part in profiles.items() if part["labels"] and part["labelled"]}
    names = list(dict.fromkeys(name for part in parts.values() for name in part["labels"]))[:_MOST][::-1]
    if not names:
        return nothing("No example has a known hazard.")
    figure = new_figure(7.4, 0.14 * len(names) * len(parts) + 0.12 * len(names) + 1.2)
    axes = figure.subplots()
    height = 0.8 / len(parts)
    places = np.arange(len(names))
    for i, (name, part) in enumerate(parts.items()):
        shares = [part["labels"].get(label, 0) / part["labelled"] for label in names]
        axes.barh(
            places + 0.4 - (i + 0.5) * height,
            shares,
            height,
            color=_COLOURS[i % 4],
            hatch=_HATCHES[i % 4],
            edgecolor="white",
            linewidth=0.4,
            label=f"{name} ({part['labelled']:,})",
        )
    axes.set_yticks(places, [textwrap.shorten(name, 34, placeholder=" ...") for name in names], fontsize=9)
    axes.set(xlabel="share of the examples whose hazards are known", ylim=(-0.6, len(names) - 0.4))
    axes.legend(fontsize=9, frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=len(parts))
    tidy(axes)
    axes.grid(axis="y", visible=False)
    return png(figure)


def years_plot(profiles: Profiles) -> bytes:
    """Draw how many examples of each part come from each year, stacked."""
    found = sorted({int(year) for part in profiles.values() for year in part["years"] if year.isdigit()})
    if len(found) < 2:
        return nothing("All examples are of one year, or none has a date.")
    years = np.arange(found[0], found[-1] + 1)
    figure = new_figure(7.4, 3.2)
    axes = figure.subplots()
    base = np.zeros(len(years))
    for i, (name, part) in enumerate(profiles.items()):
        counts = np.array([part["years"].get(str(year), 0) for year in years], dtype=np.float64)
        label = f"{name} ({part['n']:,})"
        axes.bar(years, counts, 0.8, base, color=_COLOURS[i % 4], hatch=_HATCHES[i % 4], edgecolor="white", label=label)
        base += counts
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("examples")
    axes.legend(fontsize=9, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(profiles))
    tidy(axes)
    axes.grid(axis="x", visible=False)
    return png(figure)
