from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.alert import Example
from training.splits import product_groups, time_group_split, time_key

DATES = st.sampled_from(["", "2009", "2010-02-03", "2010w07", "2011-12-31", "2012-06"])
EXAMPLES = st.lists(
    st.builds(
        Example, id=st.integers(0, 30).map(str), title=st.just(""), date=DATES, lang=st.sampled_from(["en", "de", "fr"])
    ),
    max_size=80,
)


def weekly(n: int) -> list[Example]:
    return [Example(id=f"2011w{1 + i // 20:02d}-{i}", title=f"t{i}", date="2011") for i in range(n)]


def day(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()


@pytest.mark.parametrize(
    ("date", "ident", "expected"),
    [
        ("2011-05-03", "7", (day("2011-05-03"), 7)),
        ("2011-05-03T10:00:00Z", "x", (day("2011-05-03"), 0)),
        ("2011/5/3", "x", (day("2011-05-03"), 0)),
        ("2011w18", "", (day("2011-05-02"), 0)),
        ("2011-W18", "", (day("2011-05-02"), 0)),
        ("2011-05", "", (day("2011-05-01"), 0)),
        ("2011", "12", (day("2011-01-01"), 12)),
        ("2011", "2011w18-860", (day("2011-05-02"), 860)),
        ("", "2011w18-860", (day("2011-05-02"), 860)),
        ("2009", "2009w01-3", (day("2009-01-01"), 3)),
        ("2025-12-01", "SR/04459/25", (day("2025-12-01"), 4459)),
        ("", "SR/04459/25", (day("2025-01-01"), 4459)),
        ("", "A12/0123/11", (day("2011-01-01"), 123)),
        ("2012", "2011w18-860", (day("2012-01-01"), 860)),
        ("", "25115", None),
        ("unknown", "abc", None),
        ("2011-99-99", "x", (day("2011-01-01"), 0)),  # the year is known all the same
        ("1066", "", None),
    ],
)
def test_time_is_read_from_date_or_id(date: str, ident: str, expected: tuple[int, int] | None) -> None:
    assert time_key(Example(id=ident, title="", date=date)) == expected


def test_weeks_and_numbers_sort_as_numbers() -> None:
    keys = [time_key(Example(id=i, title="", date="2011")) for i in ("2011w9-990", "2011w10-3", "2011w10-21")]
    assert None not in keys
    assert keys == sorted(keys)  # type: ignore[type-var]


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_has_a_key_or_none(date: str, ident: str) -> None:
    key = time_key(Example(id=ident, title="", date=date))
    assert key is None or dt.date.fromordinal(key[0]).year >= 1900


def test_the_latest_fifth_is_the_test_part() -> None:
    examples = weekly(500)
    order = np.random.default_rng(0).permutation(500)
    split = time_group_split([examples[i] for i in order])
    assert sorted(order[split.test]) == list(range(400, 500))
    assert sorted(order[split.calibration]) == list(range(340, 400))
    assert sorted(order[split.train]) == list(range(340))
    assert split.dropped == {"train": 0, "calibration": 0}


def test_parts_come_in_time_order() -> None:
    examples = weekly(50)[::-1]
    for part in (split := time_group_split(examples)).train, split.calibration, split.test:
        keys = [time_key(examples[i]) for i in part]
        assert keys == sorted(keys)  # type: ignore[type-var]


def test_all_translations_of_a_recall_are_in_one_part() -> None:
    examples = [
        Example(id=str(i // 3), title="", date=f"2024-01-{1 + i // 9:02d}", lang=("en", "de", "fr")[i % 3])
        for i in range(90)
    ]
    split = time_group_split(examples, 0.25, 0.2)
    parts = [{examples[i].id for i in part} for part in (split.train, split.calibration, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_an_early_copy_of_a_later_product_is_dropped_and_counted() -> None:
    examples = weekly(10)
    duplicates = np.arange(10)
    duplicates[0] = duplicates[9]  # the first training example is a copy of the last test example
    duplicates[7] = duplicates[8]  # a calibration example is a copy of a test example
    split = time_group_split(examples, 0.2, 0.25, duplicates)
    assert split.dropped == {"train": 1, "calibration": 1}
    assert split.train.tolist() == [1, 2, 3, 4, 5]
    assert split.calibration.tolist() == [6]
    assert split.test.tolist() == [8, 9]


def test_groups_chain_over_ids_and_texts() -> None:
    examples = [Example(id=i, title="") for i in ("a", "a", "b", "c")]
    groups = product_groups(examples, np.array([0, 1, 1, 2]))
    assert groups[0] == groups[1] == groups[2] != groups[3]


@given(EXAMPLES, st.sampled_from([0.0, 0.2, 0.5]), st.sampled_from([0.0, 0.15, 0.5]), st.randoms(use_true_random=False))
def test_no_product_straddles_and_no_example_is_lost_unseen(examples, test_share, calibration_share, random) -> None:
    duplicates = np.array([random.randrange(40) for _ in examples], dtype=np.int64)
    split = time_group_split(examples, test_share, calibration_share, duplicates)
    parts = [split.train, split.calibration, split.test]
    kept = np.concatenate(parts)
    assert len(set(kept.tolist())) == len(kept)
    assert len(kept) + sum(split.dropped.values()) == len(examples)
    groups = product_groups(examples, duplicates)
    seen = [set(groups[part].tolist()) for part in parts]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    dated = [[key for i in part if (key := time_key(examples[i])) is not None] for part in parts]
    if dated[0] and dated[2]:
        assert max(dated[0]) <= min(dated[2])


@given(EXAMPLES, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(examples, random) -> None:
    examples = [replace(example, title=str(i)) for i, example in enumerate(examples)]
    shuffled = random.sample(examples, len(examples))
    one, other = time_group_split(examples), time_group_split(shuffled)
    for name in ("train", "calibration", "test"):
        assert {examples[i].title for i in getattr(one, name)} == {shuffled[i].title for i in getattr(other, name)}


def test_without_dates_a_hash_of_the_group_decides_and_the_report_says_so() -> None:
    examples = [Example(id=f"id{i}", title="") for i in range(5000)]
    split = time_group_split(examples)
    assert abs(len(split.test) / 5000 - 0.2) < 0.02
    assert abs(len(split.calibration) / 4000 - 0.15) < 0.02
    assert "no example has a date" in split.method
    assert split.as_dict()["undated"] == 5000
    more = [*examples, *(Example(id=f"new{i}", title="") for i in range(100))]
    assert set(split.test.tolist()) <= set(time_group_split(more).test.tolist()), "old examples stay where they were"


def test_dated_and_undated_examples_together() -> None:
    split = time_group_split([*weekly(100), *(Example(id=f"u{i}", title="") for i in range(50))])
    assert split.undated == 50
    assert "by time; 50 examples without a date" in split.method
    assert split.span["test"][0] >= split.span["train"][1]


def test_nothing_gives_nothing() -> None:
    split = time_group_split([])
    assert split.as_dict()["sizes"] == {"train": 0, "calibration": 0, "test": 0}


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="test_share"):
        time_group_split([], share)
    with pytest.raises(ValueError, match="calibration_share"):
        time_group_split([], 0.2, share)


def test_duplicate_groups_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="1 duplicate groups for 2 examples"):
        time_group_split(weekly(2), duplicates=np.array([0]))
