"""Every broken plan gives its message, hint, line and column."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.plan.names import FACTS, FUNCTIONS, Vocabulary
from models.plan.reading import parse_plan
from models.plan.vocabulary import vocabulary_of
from tests.plan.broken_plans import BROKEN, Broken, rule

DAY = dt.date(2026, 6, 1)


@pytest.fixture(scope="module")
def vocabulary(taxonomy: Taxonomy, knowledge: Knowledge) -> Vocabulary:
    return vocabulary_of(taxonomy, knowledge)


def test_there_are_more_than_forty() -> None:
    assert len({broken.text for broken in BROKEN}) > 40


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_a_broken_plan_gets_its_message_hint_and_place(broken: Broken, vocabulary: Vocabulary) -> None:
    reading = parse_plan(broken.text, "p", vocabulary, DAY)
    assert reading.problems[0].line_for("") == f":{broken.finding}"
    assert (reading.plan is None) == (": error: " in broken.finding)


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_every_finding_says_how_to_mend_it(broken: Broken, vocabulary: Vocabulary) -> None:
    assert all(problem.hint for problem in parse_plan(broken.text, "p", vocabulary, DAY).problems)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        "name: p\nversion: 1\nmitigate:\n  otherwise: publish\n  rules:\n"
        "    - {id: a, when: risk_scor > 1, action: block, queue: q, reason: R}\n"
        "    - {id: a, when: level = 1, action: block, reason: R}\n"
    )
    found = [(p.line, p.message) for p in parse_plan(text).problems]
    assert found == [
        (6, "no fact has the name 'risk_scor'"),
        (6, "no queue has the name 'q'"),
        (7, "id 'a' stands twice"),
        (7, "'=' is no comparison"),
    ]


def test_words_are_not_checked_without_a_vocabulary() -> None:
    assert parse_plan(rule('kind == "no such kind" and hazard("boredom") > 0.1')).problems == []


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_fall(text: str) -> None:
    reading = parse_plan(text)
    assert (reading.plan is None) == bool(reading.errors)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in reading.problems)


_pieces = st.sampled_from(
    [
        *FACTS,
        *FUNCTIONS,
        "and",
        "or",
        "not",
        "in",
        "(",
        ")",
        "[",
        "]",
        ",",
        "==",
        ">=",
        '"a"',
        "0.5",
        "7",
        "true",
        "=",
        "x",
    ]
)


@given(st.lists(_pieces, max_size=8).map(" ".join))
def test_any_condition_is_judged_without_a_fall_and_in_its_place(condition: str) -> None:
    text = rule(condition)
    for problem in parse_plan(text).errors:
        assert problem.line == 6
        assert 22 <= problem.column <= 22 + len(condition) + 1


@pytest.mark.parametrize("key", ["yes: 1", "1: 2", "2026-01-01: a", "? [a]\n: b", "!!python/object:os.system {}: a"])
def test_odd_keys_are_told(key: str) -> None:
    assert parse_plan(f"name: p\n{key}\n").errors


def test_a_file_that_is_far_too_long_or_deep_is_no_plan() -> None:
    assert "longer than" in parse_plan("#" * 1_000_001).errors[0].message
    assert "nested deeper" in parse_plan("name: " + "[" * 40 + "]" * 40).errors[0].message
