"""Boxes of text in any order and turn -> paragraphs as a person reads them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from models.domain.listing import repaired

Point = tuple[float, float]

_LEAST_CONFIDENCE = 0.5
"""Below it a line is more noise than words."""
_ALIKE = 1.45
"""Lines of a paragraph differ in height by less than this factor."""
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uff00-\uffef\u0e00-\u0e7f]")
"""Scripts that write a sentence without gaps: where one of their lines goes on, no gap is put."""


@dataclass(frozen=True)
class ReadLine:
    """One box of text.

    Parameters
    ----------
    corners : sequence of (x, y)
        Top left, top right, bottom right, bottom left as the picture shows them, in pixels.
    turned : bool
        The letters stood on their head in the box as it was cut out: upright for a broad box, turned
        counter-clockwise for a tall one.
    """

    text: str
    confidence: float
    corners: Sequence[Point]
    turned: bool = False

    @property
    def tall(self) -> bool:
        """Whether the box is that of a line turned by a quarter."""
        return is_tall(self.corners)

    @property
    def quarter(self) -> int:
        """By how many quarters, clockwise, the line is turned: 0 to 3."""
        if self.tall:
            return 3 if self.turned else 1
        return 2 if self.turned else 0


@dataclass(frozen=True)
class Paragraph:
    """Lines that belong together, joined; the confidence is the mean of its letters'."""

    text: str
    confidence: float


@dataclass
class _Row:
    """A line in upright coordinates."""

    text: str
    confidence: float
    left: float
    right: float
    middle: float
    height: float


def paragraphs(lines: Sequence[ReadLine]) -> list[Paragraph]:
    """Order lines, join those that belong together, and leave out what is no text.

    Examples
    --------
    >>> box = lambda y: [(0, y), (90, y), (90, y + 10), (0, y + 10)]
    >>> paragraphs([ReadLine("under 3 years", 0.9, box(12)), ReadLine("Not for children", 0.9, box(0))])
    [Paragraph(text='Not for children under 3 years', confidence=0.9)]
    """
    kept = [(line, text) for line in lines if (text := cleaned(line.text)) and line.confidence >= _LEAST_CONFIDENCE]
    if not kept:
        return []
    quarter, slant = _turn([line for line, _ in kept])
    rows = _rows([_upright(line, text, quarter, slant) for line, text in kept])
    groups: list[list[_Row]] = []
    for row in rows:
        above = next((group for group in reversed(groups) if _goes_on(group[-1], row)), None)
        if above is None:
            groups.append([row])
        else:
            above.append(row)
    return [Paragraph(_joined([row.text for row in group]), _mean_confidence(group)) for group in groups]


def cleaned(text: str) -> str:
    """Return a line without control characters and runs of white space; empty where it has no letter or digit."""
    clean = " ".join(unicodedata.normalize("NFC", repaired(text, len(text))).split())
    return clean if any(character.isalnum() for character in clean) else ""


def _turn(lines: Sequence[ReadLine]) -> tuple[int, float]:
    """Return the picture's turn: quarters clockwise that most letters have, and the slant that is left, in radians."""
    votes: Counter[int] = Counter()
    for line in lines:
        votes[line.quarter] += len(line.text)
    quarter = votes.most_common(1)[0][0]
    slants = [_slant(line, quarter) for line in lines if line.quarter == quarter and len(line.text) > 3]
    return quarter, median(slants) if slants else 0.0


def _turned_back(point: Point, quarter: int) -> Point:
    x, y = point
    return [(x, y), (y, -x), (-x, -y), (-y, x)][quarter]


def _slant(line: ReadLine, quarter: int) -> float:
    start, end = line.corners[0], line.corners[3 if line.tall else 1]
    x, y = _turned_back((end[0] - start[0], end[1] - start[1]), quarter)
    return math.atan2(y, x) if x > 0 else math.atan2(-y, -x)


def _upright(line: ReadLine, text: str, quarter: int, slant: float) -> _Row:
    cos, sin = math.cos(-slant), math.sin(-slant)
    points = [_turned_back(corner, quarter) for corner in line.corners]
    points = [(x * cos - y * sin, x * sin + y * cos) for x, y in points]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return _Row(text, line.confidence, min(xs), max(xs), (min(ys) + max(ys)) / 2, max(ys) - min(ys) or 1.0)


def _rows(pieces: Sequence[_Row]) -> list[_Row]:
    """Join pieces that stand side by side, and order the lines from top to bottom."""
    rows: list[_Row] = []
    for piece in sorted(pieces, key=lambda piece: (piece.left, piece.middle)):
        beside = next((row for row in rows if _beside(row, piece)), None)
        if beside is None:
            rows.append(piece)
        else:
            n, m = len(beside.text), len(piece.text)
            beside.confidence = (beside.confidence * n + piece.confidence * m) / (n + m)
            beside.text = _joined([beside.text, piece.text])
            beside.right = piece.right
    return sorted(rows, key=lambda row: (row.middle, row.left))


def _beside(row: _Row, piece: _Row) -> bool:
    height = min(row.height, piece.height)
    level = abs(row.middle - piece.middle) < 0.4 * height
    return level and _alike(row, piece) and -height < piece.left - row.right < 1.5 * height


def _goes_on(above: _Row, below: _Row) -> bool:
    gap = (below.middle - below.height / 2) - (above.middle + above.height / 2)
    height = min(above.height, below.height)
    overlap = min(above.right, below.right) - max(above.left, below.left)
    return _alike(above, below) and -0.6 * height < gap < 0.55 * height and overlap > 0


def _alike(one: _Row, other: _Row) -> bool:
    return max(one.height, other.height) < _ALIKE * min(one.height, other.height)


def _joined(texts: Sequence[str]) -> str:
    whole = texts[0]
    for text in texts[1:]:
        gap = "" if _UNSPACED.match(text[0]) and _UNSPACED.match(whole[-1]) else " "
        whole += gap + text
    return whole


def _mean_confidence(rows: Sequence[_Row]) -> float:
    letters = sum(len(row.text) for row in rows)
    return sum(row.confidence * len(row.text) for row in rows) / letters


def side_lengths(corners: Sequence[Point]) -> tuple[float, float]:
    """Return width and height of a box, as it lies, in pixels."""
    return math.dist(corners[0], corners[1]), math.dist(corners[0], corners[3])


def is_tall(corners: Sequence[Point]) -> bool:
    """Tell whether a box is that of a line turned by a quarter."""
    width, height = side_lengths(corners)
    return height >= 1.5 * width
