"""Alerts of the Safety Gate portal's public JSON API: the detail of one, or a list of details.

Source: European Commission, Safety Gate, CC BY 4.0. Photos show products of third parties and are left alone.
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
_PAGE_KEYS = ("content", "notifications", "alerts")
_SCREEN = "https://ec.europa.eu/safety-gate-alerts/screen/webReport/alertDetail/"


def read_portal(path: Path | str, taxonomy: Taxonomy, *, strict: bool = False) -> tuple[list[Alert], ReadReport]:
    """Read a detail of the portal, a list of them, a page of the API, or one detail a line.

    Raises
    ------
    InputError
        If the file is no JSON, or no record in it makes an alert.
    """
    report = begin(path)
    report.format, report.label_kind, report.unit = "safety-gate-portal-json", "official", "record"
    content, report.replaced_bytes = load_json(Path(path))
    records = enumerate(portal_records(content), start=1)
    return collect(records, lambda record: alert_of(record, taxonomy, report), report, strict=strict), report


def portal_records(content: Any) -> list[Any]:
    """Return the details that a parsed file holds: a page's items, a list, or the one detail."""
    for key in _PAGE_KEYS:
        if isinstance(dig(content, key), list):
            return list(content[key])
    return records_of(content)


def alert_of(record: Any, taxonomy: Taxonomy, report: ReadReport) -> Alert:
    """Return the alert of one detail, in English where it has an English version, else in its first language.

    Packaging is described apart from the product and left out: no seller writes such a text.

    Raises
    ------
    BadRecordError
        If it has no reference or names no product.
    """
    reference = text_of(dig(record, "reference"))
    if not reference:
        raise BadRecordError("reference", "the record has no reference", "each alert needs one such as SR/00001/30")
    product = dig(record, "product")
    version = _version(dig(product, "versions"))
    category = _name(dig(product, "productCategory"))
    title = joined(text_of(dig(product, "nameSpecific")), text_of(dig(version, "name"))) or category
    if not title:
        raise BadRecordError(
            "product", f"{reference} names no product", "fill product.nameSpecific or a version's name"
        )
    names, unknown = labels_of([_name(r) for r in records_of(dig(record, "risk", "riskType"))], taxonomy, report)
    measures = [
        joined(_name(dig(m, "measureCategory")), _name(dig(m, "measureType")), by=": ")
        for m in records_of(dig(record, "measureTaken", "measures"))
    ]
    notification = dig(record, "notificationType")
    identifier = text_of(dig(record, "id"))
    return Alert(
        source=SOURCE,
        reference=reference,
        title=title,
        risk_types=names,
        unknown_labels=unknown,
        level=level_of(_name(notification) or text_of(dig(notification, "code")), reference),
        date=date_of(dig(record, "publicationDate")),
        category=category,
        brand=", ".join(_each(product, "brands", "brand")),
        description=text_of(dig(version, "description")),
        hazard_text=text_of(dig(_version(dig(record, "risk", "versions")), "riskDescription")),
        measures="; ".join(m for m in measures if m),
        country_of_notification=_name(dig(record, "country")),
        country_of_origin=_name(dig(record, "traceability", "countryOrigin")),
        models=_each(product, "modelTypes", "modelType"),
        barcodes=_each(product, "barcodes", "barcode"),
        batches=_each(product, "batchNumbers", "batchNumber"),
        language=_language(version) or "en",
        url=web_address(_SCREEN + identifier) if identifier else "",
    )


def _version(versions: Any) -> Any:
    """Return the English version, else the first."""
    records = records_of(versions)
    return next((v for v in records if _language(v) == "en"), records[0] if records else None)


def _language(version: Any) -> str:
    return _key(dig(version, "language")).rpartition(".")[2].casefold()


def _name(value: Any) -> str:
    """Return the name of a ``{key, name}`` pair, else the last part of its key; texts stand for themselves."""
    if not isinstance(value, dict):
        return text_of(value)
    return text_of(dig(value, "name")) or text_of(_key(value).rpartition(".")[2])


def _key(value: Any) -> str:
    return text_of(dig(value, "key")) if isinstance(value, dict) else text_of(value)


def _each(product: Any, key: str, field: str) -> tuple[str, ...]:
    return list_of([item.get(field) if isinstance(item, dict) else item for item in records_of(dig(product, key))])
