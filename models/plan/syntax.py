"""The expression language of conditions: text -> tree, with the place of every part.

::

    level >= "high" and (hazard("choking") >= 0.4 or "magnets" in cues) and not removed_before

Numbers, texts, lists, names, calls, comparisons, ``in``, ``and``, ``or``, ``not``, parentheses; nothing else, so that a
condition can be checked as a whole and never does anything but look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

LONGEST, DEEPEST = 4_000, 60
"""Most characters of a condition, and how deep parentheses may nest."""

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


class SyntaxFault(Exception):  # noqa: N818  (a fault in what was written, not of ours)
    """The text is no expression.

    Parameters
    ----------
    at : int
        Offset into the text, in code points.
    """

    def __init__(self, message: str, hint: str, at: int) -> None:
        super().__init__(message)
        self.message, self.hint, self.at = message, hint, at


@dataclass(frozen=True)
class Literal:
    """A number, a text, or true and false."""

    value: float | str | bool
    at: int


@dataclass(frozen=True)
class Items:
    """A list of literals."""

    items: tuple[Literal, ...]
    at: int


@dataclass(frozen=True)
class Name:
    """A fact."""

    name: str
    at: int


@dataclass(frozen=True)
class Call:
    """A function of facts."""

    name: str
    arguments: tuple[Node, ...]
    at: int


@dataclass(frozen=True)
class Compare:
    """Two values and an operator of `COMPARISONS`."""

    operator: str
    left: Node
    right: Node
    at: int


@dataclass(frozen=True)
class Within:
    """``left in right``."""

    left: Node
    right: Node
    at: int


@dataclass(frozen=True)
class Negation:
    """``not part``."""

    part: Node
    at: int


@dataclass(frozen=True)
class Junction:
    """Parts joined by ``and`` or by ``or``."""

    operator: str
    parts: tuple[Node, ...]
    at: int


Node = Literal | Items | Name | Call | Compare | Within | Negation | Junction

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)
    )""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "not", "in", "true", "false"})
_SLIPS = {
    "=": ("'=' is no comparison", "write == to compare"),
    "&": ("'&' is not known", "write 'and'"),
    "|": ("'|' is not known", "write 'or'"),
    "!": ("'!' is not known", "write 'not'"),
    '"': ("the text has no closing quote", 'end it with "'),
    "'": ("the text has no closing quote", "end it with '"),
    "%": ("'%' is not known", "write 40 % as 0.4"),
    "-": ("'-' is not known", "nothing is negative or subtracted in a condition; move it to the number"),
    "+": ("'+' is not known", "conditions compare and do not calculate"),
    "*": ("'*' is not known", "conditions compare and do not calculate"),
    "/": ("'/' is not known", "conditions compare and do not calculate"),
    ".": ("'.' is not known", "names of facts have no dot; write seller_warnings"),
    "{": ("'{' is not known", 'write a list as ["a", "b"]'),
}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """Return the tree of a condition.

    Raises
    ------
    SyntaxFault
        With message, hint and offset.

    Examples
    --------
    >>> parse("risk_score >= 0.4").operator
    '>='
    """
    if len(text) > LONGEST:
        raise SyntaxFault(f"the condition is longer than {LONGEST:,} characters", "split the rule into several", 0)
    return _Parser(_tokens(text), len(text)).whole()


def _tokens(text: str) -> list[_Token]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            message, hint = _SLIPS.get(text[at], (f"{text[at]!r} is not known", "see hazardlens plan names"))
            raise SyntaxFault(message, hint, at)
        kind = str(match.lastgroup)
        word = match.group(kind)
        tokens.append(_Token("word" if kind == "name" and word in _WORDS else kind, word, match.start(kind)))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent, loosest first: or, and, not, comparison, operand."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self.tokens, self.end, self.next, self.depth = tokens, end, 0, 0

    def whole(self) -> Node:
        if not self.tokens:
            raise SyntaxFault("the condition is empty", "write true for a rule that always fires", 0)
        node = self.either()
        left = self.peek()
        if left is not None:
            if left.text in (")", "]"):
                raise SyntaxFault(f"{left.text!r} closes nothing", "remove it, or add the opening one", left.at)
            if left.text in COMPARISONS:
                raise SyntaxFault("comparisons do not chain", "write a <= x and x < b", left.at)
            raise SyntaxFault(f"{left.text!r} does not belong here", "join conditions by and, or", left.at)
        return node

    def peek(self) -> _Token | None:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def take(self, *texts: str) -> _Token | None:
        """Take the next token if it is one of these words or signs."""
        token = self.peek()
        if token is not None and token.kind in ("word", "sign") and token.text in texts:
            self.next += 1
            return token
        return None

    def either(self) -> Node:
        return self.joined("or", self.all_of)

    def all_of(self) -> Node:
        return self.joined("and", self.negated)

    def joined(self, word: str, part: object) -> Node:
        assert callable(part)
        first: Node = part()
        parts = [first]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts), first.at)

    def negated(self) -> Node:
        token = self.take("not")
        if token is None:
            return self.compared()
        with_depth = self.deeper(token.at)
        node = Negation(with_depth.negated(), token.at)
        self.depth -= 1
        return node

    def compared(self) -> Node:
        left = self.operand()
        if sign := self.take(*COMPARISONS):
            return Compare(sign.text, left, self.operand(), left.at)
        if self.take("in"):
            return Within(left, self.operand(), left.at)
        if word := self.take("not"):
            if not self.take("in"):
                raise SyntaxFault("'not' does not belong here", "write 'not in', or 'and not'", word.at)
            return Negation(Within(left, self.operand(), left.at), left.at)
        return left

    def operand(self) -> Node:
        token = self.peek()
        if token is None:
            raise SyntaxFault("the condition breaks off", "add what is to be compared", self.end)
        self.next += 1
        if token.kind == "number":
            return Literal(float(token.text), token.at)
        if token.kind == "text":
            return Literal(token.text[1:-1], token.at)
        if token.kind == "name":
            return self.call(token) if self.take("(") else Name(token.text, token.at)
        if token.text in ("true", "false"):
            return Literal(token.text == "true", token.at)
        if token.text == "(":
            node = self.deeper(token.at).either()
            self.depth -= 1
            self.close(")", token)
            return node
        if token.text == "[":
            return self.listed(token)
        return self.misplaced(token)

    def call(self, name: _Token) -> Call:
        arguments: list[Node] = []
        if not self.take(")"):
            arguments.append(self.deeper(name.at).operand())
            while self.take(","):
                arguments.append(self.operand())
            self.depth -= 1
            self.close(")", name)
        return Call(name.text, tuple(arguments), name.at)

    def listed(self, opening: _Token) -> Items:
        items: list[Literal] = []
        while not self.take("]"):
            if items and not self.take(","):
                self.close("]", opening)
                break
            item = self.operand() if self.peek() else None
            if item is None:
                self.close("]", opening)
            if not isinstance(item, Literal):
                at = item.at if item else self.end
                raise SyntaxFault("a list holds texts and numbers only", 'write texts in quotes: ["a", "b"]', at)
            items.append(item)
        return Items(tuple(items), opening.at)

    def deeper(self, at: int) -> _Parser:
        self.depth += 1
        if self.depth > DEEPEST:
            raise SyntaxFault(f"nested deeper than {DEEPEST}", "split the rule into several", at)
        return self

    def close(self, sign: str, opening: _Token) -> None:
        if self.take(sign):
            return
        token = self.peek()
        if token is not None and token.text in COMPARISONS:
            raise SyntaxFault("comparisons do not chain", "write a <= x and x < b", token.at)
        what = "(" if sign == ")" else "["
        raise SyntaxFault(f"{what!r} is not closed", f"add {sign!r}", token.at if token else opening.at)

    def misplaced(self, token: _Token) -> NoReturn:
        if token.text in (")", "]", ","):
            raise SyntaxFault(f"something is missing before {token.text!r}", "add what is to be compared", token.at)
        raise SyntaxFault(
            f"{token.text!r} stands where a fact or a value is expected", "see hazardlens plan names", token.at
        )
