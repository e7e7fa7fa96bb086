"""Calls between their table and their dataclass."""

from typing import Any

from firetower.alerts.calls import Call, Direction, Purpose, Result
from firetower.alerts.verification import Verify
from firetower.core.clock import from_datetime
from firetower.core.errors import InvalidInput

_PLAIN = ("id", "alert_id", "by", "contact_id", "role", "name", "number", "said", "recording")
COLUMNS = ", ".join(f"c.{name}" for name in (*_PLAIN, "at", "direction", "purpose", "result"))
"""What ``to_call`` reads, of a table called ``c``."""


def to_call(row: Any) -> Call:
    """Return the call of a row with COLUMNS."""
    return Call(
        **{name: row[name] for name in _PLAIN},
        at=from_datetime(row["at"]),
        direction=Direction(row["direction"]),
        purpose=Purpose(row["purpose"]),
        result=Result(row["result"]),
    )


async def of_verification(conn: Any, alert_id: int, act: Verify) -> str | None:
    """Return who was spoken to on the call that ``act`` names, None when it names none.

    Raises InvalidInput when it is no call about this alert, or nobody answered it.
    """
    if act.call is None:
        return None
    row = await conn.fetchrow(
        f"SELECT {COLUMNS} FROM call c WHERE c.alert_id = $1 AND c.id = $2", alert_id, min(act.call, 2**63 - 1)
    )
    if row is None:
        raise InvalidInput(
            f"there is no call {act.call} about alert {alert_id}; list its calls to find the one you mean",
            {"field": "call_id"},
        )
    call = to_call(row)
    if call.result is not Result.ANSWERED:
        raise InvalidInput(
            f"call {call.id} was {call.result}: nobody was spoken to; name a call that was answered, or how else it was"
            " verified",
            {"field": "call_id"},
        )
    return call.name
