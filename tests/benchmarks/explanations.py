"""What explanations cost: highlights beside the assessment, and the whole with what-if and evidence.

The evidence index is filled up to 100,000 items with random vectors: the search takes as long whatever they are.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from real_data import alerts, directory

from models.classifier.classifier import HazardClassifier
from models.classifier.cores import one_thread_of_algebra
from models.classifier.evidence import EvidenceItem
from models.classifier.explaining import explain_listing
from models.domain.listing import Listing
from models.plan.reading import load_plan
from models.sources.examples import read_ordinary

LISTINGS = 200
ITEMS = 100_000


def main() -> None:
    """Print medians for ordinary listings and for alerts' products."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("var/models/default"))
    parser.add_argument("--listings", type=int, default=LISTINGS, help="of each kind of call")
    arguments = parser.parse_args()
    one_thread_of_algebra()
    model, plan = HazardClassifier.load(arguments.model), load_plan()
    fill(model)
    rng = np.random.default_rng(0)
    ordinary, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
    sets = {"ordinary listings": ordinary, "alerts' products": alerts(model.taxonomy)}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {len(model.evidence):,} known items")
    for name, examples in sets.items():
        calls: dict[str, Callable[[Listing], object]] = {
            "assessment": lambda listing: model.assess(listing, plan),
            "with highlights": lambda listing: model.assess(listing, plan, "tokens"),
            "explanation, tokens": lambda listing: explain_listing(model, listing, plan, "tokens"),
            "explanation, full": lambda listing: explain_listing(model, listing, plan, "full"),
        }
        chosen = rng.permutation(len(examples))[: arguments.listings * len(calls)]
        measure(name, [examples[i].to_listing() for i in chosen], calls)


def measure(name: str, listings: Sequence[Listing], calls: dict[str, Callable[[Listing], object]]) -> None:
    """Time the calls in turn, so that a busy machine slows all of them alike, each on listings that no other reads."""
    for call in calls.values():
        call(listings[0])
    clock: dict[str, list[float]] = {what: [] for what in calls}
    busy: dict[str, list[float]] = {what: [] for what in calls}
    for listing, what in zip(listings, cycle(calls), strict=False):
        begun, worked = time.perf_counter(), time.process_time()
        calls[what](listing)
        clock[what].append(1000 * (time.perf_counter() - begun))
        busy[what].append(1000 * (time.process_time() - worked))
    print(name)
    for what in calls:
        against = np.median(busy[what]) / np.median(busy["assessment"])
        print(
            f"  {what:20s} median {np.median(clock[what]):6.1f} ms, p90 {np.quantile(clock[what], 0.9):6.1f} ms,"
            f" CPU median {np.median(busy[what]):6.1f} ms, {against:5.2f} assessments"
        )


def fill(model: HazardClassifier) -> None:
    """Fill the index up to `ITEMS` items."""
    rng = np.random.default_rng(0)
    missing = ITEMS - len(model.evidence)
    vectors = rng.normal(size=(missing, model.encoder.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = model.taxonomy.names
    items = [EvidenceItem("alert", f"random-{i}", f"item {i}", (names[i % len(names)],)) for i in range(missing)]
    kind = model.knowledge.kinds[0].id
    model.evidence.add([EvidenceItem(**{**item.__dict__, "kind": kind}) for item in items], vectors)


if __name__ == "__main__":
    main()
