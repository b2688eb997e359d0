"""From shares of words to phrases and fields, as a reader takes them in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.classifier.composing import field_group
from models.classifier.placing import Place
from models.domain.explanation import FieldShare, Phrase

Array = NDArray[np.float64]

FAINT = 0.08
"""Words below this share of the strongest one are noise to a reader."""
_LONGEST = 40
_EVEN = 0.25
"""A word joins a phrase when neither outweighs the other by more: a strong word is not hidden among weak ones."""
_GAP = re.compile(r"[\s\-–/&+'’]{0,3}")


def phrases(
    fields: Mapping[str, str],
    spans: Sequence[Place],
    weights: Array,
    pictures: Mapping[str, str] = MappingProxyType({}),
) -> list[Phrase]:
    """Merge adjacent words of one field and one side, largest share first.

    Parameters
    ----------
    fields : mapping
        Field name -> text as it was received.
    spans : sequence of Place
        Disjoint, in order.
    weights : array of shape (places,)
    pictures : mapping
        Field name -> picture, of captions that name theirs.
    """
    strongest = float(np.abs(weights).max(initial=0.0))
    runs: list[tuple[Place, float]] = []
    sizes = (0.0, 0.0)
    open_run = False
    for (name, start, end), weight in zip(spans, weights.tolist(), strict=True):
        if strongest == 0.0 or abs(weight) < FAINT * strongest:
            open_run = False
            continue
        if open_run:
            (last, begun, ended), total = runs[-1]
            near = last == name and end - begun <= _LONGEST and _GAP.fullmatch(fields[name][ended:start])
            joined = min(sizes[0], abs(weight)), max(sizes[1], abs(weight))
            if near and (total > 0) == (weight > 0) and joined[0] >= _EVEN * joined[1]:
                runs[-1] = ((name, begun, end), total + weight)
                sizes = joined
                continue
        runs.append(((name, start, end), weight))
        sizes = abs(weight), abs(weight)
        open_run = True
    runs.sort(key=lambda run: -abs(run[1]))
    return [
        Phrase(
            field=name,
            start=start,
            end=end,
            text=fields[name][start:end],
            picture=pictures.get(name, ""),
            weight=weight,
        )
        for (name, start, end), weight in runs
    ]


def field_shares(fields: Mapping[str, str], spans: Sequence[Place], weights: Array) -> list[FieldShare]:
    """Sum shares by field; captions, attributes and warnings each as one."""
    sums = {field_group(name): 0.0 for name in fields}
    for (name, _, _), weight in zip(spans, weights.tolist(), strict=True):
        sums[field_group(name)] += weight
    return [FieldShare(field=name, weight=weight) for name, weight in sums.items()]
