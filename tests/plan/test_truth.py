"""Conditions are true, false, or neither: against a slow reference that reads them as Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from models.plan.compiling import compiled
from models.plan.facts import RANKS, Facts, facts_of
from models.plan.reachability import alternatives, always_true, dead_part, implies
from models.plan.syntax import Call, Compare, Items, Junction, Literal, Name, Negation, Node, Within, parse
from tests.plan.strategies import assessments, conditions, listings


def reference(node: Node, facts: Facts) -> Any:
    """Kleene's logic, written down as it is defined."""
    match node:
        case Junction(word, parts):
            values = [reference(part, facts) for part in parts]
            dominant = word == "or"
            if dominant in [v for v in values if v is not None]:
                return dominant
            return None if None in values else not dominant
        case Negation(part):
            value = reference(part, facts)
            return None if value is None else not value
        case Compare(sign, left, right):
            a, b = operand(left, facts), operand(right, facts)
            if isinstance(a, str) and not isinstance(b, str) and b is not None:
                a = RANKS[a]
            if isinstance(b, str) and not isinstance(a, str) and a is not None:
                b = RANKS[b]
            if a is None or b is None:
                return None
            return {"==": a == b, "!=": a != b}[sign] if sign in ("==", "!=") else eval(f"a {sign} b")
        case Within(left, right):
            a, b = operand(left, facts), operand(right, facts)
            if a is None:
                return None
            return a in ({RANKS[x] for x in b} if isinstance(a, int) else b)
        case _:
            return operand(node, facts)


def operand(node: Node, facts: Facts) -> Any:
    match node:
        case Literal(value):
            return value
        case Items(items):
            return {item.value for item in items}
        case Name(name):
            return facts[name]
        case Call("known", (Name(name),)):
            return facts[name] is not None
        case Call("hazard", (Literal(value),)):
            return facts["hazards"].get(value)
        case Call("count", (some,)):
            return len(operand(some, facts))
        case Call("any_of", (one, other)):
            return bool(operand(one, facts) & operand(other, facts))
        case _:
            raise AssertionError(node)


def facts(assessment: dict[str, Any], listing: dict[str, Any]) -> Facts:
    return {**facts_of(assessment, listing), "prohibited": False}


@given(conditions, assessments(), listings)
def test_a_compiled_condition_says_what_it_means(
    text: str, assessment: dict[str, Any], listing: dict[str, Any]
) -> None:
    found = facts(assessment, listing)
    assert compiled(parse(text), {})(found) is reference(parse(text), found)


@given(conditions, assessments(), listings)
def test_what_is_called_unreachable_is_never_true(
    text: str, assessment: dict[str, Any], listing: dict[str, Any]
) -> None:
    dead = dead_part(parse(text))
    if dead is not None and dead.whole:
        assert compiled(parse(text), {})(facts(assessment, listing)) is not True
    if dead is None:
        assert alternatives(parse(text)) != []


@given(conditions, conditions, assessments(), listings)
def test_what_is_said_to_imply_another_never_fires_without_it(
    one: str, other: str, assessment: dict[str, Any], listing: dict[str, Any]
) -> None:
    found = facts(assessment, listing)
    for narrow, wide in ((one, other), (f"({one}) and ({other})", other), (one, f"({one}) or ({other})")):
        if (
            implies(alternatives(parse(narrow)), alternatives(parse(wide)))
            and compiled(parse(narrow), {})(found) is True
        ):
            assert compiled(parse(wide), {})(found) is True


@given(conditions, assessments(), listings)
def test_what_is_called_always_true_is_true(text: str, assessment: dict[str, Any], listing: dict[str, Any]) -> None:
    whole = {"risk_score": 0.5, "p_unsafe": 0.5, **assessment}  # a record that lacks them has no risk score at all
    if always_true(parse(text)):
        assert compiled(parse(text), {})(facts(whole, listing)) is True


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("risk_score > 0.5", "risk_score > 0.2"),
        ('level == "high"', 'level >= "medium"'),
        ('level in ["high", "serious"]', 'level > "low"'),
        ('kind == "t-shirt"', 'kind in ["t-shirt", "handbag"]'),
        ('kind == "t-shirt"', 'kind != "handbag"'),
        ("abstains and removed_before", "abstains"),
        ("abstains", "abstains or removed_before"),
        ('not (level < "high")', 'level >= "high"'),
        ("abstains", "true"),
        ('any_of(countries, ["FR", "DE"])', 'any_of(countries, ["DE", "FR"])'),
    ],
)
def test_implications_that_a_person_sees_are_seen(narrow: str, wide: str) -> None:
    assert implies(alternatives(parse(narrow)), alternatives(parse(wide)))
    if wide != "true" and narrow.split()[0] != "not" and "any_of" not in wide:
        assert not implies(alternatives(parse(wide)), alternatives(parse(narrow)))


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("risk_score > 1", "risk_score"),
        ("severity == 2 and severity != 2", "severity"),
        ('level > "serious"', "level"),
        ('level in ["low"] and level in ["high"]', "level"),
        ("abstains and not abstains", "abstains"),
        ('kind in ["t-shirt"] and kind not in ["t-shirt"]', "kind"),
        ('hazard("fire") > 0.5 and hazard("fire") < 0.5', 'hazard("fire")'),
        ("not (risk_score >= 0)", "risk_score"),
        ("not known(kind) and kind == 'a'", "kind"),
        ("seller_suspended == true and seller_suspended == false", "seller_suspended"),
        ("not (abstains or not abstains)", "abstains"),
    ],
)
def test_contradictions_that_a_person_sees_are_seen(text: str, about: str) -> None:
    dead = dead_part(parse(text))
    assert dead is not None
    assert dead.whole
    assert about.startswith(dead.about)


def test_a_condition_with_very_many_alternatives_is_left_alone() -> None:
    text = " and ".join(f'("c{i}" in cues or "d{i}" in cues)' for i in range(12))
    assert alternatives(parse(text)) is None
    assert dead_part(parse(text)) is None
    assert not implies(alternatives(parse(text)), alternatives(parse("abstains")))
