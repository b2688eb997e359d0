"""The public records that the benchmarks read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from models.domain.alert import Example
from models.domain.taxonomy import Taxonomy
from models.sources.examples import read_examples
from training.splits import time_key

ALERTS = "safety_gate_alerts_2009_2011.csv"


def directory() -> Path:
    """Return the real-data directory, or stop with a message."""
    place = Path(os.environ.get("HAZARDLENS_REALDATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    if not (place / ALERTS).is_file():
        sys.exit(f"no {ALERTS} in {place}; set HAZARDLENS_REALDATA")
    return place


def alerts(taxonomy: Taxonomy) -> list[Example]:
    """Return the labelled Safety Gate alerts without vehicles, in order of time."""
    found, _ = read_examples(directory() / ALERTS, taxonomy)
    kept = [example for example in found if example.labels and example.category != "Motor vehicles"]
    return sorted(kept, key=lambda example: (time_key(example) or (0, 0), example.id))


def recalls(taxonomy: Taxonomy, name: str) -> list[Example]:
    """Return a table of recalls, labels that the taxonomy does not know set to its fallback."""
    return read_examples(directory() / name, taxonomy, unknown="other")[0]
