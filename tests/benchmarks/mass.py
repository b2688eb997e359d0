"""Long lists in two tiers: listings a second beside the plain endpoint, and what the screen loses on held-out listings.

The screen is made from every second ordinary listing and the earlier alerts; what is counted as lost is counted on the
other ordinary listings, the latest alerts and hand-labelled ones. `hazardlens score` reads a file and writes one; its
start is part of the time, as that of the endpoint is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from load import Summary, closed_loop, run
from peer_servers import PlainEndpoint
from real_data import alerts, directory
from scipy.stats import beta
from serving_peers import CROWD, fresh_listings

from models.classifier.classifier import HazardClassifier
from models.classifier.cores import usable_cores
from models.domain.listing import Listing
from models.domain.taxonomy import load_taxonomy
from models.sources.examples import read_ordinary
from models.sources.listings import read_listings, to_json_line
from training.screening import Table, effective_scores, make_screen, teach

_TARGET = 15
_LATEST = 0.2


def main() -> None:
    """Make the screen, count what it loses, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("var/models/default"))
    parser.add_argument("--screened", type=Path, help="where the model with the screen is, or is to be kept")
    parser.add_argument("--listings", type=int, default=100_000, help="scored in two tiers, a fifth of them in one")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0, help="of calls to the endpoint, each round")
    given = parser.parse_args()
    rows, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
    ordinary = [row.to_listing() for row in rows]
    dated = [example.to_listing() for example in alerts(load_taxonomy())]
    cut = int(len(dated) * (1 - _LATEST))
    labelled = [row.listing for row in read_listings(directory() / "labelled_listings_dev.csv")[0] if row.listing]
    with tempfile.TemporaryDirectory() as scratch:
        place = given.screened or Path(scratch) / "model"
        if not place.exists():
            make(given.model, [Table("ordinary", ordinary[::2]), Table("alerts", dated[:cut])], place)
        held_out = {"ordinary": ordinary[1::2], "latest alerts": dated[cut:], "labelled": labelled}
        losses(HazardClassifier.load(place, threads=usable_cores()), held_out)
        speed(place, Path(scratch), given.listings, given.rounds, given.seconds)


def make(source: Path, tables: Sequence[Table], place: Path) -> None:
    """Give a model a screen."""
    model = HazardClassifier.load(source, threads=usable_cores())
    made = make_screen(model, tables, progress=lambda stage, done, total: print(stage, done, total, flush=True))
    replace(model, screen=made).save(place, model.manifest.facts if model.manifest else None)


def losses(model: HazardClassifier, held_out: dict[str, list[Listing]]) -> None:
    """Print what the screen loses, by source and together, with upper bounds at 95 % (Clopper and Pearson 1934)."""
    if model.screen is None or model.screener is None or model.screen.guarantee.threshold is None:
        raise SystemExit(f"the screen never answers: {model.screen.why_not if model.screen else 'there is none'}")
    guarantee = model.screen.guarantee
    print(f"threshold {guarantee.threshold:.5f} from {guarantee.positives} high or serious of {guarantee.n:,}")
    print(
        f"{'held out':15s} {'listings':>9s} {'to the model':>13s} {'high, serious':>14s} {'lost':>5s} {'at most':>8s}"
    )
    total = np.zeros(4, dtype=np.int64)
    for name, listings in held_out.items():
        dangerous = teach(model, listings, name, lambda *_: None).dangerous
        below = effective_scores(model.screener, listings) < guarantee.threshold
        counts = np.array([len(listings), (~below).sum(), dangerous.sum(), (below & dangerous).sum()])
        total += counts
        print(line(name, counts), flush=True)
    print(line("together", total))


def line(name: str, counts: np.ndarray) -> str:
    """Return a row of the table."""
    n, passed, dangerous, lost = (int(count) for count in counts)
    most = beta.ppf(0.95, lost + 1, dangerous - lost) if lost < dangerous else 1.0
    return f"{name:15s} {n:9,d} {passed / max(1, n):13.1%} {dangerous:14,d} {lost:5d} {most:8.2%}"


def speed(model: Path, scratch: Path, listings: int, rounds: int, seconds: float) -> None:
    """Print listings a second of the endpoint and of both paths, round after round."""
    stream = fresh_listings()
    files = {"full": scratch / "few.jsonl", "two": scratch / "many.jsonl"}
    for file, number in zip(files.values(), (listings // 5, listings), strict=True):
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(f"{to_json_line(listing)}\n" for listing in islice(stream, number))
    found: dict[str, list[float]] = {"endpoint": [], "full": [], "two": []}
    shares: list[float] = []
    with PlainEndpoint() as peer:
        for _ in range(rounds):
            calls = [peer.call(listing) for listing in islice(stream, int(seconds * 200))]
            found["endpoint"].append(Summary.of(run(closed_loop(peer.url, calls, CROWD, seconds)), 200).a_second)
            for tiers, source in files.items():
                begun = time.perf_counter()
                told = score(model, source, scratch / "results.jsonl", tiers)
                found[tiers].append(told["rows"] / (time.perf_counter() - begun))
            shares.append(1 - told["screened"] / told["rows"])
            print({name: round(values[-1], 1) for name, values in found.items()}, flush=True)
    endpoint, full, two = (float(np.median(found[name])) for name in ("endpoint", "full", "two"))
    print(f"(a) with {CROWD} clients {endpoint:.0f} a second; score {full:.0f}, in two tiers {two:.0f}")
    print(
        f"to the whole model {np.median(shares):.1%}; beside (a): {full / endpoint:.1f}, two tiers {two / endpoint:.1f}"
    )
    print(f"target: two tiers at least {_TARGET} times (a)")


def score(model: Path, source: Path, out: Path, tiers: str) -> dict[str, int]:
    """Score a file as a user does, and return what was told."""
    options = ["--in", str(source), "--out", str(out), "--tiers", tiers, "--no-progress", "--json"]
    command = [sys.executable, "-m", "hazardlens", "score", "--model", str(model), *options]
    told: dict[str, int] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return told


if __name__ == "__main__":
    main()
