"""How each kind of source is gone through: what it is asked for, in which order, and where its cursor stands then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from models.domain.alert import Alert
from models.sources.alert_fields import date_of, dig
from models.sources.safety_gate_json import portal_records
from models.sources.safety_gate_xml import WeeklyReport
from serving.recalls.documents import Document
from serving.recalls.fetching import FetchError, GoneError
from serving.recalls.polling import Ask, Round, since_of
from serving.recalls.reading import UnreadableError, read_list

_OVERLAP = dt.timedelta(days=7)
"""Registers add alerts late, and change them: the days before the cursor are asked for again."""
_ASKED_AGAIN = 2
"""Of the newest weekly reports, which may still be corrected."""
_ROWS = 100
"""Records of one answer of OpenDataSoft, the most it gives."""
_MOST_ROWS = 10_000
"""Offset and limit together that OpenDataSoft allows."""
_STALE = dt.timedelta(hours=24)


def weekly(work: Round) -> None:
    """Go through Safety Gate's weekly reports: the list, then each report that was not taken in, oldest first."""
    url = work.source.url
    fresh = work.get(url)
    listing = fresh or work.kept(url)
    if listing is None:
        return
    try:
        reports = read_list(listing)
    except UnreadableError as error:
        work.fail(str(error))
        return
    if fresh is not None:
        work.index(fresh)
    first = work.began.date() - dt.timedelta(days=work.source.first_days)
    done: dict[str, str] = dict(work.cursor.get("reports", {}))
    wanted = [each for each in reports if each.url in done or each.date is None or each.date >= first]
    wanted.sort(key=lambda each: each.date or dt.date.min)
    again = {each.url for each in wanted[-_ASKED_AGAIN:]}
    left = [each for each in wanted if each.url not in done or each.url in again]
    for report in left[: work.source.max_pages]:
        if not _of_same_host(report, url):
            work.fail(f"{url} names {report.url}, which is of another host; it is not asked")
            continue
        try:
            document = work.get(report.url)
        except GoneError as error:
            work.fail(str(error))
            continue
        if document is not None:
            done = {**done, report.url: report.date.isoformat() if report.date else ""}
            if work.take(document, {"reports": done}) is None:
                del done[report.url]


def portal(work: Round) -> None:
    """Go through the newest alerts of Safety Gate's portal, page by page; then look whether those of cases stand."""
    root, since = work.source.url, work.since() - _OVERLAP
    found: list[Alert] = []
    for page in range(work.source.max_pages):
        records = _portal_page(work, root, page)
        days = [_day_of(record) for record in records]
        for record, day in zip(records, days, strict=True):
            if day is None or day >= since:
                found += _portal_alert(work, f"{root}/notification/{dig(record, 'id')}?language=en", day)
        if not records or all(day is not None and day < since for day in days):
            break
    if not work.polled.failures:
        work.move({"since": since_of(found, work.since())})
    for alert_id, url in work.to_follow():
        try:
            document = work.get(url)
        except GoneError:
            work.lose([alert_id])
            continue
        if document is not None:
            work.take(document)


def _portal_page(work: Round, root: str, page: int) -> list[Any]:
    address, body = f"{root}/notification/mostRecent/", {"language": "en", "page": str(page)}
    document = work.get(address, method="POST", json=body)
    if document is None:
        return []
    try:
        return [each for each in portal_records(orjson.loads(document.data)) if dig(each, "id") is not None]
    except orjson.JSONDecodeError as error:
        work.fail(f"{address}: page {page}: not readable as JSON: {error.msg} at line {error.lineno}")
        return []


def _portal_alert(work: Round, url: str, day: dt.date | None) -> list[Alert]:
    known = work.known(url)
    if known is not None and not known.failure:
        fresh = work.began - known.seen_at < _STALE
        if fresh and (day is None or day < known.seen_at.date()):
            return []
    try:
        document = work.get(url)
    except GoneError as error:
        work.fail(str(error))
        return []
    read = None if document is None else work.take(document)
    return [] if read is None else read.alerts


def _day_of(record: Any) -> dt.date | None:
    days = [day for name in ("publicationDate", "modificationDate") if (day := date_of(dig(record, name)))]
    return max(days) if days else None


def opendatasoft(work: Round) -> None:
    """Go through the records of OpenDataSoft's copy that are new or changed since the cursor, page by page."""
    since, found = work.since() - _OVERLAP, list[Alert]()
    for page in range(min(work.source.max_pages, _MOST_ROWS // _ROWS)):
        day = f"date'{since.isoformat()}'"
        params = {
            "where": f"alert_date >= {day} or modification_date >= {day}",
            "order_by": "alert_date",
            "limit": str(_ROWS),
            "offset": str(page * _ROWS),
        }
        document = work.get(_with(work.source.url, params))
        if document is None:
            break
        read = work.take(document)
        if read is None:
            continue
        found += read.alerts
        if len(read.alerts) + read.refused < _ROWS:
            break
    if not work.polled.failures:
        work.move({"since": since_of(found, work.since())})


def cpsc(work: Round) -> None:
    """Ask for the recalls since the cursor, in one answer."""
    params = {"format": "json", "RecallDateStart": (work.since() - _OVERLAP).isoformat()}
    document = work.get(_with(work.source.url, params))
    read = None if document is None else work.take(document)
    if read is not None and not work.polled.failures:
        work.move({"since": since_of(read.alerts, work.since())})


def table(work: Round) -> None:
    """Read a table, from the disk or an address; of one that is complete, what is no longer in it was withdrawn."""
    file = work.source.file
    document = work.get(work.source.url) if file is None else _from_disk(work, file)
    if document is None or work.take(document, {"sha256": document.sha256}) is None:
        return
    if work.source.complete and not work.polled.failures:  # a row that cannot be read is not gone
        work.lose(work.not_seen_since(document.fetched_at))


def _from_disk(work: Round, file: Path) -> Document | None:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FetchError(f"{file}: {error.strerror}") from error
    if len(data) > work.source.max_mb * 1_000_000:
        raise FetchError(f"{file} holds more than {work.source.max_mb:,},000,000 bytes")
    document = Document(work.source.id, data, work.began, str(file))
    if document.sha256 == work.cursor.get("sha256"):
        work.polled.unchanged += 1
        return None
    return document


def _with(url: str, params: Mapping[str, str]) -> str:
    return f"{url}?{urlencode(params)}"


def _of_same_host(report: WeeklyReport, listing: str) -> bool:
    """A list that somebody has changed must not make us ask whomever it names."""
    return urlsplit(report.url).netloc == urlsplit(listing).netloc


WAYS: dict[str, Ask] = {
    "safety-gate-weekly": weekly,
    "safety-gate-portal": portal,
    "opendatasoft": opendatasoft,
    "cpsc": cpsc,
    "table": table,
}
