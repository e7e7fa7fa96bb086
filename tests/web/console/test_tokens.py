"""Contrast of every colour pair that carries meaning, computed from the tokens, in all three themes."""

import re
from pathlib import Path

import pytest

import firetower.web

TOKENS = (Path(firetower.web.__file__).parent / "console" / "css" / "tokens.css").read_text()

TEXT = [
    (ink, ground)
    for ink in ("text", "muted")
    for ground in ("ground", "panel", "raised")
] + [
    *(("muted", f"map-{ground}") for ground in ("water", "green", "built", "building")),
    ("text", "selected"),
    ("text", "hatch"),
    ("muted", "hatch"),
    ("loud-text", "loud"),
    ("fault", "fault-ground"),
    ("text", "fault-ground"),
    ("fault", "panel"),
    ("good-act-text", "good-act"),
    *(("symbol-ink", f"p{priority}") for priority in range(1, 5)),
]  # fmt: skip
SHAPES = [("focus", "panel"), ("edge", "panel"), ("edge", "raised")]


def themes() -> dict[str, dict[str, str]]:
    found = {}
    for name, body in re.findall(r':root\[data-theme="(\w+)"\]\s*\{([^}]*)\}', TOKENS):
        found[name] = dict(re.findall(r"--([\w-]+):\s*([^;]+);", body))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["dark", "dim", "light"])
def test_text_has_at_least_4_5_to_1(theme: str):
    colours = themes()[theme]
    poor = {pair: round(contrast(*(colours[name] for name in pair)), 2) for pair in TEXT}
    assert not {pair: ratio for pair, ratio in poor.items() if ratio < 4.5}


@pytest.mark.parametrize("theme", ["dark", "dim", "light"])
def test_shapes_stand_out_by_3_to_1_by_their_filling_or_their_edge(theme: str):
    colours = themes()[theme]
    for ground in ("panel", "raised", "selected", "ground", "map-water", "map-green", "map-built", "map-building"):
        for priority in range(1, 5):
            outlines = [colours[f"p{priority}"], colours["symbol-edge"]]
            best = max(contrast(colour, colours[ground]) for colour in outlines if colour != "transparent")
            assert best >= 3, (priority, ground, best)
    for one, other in SHAPES:
        assert contrast(colours[one], colours[other]) >= 3, (one, other)


def test_all_themes_name_the_same_tokens():
    names = [set(colours) for colours in themes().values()]
    assert len(names) == 3
    assert names[0] == names[1] == names[2]


def test_the_night_theme_is_darker_than_the_dark_one():
    found = themes()
    assert luminance(found["dim"]["text"]) < luminance(found["dark"]["text"]) * 0.7
    assert luminance(found["dim"]["panel"]) < luminance(found["dark"]["panel"])
