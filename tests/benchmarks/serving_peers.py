"""Our server beside what one would use instead: same machine, same run, same listings of real lengths.

Every server is a process of its own; all are up, one at a time is asked, round after round, so that what the machine
does meanwhile falls on all. No listing is sent twice, so that no answer is remembered.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path

import numpy as np
import orjson
from load import ServerProcess, Summary, closed_loop, open_loop, request_bytes, run
from peer_servers import Infinity, MlflowModels, PeerServer, PlainEndpoint
from real_data import directory

from models.domain.listing import Listing
from models.sources.examples import read_ordinary

OWN = "hazardlens"
OWN_WORKERS = "hazardlens, a worker for each core"
CROWD = 32
Call = Callable[[Listing], bytes]


def main() -> None:
    """Measure and print."""
    options = arguments()
    listings = fresh_listings()
    with ExitStack() as stack:
        server = ServerProcess(options.model)
        own_url = stack.enter_context(server)
        cores = os.cpu_count() or 1
        workers = ServerProcess(options.model, HAZARDLENS_WORKERS=str(cores))
        workers_url = stack.enter_context(workers)
        peers: list[PeerServer] = [
            PlainEndpoint(),
            MlflowModels(None, cores),
            MlflowModels(options.model.resolve(), cores),
        ]
        if options.infinity is None:
            print("(c) is left out: name the executable of infinity-emb by --infinity")
        else:
            peers.append(Infinity(options.infinity.resolve(), options.infinity_engine))
        for peer in peers:
            stack.enter_context(peer)
        urls = {OWN: own_url, OWN_WORKERS: workers_url, **{peer.name: peer.url for peer in peers}}
        own = {OWN: server, OWN_WORKERS: workers}
        calls: dict[str, Call] = {peer.name: peer.call for peer in peers}
        calls |= {name: own_call(each, "") for name, each in own.items()}
        explained = {name: own_call(each, "?explain=tokens") for name, each in own.items()}
        for name, url in urls.items():
            print(f"{name} answers at {url}", flush=True)
            measure(url, calls[name], listings, 4, options.warm)

        alone: dict[str, list[Summary]] = {name: [] for name in urls}
        unexplained: list[Summary] = []
        crowd: dict[str, list[Summary]] = {name: [] for name in urls}
        for _ in range(options.rounds):
            for name, url in urls.items():
                alone[name].append(measure(url, explained.get(name, calls[name]), listings, 1, options.seconds))
            unexplained.append(measure(own_url, calls[OWN], listings, 1, options.seconds))
            for name, url in urls.items():
                crowd[name].append(measure(url, calls[name], listings, CROWD, options.seconds))
        capacity = figure(crowd[OWN], "a_second")
        planned = list(islice(listings, int(capacity * options.seconds * 2)))
        replies = run(
            open_loop(own_url, [calls[OWN](listing) for listing in planned], 0.7 * capacity, 1.5 * options.seconds)
        )
    report(alone, crowd)
    with_words, without = figure(alone[OWN], "median"), figure(unexplained, "median")
    print(f"Ours for one client without highlights: {without:.1f} ms; with them x {with_words / without:.2f}")
    at_70 = Summary.of(replies)
    print(f"\nArrivals at 70 % of our capacity: {at_70}")
    print(f"p99 / median {at_70.p99 / at_70.median:.2f} (target: at most 4)")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("var/models/default"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    parser.add_argument("--warm", type=float, default=5.0, help="seconds of calls before the first measurement")
    parser.add_argument("--infinity", type=Path, help="executable infinity_emb of an environment of its own")
    parser.add_argument("--infinity-engine", default="torch", choices=["torch", "optimum"])
    return parser.parse_args()


def fresh_listings() -> Iterator[Listing]:
    """Yield real listings for ever, no two of them equal: each ends in a number of its own."""
    rows, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
    order = np.random.default_rng(0).permutation(len(rows))
    for number in count():
        listing = rows[order[number % len(order)]].to_listing()
        yield listing.model_copy(
            update={"id": str(number), "description": f"{listing.description} No. {number}.".strip()}
        )


def own_call(server: ServerProcess, query: str) -> Call:
    """Return what makes a request to our server of a listing."""

    def call(listing: Listing) -> bytes:
        body = orjson.dumps({"listings": [orjson.Fragment(listing.model_dump_json(exclude_defaults=True))]})
        return request_bytes(server.url, "POST", f"/v1/assessments{query}", body)

    return call


def measure(url: str, call: Call, listings: Iterator[Listing], clients: int, seconds: float) -> Summary:
    """Let some clients call for some seconds; only good answers count, others are told."""
    # Made before the clock runs, and more of them than any server here answers.
    calls = [call(listing) for listing in islice(listings, int(seconds * 600))]
    replies = run(closed_loop(url, calls, clients, seconds))
    if any(reply.status != 200 for reply in replies):
        print(f"{url} did not answer every call: {Summary.of(replies)}")
    return Summary.of(replies, 200)


def figure(found: list[Summary], name: str) -> float:
    """Median of a figure over the rounds."""
    return float(np.median([getattr(summary, name) for summary in found]))


def report(alone: dict[str, list[Summary]], crowd: dict[str, list[Summary]]) -> None:
    """Print a table and the ratios that count."""
    print(f"\n{'':50s} one client, median ms   {CROWD} clients, calls a second   their p99 ms")
    for name in alone:
        one, many = figure(alone[name], "median"), figure(crowd[name], "a_second")
        print(f"{name:50s} {one:21.1f} {many:28.1f} {figure(crowd[name], 'p99'):14.0f}")
    print("\nOurs with highlights for one client, without for the crowd; the peers explain nothing.")
    for name in list(alone)[2:]:
        time = figure(alone[OWN], "median") / figure(alone[name], "median")
        work, more = (figure(crowd[own], "a_second") / figure(crowd[name], "a_second") for own in (OWN, OWN_WORKERS))
        print(
            f"beside {name}: time of one client x {time:.2f}, throughput of {CROWD} x {work:.2f}, with a worker for"
            f" each core x {more:.2f}"
        )
    print("targets: beside (a) time at most 0.33 and throughput at least 3; beside (b) throughput at least 3")


if __name__ == "__main__":
    main()
