"""Official notices of dangerous products, and the training examples made from them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from itertools import islice, zip_longest
from typing import Any

from models.domain.listing import LIMITS, Caption, Listing, repaired
from models.domain.risk import RiskLevel


class AlertLevel(StrEnum):
    """What the notice says about the level; it follows the reference prefix and is never a model's input."""

    SERIOUS = "serious"
    OTHER = "other"
    INFORMATION = "information"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Alert:
    """An official notice of a dangerous product.

    Parameters
    ----------
    source : str
        Which register, e.g. ``safety-gate`` or ``cpsc``.
    reference : str
        The official number, e.g. ``SR/04459/25``.
    risk_types : tuple of str
        Names of the taxonomy.
    hazard_text : str
        What the notice says about the defect. Shown to people, never given to a model.
    """

    source: str
    reference: str
    title: str
    risk_types: tuple[str, ...] = ()
    level: AlertLevel = AlertLevel.UNKNOWN
    date: dt.date | None = None
    category: str = ""
    brand: str = ""
    description: str = ""
    hazard_text: str = ""
    measures: str = ""
    country_of_notification: str = ""
    country_of_origin: str = ""
    models: tuple[str, ...] = ()
    barcodes: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    language: str = "en"
    url: str = ""
    unknown_labels: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the notice as plain values, from which `of_json` makes it again."""
        return {**asdict(self), "level": self.level.value, "date": self.date.isoformat() if self.date else None}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Alert:
        """Return the notice that `as_json` gave; what is not known is left out.

        Examples
        --------
        >>> alert = Alert("safety-gate", "SR/00001/30", "Plush bear", ("Choking",), date=dt.date(2030, 1, 4))
        >>> Alert.of_json(alert.as_json()) == alert
        True
        """
        known = {each.name for each in fields(cls)}
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        given["level"] = AlertLevel(given["level"])
        given["date"] = dt.date.fromisoformat(given["date"]) if given.get("date") else None
        return cls(**given)

    def to_example(self) -> Example:
        """Return the listing-shaped part of the notice with its labels: no defect, no measure, no reference."""
        return Example(
            id=self.reference,
            date=self.date.isoformat() if self.date else "",
            lang=self.language,
            title=self.title,
            brand=self.brand,
            category=self.category,
            description=self.description,
            captions=self.captions,
            labels=self.risk_types,
            source=self.source,
            url=self.url,
        )


@dataclass(frozen=True)
class Example:
    """A listing-shaped text with known hazards, for training and evaluation.

    Parameters
    ----------
    date : str
        ISO date, or any text that sorts by time (``2011``, ``2011w52``); empty where unknown.
    labels : tuple of str or None
        Risk types; empty for a product known to have none, None where nobody looked.
    risk_level : RiskLevel or None
        Where a person gave one.
    weight : float
        How much it counts where hazards are learnt, above 0.
    caption_sources : tuple of str
        Source of each caption, see `Caption`; without any, the seller gave them.
    url : str
        Link to the official notice. Shown to people, never given to a model.
    """

    id: str
    title: str
    date: str = ""
    lang: str = ""
    brand: str = ""
    category: str = ""
    description: str = ""
    captions: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = ()
    risk_level: RiskLevel | None = None
    source: str = ""
    url: str = ""
    weight: float = 1.0
    caption_sources: tuple[str, ...] = field(default=(), compare=False)
    extra: dict[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of_listing(cls, listing: Listing, **facts: Any) -> Example:
        """Return the words of a listing with what is known of it; attributes join the description, one a line.

        Parameters
        ----------
        **facts
            Further fields of the example.
        """
        lines = [listing.description, *(f"{name}: {value}" for name, value in listing.attributes.items())]
        return cls(
            id=listing.id,
            title=listing.title,
            brand=listing.brand,
            category=listing.category,
            description="\n".join(line for line in lines if line),
            captions=tuple(caption.text for caption in listing.captions),
            caption_sources=tuple(caption.source for caption in listing.captions),
            **facts,
        )

    def to_listing(self) -> Listing:
        """Return the listing a seller would have uploaded, repaired and cut to the limits of `Listing`."""
        return Listing(
            id=repaired(self.id, LIMITS["id"]) or "-",
            title=repaired(self.title, LIMITS["title"]),
            description=repaired(self.description, LIMITS["description"]),
            brand=repaired(self.brand, LIMITS["brand"]),
            category=repaired(self.category, LIMITS["category"]),
            captions=[
                Caption(text=repaired(text, LIMITS["caption"]), source=source or "given")
                for text, source in islice(
                    zip_longest(self.captions, self.caption_sources[: len(self.captions)]), LIMITS["captions"]
                )
            ],
            language=self.lang[:20],
        )

    def fingerprint(self) -> str:
        """SHA-256 (hex) of all that training sees, labels included."""
        parts = [
            self.title,
            self.brand,
            self.category,
            self.description,
            *self.captions,
            "|",
            *(self.labels if self.labels is not None else ("?",)),
            str(self.risk_level or ""),
            *([] if self.weight == 1 else [repr(self.weight)]),
        ]
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()
