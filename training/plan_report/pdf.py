"""The document as a PDF: A4, numbered pages, contents, bookmarks; equal input gives equal bytes."""

from __future__ import annotations

import datetime as dt
import struct
from io import BytesIO
from pathlib import Path

import matplotlib
from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout
from fpdf.fonts import FontFace, TextStyle
from fpdf.outline import TableOfContents

from training.plan_report.blocks import Block, Heading, Paper, Picture, Table, Text

_FONT = "DejaVu"
_FONTS = {"": "", "B": "-Bold", "I": "-Oblique", "BI": "-BoldOblique"}
_INK, _QUIET, _ACCENT, _LINE = (20, 20, 20), (95, 95, 95), (0, 114, 178), (200, 200, 200)
_MARGIN = 18.0
_SMALL, _BODY = 7.2, 9.5
_ROOM_CHAPTER, _ROOM_SECTION = 90, 30
"""Millimetres below which a heading begins a new page."""
_WIDE_TABLE = 7
"""Columns from which a table takes a smaller type."""


class _Pages(FPDF):
    """Header and footer of every page but the first."""

    def __init__(self, title: str, foot: str) -> None:
        super().__init__("portrait", "mm", "A4")
        self.head, self.foot = title, foot
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        for style, ending in _FONTS.items():
            self.add_font(_FONT, style, fonts / f"DejaVuSans{ending}.ttf")
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.set_auto_page_break(True, _MARGIN + 4)
        self.set_text_color(*_INK)
        self.set_draw_color(*_LINE)

    def header(self) -> None:
        """Name the document."""
        if self.page_no() > 1:
            self._line(self.head, 9.0)
            self.set_y(_MARGIN)

    def footer(self) -> None:
        """Number the page."""
        if self.page_no() > 1:
            self._line(f"{self.foot}  ·  page {self.page_no()}", 297 - 13)

    def _line(self, text: str, y: float) -> None:
        self.set_font(_FONT, "", 7.5)
        self.set_text_color(*_QUIET)
        self.set_y(y)
        self.cell(0, 4, text, align="R")
        self.set_text_color(*_INK)


def pdf(paper: Paper, day: dt.date) -> bytes:
    """Return the PDF.

    Parameters
    ----------
    day : date
        Written as the date of the file, so that equal documents are equal bytes.
    """
    pages = _Pages(paper.title, dict(paper.facts).get("Plan", "hazardlens"))
    pages.set_title(paper.title)
    pages.set_lang("en")
    pages.set_creator("hazardlens")
    pages.set_creation_date(dt.datetime.combine(day, dt.time(), dt.UTC))
    pages.set_section_title_styles(
        TextStyle(_FONT, "B", 15, _ACCENT, t_margin=6, b_margin=3),
        TextStyle(_FONT, "B", 11, _INK, t_margin=4, b_margin=2),
    )
    _title_page(pages, paper)
    for block in paper.blocks:
        _draw(pages, block)
    buffer = BytesIO()
    pages.output(buffer)
    return buffer.getvalue()


def _draw(pages: _Pages, block: Block) -> None:
    match block:
        case Heading():
            _heading(pages, block)
        case Text():
            _text(pages, block)
        case Table():
            _table(pages, block)
        case Picture():
            _picture(pages, block)


def _title_page(pages: _Pages, paper: Paper) -> None:
    pages.add_page()
    pages.set_y(46)
    pages.set_font(_FONT, "B", 24)
    pages.set_text_color(*_ACCENT)
    pages.multi_cell(0, 11, paper.title, align="L", new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(*_INK)
    pages.ln(10)
    pages.set_font(_FONT, "", _BODY)
    with pages.table(
        col_widths=(30, 70),
        first_row_as_headings=False,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        text_align="LEFT",
        line_height=5.2,
        padding=1.4,
        v_align="TOP",
    ) as table:
        for name, value in paper.facts:
            row = table.row()
            row.cell(name, style=FontFace(color=_QUIET))
            row.cell(value)
    pages.add_page()
    pages.set_font(_FONT, "B", 15)
    pages.set_text_color(*_ACCENT)
    pages.cell(0, 10, "Contents", new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(*_INK)
    contents = TableOfContents(text_style=TextStyle(_FONT, "", _BODY))
    pages.insert_toc_placeholder(contents.render_toc, pages=1, allow_extra_pages=True, reset_page_indices=False)


def _heading(pages: _Pages, block: Heading) -> None:
    if pages.will_page_break(_ROOM_CHAPTER if block.level == 1 else _ROOM_SECTION):
        pages.add_page()
    pages.start_section(block.text, level=block.level - 1)
    pages.ln(1)


def _text(pages: _Pages, block: Text) -> None:
    pages.set_font(_FONT, "", 8 if block.quiet else _BODY)
    pages.set_text_color(*(_QUIET if block.quiet else _INK))
    pages.multi_cell(0, 4.2 if block.quiet else 5.0, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(*_INK)
    pages.ln(2)


def _table(pages: _Pages, block: Table) -> None:
    pages.set_font(_FONT, "", _SMALL if len(block.columns) < _WIDE_TABLE else _SMALL - 0.5)
    aligns = ["RIGHT" if i in block.numbers else "LEFT" for i in range(len(block.columns))]
    with pages.table(
        col_widths=tuple(1000 * width for width in block.widths),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="B", color=_INK, fill_color=(232, 241, 247)),
        text_align=tuple(aligns),
        line_height=3.7,
        padding=(0.9, 1.0, 0.9, 1.0),
        v_align="TOP",
        repeat_headings=1,
    ) as table:
        for cells in (block.columns, *block.rows):
            row = table.row()
            for cell in cells:
                row.cell(cell)
    pages.ln(3)


def _picture(pages: _Pages, block: Picture) -> None:
    width = pages.epw * block.width
    across, down = struct.unpack(">II", block.png[16:24])  # where a PNG states its size
    height = width * down / across
    room = pages.eph - 20
    if height > room:
        width, height = width * room / height, room
    if pages.will_page_break(height + 8):
        pages.add_page()
    pages.image(BytesIO(block.png), x=Align.C, w=width, alt_text=block.words)
    pages.set_font(_FONT, "I", 8)
    pages.set_text_color(*_QUIET)
    pages.multi_cell(0, 4.2, block.words, align="C", new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(*_INK)
    pages.ln(2)
