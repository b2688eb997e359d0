"""The label set: risk types, product categories, levels and consumer groups, read from a YAML file."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.domain.risk import CONSUMER_GROUPS, RiskLevel

_SEPARATORS = re.compile(r"[;,]|\s/\s|(?<=[a-z])/(?=[a-z])|\band\b", re.IGNORECASE)
_NOISE = re.compile(r"^(type of risk|risk type|risks?|risk of|alert type)\s*:?\s+", re.IGNORECASE)


@dataclass(frozen=True)
class RiskType:
    """One hazard category that a product can have.

    Parameters
    ----------
    name : str
        The label in example tables and answers, e.g. ``electric shock``.
    key : str
        The value of the Safety Gate enumeration, e.g. ``ELECTRIC_SHOCK``.
    label : str
        What people read.
    severity : tuple of int
        Default severity (1-4) for each consumer group, in the order of `CONSUMER_GROUPS`.
    injury : float
        Default probability of harm over the lifetime, given an unsafe product with this hazard.
    aliases : tuple of str
        Other spellings seen in real sources.
    """

    name: str
    key: str
    label: str
    severity: tuple[int, int, int] = (2, 2, 2)
    injury: float = 1e-4
    aliases: tuple[str, ...] = ()

    def severity_for(self, consumers: str) -> int:
        """Return the default severity (1-4) for a consumer group."""
        return self.severity[CONSUMER_GROUPS.index(consumers)]


@dataclass(frozen=True)
class ParsedLabels:
    """Risk types read from one raw string, with the parts that no risk type claims."""

    names: tuple[str, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """A label set with a name and a version.

    Parameters
    ----------
    name, version : str
        Together the version that every answer and artifact names.
    risk_types : tuple of RiskType
        In the order of the file, which is the order of every score array.
    categories : tuple of str
        Product categories.
    fallback : str or None
        Name of the risk type that unknown strings map to; None refuses them.
    """

    name: str
    version: str
    risk_types: tuple[RiskType, ...]
    categories: tuple[str, ...]
    fallback: str | None = None
    level_labels: dict[str, str] = field(default_factory=dict)
    consumer_categories: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Name and version, as answers carry it."""
        return f"{self.name}@{self.version}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the risk types, in order."""
        return tuple(r.name for r in self.risk_types)

    @cached_property
    def _by_spelling(self) -> dict[str, str]:
        spellings: dict[str, str] = {}
        for risk in self.risk_types:
            for spelling in (risk.name, risk.key, risk.key.replace("_", " "), risk.label, *risk.aliases):
                spellings.setdefault(fold_label(spelling), risk.name)
        return spellings

    def risk_type(self, name: str) -> RiskType:
        """Return the risk type of that name.

        Raises
        ------
        KeyError
            If the taxonomy has no such risk type.
        """
        for risk in self.risk_types:
            if risk.name == name:
                return risk
        raise KeyError(name)

    def parse_labels(self, raw: str) -> ParsedLabels:
        """Read risk types from a raw string such as ``"Strangulation / Injuries"``.

        A whole-string match comes first (``health risk / other`` holds a separator), then the parts between
        separators. Unknown parts map to the fallback risk type and are reported.

        Examples
        --------
        >>> load_taxonomy().parse_labels("Type of risk: Electric shock, Injuried").names
        ('electric shock', 'injuries')
        """
        names: list[str] = []
        unknown: list[str] = []
        for chunk in re.split(r"[;,|]", raw):
            parts = [chunk] if fold_label(chunk) in self._by_spelling else _SEPARATORS.split(chunk)
            for part in parts:
                folded = fold_label(part)
                if not folded:
                    continue
                name = self._by_spelling.get(folded)
                if name is None:
                    unknown.append(part.strip())
                    name = self.fallback
                if name is not None and name not in names:
                    names.append(name)
        return ParsedLabels(tuple(names), tuple(unknown))


def fold_label(raw: str) -> str:
    """Fold a label for comparison: compatibility forms, case, separators, spaces, a leading ``risk of``."""
    text = unicodedata.normalize("NFKC", raw).casefold().replace("_", " ")
    text = re.sub(r"^(risktype|risk_type)\.", "", text.strip())
    text = _NOISE.sub("", re.sub(r"\s+", " ", text).strip(" .:"))
    return re.sub(r"\s*/\s*", " / ", text)


