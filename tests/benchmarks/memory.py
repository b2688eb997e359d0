"""Memory of the server's process while it assesses 100,000 different listings over HTTP."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from running import running, written_listings

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing

_SENTENCES_OF = 4_000
_BATCH = 250


def main() -> None:
    """Print the memory as it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("var/models/default"))
    parser.add_argument("--assessments", type=int, default=100_000)
    arguments = parser.parse_args()
    written = written_listings(HazardClassifier.load(arguments.model, threads=1), _SENTENCES_OF)
    listings = islice(mixed(written), arguments.assessments)
    begun = time.perf_counter()
    with TemporaryDirectory() as scratch, running(arguments.model, Path(scratch), MAX_QUEUE_MS="60000") as server:
        print(f"{0:8d} {server.resident_mb():6.0f} MB")
        done, shown = 0, 0
        with ThreadPoolExecutor(2) as pool, httpx.Client(timeout=300) as client:
            while batch := list(islice(listings, 2 * _BATCH)):
                halves = [batch[:_BATCH], batch[_BATCH:]]
                done += sum(pool.map(lambda half: post(client, server.url, half), halves))
                if done - shown >= arguments.assessments / 10:
                    shown = done
                    print(f"{done:8d} {server.resident_mb():6.0f} MB  {done / (time.perf_counter() - begun):.0f}/s")
                    sys.stdout.flush()
        print(f"resident after {done} assessments: {server.resident_mb():.0f} MB")


def mixed(written: list[Listing], seed: int = 3) -> Iterator[Listing]:
    """Give listings without end, no two alike: title of one, description of another, a number of their own."""
    chance, number = random.Random(seed), 0
    while True:
        number += 1
        one, other = chance.choice(written), chance.choice(written)
        words = f"{other.description} Art. {chance.randrange(10**9)} {chance.randbytes(4).hex()}"
        yield one.model_copy(update={"id": f"m{number}", "description": words})


def post(client: httpx.Client, url: str, listings: list[Listing]) -> int:
    """Assess a batch and return how many were answered."""
    if not listings:
        return 0
    response = client.post(f"{url}/v1/assessments", json=[listing.model_dump(mode="json") for listing in listings])
    response.raise_for_status()
    return sum(result["assessment"] is not None for result in response.json()["results"])


if __name__ == "__main__":
    main()
