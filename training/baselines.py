"""Three baselines that a model must beat to be worth its weight: majority, TF-IDF, and a frozen encoder.

Each is trained on the same examples as the model, answers in the same shape, and is judged by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from models.classifier.cores import usable_cores
from models.classifier.encoder import OnnxEncoder
from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], object]
"""Called with (stage, done, total)."""

MOST = 10_000
"""Most training examples; of more, as many are drawn."""
_LEAST_LEVELLED = 20
_NEVER = 2.0
"""A threshold that no probability reaches."""


@dataclass(frozen=True)
class Baseline:
    """A trained baseline: answers as a classifier does, so that the same code judges it.

    Parameters
    ----------
    name, about : str
    taxonomy : Taxonomy
    thresholds : array of shape (risk types,)
    answer : callable
        Texts -> (hazard probabilities of shape (n, risk types), level probabilities of shape (n, 5)).
    knows_levels : bool
        Whether its training examples had levels to learn from.
    """

    name: str
    about: str
    taxonomy: Taxonomy
    thresholds: Array
    answer: Callable[[Sequence[str]], tuple[Array, Array]]
    knows_levels: bool

    @property
    def version(self) -> str:
        """Baselines have no version."""
        return "baseline"

    def predict(self, listings: Iterable[Listing], progress: Callable[[int], object] | None = None) -> Predictions:
        """Return the figures of many listings."""
        texts = [text_of(listing) for listing in listings]
        hazards, levels = self.answer(texts)
        if progress:
            progress(len(texts))
        unknown = np.full(len(texts), np.nan)
        return Predictions(
            hazards, hazards, levels, 1.0 - levels[:, 0], unknown, ["und"] * len(texts), [""] * len(texts)
        )


def text_of(listing: Listing) -> str:
    """Return all that a seller wrote, field by field, as one text."""
    return "\n".join(text for _, text in listing.texts())


def train_baselines(
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    encoder: OnnxEncoder,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Baseline]:
    """Train the three baselines on examples with known hazards; none where no example has one.

    Parameters
    ----------
    examples : sequence of Example
        Those that the model learnt from. Of more than 10,000, as many are drawn.
    encoder : OnnxEncoder
        A sentence encoder that has seen none of the labels.

    Notes
    -----
    As a practitioner would build them: words and word pairs (sublinear TF-IDF, at least two texts), or sentence
    embeddings; one balanced logistic regression per risk type, threshold 0.5. Levels, where at least 20 training
    examples have one, by a multinomial regression.
    """
    known = [example for example in examples if example.labels is not None]
    if not any(example.labels for example in known):
        return []
    if len(known) > MOST:
        drawn = np.sort(np.random.default_rng(seed).permutation(len(known))[:MOST])
        known = [known[int(i)] for i in drawn]
    report = progress or (lambda _stage, _done, _total: None)
    texts = [text_of(example.to_listing()) for example in known]
    truth = np.array([[name in (e.labels or ()) for name in taxonomy.names] for e in known], dtype=bool)
    levels = np.array([-1 if e.risk_level is None else e.risk_level.rank for e in known], dtype=np.int64)
    report("training baselines", 0, 3)
    built = [_majority(taxonomy, truth, levels)]
    report("training baselines", 1, 3)
    vectoriser = word_tfidf(len(known))
    about = "word and word-pair TF-IDF with one balanced logistic regression per risk type"
    features = vectoriser.fit_transform(texts)
    # A regression sorts them where they lie: one thread would do so while others read.
    features.sort_indices()
    built.append(_regressed("TF-IDF + LR", about, taxonomy, features, vectoriser.transform, "liblinear", truth, levels))
    report("training baselines", 2, 3)
    about = "embeddings of the encoder as it comes, with one balanced logistic regression per risk type"
    dense = encoder.embed(texts)
    built.append(
        _regressed("frozen encoder + LR", about, taxonomy, dense, encoder.embed, "newton-cholesky", truth, levels)
    )
    report("training baselines", 3, 3)
    return built


def word_tfidf(texts: int) -> TfidfVectorizer:
    """Return the words and word pairs that a practitioner would start with; `texts` is how many it will learn from."""
    return TfidfVectorizer(sublinear_tf=True, min_df=min(2, texts), ngram_range=(1, 2))


def balanced_regression(solver: str = "liblinear") -> LogisticRegression:
    """Return the logistic regression that goes with it: both answers weigh the same, however rare one is."""
    return LogisticRegression(C=10.0, class_weight="balanced", solver=solver, random_state=0)


def _majority(taxonomy: Taxonomy, truth: NDArray[np.bool_], levels: NDArray[np.int64]) -> Baseline:
    rates = truth.mean(axis=0)
    thresholds = np.full(len(rates), _NEVER)
    thresholds[int(rates.argmax())] = 0.0
    shares, knows = _level_shares(levels)

    def answer(texts: Sequence[str]) -> tuple[Array, Array]:
        return np.tile(rates, (len(texts), 1)), np.tile(shares, (len(texts), 1))

    about = "says the most frequent risk type of everything"
    return Baseline("majority", about, taxonomy, thresholds, answer, knows)


def _regressed(
    name: str,
    about: str,
    taxonomy: Taxonomy,
    features: Any,
    transform: Callable[[list[str]], Any],
    solver: str,
    truth: NDArray[np.bool_],
    levels: NDArray[np.int64],
) -> Baseline:
    rates = truth.mean(axis=0)

    def fit(target: NDArray[np.bool_]) -> LogisticRegression | None:
        if target.sum() < 2 or (~target).sum() < 2:
            return None
        return balanced_regression(solver).fit(features, target)

    with ThreadPoolExecutor(usable_cores()) as pool:
        heads = list(pool.map(fit, truth.T))
    shares, knows = _level_shares(levels)
    by_level = None
    if knows:
        rows = np.flatnonzero(levels >= 0)
        by_level = LogisticRegression(C=10.0, max_iter=1000).fit(features[rows], levels[rows])

    def answer(texts: Sequence[str]) -> tuple[Array, Array]:
        hazards, ranks = np.tile(rates, (len(texts), 1)), np.tile(shares, (len(texts), 1))
        if not texts:
            return hazards, ranks
        asked = transform(list(texts))
        for j, head in enumerate(heads):
            if head is not None:
                hazards[:, j] = head.predict_proba(asked)[:, 1]
        if by_level is not None:
            ranks[:] = 0.0
            ranks[:, by_level.classes_] = by_level.predict_proba(asked)
        return hazards, ranks

    return Baseline(name, about, taxonomy, np.full(truth.shape[1], 0.5), answer, knows)


def _level_shares(levels: NDArray[np.int64]) -> tuple[Array, bool]:
    """Shares of the levels, and whether there are enough of at least two levels to learn from."""
    counts = np.bincount(levels[levels >= 0], minlength=len(RiskLevel)).astype(np.float64)
    if counts.sum() < _LEAST_LEVELLED or (counts > 0).sum() < 2:
        none = np.zeros(len(RiskLevel))
        none[0] = 1.0
        return none, False
    return counts / counts.sum(), True
