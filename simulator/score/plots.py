"""Plots of a score as inline SVG: no script, nothing asked for elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, ROW = 760, 130, 24, 26
COLOURS = {"found": "#2f9e63", "late": "#d98c1f", "missed": "#d1442f", "false": "#8c3fbf", "duplicate": "#3b73c4"}
"""Of what a dot says; shape says the same, for whoever tells no colours apart."""
_LONGEST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Dot:
    """Something at ``x`` (seconds) in a row; ``kind``: one of COLOURS; ``words``: shown when pointed at."""

    row: str
    x: float
    kind: str
    words: str


def dots(title: str, marks: Sequence[Dot], *, axis: str) -> str:
    """Return rows of dots over seconds."""
    rows = sorted({mark.row for mark in marks})
    most = max((mark.x for mark in marks), default=1.0) or 1.0
    ticks = _ticks(most)
    height = 40 + ROW * len(rows)
    parts = [_grid(_at(tick, ticks[-1]), height, _short(tick)) for tick in ticks]
    parts += [_text(LEFT - 10, _up(rows, row) + 4, row, "end") for row in rows]
    parts += [_dot(mark, _at(mark.x, ticks[-1]), _up(rows, mark.row)) for mark in marks]
    return _figure(title, height, parts, axis)


def bars(title: str, values: Mapping[str, float], *, axis: str) -> str:
    """Return a bar a row."""
    most = max(values.values(), default=1.0) or 1.0
    height = 40 + ROW * len(values)
    parts = []
    for number, (name, value) in enumerate(values.items()):
        up = 10 + ROW * number
        wide = value / most * (WIDTH - LEFT - RIGHT - 70)
        parts.append(_text(LEFT - 10, up + 15, name, "end"))
        parts.append(f'<rect x="{LEFT}" y="{up}" width="{wide:.1f}" height="{ROW - 8}" class="bar"/>')
        parts.append(_text(LEFT + wide + 6, up + 15, f"{value:,.0f}", "start"))
    return _figure(title, height, parts, axis)


def legend() -> str:
    """Return what the dots mean."""
    items = "".join(
        f'<span><svg viewBox="0 0 14 14">{_dot(Dot("", 0, kind, kind), 7, 7)}</svg> {kind}</span> ' for kind in COLOURS
    )
    return f'<p class="legend">{items}</p>'


def _dot(mark: Dot, x: float, y: float) -> str:
    colour, words = COLOURS[mark.kind], f"<title>{escape(mark.words)}</title>"
    if mark.kind == "missed":  # a cross where something should be
        path = f"M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"
        return f'<path d="{path}" stroke="{colour}" stroke-width="2.5">{words}</path>'
    if mark.kind == "false":
        return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}">{words}</rect>'
    if mark.kind == "duplicate":
        path = f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"
        return f'<path d="{path}" fill="{colour}">{words}</path>'
    ring = f' stroke="{colour}" fill="none" stroke-width="2.5"' if mark.kind == "late" else f' fill="{colour}"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"{ring}>{words}</circle>'


def _figure(title: str, height: int, parts: Sequence[str], axis: str) -> str:
    foot = _text(WIDTH - RIGHT, height + 10, axis, "end")
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {height + 14}" role="img"'
        f' aria-label="{escape(title)}">{"".join(parts)}{foot}</svg></figure>'
    )


def _up(rows: Sequence[str], row: str) -> float:
    return 16 + ROW * rows.index(row)


def _at(value: float, most: float) -> float:
    return LEFT + max(0.0, value) / most * (WIDTH - LEFT - RIGHT)


def _grid(x: float, height: int, label: str) -> str:
    line = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - 24}" class="grid"/>'
    return line + _text(x, height - 10, label, "middle")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _ticks(most: float) -> list[float]:
    step = 10.0 ** len(str(int(most)))
    while most / step < 2:
        step /= 10 if most / step < 0.2 else 2
    count = min(_LONGEST_TICKS + 20, int(most / step) + 2)
    return [step * number for number in range(count)]


def _short(value: float) -> str:
    return f"{value / 3600:g} h" if value >= 7200 else f"{value:g}"
