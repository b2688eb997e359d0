"""The register of commitments: areas of the Product Safety Pledge+, their status here and the evidence for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import LocatedYaml, read_located

EVIDENCE = ("page", "route", "command", "figure")
_KEYS = ("id", "name", "deadline", "verified", "source", "status", "note", "evidence")


class Status(StrEnum):
    """How far an area is met."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    ORGANISATION = "organisation"
    OPEN = "open"


@dataclass(frozen=True)
class Evidence:
    """Something that shows an area is met: a page, a route of the API, a command or a figure."""

    kind: str
    name: str


@dataclass(frozen=True)
class Commitment:
    """An area of the pledge.

    Parameters
    ----------
    name : str
        In our words; empty where nobody here knows what is asked.
    verified : bool
        Whether it was read in a published text, `source`.
    """

    id: str
    name: str
    verified: bool
    status: Status
    deadline: str = ""
    source: str = ""
    note: str = ""
    evidence: Sequence[Evidence] = ()


@cache
def load_commitments(path: Path | None = None) -> tuple[Commitment, ...]:
    """Read the register; without a path, the one that ships.

    Raises
    ------
    InputError
        With file, line and mend: for an unknown key, status or kind of evidence, an id that stands twice, an area that
        is verified without a source, or that has a status without a name.
    """
    file = read_located(path or datasets_dir() / "commitments.yaml")
    areas = file.data.get("areas") if isinstance(file.data, dict) else None
    if not isinstance(areas, list) or not areas:
        raise InputError("areas is missing", place=str(file.file), hint="see the file that ships")
    found = [_commitment(file, i, entry) for i, entry in enumerate(areas)]
    for i, each in enumerate(found):
        if each.id in [other.id for other in found[:i]]:
            raise _error(file, i, f"id {each.id!r} stands twice", "keep one of them")
    return tuple(found)


def _commitment(file: LocatedYaml, i: int, entry: Any) -> Commitment:
    if not isinstance(entry, dict):
        raise _error(file, i, f"value {entry!r} is no area", "write {id: ..., name: ..., status: ...}")
    for key, value in entry.items():
        if key not in _KEYS:
            raise _error(file, i, f"unknown key {key!r}", f"keys: {', '.join(_KEYS)}")
        if key not in ("verified", "evidence") and not isinstance(value, str):
            raise _error(file, i, f"value {value!r} of {key} is no text", "quote it")
    if not entry.get("id") or not isinstance(entry.get("verified"), bool):
        raise _error(file, i, "id or verified is missing", "verified is true or false")
    if entry.get("status") not in tuple(Status):
        raise _error(file, i, f"value {entry.get('status')!r} of status is not known", f"one of {', '.join(Status)}")
    if entry["verified"] and not entry.get("source"):
        raise _error(file, i, "source is missing", "name the published text, or write verified: false")
    if not entry.get("name") and entry["status"] != Status.OPEN:
        raise _error(file, i, "name is missing", "an area that nobody can name is open")
    return Commitment(
        **{key: entry[key] for key in ("id", "verified", "deadline", "source", "note") if key in entry},
        name=entry.get("name", ""),
        status=Status(entry["status"]),
        evidence=tuple(_evidence(file, i, each) for each in entry.get("evidence") or ()),
    )


def _evidence(file: LocatedYaml, i: int, given: Any) -> Evidence:
    if isinstance(given, dict) and len(given) == 1:
        ((kind, name),) = given.items()
        if kind in EVIDENCE and isinstance(name, str) and name:
            return Evidence(kind, name)
    raise _error(file, i, f"evidence {given!r} is none", f"write {{{EVIDENCE[0]}: ...}}, or {', '.join(EVIDENCE[1:])}")


def _error(file: LocatedYaml, i: int, message: str, hint: str) -> InputError:
    return InputError(message, place=f"{file.file}:{file.line_of(('areas', i))}", hint=hint)
