"""A recall notice as plain text, as a piece of HTML for a page, and as an HTML document for a mailer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from models.notices.notice import Notice, Part

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:40rem;margin:1rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "h1{color:#b00020}h2{font-size:1.1rem;margin-bottom:.2rem}dt{font-weight:bold}dd{margin:0 0 .4rem}"
    "img{max-width:100%;height:auto}a{color:#00558b}"
)


def notice_text(notice: Notice) -> str:
    """Return the notice as plain text, one line a statement.

    Examples
    --------
    >>> notice_text(Notice("en", "ltr", "Product safety recall", "", "https://example.org/p.jpg", "Picture", ()))
    'Product safety recall\\n=====================\\n\\nPicture\\nhttps://example.org/p.jpg\\n'
    """
    lines = [notice.headline, "=" * len(notice.headline), ""]
    if notice.opening:
        lines += [notice.opening, ""]
    lines += [notice.picture_words, notice.picture]
    for part in notice.parts:
        lines += ["", *_part_lines(part)]
    return "\n".join(lines) + "\n"


def notice_fragment(notice: Notice, pictures: bool = True) -> str:
    """Return the notice as a piece of HTML, without script and style, everything escaped.

    Parameters
    ----------
    pictures : bool
        Show the picture; where false, link to it, for pages that load nothing from elsewhere.
    """
    return _template().render(notice=notice, pictures=pictures)


def notice_document(notice: Notice) -> str:
    """Return the notice as an HTML document that stands alone."""
    return (
        f'<!doctype html>\n<html lang="{notice.language}" dir="{notice.direction}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(notice.headline)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{notice_fragment(notice)}</main>\n</body>\n</html>\n"
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("notice.html")


def _part_lines(part: Part) -> Iterator[str]:
    yield part.title
    yield "-" * len(part.title)
    for paragraph in part.paragraphs:
        yield paragraph.text
    for label, value in part.facts:
        yield f"{label}: {value}"
    for choice in part.choices:
        yield f"- {choice}"
