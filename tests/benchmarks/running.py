"""A real server process for the benchmarks, and pairs of models that answer differently."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from models.classifier.classifier import HazardClassifier
from models.classifier.golden import Golden
from models.domain.listing import Listing
from models.plan.reading import load_plan
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus


@dataclass(frozen=True)
class Running:
    """A server that is ready."""

    url: str
    pid: int
    seconds_to_ready: float

    def resident_mb(self) -> float:
        """Memory of the server's process in units of 1,000,000 bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(model: Path, place: Path, **settings: str) -> Iterator[Running]:
    """Run a server on a free port, with its database and its log in a directory; access control is off."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"DATABASE_URL": f"sqlite:///{place / 'h.db'}", "ACCESS": "off", "LOG_LEVEL": "warning", **settings}
    environment = {**os.environ, **{f"HAZARDLENS_{name}": value for name, value in given.items()}}
    command = [sys.executable, "-m", "hazardlens", "serve", "--model", str(model), "--port", str(port)]
    begun = time.perf_counter()
    with (
        (place / "log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            while not _ready(url):
                if process.poll() is not None:
                    sys.exit((place / "log").read_text(encoding="utf-8"))
                time.sleep(0.01)
            yield Running(url, process.pid, time.perf_counter() - begun)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _ready(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz").status_code == httpx.codes.OK
    return False


def written_listings(model: HazardClassifier, n: int, seed: int = 7) -> list[Listing]:
    """Return written listings in every language of the knowledge base, no two alike."""
    settings = CorpusSettings(size=n, seed=seed, min_per_kind=0)
    return [
        written.listing.model_copy(update={"id": f"w{i}"})
        for i, written in enumerate(write_corpus(model.knowledge, model.taxonomy, settings))
    ]


def pair_of(model: Path, place: Path) -> tuple[Path, Path]:
    """Save two models that answer differently: the second finds every hazard less likely."""
    return _variant(model, place / "first", 0.0), _variant(model, place / "second", 1.0)


def _variant(source: Path, place: Path, shift: float) -> Path:
    model, plan = HazardClassifier.load(source, threads=1), load_plan()
    model.calibration = replace(model.calibration, offset=model.calibration.offset - shift)
    listings = [case.listing for case in model.golden.cases] or written_listings(model, 20)
    model.golden = Golden.of(listings, lambda listing: model.assess(listing, plan))
    model.save(place, dict(model.manifest.facts) if model.manifest else {})
    return place
