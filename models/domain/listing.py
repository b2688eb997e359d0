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
    "caption picture": 200,
    "caption failure": 300,
    "attributes": 200,
    "attribute name": 200,
    "attribute value": 2_000,
    "target_countries": 60,
    "warnings": 50,
    "warning": 2_000,
}
"""Longest accepted values, in code points or items. The documentation and the tests read this table."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


CAPTION_SOURCES = ("given", "ocr", "caption", "mark")
"""Where the words about a picture can be from."""

MARK_CODE = "[a-z0-9-]{0,60}"
"""What the code of a mark on a picture looks like."""


def _as_caption(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def refuse_nul(value: Any) -> Any:
    """Raise `ValueError` for a text that holds NUL, which no database takes; a validator of pydantic."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("holds a NUL byte; remove it")
    return value


def _text(limit: str | int, minimum: int = 0) -> Any:
    longest = LIMITS[limit] if isinstance(limit, str) else limit
    return Annotated[str, StringConstraints(min_length=minimum, max_length=longest), BeforeValidator(refuse_nul)]


class Caption(BaseModel):
    """Words that stand for a picture: given by the seller, read off it, or written by a captioner.

    A caption with a `failure` has no text: its source was asked for one and gave none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: _text("caption")  # type: ignore[valid-type]
    source: str = Field("given", pattern=f"^({'|'.join(CAPTION_SOURCES)})$")
    confidence: float = Field(1.0, ge=0.0, le=1.0)
    picture: _text("caption picture") = Field(  # type: ignore[valid-type]
        "", description="which picture: the SHA-256 of its file in hex, or a name of the seller's"
    )
    mark: str = Field("", pattern=f"^{MARK_CODE}$", description="code of the mark that a caption of source mark names")
    failure: _text("caption failure") = Field("", description="why this source gave no words for the picture")  # type: ignore[valid-type]


CAPTION_DETAILS = ("picture", "mark", "failure")
"""What a caption may have besides its words; without any, a listing is hashed as if there were no such thing."""


class EconomicOperator(BaseModel):
    """Manufacturer or EU responsible person, as GPSR Article 22(9) wants them shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _text(500) = ""  # type: ignore[valid-type]
    address: _text(1_000) = ""  # type: ignore[valid-type]
    email: _text(320) = ""  # type: ignore[valid-type]
    country: Annotated[str, StringConstraints(pattern="^([A-Za-z]{2})?$")] = Field(
        "", description="where it is established, ISO 3166-1 alpha-2; by default the country its address ends with"
    )


class SellerHistory(BaseModel):
    """What the marketplace knows of the seller at the time of the request; what is left out is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prior_warnings: int | None = Field(None, ge=0, le=1_000_000, description="prior warnings that were sent")
    removals: int | None = Field(None, ge=0, le=1_000_000_000, description="listings that were removed as unsafe")
    suspended: bool | None = None


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
    attributes: dict[_text("attribute name"), _text("attribute value")] = Field(  # type: ignore[valid-type]
        default_factory=dict, max_length=LIMITS["attributes"]
    )
    captions: list[Annotated[Caption, BeforeValidator(_as_caption)]] = Field(
        default_factory=list, max_length=LIMITS["captions"]
    )
    gtin: _text(50) = ""  # type: ignore[valid-type]
    model: _text(200) = ""  # type: ignore[valid-type]
    price: _text(100) = ""  # type: ignore[valid-type]
    language: _text(20) = Field("", description="ISO 639-1 code, where the seller says it")  # type: ignore[valid-type]
    target_countries: list[Annotated[str, StringConstraints(pattern="^[A-Za-z]{2}$")]] = Field(
        default_factory=list, max_length=LIMITS["target_countries"], description="ISO 3166-1 alpha-2 codes"
    )
    seller_id: _text(200) = ""  # type: ignore[valid-type]
    seller: SellerHistory | None = Field(None, description="for the plan's rules on sellers; no model sees it")
    manufacturer: EconomicOperator | None = None
    responsible_person: EconomicOperator | None = None
    warnings: list[_text("warning")] = Field(default_factory=list, max_length=LIMITS["warnings"])  # type: ignore[valid-type]

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

    def pictures(self) -> dict[str, str]:
        """Return the picture of each caption that names one, by the caption's field."""
        return {f"captions[{i}]": caption.picture for i, caption in enumerate(self.captions) if caption.picture}

    def content_hash(self) -> str:
        """SHA-256 (hex) of everything but the id: equal content gives equal answers.

        What is known of the seller counts, since the plan looks at it; where nothing is, the hash is that of the offer.
        """
        left_out: dict[str, Any] = {"id": True} if self.seller else {"id": True, "seller": True}
        if self.captions and not any(getattr(c, name) for c in self.captions for name in CAPTION_DETAILS):
            left_out["captions"] = {"__all__": set(CAPTION_DETAILS)}
        canonical = self.model_dump_json(exclude=left_out)
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def repaired(text: str, limit: int) -> str:
    """Make a text from a file acceptable: no control characters, no lone surrogates, at most `limit` code points."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub(" ", clean)[:limit]
