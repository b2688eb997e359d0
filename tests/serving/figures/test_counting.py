"""The pledge's figures, counted by hand."""

from __future__ import annotations

import datetime as dt
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deadlines.calendar import WorkCalendar
from serving.figures.counting import (
    Duration,
    HandledCase,
    IdentifiedListing,
    Origin,
    PledgeFigures,
    Share,
    pledge_figures,
)

NETHERLANDS = WorkCalendar("NL", "Europe/Amsterdam")
FIRST, LAST = dt.date(2026, 3, 1), dt.date(2026, 3, 31)
AS_OF = dt.datetime(2026, 4, 30, tzinfo=dt.UTC)


def at(day: int, hour: int = 9, month: int = 3) -> dt.datetime:
    """A moment of 2026, in UTC; 2 March is a Monday, and Amsterdam is an hour ahead until 29 March."""
    return dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


def listing(
    identified: dt.datetime, removed: dt.datetime | None, origin: Origin = Origin.AUTHORITY, **facts: object
) -> IdentifiedListing:
    given_facts = {"authority": "NVWA", "country": "NL", "category": "Toys", **facts}
    return IdentifiedListing(1, origin, identified_at=identified, removed_at=removed, **given_facts)  # type: ignore[arg-type]


def figures(
    listings: list[IdentifiedListing], cases: list[HandledCase] | None = None, as_of: dt.datetime = AS_OF
) -> PledgeFigures:
    return pledge_figures(listings, cases or [], FIRST, LAST, NETHERLANDS, as_of)


def test_key_figures_of_a_period_by_hand() -> None:
    """Identified on Monday 2 March: two working days end with Wednesday 4 March, 23:00 UTC."""
    found = figures(
        [
            listing(at(2), at(2, 10)),  # in time
            listing(at(2), at(4, 22)),  # in time, in the last hour
            listing(at(2), at(4, 23)),  # Thursday has begun in Amsterdam: late
            listing(at(2), None),  # never: late
            listing(at(6), at(10)),  # Friday to Tuesday, a weekend between: in time
            listing(at(2), at(3), Origin.MONITORING),
            listing(at(2), at(9), Origin.MONITORING),
            listing(at(2), at(3), Origin.OTHER),  # in neither key figure
        ]
    )
    assert found.kpi_1 == Share(3, 5)
    assert found.kpi_1.value == 0.6
    assert found.kpi_2 == Share(1, 2)
    assert found.remove.n == 7


def test_public_holidays_do_not_count() -> None:
    """King's Day is Monday 27 April 2026: two working days after Friday the 24th end with Wednesday the 29th."""
    april = dt.date(2026, 4, 1), dt.date(2026, 4, 30)
    outcomes = [
        pledge_figures([listing(at(24, month=4), at(day, month=4))], [], *april, NETHERLANDS, AS_OF).kpi_1
        for day in (28, 29, 30)
    ]
    assert outcomes == [Share(1, 1), Share(1, 1), Share(0, 1)]


def test_what_may_still_be_removed_in_time_is_pending() -> None:
    found = figures([listing(at(2), None), listing(at(3), at(3, 12))], as_of=at(4, 12))
    assert found.kpi_1 == Share(1, 1, pending=1)


def test_a_share_of_nothing_is_none() -> None:
    found = figures([])
    assert found.kpi_1 == Share(0, 0)
    assert found.kpi_1.value is None
    assert found.remove == Duration(0, None, None)
    assert found.reappearance.value is None


def test_days_begin_where_the_marketplace_is() -> None:
    """28 February, 23:30 UTC, is the first of March in Amsterdam."""
    early = dt.datetime(2026, 2, 28, 23, 30, tzinfo=dt.UTC)
    late = dt.datetime(2026, 3, 31, 22, 30, tzinfo=dt.UTC)  # the first of April, in summer time
    found = figures([listing(early, at(2)), listing(late, at(1, month=4))])
    assert found.kpi_1.denominator == 1


def test_times_by_hand() -> None:
    """Hours of removal: 1, 2, 3, 10; of identification 24 and 48; of information 72."""
    found = figures(
        [listing(at(2), at(2, 9 + hours)) for hours in (1, 2, 3, 10)],
        [
            HandledCase(1, Origin.AUTHORITY, at(2), at(3), at(5)),
            HandledCase(2, Origin.AUTHORITY, at(2), at(4), None),
            HandledCase(3, Origin.OTHER, at(2)),
        ],
    )
    assert found.remove == Duration(4, 2.5, 10.0)
    assert found.identify == Duration(2, 36.0, 48.0)
    assert found.inform == Duration(1, 72.0, 72.0)
    assert found.identification == Share(2, 3)


def test_reappearance_is_a_share_of_what_was_identified() -> None:
    again = listing(at(3), at(3), relisted=True)
    assert figures([again, listing(at(2), at(2)), listing(at(2), None)]).reappearance == Share(1, 3)


def test_figures_are_told_apart_by_authority_category_and_country() -> None:
    found = figures(
        [
            listing(at(2), at(3)),
            listing(at(2), None, authority="DGCCRF", country="FR"),
            listing(at(2), at(3), Origin.MONITORING, category="Lighters", authority="", country=""),
        ]
    )
    assert [(each.name, each.kpi_1, each.kpi_2) for each in found.groups["authority"]] == [
        ("", Share(0, 0), Share(1, 1)),
        ("DGCCRF", Share(0, 1), Share(0, 0)),
        ("NVWA", Share(1, 1), Share(0, 0)),
    ]
    assert [each.name for each in found.groups["category"]] == ["Lighters", "Toys"]
    assert [each.name for each in found.groups["country"]] == ["", "FR", "NL"]


@pytest.mark.parametrize("n", [1, 9, 10, 11, 20])
def test_nine_in_ten_took_no_longer_than_the_90th_percentile(n: int) -> None:
    found = Duration.of(3600.0 * hours for hours in range(1, n + 1))
    assert found.p90 is not None
    assert sum(hours <= found.p90 for hours in range(1, n + 1)) >= 0.9 * n
    assert sum(hours <= found.p90 - 1 for hours in range(1, n + 1)) < 0.9 * n
    assert found.median == median(range(1, n + 1))


moments = st.datetimes(dt.datetime(2026, 2, 20), dt.datetime(2026, 4, 10), timezones=st.just(dt.UTC))
listings = st.lists(
    st.builds(
        IdentifiedListing, st.integers(1, 3), st.sampled_from(Origin), st.sampled_from(["A", "B"]),
        st.sampled_from(["NL", ""]), st.sampled_from(["Toys", "Other"]), moments, st.none() | moments, st.booleans(),
    ),
    max_size=20,
)  # fmt: skip


@given(listings, moments)
def test_every_listing_is_counted_once(found: list[IdentifiedListing], as_of: dt.datetime) -> None:
    whole = figures(found, as_of=as_of)
    in_period = [each for each in found if FIRST <= NETHERLANDS.local_day(each.identified_at) <= LAST]
    for share, origin in ((whole.kpi_1, Origin.AUTHORITY), (whole.kpi_2, Origin.MONITORING)):
        assert share.denominator + share.pending == sum(each.origin is origin for each in in_period)
        assert 0 <= share.numerator <= share.denominator
    for parts in whole.groups.values():
        for name in ("kpi_1", "kpi_2"):
            total = getattr(whole, name)
            added = [getattr(part, name) for part in parts]
            assert Share(*(sum(getattr(each, field) for each in added) for field in vars(total))) == total
