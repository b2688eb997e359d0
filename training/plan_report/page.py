"""The document as an HTML page that stands alone."""

from __future__ import annotations

import base64
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.plan_report.blocks import Heading, Paper, Picture, Table, Text


def page(paper: Paper) -> str:
    """Return the page's HTML."""
    environment = Environment(
        loader=PackageLoader("training", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    blocks = [_block(block) for block in paper.blocks]
    chapters = [block for block in blocks if block["kind"] == "heading" and block["level"] == 1]
    return environment.get_template("plan_report.html").render(paper=paper, blocks=blocks, chapters=chapters)


def _block(block: Heading | Text | Table | Picture) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"kind": "heading", "text": text, "level": level, "id": re.sub(r"\W+", "-", text.lower()).strip("-")}
        case Text(text, quiet):
            return {"kind": "text", "text": text, "quiet": quiet}
        case Table():
            return {"kind": "table", "columns": block.columns, "rows": block.rows, "numbers": set(block.numbers)}
        case Picture():
            return {"kind": "picture", "png": base64.b64encode(block.png).decode(), "words": block.words}
