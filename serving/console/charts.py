"""Charts as SVG: drawn on the server, coloured by classes of the style sheet, readable without colour.

Every chart is one picture to a screen reader, with a sentence for it; the page has the numbers as a table behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 10, 10, 26
_ROW, _NAMES = 22, 166
_TICKS = 4
_LONGEST_NAME = 28
"""Letters of a name that fit beside a row of dots."""

Values = Sequence[float | None]


@dataclass(frozen=True)
class Series:
    """One line, one part of each bar, or one kind of dot. The place in the list decides colour and shape."""

    name: str
    values: Values
    ends: Sequence[tuple[float, float]] | None = None
    """Interval of each value."""


@dataclass(frozen=True)
class Picture:
    """What is said of a chart: to a screen reader, and by its axes."""

    said: str
    as_share: bool = False
    """Whether the axis of values goes from 0 to 100 %."""


def lines(picture: Picture, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Return values over time as lines, each with its own dash and marks."""
    most = 1.0 if picture.as_share else _nice(max((v or 0 for each in series for v in each.values), default=0))
    x = [_LEFT + (i + 0.5) * (_WIDTH - _LEFT - _RIGHT) / max(1, len(labels)) for i in range(len(labels))]
    y = _height(most)
    parts = [_grid(most, picture.as_share), _dates(labels, x)]
    for number, each in enumerate(series, 1):
        known = [(x[i], y(value), i) for i, value in enumerate(each.values) if value is not None]
        if each.ends is not None:
            parts += [_whisker(x[i], y(each.ends[i][0]), x[i], y(each.ends[i][1]), number) for _, _, i in known]
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top, _ in known)
        parts.append(Markup('<polyline class="line series-{}" points="{}"/>').format(number, path))
        parts += [
            _mark(left, top, number, f"{labels[i]}: {each.name} {_said(each.values[i], picture.as_share)}")
            for left, top, i in known
            if len(known) <= 40
        ]
    return _svg(picture, _HEIGHT, parts)


def bars(picture: Picture, labels: Sequence[str], series: Sequence[Series]) -> Markup:
    """Return counts as bars, the series one upon another with a gap between them."""
    totals = [sum(each.values[i] or 0 for each in series) for i in range(len(labels))]
    most = _nice(max(totals, default=0))
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    x = [_LEFT + (i + 0.5) * step for i in range(len(labels))]
    y, wide = _height(most), max(1.5, min(34.0, step * 0.72))
    parts = [_grid(most, False), _dates(labels, x)]
    for i, label in enumerate(labels):
        below = 0.0
        for number, each in enumerate(series, 1):
            value = each.values[i] or 0
            if value:
                top, bottom = y(below + value), y(below)
                rect = '<rect class="part series-{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect>'
                hover = _hover(f"{label}: {each.name} {_said(value)}")
                parts.append(
                    Markup(rect).format(number, x[i] - wide / 2, top, wide, max(0.5, bottom - top - 0.8), hover)
                )
            below += value
    return _svg(picture, _HEIGHT, parts)


def dots(picture: Picture, rows: Sequence[tuple[str, float | None, float, float, int]]) -> Markup:
    """Return shares as dots with their intervals, one row each: (name, share, low, high, of how many)."""
    height = _TOP + _ROW * len(rows) + _BOTTOM
    left, right = _NAMES, _WIDTH - 44

    def x(share: float) -> float:
        return left + share * (right - left)

    parts = []
    for tick in range(5):
        at = x(tick / 4)
        line = '<line class="grid" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>'
        parts.append(Markup(line).format(at, _TOP, height - _BOTTOM))
        parts.append(_text(at, height - 10, f"{25 * tick} %", "middle"))
    for i, (name, share, low, high, total) in enumerate(rows):
        middle = _TOP + _ROW * (i + 0.5)
        shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        parts.append(_text(left - 8, middle + 4, shown, "end"))
        parts.append(_text(_WIDTH - 2, middle + 4, f"n {total}", "end"))
        if share is not None:
            parts.append(_whisker(x(low), middle, x(high), middle, 1))
            parts.append(_mark(x(share), middle, 1, f"{name}: {_said(share, True)}"))
    return _svg(picture, height, parts)


