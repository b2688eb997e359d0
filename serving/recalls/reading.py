"""Reads what sources send, by the readers of their formats."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from models.domain.alert import Alert
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.sources import cpsc, opendatasoft, safety_gate_json, safety_gate_xml
from models.sources.detect import read_alerts
from models.sources.report import ReadReport
from models.sources.safety_gate_xml import WeeklyReport, read_weekly_list
from serving.recalls.documents import Document
from serving.recalls.sources import Source, SourceKind

_NO_SOURCE = "example-table"
_TOLD = 5
_READERS: dict[SourceKind, Callable[..., tuple[list[Alert], ReadReport]]] = {
    "safety-gate-weekly": safety_gate_xml.read_weekly_report,
    "safety-gate-portal": safety_gate_json.read_portal,
    "opendatasoft": opendatasoft.read_opendatasoft,
    "cpsc": cpsc.read_recalls,
    "table": read_alerts,
}


class UnreadableError(Exception):
    """A document is not of the form that its source gives."""


@dataclass(frozen=True)
class Read:
    """What a document tells of.

    Parameters
    ----------
    refused : int
        Records in it that make no alert.
    failure : str
        What is wrong with these, empty where nothing is.
    """

    alerts: list[Alert]
    refused: int = 0
    failure: str = ""


def read_document(document: Document, source: Source, taxonomy: Taxonomy) -> Read:
    """Return the alerts of a document.

    Raises
    ------
    UnreadableError
        Naming the place in the document, and the mend.
    """
    with _as_file(document) as file:
        try:
            found, report = _READERS[source.kind](file.path, taxonomy)
        except InputError as error:
            raise file.unreadable(error) from error
        told = [file.named(str(each.as_error(str(file.path), report.unit))) for each in report.refusals[:_TOLD]]
    more = f"; and {report.refused - len(told)} more" if report.refused > len(told) else ""
    alerts = [replace(alert, source=source.issuer) if alert.source == _NO_SOURCE else alert for alert in found]
    return Read(alerts, report.refused, "; ".join(told) + more)


def read_list(document: Document) -> list[WeeklyReport]:
    """Return the weekly reports that a list names.

    Raises
    ------
    UnreadableError
        If it is no such list.
    """
    with _as_file(document) as file:
        try:
            return read_weekly_list(file.path)
        except InputError as error:
            raise file.unreadable(error) from error


class _as_file:  # noqa: N801  (used as a function)
    """A document as a file, which the readers take, for as long as it is read."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._directory = tempfile.TemporaryDirectory(prefix="hazardlens-")
        suffixes = PurePosixPath(urlsplit(document.url).path).suffixes[-2:]
        self.path = Path(self._directory.name) / f"document{''.join(suffixes)}"

    def __enter__(self) -> _as_file:
        self.path.write_bytes(self._document.data)
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()

    def named(self, text: str) -> str:
        """Return a message with the address in place of the file."""
        return text.replace(str(self.path), self._document.url or "the document")

    def unreadable(self, error: InputError) -> UnreadableError:
        """Return what is wrong with the document itself."""
        return UnreadableError(self.named(str(error)))
