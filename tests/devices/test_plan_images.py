"""A floor plan is what its own bytes say, whole, and no larger than a console can draw."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from firetower.core.errors import InvalidInput
from firetower.devices.plan_images import BadImageError, NotAnImageError, read_image


def drawn(kind: str, width: int = 30, height: int = 20, **more: Any) -> bytes:
    """An image as a real encoder writes it."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (250, 250, 240)).save(out, kind, **more)
    return out.getvalue()


def header_of(width: int, height: int) -> bytes:
    """A whole PNG that says it is so large, of a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return drawn("JPEG", exif=exif)


def moving(kind: str) -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (30, 20), (shade, 0, 0)) for shade in (0, 200)]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "media", "size"),
    [
        (drawn("PNG"), "image/png", (30, 20)),
        (drawn("JPEG"), "image/jpeg", (30, 20)),
        (drawn("JPEG", progressive=True) + b"\0\0", "image/jpeg", (30, 20)),
        (drawn("WEBP"), "image/webp", (30, 20)),
        (drawn("WEBP", lossless=True), "image/webp", (30, 20)),
        (drawn("WEBP", exif=Image.Exif().tobytes() or b"Exif\0\0MM\0*\0\0\0\x08\0\0"), "image/webp", (30, 20)),
        # a photograph of a plan on the wall: the browser turns it, so its width is what stands upright
        (turned(6), "image/jpeg", (20, 30)),
        (turned(3), "image/jpeg", (30, 20)),
    ],
)
def test_an_image_is_what_its_bytes_say(data: bytes, media: str, size: tuple[int, int]) -> None:
    found = read_image(data)
    assert (found.media, (found.width, found.height)) == (media, size)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_was_cut_on_its_way_is_refused_wherever_it_was_cut(kind: str) -> None:
    whole = drawn(kind, 300, 200)
    for length in (9, 20, 30, len(whole) // 2, len(whole) - 3):
        with pytest.raises(InvalidInput):
            read_image(whole[:length])
    with pytest.raises(BadImageError, match="ends too early"):
        read_image(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (header_of(8001, 10), "8000 a side"),
        (header_of(7000, 7000), "36 million"),
        (header_of(2**31, 2**31), "8000 a side"),
        (header_of(0, 10), "0 × 10"),
        (drawn("PNG") + b"<script>", "follow the end"),
        (drawn("WEBP") + b"<script>", "follow the end"),
        (drawn("PNG")[:20] + b"\xff" + drawn("PNG")[21:], "damaged"),
        (moving("PNG"), "moves"),
        (moving("WEBP"), "moves"),
    ],
)
def test_an_image_that_cannot_be_used_says_why(data: bytes, says: str) -> None:
    with pytest.raises(BadImageError, match=says):
        read_image(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "SVG"),
        (b'\xef\xbb\xbf  <?xml version="1.0"?><svg/>', "SVG"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (drawn("GIF"), "another kind"),
        (b"AC1032" + bytes(40), "drawing"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "RIFF"),
        (b"hello", "content does"),
    ],
)
def test_what_is_no_image_is_named_with_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(NotAnImageError, match=says):
        read_image(data)
