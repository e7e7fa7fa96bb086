"""The ``ts`` and ``seq`` of an object: when a device says it was, and what is believed of that."""

import re
from datetime import datetime
from typing import Any

from firetower.core.clock import MINUTE, Micros, from_datetime, rfc3339
from firetower.devices.readings import Mark, Quality
from firetower.devices.wire_batch import NO_TIME
from firetower.devices.wire_json import Unusable, shown

AHEAD: Micros = 5 * MINUTE
"""A device time further ahead of arrival than this is a wrong clock."""
_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
SEQ_MAX = 2**32 - 1
SECONDS = range(1_000_000_000, 10_000_000_000)
"""Numbers that are seconds of 2001 to 2286; as milliseconds they would lie in the first months of 1970."""

CLOCK_WRONG = Quality.UNCERTAIN | Mark.ARRIVAL_TIME
"""Flags of a reading whose device gave a time nobody can believe."""

_YEAR_1: Micros = -62_135_596_800_000_000
_YEAR_10000: Micros = 253_402_300_800_000_000


class InSeconds(Unusable):
    """A time in seconds, the commonest mistake of all: the reading is good, the time is not."""


def event_time(sent: Any, received: Micros, retention: Micros) -> tuple[Micros, int, Micros]:
    """Return the event time of a ``ts``, the flags it gives (0: a good time), and the time as the device said it.

    ``sent``: None (absent), integer epoch ms, or RFC 3339 text; without a zone it is read as UTC+8. A time more than
    5 min ahead of ``received`` or older than ``retention`` becomes ``received``, uncertain. The third is believed or
    not; NO_TIME when it is absent or outside the years 1 to 9999. Raises InSeconds for seconds and Unusable for
    anything else, both with ``bad_ts``.
    """
    flags = 0
    if sent is None:
        return received, int(Mark.ARRIVAL_TIME), NO_TIME
    if isinstance(sent, int) and not isinstance(sent, bool):
        at = sent * 1000
        if sent in SECONDS:
            raise InSeconds(
                "bad_ts",
                f"ts is {sent}, which looks like seconds; send milliseconds, {sent}000. Taken at its time of arrival",
            )
    elif isinstance(sent, str):
        at, flags = _from_text(sent)
    elif isinstance(sent, float) and sent.is_integer():
        at = int(sent) * 1000
    else:
        raise Unusable("bad_ts", f"ts is {shown(sent)}; send integer milliseconds since 1970 UTC or RFC 3339 text")
    if at > received + AHEAD or at < received - retention:
        return received, CLOCK_WRONG, at if _YEAR_1 <= at < _YEAR_10000 else NO_TIME
    return at, flags, at


def _from_text(sent: str) -> tuple[Micros, int]:
    parts = _TEXT.fullmatch(sent)
    if parts is None:
        raise Unusable(
            "bad_ts",
            f"ts is {shown(sent)}; send RFC 3339 such as {rfc3339(1_763_800_000_123_000)} or integer milliseconds",
        )
    date, time, zone = parts.groups()
    try:
        at = from_datetime(datetime.fromisoformat(f"{date}T{time}{(zone or '+08:00').upper()}"))
    except (ValueError, OverflowError) as err:
        raise Unusable("bad_ts", f"ts is {shown(sent)}, which is no date and time ({err})") from err
    return at, 0 if zone else int(Mark.ZONE_ASSUMED)


def sequence(sent: Any) -> int | None:
    """Return a ``seq`` (None when absent); Unusable ``bad_seq`` when it is not a whole number to 4294967295."""
    if sent is None:
        return None
    whole = isinstance(sent, int) or (isinstance(sent, float) and sent.is_integer())
    if whole and not isinstance(sent, bool) and 0 <= sent <= SEQ_MAX:
        return int(sent)
    raise Unusable("bad_seq", f"seq is {shown(sent)}; send an integer from 0 to {SEQ_MAX} or none")
