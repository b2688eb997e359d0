"""Which examples belong together when asking where a model is weak: language, category, source, year, consumers ..."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.domain.alert import Example
from training.splits import time_key

Index = NDArray[np.int64]

UNKNOWN = "unknown"
OTHERS = "all others"
CONSUMERS = {
    "very_vulnerable": "very vulnerable (under 3 years, severe disability)",
    "vulnerable": "vulnerable (3 to 14 years, older or frail people)",
    "other": "other consumers",
}
_LENGTHS = ((60, "under 60 characters"), (250, "60 to 249 characters"), (1000, "250 to 999 characters"))
_MOST_VALUES = 25


def slice_indices(
    examples: Sequence[Example],
    languages: Sequence[str] | None = None,
    consumers: Sequence[str] | None = None,
    least: int = 20,
) -> dict[str, dict[str, Index]]:
    """Return dimension -> value -> indices of the examples.

    Parameters
    ----------
    examples : sequence of Example
    languages : sequence of str, optional
        Detected language of each example, where the table does not say it.
    consumers : sequence of str, optional
        Consumer group of each example's product kind, as `ProductKind.consumers` names it.
    least : int
        Values with fewer examples, and those beyond the 25 most common, are put together as "all others".

    Returns
    -------
    dict
        Within a dimension every example stands in exactly one value; dimensions with a single value are left out.
    """
    detected = languages or [""] * len(examples)
    told: dict[str, Callable[[Example], str]] = {
        "category": lambda example: example.category.strip() or UNKNOWN,
        "source": lambda example: example.source or UNKNOWN,
        "year": _year,
        "captions": lambda example: "with captions" if any(map(str.strip, example.captions)) else "without captions",
        "caption source": _caption_source,
        "length": _length,
    }
    columns = {
        "language": [(e.lang or language).casefold() or UNKNOWN for e, language in zip(examples, detected, strict=True)]
    }
    columns |= {dimension: list(map(value_of, examples)) for dimension, value_of in told.items()}
    if consumers is not None:
        columns["consumers"] = [CONSUMERS.get(group, UNKNOWN) for group in consumers]
    slices = {}
    for dimension, values in columns.items():
        found = _grouped(values, least)
        if len(found) > 1:
            slices[dimension] = found
    return slices


def _caption_source(example: Example) -> str:
    """Tell whose words stand for the pictures: the seller's, what was read off them, or both."""
    if not any(map(str.strip, example.captions)):
        return "no captions"
    sources = set(example.caption_sources) or {"given"}
    if sources == {"given"}:
        return "given by the seller"
    return "given and read off" if "given" in sources else "read off the pictures"


def _grouped(values: Sequence[str], least: int) -> dict[str, Index]:
    texts = np.array(values, dtype=object).astype(str)
    names, which, counts = np.unique(texts, return_inverse=True, return_counts=True)
    common = sorted(np.flatnonzero(counts >= least), key=lambda i: (-counts[i], names[i]))[:_MOST_VALUES]
    found = {str(names[i]): np.flatnonzero(which == i) for i in sorted(common, key=lambda i: str(names[i]))}
    rest = np.flatnonzero(~np.isin(which, common))
    if len(rest):
        found[OTHERS] = rest
    return found


def _year(example: Example) -> str:
    key = time_key(example)
    return str(dt.date.fromordinal(key[0]).year) if key else UNKNOWN


def _length(example: Example) -> str:
    length = len(example.title) + len(example.description)
    return next((name for limit, name in _LENGTHS if length < limit), "1000 characters or more")
