"""Safety Gate weekly reports as XML: the list of reports, and the detail of one.

Element names follow what readers of the Commission's export found to hold data: ``caseNumber, reference`` (an address),
``category, product, brand, name, type_numberOfModel, batchNumber, barcode, riskType`` (comma-separated), ``danger,
measures, description, notifyingCountry, countryOfOrigin, level``. Source: European Commission, Safety Gate, CC BY 4.0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from models.domain.alert import Alert
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.sources.alert_fields import (
    BadRecordError,
    collect,
    date_of,
    joined,
    labels_of,
    level_of,
    list_of,
    text_of,
    web_address,
)
from models.sources.report import ReadReport, begin
from models.sources.safe_xml import elements, local_name

SOURCE = "safety-gate"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_VEHICLE_CATEGORY = "Motor vehicles"


@dataclass(frozen=True)
class WeeklyReport:
    """One entry of the list of weekly reports.

    Parameters
    ----------
    url : str
        Of the detail report.
    reference : str
        Of the report, empty where the list does not say.
    date : datetime.date or None
        Of publication.
    """

    url: str
    reference: str = ""
    date: dt.date | None = None


def read_weekly_list(path: Path | str) -> list[WeeklyReport]:
    """Read the list of weekly reports.

    Raises
    ------
    InputError
        If the file is no such list.
    """
    begin(path)
    reports = []
    for _, element in elements(Path(path), {"weeklyreport"}):
        fields = _fields(element)
        if url := web_address(fields.get("url")):
            reports.append(WeeklyReport(url, text_of(fields.get("reference")), date_of(fields.get("publicationdate"))))
    if not reports:
        # FACTS of the export name only the element URL: a list without the surrounding element is read as well.
        reports = [WeeklyReport(url) for _, e in elements(Path(path), {"url"}) if (url := web_address(e.text))]
    if not reports:
        raise InputError("no <URL> of a weekly report", place=str(path), hint="give the list, as XML")
    return reports


def read_weekly_report(path: Path | str, taxonomy: Taxonomy, *, strict: bool = False) -> tuple[list[Alert], ReadReport]:
    """Read the alerts of one weekly report (detail), in the order of the file.

    A motor vehicle is known by its category ``Motor vehicles``, filled in from ``xsi:type`` where it is missing.

    Raises
    ------
    InputError
        If the file is no well-formed XML, declares a DTD, or holds no notification.
    """
    report = begin(path)
    report.format, report.label_kind = "safety-gate-weekly-xml", "official"
    alerts = collect(_notifications(Path(path)), lambda e: alert_of(e, taxonomy, report), report, strict=strict)
    if not report.rows:
        raise InputError(
            "no <notifications> element",
            place=str(path),
            hint="is it the list of reports? then download the addresses that it names",
        )
    return alerts, report


def alert_of(notification: Element, taxonomy: Taxonomy, report: ReadReport) -> Alert:
    """Return the alert of one ``<notifications>`` element.

    Raises
    ------
    BadRecordError
        If it has no case number or names no product.
    """
    get = _fields(notification).get
    reference = text_of(get("casenumber"))
    if not reference:
        raise BadRecordError(
            "caseNumber", "the notification has no number", "each needs a caseNumber such as SR/00001/30"
        )
    vehicle = "motorvehicle" in (notification.get(_TYPE) or "").casefold()
    category = text_of(get("category")) or (_VEHICLE_CATEGORY if vehicle else "")
    title = joined(text_of(get("product")), text_of(get("name"))) or category
    if not title:
        raise BadRecordError("product", f"{reference} names no product", "fill product, name or category")
    names, unknown = labels_of(get("risktype") or "", taxonomy, report)
    return Alert(
        source=SOURCE,
        reference=reference,
        title=title,
        risk_types=names,
        unknown_labels=unknown,
        level=level_of(get("level"), reference),
        date=date_of(get("publicationdate") or get("publisheddate")),
        category=category,
        brand=text_of(get("brand")),
        description=text_of(get("description")),
        hazard_text=text_of(get("danger")),
        measures=text_of(get("measures")),
        country_of_notification=text_of(get("notifyingcountry")),
        country_of_origin=text_of(get("countryoforigin")),
        models=list_of(get("type_numberofmodel")),
        barcodes=list_of(get("barcode")),
        batches=list_of(get("batchnumber")),
        url=web_address(get("reference")),
    )


def _notifications(path: Path) -> Iterator[tuple[int, Element]]:
    return elements(path, {"notifications", "notification"})


def _fields(element: Element) -> dict[str, str]:
    """Texts of the direct children by lower-case name; several of one name are joined, nil ones left out."""
    fields: dict[str, str] = {}
    for child in element:
        text = (child.text or "").strip()
        if text and child.get(_NIL, "").strip() not in ("true", "1"):
            name = local_name(child.tag).casefold()
            fields[name] = f"{fields[name]}, {text}" if name in fields else text
    return fields
