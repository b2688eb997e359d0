"""Facts of the marketplace that decides, read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from models.deadlines.calendar import WorkCalendar
from models.domain.action import Action
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import LocatedYaml, read_located
from models.reasons.schema import load_schema

_TEXTS = (
    "name",
    "operator",
    "safety_contact",
    "terms_url",
    "terms_clause",
    "complaint_url",
    "reporting_period",
    "legal_ground",
)


@dataclass(frozen=True)
class Marketplace:
    """Who decides, under which terms, and what its actions do to an offer; `datasets/marketplace.yaml` explains it."""

    name: str
    operator: str
    safety_contact: str
    terms_url: str
    terms_clause: str
    complaint_url: str
    reporting_period: str
    legal_ground: str
    countries: tuple[str, ...]
    visibility: Mapping[Action, str]
    illegal: frozenset[Action]
    calendar: WorkCalendar

    def restricts(self, action: Action) -> bool:
        """Whether an action restricts an offer, so that a statement of reasons is owed (DSA Article 17)."""
        return action in self.visibility


@cache
def load_marketplace(path: Path | None = None) -> Marketplace:
    """Read the facts; without a path, the example that ships.

    Raises
    ------
    InputError
        Naming file, line, key and mend.
    """
    file = read_located(path or datasets_dir() / "marketplace.yaml")
    if not isinstance(file.data, dict):
        raise InputError("the file holds no keys", place=str(file.file), hint="copy datasets/marketplace.yaml")
    known = {f.name for f in fields(Marketplace)}
    for key in file.data:
        if key not in known:
            raise InputError(f"unknown key {key!r}", place=_place(file, key), hint=f"keys: {', '.join(sorted(known))}")
    texts = {name: _text(file, name) for name in _TEXTS}
    countries = tuple(_listed(file, "countries"))
    eea = load_schema().fields["territorial_scope"].values
    for i, country in enumerate(countries):
        if country not in eea:
            raise InputError(
                f"value {country!r} is no EEA country", place=_place(file, "countries", i), hint="Greece is GR"
            )
    return Marketplace(
        **texts,
        countries=countries,
        visibility=_visibility(file),
        illegal=frozenset(_action(file, name, "illegal", i) for i, name in enumerate(_listed(file, "illegal"))),
        calendar=_calendar(file),
    )


def _text(file: LocatedYaml, name: str) -> str:
    value = file.data.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"value {value!r} of {name} is no text", place=_place(file, name), hint="write it out")
    if name.endswith("_url") and not value.startswith(("https://", "http://")):
        raise InputError(f"value {value!r} of {name} is no URL", place=_place(file, name), hint="write https://...")
    return value.strip()


def _listed(file: LocatedYaml, name: str) -> list[Any]:
    value = file.data.get(name) or []
    if not isinstance(value, list):
        raise InputError(f"value {value!r} of {name} is no list", place=_place(file, name), hint="write [a, b]")
    return value


def _visibility(file: LocatedYaml) -> dict[Action, str]:
    raw = file.data.get("visibility")
    if not isinstance(raw, dict):
        raise InputError("key 'visibility' must hold a mapping", place=_place(file, "visibility"), hint="action: value")
    allowed = load_schema().fields["decision_visibility"].values
    for name, value in raw.items():
        if value not in allowed or value == "DECISION_VISIBILITY_OTHER":
            hint = f"give one of {', '.join(allowed[:-1])}"
            raise InputError(f"value {value!r} is not known", place=_place(file, "visibility", name), hint=hint)
    return {_action(file, name, "visibility", name): str(value) for name, value in raw.items()}


def _calendar(file: LocatedYaml) -> WorkCalendar:
    raw = file.data.get("calendar")
    known = ("country", "zone", "subdivision")
    if not isinstance(raw, dict) or not all(key in known and isinstance(raw[key], str) for key in raw):
        hint = "write {country: NL, zone: Europe/Amsterdam}, and subdivision where a region has its own holidays"
        raise InputError(f"value {raw!r} of calendar is none", place=_place(file, "calendar"), hint=hint)
    try:
        return WorkCalendar(raw.get("country", ""), raw.get("zone", ""), raw.get("subdivision", ""))
    except InputError as error:
        raise InputError(error.message, place=_place(file, "calendar"), hint=error.hint) from error


def _action(file: LocatedYaml, name: Any, *path: str | int) -> Action:
    try:
        return Action(name)
    except ValueError as error:
        hint = f"give one of {', '.join(Action)}"
        raise InputError(f"value {name!r} is no action", place=_place(file, *path), hint=hint) from error


def _place(file: LocatedYaml, *path: str | int) -> str:
    return f"{file.file}:{file.line_of(path)}"
