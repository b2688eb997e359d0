"""Whose days are counted: a state's, a region's, or those of an institution of the Union, whose days off are data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dateutil.easter import easter

from models.deadlines.calendar import WorkCalendar
from models.domain.countries import eea_country
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import LocatedYaml, read_located

_YEARS = range(2015, 2061)
"""Years for which days off are worked out; Regulation (EU) 2023/988 applies from 2024 on."""


@dataclass(frozen=True)
class Institution:
    """An institution with days off of its own.

    Parameters
    ----------
    closed : frozenset of date
        In `_YEARS`.
    """

    code: str
    name: str
    zone: str
    closed: frozenset[dt.date]


def calendar_of(country: str, region: str = "", zone: str = "") -> WorkCalendar:
    """Return the working days of a state of the European Economic Area, a region of it, or an institution.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2, or the code of an institution (``EU``).
    region : str
        ISO 3166-2 without the country, where it has holidays of its own.
    zone : str
        IANA time zone in which days begin and end; by default that of the capital.

    Raises
    ------
    InputError
        If country, region or zone is not known.

    Examples
    --------
    >>> calendar_of("EU").is_working_day(dt.date(2025, 5, 9)), calendar_of("BE").is_working_day(dt.date(2025, 5, 9))
    (False, True)
    """
    code = country.upper()
    found = institutions().get(code)
    if found is not None:
        if region:
            raise InputError(f"{found.name} has no region {region!r}", place="region", hint="leave it out")
        return WorkCalendar("BE", zone or found.zone, closed=found.closed, weekends_only=True)
    state = eea_country(code)
    if state is None:
        known = ", ".join(institutions())
        hint = f"give a state of the European Economic Area such as NL, or one of {known}"
        raise InputError(f"working days of {country!r} are not known", place="country", hint=hint)
    return WorkCalendar(state.code, zone or state.zone, region.upper())


@cache
def institutions(path: Path | None = None) -> dict[str, Institution]:
    """Return the institutions of `datasets/institutions.yaml` by their codes.

    Raises
    ------
    InputError
        Naming file, line, value and mend.
    """
    file = read_located(path or datasets_dir() / "institutions.yaml")
    entries = file.data.get("institutions") if isinstance(file.data, dict) else None
    if not isinstance(entries, list):
        raise InputError("key 'institutions' holds no list", place=str(file.file), hint="write one entry or more")
    found = {}
    for i, entry in enumerate(entries):
        try:
            days = frozenset(_days(entry, file, i))
            institution = Institution(entry["code"], entry["name"], entry["zone"], days)
        except (KeyError, TypeError) as error:
            hint = "give code, name, zone, fixed and easter"
            raise InputError(f"{error} is missing or of another kind", place=_place(file, i), hint=hint) from error
        found[institution.code] = institution
    return found


def _days(entry: dict[str, list[object]], file: LocatedYaml, i: int) -> Iterator[dt.date]:
    taken_away = {_date(str(day), file, i, "not") for day in entry.get("not") or ()}
    for year in _YEARS:
        sunday = easter(year)
        fixed = (_date(f"{year}-{day}", file, i, "fixed") for day in entry["fixed"])
        moving = (sunday + dt.timedelta(days=int(str(days))) for days in entry["easter"])
        yield from (day for day in (*fixed, *moving) if day not in taken_away)
    yield from (_date(str(day), file, i, "also") for day in entry.get("also") or ())


def _date(text: str, file: LocatedYaml, i: int, key: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        hint = "write 05-01 for a day of every year, 2027-05-07 for one day"
        raise InputError(f"{text!r} is no day", place=_place(file, i, key), hint=hint) from error


def _place(file: LocatedYaml, *path: str | int) -> str:
    return f"{file.file}:{file.line_of(('institutions', *path))}"
