"""Final decisions as examples: what reviewers found out is what the next model learns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, Row, func, select

from models.domain.alert import Example
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy
from models.sources.labels import UnknownLabelError, read_labels
from models.sources.report import ReadReport, Refusal
from serving.review.items import DECISIONS, ITEMS
from serving.review.words import Outcome, Round, Sample
from serving.store.tables import AssessmentRow

WEIGHTS = {Round.FIRST: 1.0, Round.SECOND: 1.5, Round.SETTLING: 0.5, Round.APPEAL: 0.5}
"""How much a decision counts, by the look that ended the item: one person's, two who agreed, people who differed.

If a person is right four times in five, two who agree are right in 16 of 17 cases; by the surplus of right over wrong
that is 1.5 times one person's. Where people differed nothing is sure: such a case counts half.
"""
SOURCE = "review"
LEARN_SOURCE = "review-learn"
"""Of items that were asked about because the model was unsure: no share of risks can be read from these."""
_ASSESSMENTS = AssessmentRow.__table__


def decided_examples(
    engine: Engine, taxonomy: Taxonomy, now: dt.datetime, report: ReadReport, *, strict: bool = False
) -> Iterator[Example]:
    """Yield an example for each listing content by its newest decision that can no longer be taken back.

    A confirmed risk has the hazards that the reviewer named, any other outcome none; the level is the reviewer's.
    Golden items are left out, and complaints that succeeded count like decisions. Attributes join the description.

    Parameters
    ----------
    report : ReadReport
        Is filled while the decisions are read, and logged at the end; refusals name the decision's number.
    strict : bool
        Raise at the first decision whose hazards the taxonomy does not know, instead of refusing it. Without strictness
        the taxonomy's fallback stands for them, where it has one.

    Raises
    ------
    InputError
        If every decision was refused, or (strict) at the first one.
    """
    report.format, report.unit, report.label_kind = "reviews", "decision", "given"
    place = func.row_number().over(partition_by=_ASSESSMENTS.c.content_hash, order_by=DECISIONS.c.id.desc())
    ranked = (
        select(DECISIONS.c.id, place.label("place"))
        .join(ITEMS, ITEMS.c.id == DECISIONS.c.item_id)
        .join(_ASSESSMENTS, _ASSESSMENTS.c.id == DECISIONS.c.assessment_id)
        .where(DECISIONS.c.final_at <= now, DECISIONS.c.undone_at.is_(None), ITEMS.c.sample != Sample.GOLDEN.value)
        .subquery()
    )
    query = (
        select(DECISIONS, ITEMS.c.sample, _ASSESSMENTS.c.listing, _ASSESSMENTS.c.language)
        .join(ranked, ranked.c.id == DECISIONS.c.id)
        .join(ITEMS, ITEMS.c.id == DECISIONS.c.item_id)
        .join(_ASSESSMENTS, _ASSESSMENTS.c.id == DECISIONS.c.assessment_id)
        .where(ranked.c.place == 1)
        .order_by(DECISIONS.c.id)
    )
    with (
        engine.connect() as connection,
        connection.execute(query.execution_options(yield_per=500)) as rows,
    ):
        for row in rows:
            confirmed = row.outcome == Outcome.CONFIRMED_RISK
            try:
                labels = read_labels(
                    row.hazards if confirmed else (),
                    taxonomy,
                    unknown="error" if strict else "other",
                    counter=report.unknown_labels,
                )
            except UnknownLabelError as error:
                report.refuse(Refusal(row.id, str(error), "hazards", error.hint), strict=strict)
                continue
            report.read += 1
            yield _example(row, labels)
    report.finish()


def _example(row: Row[Any], labels: tuple[str, ...]) -> Example:
    return Example.of_listing(
        Listing.model_validate(row.listing),
        date=row.decided_at.date().isoformat(),
        lang=row.language,
        labels=labels,
        risk_level=RiskLevel(row.level),
        source=LEARN_SOURCE if row.sample == Sample.LEARN else SOURCE,
        weight=WEIGHTS[Round(row.round)],
    )
