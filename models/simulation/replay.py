"""Runs the replay: shard by shard, in as many processes as there are cores, and adds the counts up."""

from __future__ import annotations

import datetime as dt
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from models.domain.action import Action
from models.domain.errors import InputError
from models.domain.guarantee import Guarantee
from models.plan.facts import facts_of
from models.plan.plan import Plan
from models.plan.reading import parse_plan
from models.simulation.cuts import cuts_of
from models.simulation.outcome import circumstances_of, remembered, replayed
from models.simulation.records import Record, Shard, Unreadable
from models.simulation.tally import Change, Tally

_ACTIONS = list(Action)


@dataclass(frozen=True)
class PlanText:
    """A plan as text, with what binds it: it is sent to other processes, which compile it for themselves.

    Parameters
    ----------
    day : date
        Rules that have expired by then do not count.
    guarantees : tuple of Guarantee
        Of the model whose scores it reads.
    """

    text: str
    file: str
    day: dt.date
    guarantees: tuple[Guarantee, ...] = ()

    def plan(self) -> Plan:
        """Return the plan.

        Raises
        ------
        InputError
            For its first error, with line and column.
        """
        reading = parse_plan(self.text, self.file, day=self.day)
        if reading.plan is None:
            raise reading.errors[0].as_error(self.file)
        return reading.plan.bound_to(self.guarantees)


@dataclass(frozen=True)
class Setup:
    """What is compared.

    Parameters
    ----------
    after : PlanText
        The plan that is tried.
    before : PlanText or None
        The plan that it is compared with; None takes what was decided when the assessment was made.
    """

    after: PlanText
    before: PlanText | None = None


def replay_shard(shard: Shard, setup: Setup, changes: Path | None = None) -> Tally:
    """Replay one shard.

    Parameters
    ----------
    changes : Path, optional
        Every listing whose action changes is written there, one JSON object a line.
    """
    after = setup.after.plan()
    before = setup.before.plan() if setup.before else None
    tally = Tally(cuts_of(after))
    with _lines(changes) as write:
        for record in shard.records():
            if isinstance(record, Unreadable):
                tally.fault(f"{record.place}: {record.message}")
                continue
            try:
                change = _add(tally, record, before, after)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                # A record of another shape, which an older version or another program wrote.
                tally.fault(f"listing {record.listing.get('id')!r}: {type(error).__name__}: {error}")
            else:
                if change is not None:
                    write(change)
    return tally.settle()


def replay(
    shards: Sequence[Shard],
    setup: Setup,
    workers: int = 1,
    changes: Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> Tally:
    """Replay a history.

    Parameters
    ----------
    workers : int
        Processes; 1 stays in this one.
    progress : callable, optional
        Takes the number of records done since its last call.

    Raises
    ------
    InputError
        If a plan is not in order, or nothing could be replayed.
    """
    if setup.before:
        setup.before.plan()  # an error comes at once, in this process
    parts = [changes.with_name(f"{changes.name}.{i}") if changes else None for i in range(len(shards))]
    total = Tally(cuts_of(setup.after.plan()))
    for tally in _tallies(shards, setup, workers, parts):
        total.merge(tally)
        if progress:
            progress(tally.n)
    if changes:
        _join([part for part in parts if part], changes)
    if not total.n:
        first = f": {total.faults[0]}" if total.faults else ""
        raise InputError(f"no assessment could be replayed{first}", hint="is the store empty, or the file another one?")
    return total


def recount(records: Iterable[Record], plan: Plan) -> Tally:
    """Count decisions that were made already: what was kept against what the candidate decided.

    Parameters
    ----------
    records : iterable of Record
        Each with a candidate.
    plan : Plan
        Whose thresholds are counted.
    """
    tally = Tally(cuts_of(plan))
    for record in records:
        seen = record.candidate or record.assessment
        before, after = remembered(record.assessment), remembered(seen)
        if before is None or after is None:
            tally.fault(f"listing {record.listing.get('id')!r}: has no decision")
        else:
            tally.add(record.day, record.listing, record.assessment, seen, before, after)
    return tally.settle()


def _tallies(shards: Sequence[Shard], setup: Setup, workers: int, parts: Sequence[Path | None]) -> Iterator[Tally]:
    if workers <= 1 or len(shards) <= 1:
        yield from (replay_shard(shard, setup, part) for shard, part in zip(shards, parts, strict=True))
        return
    # A fresh interpreter: a process that was forked off a server with threads may wait for a lock for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(shards)), mp_context=context) as pool:
        running = [pool.submit(replay_shard, shard, setup, part) for shard, part in zip(shards, parts, strict=True)]
        for done in as_completed(running):
            yield done.result()


def _add(tally: Tally, record: Record, before: Plan | None, after: Plan) -> Change | None:
    kept, seen = record.assessment, record.candidate or record.assessment
    circumstances = circumstances_of(record.circumstances)
    new = replayed(after, facts_of(seen, record.listing, circumstances))
    old = replayed(before, facts_of(kept, record.listing, circumstances)) if before else remembered(kept)
    if old is None:
        tally.undecided += 1
        old = new
    return tally.add(record.day, record.listing, kept, seen, old, new)


@contextmanager
def _lines(path: Path | None) -> Iterator[Callable[[Change], object]]:
    with ExitStack() as stack:
        if path is None:
            yield lambda _: None
            return
        file = stack.enter_context(path.open("wb"))
        yield lambda change: file.write(orjson.dumps(change_row(change)) + b"\n")


def change_row(change: Change) -> dict[str, object]:
    """Return a change for JSON."""
    return {
        "listing_id": change.listing_id,
        "assessment_id": change.assessment_id,
        "title": change.title,
        "before": _ACTIONS[change.before].value,
        "after": _ACTIONS[change.after].value,
        "risk_level": change.level,
        "risk_score": change.risk_score,
        "hazard": change.hazard or None,
        "rules": list(change.rules),
    }


def _join(parts: Sequence[Path], whole: Path) -> None:
    with whole.open("wb") as out:
        for part in parts:
            out.write(part.read_bytes())
            part.unlink()
