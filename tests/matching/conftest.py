"""Signatures without a model, drawn by Hypothesis or at random, and alerts with a model."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Alert
from models.matching.combiner import shipped_combiner
from models.matching.identifiers import family
from models.matching.signature import Signature, quantised
from models.matching.signing import Signer

_WORDS = ["toy", "bear", "lamp", "led", "coat", "zarvox", "mirelli", "set", "blue", "plush", "kx", "charger"]
_BRANDS = ["zarvox", "mirelli", "zarvx", "boscho", ""]
_BRAND_RUNS = ["zarvox", "toybearlamp"]
_MODELS = ["kx204", "kx205", "k204", "kx240", "ab1200", "kxo204", "8812345"]
_GTINS = ["04006381333931", "00012345678905"]
_KINDS = ["soft-toy", "desk-lamp", "winter-coat"]


def drawn_signature(rng: Random, dimension: int = 16) -> Signature:
    """Return a signature of a product that nobody sells; few words, so that many agree."""
    words = rng.sample(_WORDS, rng.randint(0, 4))
    body = [word for word in rng.sample(_WORDS, rng.randint(0, 5)) if word not in words]
    models = tuple(rng.sample(_MODELS, rng.randint(0, 2)))
    brand = rng.choice(_BRANDS)
    vector, scale = quantised(np.array([rng.gauss(0.3, 1) for _ in range(dimension)]))
    kinds = tuple(rng.sample(_KINDS, rng.randint(0, 3)))
    assert all(family(model) is not None for model in models)
    return Signature(
        title=" ".join(words),
        words={word: 7 * len(word) for word in words},
        body={word: 7 * len(word) for word in body},
        vector=vector,
        scale=scale,
        brands=(brand,) if brand else (),
        said=(*words, *(run for run in _BRAND_RUNS if rng.random() < 0.2 and run not in words)),
        gtins=tuple(rng.sample(_GTINS, rng.choice((0, 0, 0, 1)))),
        numbers=models,
        models=models,
        batches=(),
        kinds=kinds,
        category=kinds[0][:4] if kinds else "",
        hazards=tuple(rng.sample(["fire", "choking"], rng.randint(0, 1))),
        countries=tuple(rng.sample(["DE", "FR"], rng.randint(0, 1))),
        named=tuple(rng.sample(_KINDS, rng.randint(0, 2))),
        brand_runs=tuple(rng.sample(_BRAND_RUNS, rng.randint(0, 1))),
    )


ALERTS = [
    Alert(
        "safety-gate",
        "SR/00001/30",
        "Toy xylophone - Melodika",
        risk_types=("choking",),
        brand="Zarvox",
        description="Multi-coloured toy xylophone with eight metal bars and two wooden sticks.",
        models=("KX-204",),
        barcodes=("4006381333931",),
        country_of_notification="Germany",
        url="https://example.org/1",
    ),
    Alert(
        "safety-gate",
        "SR/00002/30",
        "Laser pointer",
        risk_types=("damage to sight",),
        brand="Unknown",
        description="Green laser pointer in the form of a pen, with a key ring.",
    ),
    Alert(
        "safety-gate",
        "SR/00003/30",
        "Baby rattle",
        risk_types=("choking",),
        brand="Mirelli",
        description="Wooden baby rattle with three rings in pastel colours.",
        models=("MR 310",),
    ),
]


@pytest.fixture(scope="session")
def signer(small_model: HazardClassifier) -> Signer:
    """Reads by the small model."""
    return Signer(small_model, shipped_combiner().rarity)
