"""Fills an empty store with example listings and three months of example reviews: the pages have something to show.

Every seller and reviewer of it is called an example: nothing of it can be taken for somebody's work.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict

from models.domain.action import Action
from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from serving.engine import AssessmentEngine
from serving.review.browsing import Filter
from serving.review.claims import Claims
from serving.review.deciding import Decisions
from serving.review.desk import ReviewDesk
from serving.review.golden import GoldenMix
from serving.review.items import Item
from serving.review.verdicts import Verdict
from serving.review.words import Outcome
from serving.store.assessments import Answered, AssessmentStore

_log = logging.getLogger("hazardlens.demo")

REVIEWERS = ("example-ada", "example-bruno", "example-chiara")
_CARELESS = {"example-ada": 0.04, "example-bruno": 0.08, "example-chiara": 0.2}
"""Share of the findings that each gets wrong by one level, so that quality has something to tell."""
_A_DAY = 3
"""Most decisions of one reviewer a day: what is left waits, as it does in life."""
_KNOWN = 0.125
"""Share of the decided items that become known answers."""
_MIXED = 0.15
"""Share of known answers among what the example reviewers are handed: more than usual, for there are few items."""
_LEFT = dt.timedelta(days=2)
"""Nothing younger is decided, so that the queue is not empty."""


class Found(BaseModel):
    """What a careful reviewer finds out about an example."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: RiskLevel
    hazards: tuple[str, ...] = ()


class Upload(BaseModel):
    """One line of the file: when a seller uploaded which listing, and what is right about it, where that is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days_ago: float
    listing: Listing
    found: Found | None = None


@dataclass(frozen=True)
class _Done:
    at: dt.datetime
    answer: Answered


async def seed(engine: AssessmentEngine, desk: ReviewDesk, decisions: Decisions, source: Path | None = None) -> int:
    """Assess the examples, keep them as if they had come in over the last months, and let example reviewers decide.

    Parameters
    ----------
    source : Path, optional
        JSON lines of `Upload`; by default the file that ships with hazardlens.

    Returns
    -------
    int
        Number of assessments added; 0 where the store is not empty.
    """
    if await asyncio.to_thread(AssessmentStore(desk.engine).count):
        return 0
    now = dt.datetime.now(dt.UTC)
    uploads = await asyncio.to_thread(_read, source or datasets_dir() / "samples" / "demo.jsonl")
    done = []
    for upload in uploads:  # one by one, so that real requests find free threads from the first second
        outcome = (await engine.assess([upload.listing]))[0]
        if isinstance(outcome, Assessment):
            done.append(_Done(now - dt.timedelta(days=upload.days_ago), Answered(upload.listing, outcome)))
    found = {upload.listing.id: upload.found for upload in uploads if upload.found is not None}
    await asyncio.to_thread(_replay, desk, decisions, done, found, now)
    _log.info("%d example listings assessed", len(done))
    return len(done)


def _read(source: Path) -> list[Upload]:
    uploads = [Upload.model_validate(orjson.loads(line)) for line in source.read_bytes().splitlines() if line.strip()]
    return sorted(uploads, key=lambda upload: -upload.days_ago)


def _replay(
    desk: ReviewDesk, decisions: Decisions, done: Sequence[_Done], found: Mapping[str, Found], now: dt.datetime
) -> None:
    """Let the days pass: what was uploaded is kept, then the reviewers work."""
    draws = count()
    claims = Claims(desk.engine, desk.rules.lease, GoldenMix(_MIXED, lambda: _share("mix", str(next(draws)))))
    for _, group in groupby(done, key=lambda each: each.at.date()):
        of_day = list(group)
        for each in of_day:
            _keep(desk, each)
        if of_day[-1].at < now - _LEFT:
            _work(claims, decisions, found, of_day[-1].at + dt.timedelta(minutes=10))
        _know_more(desk, of_day[-1].at)


def _keep(desk: ReviewDesk, done: _Done) -> None:
    """Keep an answer, and open its item as of then; one by one, so that the versions of a listing keep their order."""
    store = AssessmentStore(desk.engine, lambda connection, kept: desk.intake.take_within(connection, kept, done.at))
    store.save([done.answer])


def _work(claims: Claims, decisions: Decisions, found: Mapping[str, Found], at: dt.datetime) -> None:
    for reviewer in REVIEWERS:
        for turn in range(round(_A_DAY * _share("capacity", reviewer, at.date().isoformat()))):
            moment = at + dt.timedelta(minutes=7 * turn)
            item = claims.next(reviewer, moment)
            if item is None:
                break
            verdict = _verdict(item, found.get(item.listing_id) or _as_assessed(item), reviewer, decisions)
            decisions.decide(item.id, reviewer, item.assessment_id, verdict, moment + dt.timedelta(minutes=1))


def _know_more(desk: ReviewDesk, at: dt.datetime) -> None:
    """Make every eighth decision a known answer, so that quality can be measured by them."""
    for item in desk.browsing.page(Filter(state="decided"), at, limit=_A_DAY * len(REVIEWERS)):
        settled = item.decided_at is not None and item.decided_at < at - dt.timedelta(hours=1)
        if settled and _share("golden", item.listing_id) < _KNOWN and desk.golden.of_item(item.id) is None:
            desk.golden.add_item(item.id, REVIEWERS[0], at)


def _verdict(item: Item, found: Found, reviewer: str, decisions: Decisions) -> Verdict:
    level = found.level
    if _share("care", reviewer, item.listing_id) < _CARELESS[reviewer]:
        levels = list(RiskLevel)
        level = levels[max(0, level.rank - 1)]
    seconds = 15 + 60 * _share("seconds", reviewer, item.listing_id)
    if level.rank < RiskLevel.HIGH.rank:
        medium = level is RiskLevel.MEDIUM
        outcome = Outcome.JUSTIFIED_ALERT if medium else Outcome.FALSE_ALARM
        action = Action.PUBLISH_WITH_WARNING if medium else Action.PUBLISH
        return Verdict(outcome, action, level, seconds=seconds)
    hazards = tuple(name for name in found.hazards if name in decisions.risk_types) or (item.hazard,)
    code = next(iter(sorted(decisions.reason_codes, key=lambda code: code != "risk")), "")
    action = Action.BLOCK if level is RiskLevel.SERIOUS else Action.REQUEST_INFORMATION
    return Verdict(Outcome.CONFIRMED_RISK, action, level, hazards, code, seconds=seconds)


def _as_assessed(item: Item) -> Found:
    return Found(level=RiskLevel(item.level), hazards=(item.hazard,))


def _share(*words: str) -> float:
    """Return a number from 0 to 1 that looks drawn, and is the same at every start."""
    return int.from_bytes(hashlib.sha256("/".join(words).encode()).digest()[:4]) / 2**32
