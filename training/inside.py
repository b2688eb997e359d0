"""A look inside a fitted model: what its parts add, what int8 costs, whether style gets in, whether reasons hold."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.classifier import HazardClassifier
from models.classifier.reading import ReadListing
from models.domain.alert import Example
from training.encoder_export import ExportedEncoder, export_encoder
from training.evaluation import VEHICLES
from training.faithfulness import faithfulness
from training.metrics import HazardStatistics, rounded
from training.predicted import Predicted
from training.style_control import style_control, unsafe_calibration

Array = NDArray[np.float64]

BLOCKS = ("dense", "sparse", "knowledge")
_FEWEST = 50
_FIGURES = ("macro_f1", "map", "top1")


def look_inside(
    model: HazardClassifier,
    alerts: Predicted,
    ordinary: Predicted,
    judged: Sequence[Example],
    *,
    encoder: ExportedEncoder,
    prior_unsafe: float,
    explain: int,
    pairs: int,
    seed: int = 0,
) -> dict[str, Any]:
    """Return facts for the model card; what the data at hand cannot tell is left out.

    Parameters
    ----------
    alerts, ordinary : Predicted
        Held-out alerts with their hazards, and held-out ordinary listings.
    judged : sequence of Example
        Held-out listings of any kind, whose explanations are put to the test.
    encoder : ExportedEncoder
        Of the model.
    explain : int
        How many of the judged listings at most.
    pairs : int
        Products written in two styles.

    Returns
    -------
    dict
        ``ablation``, ``quantisation``, ``style``, ``unsafe`` and ``faithfulness``.
    """
    kept = alerts.where(lambda example: example.category != VEHICLES)
    facts: dict[str, Any] = {
        "style": style_control(model, kept, ordinary, model.knowledge, model.taxonomy, pairs, seed)
        if model.scenario_model.knows_hazards
        else {},
        "faithfulness": explained(model, judged, explain, seed),
    }
    if len(kept) >= _FEWEST:
        read = [model.read(example.to_listing()) for example in kept.examples]
        truth = np.array([[name in (e.labels or ()) for name in model.taxonomy.names] for e in kept.examples])
        facts["ablation"] = ablation(model, read, truth)
        if encoder.precision == "int8":
            facts["quantisation"] = quantisation(model, encoder, read, truth)
    if min(len(kept), len(ordinary)) >= _FEWEST:
        facts["unsafe"] = unsafe_calibration(kept.predictions.unsafe, ordinary.predictions.unsafe, prior_unsafe)
    return {name: found for name, found in facts.items() if found}


def explained(model: HazardClassifier, judged: Sequence[Example], n: int, seed: int) -> dict[str, float | None]:
    """Return the faithfulness of the explanations of a sample of listings; see `training.faithfulness`."""
    chosen = np.random.default_rng(seed).permutation(len(judged))[:n]
    return rounded(faithfulness(model, [judged[int(i)].to_listing() for i in chosen], seed), 4) if len(chosen) else {}


def ablation(model: HazardClassifier, read: Sequence[ReadListing], truth: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return mAP and top-1 of P(hazard | unsafe) for every choice of blocks, all of them first.

    The heads' logits are sums over the blocks, so that a block is left out by leaving out its summand; thresholds mean
    nothing then, and no F1 is given.

    Parameters
    ----------
    truth : array of bool, shape (n, risk types)
    """
    embeddings = model.encoder.embed([r.text.text for r in read])
    rows = []
    for size in range(len(BLOCKS), 0, -1):
        for kept in combinations(BLOCKS, size):
            variant = copy(model)
            variant.heads = replace(
                model.heads, **{name: np.zeros_like(getattr(model.heads, name)) for name in BLOCKS if name not in kept}
            )
            statistics = HazardStatistics(truth, _given_unsafe(variant, read, embeddings), model.thresholds)()
            rows.append({"parts": " + ".join(kept), **rounded({name: statistics[name] for name in ("map", "top1")}, 4)})
    return rows


def quantisation(
    model: HazardClassifier, encoder: ExportedEncoder, read: Sequence[ReadListing], truth: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return the figures of the same heads over the int8 encoder and over the same encoder in fp32.

    Returns
    -------
    dict
        Per figure ``fp32``, ``int8`` and their difference, and ``cosine``, the mean between the two embeddings.
    """
    exported = export_encoder(encoder.name, "fp32", shortening=encoder.shortening)
    exact = exported.load(model.encoder.max_tokens, model.encoder.threads)
    texts = [r.text.text for r in read]
    embeddings = {"fp32": exact.embed(texts), "int8": model.encoder.embed(texts)}
    figures = {
        name: HazardStatistics(truth, _given_unsafe(model, read, vectors), model.thresholds)()
        for name, vectors in embeddings.items()
    }
    costs: dict[str, Any] = {
        name: rounded({**{p: found[name] for p, found in figures.items()}, "difference": _cost(figures, name)}, 4)
        for name in _FIGURES
    }
    return {**costs, "cosine": float((embeddings["fp32"] * embeddings["int8"]).sum(axis=1).mean())}


def _cost(figures: dict[str, dict[str, float]], name: str) -> float:
    return figures["int8"][name] - figures["fp32"][name]


def _given_unsafe(model: HazardClassifier, read: Sequence[ReadListing], embeddings: NDArray[np.float32]) -> Array:
    return np.array([opinion.given_unsafe for opinion in model.opinions(read, embeddings)])
