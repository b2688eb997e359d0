"""What a set of examples holds, in counts that a reader can check: for the data card."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from models.domain.alert import Example
from models.domain.risk import RiskLevel
from training.splits import time_key

_MOST = 15
OTHERS = "all others"


def profile(examples: Sequence[Example], among: Sequence[Example] = ()) -> dict[str, Any]:
    """Return counts of a set of examples as plain values for JSON.

    Parameters
    ----------
    among : sequence of Example
        A larger set: its most frequent values are shown, so that parts of it stand side by side.

    Returns
    -------
    dict
        ``n``; ``labels``, ``levels``, ``languages``, ``sources``, ``categories``, ``years``: value -> count, the
        longer ones cut to the 15 most frequent; ``labels_per_example``: number of hazards -> examples; ``fields``:
        field -> share of examples that have it; ``lengths``: field -> 10 %, 50 % and 90 % quantile in characters of
        those that have it. No text of an example is in it, but for its category.
    """
    known = [example for example in examples if example.labels is not None]
    levels = Counter(example.risk_level for example in examples if example.risk_level is not None)
    counted = {name: _shown(value_of, examples, among or examples) for name, value_of in _VALUES.items()}
    return {
        "n": len(examples),
        "labelled": len(known),
        "labels": dict(Counter(name for e in known for name in e.labels or ()).most_common()),
        "labels_per_example": {str(k): v for k, v in sorted(Counter(len(e.labels or ()) for e in known).items())},
        "levels": {level.value: levels[level] for level in RiskLevel if levels[level]},
        **counted,
        "years": dict(sorted(Counter(_year(e) for e in examples).items())),
        "fields": {name: round(sum(map(bool, texts)) / max(len(examples), 1), 4) for name, texts in _texts(examples)},
        "lengths": {name: _quantiles(texts) for name, texts in _texts(examples) if any(texts)},
    }


def profiles(parts: Mapping[str, Iterable[Example]]) -> dict[str, dict[str, Any]]:
    """Return the profile of each part that is not empty, e.g. of train, calibration and test."""
    listed = {name: list(examples) for name, examples in parts.items()}
    every = [example for examples in listed.values() for example in examples]
    return {name: profile(examples, every) for name, examples in listed.items() if examples}


_VALUES: dict[str, Callable[[Example], str]] = {
    "languages": lambda example: example.lang.casefold() or "not stated",
    "sources": lambda example: example.source or "not stated",
    "categories": lambda example: example.category.strip()[:80] or "not stated",
}


def _shown(value_of: Callable[[Example], str], examples: Sequence[Example], among: Sequence[Example]) -> dict[str, int]:
    every = Counter(map(value_of, among))
    named = sorted(every, key=lambda value: (-every[value], value))[:_MOST]
    counts = Counter(map(value_of, examples))
    rest = counts.total() - sum(counts[value] for value in named)
    return {**{value: counts[value] for value in named if counts[value]}, **({OTHERS: rest} if rest else {})}


def _texts(examples: Sequence[Example]) -> list[tuple[str, list[str]]]:
    return [
        ("title", [e.title.strip() for e in examples]),
        ("description", [e.description.strip() for e in examples]),
        ("captions", [" ".join(e.captions).strip() for e in examples]),
        ("brand", [e.brand.strip() for e in examples]),
        ("category", [e.category.strip() for e in examples]),
    ]


def _quantiles(texts: Sequence[str]) -> list[int]:
    return [int(v) for v in np.quantile([len(text) for text in texts if text], (0.1, 0.5, 0.9), method="inverted_cdf")]


def _year(example: Example) -> str:
    key = time_key(example)
    return str(dt.date.fromordinal(key[0]).year) if key else "undated"
