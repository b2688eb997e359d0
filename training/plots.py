"""Figures of an evaluation as PNG bytes; no state outside the call, so threads and servers may draw."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from models.domain.risk import RiskLevel
from training.canvas import BLUE, GREEN, GREY, ORANGE, new_figure, nothing, png, tidy
from training.metrics import ClassRow
from training.reliability import Bin

Array = NDArray[np.float64]


def reliability_plot(curves: Mapping[str, Sequence[Bin]]) -> bytes:
    """Draw predicted against observed shares, one line a set of predictions; the bars below count the predictions.

    Parameters
    ----------
    curves : mapping
        Name -> bins of `reliability_curve`.
    """
    if not any(curves.values()):
        return nothing("No prediction can be checked against a known outcome.")
    figure = new_figure(5.6, 6.0)
    above, below = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    above.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2, label="perfectly calibrated")
    styles = zip((BLUE, ORANGE, GREEN, GREY), ("o-", "s--", "^-.", "d:"), strict=True)
    for (name, bins), (colour, style) in zip(curves.items(), styles, strict=False):
        predicted = [b.predicted for b in bins]
        label = f"{name} (n = {sum(b.n for b in bins):,})"
        above.plot(predicted, [b.observed for b in bins], style, color=colour, markersize=5, label=label)
        below.plot(predicted, [b.n for b in bins], style, color=colour, markersize=4, linewidth=1)
    above.set(ylabel="share that came true", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    below.set(xlabel="predicted probability", ylabel="in bin")
    below.set_yscale("log")
    below.yaxis.set_minor_formatter(NullFormatter())
    above.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=9, frameon=False)
    tidy(above, below)
    return png(figure)


def precision_recall_plot(truth: NDArray[np.bool_], scores: Array, rows: Sequence[ClassRow]) -> bytes:
    """Draw a small precision-recall curve for every counted class, the operating point as a dot.

    Parameters
    ----------
    truth, scores : array of shape (n, classes)
    rows : sequence of ClassRow
        One a class, in the order of the columns.
    """
    shown = sorted((j for j, row in enumerate(rows) if row.counted), key=lambda j: (-rows[j].n, rows[j].name))
    if not shown:
        return nothing("No risk type has enough known cases for a precision-recall curve.")
    columns = min(4, len(shown))
    lines = -(-len(shown) // columns)
    figure = new_figure(2.5 * columns, 2.35 * lines + 0.5)
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for panel, j in zip(grid.flat, shown, strict=False):
        recall, precision = _steps(truth[:, j], scores[:, j])
        panel.step(recall, precision, where="post", color=BLUE, linewidth=1.4)
        panel.axhline(rows[j].n / len(truth), color=GREY, linestyle=":", linewidth=1)
        if not np.isnan(rows[j].precision):
            panel.plot([rows[j].recall], [rows[j].precision], "o", color=ORANGE, markeredgecolor="black", markersize=6)
        name = textwrap.shorten(rows[j].name, 26)
        panel.set_title(f"{name}\nn = {rows[j].n}, AP = {rows[j].average_precision:.2f}", fontsize=9)
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))
        tidy(panel)
    for panel in grid.flat[len(shown) :]:
        panel.set_axis_off()
    figure.supxlabel("recall", fontsize=10)
    figure.supylabel("precision", fontsize=10)
    return png(figure)


def class_bars_plot(rows: Sequence[ClassRow]) -> bytes:
    """Draw F1 and average precision of every class with known cases, the most frequent class on top."""
    shown = sorted((row for row in rows if row.n), key=lambda row: (row.n, row.name))
    if not shown:
        return nothing("No listing has a known hazard.")
    figure = new_figure(7.2, 0.42 * len(shown) + 1.3)
    axes = figure.subplots()
    places = np.arange(len(shown))
    f1 = np.nan_to_num([row.f1 for row in shown])
    axes.barh(places + 0.2, f1, 0.38, color=BLUE, label="F1 at the threshold")
    axes.barh(
        places - 0.2,
        np.nan_to_num([row.average_precision for row in shown]),
        0.38,
        color=ORANGE,
        hatch="//",
        edgecolor="white",
        label="average precision",
    )
    names = [f"{row.name}  (n = {row.n}{'' if row.counted else ', not in means'})" for row in shown]
    axes.set_yticks(places, names, fontsize=9)
    axes.set(xlim=(0, 1.02), ylim=(-0.6, len(shown) - 0.4))
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, fontsize=9, frameon=False)
    tidy(axes)
    axes.grid(axis="y", visible=False)
    return png(figure)


def hazard_confusion_plot(truth: NDArray[np.bool_], scores: Array, names: Sequence[str], least: int = 5) -> bytes:
    """Draw which risk type is scored highest where each one is known; a listing with two hazards stands in two rows.

    Parameters
    ----------
    truth, scores : array of shape (n, classes)
    least : int
        Fewest known cases of a class that gets a row.
    """
    positives = truth.sum(axis=0)
    rows = sorted(np.flatnonzero(positives >= least).tolist(), key=lambda j: (-positives[j], names[j]))
    if not rows:
        return nothing("No risk type has enough known cases.")
    truth, best = truth[truth.any(axis=1)], scores[truth.any(axis=1)].argmax(axis=1)
    columns = [*rows, *sorted(set(best.tolist()) - set(rows))]
    counts = np.array([[int((best[truth[:, i]] == j).sum()) for j in columns] for i in rows])
    shares = counts / counts.sum(axis=1, keepdims=True)
    figure = new_figure(0.52 * len(columns) + 3.0, 0.4 * len(rows) + 2.2)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[i, j] > 0.5 else "black"
            axes.text(j, i, f"{count}", ha="center", va="center", color=colour, fontsize=8)
    short = [textwrap.shorten(names[j], 24, placeholder=" ...") for j in columns]
    axes.set_xticks(range(len(columns)), short, rotation=40, ha="right", fontsize=9)
    axes.set_yticks(range(len(rows)), [f"{short[i]} ({positives[j]})" for i, j in enumerate(rows)], fontsize=9)
    axes.set(xlabel="scored highest", ylabel="known risk type (n)")
    return png(figure)


def level_confusion_plot(confusion: Array) -> bytes:
    """Draw known against predicted levels; colours are shares of the known level, numbers are counts.

    Parameters
    ----------
    confusion : array of shape (5, 5)
        Rows are known levels.
    """
    if not confusion.sum():
        return nothing("No listing has a known risk level.")
    figure = new_figure(5.2, 4.6)
    axes = figure.subplots()
    totals = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, totals, out=np.zeros_like(confusion, dtype=np.float64), where=totals > 0)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [level.value for level in RiskLevel]
    for (i, j), count in np.ndenumerate(confusion):
        colour = "white" if shares[i, j] > 0.5 else "black"
        axes.text(j, i, f"{count:.0f}", ha="center", va="center", color=colour, fontsize=10)
    axes.set_xticks(range(len(names)), names)
    counted = [f"{name} ({total:.0f})" for name, total in zip(names, totals[:, 0], strict=True)]
    axes.set_yticks(range(len(names)), counted)
    axes.set(xlabel="predicted level", ylabel="level a person gave (n)")
    figure.colorbar(image, ax=axes, label="share of the known level", shrink=0.85)
    return png(figure)


def _steps(truth: NDArray[np.bool_], scores: Array) -> tuple[Array, Array]:
    order = np.argsort(-scores, kind="stable")
    hits = truth[order].cumsum()
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    recall, precision = hits[ends] / hits[-1], hits[ends] / (ends + 1)
    return np.insert(recall, 0, 0.0), np.insert(precision, 0, precision[0])
