"""What the market says of a product kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.market_evidence import market_evidence


def of_kinds(*kinds: int, n: int = 4) -> np.ndarray:
    """Texts whose kinds are known for certain."""
    return np.eye(n)[list(kinds)]


def test_a_kind_that_authorities_name_more_often_than_it_is_offered_gains() -> None:
    evidence = market_evidence(of_kinds(*[0] * 40, *[1] * 10), of_kinds(*[0] * 10, *[1] * 40))
    assert evidence[0] > 0 > evidence[1]
    assert evidence[0] == pytest.approx(0.5 * np.log(45 / 15))


def test_a_kind_of_which_nothing_is_known_stays_where_it_is() -> None:
    evidence = market_evidence(of_kinds(*[0] * 40, *[1] * 10), of_kinds(*[0] * 10, *[1] * 40))
    assert evidence[2] == pytest.approx(0.0)


def test_few_cases_move_little() -> None:
    few = market_evidence(of_kinds(0), of_kinds(1))
    many = market_evidence(of_kinds(*[0] * 100), of_kinds(*[1] * 100))
    assert 0 < few[0] < many[0] / 5


@pytest.mark.parametrize("sides", [(of_kinds(0), np.zeros((0, 4))), (np.zeros((0, 4)), of_kinds(0))])
def test_one_side_alone_says_nothing(sides: tuple[np.ndarray, np.ndarray]) -> None:
    assert market_evidence(*sides).tolist() == [0.0] * 4


@given(
    alerts=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    ordinary=st.lists(st.integers(0, 3), min_size=1, max_size=60),
)
def test_swapping_the_sides_turns_the_sign(alerts: list[int], ordinary: list[int]) -> None:
    there, back = (market_evidence(of_kinds(*a), of_kinds(*b)) for a, b in ((alerts, ordinary), (ordinary, alerts)))
    assert there == pytest.approx(-back)
