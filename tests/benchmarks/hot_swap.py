"""Swaps two models that answer differently under load: failed calls, and answers of another model than they name."""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
from running import pair_of, running, written_listings

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.plan.reading import load_plan

_LISTINGS = 300
_CLOSE = 1e-5
Expected = dict[str, dict[str, dict[str, float]]]
"""By version and listing: what the model finds."""


@dataclass
class Seen:
    """What the clients saw; seconds are since the start."""

    answers: list[tuple[float, float, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    """Print counts, and latencies near a swap beside those far from one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("var/models/default"))
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--every", type=float, default=10)
    parser.add_argument("--clients", type=int, default=4)
    arguments = parser.parse_args()
    with TemporaryDirectory() as scratch:
        place = Path(scratch)
        pair = pair_of(arguments.model, place)
        listings = written_listings(HazardClassifier.load(pair[0], threads=1), _LISTINGS)
        expected = expectations(pair, listings)
        link = place / "live"
        link.symlink_to(pair[0])
        quick = {"MODEL_WATCH": "0.5", "REMEMBER_MB": "0", "MAX_QUEUE_MS": "60000"}
        with running(link, place, **quick) as server:
            seen, moves = swapped(server.url, link, pair, listings, expected, arguments)
            print(f"resident {server.resident_mb():.0f} MB after {len(moves)} swaps")
    report(seen, moves, list(expected))


def expectations(pair: tuple[Path, Path], listings: list[Listing]) -> Expected:
    """Return what each model finds in each listing."""
    plan, found = load_plan(), {}
    for directory in pair:
        model = HazardClassifier.load(directory)
        answers = model.assess_many(listings, plan)
        found[model.version] = {
            listing.id: {hazard.risk_type: hazard.given_unsafe for hazard in answer.hazards}
            for listing, answer in zip(listings, answers, strict=True)
        }
    return found


def swapped(
    url: str, link: Path, pair: tuple[Path, Path], listings: list[Listing], expected: Expected, how: argparse.Namespace
) -> tuple[Seen, list[tuple[float, str]]]:
    """Ask and swap until the time is over; return what was seen, and when which model was put in the place."""
    seen, over, begun = Seen(), threading.Event(), time.perf_counter()
    moves: list[tuple[float, str]] = []
    versions = list(expected)
    with ThreadPoolExecutor(how.clients) as pool:
        for number in range(how.clients):
            pool.submit(ask, url, listings, expected, seen, over, begun, number)
        turn = 0
        while time.perf_counter() - begun + how.every < how.seconds:
            time.sleep(how.every)
            turn = 1 - turn
            link.with_name("next").symlink_to(pair[turn])
            link.with_name("next").replace(link)
            moves.append((time.perf_counter() - begun, versions[turn]))
        time.sleep(how.every)
        over.set()
    return seen, moves


def ask(
    url: str, listings: list[Listing], expected: Expected, seen: Seen, over: threading.Event, begun: float, number: int
) -> None:
    """Ask for random listings, one to five a call, and compare each answer with the model that it names."""
    chance = random.Random(number)
    with httpx.Client(timeout=60) as client:
        while not over.is_set():
            chosen = chance.sample(listings, chance.randint(1, 5))
            body = [listing.model_dump(mode="json") for listing in chosen]
            asked = time.perf_counter()
            try:
                response = client.post(f"{url}/v1/assessments", json=body)
                taken = time.perf_counter() - asked
                if response.status_code != httpx.codes.OK:
                    seen.failed.append(f"{response.status_code}: {response.text[:200]}")
                    continue
                answer = response.json()
            except httpx.HTTPError as error:
                seen.failed.append(repr(error))
                continue
            version = answer["versions"]["model"]
            seen.answers.append((asked - begun, taken, version))
            for listing, result in zip(chosen, answer["results"], strict=True):
                if not matches(result["assessment"], version, expected[version][listing.id]):
                    seen.wrong.append(f"{version} {listing.id}")


def matches(assessment: Mapping[str, Any] | None, version: str, expected: Mapping[str, float]) -> bool:
    """Tell whether an answer is that of the model that it names."""
    if assessment is None or assessment["versions"]["model"] != version:
        return False
    found = {hazard["risk_type"]: hazard["given_unsafe"] for hazard in assessment["hazards"]}
    return found.keys() == expected.keys() and all(abs(found[name] - p) <= _CLOSE for name, p in expected.items())


def report(seen: Seen, moves: list[tuple[float, str]], versions: list[str]) -> None:
    """Print what was seen."""
    counts = {version: sum(v == version for _, _, v in seen.answers) for version in versions}
    print(f"{len(seen.answers)} calls answered, by version {counts}; {len(moves)} swaps")
    print(f"failed calls {len(seen.failed)}, answers that do not match their version {len(seen.wrong)}")
    for line in [*seen.failed[:3], *seen.wrong[:3]]:
        print(f"  {line}")
    waits = []
    for at, version in moves:
        after = [asked - at for asked, _, made in seen.answers if asked > at and made == version]
        waits.append(min(after, default=float("nan")))
    near = [taken for asked, taken, _ in seen.answers if any(0 <= asked - at < 4 for at, _ in moves)]
    far = [taken for asked, taken, _ in seen.answers if all(not 0 <= asked - at < 4 for at, _ in moves)]
    print(f"seconds from moving the link to the first answer of the new model: median {np.median(waits):.1f}")
    for name, taken in (("in the 4 s after a move", near), ("otherwise", far)):
        if taken:
            print(f"{name:24s} median {1e3 * np.median(taken):6.1f} ms, p99 {1e3 * np.quantile(taken, 0.99):6.1f} ms")


if __name__ == "__main__":
    main()
