"""Evidence for a reviewer: the nearest known items for and against, and why each is near."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.classifier.evidence import EvidenceItem
from models.classifier.sparse import words_of
from models.domain.explanation import Evidence, Neighbour
from models.domain.listing import LIMITS, Listing, repaired

if TYPE_CHECKING:
    from typing import Literal

    from models.classifier.classifier import HazardClassifier
    from models.classifier.explanation import ExplainedListing

MOST = 3
_SHARED_SHOWN = 4
_TELLING = 3.0
"""Inverse document frequency above which a word that two texts share says something."""
_TYPES = {"alert": "official alert", "review": "reviewed listing", "written": "listing written from the knowledge base"}


def find_evidence(model: HazardClassifier, explained: ExplainedListing, hazard: str | None) -> Evidence:
    """Return the nearest known items for and against a hazard; for and against "no hazard" where it is None."""
    index = model.evidence
    about = "no hazard worth an entry" if hazard is None else hazard
    if not len(index):
        note = "The model has no index of known items: train it with examples, or serve it with a table of alerts."
        return Evidence(about=about, supporting=[], contradicting=[], searched=0, note=note)
    supporting, contradicting = index.nearest(explained.encoding.embedding, hazard, MOST)
    mine = _telling_words(model, explained.read.text.text)
    kinds = explained.opinion.kinds
    likely = {model.knowledge.kinds[i].id for i in (-kinds).argsort(kind="stable")[:MOST].tolist() if kinds[i] > 0.05}

    def worded(item: EvidenceItem, similarity: float, stands: Literal["for", "against"]) -> Neighbour:
        kind = model.knowledge.kinds[model.knowledge.kind_column[item.kind]].name if item.kind in likely else None
        theirs = _telling_words(model, model.read(_titled(item)).text.text)
        shared = [word for word in theirs if word in mine][:_SHARED_SHOWN]
        return Neighbour(
            type=item.type,
            reference=item.reference,
            title=item.title,
            url=item.url,
            source=item.source,
            labels=list(item.labels),
            risk_level=item.risk_level,
            stands=stands,
            similarity=max(-1.0, min(1.0, similarity)),
            kind=kind,
            shared=shared,
            why=_why(item, similarity, kind, shared),
        )

    written = all(item.type == "written" for item, _ in (*supporting, *contradicting))
    return Evidence(
        about=about,
        supporting=[worded(item, similarity, "for") for item, similarity in supporting],
        contradicting=[worded(item, similarity, "against") for item, similarity in contradicting],
        searched=len(index),
        note="All of these were written from the knowledge base; none is a real product." if written else "",
    )


def _titled(item: EvidenceItem) -> Listing:
    return Listing(id="-", title=repaired(item.title, LIMITS["title"]))


def _telling_words(model: HazardClassifier, text: str) -> list[str]:
    """Words of a text that are not everywhere, each once."""
    columns, idf = model.sparse.columns, model.sparse.idf
    forms = dict.fromkeys(word.form for word in words_of(text))
    return [
        form
        for form in forms
        if len(form) > 2 and not form[0].isdigit() and (form not in columns or idf[columns[form]] > _TELLING)
    ]


def _why(item: EvidenceItem, similarity: float, kind: str | None, shared: list[str]) -> str:
    reasons = [f"{_TYPES[item.type]}, similarity {similarity:.2f}"]
    if kind:
        reasons.append(f"same kind of product ({kind})")
    if shared:
        reasons.append("both say " + ", ".join(f"“{word}”" for word in shared))
    return "; ".join(reasons)
