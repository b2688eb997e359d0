"""From features to a probability: one logistic regression, its weights as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.matching.features import COLUMN, FEATURES, SECOND
from models.matching.rarity import Rarity

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Combiner:
    """Weights of the features, and of words.

    Parameters
    ----------
    weights : array of shape (features,)
        In the order of `FEATURES`; none counts against its side.
    bias : float
        Logit of a pair that has no feature.
    made : mapping
        From what the weights were learnt, for people.
    """

    weights: Floats
    bias: float
    rarity: Rarity
    made: Mapping[str, Any] = field(default_factory=dict)

    def reserve(self, pictures: bool) -> float:
        """Return the most that the second features can add to a logit, pictures among them or not."""
        names = [name for name in SECOND if pictures or name != "picture"]
        return float(sum(self.weights[COLUMN[name]] for name in names))

    def logits(self, features: Floats) -> Floats:
        """Return the logits of some pairs; `features` has shape (pairs, features).

        Added feature by feature, so that a pair's logit is the same to the last bit whatever it is computed with.
        """
        total = np.full(len(features), np.float32(self.bias), dtype=np.float32)
        for column, weight in enumerate(self.weights):
            if weight:
                total += weight * features[:, column]
        return total

    @classmethod
    def from_json(cls, content: bytes, place: str = "combiner") -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        InputError
            If a weight is missing, or counts against the side of its feature.
        """
        raw = orjson.loads(content)
        weights = []
        for feature in FEATURES:
            weight = raw["weights"].get(feature.name)
            if not isinstance(weight, int | float):
                raise InputError(f"feature {feature.name!r} has no weight", place=place, hint="fit the combiner again")
            if weight < 0 if feature.side == "for" else weight > 0:
                raise InputError(
                    f"weight {weight} of {feature.name!r} has the wrong sign: it speaks {feature.side} a match",
                    place=place,
                )
            weights.append(weight)
        rarity = Rarity(raw["words"], raw["names"])
        return cls(np.array(weights, dtype=np.float32), float(raw["bias"]), rarity, raw.get("made", {}))

    def to_json(self) -> bytes:
        """Return the weights as a file."""
        parts = {
            "made": dict(self.made),
            "bias": round(self.bias, 4),
            "weights": {f.name: round(float(w), 4) for f, w in zip(FEATURES, self.weights, strict=True)},
            "words": dict(sorted(self.rarity.weights.items())),
            "names": dict(sorted(self.rarity.names.items())),
        }
        return orjson.dumps(parts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@cache
def shipped_combiner() -> Combiner:
    """Return the combiner that ships with hazardlens."""
    return load_combiner(datasets_dir() / "matching" / "combiner.json")


def load_combiner(path: Path) -> Combiner:
    """Read a combiner from a file.

    Raises
    ------
    InputError
        If it is missing or no combiner.
    """
    try:
        return Combiner.from_json(path.read_bytes(), str(path))
    except (OSError, orjson.JSONDecodeError, KeyError) as error:
        raise InputError(
            f"not readable as a combiner: {error}", place=str(path), hint="fit one, or take the shipped one"
        ) from error


def probability(logit: float) -> float:
    """Return the probability of a logit."""
    return float(1 / (1 + np.exp(-logit))) if logit > -700 else 0.0


def logit(probability: float) -> float:
    """Return the logit of a probability between 0 and 1."""
    return float(np.log(probability) - np.log1p(-probability))
