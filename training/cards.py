"""A card: sections of words, tables and pictures, rendered as an HTML page that stands alone and as Markdown."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from training.report import page_templates


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    kind: str = "text"


@dataclass(frozen=True)
class Items:
    """A list of points."""

    lines: Sequence[str]
    kind: str = "items"


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Parameters
    ----------
    numbers : set of int
        Columns that are set flush right.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    kind: str = "table"


@dataclass(frozen=True)
class Picture:
    """A picture by the name of its PNG file, without suffix."""

    name: str
    words: str
    kind: str = "picture"


@dataclass(frozen=True)
class Code:
    """A command, line by line."""

    lines: Sequence[str]
    kind: str = "code"


Block = Text | Items | Table | Picture | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Card:
    """A card; sections without blocks are left out when it is rendered."""

    title: str
    intro: str
    sections: Sequence[Section] = field(default_factory=tuple)

    def html(self, pictures: Mapping[str, bytes]) -> str:
        """Return the page; pictures stand inside it, those that are not given are left out."""
        encoded = {name: base64.b64encode(png).decode() for name, png in pictures.items()}
        return page_templates().get_template("card.html").render(card=self.with_pictures(pictures), pictures=encoded)

    def markdown(self, pictures: Mapping[str, bytes]) -> str:
        """Return Markdown that shows the pictures as files beside it."""
        lines = [f"# {_plain(self.title)}", "", _plain(self.intro)]
        for section in self.with_pictures(pictures).sections:
            lines += ["", f"## {_plain(section.title)}"]
            for block in section.blocks:
                lines += ["", *_lines(block)]
        return "\n".join(lines) + "\n"

    def files(self, name: str, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the card as a page and as Markdown, each by the name of its file."""
        return {f"{name}.html": self.html(pictures).encode(), f"{name}.md": self.markdown(pictures).encode()}

    def with_pictures(self, pictures: Mapping[str, bytes]) -> Card:
        """Return the card without the pictures that there are not, and without empty sections."""
        kept = [
            Section(section.title, [b for b in section.blocks if not isinstance(b, Picture) or b.name in pictures])
            for section in self.sections
        ]
        return Card(self.title, self.intro, [section for section in kept if section.blocks])


def _lines(block: Block) -> list[str]:
    if isinstance(block, Text):
        return [_plain(block.words)]
    if isinstance(block, Items):
        return [f"- {_plain(line)}" for line in block.lines]
    if isinstance(block, Picture):
        return [f"![{_plain(block.words)}]({block.name}.png)", "", f"*{_plain(block.words)}*"]
    if isinstance(block, Code):
        return ["```sh", *block.lines, "```"]
    rules = ["---:" if i in block.numbers else "---" for i in range(len(block.head))]
    rows = [block.head, rules, *block.rows]
    return [f"| {' | '.join(_cell(text) for text in row)} |" for row in rows]


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text on one line in which nothing of a listing acts as markup."""
    return re.sub(r"([<>`*_\[\]#])", r"\\\1", re.sub(r"\s+", " ", text)).strip()
