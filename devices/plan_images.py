"""The image of a floor plan 平面图 as it is sent: what it is by its own bytes, how large, and whether it is whole."""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from firetower.core.errors import InvalidInput

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
MEDIA = (PNG, JPEG, WEBP)
MOST_BYTES = 8 * 1024 * 1024
MOST_SIDE = 8000
"""Pixels of a side."""
MOST_PIXELS = 36_000_000
"""Of the whole: A0 at 150 dpi. Each costs the console four bytes, however small the file is."""
_MOST_CHUNKS = 100_000
_TAKEN = "a floor plan is a PNG, JPEG or WebP image"
_MOVES = "moves; nothing but an alarm may flash on the console: export one picture"
_CUT = "it ends too early: it was cut on its way, send it again"


class NotAnImageError(InvalidInput):
    """It is none of the three kinds of image that are taken."""

    code = "unsupported_media_type"


class BadImageError(InvalidInput):
    """It is one of them, and cannot be used."""

    code = "bad_image"


@dataclass(frozen=True, slots=True)
class PlanImage:
    """What an image is, and its size in pixels as it is shown."""

    media: str
    width: int
    height: int


def read_image(data: bytes) -> PlanImage:
    """Return what ``data`` is; nothing of it is decompressed. Raises NotAnImageError, BadImageError."""
    if not data:
        raise BadImageError("the file is empty; choose the image again")
    for start, media, size_of in _KINDS:
        if data.startswith(start):
            try:
                width, height = size_of(data)
            except (struct.error, IndexError) as err:
                raise BadImageError(f"this {_NAME[media]} image cannot be read: {_CUT}") from err
            _check_size(width, height)
            return PlanImage(media, width, height)
    raise NotAnImageError(f"{_instead(data)}; {_TAKEN}")


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise BadImageError(f"the image is {width} × {height} pixels; {_TAKEN} of at least one pixel")
    if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
        raise BadImageError(
            f"the image is {width} × {height} pixels; at most {MOST_SIDE} a side and {MOST_PIXELS // 1_000_000} million"
            " in all are taken: make it smaller and send it again"
        )


def _instead(data: bytes) -> str:
    """Say what was sent instead, and how to make an image of it."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<"):
        return "this is SVG, HTML or other text, which can carry script: export it as PNG"
    if head.startswith(b"%pdf"):
        return "this is a PDF: export its page as PNG"
    if data[4:8] == b"ftyp":
        return "this is a HEIC or AVIF photograph: save it as JPEG"
    if head.startswith((b"ac10", b"gif8", b"bm", b"ii*\0", b"mm\0*")):
        return "this is a drawing or an image of another kind: export it as PNG"
    return "the file does not begin as an image does: its name or type does not count, its content does"


def _png(data: bytes) -> tuple[int, int]:
    size: tuple[int, int] | None = None
    for kind, body, at in _png_chunks(data):
        if size is None:
            if kind != b"IHDR" or len(body) != 13:
                raise BadImageError("this PNG does not begin with its header; export it again")
            if zlib.crc32(b"IHDR" + body) != struct.unpack_from(">I", data, at + 8 + len(body))[0]:
                raise BadImageError("the header of this PNG is damaged; send it again")
            size = struct.unpack_from(">II", body)
        if kind == b"acTL":
            raise BadImageError(f"this PNG {_MOVES}")
        if kind == b"IEND":
            if at + 12 != len(data):
                raise BadImageError(f"{len(data) - at - 12} bytes follow the end of this PNG; export it again")
            if size is not None:
                return size
    raise BadImageError(f"this PNG cannot be read: {_CUT}")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield (kind, the beginning of its body, where it begins) of each chunk that is all there."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        if at + 12 > len(data):
            return
        length = int.from_bytes(data[at : at + 4])
        if at + 12 + length > len(data):
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + min(length, 13)], at
        at += 12 + length


def _jpeg(data: bytes) -> tuple[int, int]:
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise BadImageError(f"this JPEG cannot be read: {_CUT}")
    at, turned = 2, False
    for _ in range(_MOST_CHUNKS):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            turned = _lies_on_its_side(data[at + 10 : at + 2 + length])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return (height, width) if turned else (width, height)
        if marker in {0xD9, 0xDA} or length < 2:
            break
        at += 2 + length
    raise BadImageError("this JPEG does not say how large it is; export it again")


def _lies_on_its_side(tiff: bytes) -> bool:
    """Say whether a browser turns the picture by 90 degrees before it shows it: photographs of a plan often lie so."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return False
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _kind, _count, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == 0x0112:
                return bool(5 <= value <= 8)
    except struct.error:
        pass  # a broken note about a sound picture: it is shown as it lies
    return False


def _webp(data: bytes) -> tuple[int, int]:
    if data[8:12] != b"WEBP":
        raise NotAnImageError(f"this is a RIFF file and no image; {_TAKEN}")
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data):
        raise BadImageError(f"this WebP cannot be read: {_CUT}")
    if length + 8 < len(data) - 1:
        raise BadImageError(f"{len(data) - length - 8} bytes follow the end of this WebP; export it again")
    canvas: tuple[int, int] | None = None
    at = 12
    for _ in range(_MOST_CHUNKS):
        kind = data[at : at + 4]
        (size,) = struct.unpack_from("<I", data, at + 4)
        if at + 8 + size > len(data):
            raise BadImageError(f"this WebP cannot be read: {_CUT}")
        if kind == b"VP8X":
            if data[at + 8] & 0x02:
                raise BadImageError(
                    "this WebP moves; nothing but an alarm may flash on the console: export one picture"
                )
            body = data[at + 12 : at + 18]
            canvas = int.from_bytes(body[:3], "little") + 1, int.from_bytes(body[3:], "little") + 1
        if kind in {b"VP8 ", b"VP8L"}:
            found = _frame(data, at + 8, lossy=kind == b"VP8 ")
            if canvas not in {None, found}:
                raise BadImageError("this WebP says two different sizes of itself; export it again")
            return found
        at += 8 + size + size % 2
    raise BadImageError("this WebP does not say how large it is; export it again")


def _frame(data: bytes, at: int, *, lossy: bool) -> tuple[int, int]:
    if lossy:
        if data[at + 3 : at + 6] != b"\x9d\x01\x2a":
            raise BadImageError("the header of this WebP is damaged; send it again")
        width, height = struct.unpack_from("<HH", data, at + 6)
        return width & 0x3FFF, height & 0x3FFF
    if data[at] != 0x2F:
        raise BadImageError("the header of this WebP is damaged; send it again")
    (bits,) = struct.unpack_from("<I", data, at + 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


_KINDS: tuple[tuple[bytes, str, Callable[[bytes], tuple[int, int]]], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG, _png),
    (b"\xff\xd8\xff", JPEG, _jpeg),
    (b"RIFF", WEBP, _webp),
)
_NAME = {PNG: "PNG", JPEG: "JPEG", WEBP: "WebP"}
