"""Seconds from starting the server to the first 200 of /readyz, and memory then; a server that is started again."""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from running import running


def main() -> None:
    """Print the median of some starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("var/models/default"))
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    seconds, memory, first = [], [], []
    with TemporaryDirectory() as scratch:
        for _ in range(arguments.starts + 1):
            with running(arguments.model, Path(scratch)) as server:
                seconds.append(server.seconds_to_ready)
                begun = time.perf_counter()
                httpx.post(f"{server.url}/v1/assessments", json=[{"id": "1", "title": "Green laser pointer"}])
                first.append(time.perf_counter() - begun)
                memory.append(server.resident_mb())
    # The first start makes the database.
    print(f"start to ready: median {statistics.median(seconds[1:]):.2f} s, with a new database {seconds[0]:.2f} s")
    print(f"first answer after that: median {1e3 * statistics.median(first[1:]):.0f} ms")
    print(f"resident then: median {statistics.median(memory[1:]):.0f} MB")


if __name__ == "__main__":
    main()
