"""What GPSR Article 22(9) wants to be shown with an offer, and what of it a listing lacks.

Regulation (EU) 2023/988, Article 22(9): (a) name, trade name or mark of the manufacturer with postal and electronic
address; (b) where the manufacturer is not established in the Union, the same of the responsible person; (c)
information that identifies the product: a picture, its type and any other product identifier; (d) warnings and safety
information in a language easily understood by consumers, as the Member State determines.

Pictures reach hazardlens as captions, so that their absence says nothing: (c) is taken to hold where the listing has a
title and one of brand, GTIN and model. Whether a product needs warnings at all is for the plan to say: (d) gives only
the countries in whose languages there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.domain.countries import country_of_address, eea_country

GAPS: dict[str, str] = {
    "manufacturer": "name, trade name or mark of the manufacturer (GPSR Article 22(9)(a))",
    "manufacturer-address": "postal address of the manufacturer (GPSR Article 22(9)(a))",
    "manufacturer-email": "e-mail address of the manufacturer (GPSR Article 22(9)(a))",
    "manufacturer-country": "country of the manufacturer, or a responsible person in the EU (GPSR Article 22(9)(b))",
    "responsible-person": "name of the responsible person in the EU (GPSR Article 22(9)(b))",
    "responsible-person-address": "postal address of the responsible person (GPSR Article 22(9)(b))",
    "responsible-person-email": "e-mail address of the responsible person (GPSR Article 22(9)(b))",
    "identification": "brand, GTIN or model, and the type of the product (GPSR Article 22(9)(c))",
}
"""Codes of what can be missing, with what it is and where it is asked for."""


def traceability_gaps(listing: Mapping[str, Any]) -> list[str]:
    """Return the codes of `GAPS` that a listing has, in their order.

    Parameters
    ----------
    listing : mapping
        A `Listing` as JSON gives it; absent keys are empty.
    """
    maker, person = listing.get("manufacturer") or {}, listing.get("responsible_person") or {}
    gaps = _operator_gaps("manufacturer", maker)
    if _text(person, "name") or _text(person, "address") or _text(person, "email"):
        gaps += _operator_gaps("responsible-person", person)
    elif _text(maker, "name"):
        country = _country(maker)
        if country == "":
            gaps.append("manufacturer-country")
        elif eea_country(country) is None:
            gaps.append("responsible-person")
    identifiers = ("brand", "gtin", "model")
    if not _text(listing, "title") or not any(_text(listing, name) for name in identifiers):
        gaps.append("identification")
    return gaps


def countries_without_warnings(countries: Iterable[str], warning_languages: Iterable[str]) -> list[str]:
    """Return the EEA countries among `countries` for which no warning is in one of their languages, sorted.

    Parameters
    ----------
    countries : iterable of str
        Target countries, any case.
    warning_languages : iterable of str
        Detected languages of the listing's warnings, ISO 639-1.
    """
    spoken = frozenset(warning_languages)
    targets = (eea_country(code) for code in countries)
    return sorted({country.code for country in targets if country is not None and not country.detected_as & spoken})


def targets_eea(countries: Iterable[str]) -> bool | None:
    """Tell whether one of the countries belongs to the EEA; None where none is given."""
    given = list(countries)
    return any(eea_country(code) is not None for code in given) if given else None


def _operator_gaps(prefix: str, operator: Mapping[str, Any]) -> list[str]:
    if not _text(operator, "name"):
        return [prefix]
    return [f"{prefix}-{part}" for part in ("address", "email") if not _text(operator, part)]


def _country(operator: Mapping[str, Any]) -> str:
    """Return the code of the country where an operator is established, empty where nothing tells.

    An address that names no state of the EEA tells nothing: it may leave its country out.
    """
    return _text(operator, "country").upper() or country_of_address(_text(operator, "address")) or ""


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name) or ""
    return value.strip() if isinstance(value, str) else ""
