"""Milliseconds a listing in one process, one at a time, beside the encoder alone."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from real_data import directory

from models.classifier.classifier import HazardClassifier
from models.plan.reading import load_plan
from models.sources.examples import read_ordinary

LISTINGS = 400


def main() -> None:
    """Print medians and 99th percentiles."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    model, plan = HazardClassifier.load(arguments.parse_args().model), load_plan()
    rows, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
    chosen = np.random.default_rng(0).permutation(len(rows))
    listings = [rows[i].to_listing() for i in chosen[: 2 * LISTINGS]]
    for listing in listings[LISTINGS:]:
        model.assess(listing, plan, "tokens")
    texts = [model.read(listing).text.text for listing in listings[:LISTINGS]]
    alone = report("encoder alone", [lambda t=text: model.encoder.encode(t) for text in texts])
    plain = report("assessment", [lambda x=listing: model.assess(x, plan) for listing in listings[:LISTINGS]])
    tokens = report(
        "with highlights", [lambda x=listing: model.assess(x, plan, "tokens") for listing in listings[:LISTINGS]]
    )
    print(f"assessment / encoder alone {plain / alone:.2f}; with highlights / without {tokens / plain:.2f}")


def report(name: str, calls: list[Callable[[], object]]) -> float:
    """Time each call and return the median in milliseconds."""
    taken = []
    for call in calls:
        begun = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begun))
    print(f"{name:16s} median {np.median(taken):6.1f} ms, p99 {np.quantile(taken, 0.99):6.1f} ms")
    return float(np.median(taken))


if __name__ == "__main__":
    main()
