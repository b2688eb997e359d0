"""Scoring a long list in several processes: what is Python in an assessment gains nothing from threads."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from hazardlens.result_rows import CHUNK, Result, score_rows
from models.domain.errors import InputError

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
    from models.domain.assessment import Tiers
    from models.plan.plan import Plan
    from models.sources.listings import ScoredInput

WORTH_IT = 2_000
"""Rows from which several processes are taken unasked: each takes some seconds to load the model."""
_WAITING = 2
"""Chunks a process that wait for it, so that a long list is never held in memory."""


class ScoringPoolError(InputError):
    """The processes did not do their work, through no fault of a row."""


_Scored = tuple[str, str, list[Result]]
"""Version of the model and id of the plan that a process holds, and its results."""


@dataclass(frozen=True)
class ScoringPool:
    """Processes with a model and a plan each.

    Parameters
    ----------
    model : Path
        Directory of the artifact.
    plan : Path or None
        Plan that decides; None for the one that ships.
    model_version, plan_id : str
        What must be found there: both are loaded again by each process.
    processes : int
    tiers : {"full", "two"}
        Whether the screen answers where it may.
    """

    model: Path
    plan: Path | None
    model_version: str
    plan_id: str
    processes: int
    tiers: Tiers = "full"

    def score(self, rows: Iterable[ScoredInput]) -> Iterator[list[Result]]:
        """Score rows a chunk at a time, as `score_rows` does: as many results, equal ones, in the same order.

        Raises
        ------
        ScoringPoolError
            If a process ended, or found another model or plan than this one.
        """
        stream = iter(rows)
        chunks = iter(lambda: list(islice(stream, CHUNK)), [])
        waiting: deque[Future[_Scored]] = deque()
        # Fresh processes: a copy of this one would copy the locks of the encoder's threads in whatever state they are.
        pool = ProcessPoolExecutor(
            self.processes, multiprocessing.get_context("spawn"), _Worker.begin, (self.model, self.plan, self.tiers)
        )
        try:
            for chunk in chunks:
                waiting.append(pool.submit(_Worker.score, chunk))
                if len(waiting) >= _WAITING * self.processes:
                    yield self._checked(*waiting.popleft().result())
            while waiting:
                yield self._checked(*waiting.popleft().result())
        except BrokenProcessPool as error:
            raise ScoringPoolError(
                "a process that scores ended unasked", hint="is there memory for them all? --processes 1 needs least"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)

    def _checked(self, model_version: str, plan_id: str, results: list[Result]) -> list[Result]:
        if (model_version, plan_id) != (self.model_version, self.plan_id):
            raise ScoringPoolError(
                f"model {model_version} and plan {plan_id} were found, not {self.model_version} and {self.plan_id}",
                hint="they changed while the scoring began; start it again",
            )
        return results


class _Worker:
    """What one process holds."""

    _loaded: tuple[HazardClassifier, Plan, Tiers] | None = None

    @classmethod
    def begin(cls, model: Path, plan: Path | None, tiers: Tiers) -> None:
        from models.classifier.classifier import HazardClassifier
        from models.classifier.cores import one_thread_of_algebra
        from models.plan.reading import load_plan
        from serving.process_memory import settle

        one_thread_of_algebra()
        classifier = HazardClassifier.load(model, threads=1)
        cls._loaded = classifier, load_plan(plan).bound_to(classifier.guarantees), tiers
        settle()

    @classmethod
    def score(cls, rows: list[ScoredInput]) -> _Scored:
        assert cls._loaded is not None, "the pool calls `begin` first"
        classifier, plan, tiers = cls._loaded
        parts = score_rows(classifier, plan, rows, tiers=tiers)
        return classifier.version, plan.id, [result for part in parts for result in part]


def processes_for(rows: Iterator[ScoredInput], asked: int | None) -> tuple[int, Iterator[ScoredInput]]:
    """Return how many processes a list is worth, and the list.

    Parameters
    ----------
    asked : int or None
        What the user wants; None takes every core for a long list, and one process for a short one.

    Raises
    ------
    InputError
        If less than one is asked for.
    """
    from models.classifier.cores import usable_cores

    if asked is not None:
        if asked < 1:
            raise InputError(f"{asked} processes", place="--processes", hint="give 1 or more")
        return asked, rows
    first = list(islice(rows, WORTH_IT))
    return (usable_cores() if len(first) == WORTH_IT else 1), chain(first, rows)
