"""An incident record as a page to print: everything escaped, no script, its one style allowed by its hash."""

import base64
import hashlib
from html import escape

from firetower.alerts.handover.pictures import Printed
from firetower.alerts.handover.record import Section, Sheet, wide

_SHORT = 19
"""A cell as wide as a time, or narrower, is not broken."""

_STYLE = """
@page { size: A4; margin: 15mm; }
body { font: 10.5pt/1.45 "Noto Serif CJK SC", "Source Han Serif SC", SimSun, serif; color: #000; background: #fff;
  max-width: 190mm; margin: 1rem auto; padding: 0 .5rem; }
h1 { font-size: 18pt; text-align: center; margin: 0; }
.subtitle { text-align: center; margin: .2rem 0 1rem; }
h2 { font-size: 12pt; margin: 1rem 0 .3rem; break-after: avoid; }
table { border-collapse: collapse; width: 100%; }
th, td { border: .5pt solid #444; padding: .15rem .4rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; white-space: pre-line; }
table.headed { font-size: 8.5pt; }
td.short, thead th { white-space: nowrap; }
table.plain th { width: 28%; font-weight: normal; background: #f0f0f0; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.note { margin: .2rem 0; }
figure { display: inline-block; width: 48%; margin: .3rem .5% .3rem 0; break-inside: avoid; vertical-align: top; }
img { width: 100%; max-height: 70mm; object-fit: contain; object-position: left top; }
figcaption { font-size: 8.5pt; }
"""

CSP = (
    "default-src 'none'; img-src 'self'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The header the page is sent with."""


def html(sheet: Sheet) -> str:
    """Return the page."""
    language = "zh-CN" if sheet.language == "zh" else "en"
    body = "".join(_section(each) for each in sheet.sections)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(sheet.title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(sheet.title)}</h1>"
        f'<p class="subtitle">{escape(sheet.subtitle)}</p>{body}</body></html>'
    )


def _section(section: Section) -> str:
    note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
    shown = "".join(map(_picture, section.pictures))
    return f"<h2>{escape(section.title)}</h2>{_table(section)}{shown}{note}"


def _picture(each: Printed) -> str:
    caption = f"<figcaption>{escape(each.caption)}</figcaption>"
    return f'<figure><img src="/api/v1/snapshots/{each.id}" alt="">{caption}</figure>'


def _table(section: Section) -> str:
    if not section.rows:
        return ""
    if not section.heads:
        rows = "".join(f'<tr><th scope="row">{escape(n)}</th><td>{escape(v)}</td></tr>' for n, v in section.rows)
        return f'<table class="plain"><tbody>{rows}</tbody></table>'
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in section.heads)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in section.rows)
    return f'<table class="headed"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _cell(text: str) -> str:
    kind = ' class="short"' if wide(text) <= _SHORT else ""
    return f"<td{kind}>{escape(text)}</td>"
