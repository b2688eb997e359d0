"""Checks a condition: names, functions, types, ranges, words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from models.plan.names import FACTS, FUNCTIONS, Fact, Kind, Vocabulary
from models.plan.problems import did_you_mean
from models.plan.syntax import Call, Compare, Items, Junction, Literal, Name, Negation, Node, Within

ORDERED = ("<", "<=", ">", ">=")


@dataclass(frozen=True)
class Fault:
    """What is wrong at an offset of the condition."""

    message: str
    hint: str
    at: int


@dataclass
class ConditionCheck:
    """Checks one condition and collects what is wrong.

    Parameters
    ----------
    thresholds : mapping
        Names that `threshold(...)` may take, and the score that each is on.
    unavailable : collection of str
        Facts that cannot be used here.
    """

    vocabulary: Vocabulary
    thresholds: Mapping[str, str] = field(default_factory=dict)
    unavailable: Collection[str] = ()
    faults: list[Fault] = field(default_factory=list)
    thresholds_used: set[str] = field(default_factory=set)

    def check(self, node: Node) -> list[Fault]:
        """Return everything that is wrong with a condition."""
        self._truth(node)
        return self.faults

    def _truth(self, node: Node) -> None:
        match node:
            case Junction(_, parts):
                for part in parts:
                    self._truth(part)
            case Negation(part):
                self._truth(part)
            case _:
                kind = self._kind(node)
                if kind not in (None, Kind.FLAG):
                    self._fault(f"{_called(node)} is a {kind}, not true or false", _how_to_compare(node, kind), node)

    def _kind(self, node: Node) -> Kind | None:
        """Return the type of a value, None where a fault has been noted."""
        match node:
            case Literal(value):
                return Kind.FLAG if isinstance(value, bool) else Kind.TEXT if isinstance(value, str) else Kind.NUMBER
            case Items():
                return Kind.TEXTS
            case Name(name):
                return self._name(name, node)
            case Call():
                return self._call(node)
            case Compare():
                self._compare(node)
            case Within():
                self._within(node)
            case _:
                self._truth(node)
        return Kind.FLAG

    def _name(self, name: str, node: Name) -> Kind | None:
        if name in FUNCTIONS:
            self._fault(f"{name!r} is a function", f"write {_example(name)}", node)
            return None
        fact = FACTS.get(name)
        if fact is None:
            self._fault(f"no fact has the name {name!r}", did_you_mean(name, [*FACTS, *FUNCTIONS]), node)
            return None
        if name in self.unavailable:
            self._fault(f"{name!r} cannot be used here", "it is only known when the level is; use it in a rule", node)
            return None
        return fact.kind

    def _call(self, call: Call) -> Kind | None:
        function = FUNCTIONS.get(call.name)
        if function is None:
            known = did_you_mean(call.name, FUNCTIONS)
            hint = f"{call.name} is a fact; write it without parentheses" if call.name in FACTS else known
            self._fault(f"no function has the name {call.name!r}", hint, call)
            return None
        if len(call.arguments) != len(function.arguments):
            wanted = len(function.arguments)
            message = f"{call.name!r} takes {wanted} value{'s' if wanted > 1 else ''}, not {len(call.arguments)}"
            self._fault(message, f"write {_example(call.name)}", call)
            return None
        if call.name == "known":
            return self._known(call)
        if function.values or call.name == "threshold":
            return self._looked_up(call, function.values)
        kinds = [self._kind(argument) for argument in call.arguments]
        for argument, kind, wanted_kind in zip(call.arguments, kinds, function.arguments, strict=True):
            if kind not in (None, wanted_kind):
                self._fault(
                    f"{_called(argument)} is a {kind}, not a {wanted_kind}", f"write {_example(call.name)}", argument
                )
                return None
        if call.name == "any_of" and None not in kinds:
            self._items(call.arguments[1], _fact(call.arguments[0]))
            self._items(call.arguments[0], _fact(call.arguments[1]))
        return function.kind

    def _known(self, call: Call) -> Kind | None:
        (argument,) = call.arguments
        if not isinstance(argument, Name):
            self._fault("known takes the bare name of a fact", "write known(seller_warnings)", argument)
            return None
        if self._name(argument.name, argument) is None:
            return None
        if not FACTS[argument.name].absent:
            self._fault(f"{argument.name!r} is always known", "remove the test", argument)
        return Kind.FLAG

    def _looked_up(self, call: Call, values: str) -> Kind | None:
        (argument,) = call.arguments
        if not isinstance(argument, Literal) or not isinstance(argument.value, str):
            self._fault(f"{call.name} takes a text in quotes", f"write {_example(call.name)}", argument)
            return None
        if values == "threshold":
            if argument.value not in self.thresholds:
                hint = did_you_mean(argument.value, self.thresholds, "name it under assess: thresholds")
                self._fault(f"no threshold has the name {argument.value!r}", hint, argument)
                return None
            self.thresholds_used.add(argument.value)
        else:
            self._word(argument, values)
        return FUNCTIONS[call.name].kind

    def _compare(self, node: Compare) -> None:
        kinds = {self._kind(node.left), self._kind(node.right)}
        if None in kinds:
            return
        if isinstance(node.left, Literal) and isinstance(node.right, Literal):
            self._fault("two fixed values are compared", "compare a fact with a value", node)
        elif kinds == {Kind.LEVEL, Kind.TEXT}:
            self._levels(node)
        elif len(kinds) > 1:
            left, right = self._kind(node.left), self._kind(node.right)
            self._fault(f"a {left} is compared with a {right}", _mend(kinds), node)
        elif kinds <= {Kind.TEXTS}:
            self._fault("a set cannot be compared", 'write "a" in SET, any_of(SET, ["a", "b"]) or count(SET) > 0', node)
        elif node.operator in ORDERED and kinds <= {Kind.TEXT, Kind.FLAG}:
            self._fault(f"a {kinds.pop()} has no order", "compare it by == or !=", node)
        else:
            for one, other in ((node.left, node.right), (node.right, node.left)):
                self._value(other, one)

    def _levels(self, node: Compare) -> None:
        text = node.right if self._kind(node.left) == Kind.LEVEL else node.left
        if isinstance(text, Literal):
            self._word(text, "level")
        else:
            self._fault(f"{_called(text)} is no level", 'compare with a level in quotes, such as "high"', text)

    def _within(self, node: Within) -> None:
        left, right = self._kind(node.left), self._kind(node.right)
        if left is None or right is None:
            return
        if right != Kind.TEXTS:
            hint = 'write == "..." to compare with one text, or in ["...", "..."]'
            self._fault(f"{_called(node.right)} is no set", hint, node.right)
        elif left == Kind.NUMBER or left == Kind.FLAG or left == Kind.TEXTS:
            hint = "write any_of(SET, SET)" if left == Kind.TEXTS else "compare it by =="
            self._fault(f"a {left} cannot be looked up in a set", hint, node.left)
        elif left == Kind.LEVEL and not isinstance(node.right, Items):
            self._fault(
                "a level is looked up in a list of levels only", 'write level in ["high", "serious"]', node.right
            )
        else:
            if isinstance(node.right, Items) and not node.right.items:
                self._fault("the list is empty", "name what is looked for", node.right)
            self._items(node.right, _fact(node.left))
            self._value(node.left, node.right)

    def _items(self, items: Node, fact: Fact | None) -> None:
        """Check a list of texts against the words that a fact can have."""
        if isinstance(items, Items):
            for item in items.items:
                if not isinstance(item.value, str):
                    self._fault("a number stands among texts", "write texts in quotes", item)
                elif fact is not None and fact.values:
                    self._word(item, fact.values)

    def _value(self, given: Node, other: Node) -> None:
        """Check a fixed value against the fact or function that it is compared with."""
        if isinstance(given, Call) and given.name == "threshold":
            self._threshold(given, other)
        if not isinstance(given, Literal):
            return
        fact = _fact(other)
        if isinstance(given.value, str) and fact is not None and fact.values:
            self._word(given, fact.values)
        if isinstance(given.value, float):
            least, most = _range(other)
            if not least <= given.value <= most:
                percent = (
                    f"write {given.value / 100:g} for {given.value:g} %" if most == 1 else "give a value in between"
                )
                reach = f"lies within {least:g} and {most:g}" if most != float("inf") else f"is {least:g} or more"
                self._fault(f"{_called(other)} {reach}; {given.value:g} says nothing", percent, given)

    def _threshold(self, given: Call, other: Node) -> None:
        """A threshold is on one score: compared with another one it keeps no promise."""
        (name,) = given.arguments
        score = self.thresholds[str(name.value)] if isinstance(name, Literal) else ""
        if not isinstance(other, Name) or other.name != score:
            hint = f"compare it with {score}, or name a threshold on {_called(other)} under assess: thresholds"
            self._fault(f"threshold {_called(name)} is on {score}, not on {_called(other)}", hint, given)

    def _word(self, given: Literal, values: str) -> None:
        known = self.vocabulary.of(values)
        if known is not None and str(given.value) not in known:
            article = "an" if values[0] in "aeiou" else "a"
            hint = did_you_mean(str(given.value), known, "" if len(known) < 40 else f"see the list of {values}s")
            self._fault(f"{given.value!r} is not {article} {values}", hint, given)

    def _fault(self, message: str, hint: str, node: Node) -> None:
        self.faults.append(Fault(message, hint, node.at))


def _fact(node: Node) -> Fact | None:
    return FACTS.get(node.name) if isinstance(node, Name) else None


def _range(node: Node) -> tuple[float, float]:
    if isinstance(node, Name):
        return FACTS[node.name].least, FACTS[node.name].most
    return (0.0, FUNCTIONS[node.name].most) if isinstance(node, Call) else (float("-inf"), float("inf"))


def _called(node: Node) -> str:
    match node:
        case Name(name):
            return name
        case Call(name):
            return f"{name}(...)"
        case Literal(value):
            return repr(value) if isinstance(value, str) else f"{value:g}"
        case Items():
            return "the list"
        case _:
            return "this"


def _example(function: str) -> str:
    examples = {
        "hazard": 'hazard("choking") >= 0.4',
        "hazard_if_unsafe": 'hazard_if_unsafe("choking") >= 0.4',
        "level_probability": 'level_probability("serious") >= 0.4',
        "threshold": 'risk_score >= threshold("name")',
        "count": "count(flagged) >= 2",
        "any_of": 'any_of(countries, ["DE", "FR"])',
        "known": "known(seller_warnings)",
    }
    return examples[function]


def _how_to_compare(node: Node, kind: Kind | None) -> str:
    name = _called(node)
    match kind:
        case Kind.NUMBER:
            return f"compare it, such as {name} >= 0.4"
        case Kind.LEVEL:
            return f'compare it, such as {name} >= "high"'
        case Kind.TEXTS:
            return f"write count({name}) > 0"
        case _:
            return f'compare it, such as {name} == "..."'


def _mend(kinds: set[Kind | None]) -> str:
    if kinds == {Kind.NUMBER, Kind.TEXT}:
        return "write numbers without quotes"
    if kinds == {Kind.FLAG, Kind.TEXT}:
        return "write true or false without quotes, or the bare name"
    if Kind.TEXTS in kinds:
        return 'write "a" in SET, any_of(SET, ["a", "b"]) or count(SET) > 0'
    if Kind.LEVEL in kinds:
        return 'levels are "none", "low", "medium", "high" and "serious"'
    return "compare values of one type"
