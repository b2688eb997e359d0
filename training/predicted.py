"""Examples with what a model says of them: asked once, read by every part of the evaluation that needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from models.classifier.classifier import HazardClassifier
from models.classifier.predictions import Predictions
from models.domain.alert import Example


@dataclass(frozen=True)
class Predicted:
    """Examples in order, and the model's figures of each."""

    examples: Sequence[Example]
    predictions: Predictions

    def __len__(self) -> int:
        return len(self.examples)

    @classmethod
    def of(
        cls, model: HazardClassifier, examples: Sequence[Example], progress: Callable[[int], object] | None = None
    ) -> Self:
        """Ask the model; there may be no example."""
        return cls(examples, model.predict((example.to_listing() for example in examples), progress))

    def where(self, keep: Callable[[Example], bool]) -> Predicted:
        """Return those that `keep` is true of."""
        rows = np.array([i for i, example in enumerate(self.examples) if keep(example)], dtype=np.int64)
        return Predicted([self.examples[i] for i in rows], self.predictions.part(rows))
