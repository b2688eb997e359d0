"""Listings a second of a long list: `hazardlens score` in one process and in one a core, beside encoding alone.

The peer is sentence-transformers with the same encoder in fp32, batched on all cores. It only encodes: no language, no
knowledge, no level, no plan; an endpoint around it with a linear model can but be slower.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from real_data import directory
from sentence_transformers import SentenceTransformer

from hazardlens.result_rows import score_rows
from hazardlens.scoring_pool import ScoringPool
from models.classifier.classifier import HazardClassifier
from models.classifier.cores import usable_cores
from models.plan.reading import load_plan
from models.sources.examples import read_ordinary
from models.sources.listings import ScoredInput
from training.encoder_export import embedded_encoder_source


def main() -> None:
    """Print listings a second and their ratios."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    arguments.add_argument("--listings", type=int, default=4_000)
    given = arguments.parse_args()
    rows, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
    chosen = np.random.default_rng(0).permutation(len(rows))[: given.listings]
    listings = [rows[i].to_listing() for i in chosen]
    inputs = [ScoredInput(i, listing.id, listing) for i, listing in enumerate(listings)]
    texts = [". ".join(text for _, text in listing.texts()) for listing in listings]

    encoder = SentenceTransformer(str(embedded_encoder_source()), device="cpu")
    encoder.max_seq_length = 128
    encoder.encode(texts[:64])
    begun = time.perf_counter()
    encoder.encode(texts, batch_size=32)
    peer = shown("sentence-transformers, encoding alone", len(texts), begun)

    model, cores = HazardClassifier.load(given.model), usable_cores()
    plan = load_plan().bound_to(model.guarantees)
    list(score_rows(model, plan, inputs[:256]))
    begun = time.perf_counter()
    alone = [result for part in score_rows(model, plan, inputs) for result in part]
    one = shown("one process", len(inputs), begun)

    pool = ScoringPool(given.model, None, model.version, plan.id, cores)
    begun = time.perf_counter()
    pooled = [result for part in pool.score(inputs) for result in part]
    many = shown(f"{cores} processes, their start counted", len(inputs), begun)
    print(f"processes / one {many / one:.2f}; processes / encoding alone {many / peer:.2f}; equal {pooled == alone}")


def shown(name: str, n: int, begun: float) -> float:
    """Print and return listings a second."""
    rate = n / (time.perf_counter() - begun)
    print(f"{name:38s} {rate:7.0f} listings/s")
    return rate


if __name__ == "__main__":
    main()
