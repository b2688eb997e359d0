"""Labels that look wrong: where a model that never saw the example contradicts its label with confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import LEAST_POSITIVES, average_precision
from training.scored import Scored

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

_RECOGNISED = 0.5
"""Least average precision of a risk type that is judged: where the model hardly knows one, it errs more than labels."""
_LEAST = 50
"""Fewest examples: below that the estimate of the noise is noise itself."""


@dataclass(frozen=True)
class LabelIssue:
    """An example whose labels a person should look at again.

    Parameters
    ----------
    given, suggested : str
        Risk types as labelled, and with every doubtful one turned over.
    doubtful : str
        Each doubtful risk type with P(hazard | unsafe), ``+`` where it may be missing and ``-`` where it may be wrong.
    quality : float
        Probability that the model gives to the least credible of the labels, 0 to 1.
    """

    id: str
    title: str
    category: str
    given: str
    suggested: str
    doubtful: str
    quality: float

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class LabelNoise:
    """Doubtful labels of the examples that were evaluated.

    Parameters
    ----------
    n : int
        Examples looked at: those with a known hazard.
    flagged : int
        Of them, those with a doubtful label; `issues` holds the worst.
    per_class : dict
        Risk type -> [labels that may be missing, labels that may be wrong].
    """

    n: int
    flagged: int
    per_class: dict[str, list[int]]
    issues: list[LabelIssue]

    def summary(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return {"n": self.n, "flagged": self.flagged, "per_class": self.per_class}


def label_noise(scored: Scored, rows: Index, names: Sequence[str], most: int = 60) -> LabelNoise:
    """Find labels that are probably wrong, by confident learning, each risk type for itself.

    The probabilities are P(hazard | unsafe) on examples that have a hazard: there they are calibrated, and the model
    has not seen these examples. Risk types with fewer than five cases, or an average precision under 0.5, are left
    out.

    Notes
    -----
    Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021, as `cleanlab`
    does it (``prune_by_noise_rate``): how many labels are wrong is estimated from how often the model is surer than it
    usually is of a true label; the least credible of them are flagged.
    """
    chosen = rows[scored.truth[rows].any(axis=1)]
    truth, scores = scored.truth[chosen], scored.predictions.given_unsafe[chosen]
    positives = truth.sum(axis=0)
    columns = np.flatnonzero((positives >= LEAST_POSITIVES) & (len(chosen) - positives >= LEAST_POSITIVES))
    columns = columns[[average_precision(truth[:, j], scores[:, j]) >= _RECOGNISED for j in columns]]
    if len(chosen) < _LEAST or not len(columns):
        return LabelNoise(len(chosen), 0, {}, [])
    doubtful = np.zeros(truth.shape, dtype=bool)
    doubtful[:, columns] = _flagged(truth[:, columns], scores[:, columns])
    credible = np.where(doubtful, np.where(truth, scores, 1.0 - scores), 1.0).min(axis=1)
    flagged = np.flatnonzero(doubtful.any(axis=1))
    worst = flagged[np.argsort(credible[flagged], kind="stable")][:most]
    per_class = {
        names[j]: [int((doubtful[:, j] & ~truth[:, j]).sum()), int((doubtful[:, j] & truth[:, j]).sum())]
        for j in columns.tolist()
        if doubtful[:, j].any()
    }
    issues = [
        _issue(scored, int(chosen[i]), truth[i], doubtful[i], scores[i], names, float(credible[i])) for i in worst
    ]
    return LabelNoise(len(chosen), len(flagged), per_class, issues)


def _flagged(truth: Mask, scores: Array) -> Mask:
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class

    labels = [np.flatnonzero(row).tolist() for row in truth]
    # One process: the work takes a fraction of a second, and forking a process that holds a model costs more.
    found: Mask = np.asarray(find_multilabel_issues_per_class(labels, scores, n_jobs=1), dtype=bool)
    return found


def _issue(
    scored: Scored, at: int, truth: Mask, doubtful: Mask, scores: Array, names: Sequence[str], quality: float
) -> LabelIssue:
    example = scored.examples[at]
    which = sorted(np.flatnonzero(doubtful).tolist(), key=lambda j: scores[j] if truth[j] else 1 - scores[j])
    return LabelIssue(
        example.id,
        example.title[:200],
        example.category[:80],
        _listed(names, truth),
        _listed(names, truth ^ doubtful),
        ", ".join(f"{'-' if truth[j] else '+'}{names[j]} {scores[j]:.2f}" for j in which),
        round(quality, 4),
    )


def _listed(names: Sequence[str], chosen: Mask) -> str:
    return ", ".join(names[j] for j in np.flatnonzero(chosen).tolist()) or "none"
