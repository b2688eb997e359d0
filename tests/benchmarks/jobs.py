"""A job beside the synchronous route: listings a second of each, and what a job costs a call that is waited for."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 4
BESIDE = 5_000
"""Listings of a job beside calls: more than it gets through meanwhile."""
NDJSON = {"Content-Type": "application/x-ndjson"}


def main() -> None:
    """Print throughputs, latencies and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "var/models/default")
    parser.add_argument("--listings", type=int, default=2_000)
    parser.add_argument("--calls", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {
            **os.environ, "HAZARDLENS_MODEL": str(given.model.resolve()), "HAZARDLENS_PORT": str(port),
            "HAZARDLENS_DATABASE_URL": f"sqlite:///{directory}/h.db", "HAZARDLENS_JOBS": f"{directory}/jobs",
            "HAZARDLENS_ACCESS": "off", "HAZARDLENS_LOG_LEVEL": "warning",
        }  # fmt: skip
        command = [sys.executable, "-c", "import sys; from serving.app import run; sys.exit(run())"]
        server = subprocess.Popen(command, env=environment, cwd=ROOT)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as http:
                compare(http, given.listings, given.calls)
        finally:
            server.terminate()
            server.wait(60)


def compare(http: httpx.Client, listings: int, calls: int) -> None:
    """Measure on one server, in one run; no content comes twice."""
    wait_for(lambda: answers(http))
    http.post("/v1/assessments", json=made("warm", 50))
    begun = time.perf_counter()
    for start in range(0, listings, 200):
        http.post("/v1/assessments", json=made(f"route {start}", min(200, listings - start))).raise_for_status()
    route = listings / (time.perf_counter() - begun)
    begun = time.perf_counter()
    first = submit(http, "job", listings)
    wait_for(lambda: http.get(first).json()["state"] == "done")
    job = listings / (time.perf_counter() - begun)
    alone: list[float] = []
    beside: list[float] = []
    for turn in range(ROUNDS):  # by turns, since a machine is not equally busy all the time
        alone += latencies(http, f"alone {turn}", calls // ROUNDS)
        second = submit(http, f"beside {turn}", BESIDE)
        wait_for(lambda path=second: http.get(path).json()["state"] == "running")
        beside += latencies(http, f"beside {turn}", calls // ROUNDS)
        http.post(f"{second}/cancel")
        wait_for(lambda path=second: http.get(path).json()["finished_at"])
    print(f"listings/s: job {job:.0f}, requests of 200 one after another {route:.0f}, ratio {job / route:.2f}")
    for name, share in (("median", 0.5), ("p99", 0.99)):
        without, with_job = np.quantile(alone, share), np.quantile(beside, share)
        print(f"single call, {name}: {without:.1f} ms alone, {with_job:.1f} ms beside a job, {with_job / without:.2f}")


def made(name: str, number: int) -> list[dict[str, str]]:
    """Return listings that no other call makes."""
    text = "Plugs directly in the socket, with thermostat, for bedroom and office."
    return [{"id": f"{name} {i}", "title": f"Mini heater {name} {i}", "description": text} for i in range(number)]


def latencies(http: httpx.Client, name: str, calls: int) -> list[float]:
    """Return milliseconds of single calls, with a short rest between them."""
    taken = []
    for listing in made(name, calls):
        begun = time.perf_counter()
        http.post("/v1/assessments", json=[listing]).raise_for_status()
        taken.append(1_000 * (time.perf_counter() - begun))
        time.sleep(0.02)
    return taken


def submit(http: httpx.Client, name: str, number: int) -> str:
    """Submit a job and return where it is."""
    body = "\n".join(json.dumps(listing) for listing in made(name, number))
    response = http.post("/v1/jobs", content=body, headers=NDJSON)
    return str(response.raise_for_status().headers["Location"])


def answers(http: httpx.Client) -> bool:
    """Tell whether the server is ready."""
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition: Any) -> None:
    """Ask again until it holds."""
    while not condition():
        time.sleep(0.05)


if __name__ == "__main__":
    main()
