"""A server at five times its capacity: how soon it says no, and what becomes of the calls that it takes.

One real server process, this one sends. First its capacity (closed loop), then arrivals at 70 % of it, then five times
as many for a minute. Every call has other content, so that nothing is remembered. Then the server is started again with
the longest wait in the queue that an operator would set by these figures, so that an accepted call takes twice the p99
of 70 % load at most: that p99 less the median. An assessment takes longer where all cores are busy with refusals too.
"""

from __future__ import annotations

import argparse
import threading
import time
import urllib.request
from itertools import count
from pathlib import Path

import numpy as np
import orjson
from load import GAVE_UP, KEYS, Reply, ServerProcess, Summary, closed_loop, open_loop, request_bytes, run
from real_data import directory

from models.domain.listing import Listing
from models.sources.examples import read_ordinary

LISTINGS = 4_000
CLIENTS = 8


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--times", type=float, default=5.0, help="arrivals, in capacities")
    arguments.add_argument("--max-queue-ms", type=int, default=None, help="by default what follows from 70 % load")
    given = arguments.parse_args()
    server = ServerProcess(given.model, HAZARDLENS_REMEMBER_MB="0")
    with server:
        calls = Calls(server.url)
        print(f"ready after {server.seconds_to_ready:.1f} s, {server.resident_mb():.0f} MB")
        run(closed_loop(server.url, calls.some(600), 2, 20))
        capacity = Summary.of(run(closed_loop(server.url, calls.some(), CLIENTS, 10)), 200)
        print(f"capacity ({CLIENTS} clients)  {capacity}")
        calm = run(open_loop(server.url, calls.some(), 0.7 * capacity.a_second, min(20.0, given.seconds)))
        usual = Summary.of(calm, 200)
        print(f"at 70 %                {usual}; p99 / median {usual.p99 / usual.median:.2f}")
    wait = given.max_queue_ms or max(1, round(usual.p99 - usual.median))
    print(f"longest wait           {wait} ms")
    server = ServerProcess(given.model, HAZARDLENS_REMEMBER_MB="0", HAZARDLENS_MAX_QUEUE_MS=str(wait))
    with server:
        calls = Calls(server.url)
        run(closed_loop(server.url, calls.some(600), 2, 20))
        before, counted = server.resident_mb(), refusals_in_the_server(server.url)
        memory = Memory(server)
        replies = run(open_loop(server.url, calls.some(), given.times * capacity.a_second, given.seconds))
        seen = memory.end()
        tell(replies, usual)
        fast, everything = (now - then for now, then in zip(refusals_in_the_server(server.url), counted, strict=True))
        print(f"  refused, by the server's own clock: {100 * fast / everything:.2f} % of {everything:.0f} within 50 ms")
        third = len(seen) // 3
        print(
            f"memory                 {before:.0f} MB before, {np.mean(seen[third : 2 * third]):.0f} MB in the second"
            f" third of the time, {np.mean(seen[2 * third :]):.0f} MB in the last one, {max(seen):.0f} MB at most"
        )


def tell(replies: list[Reply], usual: Summary) -> None:
    """Print what became of the calls of an overload."""
    refused, taken = Summary.of(replies, 429), Summary.of(replies, 200)
    late = 1_000 * np.quantile([reply.late for reply in replies], [0.99, 1.0])
    fast = np.mean([reply.seconds <= 0.05 for reply in replies if reply.status == 429])
    others = {status: n for status, n in Summary.of(replies).statuses.items() if status not in (200, 429)}
    print(f"overload, all          {Summary.of(replies)}")
    print(f"  refused              {refused}; {100 * fast:.2f} % within 50 ms")
    print(f"  taken                {taken}; p99 / p99 at 70 % {taken.p99 / usual.p99:.2f}")
    print(f"  of another kind      {others or 'none'}" + (" (0 is no answer)" if GAVE_UP in others else ""))
    print(f"  sent late by this process: p99 {late[0]:.1f} ms, at most {late[1]:.1f} ms")


def refusals_in_the_server(url: str) -> tuple[float, float]:
    """Return how many calls were refused within 50 ms since the start, and how many in all, from /metrics.

    The server counts from the moment at which it has read the head of a call. What a call waited before that, and what
    its answer waited for this process, which shares the cores, is in this process's figures alone.
    """
    request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {KEYS[url]}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    refused = [line for line in lines if line.startswith("hazardlens_request_seconds") and 'status="429"' in line]

    def total(what: str) -> float:
        return sum(float(line.rsplit(" ", 1)[1]) for line in refused if what in line)

    return total('le="0.05"'), total("_seconds_count{")


class Calls:
    """Requests of one real listing each, no two of equal content."""

    def __init__(self, url: str) -> None:
        self._url = url
        rows, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
        chosen = np.random.default_rng(0).permutation(len(rows))[:LISTINGS]
        self._listings = [rows[i].to_listing() for i in chosen]
        self._numbers = count()

    def some(self, how_many: int = LISTINGS) -> list[bytes]:
        """Return requests that were not sent before."""
        return [self._request(listing) for listing in self._listings[:how_many]]

    def _request(self, listing: Listing) -> bytes:
        number = next(self._numbers)
        marked = listing.model_dump(exclude_defaults=True) | {"id": str(number), "model": f"no. {number}"}
        return request_bytes(self._url, "POST", "/v1/assessments", orjson.dumps([marked]))


class Memory:
    """Resident memory of a server, looked at every half second."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._seen: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            self._seen.append(self._server.resident_mb())

    def end(self) -> list[float]:
        """Return what was seen, in MB."""
        self._over.set()
        self._thread.join()
        return self._seen


if __name__ == "__main__":
    begun = time.perf_counter()
    main()
    print(f"{time.perf_counter() - begun:.0f} s in all")
