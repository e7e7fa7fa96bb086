"""What a simulated camera shows: a room in perspective, its time and place, smoke and flames as the zone burns."""

import math
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from firetower.devices.readings import Int64s
from firetower.simulator.noise import uniform

WIDE, HIGH = 640, 360
FLAMES_FROM = 0.2
"""dB/m at the ceiling from which on flames are to be seen."""
THICK = 1.0
"""dB/m at which the room is full of smoke."""


def frame(
    seed: int, number: int, *, place: str, clock: str, smoke: float, second: int, outdoors: bool = False
) -> bytes:
    """Return a JPEG of camera ``number``: ``smoke`` in dB/m, ``clock`` and ``place`` in ASCII written over it.

    ``second``: flames and smoke move with it. ``outdoors``: the front and the yard instead of a room.
    """
    image = _yard(seed, number) if outdoors else _room(seed, number)
    if smoke >= FLAMES_FROM:
        _flames(image, seed, number, min(smoke / THICK, 1.0), second)
    if smoke > 0.05:
        _smoke(image, seed, number, min(smoke / THICK, 1.0), second)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(18)
    for text, at in ((clock, (12, 8)), (f"CAM {number:04d}  {place}", (12, HIGH - 30))):
        draw.text(at, text, fill=(245, 245, 245), font=font, stroke_width=2, stroke_fill=(20, 20, 20))
    out = BytesIO()
    image.save(out, "JPEG", quality=75)
    return out.getvalue()


def _room(seed: int, number: int) -> Image.Image:
    drawn = uniform(seed, f"camera {number}", _upto(6)).tolist()
    tone = 96 + int(40 * drawn[0])
    wall, side = (tone, tone, tone - 6), (tone - 22, tone - 22, tone - 26)
    image = Image.new("RGB", (WIDE, HIGH), wall)
    draw = ImageDraw.Draw(image)
    left, right, top, ground = 190 + int(60 * drawn[1]), 420 + int(50 * drawn[2]), 80, 235
    draw.polygon([(0, 0), (WIDE, 0), (right, top), (left, top)], fill=(tone + 26, tone + 26, tone + 24))
    draw.polygon([(0, HIGH), (WIDE, HIGH), (right, ground), (left, ground)], fill=(tone - 38, tone - 42, tone - 48))
    draw.polygon([(0, 0), (left, top), (left, ground), (0, HIGH)], fill=side)
    draw.polygon([(WIDE, 0), (right, top), (right, ground), (WIDE, HIGH)], fill=side)
    draw.rectangle([(left + right) // 2 - 22, 150, (left + right) // 2 + 22, ground], fill=(tone - 52, tone - 58, 50))
    for shelf in range(3):  # what stands about
        x, size = 40 + int(500 * drawn[3 + shelf]), 26 + 12 * shelf
        y = 262 + 26 * shelf
        draw.rectangle([x, y - size, x + size + 10, y], fill=(88 + 30 * shelf, 84, 70), outline=(50, 48, 44))
    return image


def _yard(seed: int, number: int) -> Image.Image:
    """A front with windows under a sky, and the yard before it."""
    tone = 96 + int(40 * uniform(seed, f"yard {number}", _upto(1))[0])
    image = Image.new("RGB", (WIDE, HIGH), (104, 122, 140))
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, 250, WIDE, HIGH], fill=(70, 70, 72))
    draw.rectangle([110, 60, 530, 250], fill=(tone, tone - 4, tone - 14))
    for window in range(24):
        x, y = 130 + window % 8 * 50, 80 + window // 8 * 52
        draw.rectangle([x, y, x + 28, y + 30], fill=(52, 60, 68))
    draw.rectangle([300, 218, 340, 250], fill=(40, 42, 46))
    return image


def _flames(image: Image.Image, seed: int, number: int, share: float, second: int) -> None:
    glow = Image.new("RGB", (WIDE, HIGH))
    draw = ImageDraw.Draw(glow)
    x, reach = 250 + int(180 * uniform(seed, f"seat {number}", _upto(1))[0]), 50 + 190 * share
    drawn = uniform(seed, f"flames {number} {second}", _upto(14)).tolist()
    for tongue in range(7):
        high = reach * (0.5 + 0.5 * drawn[tongue])
        foot = x + (tongue - 3) * (8 + 12 * share)
        wide = 9 + 15 * share
        tip = foot + 22 * (drawn[tongue + 7] - 0.5)
        draw.polygon([(foot - wide, 300), (tip, 300 - high), (foot + wide, 300)], fill=(255, 120, 18))
        draw.polygon([(foot - wide / 2, 300), (tip, 300 - high * 0.6), (foot + wide / 2, 300)], fill=(255, 224, 90))
    soft = glow.filter(ImageFilter.GaussianBlur(3))
    image.paste(soft, mask=soft.convert("L").point(lambda value: min(value * 2, 255)))


def _smoke(image: Image.Image, seed: int, number: int, share: float, second: int) -> None:
    """Smoke gathers under the ceiling and comes down."""
    mask = Image.new("L", (WIDE, HIGH))
    draw = ImageDraw.Draw(mask)
    down = 60 + 260 * share
    drawn = uniform(seed, f"smoke {number}", _upto(80)).tolist()
    for puff in range(40):
        x = (WIDE * drawn[puff] + 6 * second) % (WIDE + 120) - 60
        y = down * drawn[puff + 40] ** 1.5 + 6 * math.sin(second / 3 + puff)
        size = 34 + 60 * share * drawn[(puff * 7) % 80]
        draw.ellipse([x - size, y - size * 0.6, x + size, y + size * 0.6], fill=int(110 + 130 * share))
    soft = mask.filter(ImageFilter.GaussianBlur(16))
    image.paste(Image.new("RGB", (WIDE, HIGH), (72, 72, 76)), mask=soft)


def _upto(count: int) -> Int64s:
    return np.arange(count)
