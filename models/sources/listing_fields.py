"""Values of a file made acceptable as fields of a listing, with a note for all that was cut, dropped or repaired."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from models.domain.listing import (
    CAPTION_SOURCES,
    LIMITS,
    MARK_CODE,
    Caption,
    EconomicOperator,
    Listing,
    SellerHistory,
    repaired,
)
from models.sources.rows import cell_text, split_captions

FIELDS = tuple(Listing.model_fields)
"""Names of the fields of a listing."""

_T = TypeVar("_T")
_COUNTRY = re.compile(r"[A-Za-z]{2}")


def _limits(model: type[Listing] | type[EconomicOperator]) -> dict[str, int]:
    """Longest accepted texts, read from the type itself so that the two never differ."""
    properties = model.model_json_schema()["properties"]
    return {name: p["maxLength"] for name, p in properties.items() if "maxLength" in p}


_TEXT = _limits(Listing)
_OPERATOR = _limits(EconomicOperator)
_WARNING: int = Listing.model_json_schema()["properties"]["warnings"]["items"]["maxLength"]


class Intake:
    """Makes the values of one record acceptable and keeps the notes about it.

    Attributes
    ----------
    notes : list of str
        ``field: what was done``, each once.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, field: str, what: str) -> None:
        """Add a note."""
        line = f"{field}: {what}"
        if line not in self.notes:
            self.notes.append(line)

    def text(self, field: str, value: Any) -> str:
        """Return a text field of the listing."""
        return self._cut(field, value, _TEXT[field])

    def attributes(self, value: Any) -> dict[str, str]:
        """Return the attributes: from an object, from a list of ``{name, value}``, or from a cell.

        A cell holds JSON, or ``Colour: red ; Size: M``.
        """
        if isinstance(value, str):
            value = self._json_cell("attributes", value, otherwise=_pairs(value))
        if isinstance(value, list):
            value = {cell_text(item.get("name")): item.get("value") for item in value if isinstance(item, dict)}
        if value is None or value == {}:
            return {}
        if not isinstance(value, dict):
            self.note("attributes", "no names and values; write an object, or 'name: value ; name: value'")
            return {}
        result: dict[str, str] = {}
        for name, content in value.items():
            if len(result) == LIMITS["attributes"]:
                self.note("attributes", f"{len(value)} given, the first {LIMITS['attributes']} kept")
                break
            if content is not None and content == content:  # NaN is pandas' null
                key = self._cut("attributes", name, LIMITS["attribute name"])
                if key in result:
                    self.note("attributes", f"{key[:50]!r} stands twice; the last is kept")
                result[key] = self._cut(f"attributes.{key[:50]}", content, LIMITS["attribute value"])
        return result

    def captions(self, value: Any) -> list[Caption]:
        """Return the captions: from a list of texts or ``{text, source, confidence}``, or from ``a ; b`` in a cell."""
        if isinstance(value, str) and value.lstrip().startswith("["):
            value = self._json_cell("captions", value, otherwise=value)
        items = split_captions(value) if isinstance(value, str) else self._items("captions", value)
        captions = [caption for item in items if (caption := self._caption(item)) is not None]
        return self._first("captions", captions)

    def warnings(self, value: Any) -> list[str]:
        """Return the warnings: from a list, or from ``a ; b`` in a cell."""
        items = split_captions(value) if isinstance(value, str) else self._items("warnings", value)
        return self._first(
            "warnings", [text for item in items if (text := self._cut("warnings", item, _WARNING)).strip()]
        )

    def countries(self, value: Any) -> list[str]:
        """Return the target countries: from a list, or from a cell such as ``DE, FR``."""
        items = re.split(r"[\s,;|]+", value) if isinstance(value, str) else self._items("target_countries", value)
        codes = []
        for item in map(cell_text, items):
            if _COUNTRY.fullmatch(item.strip()):
                codes.append(item.strip().upper())
            elif item.strip():
                self.note("target_countries", f"{item.strip()[:40]!r} is no ISO 3166-1 alpha-2 code; left out")
        return self._first("target_countries", list(dict.fromkeys(codes)))

    def operator(self, field: str, value: Any) -> EconomicOperator | None:
        """Return an economic operator: from an object, or from a cell that gives its name."""
        if isinstance(value, str):
            value = self._json_cell(field, value, otherwise={"name": value}) if value.strip() else None
        if not value:
            return None
        if not isinstance(value, dict):
            self.note(field, "neither an object nor a name; left out")
            return None
        country = cell_text(value.get("country")).strip()
        if country and not _COUNTRY.fullmatch(country):
            self.note(f"{field}.country", f"{country[:40]!r} is no ISO 3166-1 alpha-2 code; left out")
            country = ""
        return EconomicOperator(
            **{name: self._cut(f"{field}.{name}", value.get(name), limit) for name, limit in _OPERATOR.items()},
            country=country.upper(),
        )

    def seller(self, value: Any) -> SellerHistory | None:
        """Return what is known of the seller: from an object, or from a cell that holds JSON."""
        if isinstance(value, str):
            value = self._json_cell("seller", value)
        if not value:
            return None
        if not isinstance(value, dict):
            self.note("seller", "no object; left out")
            return None
        known: dict[str, Any] = {}
        for name in SellerHistory.model_fields:
            try:
                known |= SellerHistory.model_validate({name: value.get(name)}).model_dump(exclude_none=True)
            except ValueError:
                self.note(f"seller.{name}", f"{_brief(value.get(name))} is no value of it; taken as not known")
        return SellerHistory(**known)

    def _caption(self, item: Any) -> Caption | None:
        record = item if isinstance(item, dict) else {"text": item}
        text = self._cut("captions", record.get("text"), LIMITS["caption"])
        failure = self._cut("captions", record.get("failure"), LIMITS["caption failure"])
        if not text.strip() and not failure:
            return None
        source, confidence = record.get("source", "given"), record.get("confidence", 1.0)
        if source not in CAPTION_SOURCES:
            self.note("captions", f"source {_brief(source)} is none of {', '.join(CAPTION_SOURCES)}; 'given' taken")
            source = "given"
        if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
            self.note("captions", f"confidence {_brief(confidence)} is not within 0 and 1; 1 taken")
            confidence = 1.0
        mark = cell_text(record.get("mark"))
        if not re.fullmatch(MARK_CODE, mark):
            self.note("captions", f"mark {_brief(mark)} is no code of a mark; left out")
            mark = ""
        return Caption(
            text=text,
            source=source,
            confidence=float(confidence),
            picture=self._cut("captions", record.get("picture"), LIMITS["caption picture"]),
            mark=mark,
            failure=failure,
        )

    def _items(self, field: str, value: Any) -> list[Any]:
        if value is None:
            return []
        if isinstance(value, list | tuple):
            return list(value)
        self.note(field, "not a list; read as its only item")
        return [value]

    def _first(self, field: str, items: list[_T]) -> list[_T]:
        if len(items) > LIMITS[field]:
            self.note(field, f"{len(items)} given, the first {LIMITS[field]} kept")
        return items[: LIMITS[field]]

    def _json_cell(self, field: str, text: str, otherwise: Any = None) -> Any:
        """Parse a cell that holds JSON; what is none is `otherwise`, and without one it is noted."""
        if not text.strip():
            return None
        try:
            return json.loads(text, strict=False) if text.lstrip()[0] in "[{" else otherwise
        except (ValueError, RecursionError):
            if otherwise is None:
                self.note(field, "not readable as JSON; left out")
            return otherwise

    def _cut(self, field: str, value: Any, limit: int) -> str:
        if isinstance(value, dict | list):
            self.note(field, f"a {'list' if isinstance(value, list) else 'object'}; kept as text")
        text = cell_text(value)
        clean = repaired(text, len(text))
        if clean != text:
            self.note(field, "control characters or broken characters were replaced")
        if len(clean) > limit:
            self.note(field, f"{len(clean)} characters, cut to {limit}")
        return clean[:limit]


def _pairs(text: str) -> dict[str, str] | str | None:
    """Read ``Colour: red ; Size: M``; a text without a colon comes back as it is, nothing as None."""
    parts = [part.partition(":") for part in split_captions(text)]
    if any(not colon for _, colon, _ in parts):
        return text
    return {name.strip(): value.strip() for name, _, value in parts} or None


def _brief(value: object) -> str:
    return repr(value)[:40] if isinstance(value, str | int | float) else f"of type {type(value).__name__}"
