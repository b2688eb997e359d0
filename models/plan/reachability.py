"""Can a condition ever be true, is it always, and does one condition imply another?

A condition is spelled out as alternatives, each a set of demands on single facts. Facts are taken to be independent, so
that what is found is certain and what is not found may still be there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.domain.risk import RiskLevel
from models.plan.compiling import is_level
from models.plan.domains import Domain, Interval, Truth, Words, meet, within
from models.plan.facts import RANKS
from models.plan.names import FACTS, FUNCTIONS, Kind
from models.plan.syntax import Call, Compare, Items, Junction, Literal, Name, Negation, Node, Within

MOST_ALTERNATIVES = 256
"""A condition with more is not judged."""

Demands = dict[str, Domain]
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_LEVELS = Interval(0, len(RiskLevel) - 1)


@dataclass(frozen=True)
class DeadPart:
    """A part that can never be true; `whole` where the condition as a whole cannot."""

    at: int
    about: str
    whole: bool


def alternatives(node: Node) -> list[Demands] | None:
    """Return the alternatives of a condition that can be true; None where there are too many to tell."""
    found = list(itertools.islice(_spelled(node, True), MOST_ALTERNATIVES + 1))
    if len(found) > MOST_ALTERNATIVES:
        return None
    return [demands for demands in found if demands is not None]


def dead_part(node: Node) -> DeadPart | None:
    """Return the smallest part that can never be true, None where every part can."""
    found = _dead(node, True)
    if found is None:
        return None
    part, positive = found
    whole = alternatives(node) == []
    return DeadPart(part.at, _clash(part, positive), whole)


def always_true(node: Node) -> bool:
    """Tell whether a condition is true whatever the facts are."""
    found = alternatives(node)
    return found is not None and any(not _real_demands(demands) for demands in found)


def implies(one: Sequence[Demands] | None, other: Sequence[Demands] | None) -> bool:
    """Tell whether every listing that one condition fires on is one that the other fires on; False where in doubt."""
    if not one or other is None:
        return False
    return all(any(_covers(wide, narrow) for wide in other) for narrow in one)


def _covers(wide: Demands, narrow: Demands) -> bool:
    return all(key in narrow and within(narrow[key], domain) for key, domain in _real_demands(wide).items())


def _real_demands(demands: Demands) -> Demands:
    """Leave out what holds anyway: a number that is never absent lies in its range."""
    return {key: domain for key, domain in demands.items() if not (domain == _range(key) and _never_absent(key))}


def _never_absent(key: str) -> bool:
    return key.startswith("count(") or (key in FACTS and not FACTS[key].absent)


def _spelled(node: Node, positive: bool) -> Iterator[Demands | None]:
    """Yield the alternatives of a condition, or of its negation; None for one that cannot be true."""
    match node:
        case Negation(part):
            yield from _spelled(part, not positive)
        case Junction(word, parts) if (word == "and") == positive:
            lists = [list(itertools.islice(_spelled(part, positive), MOST_ALTERNATIVES + 1)) for part in parts]
            for chosen in itertools.product(*lists):
                yield _joined(chosen)
        case Junction(_, parts):
            for part in parts:
                yield from _spelled(part, positive)
        case Literal(value):
            yield {} if value is positive else None
        case _:
            yield _demand(node, positive)


def _joined(chosen: Sequence[Demands | None]) -> Demands | None:
    result: Demands = {}
    for demands in chosen:
        if demands is None:
            return None
        for key, domain in demands.items():
            met = meet(result[key], domain) if key in result else domain
            if met is None:
                return None
            result[key] = met
    return None if _looks_at_what_is_absent(result) else result


def _looks_at_what_is_absent(demands: Demands) -> bool:
    return any(demands.get(f"known({key})") == Truth(False) for key in demands)


def _demand(node: Node, positive: bool) -> Demands | None:
    """Return what a single comparison demands; one that is not understood is a statement of its own."""
    match node:
        case Compare(sign, left, right):
            if isinstance(left, Literal):
                left, right, sign = right, left, _FLIPPED[sign]
            if isinstance(right, Literal) and not isinstance(left, Literal):
                return _compared(left, sign if positive else _OPPOSITE[sign], right)
        case Within(left, Items(items)) if is_level(left):
            ranks = frozenset(float(RANKS[str(item.value)]) for item in items)
            kept = ranks if positive else frozenset(range(len(RiskLevel))) - ranks
            return _levels(_key(left), kept)
        case Within(left, Items(items)):
            words = frozenset(str(item.value) for item in items)
            return {_key(left): Words(words) if positive else Words(None, words)}
        case _:
            pass
    return {_key(node): Truth(positive)}


def _compared(left: Node, sign: str, right: Literal) -> Demands | None:
    key, value = _key(left), right.value
    if isinstance(value, bool):
        return {key: Truth(value is (sign == "=="))}
    if isinstance(value, str) and not is_level(left):
        return {key: Words(frozenset({value})) if sign == "==" else Words(None, frozenset({value}))}
    number = float(RANKS[value]) if isinstance(value, str) else value
    if is_level(left):
        kept = frozenset(rank for rank in range(len(RiskLevel)) if _holds(rank, sign, number))
        return _levels(key, kept)
    wanted = {
        "<": Interval(high=number, high_open=True),
        "<=": Interval(high=number),
        ">": Interval(low=number, low_open=True),
        ">=": Interval(low=number),
        "==": Interval(number, number),
        "!=": Interval(holes=frozenset({number})),
    }[sign]
    met = wanted.meet(_range(key))
    return None if met is None else {key: met}


def _levels(key: str, ranks: frozenset[float] | frozenset[int]) -> Demands | None:
    """Return levels as an interval with holes, so that orders and lists meet."""
    if not ranks:
        return None
    holes = frozenset(float(rank) for rank in range(int(min(ranks)), int(max(ranks)) + 1)) - {float(r) for r in ranks}
    return {key: Interval(float(min(ranks)), float(max(ranks)), holes=holes)}


def _holds(rank: int, sign: str, number: float) -> bool:
    return {
        "<": rank < number, "<=": rank <= number, ">": rank > number, ">=": rank >= number,
        "==": rank == number, "!=": rank != number,
    }[sign]  # fmt: skip


def _range(key: str) -> Interval:
    fact = FACTS.get(key)
    if fact is not None and fact.kind == Kind.NUMBER:
        return Interval(fact.least, fact.most)
    if fact is not None and fact.kind == Kind.LEVEL:
        return _LEVELS
    function = FUNCTIONS.get(key.partition("(")[0])
    return Interval(0.0, function.most) if function is not None else Interval()


def _dead(node: Node, positive: bool) -> tuple[Node, bool] | None:
    """Return the smallest part that can never be as wanted."""
    match node:
        case Negation(part):
            return _dead(part, not positive)
        case Junction(_, parts):
            for part in parts:
                if found := _dead(part, positive):
                    return found
        case _:
            pass
    tried = list(itertools.islice(_spelled(node, positive), MOST_ALTERNATIVES + 1))
    dead = len(tried) <= MOST_ALTERNATIVES and all(demands is None for demands in tried)
    return (node, positive) if dead else None


def _clash(node: Node, positive: bool) -> str:
    """Return the name of the fact that a dead part asks too much of."""
    parts = node.parts if isinstance(node, Junction) else (node,)
    seen: Demands = {}
    for part in parts:
        first = next(_spelled(part, positive), None) or {}
        for key, domain in first.items():
            if f"known({key})" in seen or (key in seen and meet(seen[key], domain) is None):
                return key
            seen[key] = domain
            if key.startswith("known(") and key[6:-1] in seen:
                return key[6:-1]
    return ""


def _key(node: Node) -> str:
    """Return a part as text, the same for parts that say the same."""
    match node:
        case Name(name):
            return name
        case Literal(value):
            return f'"{value}"' if isinstance(value, str) else str(value)
        case Items(items):
            return f"[{', '.join(sorted(_key(item) for item in items))}]"
        case Call(name, arguments):
            return f"{name}({', '.join(map(_key, arguments))})"
        case Compare(sign, left, right):
            return f"{_key(left)} {sign} {_key(right)}"
        case Within(left, right):
            return f"{_key(left)} in {_key(right)}"
        case Negation(part):
            return f"not {_key(part)}"
        case Junction(word, parts):
            return f" {word} ".join(f"({_key(part)})" for part in parts)
