"""Rows as columns of text, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import typer

_DAY = "%Y-%m-%d %H:%M"


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below their heads, each column as wide as it must be."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head) - 1)]
    for line in lines:
        typer.echo("  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]))


def day(moment: datetime | None) -> str:
    """Return a moment as a table shows it."""
    return "-" if moment is None else f"{moment:{_DAY}}"
