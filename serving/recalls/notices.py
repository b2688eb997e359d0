"""Orders and notices that are handed in, by a program or by a form: what they may say, and how they are taken in."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from models.deadlines.clocks import NoticeKind
from models.domain.alert import Alert, AlertLevel
from models.domain.taxonomy import Taxonomy
from models.sources.identity import SAFETY_GATE, identity_of
from serving.recalls.cases import Cases
from serving.recalls.desk import RecallDesk
from serving.recalls.documents import Document
from serving.recalls.errors import RecallRefusedError
from serving.recalls.receiving import Receipt, Taken

MOST_LISTINGS = 1_000
_FUTURE = dt.timedelta(minutes=5)


def _writable(value: Any) -> Any:
    if isinstance(value, str) and any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("holds a NUL byte or half a character")
    return value


def _within(most: int) -> StringConstraints:
    return StringConstraints(max_length=most, strip_whitespace=True)


Short = Annotated[str, _within(500), BeforeValidator(_writable)]
Long = Annotated[str, _within(20_000), BeforeValidator(_writable)]
Number = Annotated[str, _within(200), BeforeValidator(_writable)]
NoticeWord = Literal["order", "authority_notice", "notice", "consumer", "withdrawal"]


class NoticeRequest(BaseModel):
    """An order or notice on a dangerous product."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "example": {
                "kind": "order",
                "authority": "NVWA",
                "country": "NL",
                "reference": "SR/00001/30",
                "received_at": "2030-01-04T09:30:00+01:00",
                "title": "Plush bear",
                "brand": "Softpaw",
                "models": ["PB-7"],
                "barcodes": ["0000000000130"],
                "hazard_text": "The eyes come off; a child may choke on them.",
                "risk_types": ["choking"],
                "listing_ids": ["li-001"],
            }
        },
    )

    kind: NoticeWord = Field(
        description="order: an authority orders removal; authority_notice: it tells without an order; notice: anybody"
        " else does (DSA Article 16); consumer: a customer; withdrawal: what was sent under `reference` no longer holds"
    )
    reference: Number = Field(min_length=1, description="number of the alert; a number of Safety Gate joins its case")
    authority: Short = Field("", description="who sends it")
    country: Annotated[str, StringConstraints(max_length=8, strip_whitespace=True, to_upper=True)] = Field(
        "", description="of the authority, ISO 3166-1 alpha-2, or `EU`: by its working days periods are counted"
    )
    region: Annotated[str, StringConstraints(max_length=8, strip_whitespace=True, to_upper=True)] = Field(
        "", description="ISO 3166-2 without the country, where the region has holidays of its own"
    )
    zone: Annotated[str, StringConstraints(max_length=64)] = Field(
        "", description="IANA time zone, if not the capital's"
    )
    received_at: AwareDatetime | None = Field(None, description="when the marketplace had it; by default now")
    title: Short = Field("", description="name of the product")
    brand: Short = ""
    category: Short = ""
    description: Long = ""
    models: list[Number] = Field(default_factory=list, max_length=100)
    barcodes: list[Number] = Field(default_factory=list, max_length=100)
    batches: list[Number] = Field(default_factory=list, max_length=100)
    risk_types: list[Short] = Field(default_factory=list, max_length=30, description="names of the taxonomy")
    hazard_text: Long = Field("", description="what is wrong with it; shown to people, never to a model")
    measures: Long = ""
    url: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^(https?://\S+)?$")] = ""
    listing_ids: list[Number] = Field(
        default_factory=list, max_length=MOST_LISTINGS, description="listings that the sender names"
    )
    until: dt.date | None = Field(None, description="day until which identical content is to be kept down")
    note: Long = Field("", description="anything else; kept, and shown to people")

    @field_validator("country")
    @classmethod
    def _two_letters(cls, country: str) -> str:
        if country and not country.replace("-", "").isalpha():
            raise ValueError("give ISO 3166-1 alpha-2 such as NL, or EU")
        return country

    def alert(self, taxonomy: Taxonomy) -> Alert:
        """Return the alert that it tells of.

        Raises
        ------
        RecallRefusedError
            If it names no product, or a risk type that the taxonomy does not know.
        """
        if not self.title:
            raise RecallRefusedError("title", "is missing", "name the product")
        for risk_type in self.risk_types:
            if risk_type not in taxonomy.names:
                hint = f"give names of the taxonomy: {', '.join(taxonomy.names[:8])}, ..."
                raise RecallRefusedError("risk_types", f"{risk_type!r} is none", hint, risk_type)
        return Alert(
            source=self.source,
            reference=self.reference,
            title=self.title,
            risk_types=tuple(self.risk_types),
            level=AlertLevel.UNKNOWN,
            category=self.category,
            brand=self.brand,
            description=self.description,
            hazard_text=self.hazard_text,
            measures=self.measures,
            country_of_notification=self.country,
            models=tuple(self.models),
            barcodes=tuple(self.barcodes),
            batches=tuple(self.batches),
            url=self.url,
        )

    @property
    def source(self) -> str:
        """Whose number `reference` is."""
        bare = Alert(f"notice:{self.country}:{self.authority.casefold()}", self.reference, "-")
        return SAFETY_GATE if identity_of(bare).register == SAFETY_GATE else bare.source

    def said(self) -> dict[str, Any]:
        """Return what is kept with the case, beside the document."""
        kept = {"listing_ids": self.listing_ids, "until": self.until, "note": self.note}
        return {name: value for name, value in orjson.loads(orjson.dumps(kept)).items() if value}


def take_notice(
    desk: RecallDesk, notice: NoticeRequest, raw: bytes, channel: str, taxonomy: Taxonomy, person: str, now: dt.datetime
) -> Taken:
    """Take a notice in; the same bytes again change nothing.

    Parameters
    ----------
    raw : bytes
        As it came: this is the document that is kept.
    channel : str
        ``api`` or ``form``.

    Raises
    ------
    RecallRefusedError
        If something in it is not in order; nothing was taken in.
    InputError
        If the calendar that it names is not known.
    NoRecallError
        If it withdraws what is not known.
    """
    received = notice.received_at or now
    if received > now + _FUTURE:
        raise RecallRefusedError("received_at", "it lies in the future", "give when it came", received.isoformat())
    document = Document(channel, raw, now, "", "application/json")
    if notice.kind == "withdrawal":
        identity = identity_of(Alert(notice.source, notice.reference, "-"))
        return desk.receiving.withdraw(document, identity, notice.note or "withdrawn by who sent it", person, now)
    receipt = Receipt(
        NoticeKind(notice.kind), received, notice.authority, notice.country, notice.region, notice.zone,
        notice.reference, notice.said(), person,
    )  # fmt: skip
    return desk.receiving.take(document, [notice.alert(taxonomy)], receipt, rank=100)


def named_listings(cases: Cases, case_id: int) -> list[str]:
    """Return the listings that those who sent notices on a case have named, each once."""
    named = (key for notice in cases.notices(case_id) for key in notice.said.get("listing_ids", ()))
    return list(dict.fromkeys(named))