def load_taxonomy(path: Path | str | None = None) -> Taxonomy:
    """Read a taxonomy file; without a path, the Safety Gate taxonomy that ships with hazardlens.

    Raises
    ------
    InputError
        If the file is missing, is no YAML, or lacks a key; the message names file, key and mend.
    """
    source = Path(path) if path is not None else datasets_dir() / "taxonomy.yaml"
    try:
        raw = yaml.safe_load(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("no such taxonomy file", place=str(source), hint="give --taxonomy a YAML file") from error
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"not readable as YAML: {error}", place=str(source)) from error
    return parse_taxonomy(raw, place=str(source))


def parse_taxonomy(raw: Any, place: str = "taxonomy") -> Taxonomy:
    """Build a taxonomy from its parsed YAML; see `load_taxonomy`."""
    if not isinstance(raw, dict) or not isinstance(raw.get("risk_types"), list) or not raw["risk_types"]:
        raise InputError(
            "key 'risk_types' must hold a list of risk types", place=place, hint="each entry needs at least `name`"
        )
    risk_types = tuple(_risk_type(entry, f"{place}: risk_types[{i}]") for i, entry in enumerate(raw["risk_types"]))
    repeated = [name for name, n in Counter(r.name for r in risk_types).items() if n > 1]
    if repeated:
        raise InputError(f"risk type {repeated[0]!r} stands twice", place=place, hint="names must be unique")
    raw_levels = _named(raw, "risk_levels", place)
    levels = [str(level["name"]) for level in raw_levels]
    if levels and levels != [level.value for level in RiskLevel]:
        raise InputError(
            f"risk_levels are {levels}",
            place=place,
            hint=f"the EU matrix gives {[level.value for level in RiskLevel]}, in this order",
        )
    fallback = raw.get("fallback_risk_type")
    if fallback is not None and fallback not in {r.name for r in risk_types}:
        raise InputError(
            f"fallback_risk_type {fallback!r} is no risk type",
            place=place,
            hint="name one of risk_types, or leave the key out",
        )
    categories = _named(raw, "product_categories", place)
    return Taxonomy(
        name=str(raw.get("name", Path(place).stem)),
        version=str(raw.get("version", "1")),
        risk_types=risk_types,
        categories=tuple(str(c["name"]) for c in categories),
        fallback=fallback,
        level_labels={str(level["name"]): str(level.get("label", level["name"])) for level in raw_levels},
        consumer_categories=tuple(str(c["name"]) for c in categories if c.get("consumer", True)),
    )


def _named(raw: dict[str, Any], key: str, place: str) -> list[dict[str, Any]]:
    entries = raw.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "name" in entry for entry in entries):
        raise InputError(
            f"key {key!r} must hold a list of mappings with a name", place=place, hint="write - {name: ...}"
        )
    return entries


def _number(value: Any) -> float:
    """Return a value as a number, NaN where it is none; YAML reads ``1e-4`` (without a point) as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _risk_type(entry: Any, place: str) -> RiskType:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, dict) or not str(entry.get("name", "")).strip():
        raise InputError(f"value {entry!r} has no name", place=place, hint="write {name: ..., label: ...}")
    name = str(entry["name"]).strip()
    severity = entry.get("severity", [2, 2, 2])
    if (
        not isinstance(severity, list)
        or len(severity) != len(CONSUMER_GROUPS)
        or any(s not in (1, 2, 3, 4) for s in severity)
    ):
        raise InputError(
            f"severity {severity!r} of {name!r}",
            place=place,
            hint=f"give one of 1, 2, 3, 4 for each of {list(CONSUMER_GROUPS)}",
        )
    injury = _number(entry.get("injury", 1e-4))
    if not 0.0 < injury <= 1.0:
        raise InputError(
            f"injury {entry['injury']!r} of {name!r}", place=place, hint="a probability above 0, at most 1"
        )
    aliases = entry.get("aliases", [])
    if not isinstance(aliases, list):
        raise InputError(f"aliases {aliases!r} of {name!r}", place=place, hint="write a list: [one, two]")
    return RiskType(
        name=name,
        key=str(entry.get("key", name.upper().replace(" ", "_"))),
        label=str(entry.get("label", name)),
        severity=(severity[0], severity[1], severity[2]),
        injury=injury,
        aliases=tuple(str(alias) for alias in aliases),
    )
