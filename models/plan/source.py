"""A plan file as YAML whose every key and value knows its line and column, down to a character of a text."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from models.domain.resources import YAML_LOADER
from models.plan.problems import Problem

Path = tuple[str | int, ...]
LONGEST, DEEPEST = 1_000_000, 12
"""Most characters of a plan file, and how deep it may nest; what is above is no plan and may be an attack."""

_CODE_LENGTHS = {"x": 2, "u": 4, "U": 8}
_ESCAPED_SPACES = frozenset("ntrvfNLP_ \n")


class Place(NamedTuple):
    """Line and column from 1, column in code points."""

    line: int
    column: int


@dataclass
class PlanSource:
    """The parsed file.

    Parameters
    ----------
    data : Any
        Plain values; None where the text is no YAML.
    problems : list of Problem
        What is wrong with it as YAML.
    """

    text: str
    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    values: dict[Path, yaml.Node] = field(default_factory=dict, repr=False)
    keys: dict[Path, yaml.Node] = field(default_factory=dict, repr=False)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the place of a value (or of its key), or of the nearest parent that exists."""
        if key and path in self.keys:
            return _start(self.keys[path])
        while path and path not in self.values:
            path = path[:-1]
        return _start(self.values[path]) if path in self.values else Place(1, 1)

    def place_within(self, path: Path, offset: int) -> Place:
        """Return the place of the character at `offset` of a text value, as it is written in the file."""
        node = self.values.get(path)
        if not isinstance(node, yaml.ScalarNode):
            return self.place(path)
        index = _index_within(self.text, node, offset)
        before = self.text[:index]
        line_start = max(before.rfind("\n"), before.rfind("\r")) + 1
        return Place(before.count("\n") + 1, index - line_start + 1)


def read_source(text: str) -> PlanSource:
    """Parse a file's text; never raises."""
    source = PlanSource(text)
    if len(text) > LONGEST:
        source.problems.append(Problem("error", f"longer than {LONGEST:,} characters", "this is no plan", 1, 1))
        return source
    try:
        loader = YAML_LOADER(text)
        try:
            node = loader.get_single_node()
            source.data = _Conversion(source, loader).of(node, ()) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        hint = "quote a value that holds a colon and a space, or begins with a quote; indent by spaces"
        source.problems.append(Problem("error", f"not readable as YAML: {error.problem}", hint, line, column))
    except (yaml.YAMLError, ValueError) as error:  # e.g. a control character, or a date such as 2026-02-30
        found = getattr(error, "reason", None) or str(error)
        source.problems.append(Problem("error", f"not readable as YAML: {found}", "remove what is no text", 1, 1))
    if node_missing(source):
        source.problems.append(Problem("error", "the file is empty", "a plan has name, version and mitigate", 1, 1))
    return source


def node_missing(source: PlanSource) -> bool:
    """Tell whether the file held nothing at all."""
    return not source.problems and source.data is None


class _Conversion:
    def __init__(self, source: PlanSource, loader: Any) -> None:
        self.source, self.loader = source, loader
        self.seen: set[int] = set()

    def of(self, node: yaml.Node, path: Path) -> Any:
        self.source.values[path] = node
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self.seen:
            self.problem("anchors and aliases are not read", "write the value out", node)
            return None
        self.seen.add(id(node))
        if len(path) > DEEPEST:
            self.problem(f"nested deeper than {DEEPEST}", "a plan is not that deep", node)
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self.of(child, (*path, i)) for i, child in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode)
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, Hashable) or key is None:
                self.problem("a key must be a plain text", "write key: value", key_node)
                continue
            name = "no" if key is False else "yes" if key is True else str(key)
            if name in result:
                self.problem(f"key {name!r} stands twice", "keep one of them", key_node)
                continue
            self.source.keys[(*path, name)] = key_node
            result[name] = self.of(value_node, (*path, name))
        return result

    def scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.loader.construct_object(node)
        except ValueError:  # an impossible date stays a text, and the type of the field says the rest
            return node.value

    def problem(self, message: str, hint: str, node: yaml.Node) -> None:
        self.source.problems.append(Problem("error", message, hint, *_start(node)))


def _start(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _index_within(text: str, node: yaml.ScalarNode, offset: int) -> int:
    """Return the index into the file of a character of a scalar.

    YAML folds white space and changes nothing else but escapes: the n-th character that is no white space stands as the
    n-th one in the file.
    """
    index, end = node.start_mark.index, node.end_mark.index
    style = node.style or ""
    if style in ("|", ">"):
        index = text.find("\n", index, end) + 1
    elif style in ("'", '"'):
        index += 1
    wanted = len("".join(node.value[:offset].split()))
    escape = style if style in ("'", '"') else ""
    while index < end:
        character = text[index]
        if character.isspace():
            index += 1
            continue
        length = 1
        if escape == "'" and text[index : index + 2] == "''":
            length = 2
        elif escape == '"' and character == "\\":
            length = 2 + _CODE_LENGTHS.get(text[index + 1 : index + 2], 0)
            if text[index + 1 : index + 2] in _ESCAPED_SPACES:
                index += length
                continue
        if wanted == 0:
            return index
        wanted -= 1
        index += length
    return min(index, end)
