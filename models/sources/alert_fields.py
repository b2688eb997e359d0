"""How the fields of official notices are read, whatever the register: level, date, labels, lists, web addresses."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from models.domain.alert import Alert, AlertLevel
from models.domain.listing import repaired
from models.domain.taxonomy import Taxonomy
from models.sources.labels import UnknownLabelError, read_labels
from models.sources.report import ReadReport, Refusal
from models.sources.rows import cell_text

_Record = TypeVar("_Record")
_PLACEHOLDERS = frozenset(
    {"unknown", "n/a", "na", "none", "not available", "not applicable", "not specified", "-", "--", "/", "."}
)
_LIST = re.compile(r"\s*[;,|\n\r]+\s*")
_PREFIX_LEVELS = {
    "SR": AlertLevel.SERIOUS,
    "A12": AlertLevel.SERIOUS,
    "EM": AlertLevel.SERIOUS,
    "OR": AlertLevel.OTHER,
    "A11": AlertLevel.OTHER,
    "INFO": AlertLevel.INFORMATION,
}
_DATES = (
    (re.compile(r"(\d{4})-(\d{2})-(\d{2})(?!\d)"), (1, 2, 3)),
    (re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?!\d)"), (3, 2, 1)),
)


class BadRecordError(ValueError):
    """A record that makes no alert; says which field and how to mend it."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        self.field, self.hint = field, hint
        super().__init__(message)


def collect(
    records: Iterable[tuple[int, _Record]], parse: Callable[[_Record], Alert], report: ReadReport, *, strict: bool
) -> list[Alert]:
    """Parse each record; a bad one is refused in the report and the next goes on.

    Parameters
    ----------
    records : iterable of (int, record)
        With the 1-based line or number that an error names.

    Raises
    ------
    InputError
        Strict: at the first bad record. Otherwise only if every record is bad.
    """
    alerts = []
    for number, record in records:
        try:
            alerts.append(parse(record))
        except BadRecordError as error:
            report.refuse(Refusal(number, str(error), error.field, error.hint), strict=strict)
        else:
            report.read += 1
    report.finish()
    return alerts


def text_of(value: object) -> str:
    """Return a field as one clean line or text: no control characters, no outer or non-breaking spaces, no placeholder.

    Examples
    --------
    >>> text_of(" Plush\\u00a0bear "), text_of("Unknown"), text_of(None)
    ('Plush bear', '', '')
    """
    raw = cell_text(value)
    text = repaired(raw, len(raw)).replace("\u00a0", " ").strip()
    return "" if text.casefold() in _PLACEHOLDERS else text


def list_of(value: object) -> tuple[str, ...]:
    """Return a list field (a list, or text separated by commas, semicolons or line ends), each item once.

    Examples
    --------
    >>> list_of("AB-1, AB-2;AB-1")
    ('AB-1', 'AB-2')
    """
    raw = value if isinstance(value, list | tuple) else _LIST.split(cell_text(value))
    return tuple(dict.fromkeys(text for item in raw if (text := text_of(item))))


def labels_of(
    raw: str | Iterable[str], taxonomy: Taxonomy, report: ReadReport
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (risk types, strings unknown to the taxonomy); the unknown ones map to its fallback and are counted.

    Raises
    ------
    BadRecordError
        If a string is unknown and the taxonomy has no fallback.
    """
    counted: Counter[str] = Counter()
    try:
        names = read_labels(raw, taxonomy, unknown="other", counter=counted)
    except UnknownLabelError as error:
        raise BadRecordError("risk type", str(error), error.hint) from error
    report.unknown_labels.update(counted)
    return names, tuple(counted)


def level_of(stated: object, reference: str) -> AlertLevel:
    """Return the level that the notice states, and else that of its reference number.

    Source of the prefixes: 3,037 published alerts, in which the level follows the prefix: ``SR/``, the older ``A12/``,
    the oldest bare numbers and ``EM/`` are serious; ``OR/`` and ``A11/`` are other risks; ``INFO/`` is for information.

    Examples
    --------
    >>> level_of("", "SR/00001/30").value, level_of("Other risk levels", "A12/0001/19").value
    ('serious', 'other')
    """
    text = text_of(stated).casefold()
    if "information" in text or "other types" in text or "other alert" in text:
        return AlertLevel.INFORMATION
    if "other risk" in text or "other level" in text or "non-serious" in text or "less than serious" in text:
        return AlertLevel.OTHER
    if "serious" in text:
        return AlertLevel.SERIOUS
    prefix = reference.strip().upper().partition("/")[0]
    if prefix.isdigit() and "/" in reference:
        return AlertLevel.SERIOUS
    return _PREFIX_LEVELS.get(prefix, AlertLevel.UNKNOWN)


def date_of(value: object) -> dt.date | None:
    """Return a date from ISO text, ``dd/mm/yyyy`` or milliseconds since 1970 (UTC); None for anything else.

    Examples
    --------
    >>> date_of("2030-01-04T00:00:00").isoformat(), date_of("04/01/2030").isoformat(), date_of("soon")
    ('2030-01-04', '2030-01-04', None)
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and 1e11 < value < 1e13:
        return dt.datetime.fromtimestamp(value / 1_000, tz=dt.UTC).date()
    text = cell_text(value).strip()
    for pattern, (year, month, day) in _DATES:
        if found := pattern.match(text):
            try:
                return dt.date(int(found[year]), int(found[month]), int(found[day]))
            except ValueError:
                return None
    return None


def web_address(value: object) -> str:
    """Return an http(s) address, empty for anything else: consoles turn it into a link, so no other scheme may pass."""
    text = text_of(value)
    return text if re.match(r"https?://[^\s<>\"']+$", text, re.IGNORECASE) else ""


def joined(*parts: str, by: str = " ") -> str:
    """Join texts, leaving out empty ones and those that an earlier one already holds."""
    kept: list[str] = []
    for part in parts:
        if part and not any(part.casefold() in other.casefold() for other in kept):
            kept.append(part)
    return by.join(kept)


def dig(record: Any, *path: str) -> Any:
    """Follow keys through nested objects; None where one is missing or is no object."""
    for key in path:
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record


def records_of(value: Any) -> list[Any]:
    """Return a list as it is, null as an empty list, and anything else as its only item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
