"""What do files that are made to hurt cost the decoder, and does a server stay up with all of them at once?

Each file is decoded in a fresh process: processor time and the most memory that it had, by the account of the system
(0 MB: the process was ended by its limits). Then a real server gets every file as the picture of a listing, while a
client asks for ordinary assessments one after another: how long these take beside those before, whether all are
answered, and how many files are refused.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from hostile_files import HostileFile, hostile_files
from running import running

from models.domain.errors import InputError
from models.pictures.isolation import IsolatedDecoder

_SECONDS, _MEGABYTES = 2.0, 300.0


@dataclass(frozen=True)
class Cost:
    """What one file cost: processor and elapsed seconds, memory in units of 1,000,000 bytes, and the answer."""

    file: HostileFile
    processor: float
    elapsed: float
    memory: float
    answer: str

    @property
    def refused(self) -> bool:
        """Whether it was refused."""
        return not self.answer.startswith("read")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="without it only the decoder is measured")
    options = parser.parse_args()
    files = hostile_files()
    costs = [_cost(file) for file in files]
    for cost in costs:
        mark = "" if cost.refused is cost.file.refused else "   NOT AS EXPECTED"
        print(
            f"{cost.processor:5.2f} s CPU {cost.elapsed:5.2f} s {cost.memory:4.0f} MB  {cost.file.name:44} "
            f"{cost.answer[:100]}{mark}"
        )
    slow = sum(cost.processor > _SECONDS for cost in costs)
    large = sum(cost.memory > _MEGABYTES for cost in costs)
    odd = sum(cost.refused is not cost.file.refused for cost in costs)
    print(
        f"{len(costs)} files: {slow} above {_SECONDS:g} s CPU, {large} above {_MEGABYTES:g} MB, {odd} not as expected"
    )
    if options.model is not None:
        serve(options.model, files)


def _cost(file: HostileFile) -> Cost:
    """Decode one file in a process of its own; the system tells at its end what it took."""
    before, begun = os.times(), time.perf_counter()
    with IsolatedDecoder() as decoder:
        try:
            picture = decoder.decode(file.data)
            answer = f"read: {picture.format} {picture.width} x {picture.height}"
        except InputError as error:
            answer = str(error)
        process = decoder.process_id
        peak = _peak_of(process) if process is not None else 0.0
    after, elapsed = os.times(), time.perf_counter() - begun
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(file, used, elapsed, peak, answer)


def _peak_of(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def serve(model: Path, files: list[HostileFile]) -> None:
    """Print how a server bears all of them."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        given = {"PICTURES": str(place / "pictures"), "MAX_BODY_MB": "100", "PICTURE_MAX_MB": "20"}
        with running(model, place, **given) as server, httpx.Client(base_url=server.url, timeout=120) as client:
            calm = list(_calls(client, 30))
            ids = [_sent(client, i, file) for i, file in enumerate(files) if file.data]
            busy, waiting = [], set(ids)
            while waiting:
                busy += _calls(client, 5)
                waiting = {each for each in waiting if _told(client, each)["state"] != "done"}
            states = [_told(client, each)["pictures"][0]["state"] for each in ids]
            print(f"server: {len(ids)} files sent, {states.count('read')} read, {states.count('failed')} refused")
            print(f"ordinary calls: median {_ms(calm)} before, {_ms(busy)} meanwhile ({len(busy)} calls, all answered)")
            print(f"memory of the server {server.resident_mb():.0f} MB; ready: {client.get('/readyz').status_code}")


def _calls(client: httpx.Client, count: int) -> Iterator[float]:
    for i in range(count):
        begun = time.perf_counter()
        answer = client.post("/v1/assessments", json=[{"id": "x", "title": f"Cotton bag {time.time_ns()} {i}"}])
        if answer.status_code != httpx.codes.OK:
            sys.exit(f"an ordinary call was answered {answer.status_code}")
        yield time.perf_counter() - begun


def _sent(client: httpx.Client, number: int, file: HostileFile) -> str:
    images = [{"data": base64.b64encode(file.data).decode()}]
    answer = client.post("/v1/assessments", json=[{"id": f"h{number}", "title": f"Pen {number}", "images": images}])
    found: str = answer.json()["results"][0]["assessment"]["id"]
    return found


def _told(client: httpx.Client, assessment: str) -> Any:
    return client.get(f"/v1/assessments/{assessment}/pictures").json()


def _ms(seconds: list[float]) -> str:
    return f"{1_000 * float(np.median(seconds)):.1f} ms"


if __name__ == "__main__":
    main()
