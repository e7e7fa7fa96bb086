"""A small image for the tests of floor plans, as a real encoder writes it."""

import io
import random

from PIL import Image


def drawn(kind: str = "PNG", *, shade: int = 250, size: tuple[int, int] = (60, 40)) -> bytes:
    """Return an image of one shade of grey."""
    out = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(out, kind)
    return out.getvalue()


def noisy(size: tuple[int, int] = (700, 600)) -> bytes:
    """Return an image that cannot be made small: as large as a real plan is."""
    out = io.BytesIO()
    Image.frombytes("RGB", size, random.Random(7).randbytes(3 * size[0] * size[1])).save(out, "PNG")
    return out.getvalue()
