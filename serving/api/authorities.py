"""Which authority watches over product safety where a consumer lives. Open to everybody: consumers have no key."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from models.notices.authorities import Authority, load_authorities
from serving.api.openapi import problems
from serving.api.problems import NOT_FOUND, ProblemError, shortened
from serving.api.responses import JsonResponse

router = APIRouter(tags=["recalls"])


class AuthorityAnswer(BaseModel):
    """The authority for product safety of a state of the European Economic Area."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "country": "NL",
                "name": "Nederlandse Voedsel- en Warenautoriteit (NVWA)",
                "english": "Netherlands Food and Consumer Product Safety Authority",
                "website": "https://www.nvwa.nl",
                "report": "",
                "email": "",
                "phone": "",
                "verified": True,
                "source": "https://business.gov.nl/regulation/notification-unsafe-product/",
                "official_list": "https://ec.europa.eu/safety-gate",
            }
        }
    )

    country: str = Field(description="ISO 3166-1 alpha-2; Greece is GR")
    name: str = Field(description="what it calls itself; empty where not known")
    english: str
    website: str
    report: str = Field(description="where consumers report a dangerous product; empty where not known")
    email: str
    phone: str
    verified: bool = Field(description="false: nobody has compared this entry with an official text")
    source: str = Field(description="the official text, where verified")
    official_list: str = Field(description="where the European Commission lists the authorities")


class AuthorityList(BaseModel):
    """Every authority, by code of the state."""

    authorities: list[AuthorityAnswer]


@router.get(
    "/v1/authorities",
    summary="Authorities for product safety",
    description="One a state of the European Economic Area. No key is asked for.",
    response_model=AuthorityList,
    responses=problems(500),
)
async def list_authorities() -> JsonResponse:
    """List every authority."""
    found = sorted(load_authorities().by_country.items())
    return JsonResponse({"authorities": [_answer(authority) for _, authority in found]})


@router.get(
    "/v1/authorities/{country}",
    summary="The authority for product safety of a state",
    description="No key is asked for. 404 for a country outside the European Economic Area.",
    response_model=AuthorityAnswer,
    responses=problems(404, 422, 500),
)
async def get_authority(
    country: Annotated[
        str, Path(description="ISO 3166-1 alpha-2, any case; EL is GR", pattern="^[A-Za-z]{2}$", examples=["NL"])
    ],
) -> JsonResponse:
    """Return the authority of a state."""
    return JsonResponse(_answer(authority_of(country)))


def authority_of(country: str) -> Authority:
    """Return the authority of a state.

    Raises
    ------
    ProblemError
        404 for a country outside the European Economic Area.
    """
    authority = load_authorities().of(country)
    if authority is None:
        known = ", ".join(sorted(load_authorities().by_country))
        detail = f"{shortened(country)} is no state of the European Economic Area; give one of {known}."
        raise ProblemError(NOT_FOUND, detail)
    return authority


def _answer(authority: Authority) -> dict[str, Any]:
    return {**asdict(authority), "official_list": load_authorities().official_list}
