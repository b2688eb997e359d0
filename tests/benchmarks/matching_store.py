"""A new alert among a million stored listings: time, memory, exactness, and many alerts in one pass.

``python tests/benchmarks/matching_store.py [--rows N]``. Signatures are drawn at random with the sizes of real ones, so
that neither records nor a model are needed: twenty thousand, and the others from these with vectors of their own. An
alert is a stored listing with some words and its brand gone. Hits are compared with those of a plain comparison.
"""

from __future__ import annotations

import argparse
import resource
from dataclasses import replace
from itertools import pairwise
from random import Random
from time import perf_counter, process_time

import numpy as np

from models.matching.combiner import logit, shipped_combiner
from models.matching.rivals import Rivals
from models.matching.search import Hit, Shelf
from models.matching.signature import HEADER, Signature, quantised

DIMENSION, KINDS, VOCABULARY, BRANDS = 384, 400, 60_000, 40_000
LEAST, MOST, TOGETHER, CHECKED_ROWS = 0.1, 1_000, 100, 20_000
DRAWN, BLOCK = 20_000, 1 << 17
KNOWN = 4_000
"""Alerts that are known besides: each search asks what they say of its candidates."""


class Market:
    """Draws signatures: words by Zipf's law, brands, numbers, kinds with a vector near that of the kind."""

    def __init__(self, seed: int) -> None:
        self.rng, self.numbers = Random(seed), np.random.default_rng(seed)
        self.centres = self.numbers.standard_normal((KINDS, DIMENSION)).astype(np.float32)
        self.words = [f"w{i}" for i in range(VOCABULARY)]
        shares = 1 / np.arange(1, VOCABULARY + 1)
        self.shares = np.cumsum(shares / shares.sum())

    def signature(self) -> Signature:
        """Return one."""
        rng = self.rng
        kind = rng.randrange(KINDS)
        drawn = np.searchsorted(self.shares, self.numbers.random(26))
        words = list(dict.fromkeys(self.words[min(i, VOCABULARY - 1)] for i in drawn.tolist()))
        title, body = words[:8], words[8:]
        brand = f"brand{rng.randrange(BRANDS)}" if rng.random() < 0.5 else ""
        models = (f"m{rng.randrange(10**5)}x",) if rng.random() < 0.3 else ()
        vector, scale = quantised(self.centres[kind] + 0.8 * self.numbers.standard_normal(DIMENSION))
        return Signature(
            title=" ".join(title),
            words={word: self._weight(word) for word in title},
            body={word: self._weight(word) for word in body},
            vector=vector,
            scale=scale,
            brands=(brand,) if brand else (),
            said=tuple(title[:6]) + tuple(a + b for a, b in pairwise(title)),
            numbers=models,
            models=models,
            kinds=(f"kind{kind}",),
            category=f"category{kind % 30}",
        )

    @staticmethod
    def _weight(word: str) -> int:
        return min(100, 10 + 8 * int(word[1:]).bit_length())


def memory_mb() -> float:
    """Return the most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def alert_of(signature: Signature, market: Market) -> Signature:
    """Return a signature of the same product in other words."""
    vector, scale = quantised(signature.vector + 12.0 * market.numbers.standard_normal(DIMENSION))
    words = dict(list(signature.words.items())[:6])
    body = dict(list(signature.body.items())[::2])
    return replace(signature, words=words, body=body, vector=vector, scale=scale, brands=())


def varied(packed: bytes, numbers: np.random.Generator) -> bytes:
    """Return a signature with another vector."""
    begin, end = HEADER.itemsize, HEADER.itemsize + DIMENSION
    vector = np.frombuffer(packed[begin:end], dtype=np.int8)
    whole, scale = quantised(vector + 20.0 * numbers.standard_normal(DIMENSION))
    header = np.frombuffer(packed[:begin], dtype=HEADER).copy()
    header["scale"] = scale
    return header.tobytes() + whole.tobytes() + packed[end:]


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    market, combiner = Market(0), shipped_combiner()
    drawn = [market.signature() for _ in range(min(DRAWN, options.rows))]
    base = [signature.to_bytes() for signature in drawn]
    shelf, begun, stored = Shelf(combiner, alert_asks=True), 0.0, 0
    for start in range(0, options.rows, BLOCK):
        numbers = range(start, min(start + BLOCK, options.rows))
        packed = [base[i] if i < len(base) else varied(base[i % len(base)], market.numbers) for i in numbers]
        stored += sum(map(len, packed))
        before = perf_counter()
        shelf.add(packed)
        begun += perf_counter() - before
    print(f"{len(shelf):,} signatures of {stored / len(shelf):.0f} bytes, put on the shelf in {begun:.0f} s")
    print(f"in memory: {shelf.memory / 1e6:,.0f} MB; the process at most {memory_mb():,.0f} MB")
    alerts = [alert_of(signature, market) for signature in market.rng.sample(drawn, TOGETHER)]
    times = []
    for alert in alerts[:6]:
        wall, cpu = perf_counter(), process_time()
        found = len(shelf.search([alert], LEAST, MOST)[0])
        times.append(process_time() - cpu)
        print(f"one alert: {perf_counter() - wall:.2f} s ({times[-1]:.2f} s of CPU), {found} candidates", flush=True)
    wall, cpu = perf_counter(), process_time()
    together = shelf.search(alerts, LEAST, MOST)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    passes = TOGETHER * float(np.median(times))
    print(f"{TOGETHER} alerts in one pass: {wall:.1f} s ({cpu:.1f} s of CPU)")
    print(f"{TOGETHER} passes: {passes:.0f} s of CPU, {passes / cpu:.1f} times as much")
    weigh(Rivals(combiner, [alert_of(each, market) for each in market.rng.choices(drawn, k=KNOWN)]), base, together)
    for alert, hits in list(zip(alerts, together, strict=True))[:3]:
        check(shelf, alert, [(hit.row, hit.logit) for hit in hits], market.rng)


def weigh(rivals: Rivals, base: list[bytes], found: list[list[Hit]]) -> None:
    """Measure what it takes to ask the known alerts of all candidates, for each alert by itself and for all at once.

    The signature that a row was varied from stands for it: only the time is looked at.
    """
    times = []
    for asked in (found[:1], found[1:2], found[2:3], found):
        rows = sorted({hit.row for hits in asked for hit in hits})
        cpu = process_time()
        rivals.beside([base[row % len(base)] for row in rows], LEAST)
        times.append(process_time() - cpu)
    alone = float(np.median(times[:3]))
    print(
        f"what {KNOWN:,} other alerts say of the candidates: {alone:.2f} s of CPU for one alert,"
        f" {times[-1]:.2f} s for {len(found)} at once, {len(found) * alone / times[-1]:.0f} times cheaper"
    )


def check(shelf: Shelf, alert: Signature, found: list[tuple[int, float]], rng: Random) -> None:
    """Compare hits with the whole comparison of the rows that were found and of others drawn at random.

    What the search leaves out must stay below the limit when every feature is computed.
    """
    rows = sorted({row for row, _ in found} | set(rng.sample(range(len(shelf)), min(CHECKED_ROWS, len(shelf)))))
    full = {hit.row: hit.logit for hit in shelf.compare(alert, rows)}
    wrong = [row for row, value in found if full[row] != value]
    lost = [row for row in rows if full[row] >= logit(LEAST) and row not in dict(found)]
    print(f"compared in full: {len(rows):,} rows; {len(wrong)} with another value, {len(lost)} left out wrongly")
    if wrong or (lost and len(found) < MOST):
        raise SystemExit("the search is not exact")


if __name__ == "__main__":
    main()
