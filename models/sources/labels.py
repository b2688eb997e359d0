"""Labels of a table or a notice, read with a taxonomy: exact names first, then its aliases, then its fallback."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from models.domain.taxonomy import Taxonomy, fold_label

Unknown = Literal["error", "other"]
"""What to do with a label that the taxonomy does not know: refuse the row, or count it and use the fallback."""


class UnknownLabelError(ValueError):
    """A label that the taxonomy does not know, with the nearest one that it does.

    Parameters
    ----------
    label : str
        As the file writes it.
    hint : str
        "did you mean ...", or the labels that there are.
    """

    def __init__(self, label: str, hint: str) -> None:
        self.label = label
        self.hint = hint
        super().__init__(f"unknown label {label!r}")


def read_labels(
    raw: str | Iterable[str], taxonomy: Taxonomy, *, unknown: Unknown = "error", counter: Counter[str] | None = None
) -> tuple[str, ...]:
    """Return the risk types of a cell (``;``-separated) or of a list, each once, in the order of the file.

    Parameters
    ----------
    counter : Counter, optional
        Counts the unknown labels that go to the fallback.

    Raises
    ------
    UnknownLabelError
        If a label is unknown, and `unknown` is ``"error"`` or the taxonomy has no fallback.
    """
    names: list[str] = []
    for item in raw.split(";") if isinstance(raw, str) else raw:
        if item.strip() in taxonomy.names:  # a name may itself hold a comma or "and", at which parse_labels would cut
            found: tuple[str, ...] = (item.strip(),)
        else:
            parsed = taxonomy.parse_labels(item)
            if parsed.unknown and (unknown == "error" or taxonomy.fallback is None):
                raise UnknownLabelError(parsed.unknown[0], nearest(parsed.unknown[0], taxonomy))
            if counter is not None:
                counter.update(parsed.unknown)
            found = parsed.names
        names.extend(name for name in found if name not in names)
    return tuple(names)


def nearest(label: str, taxonomy: Taxonomy) -> str:
    """Return the hint for an unknown label: the nearest known one, or all of them.

    Examples
    --------
    >>> from models.domain.taxonomy import load_taxonomy
    >>> nearest("strangullation", load_taxonomy())
    "did you mean 'strangulation'?"
    """
    spellings = {
        fold_label(s): risk.name for risk in taxonomy.risk_types for s in (risk.name, risk.label, *risk.aliases)
    }
    close = difflib.get_close_matches(fold_label(label)[:100], spellings, n=1, cutoff=0.7)
    if close:
        return f"did you mean {spellings[close[0]]!r}?"
    return f"labels of {taxonomy.id}: {', '.join(taxonomy.names)}"
