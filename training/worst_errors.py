"""The listings on which a model was most confidently wrong, as rows that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.domain.risk import RiskLevel
from training.scored import Scored

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_LEVELS = tuple(level.value for level in RiskLevel)
_FLOOR = 1e-6


@dataclass(frozen=True)
class WorstError:
    """One listing and what went wrong.

    Parameters
    ----------
    kind : str
        ``hazards`` or ``level``.
    known, predicted : str
        What a person or an authority says, and what the model says.
    missed, invented : str
        Hazards below and above their threshold that should be on the other side, with probabilities.
    loss : float
        Hazards: log loss in nats, summed over the risk types. Level: distance in levels plus the distance of the risk
        score from the truth.
    """

    kind: str
    id: str
    title: str
    category: str
    known: str
    predicted: str
    missed: str
    invented: str
    loss: float

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


def worst_errors(
    scored: Scored, rows: Index, names: Sequence[str], thresholds: Array, most_hazards: int = 40, most_levels: int = 40
) -> list[WorstError]:
    """Return the worst errors, hazards first; listings without a wrong decision are left out."""
    return [
        *_hazard_errors(scored, rows[scored.labelled[rows]], names, thresholds)[:most_hazards],
        *_level_errors(scored, rows[scored.levelled[rows]])[:most_levels],
    ]


def _hazard_errors(scored: Scored, rows: Index, names: Sequence[str], thresholds: Array) -> list[WorstError]:
    truth, scores = scored.truth[rows], scored.predictions.hazards[rows]
    of_truth = np.clip(np.where(truth, scores, 1 - scores), _FLOOR, 1.0)
    loss = -np.log(of_truth).sum(axis=1)
    flagged = scores >= thresholds
    errors = []
    for i in np.argsort(-loss, kind="stable"):
        if (flagged[i] == truth[i]).all():
            continue
        example = scored.examples[rows[i]]
        errors.append(
            WorstError(
                "hazards",
                example.id,
                example.title[:200],
                example.category[:80],
                _listed(names, truth[i], None),
                _listed(names, flagged[i], scores[i]),
                _listed(names, truth[i] & ~flagged[i], scores[i]),
                _listed(names, flagged[i] & ~truth[i], scores[i]),
                round(float(loss[i]), 4),
            )
        )
    return errors


def _level_errors(scored: Scored, rows: Index) -> list[WorstError]:
    known, predicted = scored.levels[rows], scored.predictions.level_ranks[rows]
    score = scored.predictions.risk_score[rows]
    dangerous = known >= RiskLevel.HIGH.rank
    loss = np.abs(known - predicted) + np.abs(dangerous - score)
    return [
        WorstError(
            "level",
            example.id,
            example.title[:200],
            example.category[:80],
            _LEVELS[known[i]],
            f"{_LEVELS[predicted[i]]} (high or serious with {score[i]:.2f})",
            "",
            "",
            round(float(loss[i]), 4),
        )
        for i in np.argsort(-loss, kind="stable")
        if known[i] != predicted[i]
        for example in (scored.examples[rows[i]],)
    ]


def _listed(names: Sequence[str], chosen: NDArray[np.bool_], scores: Array | None) -> str:
    which = np.flatnonzero(chosen).tolist()
    if scores is None:
        return ", ".join(names[j] for j in which) or "none"
    return ", ".join(f"{names[j]} {scores[j]:.2f}" for j in sorted(which, key=lambda j: -scores[j]))
