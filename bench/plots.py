"""Plots as inline SVG, in the page's own colours: lines over a linear or logarithmic axis, and stacked bars."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 30, 40
COLOURS = ("#2f7fd1", "#d1642f", "#2f9e63", "#9a5bd1", "#b8901f")
Points = Sequence[tuple[float, float]]


def lines(
    title: str, series: Mapping[str, Points], *, x: str, y: str, log: bool = False, limit: float | None = None
) -> str:
    """Draw each named series; ``limit``: a dashed line at a target; ``log``: the values' axis."""
    points = [point for of in series.values() for point in of]
    if not points:
        return ""
    right = max(at for at, _ in points) or 1
    left = min(at for at, _ in points)
    values = [value for _, value in points] + ([limit] if limit is not None else [])
    low = min((value for value in values if value > 0), default=1) if log else 0.0
    ticks = _decades(low, max(values)) if log else _steps(max(values))

    def across(at: float) -> float:
        return LEFT + (at - left) / (right - left or 1) * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        part = value / ticks[-1]
        if log:
            part = math.log(max(value, ticks[0]) / ticks[0]) / math.log(ticks[-1] / ticks[0])
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    parts = [_axis(up(tick), _short(tick)) for tick in ticks]
    marks = [tick for tick in _steps(right)[1:] if left <= tick <= right]
    parts += [_text(across(tick), HEIGHT - BOTTOM + 16, _short(tick), "middle") for tick in marks]
    parts.append(_text(WIDTH / 2, HEIGHT - 6, x, "middle"))
    for number, (name, of) in enumerate(series.items()):
        path = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value in of)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        parts.append(_legend(number, name, colour))
    if limit is not None:
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(limit):.1f}" y2="{up(limit):.1f}" class="limit"/>'
            + _text(WIDTH - RIGHT, up(limit) - 4, f"target {_short(limit)}", "end")
        )
    return _figure(title, y, parts)


def bars(title: str, rows: Mapping[str, Mapping[str, float]], *, y: str, limit: float | None = None) -> str:
    """Draw a bar for each row, stacked from its named parts."""
    if not rows:
        return ""
    names = list(dict.fromkeys(name for parts in rows.values() for name in parts))
    most = max(sum(parts.values()) for parts in rows.values())
    ticks = _steps(max(most, limit or 0))

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - value / ticks[-1] * (HEIGHT - TOP - BOTTOM)

    parts = [_axis(up(tick), _short(tick)) for tick in ticks]
    step = (WIDTH - LEFT - RIGHT) / len(rows)
    for number, (row, of) in enumerate(rows.items()):
        at, under = LEFT + (number + 0.2) * step, 0.0
        for name, value in of.items():
            colour = COLOURS[names.index(name) % len(COLOURS)]
            high = up(under) - up(under + value)
            parts.append(
                f'<rect x="{at:.1f}" y="{up(under + value):.1f}" width="{0.6 * step:.1f}" height="{high:.1f}"'
                f' fill="{colour}"><title>{escape(row)}, {escape(name)}: {_short(value)}</title></rect>'
            )
            under += value
        parts.append(_text(at + 0.3 * step, up(under) - 4, _short(under), "middle"))
        parts.append(_text(at + 0.3 * step, HEIGHT - BOTTOM + 16, row, "middle"))
    if len(names) > 1:
        parts += [_legend(number, name, COLOURS[number % len(COLOURS)]) for number, name in enumerate(names)]
    if limit is not None:
        at = up(limit)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" class="limit"/>')
    return _figure(title, y, parts)


def spread(values: Sequence[float]) -> Points:
    """Return sorted values against the percentage of them that is at most that, thinned to some 200 points."""
    ordered = sorted(values)
    step = max(1, len(ordered) // 200)
    kept = sorted({*range(0, len(ordered), step), len(ordered) - 1}) if ordered else []
    return [((number + 1) / len(ordered) * 100, ordered[number]) for number in kept]


def _figure(title: str, y: str, parts: Sequence[str]) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">{_text(4, 12, y, "start")}{"".join(parts)}</svg></figure>'
    )


def _axis(at: float, label: str) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" class="grid"/>'
    return line + _text(LEFT - 6, at + 4, label, "end")


def _legend(number: int, name: str, colour: str) -> str:
    at = LEFT + 110 + number * 105
    return f'<rect x="{at}" y="5" width="9" height="9" fill="{colour}"/>' + _text(at + 13, 13, name, "start")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _steps(most: float) -> list[float]:
    most = most or 1
    unit = 10 ** math.floor(math.log10(most / 4))
    step = next(unit * many for many in (1, 2, 5, 10) if unit * many * 5 >= most)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def _decades(low: float, most: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(most))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
