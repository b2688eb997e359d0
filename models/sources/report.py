"""What happened while a file was read: counts, refusals with their places, the file's hash."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.domain.errors import InputError

LOG = logging.getLogger(__name__)
KEPT_REFUSALS = 1_000
"""Refusals kept with their reason; beyond that they are only counted, so that a wrong file of millions stays small."""


@dataclass(frozen=True)
class Refusal:
    """One row or record that could not be used.

    Parameters
    ----------
    line : int
        1-based line of the file; for Parquet and for JSON lists, the 1-based number of the record.
    column : str
        Column or field at fault, empty where the whole row is.
    """

    line: int
    message: str
    column: str = ""
    hint: str = ""

    def as_error(self, path: str, unit: str = "line") -> InputError:
        """Return the refusal as the error that names file, line and column."""
        place = f"{path}: {unit} {self.line}"
        return InputError(
            self.message, place=f"{place}: column {self.column!r}" if self.column else place, hint=self.hint
        )


@dataclass
class ReadReport:
    """Counts and refusals of one read; handed back with the data and logged.

    Parameters
    ----------
    path : str
        The file.
    format : str
        What it was read as, e.g. ``csv`` or ``safety-gate-weekly-xml``.
    sha256 : str
        Of the file as it lies on the disk (compressed, where it is), hex.
    read, refused, repaired : int
        Rows that gave a result, rows that gave none, and rows of the first kind in which something was mended.
    replaced_bytes : int
        Bytes that were no valid text in the file's encoding, each replaced by U+FFFD.
    unknown_labels : Counter of str
        Label strings that the taxonomy does not know and that went to its fallback.
    ignored_columns : list of str
        Columns that no field claims.
    label_kind : str
        ``official``, ``weak`` (read by rule from prose), ``given`` (an example table) or ``none``.
    """

    path: str
    format: str = ""
    sha256: str = ""
    read: int = 0
    refused: int = 0
    repaired: int = 0
    replaced_bytes: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    unknown_labels: Counter[str] = field(default_factory=Counter)
    ignored_columns: list[str] = field(default_factory=list)
    label_kind: str = "none"
    unit: str = "line"

    @property
    def rows(self) -> int:
        """Rows met in the file, header and blank lines apart."""
        return self.read + self.refused

    def refuse(self, refusal: Refusal, *, strict: bool = False) -> None:
        """Count a refusal.

        Raises
        ------
        InputError
            In strict mode: the refusal itself, with its place.
        """
        if strict:
            raise refusal.as_error(self.path, self.unit)
        self.refused += 1
        if len(self.refusals) < KEPT_REFUSALS:
            self.refusals.append(refusal)

    def finish(self, *, all_refused: Literal["error", "accepted"] = "error") -> None:
        """Log the summary and, as warnings, what a person should look at.

        Raises
        ------
        InputError
            If every row was refused (unless that is accepted): going on with nothing would hide a file of another kind.
        """
        LOG.info(
            "%s: %s, %d rows read, %d refused, %d repaired, sha256 %s",
            self.path,
            self.format,
            self.read,
            self.refused,
            self.repaired,
            self.sha256[:12],
        )
        if not self.rows:
            LOG.warning("%s: holds no rows", self.path)
        for refusal in self.refusals[:5]:
            LOG.warning("refused: %s", refusal.as_error(self.path, self.unit))
        if self.unknown_labels:
            LOG.warning(
                "%s: %d labels unknown to the taxonomy: %s",
                self.path,
                self.unknown_labels.total(),
                ", ".join(f"{name!r} x {n}" for name, n in self.unknown_labels.most_common(10)),
            )
        if self.ignored_columns:
            LOG.info("%s: ignored columns: %s", self.path, ", ".join(self.ignored_columns))
        if self.refused and not self.read and all_refused == "error":
            first = self.refusals[0].as_error(self.path, self.unit)
            raise InputError(
                f"{first.message}; all {self.refused} rows were refused, this is the first",
                place=first.place,
                hint=first.hint,
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON and for MLflow."""
        return {
            "path": self.path,
            "format": self.format,
            "sha256": self.sha256,
            "read": self.read,
            "refused": self.refused,
            "repaired": self.repaired,
            "replaced_bytes": self.replaced_bytes,
            "label_kind": self.label_kind,
            "unknown_labels": dict(self.unknown_labels),
            "ignored_columns": list(self.ignored_columns),
            "refusals": [str(r.as_error(self.path, self.unit)) for r in self.refusals],
        }


def begin(path: Path | str, report: ReadReport | None = None) -> ReadReport:
    """Return a report with path and hash filled in, in `report` itself where one is given.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    source = Path(path)
    try:
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise InputError("no such file", place=str(source), hint="check the path") from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(source), hint="give a readable file") from error
    report = report if report is not None else ReadReport(str(source))
    report.path, report.sha256 = str(source), digest
    return report
