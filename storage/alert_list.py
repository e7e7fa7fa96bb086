"""Lists of alerts: filters, the order an operator works in, and keyset cursors."""

import base64
import json
from typing import Any

from firetower.alerts.model import Alert, State
from firetower.alerts.ports import PAGE_LIMIT, AlertFilter, Page
from firetower.alerts.words import storable
from firetower.core.clock import to_datetime
from firetower.core.errors import InvalidInput
from firetower.storage.alert_rows import COLUMNS, to_alert

_RANK = {State.UNACKNOWLEDGED: 0, State.RETURNED: 1, State.ACKNOWLEDGED: 2, State.CLOSED: 3}
_WHENS = " ".join(f"WHEN '{state}' THEN {rank}" for state, rank in _RANK.items())
_RANK_SQL = f"CASE a.state {_WHENS} END"

_SEARCHED = "a.place, a.text, a.title_zh, a.title_en, a.unit, a.unit_name, a.device, a.component"


async def list_alerts(conn: Any, wanted: AlertFilter) -> Page:
    """Return a page; InvalidInput for a limit out of range or a cursor that is not ours."""
    if not 1 <= wanted.limit <= PAGE_LIMIT:
        raise InvalidInput(f"limit is {wanted.limit}; give 1 to {PAGE_LIMIT}", {"field": "limit"})
    where, values = _conditions(wanted)
    if wanted.cursor is not None:
        priority, rank, raised_at, alert_id = _read_cursor(wanted.cursor)
        n = len(values)
        where.append(
            f"(a.priority, {_RANK_SQL}) >= (${n + 1}::int, ${n + 2}::int) AND"
            f" ((a.priority, {_RANK_SQL}) > (${n + 1}::int, ${n + 2}::int)"
            f" OR (a.raised_at, a.id) < (${n + 3}::timestamptz, ${n + 4}::bigint))"
        )
        values += [priority, rank, to_datetime(raised_at), alert_id]
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM alert a WHERE {' AND '.join(where) or 'true'}"
        f" ORDER BY a.priority, {_RANK_SQL}, a.raised_at DESC, a.id DESC LIMIT {wanted.limit + 1}",
        *values,
    )
    items = [to_alert(row) for row in rows[: wanted.limit]]
    return Page(items, _cursor(items[-1]) if len(rows) > wanted.limit else None)


def _conditions(wanted: AlertFilter) -> tuple[list[str], list[Any]]:
    _check_texts(wanted)
    q = (wanted.q or "").strip()
    for special in "\\%_":
        q = q.replace(special, f"\\{special}")
    asked: tuple[tuple[str, Any], ...] = (
        ("a.state = ANY({}::text[])", list(wanted.states)),
        ("a.hold = ANY({}::text[])", list(wanted.holds)),
        ("a.priority = ANY({}::int2[])", list(wanted.priorities)),
        ("a.alert_class = ANY({}::text[])", list(wanted.classes)),
        ("a.unit = {}", wanted.unit),
        ("a.device = {}", wanted.device),
        ("a.incident_id = {}", wanted.incident),
        ("a.raised_at >= {}", None if wanted.since is None else to_datetime(wanted.since)),
        # One text per alert: a unit separator keeps words of neighbouring fields apart.
        (f"concat_ws(chr(31), {_SEARCHED}) ILIKE {{}}", f"%{q}%" if q else None),
    )
    given = [(condition, value) for condition, value in asked if value is not None and value != []]
    where = [condition.format(f"${number}") for number, (condition, _) in enumerate(given, 1)]
    if wanted.states and State.CLOSED not in wanted.states:
        where.append("a.state <> 'closed'")  # said apart, so that the index of open alerts serves
    return where, [value for _, value in given]


def _check_texts(wanted: AlertFilter) -> None:
    for field, text in (("unit", wanted.unit), ("device", wanted.device), ("q", wanted.q)):
        if not storable(text or ""):
            raise InvalidInput(
                f"{field} holds a character that cannot be stored, so no alert has it; remove it", {"field": field}
            )


def _cursor(last: Alert) -> str:
    place = [last.priority, _RANK[last.state], last.raised_at, last.id]
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, int, int, int]:
    try:
        priority, rank, raised_at, alert_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        given = (int(priority), int(rank), int(raised_at), int(alert_id))
        to_datetime(given[2])
        if not all(0 <= part < 2**limit for part, limit in zip(given, (15, 15, 63, 63), strict=True)):
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(
            f"cursor {cursor[:80]!r} is not one of ours; take next_cursor of the page before, or leave it out",
            {"field": "cursor"},
        ) from None
    return given
