"""The environment that every page and fragment is rendered in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def template_environment(extensions: Sequence[str] = ()) -> Environment:
    """Return an environment that escapes what it is given, and fails where a template asks for what is not there."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=extensions,
    )
