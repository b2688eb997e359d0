"""Pages for consumers, open to everybody: which authority watches over product safety where they live."""

from __future__ import annotations

from babel import Locale
from fastapi import APIRouter, Request, Response

from models.notices.authorities import load_authorities
from models.reasons.marketplace import load_marketplace
from serving.api.authorities import authority_of
from serving.console.language import chosen_language
from serving.console.rendering import render_public
from serving.services import services_of

router = APIRouter(include_in_schema=False)


@router.get("/authorities")
async def authorities_page(request: Request) -> Response:
    """Let consumers choose their state."""
    return render_public(request, "authorities.html", {"states": _states(request)})


@router.get("/authorities/{country}")
async def authority_page(request: Request, country: str) -> Response:
    """Name the authority of a state."""
    authority = authority_of(country)
    values = {
        "authority": authority,
        "state": dict(_states(request))[authority.country],
        "official_list": load_authorities().official_list,
        "marketplace": load_marketplace(services_of(request).settings.marketplace),
    }
    return render_public(request, "authority.html", values)


def _states(request: Request) -> list[tuple[str, str]]:
    """Return (code, name in the reader's language), by name."""
    names = Locale.parse(chosen_language(request)).territories
    return sorted(((code, names.get(code, code)) for code in load_authorities().by_country), key=lambda pair: pair[1])
