"""Which product kind a listing is: a linear model over the embedding, and the names found in the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.classifier.composing import ComposedText
from models.classifier.heads import product_by_row
from models.domain.errors import InputError
from models.knowledge.base import Knowledge

Array = NDArray[np.float64]

_FIELD_STRENGTH = {"title": 1.0, "category": 0.5, "captions": 0.5, "attributes": 0.4, "description": 0.35}
_SHRINKAGE = 0.2


@dataclass(frozen=True)
class KindModel:
    """Posterior over the product kinds of the knowledge base.

    logit_k = (weights_k . embedding + bias_k) / temperature + name_bonus x strength of the kind's names in the text

    Parameters
    ----------
    weights : array of shape (kinds, dimension)
    bias : array of shape (kinds,)
    temperature, name_bonus : float
        Fitted on corpus listings whose names the model has not seen.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float
    name_bonus: float

    @classmethod
    def fit(
        cls,
        embeddings: NDArray[np.float32],
        kinds: NDArray[np.int64],
        n_kinds: int,
        temperature: float = 2.0,
        name_bonus: float = 5.0,
    ) -> KindModel:
        """Fit a linear discriminant with one shrunken covariance for all kinds.

        Raises
        ------
        InputError
            If a kind has no listing.
        """
        counts = np.bincount(kinds, minlength=n_kinds)
        if (counts == 0).any():
            raise InputError(f"{int((counts == 0).sum())} product kinds have no listing", hint="write a larger corpus")
        x = embeddings.astype(np.float64)
        means = np.zeros((n_kinds, x.shape[1]))
        np.add.at(means, kinds, x)
        means /= counts[:, None]
        centred = x - means[kinds]
        covariance = centred.T @ centred / len(x)
        scale = np.trace(covariance) / len(covariance)
        covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * scale * np.eye(len(covariance))
        weights = np.linalg.solve(covariance, means.T).T
        bias = -0.5 * (weights * means).sum(axis=1)
        return cls(weights.astype(np.float32), bias.astype(np.float32), temperature, name_bonus)

    def posterior(self, embeddings: NDArray[np.float32], names: Array) -> Array:
        """Return P(kind | listing), shape (n, kinds).

        Parameters
        ----------
        names : array of shape (n, kinds)
            Strength of each kind's names in the text, from `name_strengths`.
        """
        logits = (product_by_row(embeddings, self.weights) + self.bias).astype(np.float64) / self.temperature
        posterior: Array = softmax(logits + self.name_bonus * names, axis=1)
        return posterior


def name_strengths(texts: Sequence[ComposedText], knowledge: Knowledge) -> Array:
    """Return how strongly each text names each kind (0 to 1), shape (n, kinds).

    A name in the title counts most; a name that covers more of its field's words counts more than a passing
    mention; two kinds that share a name share its strength.
    """
    column = knowledge.kind_column
    strengths = np.zeros((len(texts), len(knowledge.kinds)))
    for row, text in enumerate(texts):
        for field, findings in text.findings.items():
            strength = _FIELD_STRENGTH.get(field.partition("[")[0].partition(".")[0], 0.25)
            spans: dict[tuple[int, int], list[int]] = {}
            for hit in findings.names:
                spans.setdefault((hit.start, hit.end), []).append(column[hit.kind])
            for kinds in spans.values():
                for i in kinds:
                    strengths[row, i] = max(strengths[row, i], strength / len(kinds))
    return strengths
