"""A real server process for the benchmarks, and pairs of models that answer differently."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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
    arguments, url = _arguments(model)
    environment = {**os.environ, **_environment(place, settings)}
    begun = time.perf_counter()
    with (
        (place / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "hazardlens", *arguments], env=environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait(url, lambda: process.poll() is not None, place)
            yield Running(url, process.pid, time.perf_counter() - begun)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Nursery:
    """Starts servers one after another from a process that has imported all of their code and nothing else.

    A start costs what loading the model costs, a fifth of what a new interpreter takes; the server is the same, and so
    is its death.
    """

    _IMPORTED = ("hazardlens.cli", "serving.app", "running", "onnxruntime", "tokenizers")

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(self._IMPORTED))

    @contextmanager
    def running(self, model: Path, place: Path, **settings: str) -> Iterator[Running]:
        """Run a server as `running` does."""
        arguments, url = _arguments(model)
        given = (arguments, _environment(place, settings), place / "log")
        begun = time.perf_counter()
        process = self._context.Process(target=_serve, args=given)
        process.start()
        assert process.pid is not None
        try:
            _wait(url, lambda: process.exitcode is not None, place)
            yield Running(url, process.pid, time.perf_counter() - begun)
        finally:
            process.terminate()
            process.join(60)


def _serve(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """Be a server, in a process that was made for it."""
    with log.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ |= environment
    from hazardlens.cli import app

    app(arguments)


def _arguments(model: Path) -> tuple[list[str], str]:
    """Return the arguments of a server on a free port, and its address."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return ["serve", "--model", str(model), "--port", str(port)], f"http://127.0.0.1:{port}"


def _environment(place: Path, settings: dict[str, str]) -> dict[str, str]:
    given = {"DATABASE_URL": f"sqlite:///{place / 'h.db'}", "ACCESS": "off", "LOG_LEVEL": "warning", **settings}
    return {f"HAZARDLENS_{name}": value for name, value in given.items()}


def _wait(url: str, gone: Callable[[], bool], place: Path) -> None:
    """Wait until a server is ready; where it ends instead, so does this program, with the server's log."""
    with httpx.Client(base_url=url) as client:  # one for all: making it costs more than asking
        while not _ready(client):
            if gone():
                sys.exit((place / "log").read_text(encoding="utf-8"))
            time.sleep(0.01)


def _ready(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/readyz").status_code == httpx.codes.OK
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
