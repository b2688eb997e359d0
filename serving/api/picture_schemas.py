"""What the interface says of pictures, for its description."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.domain.action import Action
from models.domain.listing import Caption, Listing
from models.domain.risk import RiskLevel


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Image(_Shape):
    """A picture of a listing, by exactly one of `data`, `part` and `url`; a string stands for `data` or `url`."""

    data: str | None = Field(None, description="the file in base64, also as a data URL")
    part: str | None = Field(None, description="name of a part of the multipart request")
    url: str | None = Field(None, description="where it is fetched from, at a host that the operator allows")
    alt: str = Field("", description="words that stand for it, as the seller wrote them")


class PicturedListing(Listing):
    """A listing with pictures. They are read after the answer, and the listing is then assessed again."""

    images: list[Image | str] = Field(default_factory=list, description="at most 12, unless the operator set otherwise")


class PicturedRequest(_Shape):
    """Listings to assess, with pictures."""

    listings: list[PicturedListing] = Field(description="at most 1,000; each is judged on its own")


class KnownMatch(_Shape):
    """A known picture that looks the same."""

    id: str
    kind: Literal["alert", "removed"]
    subject: str = Field(description="id of the alert, or of the listing that was removed")
    note: str
    distance: int = Field(description="bits of 256 in which the nearest hashes differ, at most 31")
    similarity: float = Field(description="1 for equal hashes, 0 for a distance that chance gives")


class PictureState(_Shape):
    """A picture of a listing, as far as it is read."""

    id: str | None = Field(description="null until the listing is kept")
    position: int = Field(description="place among the pictures of the listing, from 0")
    state: Literal["waiting", "read", "failed"]
    error: str | None = Field(description="why it could not be read, with the mend")
    url: str | None
    sha256: str | None = Field(description="of the file; null until it was fetched")
    format: str | None
    width: int | None
    height: int | None
    captions: list[Caption] = Field(description="words that were found in it or written about it")
    matches: list[KnownMatch] = Field(description="pictures of alerts and of removed listings that look the same")


class Standing(_Shape):
    """What was decided of a listing at one time."""

    assessment_id: str
    level: RiskLevel
    action: Action
    hazards: list[str]
    risk_score: float


class PictureChange(_Shape):
    """What the pictures changed."""

    before: Standing
    after: Standing


class PicturesAnswer(_Shape):
    """The pictures of an assessment, and what came of reading them."""

    assessment_id: str
    state: Literal["none", "queued", "running", "done"]
    outcome_id: str | None = Field(description="the assessment with the words of the pictures, once there is one")
    change: PictureChange | None = Field(description="null where level, hazards and action stand")
    pictures: list[PictureState]


class KnownRequest(_Shape):
    """A picture that is to be known again."""

    kind: Literal["alert", "removed"]
    subject: str = Field(min_length=1, max_length=200, description="id of the alert, or of the removed listing")
    data: str = Field(description="the file in base64")
    note: str = Field("", max_length=1_000)


class Known(_Shape):
    """A picture that is known again."""

    id: str
    kind: Literal["alert", "removed"]
    subject: str
    sha256: str
    note: str
    added_by: str
    added_at: datetime


class KnownList(_Shape):
    """Known pictures, newest first."""

    pictures: list[Known]
