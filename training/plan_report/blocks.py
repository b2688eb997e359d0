"""What the document is made of, before it becomes a page or a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 begins a chapter."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Text:
    """A paragraph; `quiet` sets notes apart."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequences of str
    widths : sequence of float
        Shares of the line, one a column.
    numbers : sequence of int
        Columns that hold numbers, set flush right.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    numbers: Sequence[int] = ()

    def __post_init__(self) -> None:
        assert len(self.widths) == len(self.columns), self.columns
        assert all(len(row) == len(self.columns) for row in self.rows), self.columns


@dataclass(frozen=True)
class Picture:
    """A picture with words that say what it shows."""

    png: bytes = field(repr=False)
    words: str
    width: float = 1.0


Block = Heading | Text | Table | Picture


@dataclass(frozen=True)
class Paper:
    """The whole document.

    Parameters
    ----------
    facts : sequence of (str, str)
        The title page's lines.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    blocks: Sequence[Block]
