"""JSON from devices: the fast decoder first, and what can still be read of a document it refuses."""

import json
import math
from typing import Any

import msgspec

MOST_BYTES = 65_536
"""Largest payload of the contract, 64 KiB."""
_BOM = b"\xef\xbb\xbf"
_DIGITS = 30
"""An integer of more digits than this is no measurement; Python would need quadratic time for the longest."""


class Unusable(Exception):
    """Nothing of a message, or of a part of one, can be used; ``reason`` is a stable word of the reject ledger."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Doubled:
    """Stands in a decoded object for a name that was written twice: nobody can say which one was meant."""


DOUBLED = Doubled()


def shown(value: object) -> str:
    """Return ``value`` for a person, at most 70 characters, safe to store (no NUL, no half of a surrogate pair)."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    if value is DOUBLED:
        return "two values under one name"
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 70 else text[:67] + "..."


def clean(text: str) -> str:
    """Return ``text`` with what a database cannot hold replaced: NUL by U+FFFD, half a surrogate pair by ``?``."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def words(payload: bytes) -> str:
    """Return the first 160 bytes of ``payload`` for a person: UTF-8, else GB 18030 as panels send it, else escaped."""
    start = payload[:160]
    for encoding in ("utf-8", "gb18030"):
        # the cut may go through a character: what is left of it is not worth an error
        for end in range(len(start), max(len(start) - 4, -1), -1):
            try:
                return clean(start[:end].decode(encoding))
            except UnicodeDecodeError:
                continue
    return clean(start.decode("utf-8", "backslashreplace"))


def parse(payload: bytes) -> tuple[Any, Unusable | None]:
    """Return the document in ``payload``, and what was wrong with it although it could be read.

    A name that stands twice in one object has the value ``DOUBLED``; numbers no float holds are infinite or NaN. Raises
    Unusable (``too_large``, ``not_utf8``, ``nested_too_deep``, ``bad_json``) when there is nothing to read.
    """
    if len(payload) > MOST_BYTES:
        raise Unusable(
            "too_large", f"the payload has {len(payload)} bytes; the limit is {MOST_BYTES}: send several messages"
        )
    try:
        document = msgspec.json.decode(payload)
    except RecursionError as err:
        raise _too_deep() from err
    except ValueError:
        return _salvage(payload)
    # Each name has a colon of its own: as many colons as names means that no name was swallowed by its double.
    if payload.count(b":") == _names(document):
        return document, None
    return _carefully(payload.decode()), None


def _salvage(payload: bytes) -> tuple[Any, Unusable | None]:
    trouble: Unusable | None = None
    if not payload:
        raise Unusable("bad_json", "the payload is empty; send a JSON object")
    if payload.startswith(_BOM):
        trouble = Unusable("bad_json", "the payload starts with a byte order mark (EF BB BF); send UTF-8 without it")
        payload = payload[len(_BOM) :]
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as err:
        raise Unusable(
            "not_utf8", f"byte {err.start} (0x{payload[err.start]:02x}) is not UTF-8; send JSON in UTF-8"
        ) from err
    return _carefully(text), trouble


def _carefully(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except RecursionError as err:
        raise _too_deep() from err
    except json.JSONDecodeError as err:
        raise Unusable("bad_json", f"not JSON at character {err.pos}: {err.msg}; check the sender's encoder") from err


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                made[name] = DOUBLED
            seen.add(name)
    return made


def _integer(digits: str) -> int | float:
    if len(digits) > _DIGITS:
        return -math.inf if digits.startswith("-") else math.inf
    return int(digits)


def _names(document: Any) -> int:
    """Return how many names the objects of ``document`` have, two levels down: as deep as a good message goes."""
    if isinstance(document, dict):
        count = len(document)
        for value in document.values():
            if isinstance(value, dict):
                count += len(value)
            elif isinstance(value, list):
                count += sum(len(item) for item in value if isinstance(item, dict))
        return count
    if isinstance(document, list):
        return sum(len(item) for item in document if isinstance(item, dict))
    return 0


def _too_deep() -> Unusable:
    return Unusable(
        "nested_too_deep", "the JSON is nested deeper than can be read; an object of values is all it takes"
    )
