"""What is wrong with a plan, and where: message, hint, line and column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from models.domain.errors import InputError


@dataclass(frozen=True)
class Problem:
    """One finding.

    Parameters
    ----------
    severity : {"error", "warning"}
        A plan with an error decides nothing; a warning is for people to look at.
    line, column : int
        From 1; columns count code points.
    """

    severity: Literal["error", "warning"]
    message: str
    hint: str
    line: int
    column: int

    def line_for(self, file: str) -> str:
        """Return it as one line of text."""
        tail = f" ({self.hint})" if self.hint else ""
        return f"{file}:{self.line}:{self.column}: {self.severity}: {self.message}{tail}"

    def as_error(self, file: str) -> InputError:
        """Return it as an error to raise."""
        return InputError(self.message, place=f"{file}:{self.line}:{self.column}", hint=self.hint)


def did_you_mean(given: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint that names the nearest known words, or the given one where nothing is near.

    Examples
    --------
    >>> did_you_mean("chocking", ["choking", "cuts"])
    "did you mean 'choking'?"
    """
    words = sorted(known)
    close = get_close_matches(given, words, n=2, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return otherwise or _some(words)


def _some(words: list[str], most: int = 12) -> str:
    if not words:
        return ""
    more = f", and {len(words) - most} more" if len(words) > most else ""
    return f"known are {', '.join(words[:most])}{more}"
