"""Tree -> a test of facts: true, false, or neither where what it looks at is absent (Kleene's logic)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from models.plan.facts import RANKS, Facts
from models.plan.names import FACTS, Kind
from models.plan.syntax import Call, Compare, Items, Junction, Literal, Name, Negation, Node, Within

Value = Callable[[Facts], Any]
Test = Callable[[Facts], bool | None]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TABLES = {"hazard": "hazards", "hazard_if_unsafe": "hazards_if_unsafe", "level_probability": "level_probabilities"}


def compiled(node: Node, thresholds: Mapping[str, float]) -> Test:
    """Return the test of a condition that `conditions.check` has found in order.

    Parameters
    ----------
    thresholds : mapping
        Thresholds by name.

    Returns
    -------
    function of facts
        True, False, or None where an absent fact leaves it open.
    """
    match node:
        case Junction("and", parts):
            return _all(tuple(compiled(part, thresholds) for part in parts))
        case Junction(_, parts):
            return _any(tuple(compiled(part, thresholds) for part in parts))
        case Negation(part):
            return _not(compiled(part, thresholds))
        case Compare(sign, left, right):
            levels = is_level(left) or is_level(right)
            return _compared(_OPERATORS[sign], _value(left, thresholds, levels), _value(right, thresholds, levels))
        case Within(left, right):
            return _within(_value(left, thresholds, is_level(left)), _value(right, thresholds, is_level(left)))
        case _:
            return _value(node, thresholds, False)


def is_level(node: Node) -> bool:
    """Tell whether a part is a level, next to which a text means a level."""
    return isinstance(node, Name) and node.name in FACTS and FACTS[node.name].kind == Kind.LEVEL


def _value(node: Node, thresholds: Mapping[str, float], levels: bool) -> Value:
    match node:
        case Literal(value):
            constant = RANKS[value] if levels and isinstance(value, str) else value
            return lambda _: constant
        case Items(items):
            some = frozenset(RANKS[str(item.value)] if levels else item.value for item in items)
            return lambda _: some
        case Name(name):
            return lambda facts: facts[name]
        case Call(name, arguments):
            return _called(name, arguments, thresholds)
        case _:
            return compiled(node, thresholds)


def _called(name: str, arguments: tuple[Node, ...], thresholds: Mapping[str, float]) -> Value:
    first = arguments[0]
    if name in _TABLES:
        assert isinstance(first, Literal)
        table, key = _TABLES[name], first.value
        return lambda facts: facts[table].get(key)
    if name == "threshold":
        assert isinstance(first, Literal)
        number = thresholds[str(first.value)]
        return lambda _: number
    if name == "known":
        assert isinstance(first, Name)
        fact = first.name
        return lambda facts: facts[fact] is not None
    some = _value(first, thresholds, False)
    if name == "count":
        return lambda facts: len(some(facts))
    assert name == "any_of", name
    others = _value(arguments[1], thresholds, False)
    return lambda facts: not some(facts).isdisjoint(others(facts))


def _all(tests: tuple[Test, ...]) -> Test:
    def run(facts: Facts) -> bool | None:
        result: bool | None = True
        for test in tests:
            found = test(facts)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return run


def _any(tests: tuple[Test, ...]) -> Test:
    def run(facts: Facts) -> bool | None:
        result: bool | None = False
        for test in tests:
            found = test(facts)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return run


def _not(test: Test) -> Test:
    def run(facts: Facts) -> bool | None:
        found = test(facts)
        return None if found is None else not found

    return run


def _compared(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> Test:
    def run(facts: Facts) -> bool | None:
        a, b = left(facts), right(facts)
        return None if a is None or b is None else compare(a, b)

    return run


def _within(left: Value, right: Value) -> Test:
    def run(facts: Facts) -> bool | None:
        item, some = left(facts), right(facts)
        return None if item is None or some is None else item in some

    return run
