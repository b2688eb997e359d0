"""The libraries that some code imports, as pinned requirements."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions, version
from pathlib import Path


def pinned_requirements(files: Iterable[Path], own: Iterable[str] = ()) -> list[str]:
    """Return ``name==version`` for every installed library that Python files import, wherever in the file.

    Parameters
    ----------
    files : iterable of Path
        Python sources; they are parsed, not run.
    own : iterable of str
        Top-level packages that are no library.
    """
    names = {name for path in files for name in imported_packages(path.read_text(encoding="utf-8"))}
    known = packages_distributions()
    found = {sorted(known[name])[0] for name in names - set(own) - set(sys.stdlib_module_names) if name in known}
    return [f"{name}=={version(name)}" for name in sorted(found, key=str.casefold)]


def imported_packages(source: str) -> set[str]:
    """Return the top-level packages that a source imports.

    Examples
    --------
    >>> sorted(imported_packages("import os.path, numpy as np\\nfrom yaml import safe_load\\nfrom . import x"))
    ['numpy', 'os', 'yaml']
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names
