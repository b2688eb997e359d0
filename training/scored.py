"""Examples beside their predictions: the table that every part of an evaluation reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from training.metrics import HazardStatistics, LevelStatistics
from training.splits import product_groups

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """Examples with their predictions, as arrays over the rows.

    Parameters
    ----------
    truth : array of bool, shape (n, risk types)
        False where nobody looked; see `labelled`.
    labelled : array of bool, shape (n,)
        Whether the hazards are known, "none" included.
    levels : array of int, shape (n,)
        Rank of the known level, -1 where unknown.
    groups : array of int, shape (n,)
        Product group.
    """

    examples: Sequence[Example]
    predictions: Predictions
    truth: Mask
    labelled: Mask
    levels: Index
    groups: Index

    @classmethod
    def of(
        cls, examples: Sequence[Example], predictions: Predictions, taxonomy: Taxonomy, groups: Index | None = None
    ) -> Scored:
        """Put examples and predictions side by side.

        Parameters
        ----------
        groups : array of int, optional
            By default examples of one id are one group.

        Raises
        ------
        InputError
            If a label is not in the taxonomy.
        """
        column = {name: j for j, name in enumerate(taxonomy.names)}
        truth = np.zeros((len(examples), len(column)), dtype=bool)
        for i, example in enumerate(examples):
            for name in example.labels or ():
                if name not in column:
                    raise InputError(f"label {name!r} is not in taxonomy {taxonomy.id}", place=f"example {example.id}")
                truth[i, column[name]] = True
        levels = [-1 if example.risk_level is None else example.risk_level.rank for example in examples]
        return cls(
            examples,
            predictions,
            truth,
            np.array([example.labels is not None for example in examples], dtype=bool),
            np.array(levels, dtype=np.int64),
            product_groups(examples) if groups is None else groups,
        )

    def part(self, rows: Index) -> Scored:
        """Return some rows as a table of their own."""
        return Scored(
            [self.examples[i] for i in rows],
            self.predictions.part(rows),
            self.truth[rows],
            self.labelled[rows],
            self.levels[rows],
            self.groups[rows],
        )

    @property
    def levelled(self) -> Mask:
        """Whether a person gave a level, shape (n,)."""
        known: Mask = self.levels >= 0
        return known

    def hazards(self, rows: Index, thresholds: Array) -> HazardStatistics:
        """Return the hazard statistics of those of the rows whose hazards are known."""
        rows = rows[self.labelled[rows]]
        return HazardStatistics(self.truth[rows], self.predictions.hazards[rows], thresholds)

    def hazards_given_unsafe(self, rows: Index, thresholds: Array) -> HazardStatistics:
        """Return the statistics of P(hazard | unsafe) over those of the rows that have a hazard, as every alert has."""
        rows = rows[self.truth[rows].any(axis=1)]
        return HazardStatistics(self.truth[rows], self.predictions.given_unsafe[rows], thresholds)

    def level_statistics(self, rows: Index) -> LevelStatistics:
        """Return the level statistics of those of the rows whose level is known."""
        rows = rows[self.levelled[rows]]
        return LevelStatistics(self.levels[rows], self.predictions.level_ranks[rows], self.predictions.risk_score[rows])
