"""The OpenDataSoft copy of Safety Gate, dataset ``healthref-europe-rapex-en``.

API v1 answers ``records[].fields``, v2.1 ``results[]``.

Source: European Commission, Safety Gate, CC BY 4.0, as republished by OpenDataSoft.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.domain.alert import Alert
from models.domain.taxonomy import Taxonomy
from models.sources.alert_fields import (
    BadRecordError,
    collect,
    date_of,
    dig,
    joined,
    labels_of,
    level_of,
    list_of,
    records_of,
    text_of,
    web_address,
)
from models.sources.files import load_json
from models.sources.report import ReadReport, begin

SOURCE = "safety-gate"


def read_opendatasoft(path: Path | str, taxonomy: Taxonomy, *, strict: bool = False) -> tuple[list[Alert], ReadReport]:
    """Read an answer of the v1 or v2.1 API, or an export (a plain list of records, or one record a line).

    Raises
    ------
    InputError
        If the file is no JSON, or no record in it makes an alert.
    """
    report = begin(path)
    report.format, report.label_kind, report.unit = "opendatasoft-json", "official", "record"
    content, report.replaced_bytes = load_json(Path(path))
    records = enumerate(opendatasoft_records(content), start=1)
    return collect(records, lambda record: alert_of(record, taxonomy, report), report, strict=strict), report


def opendatasoft_records(content: Any) -> list[Any]:
    """Return the records of a parsed answer or export, without the wrapping of v1."""
    for key in ("results", "records"):
        if isinstance(dig(content, key), list):
            content = content[key]
            break
    return [dig(r, "fields") if isinstance(dig(r, "fields"), dict) else r for r in records_of(content)]


def alert_of(record: Any, taxonomy: Taxonomy, report: ReadReport) -> Alert:
    """Return the alert of one record; ``alert_type`` holds the risk types.

    Raises
    ------
    BadRecordError
        If it has no number or names no product.
    """

    def text(name: str) -> str:
        return text_of(dig(record, name))

    reference = text("alert_number")
    if not reference:
        raise BadRecordError("alert_number", "the record has no number", "each alert needs one such as SR/00001/30")
    title = joined(text("product_type"), text("product_name")) or text("product_category")
    if not title:
        raise BadRecordError("product_name", f"{reference} names no product", "fill product_name or product_type")
    names, unknown = labels_of([text_of(t) for t in records_of(dig(record, "alert_type"))], taxonomy, report)
    return Alert(
        source=SOURCE,
        reference=reference,
        title=title,
        risk_types=names,
        unknown_labels=unknown,
        level=level_of(text("alert_level"), reference),
        date=date_of(dig(record, "alert_date")),
        category=text("product_category"),
        brand=text("product_brand"),
        description=text("product_description"),
        hazard_text=joined(text("alert_description"), text("technical_defect"), text("risk_legal_provision")),
        measures="; ".join(list_of(records_of(dig(record, "measures_country")))),
        country_of_notification=text("alert_country"),
        country_of_origin=text("product_country"),
        models=list_of(dig(record, "product_model_type")),
        barcodes=list_of(dig(record, "product_barcode")),
        batches=list_of(dig(record, "product_batch_number")),
        url=web_address(dig(record, "rapex_url")),
    )
