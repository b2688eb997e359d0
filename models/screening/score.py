"""How much speaks for a high or serious risk: a logistic regression over what skimming and the kinds say of a listing.

A posterior of static vectors is surer than it should be, and of the wrong kind at times. So it is looked at from sharp
to flat and with names of more and of less weight, beside how much of the text was understood. What each of these weighs
is learnt from what the whole model says of other listings (`training.screen_score`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.classifier.encoder import Vector
from models.classifier.heads import product_by_row
from models.classifier.kind_model import KindModel
from models.classifier.scenarios import KindRisks
from models.classifier.softmax import softmax
from models.screening.skimming import Skimmed

Array = NDArray[np.float64]

_VIEWS = ((4.0, 2.0), (1.0, 2.0), (2.0, 2.0), (8.0, 2.0), (4.0, 0.0), (4.0, 5.0))
"""Of the posterior over kinds: how much flatter than that of the whole model, and what a name adds."""
_SHAPED = 2
"""Of the views, those of which the shape of the posterior is looked at as well: a doubting and a sure one."""
_HIGH, _SERIOUS = -2, -1
"""Columns of `KindRisks.reaches`."""
_LEAST = 1e-5
_LETTERS = 500.0
_DECIMALS = 6
"""Sums over a batch round differently in another batch; so far down nothing is decided."""


def _names() -> tuple[str, ...]:
    names: list[str] = []
    for number, (flatter, bonus) in enumerate(_VIEWS):
        view = f"temperature x {flatter:g}, names {bonus:g}"
        names += [f"log P(serious), {view}", f"log P(high or serious), {view}"]
        if number < _SHAPED:
            names += [f"probability of the likeliest kind, {view}", f"entropy, {view}", f"familiarity, {view}"]
    kinds = ["worst kind that is named", "worst kind that the title names", "kinds named", "kinds named in the title"]
    return (*names, *kinds, "cues", "share of the letters that is known", "in English", "letters, in 500")


FEATURES = _names()


def features(
    kind_model: KindModel, skimmed: Skimmed, embeddings: Vector, names: Array, risks: Sequence[KindRisks]
) -> Array:
    """Return what the score is made of, shape (n, features): a column for each of `FEATURES`.

    Parameters
    ----------
    embeddings : array of shape (n, dimension)
    names : array of shape (n, kinds)
        Strength of each kind's names.
    """
    logits = (product_by_row(embeddings, kind_model.weights) + kind_model.bias).astype(np.float64)
    views = [softmax(logits / (kind_model.temperature * flatter) + bonus * names) for flatter, bonus in _VIEWS]
    reaches = np.zeros((*logits.shape, 2))
    for row, risk in enumerate(risks):
        reaches[row] = risk.reaches[:, [_SERIOUS, _HIGH]]
    reached = np.log(np.stack(views, axis=1) @ reaches + _LEAST)
    similarity = product_by_row(embeddings, kind_model.centroids).astype(np.float64)
    columns: list[Array] = []
    for number, known in enumerate(views):
        columns += [reached[:, number, 0], reached[:, number, 1]]
        if number < _SHAPED:
            alike = (similarity * known).sum(axis=1)
            familiarity = (alike - kind_model.unlike) / max(kind_model.alike - kind_model.unlike, 1e-6)
            columns += [known.max(axis=1), -(known * np.log(known + 1e-12)).sum(axis=1), familiarity]
    found: list[Sequence[float] | NDArray[np.generic]] = [
        (reaches[:, :, 1] * skimmed.named).max(axis=1),
        (reaches[:, :, 1] * skimmed.titled).max(axis=1),
        skimmed.named.sum(axis=1),
        skimmed.titled.sum(axis=1),
        skimmed.cues.sum(axis=1),
        skimmed.known_share,
        [float(code == "en") for code in skimmed.languages],
        [len(text) / _LETTERS for text in skimmed.texts],
    ]
    return np.stack([*columns, *(np.asarray(column, dtype=np.float64) for column in found)], axis=1)


@dataclass(frozen=True)
class ScreenScore:
    """P(the whole model calls a listing high or serious), as far as the screen can tell.

    Parameters
    ----------
    mean, scale : array of shape (features,)
        What features are centred by and divided by.
    weights : array of shape (features,)
    bias : float
    """

    mean: Array
    scale: Array
    weights: Array
    bias: float

    @classmethod
    def unfitted(cls) -> ScreenScore:
        """Return a score that says the same of every listing."""
        zeros = np.zeros(len(FEATURES))
        return cls(zeros, np.ones(len(FEATURES)), zeros, 0.0)

    def of(self, rows: Array) -> Array:
        """Return the scores of listings by their features, each the same whatever the others are, shape (n,)."""
        logits = ((rows - self.mean) / self.scale * self.weights).sum(axis=1) + self.bias
        scores: Array = np.round(expit(logits), _DECIMALS)
        return scores
