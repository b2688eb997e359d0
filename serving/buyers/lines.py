"""Order lines and receipts as the marketplace hands them over; each is judged on its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from models.domain.listing import refuse_nul
from models.notices.recall import Remedy
from models.sources.tables import open_table
from serving.api.intake import field_errors
from serving.api.problems import FieldError, shortened

_Id = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(refuse_nul)]
_EARLIEST = dt.date(2000, 1, 1)
_Model = TypeVar("_Model", bound=BaseModel)


class Channel(StrEnum):
    """How a buyer is written to."""

    EMAIL = "email"
    SMS = "sms"
    APP = "app"
    POST = "post"


class LineStatus(StrEnum):
    """What is known of the notice to the buyer of a line. Whether it was read is not tracked."""

    QUEUED = "queued"
    SENT = "sent"
    BOUNCED = "bounced"
    REMEDIED = "remedied"


class OrderLine(BaseModel):
    """One product of one order: what is needed to write to its buyer, and nothing more."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "example": {
                "order_id": "A-1001",
                "listing_id": "li-001",
                "buyer": "b-77",
                "channel": "email",
                "address": "buyer@example.org",
                "language": "de",
                "country": "DE",
                "bought_on": "2026-02-03",
                "quantity": 1,
            }
        },
    )

    order_id: _Id
    listing_id: _Id = Field(description="a listing that was confirmed in the case")
    buyer: _Id = Field(description="the marketplace's own reference, no name")
    channel: Channel
    address: Annotated[str, StringConstraints(min_length=1, max_length=1_000), BeforeValidator(refuse_nul)]
    language: Annotated[str, StringConstraints(max_length=16, pattern="^[A-Za-z-]*$")] = ""
    country: Annotated[str, StringConstraints(pattern="^[A-Za-z]{2}$", to_upper=True)]
    bought_on: dt.date = Field(ge=_EARLIEST)
    quantity: int = Field(1, ge=1, le=1_000_000)


class Receipt(BaseModel):
    """What became of the notice to the buyer of a line."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "example": {
                "order_id": "A-1001",
                "listing_id": "li-001",
                "status": "sent",
                "at": "2026-03-04T10:00:00Z",
            }
        },
    )

    order_id: _Id
    listing_id: _Id
    status: Literal["sent", "bounced", "remedied"]
    at: dt.datetime
    remedy: Remedy | None = Field(None, description="with `remedied`")


class LinesRequest(BaseModel):
    """Order lines of confirmed listings."""

    lines: list[OrderLine]


class ReceiptsRequest(BaseModel):
    """What became of notices."""

    receipts: list[Receipt]


@dataclass(frozen=True)
class Refused:
    """A row that was not taken.

    Parameters
    ----------
    place : str
        ``lines[3]`` of JSON, ``line 4`` of a file.
    """

    place: str
    errors: tuple[FieldError, ...]


def read_json(raw: Iterable[Any], name: str, kind: type[_Model]) -> Iterator[_Model | Refused]:
    """Yield the rows of a JSON array, or why they are not taken."""
    for i, value in enumerate(raw):
        yield _read(value, f"{name}[{i}]", kind)


def read_file(path: Path, kind: type[_Model]) -> Iterator[_Model | Refused]:
    """Yield the rows of a file, CSV or JSON Lines, one in memory at a time.

    Raises
    ------
    InputError
        If the file as a whole cannot be read.
    """
    names = tuple(kind.model_fields)
    with open_table(path, names) as table:
        for row in table.rows:
            place = f"{table.unit} {row.line}"
            if row.error:
                yield Refused(place, (FieldError(field="", value=None, message=row.error, hint=row.hint),))
                continue
            cells = row.cells if table.format == "jsonl" else {k: v for k, v in row.cells.items() if v != ""}
            yield _read(cells, place, kind)


def _read(value: Any, place: str, kind: type[_Model]) -> _Model | Refused:
    try:
        return kind.model_validate(value)
    except ValidationError as failure:
        found = field_errors(failure, kind)
        return Refused(place, tuple(_without_address(error) for error in found[:10]))


def _without_address(error: FieldError) -> FieldError:
    """What a buyer is called or reached by is not repeated in an answer, which logs may keep."""
    if error.field in ("address", "buyer") or not error.field:
        return error.model_copy(update={"value": None})
    return error.model_copy(update={"value": None if error.value is None else shortened(error.value)})
