"""Sheets written as an Excel workbook: the only place that lays cells on paper; equal sheets give equal bytes."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import xlsxwriter

from planner.outputs.sheets import STYLES, Block, Cell, Imprint, Row, Sheet, cell, letter

_STAMP = datetime(2000, 1, 1)  # equal runs give equal bytes
_LONGEST = 32_767  # characters that a cell of Excel holds
_LINE_POINTS, _TALLEST = 15.0, 405.0  # height of a line of text, and of the tallest row
_ROOM = 1.15  # letters that a line holds, for each digit that its width counts
_CAPITAL = 0.2  # fewer, of capitals
_HEADER = 255  # characters that a header or footer of Excel holds
_LETTER, _TABLOID = 1, 3  # paper
_BOLD, _SMALL = 0.9, 1.5  # how many letters fit, against those of plain text
_WORDS = ("texto", "libre")  # styles of text
_FORMULA_LIKE = ("=", "+", "-", "@", "\t", "\r")
_INK, _GREY, _LINE, _SHADE = "#1F3A4D", "#7F7F7F", "#D9D9D9", "#EAF0F4"
_LOOKS: dict[str, dict[str, Any]] = {
    "heading": {"bold": True, "font_size": 16, "font_color": _INK},
    "about": {"italic": True, "font_color": _GREY},
    "synthetic": {"bold": True, "font_color": "#B00020"},
    "note": {"text_wrap": True, "valign": "top", "font_color": "#404040"},
    "block": {"bold": True, "font_size": 12, "font_color": _INK},
    "mark": {"italic": True, "font_size": 8, "font_color": _GREY, "text_wrap": True, "align": "center", "valign": "bottom"},
    "header": {"bold": True, "font_color": "#FFFFFF", "bg_color": _INK, "text_wrap": True, "align": "center", "valign": "vcenter",
               "border": 1, "border_color": _LINE},
    "key": {"font_size": 8, "font_color": _GREY},
}

Formats = dict[tuple[str, bool, bool], Any]  # by style, whether of a total, whether it must be kept from becoming a formula


def workbook_bytes(sheets: Sequence[Sheet], imprint: Imprint) -> bytes:
    """The sheets as an .xlsx file; text stays text, whatever it looks like."""
    held = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(held, options) as book:
        looks = {name: book.add_format(look) for name, look in _LOOKS.items()}
        formats = {(style, total, quoted): book.add_format(_format(style, total=total, quoted=quoted))
                   for style in STYLES for total in (False, True) for quoted in ((False, True) if style in _WORDS else (False,))}
        _properties(book, imprint)
        for sheet in sheets:
            _write(_Paper(book, book.add_worksheet(sheet.name), sheet, imprint, formats, looks))
    return held.getvalue()


def _format(style: str, *, total: bool, quoted: bool) -> dict[str, Any]:
    look: dict[str, Any] = {"num_format": STYLES[style][0] or "General", "valign": "top", "bottom": 1, "bottom_color": _LINE}
    if style == "texto":
        look["text_wrap"] = True
    if style in (*_WORDS, "general"):
        look |= {"align": "left", "indent": 1}
    if total:
        look |= {"bold": True, "bg_color": _SHADE}
    return look | ({"quote_prefix": True} if quoted else {})


def _properties(book: Any, imprint: Imprint) -> None:
    mark = "SINTÉTICA. " if imprint.synthetic else ""
    book.set_properties({"title": imprint.title, "subject": imprint.about, "author": "planner", "comments":
                         f"{mark}{imprint.origin} {imprint.disclaimer}".strip(), "created": _STAMP})
    for name, value in (("Origen", imprint.origin), ("Datos", "SINTÉTICA" if imprint.synthetic else "")):
        if value:
            book.set_custom_property(name, value, "text")


@dataclass(frozen=True, eq=False)
class _Paper:
    """A sheet of the book with all that writing on it needs."""

    book: Any
    page: Any
    sheet: Sheet
    imprint: Imprint
    formats: Formats
    looks: dict[str, Any]

    @property
    def width(self) -> int:
        return max((len(block.fields) for block in self.sheet.blocks), default=1)

    @cached_property
    def widths(self) -> list[float]:
        fields = [[block.fields[at] for block in self.sheet.blocks if at < len(block.fields)] for at in range(self.width)]
        return [max(field.width or STYLES[field.style][1] for field in column) for column in fields]

    @cached_property
    def keys(self) -> dict[int, int]:
        """By column whose cells have a path, the column that holds the paths."""
        keyed = {at for block in self.sheet.blocks for row in (*block.rows, block.total)
                 for at, given in enumerate(row) if cell(given).path}
        return {at: self.width + place for place, at in enumerate(sorted(keyed))}

    def at(self, row: int, column: int) -> str:
        return f"'{self.sheet.name}'!${letter(column)}${row + 1}"


def _write(paper: _Paper) -> None:
    """Heading, notes and blocks, then what holds for the whole sheet."""
    _set_widths(paper)
    row = body = _top(paper)
    row += any(block.title for block in paper.sheet.blocks)
    heads = []
    for block in paper.sheet.blocks:
        head, row = _block(paper, block, row)
        heads.append(head)
    alone = heads[0] if len(heads) == 1 else None  # titles stay in sight where they are those of the whole sheet
    paper.page.freeze_panes(body if alone is None else alone + 1, paper.sheet.frozen)
    _print_set_up(paper, (0, 0) if alone is None else (alone - 1, alone))


def _set_widths(paper: _Paper) -> None:
    for at, width in enumerate(paper.widths):
        paper.page.set_column(at, at, width)
    if paper.keys:
        last = paper.width + len(paper.keys) - 1
        paper.page.set_column(paper.width, last, 30, paper.looks["key"], {"level": 1, "hidden": True})
        paper.page.set_column(last + 1, last + 1, None, None, {"collapsed": True})


def _set_height(paper: _Paper, row: int, texts: Mapping[int, str], fit: float = 1.0) -> None:
    """Tall enough for the texts of a row, by column, that wrap; not every program does that by itself."""
    lines = max((_lines(text, (paper.widths[at] - 1) * fit) for at, text in texts.items()), default=1)
    if lines > 1:
        paper.page.set_row(row, min(_LINE_POINTS / max(fit, 1.0) * lines + 3.0, _TALLEST))


def _lines(text: str, width: float) -> int:
    capitals = sum(map(str.isupper, text)) / max(len(text), 1)
    room = max(int(_ROOM * width * (1 - _CAPITAL * capitals)), 1)
    return sum(max(len(textwrap.wrap(line, room)), 1) for line in text.splitlines()) if len(text) > room or "\n" in text else 1


def _top(paper: _Paper) -> int:
    """Heading and notes; returns the row after them."""
    imprint, page, looks = paper.imprint, paper.page, paper.looks
    page.write_string(0, 0, paper.sheet.heading, looks["heading"])
    page.write_string(1, 0, _cut(" · ".join(part for part in (imprint.about, imprint.origin) if part)), looks["about"])
    row = 2
    if imprint.synthetic:
        page.write_string(row, 0, "SINTÉTICA: los datos son inventados.", looks["synthetic"])
        row += 1
    for note in paper.sheet.notes:
        page.set_row(row, _LINE_POINTS * _lines(note, sum(paper.widths)))
        if paper.width > 1:
            page.merge_range(row, 0, row, paper.width - 1, "", looks["note"])
        page.write_string(row, 0, _cut(note), looks["note"])
        row += 1
    return row


def _block(paper: _Paper, block: Block, row: int) -> tuple[int | None, int]:
    """Write a block from this row; returns the row of its titles, if it has any, and the row of the next block."""
    head, over = None, bool(block.total) and block.filtered
    titled, marked = any(field.title for field in block.fields), any(field.unit or field.mark for field in block.fields)
    start = row + bool(block.title) + over + marked + titled
    span = {"first": start + 1, "last": start + len(block.rows)}
    if block.title:
        paper.page.write_string(row, 0, _cut(block.title), paper.looks["block"])
        row += 1
    if over:
        _line(paper, block, block.total, row, span, total=True)
        row += 1
    if marked:
        marks = {at: " · ".join(part for part in (field.unit, field.mark) if part)
                 for at, field in enumerate(block.fields) if field.unit or field.mark}
        for at, mark in marks.items():
            paper.page.write_string(row, at, mark, paper.looks["mark"])
        _set_height(paper, row, marks, _SMALL)
        row += 1
    if titled:
        head = row
        _titles(paper, block, row)
    for place, cells in enumerate(block.rows):
        _line(paper, block, cells, start + place, span)
    for at, field in enumerate(block.fields):
        if field.name and block.rows:
            paper.book.define_name(field.name, f"={paper.at(start, at)}:${letter(at)}${span['last']}")
    if block.filtered and block.rows and head is not None:
        paper.page.autofilter(head, 0, head + len(block.rows), len(block.fields) - 1)
    row = start + len(block.rows)
    if block.total and not over:
        _line(paper, block, block.total, row, span, total=True)
        row += 1
    return head, row + 1


def _titles(paper: _Paper, block: Block, row: int) -> None:
    _set_height(paper, row, {at: field.title for at, field in enumerate(block.fields)}, _BOLD)
    for at, field in enumerate(block.fields):
        paper.page.write_string(row, at, _cut(field.title), paper.looks["header"])
        if any(cell(cells[at]).path for cells in (*block.rows, block.total) if at < len(cells)):
            paper.page.write_string(row, paper.keys[at], f"Clave: {field.title}", paper.looks["key"])


def _line(paper: _Paper, block: Block, cells: Row, row: int, span: dict[str, int], *, total: bool = False) -> None:
    texts = {}
    for at, field in enumerate(block.fields):
        one = cell(cells[at] if at < len(cells) else None)
        _cell(paper, row, at, one, one.style or field.style, span, total=total)
        if isinstance(one.value, str) and (one.style or field.style) == "texto":
            texts[at] = one.value
        if one.path:
            paper.page.write_string(row, paper.keys[at], one.path, paper.looks["key"])
        if one.name:
            paper.book.define_name(one.name, f"={paper.at(row, at)}")
    _set_height(paper, row, texts)


def _cell(paper: _Paper, row: int, at: int, one: Cell, style: str, span: dict[str, int], *, total: bool) -> None:
    value, page, form = one.value, paper.page, paper.formats[style, total, False]
    if isinstance(value, bool):
        value = "sí" if value else "no"
    if value is None or value == "":
        page.write_blank(row, at, None, form)
    elif isinstance(value, str):
        words = style if style in _WORDS else "libre"
        page.write_string(row, at, _cut(value), paper.formats[words, total, value.startswith(_FORMULA_LIKE)])
    elif isinstance(value, date):
        page.write_datetime(row, at, value, form)
    elif not math.isfinite(value):
        page.write_blank(row, at, None, form)
    elif one.formula:
        page.write_formula(row, at, one.formula.format(row=row + 1, **span), form, value)
    else:
        page.write_number(row, at, value, form)


def _print_set_up(paper: _Paper, repeated: tuple[int, int]) -> None:
    """Titles on every page, one page wide, and whom the sheet speaks of."""
    page, imprint = paper.page, paper.imprint
    page.set_landscape()
    page.set_paper(_TABLOID if paper.sheet.wide else _LETTER)
    page.fit_to_pages(1, 0)
    page.repeat_rows(*repeated)
    page.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.7)
    page.hide_gridlines(2)
    page.set_header(_banner(imprint.about, paper.sheet.name, "SINTÉTICA" if imprint.synthetic else ""))
    page.set_footer(_banner(imprint.origin, imprint.disclaimer, "Página &P de &N"))


def _banner(left: str, centre: str, right: str) -> str:
    """The three parts of a header or footer, of which the first is cut where Excel holds no more; & is doubled but in codes."""
    centre = centre.replace("&", "&&")
    room = _HEADER - len(centre) - len(right) - len("&L&C&R")
    cut = " ".join(left.split())
    while len(cut.replace("&", "&&")) > room:
        cut = cut[:-1]
    return f"&L{cut.replace('&', '&&')}&C{centre}&R{right}"


def _cut(text: str) -> str:
    return text[:_LONGEST]