def diagonal(picture: Picture, series: Sequence[tuple[str, Sequence[tuple[float, float, float, float]]]]) -> Markup:
    """Return what was said against what held: (said, held, low, high); on the diagonal both are the same."""
    left, right, y = _LEFT, _WIDTH - _RIGHT, _height(1.0)

    def x(share: float) -> float:
        return left + share * (right - left)

    parts = [_grid(1.0, True)]
    line = '<line class="diagonal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    parts.append(Markup(line).format(x(0), y(0), x(1), y(1)))
    parts += [_text(x(tick / 4), _HEIGHT - 8, f"{25 * tick} %", "middle" if tick < 4 else "end") for tick in range(5)]
    for number, (name, points) in enumerate(series, 1):
        aside = 3.0 * (number - 1)  # intervals of two series at one place stay apart
        for said, held, low, high in points:
            parts.append(_whisker(x(said) + aside, y(low), x(said) + aside, y(high), number))
            parts.append(_mark(x(said) + aside, y(held), number, f"{name}: {_said(said, True)} → {_said(held, True)}"))
    return _svg(picture, _HEIGHT, parts)


def _svg(picture: Picture, height: float, parts: Iterable[Markup]) -> Markup:
    head = '<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {:.0f}">'
    return Markup(head).format(picture.said, _WIDTH, height) + Markup("").join(parts) + Markup("</svg>")


def _grid(most: float, as_share: bool) -> Markup:
    y, parts = _height(most), []
    for tick in range(_TICKS + 1):
        value = most * tick / _TICKS
        line = '<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>'
        parts.append(Markup(line).format(_LEFT, y(value), _WIDTH - _RIGHT, y(value)))
        if as_share or value == int(value):
            parts.append(_text(_LEFT - 5, y(value) + 4, _said(value, as_share), "end"))
    return Markup("").join(parts)


def _dates(labels: Sequence[str], x: Sequence[float]) -> Markup:
    """Write at most six labels below the axis, the last one always."""
    every = math.ceil(len(labels) / 6) or 1
    shown = [i for i in range(len(labels)) if (len(labels) - 1 - i) % every == 0]
    return Markup("").join(_text(x[i], _HEIGHT - 8, labels[i], "middle") for i in shown)


def _mark(left: float, top: float, number: int, hover: str) -> Markup:
    """Draw a circle, a square or a triangle: series differ by more than colour."""
    if number == 1:
        shape = Markup('<circle class="mark series-1" cx="{:.1f}" cy="{:.1f}" r="3.2">').format(left, top)
        return shape + _hover(hover) + Markup("</circle>")
    corners = ((-3, -3), (3, -3), (3, 3), (-3, 3)) if number == 2 else ((0, -3.8), (3.6, 2.8), (-3.6, 2.8))
    points = " ".join(f"{left + dx:.1f},{top + dy:.1f}" for dx, dy in corners)
    shape = Markup('<polygon class="mark series-{}" points="{}">').format(number, points)
    return shape + _hover(hover) + Markup("</polygon>")


def _whisker(x1: float, y1: float, x2: float, y2: float, number: int) -> Markup:
    line = '<line class="whisker series-{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    return Markup(line).format(number, x1, y1, x2, y2)


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, words)


def _hover(words: str) -> Markup:
    return Markup("<title>{}</title>").format(escape(words))


def _height(most: float) -> Callable[[float], float]:
    return lambda value: _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / (most or 1)


def _said(value: float | None, as_share: bool = False) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if as_share else f"{value:,.0f}"


def _nice(most: float) -> float:
    """Return the end of an axis: at least `most`, and its quarters are round.

    Examples
    --------
    >>> _nice(0), _nice(3), _nice(17), _nice(230)
    (4, 4, 20.0, 240.0)
    """
    if most <= _TICKS:
        return _TICKS
    power: float = 10.0 ** math.floor(math.log10(most / _TICKS))
    return next(_TICKS * step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if _TICKS * step * power >= most)
