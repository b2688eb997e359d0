"""How long does it take to replay a million kept assessments under another plan?

Makes a SQLite store of that many rows from the example listings and a model, with ids, days and scores of their own,
and runs ``hazardlens plan simulate`` on it in a process of its own; `--database` keeps the store for another run.

    python tests/benchmarks/simulate.py --model var/models/default [--rows 1000000] [--workers 2]
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import text

from models.classifier.classifier import HazardClassifier
from models.domain.resources import datasets_dir
from models.plan.reading import load_plan
from models.sources.listings import iter_listings
from serving.store.database import open_database, writing
from serving.store.migrating import migrate

_CHUNK = 20_000
_INSERT = """INSERT INTO assessments (id, listing_id, content_hash, model_version, plan_version, taxonomy_version,
 level, risk_score, action, language, title, hazard, detail, created_at, listing, assessment) VALUES (?, ?, ?, ?, ?, ?,
 ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)"""


def main() -> None:
    """Make the store, replay it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", type=Path, help="made where it is missing, and kept")
    parser.add_argument("--plan", type=Path, default=datasets_dir() / "plans" / "default.yaml")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = given.database or Path(scratch) / "history.db"
        if not path.exists():
            begun = time.perf_counter()
            fill(path, given.model, given.rows)
            print(f"store of {given.rows:,} rows made in {time.perf_counter() - begun:.0f} s")
        print(f"store: {path.stat().st_size / 1e9:.2f} GB; load of the machine {os.getloadavg()[0]:.1f}")
        command = [sys.executable, "-m", "hazardlens", "plan", "simulate", str(given.plan), "--on", "history"]
        command += ["--database", f"sqlite:///{path}", "--workers", str(given.workers), "--json"]
        begun = time.perf_counter()
        result = subprocess.run(command, check=True, capture_output=True)
        wall = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        figures = json.loads(result.stdout)
        print(f"replayed {figures['n']:,} in {wall:.1f} s ({figures['n'] / wall:,.0f} a second)")
        print(f"processor {used.ru_utime + used.ru_stime:.1f} s in {given.workers} processes")
        print(f"largest process {used.ru_maxrss / 1e3:.0f} MB; {figures['actions']['changed']:,} actions change")


def fill(path: Path, model: str, rows: int) -> None:
    """Write a store of so many rows."""
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    made = list(templates(model))
    chance = random.Random(0)
    with writing(engine) as connection:
        for start in range(0, rows, _CHUNK):
            chunk = [_row(i, made[i % len(made)], chance) for i in range(start, min(rows, start + _CHUNK))]
            connection.exec_driver_sql(_INSERT, chunk)
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()


def templates(model: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield (listing, assessment) of the example listings."""
    classifier, plan = HazardClassifier.load(model), load_plan()
    plan = plan.bound_to(classifier.guarantees)
    for row in iter_listings(datasets_dir() / "samples" / "listings.jsonl"):
        if row.listing is not None:
            found = classifier.assess(row.listing, plan).model_dump_json()
            yield row.listing.model_dump(mode="json", exclude_defaults=True), orjson.loads(found)


def _row(i: int, template: tuple[dict[str, Any], dict[str, Any]], chance: random.Random) -> tuple[Any, ...]:
    key = hashlib.md5(str(i).encode(), usedforsecurity=False).hexdigest()
    score = min(1.0, max(0.0, template[1]["risk_score"] + chance.gauss(0, 0.05)))
    listing = {**template[0], "id": f"listing-{i}"}
    found = {**template[1], "id": key, "listing_id": listing["id"], "risk_score": score}
    created = dt.datetime(2026, 1, 1) + dt.timedelta(seconds=i * 7)
    versions, decision = found["versions"], found["decision"]
    return (
        key,
        listing["id"],
        found["content_hash"],
        versions["model"],
        versions["plan"],
        versions["taxonomy"],
        found["risk_level"],
        score,
        decision["action"],
        found["language"]["code"],
        listing["title"][:200],
        found["scenario"]["risk_type"] if found["scenario"] else None,
        created.isoformat(" ", "microseconds"),
        orjson.dumps(listing).decode(),
        orjson.dumps(found).decode(),
    )


if __name__ == "__main__":
    main()
