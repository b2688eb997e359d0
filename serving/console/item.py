"""The page of one item, and the acts on it."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from models.domain.listing import Listing
from models.domain.risk import BANDS
from serving.access.asking import principal_of
from serving.admission import Refused
from serving.console.dossier import dossier_of
from serving.console.forms import STEPS, Form, Worksheet, read_form, verdict_of, worksheet_of
from serving.console.language import chosen_language
from serving.console.names import KindNames
from serving.console.pictures import pictures_of, pictures_of_captions
from serving.console.queue import choices_of, filter_of, go, to_next
from serving.console.rendering import UNDO_COOKIE, render
from serving.fragments import LEVEL, explanation_fragment
from serving.highlighting import fields_of
from serving.review.claims import Claims
from serving.services import services_of

router = APIRouter(include_in_schema=False)
_ITEM = "/review/items/{item_id}"


@router.get(_ITEM)
async def item_page(request: Request, item_id: int) -> Response:
    """Show an item."""
    services, person = services_of(request), principal_of(request).name
    dossier = await asyncio.to_thread(dossier_of, services.desk, services.store, item_id, person)
    scenario = dossier.assessment.scenario
    worksheet = None if scenario is None else Worksheet(scenario.severity, {n: getattr(scenario, n) for n in STEPS})
    now = dt.datetime.now(dt.UTC)
    values = {
        "dossier": dossier,
        "item": dossier.item,
        "assessment": dossier.assessment,
        "worksheet": worksheet,
        "bands": BANDS,
        "choices": choices_of(services),
        "mine": dossier.item.claimant(now) == person,
        "holder": dossier.item.claimant(now),
        "queue_names": list(services.engine.plan.document.mitigate.queues),
        "names": KindNames(services.engine.model.knowledge, chosen_language(request)),
        "blurred": services.pictures.blurred,
    }
    return render(request, "item.html", values)


@router.get(_ITEM + "/why")
async def why(request: Request, item_id: int, about: str = "") -> Response:
    """Show what the answer rests on: words, what-if, known items."""
    services = services_of(request)
    engine = services.engine
    in_force = engine.in_force
    item = await asyncio.to_thread(services.desk.browsing.item, item_id)
    stored = await asyncio.to_thread(services.store.get, item.assessment_id)
    assert stored is not None
    subject = about if about in (LEVEL, *in_force.model.taxonomy.names) else None
    if stored.assessment["versions"]["model"] != in_force.versions.model:
        return render(request, "why_not.html", {"fields": fields_of(stored.listing)})
    try:
        listing = Listing.model_validate(stored.listing)
        types = () if subject in (None, LEVEL) else (str(subject),)
        found = await engine.explain(listing, "full", types, in_force, stored.looked)
    except Refused:
        return render(request, "why_later.html", {"item": item, "about": about}, headers={"Retry-After": "1"})
    names = KindNames(in_force.model.knowledge, chosen_language(request))
    shown = await asyncio.to_thread(pictures_of, services.pictures, item.assessment_id)
    fragment = explanation_fragment(
        found, stored.listing, subject, names.language, names.kind, pictures_of_captions(stored.listing, shown)
    )
    return render(request, "why.html", {"fragment": fragment})


@router.get(_ITEM + "/pictures")
async def pictures(request: Request, item_id: int) -> Response:
    """Show the pictures of the listing, with what was read of them and what it changed."""
    services = services_of(request)
    item = await asyncio.to_thread(services.desk.browsing.item, item_id)
    found = await asyncio.to_thread(pictures_of, services.pictures, item.assessment_id)
    return render(request, "pictures.html", {"found": found, "blurred": services.pictures.blurred})


@router.post(_ITEM + "/worksheet")
async def worksheet(request: Request, item_id: int) -> Response:  # noqa: ARG001  (the form has every step)
    """Work a scenario out with the reviewer's own steps."""
    sheet = worksheet_of(await read_form(request))
    return render(request, "matrix.html", {"worksheet": sheet, "bands": BANDS})


