"""The states of the European Economic Area, their languages, and where an address lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import yaml

from models.domain.resources import datasets_dir

_POSTCODE = re.compile(r"\b[\dA-Z-]*\d[\dA-Z-]*\b")


@dataclass(frozen=True)
class Country:
    """One state.

    Parameters
    ----------
    languages : frozenset of str
        ISO 639-1 codes in which its consumers easily understand warnings.
    detected_as : frozenset of str
        These and the codes that a detector answers for them.
    zone : str
        IANA time zone of its capital.
    languages_in_order : tuple of str
        The same codes, the most spoken first.
    names : tuple of str
        English first.
    """

    code: str
    languages: frozenset[str]
    detected_as: frozenset[str]
    zone: str
    languages_in_order: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Register:
    countries: dict[str, Country]
    named: dict[str, str]


@cache
def _register() -> _Register:
    raw = yaml.safe_load((datasets_dir() / "countries.yaml").read_text(encoding="utf-8"))
    countries: dict[str, Country] = {}
    named: dict[str, str] = {}
    for entry in raw["countries"]:
        languages = frozenset(entry["languages"])
        detected = languages | frozenset(entry.get("taken_for", ()))
        in_order, names = tuple(entry["languages"]), tuple(entry["names"])
        country = Country(entry["code"], languages, detected, entry["zone"], in_order, names)
        for code in (entry["code"], *entry.get("also", ())):
            countries[code] = country
        for name in (entry["code"], *entry.get("also", ()), *entry["names"]):
            named[name.casefold()] = entry["code"]
    return _Register(countries, named)


def eea_country(code: str) -> Country | None:
    """Return the state of a code (any case; EL is GR), None for one outside the European Economic Area.

    Examples
    --------
    >>> sorted(eea_country("be").languages)
    ['de', 'fr', 'nl']
    """
    return _register().countries.get(code.upper())


def eea_codes() -> tuple[str, ...]:
    """Return the 30 codes, sorted."""
    return tuple(sorted({country.code for country in _register().countries.values()}))


def country_of_address(address: str) -> str | None:
    """Return the code of the state that an address ends with, None where it names none of the EEA.

    Examples
    --------
    >>> country_of_address("Eksempelvej 2, Aarhus, DK")
    'DK'
    >>> country_of_address("1 Example Road, Shenzhen, China") is None
    True
    """
    parts = [part.strip(" .") for part in re.split(r"[,;\n]", address) if part.strip(" .")]
    if not parts:
        return None
    last = _POSTCODE.sub("", parts[-1]).strip(" .-()").casefold()
    return _register().named.get(last)
