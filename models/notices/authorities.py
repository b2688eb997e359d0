"""Which authority watches over product safety in which state, from `datasets/authorities.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.domain.countries import eea_codes, eea_country
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import LocatedYaml, read_located

_TEXTS = ("name", "english", "website", "report", "email", "phone", "source")
_NEEDED = ("english", "website")


@dataclass(frozen=True)
class Authority:
    """The authority for product safety of a state.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2.
    name, english : str
        What it calls itself, and in English; the former may be empty.
    report : str
        Where consumers report a dangerous product; empty where not known.
    verified : bool
        Whether its role was read in an official text.
    source : str
        That text; there where `verified`.
    """

    country: str
    english: str
    website: str
    verified: bool
    name: str = ""
    report: str = ""
    email: str = ""
    phone: str = ""
    source: str = ""

    @property
    def called(self) -> str:
        """Its own name, else the English one."""
        return self.name or self.english


@dataclass(frozen=True)
class Authorities:
    """The authorities by code of the state, and where the Commission lists them."""

    official_list: str
    by_country: Mapping[str, Authority]

    def of(self, country: str) -> Authority | None:
        """Return the authority of a state of the EEA (any case; EL is GR), None for another country.

        Examples
        --------
        >>> load_authorities().of("el").country
        'GR'
        """
        state = eea_country(country)
        return None if state is None else self.by_country[state.code]


@cache
def load_authorities(path: Path | None = None) -> Authorities:
    """Read the register; without a path, the one that ships.

    Raises
    ------
    InputError
        With file, line and mend: for an unknown key, an address that is none, a state that is missing, named twice or
        outside the EEA, a verified entry without a source.
    """
    file = read_located(path or datasets_dir() / "authorities.yaml")
    data = file.data if isinstance(file.data, dict) else {}
    entries = data.get("authorities")
    if not isinstance(entries, list) or not _is_address(data.get("official_list")):
        raise InputError(
            "official_list or authorities is missing", place=str(file.file), hint="see the file that ships"
        )
    found: dict[str, Authority] = {}
    for i, entry in enumerate(entries):
        authority = _authority(file, i, entry)
        if authority.country in found:
            raise _error(file, i, f"country {authority.country} stands twice", "keep one of them")
        found[authority.country] = authority
    missing = sorted(set(eea_codes()) - set(found))
    if missing:
        raise InputError(
            f"no entry for {', '.join(missing)}", place=str(file.file), hint="add one a state, verified or not"
        )
    return Authorities(data["official_list"], found)


def _authority(file: LocatedYaml, i: int, entry: Any) -> Authority:
    if not isinstance(entry, dict) or entry.get("country") not in eea_codes():
        raise _error(file, i, "country is no state of the EEA", 'write a code such as NL; quote "NO"; Greece is GR')
    for key, value in entry.items():
        if key not in ("country", "verified", *_TEXTS):
            raise _error(file, i, f"unknown key {key!r}", f"keys: country, verified, {', '.join(_TEXTS)}")
        if key in _TEXTS and not isinstance(value, str):
            raise _error(file, i, f"value {value!r} of {key} is no text", "quote it")
        if key in ("website", "report") and not _is_address(value):
            raise _error(file, i, f"value {value!r} of {key} is no address", "write https://...")
    if not isinstance(entry.get("verified"), bool) or not all(entry.get(key) for key in _NEEDED):
        raise _error(file, i, "verified, english or website is missing", "verified is true or false")
    if entry["verified"] and not entry.get("source"):
        raise _error(file, i, "source is missing", "name the page on which its role was read, or write verified: false")
    return Authority(**entry)


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("https://") and " " not in value


def _error(file: LocatedYaml, i: int, message: str, hint: str) -> InputError:
    return InputError(message, place=f"{file.file}:{file.line_of(('authorities', i))}", hint=hint)
