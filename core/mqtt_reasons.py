"""Why a broker says no, in words: the return codes of MQTT 3.1.1 and the reason codes of MQTT 5 (section 2.4)."""

UNSUPPORTED_VERSION = frozenset({0x01, 0x84})
BAD_CLIENT_ID = frozenset({0x02, 0x85})
TAKEN_OVER = 0x8E

_REASONS = {
    0x01: "unacceptable protocol version",
    0x02: "client id not accepted",
    0x03: "server unavailable",
    0x04: "bad user name or password",
    0x05: "not authorized",
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "unsupported protocol version",
    0x85: "client id not valid",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8B: "server shutting down",
    0x8C: "bad authentication method",
    0x8D: "keep alive timeout",
    TAKEN_OVER: "another client took over the session",
    0x8F: "topic filter invalid",
    0x90: "topic name invalid",
    0x91: "packet id in use",
    0x92: "packet id not found",
    0x93: "receive maximum exceeded",
    0x94: "topic alias invalid",
    0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded",
    0x98: "administrative action",
    0x99: "payload format invalid",
    0x9A: "retain not supported",
    0x9B: "QoS not supported",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9E: "shared subscriptions not supported",
    0x9F: "connection rate exceeded",
    0xA0: "maximum connect time",
    0xA1: "subscription ids not supported",
    0xA2: "wildcard subscriptions not supported",
}


def reason_text(code: int, said: str) -> str:
    """Return what ``code`` means, with ``said``, the broker's own words where it has any (its first 200 characters)."""
    meaning = _REASONS.get(code, "no reason given" if code < 0x80 else f"reason code {code:#04x}")
    return f"{meaning} ({said[:200]!r})" if said else meaning
