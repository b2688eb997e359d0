"""The schema of the DSA Transparency Database, read from its data file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import read_located

KINDS = ("choice", "choices", "text", "url", "date", "pattern", "identifiers")
_CONDITIONS = ("required_if", "keep_if", "drop_if")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class FieldRule:
    """One field of a statement and everything that is asked of it; the data file explains the keys."""

    name: str
    kind: str
    values: tuple[str, ...] = ()
    required: bool = False
    required_if: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    keep_if: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    drop_if: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    required_without: tuple[str, ...] = ()
    most: int = 0
    first: date | None = None
    last: date | None = None
    pattern: str = ""
    form: str = ""


@dataclass(frozen=True)
class StatementSchema:
    """One version of the schema.

    Parameters
    ----------
    batch : int
        Most statements in one submission.
    renamed : mapping
        Value that an earlier version knew -> what took its place.
    keywords_of_hazards, keywords_of_obligations : mapping
        Risk type, or code of an obligation -> keyword of the database.
    """

    version: str
    batch: int
    fields: Mapping[str, FieldRule]
    renamed: Mapping[str, str]
    keywords_of_hazards: Mapping[str, str]
    keywords_of_obligations: Mapping[str, str]


@cache
def load_schema(path: Path | None = None) -> StatementSchema:
    """Read the schema; without a path, the one that ships.

    Raises
    ------
    InputError
        Naming file, line, value and mend.
    """
    source = path or datasets_dir() / "statement_of_reasons.yaml"
    file = read_located(source)
    raw = file.data
    if not isinstance(raw, dict) or not isinstance(raw.get("fields"), list) or not isinstance(raw.get("values"), dict):
        raise InputError("keys 'fields' and 'values' are missing", place=str(source))
    rules = [
        _rule(entry, raw["values"], f"{source}:{file.line_of(('fields', i))}") for i, entry in enumerate(raw["fields"])
    ]
    names = {rule.name for rule in rules}
    for i, rule in enumerate(rules):
        named = {*rule.required_if, *rule.keep_if, *rule.drop_if, *rule.required_without}
        if named - names:
            place = f"{source}:{file.line_of(('fields', i))}"
            raise InputError(f"no field {sorted(named - names)[0]!r}", place=place, hint="name a field of this file")
    return StatementSchema(
        version=str(raw.get("version", "")),
        batch=int(raw.get("batch", 100)),
        fields={rule.name: rule for rule in rules},
        renamed=dict(raw.get("renamed") or {}),
        keywords_of_hazards=dict(raw.get("keywords_of_hazards") or {}),
        keywords_of_obligations=dict(raw.get("keywords_of_obligations") or {}),
    )


def _rule(entry: Any, values: Mapping[str, Any], place: str) -> FieldRule:
    if not isinstance(entry, dict) or not entry.get("name") or entry.get("kind") not in KINDS:
        raise InputError(f"value {entry!r} is no field", place=place, hint=f"give name and kind: {', '.join(KINDS)}")
    named = entry.get("values")
    if named is not None and named not in values:
        raise InputError(f"no list of values {named!r}", place=place, hint=f"lists: {', '.join(values)}")
    conditions = {key: dict(entry[key]) for key in _CONDITIONS if key in entry}
    return FieldRule(
        name=str(entry["name"]),
        kind=str(entry["kind"]),
        values=tuple(str(value) for value in values[named]) if named else (),
        required=entry.get("required") is True,
        required_without=tuple(entry.get("required_without", ())),
        most=int(entry.get("most", 0)),
        first=entry.get("from"),
        last=entry.get("until"),
        pattern=str(entry.get("pattern", "")),
        form=str(entry.get("form", "")),
        **conditions,
    )
