"""What a seller uploads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LIMITS = {
    "id": 200,
    "title": 1_000,
    "description": 100_000,
    "brand": 500,
    "category": 2_000,
    "captions": 50,
    "caption": 2_000,
    "attributes": 200,
    "attribute name": 200,
    "attribute value": 2_000,
    "target_countries": 60,
    "warnings": 50,
}
"""Longest accepted values, in code points or items. The documentation and the tests read this table."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _as_caption(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _refuse_nul(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("holds a NUL byte; remove it")
    return value


def _text(limit: str, minimum: int = 0) -> Any:
    return Annotated[str, StringConstraints(min_length=minimum, max_length=LIMITS[limit]), BeforeValidator(_refuse_nul)]


class Caption(BaseModel):
    """Words that stand for a picture: given by the seller, read off it, or written by a captioner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: _text("caption")  # type: ignore[valid-type]
    source: str = Field("given", pattern="^(given|ocr|caption|mark)$")
    confidence: float = Field(1.0, ge=0.0, le=1.0)


class EconomicOperator(BaseModel):
    """Manufacturer or EU responsible person, as GPSR Article 22(9) wants them shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("", max_length=500)
    address: str = Field("", max_length=1_000)
    email: str = Field("", max_length=320)


class Listing(BaseModel):
    """An offer as a seller uploads it.

    Only `id` and `title` are required; an empty title is accepted, so that no listing is lost. Offsets in
    answers count Unicode code points of these fields as they were received.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: _text("id", 1)  # type: ignore[valid-type]
    title: _text("title")  # type: ignore[valid-type]
    description: _text("description") = ""  # type: ignore[valid-type]
    category: _text("category") = ""  # type: ignore[valid-type]
    brand: _text("brand") = ""  # type: ignore[valid-type]
    attributes: dict[
        Annotated[str, StringConstraints(max_length=LIMITS["attribute name"]), BeforeValidator(_refuse_nul)],
        Annotated[str, StringConstraints(max_length=LIMITS["attribute value"]), BeforeValidator(_refuse_nul)],
    ] = Field(default_factory=dict, max_length=LIMITS["attributes"])
    captions: list[Annotated[Caption, BeforeValidator(_as_caption)]] = Field(
        default_factory=list, max_length=LIMITS["captions"]
    )
    gtin: str = Field("", max_length=50)
    model: str = Field("", max_length=200)
    price: str = Field("", max_length=100)
    language: str = Field("", max_length=20, description="ISO 639-1 code, where the seller says it")
    target_countries: list[Annotated[str, StringConstraints(pattern="^[A-Za-z]{2}$")]] = Field(
        default_factory=list, max_length=LIMITS["target_countries"], description="ISO 3166-1 alpha-2 codes"
    )
    seller_id: str = Field("", max_length=200)
    manufacturer: EconomicOperator | None = None
    responsible_person: EconomicOperator | None = None
    warnings: list[Annotated[str, StringConstraints(max_length=2_000)]] = Field(
        default_factory=list, max_length=LIMITS["warnings"]
    )

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield (field name, text) in the order a shopper reads them; empty ones are left out.

        Captions are named ``captions[0]``, attributes ``attributes.NAME``.
        """
        pairs = [("title", self.title), ("category", self.category), ("brand", self.brand)]
        pairs += [(f"captions[{i}]", caption.text) for i, caption in enumerate(self.captions)]
        pairs += [(f"attributes.{name}", value) for name, value in self.attributes.items()]
        pairs += [("description", self.description)]
        pairs += [(f"warnings[{i}]", warning) for i, warning in enumerate(self.warnings)]
        for name, text in pairs:
            if text.strip():
                yield name, text

    def content_hash(self) -> str:
        """SHA-256 (hex) of everything but the id: equal content gives equal answers."""
        canonical = self.model_dump_json(exclude={"id"})
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def repaired(text: str, limit: int) -> str:
    """Make a text from a file acceptable: no control characters, no lone surrogates, at most `limit` code points."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub(" ", clean)[:limit]
