"""The input of ``hazardlens score``: any table of listings, one outcome for every row, none lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.domain.errors import InputError
from models.domain.listing import Listing
from models.sources.listing_fields import FIELDS, Intake
from models.sources.report import ReadReport, Refusal, begin
from models.sources.rows import cell_text
from models.sources.tables import open_table

ALIASES = {"lang": "language", "barcode": "gtin", "ean": "gtin"}
"""Column names of example tables and shop exports, and the field of `Listing` each stands for."""
_IMAGES = "images"
_COLUMNS = (*FIELDS, *ALIASES, _IMAGES)


@dataclass(frozen=True)
class ScoredInput:
    """What became of one row of the input.

    Parameters
    ----------
    row : int
        1-based line of the file (Parquet: number of the row).
    id : str
        The listing's id, ``row-<n>`` where the row gives none.
    listing : Listing or None
        None where the row could not be read.
    notes : list of str
        What was cut or repaired.
    error : str or None
        Place, reason and mend, where the row could not be read.
    images : object
        The pictures that the row names, as they came; None for none.
    """

    row: int
    id: str
    listing: Listing | None
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    images: Any = field(default=None, repr=False)


def read_listings(path: Path | str) -> tuple[list[ScoredInput], ReadReport]:
    """Read a table of listings into a list; see `iter_listings`."""
    report = ReadReport(str(path))
    return list(iter_listings(path, report)), report


def iter_listings(path: Path | str, report: ReadReport | None = None) -> Iterator[ScoredInput]:
    """Stream the rows of a table as listings: exactly one outcome a row, in the order of the file.

    Parameters
    ----------
    path : Path or str
        CSV, TSV or JSON lines (each also gzip), or Parquet; columns as in an example table or the fields of `Listing`.
    report : ReadReport, optional
        Is filled while the rows are read, and logged at the end.

    Raises
    ------
    InputError
        If the file is missing, of an unknown kind, has no column with a title or a description, or breaks off (after
        the rows before the break were handed out).
    """
    report = begin(path, report)
    seen: dict[str, None] = {}
    with open_table(Path(path), _COLUMNS) as table:
        report.format, report.unit = table.format, table.unit
        if table.columns is not None:
            if not {"title", "description"} & set(table.columns):
                raise InputError(
                    "no column holds a title or a description",
                    place=f"{path}: column 'title'",
                    hint=f"columns found: {', '.join(table.columns[:30])}",
                )
            seen.update(dict.fromkeys(table.columns))
        for row in table.rows:
            if row.error:
                refusal = Refusal(row.line, row.error, hint=row.hint)
                report.refuse(refusal)
                yield ScoredInput(row.line, f"row-{row.line}", None, error=str(refusal.as_error(str(path), table.unit)))
                continue
            if table.columns is None and len(seen) < 1_000:
                seen.update(dict.fromkeys(row.cells))
            outcome = listing_of(row.cells, row.line, row.replaced)
            report.read += 1
            report.repaired += bool(outcome.notes)
            report.replaced_bytes += row.replaced
            yield outcome
    report.ignored_columns = [name for name in seen if name not in _COLUMNS][:200]
    report.finish(all_refused="accepted")


def listing_of(cells: Mapping[str, Any], row: int = 1, replaced: int = 0) -> ScoredInput:
    """Make a listing of one record, whatever its values are; never raises.

    Parameters
    ----------
    cells : mapping
        By lower-case name: the fields of `Listing`, or the columns of an example table. Others are ignored.
    row : int
        Number of the row, for the id of a listing that has none.
    replaced : int
        Bytes of the row that were no text, for the note.
    """
    record = dict(cells)
    for alias, name in ALIASES.items():
        if not cell_text(record.get(name)):
            record[name] = cells.get(alias)
    intake = Intake()
    if replaced:
        intake.note("encoding", f"{replaced} bytes that are no UTF-8 were replaced")
    given = intake.text("id", record.get("id")).strip()
    if not given:
        intake.note("id", f"missing; row-{row} was given")
    if record.get("title") is None:
        intake.note("title", "missing; left empty")
    identifier = given or f"row-{row}"
    texts = {
        name: intake.text(name, record.get(name))
        for name in ("title", "description", "category", "brand", "gtin", "model", "price", "language", "seller_id")
    }
    listing = Listing(
        id=identifier,
        **texts,
        attributes=intake.attributes(record.get("attributes")),
        captions=intake.captions(record.get("captions")),
        target_countries=intake.countries(record.get("target_countries")),
        manufacturer=intake.operator("manufacturer", record.get("manufacturer")),
        seller=intake.seller(record.get("seller")),
        responsible_person=intake.operator("responsible_person", record.get("responsible_person")),
        warnings=intake.warnings(record.get("warnings")),
    )
    return ScoredInput(row, identifier, listing, intake.notes, images=record.get(_IMAGES) or None)


def to_json_line(listing: Listing) -> str:
    """Return a listing as one line that `iter_listings` reads back to an equal listing."""
    return json.dumps(listing.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
