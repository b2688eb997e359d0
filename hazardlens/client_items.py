"""One listing on its way to the server, and what comes back for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hazardlens.client_errors import ItemError, UnexpectedAnswerError
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.api.schemas import ListingResult

GivenListing = Listing | Mapping[str, Any]
Outcome = Assessment | ItemError


def listing_json(listing: GivenListing, index: int) -> bytes:
    """Return a listing as JSON on one line.

    Raises
    ------
    InputError
        If it holds what JSON does not know; names the listing by `index`.
    """
    if isinstance(listing, Listing):
        return listing.model_dump_json(exclude_defaults=True).encode()
    try:
        # Escaped, since half a character cannot be encoded; the server refuses that listing alone.
        return json.dumps(dict(listing), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"cannot be written as JSON: {error}", place=f"listing {index}") from error


def outcome_of(result: ListingResult, start: int = 0) -> Outcome:
    """Return the assessment of a result, or its error; `start` is the place of the first listing of its request."""
    if result.assessment is not None:
        return result.assessment
    if result.error is None:
        raise UnexpectedAnswerError(f"result {result.index} holds neither an assessment nor an error")
    return ItemError(start + result.index, result.listing_id, result.error)
