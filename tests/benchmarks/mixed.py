"""Ten thousand requests of every kind, hundreds at once: every answer must be that of the same listing alone."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from pathlib import Path

import numpy as np
from load import KEYS, ROOT, ServerProcess
from real_data import directory

sys.path.insert(0, str(ROOT))

from models.sources.examples import read_ordinary
from tests.serving.test_mixed import Alone, Call, answers_of, check

KINDS = ("one", "some", "tokens", "full", "twice", "partly wrong", "not JSON", "in a hurry")
CONTENTS = 400
"""Real listings that the requests draw from: some contents are in flight several times at once, most are not."""


def main() -> None:
    """Print how many answers were compared; end with an error at the first that differs."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    arguments.add_argument("--requests", type=int, default=10_000)
    arguments.add_argument("--at-once", type=int, default=250)
    given = arguments.parse_args()
    calls = calls_of(given.requests)
    patient = {"HAZARDLENS_MAX_QUEUE_MS": "600000", "HAZARDLENS_MAX_IN_FLIGHT": "100000"}
    begun = time.perf_counter()
    with ServerProcess(given.model, HAZARDLENS_REMEMBER_MB="0", **patient) as url:
        key = {"Authorization": f"Bearer {KEYS[url]}"}
        parts = [calls[at : at + given.at_once] for at in range(0, len(calls), given.at_once)]
        answers = [answer for part in parts for answer in asyncio.run(answers_of(url, key, part))]
        seconds = time.perf_counter() - begun
        alone = Alone(url, key)
        for call, answer in zip(calls, answers, strict=True):
            check(call, answer, alone)
        alone.close()
    late = sum(answer.status_code == 504 for answer in answers)
    print(f"{len(calls):,} requests, {given.at_once} at once, in {seconds:.0f} s; {late} dropped by their deadline")
    print("every other answer is equal, to the last bit, to that of the same listing alone")


def calls_of(how_many: int) -> list[Call]:
    """Make requests of every kind over real listings."""
    chance = random.Random(0)
    rows, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
    chosen = np.random.default_rng(0).permutation(len(rows))[:CONTENTS]
    pool = [rows[i].to_listing().model_dump(exclude_defaults=True) for i in chosen]
    calls: list[Call] = []
    for _ in range(how_many):
        kind = chance.choice(KINDS)
        own = [dict(chance.choice(pool)) for _ in range(chance.randint(2, 4))]
        if kind == "twice":
            calls.append((kind, [own[0], {**own[0], "id": "again"}, own[0]], "tokens"))
        elif kind == "partly wrong":
            calls.append((kind, [own[0], {"id": "x"}, 5, own[1]], "none"))
        elif kind in ("tokens", "full"):
            calls.append((kind, own[:2], kind))
        else:
            calls.append((kind, own if kind == "some" else own[:1], "none"))
    return calls


if __name__ == "__main__":
    main()
