"""Milliseconds a listing in one process, one at a time, beside the encoder alone.

No listing comes twice, so that of words and fields only that is remembered which a running service remembers of other
listings. The kinds of call take turns, so that what the machine does meanwhile falls on all.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from serving_peers import fresh_listings

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.plan.reading import load_plan

WARM = 1_000
EACH = 1_000
"""Listings before the first that counts, and of each kind of call."""


def main() -> None:
    """Print medians and 99th percentiles."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    model, plan = HazardClassifier.load(arguments.parse_args().model), load_plan()
    listings = fresh_listings()
    for listing in islice(listings, WARM):
        model.assess(listing, plan, "tokens")

    def encoding(listing: Listing) -> Callable[[], object]:
        text = model.read(listing).text.text
        return lambda: model.encoder.encode(text, alone=True)

    kinds: dict[str, Callable[[Listing], Callable[[], object]]] = {
        "encoder alone": encoding,
        "assessment": lambda listing: lambda: model.assess(listing, plan),
        "with highlights": lambda listing: lambda: model.assess(listing, plan, "tokens"),
    }
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(EACH):
        for name, prepared in kinds.items():
            call = prepared(next(listings))
            begun = time.perf_counter()
            call()
            taken[name].append(1000 * (time.perf_counter() - begun))
    for name, found in taken.items():
        print(f"{name:16s} median {np.median(found):6.2f} ms, p99 {np.quantile(found, 0.99):6.2f} ms")
    alone, plain, tokens = (float(np.median(found)) for found in taken.values())
    print(f"assessment / encoder alone {plain / alone:.2f}; with highlights / without {tokens / plain:.2f}")


if __name__ == "__main__":
    main()