@router.post(_ITEM + "/claim")
async def claim(request: Request, item_id: int) -> Response:
    """Take this item."""
    return await _act(request, item_id, lambda claims, person, now, _: claims.claim(item_id, person, now), stay=True)


@router.post(_ITEM + "/renew")
async def renew(request: Request, item_id: int) -> Response:
    """Keep this item for longer."""
    services, now = services_of(request), dt.datetime.now(dt.UTC)
    item = await asyncio.to_thread(services.desk.claims.renew, item_id, principal_of(request).name, now)
    return render(request, "lease.html", {"item": item, "mine": True, "holder": item.claimed_by})


@router.post(_ITEM + "/release")
async def release(request: Request, item_id: int) -> Response:
    """Give this item back, and return to the queue."""
    services, now = services_of(request), dt.datetime.now(dt.UTC)
    await asyncio.to_thread(services.desk.claims.release, item_id, principal_of(request).name, now)
    return go(request, f"/review?{request.url.query}")


@router.post(_ITEM + "/skip")
async def skip(request: Request, item_id: int) -> Response:
    """Leave this item to others, and take the next."""
    return await _act(
        request, item_id, lambda claims, person, now, form: claims.skip(item_id, person, form.text("reason"), now)
    )


@router.post(_ITEM + "/hold")
async def hold(request: Request, item_id: int) -> Response:
    """Put this item aside for some hours, and take the next."""

    def act(claims: Claims, person: str, now: dt.datetime, form: Form) -> None:
        until = now + dt.timedelta(hours=form.number("hours", 0.25, 720))
        claims.hold(item_id, person, until, form.text("reason"), now)

    return await _act(request, item_id, act)


@router.post(_ITEM + "/escalate")
async def escalate(request: Request, item_id: int) -> Response:
    """Send this item to a queue or a person, and take the next."""

    called = services_of(request).keyring.called

    def act(claims: Claims, person: str, now: dt.datetime, form: Form) -> None:
        claims.escalate(item_id, person, form.text("reason"), now, form.text("queue"), called(form.text("person")))

    return await _act(request, item_id, act)


@router.post(_ITEM + "/decide")
async def decide(request: Request, item_id: int) -> Response:
    """Decide, and take the next."""
    services, form = services_of(request), await read_form(request)
    decisions = services.decisions
    person, now = principal_of(request).name, dt.datetime.now(dt.UTC)
    verdict = verdict_of(form)
    made = await asyncio.to_thread(decisions.decide, item_id, person, form.text("assessment"), verdict, now)
    response = await to_next(request, services, filter_of(request))
    # The next page offers to take it back while the grace time lasts.
    response.set_cookie(
        UNDO_COOKIE, str(made.id), max_age=int(decisions.grace.total_seconds()), httponly=True, samesite="strict",
        path="/review",
    )  # fmt: skip
    return response


@router.post("/review/decisions/{decision_id}/undo")
async def undo(request: Request, decision_id: int) -> Response:
    """Take one's last decision back, and return to its item."""
    services = services_of(request)
    decisions = services.decisions
    item = await asyncio.to_thread(decisions.undo, decision_id, principal_of(request).name, dt.datetime.now(dt.UTC))
    response = go(request, f"/review/items/{item.id}?{request.url.query}")
    response.delete_cookie(UNDO_COOKIE, path="/review")
    return response


async def _act(
    request: Request, item_id: int, act: Callable[[Claims, str, dt.datetime, Form], Any], stay: bool = False
) -> Response:
    services, form = services_of(request), await read_form(request)
    person, now = principal_of(request).name, dt.datetime.now(dt.UTC)
    await asyncio.to_thread(act, services.desk.claims, person, now, form)
    if stay:
        return go(request, f"/review/items/{item_id}?{request.url.query}")
    return await to_next(request, services, filter_of(request))
