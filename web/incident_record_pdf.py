"""An incident record as PDF, A4. Its font is one that every PDF viewer has for Chinese (STSong), so no file is shipped.

A character beyond Unicode's first plane, which that font's encoding cannot name, is printed as 〓; the page and the
JSON have it.
"""

from collections.abc import Mapping
from html import escape
from io import BytesIO
from typing import Any

from PIL import Image as Picture
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, Paragraph, SimpleDocTemplate, Table, TableStyle

from firetower.alerts.handover.record import Section, Sheet, wide

_FONT = "STSong-Light"
_MARGIN = 15 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_CELL = ParagraphStyle("cell", fontName=_FONT, fontSize=9, leading=12, wordWrap="CJK")
_SMALL = ParagraphStyle("small", parent=_CELL, fontSize=7.5, leading=10)
_HEAD = ParagraphStyle("head", parent=_CELL, fontSize=12, leading=16, spaceBefore=10, spaceAfter=4, keepWithNext=1)
_TITLE = ParagraphStyle("title", parent=_CELL, fontSize=18, leading=24, alignment=1)
_SUBTITLE = ParagraphStyle("subtitle", parent=_CELL, alignment=1, spaceAfter=6)
_Line = tuple[str, tuple[int, int], tuple[int, int], *tuple[Any, ...]]
_LINES: list[_Line] = [
    ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]
_NAMED: list[_Line] = [*_LINES, ("BACKGROUND", (0, 0), (0, -1), colors.whitesmoke)]
_HEADED: list[_Line] = [*_LINES, ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)]
_PIXELS = 1000
"""Of a picture's longer side in the document."""
_SHOWN_WIDE, _SHOWN_HIGH = 120 * mm, 75 * mm
_LEAST, _MOST = 3, 40
"""Characters that a column counts for at least and at most, where a table's width is shared out."""


def pdf(sheet: Sheet, pictures: Mapping[int, bytes]) -> bytes:
    """Return the document; half a second of work for thirty pages, so not to be made on the event loop.

    ``pictures``: those that are printed, by id; one that is not there is left out.
    """
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    out = BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=_printable(sheet.title), author="Firetower",
    )  # fmt: skip
    story: list[Flowable] = [_paragraph(sheet.title, _TITLE), _paragraph(sheet.subtitle, _SUBTITLE)]
    for section in sheet.sections:
        story += _section(section, pictures)
    document.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return out.getvalue()


def _section(section: Section, pictures: Mapping[int, bytes]) -> list[Flowable]:
    story: list[Flowable] = [_paragraph(section.title, _HEAD)]
    if section.rows:
        story.append(_headed(section) if section.heads else _named(section))
    for each in section.pictures:
        if each.id in pictures:
            drawn = _drawn(pictures[each.id])
            story.append(drawn or _paragraph("〓", _CELL))
            story.append(_paragraph(each.caption, _SMALL))
    if section.note:
        story.append(_paragraph(section.note, _CELL))
    return story


def _drawn(body: bytes) -> Flowable | None:
    """Return a picture made small; None for one that nobody can draw: a document never fails for its sake."""
    small = BytesIO()
    try:
        with Picture.open(BytesIO(body), formats=("JPEG", "PNG", "WEBP")) as picture:
            picture.draft("RGB", (_PIXELS, _PIXELS))
            picture.thumbnail((_PIXELS, _PIXELS))
            picture.convert("RGB").save(small, "JPEG", quality=80)
            wide, high = picture.size
    except Exception:  # noqa: BLE001  # reason: what a camera sent may break any decoder in any way
        return None
    scale = min(_SHOWN_WIDE / wide, _SHOWN_HIGH / high)
    return Image(BytesIO(small.getvalue()), wide * scale, high * scale, hAlign="LEFT")


def _named(section: Section) -> Table:
    rows = [[_paragraph(cell, _CELL) for cell in row] for row in section.rows]
    return Table(rows, colWidths=[_WIDTH * 0.28, _WIDTH * 0.72], style=TableStyle(_NAMED), splitInRow=1)


def _headed(section: Section) -> Table:
    rows = [[_paragraph(cell, _SMALL) for cell in row] for row in (section.heads, *section.rows)]
    weights = [
        min(max(*(wide(row[n]) for row in (section.heads, *section.rows)), _LEAST), _MOST)
        for n in range(len(section.heads))
    ]
    widths = [_WIDTH * weight / sum(weights) for weight in weights]
    return Table(rows, colWidths=widths, repeatRows=1, style=TableStyle(_HEADED), splitInRow=1)


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_printable(text)).replace("\n", "<br/>"), style)


def _printable(text: str) -> str:
    """Return ``text`` with what the font's encoding cannot name, or a page cannot show, as 〓 or space."""
    return "".join(
        char if char == "\n" or (char.isprintable() and char <= "\uffff") else " " if char.isspace() else "〓"
        for char in text
    )


def _numbered(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(_FONT, 8)
    canvas.drawCentredString(A4[0] / 2, 8 * mm, str(document.page))
