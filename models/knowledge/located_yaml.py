"""YAML whose every value knows its line, so that an error can name the place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from models.domain.errors import InputError
from models.domain.resources import YAML_LOADER

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class LocatedYaml:
    """A parsed YAML file.

    Parameters
    ----------
    data : Any
        The plain values.
    lines : dict
        Line number (from 1) of each value, by its path of keys and indices.
    """

    file: Path
    data: Any
    lines: dict[Path_, int] = field(repr=False)

    def line_of(self, path: Path_) -> int:
        """Return the line of a path, or of the nearest parent that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_located(file: Path) -> LocatedYaml:
    """Parse a YAML file and keep the line of every value.

    Raises
    ------
    InputError
        If the file is missing, is no YAML, or gives a key twice.
    """
    try:
        loader = YAML_LOADER(file.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            lines: dict[Path_, int] = {}
            data = _convert(node, (), lines, loader, file) if node is not None else None
        finally:
            loader.dispose()
    except FileNotFoundError as error:
        raise InputError("no such file", place=str(file)) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(
            f"not readable as YAML: {error.problem}",
            place=f"{file}:{line}",
            hint="quote a value that holds a colon and a space, or begins with a quote",
        ) from error
    return LocatedYaml(file, data, lines)


def _convert(node: yaml.Node, path: Path_, lines: dict[Path_, int], loader: Any, file: Path) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if key in result:
                raise InputError(
                    f"key {key!r} stands twice", place=f"{file}:{key_node.start_mark.line + 1}", hint="keep one of them"
                )
            result[key] = _convert(value_node, (*path, key), lines, loader, file)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_convert(child, (*path, i), lines, loader, file) for i, child in enumerate(node.value)]
    return loader.construct_object(node, deep=True)
