"""Puts the document together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from models.plan.difference import differences
from models.plan.plan import Plan
from models.reasons.marketplace import Marketplace
from models.simulation.period import Period
from training.plan_report import figures, sections
from training.plan_report.blocks import Block, Heading, Paper, Text


@dataclass(frozen=True)
class Ingredients:
    """What the document is made from.

    Parameters
    ----------
    plan : Plan
        Bound to the guarantees of the model whose scores it reads.
    previous : Plan or None
        The version before.
    author, reason : str
        Who stored the plan, and why; empty for a file.
    day : date
        Day of the document.
    """

    plan: Plan
    period: Period
    marketplace: Marketplace
    day: dt.date
    previous: Plan | None = None
    author: str = ""
    reason: str = ""


def paper_of(given: Ingredients) -> Paper:
    """Return the document."""
    plan, period = given.plan, given.period
    span = f"{period.first} to {period.last}" if period.first else "no dated assessment"
    facts = [
        ("Marketplace", f"{given.marketplace.name} ({given.marketplace.operator})"),
        ("Single contact point", given.marketplace.safety_contact),
        ("Plan", plan.id),
        ("SHA-256 of the plan", plan.content_digest),
        ("Owner", plan.document.owner or "not named"),
        (
            "Period of the figures",
            f"{span}: {period.n:,} offers; reporting period: {given.marketplace.reporting_period}",
        ),
        ("Model", ", ".join(name for name, _ in period.models.most_common(3)) or "–"),
        ("Date of this document", given.day.isoformat()),
    ]
    if given.author:
        facts.insert(5, ("Stored by", f"{given.author}: {given.reason}"))
    return Paper(plan.document.title or f"Risk-management plan {plan.name}", facts, list(_blocks(given)))


def _blocks(given: Ingredients) -> Iterator[Block]:
    plan, period = given.plan, given.period
    found = None if given.previous is None else differences(given.previous.document, plan.document)
    yield from _summary(given)
    yield from figures.register(period)
    yield from sections.identify(plan)
    yield from sections.assess(plan)
    yield from sections.classify(plan)
    yield from sections.mitigate(plan, period)
    yield from sections.owners(plan)
    yield from figures.residual(period)
    yield from figures.kpis(period, plan)
    yield from sections.changes(found, given.previous.id if given.previous else "")
    yield from figures.basis(period)


def _summary(given: Ingredients) -> Iterator[Block]:
    plan, period = given.plan, given.period
    live = sum(1 for rule in plan.rules if rule.status == "live")
    trial = sum(1 for rule in plan.rules if rule.status == "background")
    yield Heading("Summary")
    yield Text(
        "This document describes how the marketplace identifies, assesses, classifies and mitigates risks to product"
        " safety (Product Safety Pledge+, area d; GPSR Article 22; DSA Articles 34 and 35). The plan is a file that"
        " runs: it decides on every offer before sale, and this document is printed from it and from what it decided."
    )
    yield Text(f"It has {live} live rules{f' and {trial} on trial' if trial else ''}.")
    if not period.n:
        yield Text("No assessment of the period is kept, so every figure below is nought.")
        return
    yield Text(
        f"In the period {period.n:,} offers were assessed; {period.levels['serious']:,} are of level serious and"
        f" {period.levels['high']:,} of level high. {period.restricted:,} ({period.restricted / period.n:.1%}) did not"
        f" go on sale as they were, {period.referred:,} went to a person."
    )
    if period.inherent:
        yield Text(
            f"Of {period.inherent:,.1f} expected offers of level high or serious, {period.residual:,.1f}"
            f" ({period.residual / period.inherent:.1%}) are on sale after the measures."
        )
