"""Which data a run used: enough to find out later whether two runs saw the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.domain.alert import Example
from models.sources.report import ReadReport
from training.splits import time_key


@dataclass(frozen=True)
class DataFingerprint:
    """One input file.

    Parameters
    ----------
    name : str
        File name without its directory.
    role : str
        What it was used for, e.g. ``examples`` or ``ordinary``.
    rows : int
        Rows that were read; `refused` ones apart.
    sha256 : str
        Of the file's bytes, hex.
    first_day, last_day : str
        Span of its dates (ISO), empty where no row has one.
    undated : int
        Rows without a date.
    """

    name: str
    role: str
    path: str
    rows: int
    refused: int
    sha256: str
    first_day: str
    last_day: str
    undated: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def fingerprint(report: ReadReport, examples: Sequence[Example], role: str = "examples") -> DataFingerprint:
    """Return the fingerprint of a file from the report and the examples of its reading."""
    days = [key[0] for example in examples if (key := time_key(example)) is not None]
    first, last = ("", "") if not days else (dt.date.fromordinal(day).isoformat() for day in (min(days), max(days)))
    return DataFingerprint(
        Path(report.path).name,
        role,
        report.path,
        report.read,
        report.refused,
        report.sha256,
        first,
        last,
        len(examples) - len(days),
    )
