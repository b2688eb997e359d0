"""What the product kinds rest on, in the words' own coin: logits of kinds are linear in what the words bring.

logit_k = bias_k + sum over tokens of w_k . h_t / (n |e| T) + name bonus x strength of the kind's name in the text

Two quantities of the model are smooth functions of these logits, and both are split exactly:

- The log odds that the product is of one set of kinds and not of the others. With p the posterior, u = p within the
  set and v = p outside it, both scaled to sum to 1, and H the entropy, log sum exp over a set is
  sum u_k logit_k + H(u). So the log odds equal sum (u_k - v_k) logit_k + H(u) - H(v): linear in the words.
- The hazard heads' knowledge feature, log odds of P(hazard | unsafe) over the kinds. It saturates: where the kind is
  sure, no single word moves it. Its words' shares are integrated along the path from "any kind" (all logits 0) to the
  listing's logits (integrated gradients: Sundararajan, Taly and Yan 2017); what the path starts from, and the small
  error of the sum over its steps, belong to no word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from models.classifier.composing import ComposedText
from models.classifier.kind_model import field_strengths
from models.classifier.placing import Place
from models.classifier.scenarios import KindRisks
from models.knowledge.base import Knowledge

Array = NDArray[np.float64]

_STEPS = 16
_FLOOR = 1e-3
"""`scenarios.log_odds` keeps probabilities within [floor, 1 - floor]; beyond that no word moves the feature."""
_NEGLIGIBLE = 1e-300


@dataclass(frozen=True)
class NamedKind:
    """A product name in the text: the kind's column, the strength it counts with, and where it stands."""

    kind: int
    strength: float
    places: tuple[Place, ...]


def named_kinds(text: ComposedText, knowledge: Knowledge) -> list[NamedKind]:
    """Return every kind that a text names; where a name stands several times in equal strength, all its places.

    The strengths are those of `kind_model.name_strengths`.
    """
    by_field = {name: field_strengths(name, found, knowledge) for name, found in text.findings.items() if found.names}
    whole: dict[int, float] = {}
    for strengths in by_field.values():
        for kind, strength in strengths.items():
            whole[kind] = max(whole.get(kind, 0.0), strength)
    places: dict[int, dict[Place, None]] = {}
    for name, strengths in by_field.items():
        for hit in text.findings[name].names:
            kind = knowledge.kind_column[hit.kind]
            if strengths[kind] >= whole[kind]:
                places.setdefault(kind, {})[(name, hit.start, hit.end)] = None
    return [NamedKind(kind, whole[kind], tuple(where)) for kind, where in places.items()]


def knowledge_weights(posterior: Array, risks: KindRisks, hazards: NDArray[np.int64], steps: int = _STEPS) -> Array:
    """Return how much each kind's logit counts in each hazard's knowledge feature, shape (hazards, kinds).

    Parameters
    ----------
    posterior : array of shape (kinds,)
        Its logarithm is the kinds' logits, up to a constant that all share.
    hazards : array of int
        Columns of the risk types.
    steps : int
        Of the path, a power of 2.
    """
    share = risks.share.T[hazards]
    # exp(logits x (i + 1/2) / steps) for each step i, as powers of a root. Their sums differ, and all that follows are
    # ratios.
    kinds = np.empty((steps, len(posterior)))
    root = np.maximum(posterior / posterior.max(), _NEGLIGIBLE)
    for _ in range((2 * steps).bit_length() - 1):
        np.sqrt(root, out=root)
    kinds[0] = root
    root *= root
    for i in range(1, steps):
        np.multiply(kinds[i - 1], root, out=kinds[i])
    kinds *= risks.unsafe
    with_hazard, total = share @ kinds.T, kinds.sum(axis=1)
    without = total - with_hazard
    still = (with_hazard <= _FLOOR * total) | (without <= _FLOOR * total)
    with_hazard[still] = without[still] = np.inf
    outside = (1 / without) @ kinds
    # share x inside - (1 - share) x outside
    weights: Array = (1 / with_hazard) @ kinds
    weights += outside
    weights *= share
    weights -= outside
    weights /= steps
    return weights


def set_weights(posterior: Array, members: NDArray[np.bool_]) -> tuple[Array, float, float]:
    """Split the log odds that the product's kind is one of `members`.

    Returns
    -------
    weights : array of shape (kinds,)
        u - v: how much each kind's logit counts.
    log_odds : float
    constant : float
        H(u) - H(v), which no word shares.

    Raises
    ------
    ValueError
        If the set holds every kind or none: then there is nothing to weigh.
    """
    if members.all() or not members.any():
        raise ValueError("the set holds every kind or none")
    floored = np.maximum(posterior, _NEGLIGIBLE)
    inside, outside = np.where(members, floored, 0.0), np.where(members, 0.0, floored)
    u, v = inside / inside.sum(), outside / outside.sum()
    entropy = float(-xlogy(u, u).sum() + xlogy(v, v).sum())
    return u - v, float(np.log(inside.sum()) - np.log(outside.sum())), entropy
