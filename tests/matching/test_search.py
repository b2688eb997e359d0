"""Searching finds what comparing every pair finds, whichever side asks and however the shelf was filled."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.matching.combiner import Combiner, logit
from models.matching.features import COLUMN, FEATURES
from models.matching.first_look import FirstLook
from models.matching.rarity import Rarity
from models.matching.search import Shelf
from models.matching.shelf import Block
from models.matching.signature import Group, key_of
from tests.matching.conftest import drawn_signature


def _combiner(seed: int = 0) -> Combiner:
    """Weights of the right signs, drawn at random."""
    rng = np.random.default_rng(seed)
    weights = [rng.uniform(0.2, 4) * (1 if feature.side == "for" else -1) for feature in FEATURES]
    return Combiner(np.array(weights, dtype=np.float32), -6.0, Rarity({}))


def _shelf(combiner: Combiner, signatures: list, alert_asks: bool) -> Shelf:
    shelf = Shelf(combiner, alert_asks)
    shelf.add([signature.to_bytes() for signature in signatures])
    return shelf


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.3, 0.9]), st.sampled_from([1, 5, 1_000]))
def test_a_search_finds_what_comparing_every_pair_finds(seed: int, least: float, most: int) -> None:
    rng, combiner = Random(seed), _combiner(seed)
    rows = [drawn_signature(rng) for _ in range(40)]
    query = drawn_signature(rng)
    shelf = _shelf(combiner, rows, alert_asks=True)
    every = sorted(shelf.compare(query, range(len(rows))), key=lambda hit: (-hit.logit, hit.row))
    expected = [(hit.row, hit.logit) for hit in every if hit.logit >= logit(least)][:most]
    assert [(hit.row, hit.logit) for hit in shelf.search([query], least, most)[0]] == expected


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.3, 0.9]), st.booleans(), st.integers(1, 9))
def test_many_queries_side_by_side_find_what_each_finds_alone(
    seed: int, least: float, alert_asks: bool, at_once: int
) -> None:
    rng, combiner = Random(seed), _combiner(seed)
    queries = [drawn_signature(rng) for _ in range(8)]
    shelf = _shelf(combiner, [drawn_signature(rng) for _ in range(rng.randint(0, 12))], alert_asks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.matching.first_look._AT_ONCE", at_once)
        together = shelf.search_few(FirstLook(combiner, alert_asks, queries), least)
    alone = shelf.search(queries, least, 100)
    assert [[(h.row, h.logit) for h in hits] for hits in together] == [
        [(h.row, h.logit) for h in hits] for hits in alone
    ]


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_a_pair_has_the_same_features_whichever_side_asks(seed: int) -> None:
    rng, combiner = Random(seed), _combiner()
    alerts = [drawn_signature(rng) for _ in range(6)]
    listings = [drawn_signature(rng) for _ in range(6)]
    by_alert = _shelf(combiner, listings, alert_asks=True)
    by_listing = _shelf(combiner, alerts, alert_asks=False)
    for i, alert in enumerate(alerts):
        for j, listing in enumerate(listings):
            one = by_alert.compare(alert, [j])[0]
            other = by_listing.compare(listing, [i])[0]
            np.testing.assert_array_equal(one.features, other.features)
            assert one.logit == other.logit


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_it_is_all_one_in_how_many_parts_a_shelf_was_filled_and_how_many_ask(seed: int, parts: list[int]) -> None:
    rng, combiner = Random(seed), _combiner()
    rows = [drawn_signature(rng) for _ in range(sum(parts))]
    queries = [drawn_signature(rng) for _ in range(3)]
    filled = Shelf(combiner, alert_asks=True)
    left = [row.to_bytes() for row in rows]
    for size in parts:
        filled.add(left[:size])
        left = left[size:]
    whole = _shelf(combiner, rows, alert_asks=True)
    together = filled.search(queries, 0.1, 10)
    alone = [whole.search([query], 0.1, 10)[0] for query in queries]
    assert [[(h.row, h.logit) for h in hits] for hits in together] == [
        [(h.row, h.logit) for h in hits] for hits in alone
    ]


def test_rows_past_the_size_of_a_block_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.matching.search.MOST_ROWS", 8)
    monkeypatch.setattr("models.matching.search._OPEN_ROWS", 4)
    rng, combiner = Random(1), _combiner()
    rows = [drawn_signature(rng) for _ in range(50)]
    shelf = Shelf(combiner, alert_asks=True)
    for start in range(0, 50, 7):
        shelf.add([row.to_bytes() for row in rows[start : start + 7]])
    assert len(shelf.blocks) > 5
    assert len(shelf) == 50
    for number, row in enumerate(rows):
        block, place = shelf.place(number)
        assert block.title(place) == row.title
        assert all(block.has_key(place, key_of(Group.WORD, word)) for word in row.words)
    assert not shelf.place(3)[0].has_key(3, key_of(Group.WORD, "never said"))
    with pytest.raises(IndexError):
        shelf.place(50)


def test_pictures_count_where_they_are_known() -> None:
    rng, combiner = Random(2), _combiner()
    rows = [drawn_signature(rng) for _ in range(5)]
    shelf = _shelf(combiner, rows, alert_asks=True)
    query = drawn_signature(rng)
    plain = shelf.search([query], 1e-6, 10)[0]
    seen = shelf.search([query], 1e-6, 10, lambda _, row: 1.0 if row == 3 else 0.0)[0]
    before, after = ({hit.row: hit.logit for hit in hits} for hits in (plain, seen))
    assert after[3] == pytest.approx(before[3] + float(combiner.weights[COLUMN["picture"]]), abs=1e-5)
    assert {row: value for row, value in after.items() if row != 3} == {
        row: value for row, value in before.items() if row != 3
    }


def test_the_memory_of_a_block_is_that_of_its_arrays() -> None:
    rng = Random(3)
    block = Block.of([drawn_signature(rng).to_bytes() for _ in range(10)])
    assert block.memory > block.vectors.nbytes + block.rows.nbytes
