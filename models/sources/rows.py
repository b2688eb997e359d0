"""One row of a table, and how the names of its columns and its lists of captions are written."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from models.domain.errors import InputError

_CAPTION_SEPARATOR = re.compile(r"\s+;\s+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or the reason why it cannot be read.

    Parameters
    ----------
    line : int
        1-based line on which the row begins (Parquet: number of the row).
    cells : dict
        By lower-case column name: text from CSV, any JSON value or Parquet value otherwise.
    replaced : int
        Bytes in it that were no text.
    error, hint : str
        Why the row cannot be read and what to do; `cells` is empty then.
    """

    line: int
    cells: dict[str, Any] = field(default_factory=dict)
    replaced: int = 0
    error: str = ""
    hint: str = ""


def fold_column(name: object) -> str:
    """Fold a column name for comparison: no outer spaces, lower case."""
    return str(name).strip().casefold()


def refuse_repeated(columns: Iterable[str], wanted: frozenset[str], place: str) -> None:
    """Raise `InputError` if a wanted column stands twice: which of the two is meant, nobody knows."""
    seen: set[str] = set()
    for name in columns:
        if name in seen and name in wanted:
            raise InputError(f"column {name!r} stands twice in the header", place=place, hint="remove or rename one")
        seen.add(name)


def split_captions(text: str) -> tuple[str, ...]:
    """Split the captions of one cell at `` ; ``.

    Examples
    --------
    >>> split_captions("front view ; label; with text")
    ('front view', 'label; with text')
    """
    return tuple(part for part in _CAPTION_SEPARATOR.split(text.strip()) if part)


def cell_text(value: object) -> str:
    """Return any cell as text: null is empty, whole floats lose their ``.0``, dates become ISO, the rest JSON.

    Examples
    --------
    >>> cell_text(4012345678901.0), cell_text(None), cell_text(["a", 1])
    ('4012345678901', '', '["a", 1]')
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:  # NaN, pandas' null, is the one value that differs from itself
        return ""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, dict | list | tuple):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except RecursionError:  # nested to the very edge of what the parser took: no words that a model could read
            return ""
    return str(value)
