"""What the settings say to each room of the server, in that room's own terms."""

from __future__ import annotations

from datetime import timedelta

from models.deadlines.clocks import load_clock_rules
from models.reasons.marketplace import load_marketplace
from serving.engine import Limits
from serving.erasure.retention import Keep
from serving.recalls.rules import RecallRules
from serving.review.desk import DeskRules
from serving.review.intake import IntakeRules
from serving.settings import Settings
from serving.shadow.runner import Trial


def limits_of(settings: Settings) -> Limits:
    """Return how much the engine takes on."""
    # Several workers leave it to the system which of them gets which core.
    cores = settings.cores if settings.workers == 1 else ()
    return Limits(settings.max_in_flight, settings.max_queue_ms / 1_000, settings.remember_mb * 1_000_000, cores)


def desk_rules(settings: Settings) -> DeskRules:
    """Return how reviews are done here.

    Raises
    ------
    InputError
        If the facts of the marketplace are not in order.
    """
    calendar = load_marketplace(settings.marketplace).calendar
    return DeskRules(
        IntakeRules(calendar, learn_daily=settings.review_learn_daily),
        lease=timedelta(minutes=settings.review_lease_minutes),
        grace=timedelta(seconds=settings.review_grace_seconds),
        golden_share=settings.review_golden_share,
        golden_uses=settings.review_golden_uses,
    )


def recall_rules(settings: Settings) -> RecallRules:
    """Return how the recall desk works here.

    Raises
    ------
    InputError
        If the facts of the marketplace, or the file of periods, are not in order.
    """
    return RecallRules(
        load_marketplace(settings.marketplace).calendar,
        load_clock_rules(settings.recall_clocks),
        by_authority=settings.recall_calendar == "authority",
        regions=dict(settings.recall_regions),
        warn=timedelta(hours=settings.recall_warn_hours),
        remind=timedelta(hours=settings.recall_remind_hours),
    )


def keep_of(settings: Settings) -> Keep:
    """Return how long what is kept."""

    def days(number: int) -> timedelta | None:
        return timedelta(days=number) if number else None

    return Keep(days(settings.keep_assessments_days), days(settings.keep_reviews_days), days(settings.keep_names_days))


def trial_of(settings: Settings) -> Trial:
    """Return what is on trial."""
    return Trial(settings.shadow_plan, settings.shadow_model, settings.shadow_rate)
