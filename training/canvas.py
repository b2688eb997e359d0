"""Paper, pens and frame of every plot: figures without pyplot's global state, as PNG bytes that repeat exactly."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette, which people with any kind of colour blindness can tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#595959"
_DPI = 110


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure; inches."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(*panels: Axes) -> None:
    """Take away what carries no data: frame lines, and let the grid lie behind."""
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#E5E5E5", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=9)


def nothing(words: str) -> bytes:
    """Return a picture that says why there is nothing to see."""
    figure = new_figure(5.2, 1.2)
    figure.text(0.5, 0.5, words, ha="center", va="center", color=GREY, fontsize=10)
    return png(figure)


def png(figure: Figure) -> bytes:
    """Return the figure as PNG bytes."""
    buffer = BytesIO()
    # Without the software's name and version equal data give equal bytes.
    metadata: dict[str, Any] = {"Software": None}
    figure.savefig(buffer, format="png", metadata=metadata)
    return buffer.getvalue()
