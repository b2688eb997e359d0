"""Which product kind a listing is: a linear model over the embedding, and the names found in the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from models.classifier.composing import ComposedText, field_group
from models.classifier.heads import product_by_row
from models.classifier.softmax import softmax
from models.domain.errors import InputError
from models.knowledge.base import Knowledge
from models.knowledge.matching import Findings

Array = NDArray[np.float64]

_FIELD_STRENGTH = {"title": 1.0, "category": 0.5, "captions": 0.5, "attributes": 0.4, "description": 0.35}
_SHRINKAGE = 0.2
_NEGLIGIBLE = 1e-9
"""Probability of a kind below which its centroid is not looked at."""
_HALF_FAMILIAR, _FAMILIARITY_WIDTH, _MOST_UNKNOWN = 0.56, 0.11, 0.9
"""Familiarity at which half of `_MOST_UNKNOWN` of the posterior is given up, how fast, and the most that is. With kinds
left out of the corpus, it tells their listings from those of known kinds (AUROC 0.91); where it cuts was chosen
on hand-labelled listings, as a constant of the scenario."""


@dataclass(frozen=True)
class KindJudgement:
    """Which kinds some listings are.

    Parameters
    ----------
    posterior : array of shape (n, kinds)
        P(kind | listing); what the knowledge base does not know is spread as `KindModel.background` says.
    known : array of shape (n, kinds)
        The same as if every product were of a known kind.
    familiarity : array of shape (n,)
        How alike the listing is to what the model has learnt of its kind: 1 as the kind's own written listings are, 0
        as those of other kinds are. Encoders differ in how alike they find any two texts; this scale does not.
    """

    posterior: Array
    known: Array
    familiarity: Array


@dataclass(frozen=True)
class KindModel:
    """Posterior over the product kinds of the knowledge base.

    logit_k = (weights_k . embedding + bias_k) / temperature + name_bonus x strength of the kind's names in the text

    A posterior over known kinds has no place for an unknown one: an empty bottle becomes a perfume with certainty. So
    a listing that is unlike its own likeliest kinds gives most of its posterior to the background.

    Parameters
    ----------
    weights : array of shape (kinds, dimension)
    bias : array of shape (kinds,)
    centroids : array of shape (kinds, dimension)
        Mean embedding of each kind's corpus listings, of length 1.
    background : array of shape (kinds,)
        What a listing is that the model knows nothing of; sums to 1.
    alike, unlike : float
        Mean cosine of written listings to the centroid of their own kind, and to those of the others.
    temperature, name_bonus : float
        Fitted on corpus listings whose names the model has not seen.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    centroids: NDArray[np.float32]
    background: Array
    alike: float
    unlike: float
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
        """Fit a linear discriminant with one shrunken covariance for all kinds; the background is every kind alike.

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
        centroids = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        similarity = x @ centroids.T
        own = similarity[np.arange(len(x)), kinds]
        others = (similarity.sum() - own.sum()) / max(1, similarity.size - len(x))
        return cls(
            weights.astype(np.float32),
            bias.astype(np.float32),
            centroids.astype(np.float32),
            np.full(n_kinds, 1.0 / n_kinds),
            float(own.mean()),
            float(others),
            temperature,
            name_bonus,
        )

    def judge(self, embeddings: NDArray[np.float32], names: Array) -> KindJudgement:
        """Return P(kind | listing) and how familiar each listing is.

        Parameters
        ----------
        embeddings : array of shape (n, dimension)
            Of length 1.
        names : array of shape (n, kinds)
            Strength of each kind's names in the text, from `name_strengths`.
        """
        logits = (product_by_row(embeddings, self.weights) + self.bias).astype(np.float64) / self.temperature
        known = softmax(logits + self.name_bonus * names)
        similarity = np.array([self._similarity(*each) for each in zip(embeddings, known, strict=True)])
        familiarity = (similarity - self.unlike) / max(self.alike - self.unlike, 1e-6)
        unknown = _MOST_UNKNOWN * expit((_HALF_FAMILIAR - familiarity) / _FAMILIARITY_WIDTH)[:, None]
        return KindJudgement((1.0 - unknown) * known + unknown * self.background, known, familiarity)

    def _similarity(self, embedding: NDArray[np.float32], known: Array) -> float:
        """Return the mean cosine of a listing to the centroids of its kinds; most of these are negligible."""
        likely = np.flatnonzero(known > _NEGLIGIBLE)
        return float((self.centroids[likely] @ embedding).astype(np.float64) @ known[likely])

    def with_background(self, posteriors: Array) -> KindModel:
        """Return the model with the mix of some listings as background: their posteriors, shape (n, kinds)."""
        return replace(self, background=posteriors.mean(axis=0))


def name_strengths(texts: Sequence[ComposedText], knowledge: Knowledge) -> Array:
    """Return how strongly each text names each kind (0 to 1), shape (n, kinds).

    A name in the title counts most; a name that covers more of its field's words counts more than a passing
    mention; two kinds that share a name share its strength.
    """
    strengths = np.zeros((len(texts), len(knowledge.kinds)))
    for row, text in zip(strengths, texts, strict=True):
        for field, findings in text.findings.items():
            for kind, strength in field_strengths(field, findings, knowledge).items():
                row[kind] = max(row[kind], strength)
    return strengths


def field_strengths(field: str, findings: Findings, knowledge: Knowledge) -> dict[int, float]:
    """Return how strongly one field names each kind that it names, by the kind's column."""
    if not findings.names:
        return {}
    whole = _FIELD_STRENGTH.get(field_group(field), 0.25)
    sharing = Counter((hit.start, hit.end) for hit in findings.names)
    strengths: dict[int, float] = {}
    for hit in findings.names:
        kind = knowledge.kind_column[hit.kind]
        strengths[kind] = max(strengths.get(kind, 0.0), whole / sharing[hit.start, hit.end])
    return strengths
