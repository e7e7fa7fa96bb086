"""What the command centre's interface answers: a receipt 签收 for this very message, "taken", or nothing of worth.

An answer of 2xx is no receipt by itself: whoever stands in between (a proxy, a login page, another message's cached
answer) answers 2xx as well.
"""

import json
from datetime import datetime
from typing import Any

from firetower.alerts.handover.model import Signed
from firetower.alerts.notify.signing import WINDOW_S
from firetower.alerts.words import NAME_LIMIT, storable
from firetower.core.clock import SECOND, Micros, from_datetime, rfc3339

TAKEN = 202
"""The status of "taken, not received yet": it is asked again, under the same key."""
_APART: Micros = WINDOW_S * SECOND
"""How far their clock and ours may be apart: what is signed may lie as far off."""


class NoReceipt(Exception):
    """The answer is no receipt of the message; the text says why."""


def read(body: bytes, key: str, *, created_at: Micros, now: Micros) -> Signed:
    """Return the receipt of the message ``key``, written at ``created_at``, in an answer. Raises NoReceipt.

    The answer: ``{"key": …, "receipt": {"number": …, "person": …, "at": RFC 3339 with zone}}``.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise NoReceipt("the answer is not JSON") from err
    if not isinstance(said, dict):
        raise NoReceipt("the answer is no JSON object")
    if said.get("key") != key:
        raise NoReceipt("the answer is about another key, or none")
    receipt = said.get("receipt")
    if not isinstance(receipt, dict):
        raise NoReceipt("the answer has no receipt")
    at = _instant(receipt.get("at"))
    if at > now + _APART:
        raise NoReceipt(f"the receipt is of {rfc3339(at)}, which is to come; set the clock there")
    if at < created_at - _APART:
        raise NoReceipt(f"the receipt is of {rfc3339(at)}, before the message was written; set the clock there")
    return Signed(_words("number", receipt.get("number")), _words("person", receipt.get("person")), at)


def _words(name: str, given: Any) -> str:
    if isinstance(given, int) and not isinstance(given, bool) and name == "number":
        given = str(given) if abs(given) < 10**NAME_LIMIT else None
    if not isinstance(given, str) or not storable(given):
        raise NoReceipt(f"the receipt has no {name}")
    kept = " ".join("".join(char if char.isprintable() else " " for char in given).split())
    if not 0 < len(kept) <= NAME_LIMIT:
        raise NoReceipt(f"the receipt's {name} has {len(kept)} characters, 1 to {NAME_LIMIT} are expected")
    return kept


def _instant(given: Any) -> Micros:
    if not isinstance(given, str):
        raise NoReceipt("the receipt has no time (at)")
    try:
        return from_datetime(datetime.fromisoformat(given))
    except (ValueError, OverflowError) as err:
        raise NoReceipt(f"the receipt's time {given[:40]!r} is not RFC 3339 with a zone") from err
