"""What a camera's answer is, by its first bytes: JPEG, PNG or WebP of a size that can be shown, or no picture."""

from dataclasses import dataclass

MOST_PIXELS = 40_000_000
"""Of the largest picture kept; cameras have up to 32 million."""
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers that give the size."""
_MOST_MARKERS = 2_000
"""Looked at before the size is given up; cameras write some ten. It bounds the time, whatever was sent."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``media``: its type; pixels across and down."""

    media: str
    width: int
    height: int


def kind_of(body: bytes) -> Kind | None:
    """Return what picture ``body`` is; None for anything else, and for one whose size is nonsense or too large."""
    found = _png(body) or _webp(body) or _jpeg(body)
    if found is None or not (0 < found.width * found.height <= MOST_PIXELS):
        return None
    return found


def _png(body: bytes) -> Kind | None:
    if body[:8] != b"\x89PNG\r\n\x1a\n" or body[12:16] != b"IHDR":
        return None
    return Kind("image/png", int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big"))


def _webp(body: bytes) -> Kind | None:
    if body[:4] != b"RIFF" or body[8:12] != b"WEBP" or len(body) < 30:
        return None
    form = body[12:16]
    if form == b"VP8X":
        wide, high = int.from_bytes(body[24:27], "little") + 1, int.from_bytes(body[27:30], "little") + 1
    elif form == b"VP8L":
        bits = int.from_bytes(body[21:25], "little")
        wide, high = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif form == b"VP8 " and body[23:26] == b"\x9d\x01\x2a":
        wide, high = int.from_bytes(body[26:28], "little") & 0x3FFF, int.from_bytes(body[28:30], "little") & 0x3FFF
    else:
        return None
    return Kind("image/webp", wide, high)


def _jpeg(body: bytes) -> Kind | None:
    if body[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    for _ in range(_MOST_MARKERS):
        if at + 9 > len(body) or body[at] != 0xFF:
            return None
        marker = body[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in _FRAMES:
            high, wide = int.from_bytes(body[at + 5 : at + 7], "big"), int.from_bytes(body[at + 7 : at + 9], "big")
            return Kind("image/jpeg", wide, high)
        else:
            at += 2 + max(int.from_bytes(body[at + 2 : at + 4], "big"), 2)
    return None
