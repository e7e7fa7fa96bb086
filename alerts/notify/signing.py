"""The signature on what Firetower posts and on what is posted to it: HMAC-SHA256 over time and body, a replay window.

``Firetower-Timestamp``: seconds since the epoch. ``Firetower-Signature``: ``v1=`` and the hex digest of HMAC-SHA256,
keyed with the shared secret, over the timestamp, a full stop and the body's bytes. A timestamp more than 300 s off is
refused, so that what was overheard cannot be said again later; within these the receiver knows a repeat by its key.
"""

import hmac

from firetower.core.clock import SECOND, Micros

TIMESTAMP, SIGNATURE = "Firetower-Timestamp", "Firetower-Signature"
WINDOW_S = 300
"""Seconds that a timestamp may differ from the receiver's clock."""


def sign(secret: bytes, body: bytes, now: Micros) -> dict[str, str]:
    """Return the two headers that sign ``body``."""
    at = str(now // SECOND)
    return {TIMESTAMP: at, SIGNATURE: f"v1={_digest(secret, at, body)}"}


def refusal(secret: bytes, body: bytes, timestamp: str | None, signature: str | None, now: Micros) -> str | None:
    """Return why a signed body is not to be believed, with the remedy; None when it is."""
    if timestamp is None or signature is None:
        return f"the headers {TIMESTAMP} and {SIGNATURE} are missing; sign the body as docs/duty.md says"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return f"{TIMESTAMP} {timestamp[:20]!r} is no time; send seconds since the epoch"
    off = int(timestamp) - now // SECOND
    if abs(off) > WINDOW_S:
        return f"{TIMESTAMP} is {abs(off)} s off, {WINDOW_S} s are accepted; set the sender's clock"
    good = f"v1={_digest(secret, timestamp, body)}"
    if not hmac.compare_digest(good.encode(), signature.encode("utf-8", "replace")):
        return f"{SIGNATURE} does not match body and time; sign the bytes as sent, with this channel's secret"
    return None


def _digest(secret: bytes, at: str, body: bytes) -> str:
    return hmac.digest(secret, at.encode() + b"." + body, "sha256").hex()
