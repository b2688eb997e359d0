"""Keeps the engine's model the one that its place holds: loads a new one beside, lets it test itself, swaps the two.

The place is a directory, or a link that somebody moves: `hazardlens follow` moves it along with an alias of MLflow.
Each server process watches the place for itself and judges by what the artifact holds, so that all of them come to the
same model within seconds, without a word between them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import NamedTuple, Self

import orjson

from models.classifier.artifact import MANIFEST
from models.classifier.classifier import HazardClassifier
from models.classifier.golden import Golden, GoldenCase, shown
from models.domain.assessment import Assessment
from models.domain.errors import ArtifactError
from models.domain.listing import Listing
from serving.engine import AssessmentEngine, InForce
from serving.process_memory import collect, give_back

_log = logging.getLogger("hazardlens.model")
_TRIES_AGAIN = 4.0
"""Seconds until an artifact that could not be read is tried again: somebody may be copying it. Doubled each time."""
_TRIES_AGAIN_MOST = 60.0
_FIRST = 1
"""Golden inputs that a server answers before it is ready: each next one asks for the words of more languages."""
_WITHOUT_GOLDEN = (
    Listing(id="self-test-1", title="Mini space heater 1500 W"),
    Listing(id="self-test-2", title="Tasche"),
)


@dataclass(frozen=True)
class FailedModel:
    """A model that was not put in force.

    Parameters
    ----------
    version : str
        As its manifest says; empty where that cannot be read.
    """

    version: str
    reason: str
    at: dt.datetime

    @property
    def named(self) -> str:
        """How to call it in a sentence."""
        return f"model {self.version}" if self.version else "another model"


@dataclass
class ModelState:
    """How the model in force came to be so, and what did not.

    Parameters
    ----------
    since : datetime
        When the model in force was put there.
    previous : str
        Version that was in force before, empty where there was none.
    failed : FailedModel or None
        What the place holds and could not be put in force.
    """

    since: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    previous: str = ""
    swaps: int = 0
    failures: int = 0
    failed: FailedModel | None = None


class _Mark(NamedTuple):
    """What tells that a place holds something else than before, without reading it."""

    root: Path
    inode: int
    changed: int
    size: int

    @classmethod
    def of(cls, place: Path) -> Self | None:
        root = place.resolve()
        try:
            found = (root / MANIFEST).stat()
        except OSError:
            return None
        return cls(root, found.st_ino, found.st_mtime_ns, found.st_size)


class ModelWatch:
    """The model in force of one server process.

    Parameters
    ----------
    place : Path
        Directory of an artifact, or a link to one.
    engine : AssessmentEngine
        Has what the place held at the start.
    on_change : function of the model
        Is called once another model is in force.
    on_failure : function without arguments
        Is called for each model that could not be put in force.
    """

    def __init__(
        self,
        place: Path,
        engine: AssessmentEngine,
        on_change: Callable[[HazardClassifier], None] = lambda _: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.place, self.engine, self.on_change, self.on_failure = place, engine, on_change, on_failure
        self.state = ModelState()
        self._one_at_a_time = threading.Lock()
        self._seen: _Mark | None = None
        self._looked = False
        self._again_at: float | None = None
        self._wait = _TRIES_AGAIN
        self._stopping = False

    def begin(self) -> None:
        """Let the model that the server starts with answer its first golden input, in English; blocks.

        Raises
        ------
        ArtifactError
            If it fails.
        """
        in_force = self.engine.in_force
        wrong = self_test(in_force, in_force.model.golden.cases[:_FIRST])
        if wrong:
            raise ArtifactError(
                f"model {in_force.versions.model} failed its self-test: {shown(wrong)}",
                place=str(self.place),
                hint="this machine or its libraries work out other numbers than where it was trained; train it here",
            )

    def go_on(self) -> None:
        """Let it answer the others while it serves, so that no language's first listing waits; blocks."""
        in_force = self.engine.in_force
        wrong: list[str] = []
        for case in in_force.model.golden.cases[_FIRST:]:
            if self._stopping or self.engine.model is not in_force.model:
                return
            wrong += self_test(in_force, [case])
        if wrong:
            self._failed(in_force.versions.model, f"failed its self-test: {shown(wrong)}")

    def end(self) -> None:
        """Let what is under way come to an end."""
        self._stopping = True

    async def watch(self, every: float) -> None:
        """Look every so many seconds, for ever."""
        while True:
            await asyncio.sleep(every)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:  # noqa: BLE001  (the next look may find better)
                _log.exception("the model's place could not be looked at")

    def refresh(self, *, now: bool = False) -> bool:
        """Take what the place holds, if that is something else than before; blocks.

        Parameters
        ----------
        now : bool
            Also try again what has failed.

        Returns
        -------
        bool
            Whether another model is in force.
        """
        with self._one_at_a_time:
            mark = _Mark.of(self.place)
            due = self._again_at is not None and monotonic() >= self._again_at
            if self._looked and mark == self._seen and not (due or (now and self.state.failed is not None)):
                return False
            if mark != self._seen:
                self._wait = _TRIES_AGAIN
            self._looked, self._seen, self._again_at = True, mark, None
            if mark is not None and _version_of(mark.root) == self.engine.versions.model:
                self.state.failed = None
                return False
            return self._take(mark.root if mark is not None else self.place)

    def _take(self, root: Path) -> bool:
        try:
            model = HazardClassifier.load(root, self.engine.threads)
        except Exception as error:  # noqa: BLE001  (whatever is wrong with it, the model in force goes on)
            self._again_at = monotonic() + self._wait
            self._wait = min(2 * self._wait, _TRIES_AGAIN_MOST)
            self._failed(_version_of(root), f"could not be loaded: {error}")
            return False
        wrong = self_test(self.engine.with_model(model))
        if wrong:
            self._failed(model.version, f"failed its self-test: {shown(wrong)}")
            return False
        before = self.engine.versions.model
        self.engine.put_model_in_force(model)
        self.state.since, self.state.previous, self.state.failed = dt.datetime.now(dt.UTC), before, None
        self.state.swaps += 1
        _log.info("model %s is in force, after %s", model.version, before)
        self.on_change(model)
        # Its last request over, the old model's memory is free but for what holds on to itself in circles.
        collect()
        give_back()
        return True

    def _failed(self, version: str, reason: str) -> None:
        known = self.state.failed
        if known is None or (known.version, known.reason) != (version, reason):
            self.state.failures += 1
            self.on_failure()
            _log.error(
                "model %s %s; %s stays in force", version or f"in {self.place}", reason, self.engine.versions.model
            )
        self.state.failed = FailedModel(version, reason, dt.datetime.now(dt.UTC))


def self_test(candidate: InForce, cases: Sequence[GoldenCase] | None = None) -> list[str]:
    """Return what is wrong with a model, with the plan that it will have; empty where nothing is.

    It also builds what the first listing in each language would otherwise wait for.

    Parameters
    ----------
    cases : sequence of GoldenCase, optional
        Only these; by default all that the artifact has.
    """
    golden, version = candidate.model.golden, candidate.versions.model

    def answer(listing: Listing) -> Assessment:
        return candidate.assess(listing, "tokens")

    if golden:
        return golden.failures(answer, cases)
    _log.warning("model %s has no golden inputs: all that is tested is that it answers, and twice the same", version)
    try:
        return Golden.of(_WITHOUT_GOLDEN, answer).failures(answer)
    except Exception as error:  # noqa: BLE001  (whatever is wrong with the model is the answer)
        return [f"{type(error).__name__}: {error}"]


def _version_of(root: Path) -> str:
    """Return what a manifest says of its version, empty where it cannot be read; nothing is verified."""
    try:
        return str(orjson.loads((root / MANIFEST).read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
