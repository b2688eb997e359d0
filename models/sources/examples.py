"""The example table: listing-shaped texts with known hazards, or ordinary listings without labels.

Columns: ``id, date, lang, title, brand, category, description, captions, labels`` and, where there are any,
``risk_level``, ``source`` and ``url``. A labelled table needs ``id``, ``title`` and ``labels``, an ordinary one ``id``
and ``title``; the others default to empty. No other column is read: what states the defect (``hazard_text``) can never
reach a model from here.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.listing import CAPTION_SOURCES, repaired
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy
from models.sources.labels import Unknown, UnknownLabelError, read_labels
from models.sources.report import ReadReport, Refusal, begin
from models.sources.rows import Row, cell_text, split_captions
from models.sources.tables import open_table

COLUMNS = (
    "id",
    "date",
    "lang",
    "title",
    "brand",
    "category",
    "description",
    "captions",
    "labels",
    "risk_level",
    "sample_weight",
    "source",
    "url",
)
"""Every column that is read."""
_JUDGED = ("labels", "risk_level", "sample_weight")
_TEXTS = tuple(name for name in COLUMNS if name not in ("captions", *_JUDGED))
_LARGEST_WEIGHT = 1_000
LABELLED = ("id", "title", "labels")
ORDINARY = ("id", "title")


def read_examples(
    path: Path | str, taxonomy: Taxonomy, *, labelled: bool = True, unknown: Unknown = "error", strict: bool = False
) -> tuple[list[Example], ReadReport]:
    """Read an example table into a list; see `iter_examples`.

    Returns
    -------
    examples : list of Example
    report : ReadReport
    """
    report = ReadReport(str(path))
    examples = list(iter_examples(path, taxonomy, labelled=labelled, unknown=unknown, strict=strict, report=report))
    return examples, report


def read_ordinary(path: Path | str, *, strict: bool = False) -> tuple[list[Example], ReadReport]:
    """Read listings whose hazards nobody looked at: `Example.labels` is None, also where the table has labels."""
    report = ReadReport(str(path))
    return list(iter_ordinary(path, strict=strict, report=report)), report


def iter_ordinary(path: Path | str, *, strict: bool = False, report: ReadReport | None = None) -> Iterator[Example]:
    """Stream listings whose hazards nobody looked at; see `read_ordinary` and `iter_examples`."""
    return _iterate(path, None, ORDINARY, "other", strict, report)


def iter_examples(
    path: Path | str,
    taxonomy: Taxonomy,
    *,
    labelled: bool = True,
    unknown: Unknown = "error",
    strict: bool = False,
    report: ReadReport | None = None,
) -> Iterator[Example]:
    """Stream the examples of a table, one row in memory at a time.

    Parameters
    ----------
    path : Path or str
        CSV, TSV or JSON lines (each also gzip), or Parquet.
    taxonomy : Taxonomy
        Gives the labels.
    labelled : bool
        Require labels. Otherwise a row without them has `Example.labels` None.
    unknown : {"error", "other"}
        Refuse a row with an unknown label, or use the taxonomy's fallback and count the label.
    strict : bool
        Raise at the first bad row instead of collecting it.
    report : ReadReport, optional
        Is filled while the rows are read, and logged at the end.

    Raises
    ------
    InputError
        If the file is missing, damaged or of an unknown kind, if a required column is missing, if every row is bad, or
        (strict) at the first bad row. The message names file, line and column.
    """
    return _iterate(path, taxonomy, LABELLED if labelled else ORDINARY, unknown, strict, report)


def _iterate(
    path: Path | str,
    taxonomy: Taxonomy | None,
    required: tuple[str, ...],
    unknown: Unknown,
    strict: bool,
    report: ReadReport | None,
) -> Iterator[Example]:
    report = begin(path, report)
    columns = COLUMNS if taxonomy is not None else tuple(c for c in COLUMNS if c not in _JUDGED)
    seen: dict[str, None] = {}
    with open_table(Path(path), columns) as table:
        report.format, report.unit = table.format, table.unit
        report.label_kind = "none" if taxonomy is None else "given"
        if table.columns is not None:
            _require(table.columns, required, f"{path}: line 1" if table.unit == "line" else str(path))
            seen.update(dict.fromkeys(table.columns))
        for row in table.rows:
            try:
                if row.error:
                    raise _BadCell("", row.error, row.hint)
                if table.columns is None:
                    _require_keys(row, required)
                    seen.update(dict.fromkeys(row.cells))
                example, mended = _example(row, taxonomy, unknown, report)
            except _BadCell as bad:
                report.refuse(Refusal(row.line, bad.message, bad.column, bad.hint), strict=strict)
                continue
            report.read += 1
            report.replaced_bytes += row.replaced
            report.repaired += mended or row.replaced > 0
            yield example
    report.ignored_columns = [name for name in seen if name not in columns][:200]
    report.finish()


class _BadCell(Exception):  # noqa: N818 -- a signal inside this module, never seen outside
    def __init__(self, column: str, message: str, hint: str = "") -> None:
        self.column, self.message, self.hint = column, message, hint
        super().__init__(message)


def _require(columns: tuple[str, ...], required: tuple[str, ...], place: str) -> None:
    for name in required:
        if name not in columns:
            raise InputError("the column is missing", place=f"{place}: column {name!r}", hint=_missing(name, columns))


def _require_keys(row: Row, required: tuple[str, ...]) -> None:
    for name in required:
        if name not in row.cells:
            raise _BadCell(name, "the column is missing", _missing(name, tuple(row.cells)))


def _missing(name: str, columns: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, columns, n=1)
    found = ", ".join(columns[:30]) or "none"
    return f"did you mean {close[0]!r}? columns found: {found}" if close else f"columns found: {found}"


def _example(row: Row, taxonomy: Taxonomy | None, unknown: Unknown, report: ReadReport) -> tuple[Example, bool]:
    cells = row.cells
    raw = {name: cell_text(cells.get(name)) for name in _TEXTS}
    texts = {name: repaired(text, len(text)) for name, text in raw.items()}
    captions, sources = _captions(cells.get("captions"))
    clean = tuple(repaired(caption, len(caption)) for caption in captions)
    mended = texts != raw or clean != captions
    if not texts["id"].strip():
        texts["id"], mended = f"row-{row.line}", True
    labels = None if taxonomy is None else _labels(cells, taxonomy, unknown, report)
    level = None if taxonomy is None else _level(cells.get("risk_level"))
    weight = 1.0 if taxonomy is None else _weight(cells.get("sample_weight"))
    return Example(
        **texts,  # type: ignore[arg-type]
        captions=clean,
        caption_sources=sources,
        labels=labels,
        risk_level=level,
        weight=weight,
    ), mended


def _labels(cells: dict[str, Any], taxonomy: Taxonomy, unknown: Unknown, report: ReadReport) -> tuple[str, ...] | None:
    if "labels" not in cells:
        return None
    raw = cells["labels"]
    if raw is None:
        raise _BadCell(
            "labels",
            "the value is null",
            "write an empty text or list for a product that is known to have no hazard; leave out the others",
        )
    if not isinstance(raw, str | list):
        raise _BadCell("labels", f"{raw!r:.80} is neither text nor a list", "write risk types separated by ';'")
    try:
        return read_labels(
            raw if isinstance(raw, str) else [cell_text(item) for item in raw],
            taxonomy,
            unknown=unknown,
            counter=report.unknown_labels,
        )
    except UnknownLabelError as error:
        raise _BadCell("labels", str(error)[:300], error.hint) from error


def _level(raw: object) -> RiskLevel | None:
    name = cell_text(raw).strip().casefold()
    if not name:
        return None
    try:
        return RiskLevel(name)
    except ValueError as error:
        close = difflib.get_close_matches(name[:100], list(RiskLevel), n=1)
        hint = f"did you mean {str(close[0])!r}?" if close else f"levels: {', '.join(RiskLevel)}"
        raise _BadCell("risk_level", f"unknown risk level {name[:100]!r}", hint) from error


def _weight(raw: object) -> float:
    text = cell_text(raw).strip()
    if not text:
        return 1.0
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight <= _LARGEST_WEIGHT:
        raise _BadCell(
            "sample_weight",
            f"{text[:100]!r} is no weight",
            f"give a number above 0, at most {_LARGEST_WEIGHT:,}; 1 is usual",
        )
    return weight


def _captions(raw: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return captions and, where one of them names it, the source of each; a strange source is the seller."""
    if not isinstance(raw, list):
        return split_captions(cell_text(raw)), ()
    records = [item if isinstance(item, dict) else {"text": item} for item in raw]
    found = [(text, record.get("source")) for record in records if (text := cell_text(record.get("text"))).strip()]
    named = any(source is not None for _, source in found)
    sources = [str(source) if source in CAPTION_SOURCES else "given" for _, source in found]
    return tuple(text for text, _ in found), tuple(sources) if named else ()
