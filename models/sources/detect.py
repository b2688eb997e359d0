"""Alerts from any file that is understood: the format is told from the ending and the content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.domain.alert import Alert, Example
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.sources import cpsc, opendatasoft, safety_gate_json, safety_gate_xml
from models.sources.alert_fields import date_of, dig
from models.sources.examples import iter_examples
from models.sources.files import TextLines, first_bytes, load_json, parse_json
from models.sources.report import ReadReport, begin
from models.sources.tables import TABLE_FORMATS, table_format

ALERT_FORMATS = (
    "Safety Gate weekly report (XML), Safety Gate portal alert or list of them (JSON), OpenDataSoft copy of Safety "
    f"Gate (JSON, API v1 and v2.1), CPSC recalls (JSON), or an example table: {TABLE_FORMATS}"
)
_MARKS = {
    "cpsc-json": {"recallid", "recallnumber", "recalldate"},
    "opendatasoft-json": {"alert_number", "alert_type", "alert_level"},
    "safety-gate-portal-json": {"reference", "notificationtype", "risk"},
    "jsonl": {"title"},
}
"""Keys of which one is enough to tell a record's format, first match first."""

_READERS: dict[str, Callable[..., tuple[list[Alert], ReadReport]]] = {
    "safety-gate-weekly-xml": safety_gate_xml.read_weekly_report,
    "safety-gate-portal-json": safety_gate_json.read_portal,
    "opendatasoft-json": opendatasoft.read_opendatasoft,
    "cpsc-json": cpsc.read_recalls,
}


def alert_format(path: Path | str) -> str:
    """Return the format of a file of alerts, by the name that its report carries.

    Raises
    ------
    InputError
        If it is none of those known; the message lists them.
    """
    begin(path)
    source = Path(path)
    head = first_bytes(source).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<") or head.startswith((b"\xff\xfe<", b"\xfe\xff\x00<")):
        if head[:200].lower().lstrip().startswith((b"<!doctype html", b"<html")):
            raise _unknown(source, "an HTML page, perhaps an error message saved as a file")
        return "safety-gate-weekly-xml"
    if not head.startswith((b"{", b"[")):
        try:
            return table_format(source)
        except InputError as error:
            raise _unknown(source, error.message) from error
    records = _unwrapped(_first_value(source))
    if not records:
        return "empty-json-list"
    for name, keys in _MARKS.items():
        if any(isinstance(record, dict) and keys & {str(key).casefold() for key in record} for record in records[:20]):
            return name
    raise _unknown(source, "JSON, but no record looks like an alert")


def read_alerts(path: Path | str, taxonomy: Taxonomy, *, strict: bool = False) -> tuple[list[Alert], ReadReport]:
    """Read alerts from a file of any known format.

    Parameters
    ----------
    taxonomy : Taxonomy
        Gives the risk types; strings that it does not know map to its fallback and are counted.
    strict : bool
        Raise at the first bad record instead of collecting it in the report.

    Raises
    ------
    InputError
        If the format is not known, or as the reader of the format says.
    """
    kind = alert_format(path)
    if kind in _READERS:
        return _READERS[kind](path, taxonomy, strict=strict)
    report = begin(path)
    if kind == "empty-json-list":
        report.format = kind
        report.finish()
        return [], report
    examples = iter_examples(path, taxonomy, labelled=False, unknown="other", strict=strict, report=report)
    return [alert_of_example(example) for example in examples], report


def _first_value(path: Path) -> Any:
    """Return the first line's value where each line holds one (such a file may be huge), else the whole file's."""
    lines = TextLines(path, newline="\n")
    try:
        return parse_json(next(line for line in lines if line.strip()))
    except ValueError:
        return load_json(path)[0]
    finally:
        lines.close()


def _unwrapped(content: Any) -> list[Any]:
    """Return the records of any of the JSON shapes."""
    if isinstance(dig(content, "results"), list) or isinstance(dig(content, "records"), list):
        return opendatasoft.opendatasoft_records(content)
    return safety_gate_json.portal_records(content)


def _unknown(path: Path, what: str) -> InputError:
    return InputError(f"not a known format of alerts: {what}", place=str(path), hint=f"known formats: {ALERT_FORMATS}")


def alert_of_example(example: Example) -> Alert:
    """Return the row of an example table as an alert, without a level: the table has none."""
    return Alert(
        source=example.source or "example-table",
        reference=example.id,
        title=example.title,
        risk_types=example.labels or (),
        date=date_of(example.date),
        category=example.category,
        brand=example.brand,
        description=example.description,
        captions=example.captions,
        language=example.lang or "en",
    )
