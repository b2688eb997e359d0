"""What a recall says, whatever the language: the product, its hazard, what consumers do and get."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from models.domain.errors import InputError
from models.domain.listing import refuse_nul

_Name = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True), BeforeValidator(refuse_nul)]
_Prose = Annotated[str, StringConstraints(max_length=5_000, strip_whitespace=True), BeforeValidator(refuse_nul)]
_Language = Annotated[str, StringConstraints(pattern="^[a-z]{2}$")]
_FEWEST_REMEDIES = 2


class Remedy(StrEnum):
    """What consumers are offered, free of charge (GPSR Article 37)."""

    REPAIR = "repair"
    REPLACEMENT = "replacement"
    REFUND = "refund"


class Recall(BaseModel):
    """A recall as the desk writes it down; a draft may lack anything, and `problems` says what.

    Parameters
    ----------
    picture : str
        Address of a picture of the product.
    number_place, hazard_details, instructions : dict
        By language (ISO 639-1): where on the product its number stands, how harm happens, what to do besides stopping.
    hazards : list of str
        Risk types of the taxonomy.
    only_remedy_because : str
        Why only one remedy is offered: the others are impossible or disproportionate. Kept, not printed.
    phone : str
        Free of charge.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: _Name = ""
    brand: _Name = ""
    gtins: list[_Name] = Field(default_factory=list, max_length=200)
    models: list[_Name] = Field(default_factory=list, max_length=200)
    batches: list[_Name] = Field(default_factory=list, max_length=200)
    serials: list[_Name] = Field(default_factory=list, max_length=200)
    number_place: dict[_Language, _Prose] = Field(default_factory=dict)
    picture: _Name = ""
    sold_from: dt.date | None = None
    sold_until: dt.date | None = None
    sold_where: _Name = ""
    sold_by: _Name = ""
    hazards: list[_Name] = Field(default_factory=list, max_length=22)
    hazard_details: dict[_Language, _Prose] = Field(default_factory=dict)
    instructions: dict[_Language, _Prose] = Field(default_factory=dict)
    remedies: list[Remedy] = Field(default_factory=list, max_length=3)
    only_remedy_because: _Prose = ""
    phone: _Name = ""
    website: _Name = ""
    email: _Name = ""

    def problems(self) -> Iterator[InputError]:
        """Yield what the recall lacks of what GPSR Article 36(2) asks for; `place` is the field."""
        for field, hint in _NEEDED.items():
            if not getattr(self, field):
                yield InputError("is missing", place=field, hint=hint)
        if not (self.gtins or self.models or self.batches or self.serials):
            hint = "give at least one of gtins, models, batches, serials"
            yield InputError("nothing identifies the product", place="models", hint=hint)
        if self.picture and not self.picture.startswith("https://"):
            yield InputError(f"value {self.picture!r} is no safe address", place="picture", hint="write https://...")
        if self.website and not self.website.startswith("https://"):
            yield InputError(f"value {self.website!r} is no safe address", place="website", hint="write https://...")
        if not (self.phone or self.website):
            yield InputError("is missing", place="phone", hint="give a free telephone number or a website")
        if self.sold_from and self.sold_until and self.sold_until < self.sold_from:
            message = f"value {self.sold_until} is before sold_from ({self.sold_from})"
            yield InputError(message, place="sold_until", hint="give the last day of sale")
        yield from self._remedy_problems()

    def _remedy_problems(self) -> Iterator[InputError]:
        remedies = set(self.remedies)
        if not remedies:
            yield InputError("is missing", place="remedies", hint=f"offer two of {', '.join(Remedy)}")
        elif len(remedies) < _FEWEST_REMEDIES and not self.only_remedy_because:
            hint = "offer two, or say in only_remedy_because why the others are impossible or disproportionate"
            yield InputError(f"only {self.remedies[0]} is offered", place="remedies", hint=hint)


_NEEDED = {
    "product": "give the name of the product",
    "brand": "give the brand; for a product without one write so",
    "picture": "give the address of a picture of the product",
    "sold_from": "give the first day of sale, such as 2026-01-31",
    "sold_until": "give the last day of sale, such as 2026-01-31",
    "sold_where": "say where it was sold",
    "sold_by": "name who sold it",
    "hazards": "give at least one risk type of the taxonomy",
    "hazard_details": 'say how harm happens, by language: {"en": "..."}',
}
