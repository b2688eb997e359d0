"""What is said to sellers and to whoever told us of a product, put together from the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from models.domain.alert import Alert
from models.domain.assessment import SellerMessage
from models.domain.countries import eea_country
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import read_located
from models.reasons.marketplace import Marketplace
from models.reasons.seller_texts import FALLBACK, load_seller_texts
from serving.recalls.cases import CaseLine

_TITLE_SHOWN = 80


@dataclass(frozen=True)
class Completeness:
    """How completely a case's listings were found and removed: counted in the store, not said by anybody.

    Parameters
    ----------
    looked_at : int or None
        Listings that the last finished search looked at.
    searched_at : datetime or None
        When it had finished.
    complete : bool
        The search is over, every match judged and every confirmed listing removed.
    """

    searched_at: dt.datetime | None
    looked_at: int | None
    matched: int
    confirmed: int
    refused: int
    open: int
    removed: int
    waiting: int
    removal_refused: int
    identified_at: dt.datetime | None
    removed_at: dt.datetime | None
    complete: bool


def completeness_of(line: CaseLine) -> Completeness:
    """Return what a case has come to."""
    case, counts = line.case, line.counts
    return Completeness(
        searched_at=case.search_finished_at,
        looked_at=case.looked_at,
        matched=counts.proposed + counts.confirmed + counts.refused,
        confirmed=counts.confirmed,
        refused=counts.refused,
        open=counts.proposed,
        removed=counts.removed,
        waiting=counts.waiting,
        removal_refused=counts.removal_refused,
        identified_at=case.identified_at,
        removed_at=case.removed_at,
        complete=case.searched and counts.proposed == 0 and case.removed_at is not None,
    )


@dataclass(frozen=True)
class Telling:
    """Writes messages. It reads nothing: it is given what to tell.

    Parameters
    ----------
    marketplace : Marketplace
        Who writes, and where a seller can complain.
    """

    marketplace: Marketplace

    def seller_message(self, listing: Mapping[str, Any], alert: Alert) -> SellerMessage:
        """Return what to tell the seller of a confirmed listing, in the language of the listing where that is known."""
        known = load_seller_texts()
        told = known.get(str(listing.get("language") or "").lower(), known[FALLBACK])
        hazard = next(iter(alert.risk_types), "other")
        lines = [
            told.say("actions", "block", title=str(listing.get("title", ""))[:_TITLE_SHOWN]),
            told.say(
                "reasons",
                "recalled",
                reference=alert.reference,
                hazard=told.groups["hazards"].get(hazard, hazard),
            ),
            told.say("closing", "complaint", complaint_url=self.marketplace.complaint_url),
        ]
        return SellerMessage(language=told.language, direction=told.direction, lines=lines)

    def answer(self, line: CaseLine, now: dt.datetime, language: str = "") -> str:
        """Return the draft of an answer to whoever told us; a person reads it before it is sent.

        Parameters
        ----------
        language : str
            ``en``, ``de`` or ``fr``; by default one that is official where the case comes from.
        """
        texts = answer_texts()
        text = texts[language if language in texts else _language_of(line.case.country)]
        found, alert = completeness_of(line), line.alert.alert
        values = {
            "marketplace": self.marketplace.name,
            "operator": self.marketplace.operator,
            "contact": self.marketplace.safety_contact,
            "reference": alert.reference,
            "product": ", ".join(part for part in (alert.brand, alert.title) if part),
            "received": _moment(line.case.received_at),
            "searched": _moment(found.searched_at),
            "looked_at": f"{found.looked_at or 0:,}",
            "matched": str(found.matched),
            "confirmed": str(found.confirmed),
            "refused": str(found.refused),
            "removed": str(found.removed),
            "removed_at": _moment(found.removed_at),
            "now": _moment(now),
        }
        lines = [text["opening"], text["search"] if found.searched_at else text["no_search"]]
        if found.confirmed:
            lines.append(text["removed"] if found.complete else text["removing"])
        else:
            lines.append(text["none"])
        if found.open:
            lines.append(text["open"])
            values["open"] = str(found.open)
        lines.append(text["closing"])
        return "\n\n".join(line.strip().format_map(values) for line in lines)


@cache
def answer_texts() -> dict[str, dict[str, str]]:
    """Return the parts of an answer by language, as `datasets/authority_answers.yaml` has them.

    Raises
    ------
    InputError
        If a language lacks a part that English has.
    """
    file = read_located(datasets_dir() / "authority_answers.yaml")
    texts: dict[str, dict[str, str]] = file.data
    for language, parts in texts.items():
        missing = texts["en"].keys() - parts.keys()
        if missing:
            place = f"{file.file}:{file.line_of((language,))}"
            raise InputError(f"{', '.join(sorted(missing))} missing in {language!r}", place=place, hint="see en")
    return texts


def _language_of(country: str) -> str:
    state = eea_country(country) if country else None
    known = answer_texts()
    return next((code for code in state.languages_in_order if code in known), "en") if state is not None else "en"


def _moment(at: dt.datetime | None) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC") if at is not None else "–"
