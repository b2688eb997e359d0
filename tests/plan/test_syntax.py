"""Conditions are read as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given

from models.plan.syntax import DEEPEST, LONGEST, Compare, Junction, Literal, Name, Negation, SyntaxFault, Within, parse
from tests.plan.strategies import conditions


def test_and_binds_stronger_than_or_and_not_stronger_than_both() -> None:
    assert parse("a or b and not c") == Junction(
        "or", (Name("a", 0), Junction("and", (Name("b", 5), Negation(Name("c", 15), 11)), 5)), 0
    )


def test_not_in_is_the_opposite_of_in() -> None:
    node = parse("kind not in kinds")
    assert isinstance(node, Negation)
    assert node.part == Within(Name("kind", 0), Name("kinds", 12), 0)


def test_numbers_are_numbers_however_they_are_written() -> None:
    for text in ("0.5", ".5", "5e-1", "0.50"):
        node = parse(f"p >= {text}")
        assert isinstance(node, Compare)
        assert isinstance(node.right, Literal)
        assert node.right.value == 0.5


@given(conditions)
def test_spaces_and_parentheses_say_nothing(text: str) -> None:
    def shape(node: object) -> str:
        return "".join(part for part in repr(node).replace(" ", "").split("at=") if part)

    spaced = parse(f"(  {text}  )".replace(" ", "  "))
    assert [c for c in shape(spaced) if not c.isdigit()] == [c for c in shape(parse(text)) if not c.isdigit()]


@pytest.mark.parametrize(
    "text", ["import os", "__import__('os')", "a.b", "a[0]", "lambda: 1", "a if b else c", "f'{a}'", "a := 1"]
)
def test_nothing_else_is_a_condition(text: str) -> None:
    try:
        node = parse(text)
    except SyntaxFault:
        return
    assert type(node).__name__ == "Call"  # a call of an unknown function, which the check refuses


def test_length_and_depth_have_limits() -> None:
    with pytest.raises(SyntaxFault, match="longer"):
        parse("a" * (LONGEST + 1))
    for deep in ("(" * (DEEPEST + 1) + "a", "not " * (DEEPEST + 1) + "a", "f(" * (DEEPEST + 1) + "a"):
        with pytest.raises(SyntaxFault, match="nested deeper"):
            parse(deep)
    assert parse("(" * DEEPEST + "a" + ")" * DEEPEST) == Name("a", DEEPEST)
