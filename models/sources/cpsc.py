"""Recalls of the US Consumer Product Safety Commission, as its SaferProducts REST API gives them (public domain).

The Commission publishes no risk types: they are read from the hazard sentence by the rules of `cpsc_hazards`, and every
report says ``label_kind = "weak"``. Recalls have no risk level.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from models.domain.alert import Alert, AlertLevel
from models.domain.taxonomy import Taxonomy
from models.sources.alert_fields import (
    BadRecordError,
    collect,
    date_of,
    dig,
    joined,
    labels_of,
    list_of,
    records_of,
    text_of,
    web_address,
)
from models.sources.cpsc_hazards import hazards_in
from models.sources.files import load_json
from models.sources.report import ReadReport, begin

SOURCE = "cpsc"
_INVOLVES = re.compile(
    r"^\s*(this|the)\s+(expanded\s+|voluntary\s+)?recalls?(\s+\w+){0,2}?"
    r"\s+(involves?|includes?|covers?|is for|are for)\s+",
    re.IGNORECASE,
)
_RECALLED = re.compile(r"\b(newly |previously )?recalled\s+", re.IGNORECASE)
_RECALL = re.compile(r"recall", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(]?[A-Z0-9])")
_HEADLINE = re.compile(
    r"\brecalls?\s+(?P<product>.+?)(?:\s+(?:due to|because of|over|for)\s+.*|\s*;.*)?$", re.IGNORECASE
)


def read_recalls(path: Path | str, taxonomy: Taxonomy, *, strict: bool = False) -> tuple[list[Alert], ReadReport]:
    """Read a list of recalls, one recall, or one recall a line.

    Raises
    ------
    InputError
        If the file is no JSON, or no record in it makes an alert.
    """
    report = begin(path)
    report.format, report.label_kind, report.unit = "cpsc-json", "weak", "record"
    content, report.replaced_bytes = load_json(Path(path))
    records = enumerate(records_of(content), start=1)
    return collect(records, lambda record: alert_of(record, taxonomy, report), report, strict=strict), report


def alert_of(record: Any, taxonomy: Taxonomy, report: ReadReport) -> Alert:
    """Return the alert of one recall.

    The headline ("Firm Recalls Widgets Due to Fire Hazard") states the hazard, so the title is the product's name.

    Raises
    ------
    BadRecordError
        If it has no number or names no product.
    """
    reference = text_of(dig(record, "RecallNumber")) or text_of(dig(record, "RecallID"))
    if not reference:
        raise BadRecordError("RecallNumber", "the record has no number", "each recall needs RecallNumber or RecallID")
    products = records_of(dig(record, "Products"))
    names = _each(record, "Products", "Name")
    title = ", ".join(plain for name in names[:5] if (plain := without_recall(name))) or _product_of(
        text_of(dig(record, "Title"))
    )
    if not title:
        raise BadRecordError("Products", f"{reference} names no product", "fill Products[].Name")
    hazard = joined(*_each(record, "Hazards", "Name"))
    given = _each(record, "Hazards", "HazardType")
    types, unknown = labels_of(hazards_in(joined(hazard, *given)), taxonomy, report)
    description = joined(text_of(dig(record, "Description")), *(text_of(dig(p, "Description")) for p in products))
    return Alert(
        source=SOURCE,
        reference=reference,
        title=title,
        risk_types=types,
        unknown_labels=unknown,
        level=AlertLevel.UNKNOWN,
        date=date_of(dig(record, "RecallDate")),
        category=joined(*_each(record, "Products", "Type"), by=", "),
        description=without_recall(description),
        hazard_text=hazard,
        measures=joined(*_each(record, "Remedies", "Name"), *_each(record, "RemedyOptions", "Option"), by="; "),
        country_of_notification="United States",
        country_of_origin=", ".join(_each(record, "ManufacturerCountries", "Country")),
        models=list_of([m for text in _each(record, "Products", "Model") for m in list_of(text)]),
        barcodes=_each(record, "ProductUPCs", "UPC"),
        captions=tuple(c for text in _each(record, "Images", "Caption") if (c := without_recall(text))),
        url=web_address(dig(record, "URL")),
    )


def without_recall(text: str) -> str:
    """Return a product description as a seller could have written it: nothing in it speaks of the recall.

    The opening "This recall involves" and the word "recalled" go; a sentence that still speaks of a recall goes whole.

    Examples
    --------
    >>> without_recall("This recall involves plush bears. The recalled bears are blue. Only lot 7 is in this recall.")
    'Plush bears. The bears are blue.'
    """
    kept = []
    for sentence in _SENTENCE_END.split(text.strip()):
        plain = _RECALLED.sub("", _INVOLVES.sub("", sentence)).strip()
        if plain and not _RECALL.search(plain):
            kept.append(plain[0].upper() + plain[1:] if plain != sentence.strip() else plain)
    return " ".join(kept)


def _product_of(headline: str) -> str:
    found = _HEADLINE.search(headline[:500])  # the pattern backtracks: bound its work
    return without_recall(found["product"]) if found else without_recall(headline)


def _each(record: Any, key: str, field: str) -> tuple[str, ...]:
    return list_of([dig(item, field) for item in records_of(dig(record, key))])
