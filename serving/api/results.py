"""One result a listing: the assessment, or the problem with it; the same in an answer and in the result of a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from serving.api.intake import Refusal
from serving.api.problems import INTERNAL_ERROR, problem
from serving.engine import Failure, Outcome


def results(
    given: Iterable[Listing | Refusal], outcomes: Sequence[Outcome], instance: str, trace: str, first: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield the result of each listing, for `orjson` to write.

    Parameters
    ----------
    given : iterable of Listing or Refusal
        What came, in order.
    outcomes : sequence of Outcome
        Those of the listings among them.
    instance : str
        Path for the problems.
    trace : str
        What the log knows a fault of ours by, e.g. ``request 0f``.
    first : int
        Place of the first one.
    """
    done = iter(outcomes)
    for index, listing in enumerate(given, start=first):
        outcome = listing if isinstance(listing, Refusal) else next(done)
        assessment = orjson.Fragment(outcome.to_json()) if isinstance(outcome, Assessment) else None
        error = None
        if isinstance(outcome, Refusal):
            error = outcome.problem.model_dump()
        elif isinstance(outcome, Failure):
            detail = f"It is our fault. The log has the reason under {trace}."
            error = problem(INTERNAL_ERROR, detail, f"{instance}#/listings/{index}").model_dump()
        yield {"index": index, "listing_id": outcome.listing_id, "assessment": assessment, "error": error}
