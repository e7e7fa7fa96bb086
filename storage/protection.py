"""The board of what does not protect right now: what is announced, held, shielded or silent, the widest gap first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firetower.alerts.windows import Window, WindowKind, WindowState
from firetower.core.clock import Micros, from_datetime
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.model import Scope
from firetower.storage import windows
from firetower.storage.pool import Pool, store_errors

LIFE_SAFETY = (
    DeviceKind.SMOKE,
    DeviceKind.HEAT,
    DeviceKind.GAS,
    DeviceKind.ELECTRICAL,
    DeviceKind.PANEL,
    DeviceKind.GATEWAY,
    DeviceKind.PUMP_ROOM,
)
"""Kinds whose silence leaves people unprotected (judgement): a hydrant gives water though its sensor is silent."""

COUNTED = 10_000
"""So many are counted at most: beyond them the board says "at least"."""

_UNPROTECTING = (WindowKind.TEST, WindowKind.MAINTENANCE, WindowKind.IMPAIRMENT, WindowKind.WATER_PERMIT)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that does not protect. Times in µs; ``until`` None: until somebody mends it.

    ``kind``: a window's; ``shelved``, ``suppressed``, ``out_of_service``, ``shielded``, ``silent`` of an alert;
    ``loosened``, ``rule_off``, ``on_trial`` of a rule, then with ``rule``, its ``scope``, who approved it beside who
    did it, and what ``changes`` from what to what. ``since`` None: not known.
    ``width``: 0 a unit or a water main, 1 a zone, 2 a device that others hang on, 3 a device, 4 a point.
    """

    width: int
    kind: str
    unit: str | None
    zone: str | None
    device: str | None
    component: str | None
    main: str | None
    place: str | None
    what_zh: str
    what_en: str
    since: Micros | None
    until: Micros | None
    reason: str | None
    measure: str | None
    by: str | None
    window_id: int | None
    alert_id: int | None
    rule: str | None = None
    scope: Scope | None = None
    approved_by: str | None = None
    changes: tuple[str, ...] = ()


_WORDS = {
    WindowKind.TEST: ("测试", "Test"),
    WindowKind.MAINTENANCE: ("维保", "Maintenance"),
    WindowKind.IMPAIRMENT: ("消防设施停用", "Impairment"),
    WindowKind.WATER_PERMIT: ("消火栓用水许可", "Hydrant-use permit"),
}

_KIND = (
    "CASE WHEN a.hold <> 'none' AND a.state <> 'closed' THEN a.hold"
    " WHEN a.rule = 'event:shielded' THEN 'shielded' ELSE 'silent' END"
)
_WIDTH = (
    "CASE WHEN a.subject_kind IN ('unit', 'main') OR a.device IS NULL AND a.zone IS NULL THEN 0"
    " WHEN a.subject_kind = 'zone' THEN 1"
    " WHEN starts_with(a.rule, 'event:') AND a.component <> '' THEN 4"
    " WHEN a.subject_kind = 'gateway' OR a.device_kind IN ('panel', 'gateway') THEN 2 ELSE 3 END"
)
# A closed alert whose condition stands is still not protecting: closing it says that somebody knows.
_GAPS = (
    "(a.state <> 'closed' OR a.condition = 'active') AND ("
    "  a.hold <> 'none' AND a.state <> 'closed'"
    "  OR a.rule = 'event:shielded' AND a.condition = 'active'"
    "  OR a.alert_class = 'offline' AND a.condition = 'active'"
    "   AND (a.device_kind = ANY($1::text[]) OR a.subject_kind IN ('unit', 'gateway')))"
)


async def not_protected(pool: Pool, *, limit: int, now: Micros, of_rules: Sequence[Gap] = ()) -> tuple[list[Gap], int]:
    """Return the ``limit`` widest gaps, of the same width the oldest first, and how many there are beyond them.

    ``of_rules``: what the rulebook in force leaves unprotected. At most COUNTED alerts are counted. Raises
    StoreUnavailable.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            announced = await windows.current(conn, now)
            kinds = [str(kind) for kind in LIFE_SAFETY]
            rows = await conn.fetch(
                f"SELECT {_WIDTH} AS width, {_KIND} AS kind, a.id, a.unit, a.zone, a.device, a.component, a.main,"
                " a.place, a.title_zh, a.title_en, a.device_at, a.held_until, a.hold_reason, a.held_by,"
                f" a.text FROM alert a WHERE {_GAPS} ORDER BY width, a.device_at, a.id LIMIT $2",
                kinds,
                limit,
            )
            counted = len(rows)
            if counted == limit:
                counted = await conn.fetchval(
                    f"SELECT count(*) FROM (SELECT 1 FROM alert a WHERE {_GAPS} LIMIT $2) few", kinds, COUNTED
                )
    found = [*of_rules, *(_of_window(each) for each in announced if _opens_a_gap(each, now))]
    total = len(found) + counted
    found += [_of_alert(row) for row in rows]
    found.sort(key=lambda gap: (gap.width, now if gap.since is None else gap.since))
    return found[:limit], total - len(found[:limit])


def _opens_a_gap(window: Window, now: Micros) -> bool:
    return window.kind in _UNPROTECTING and window.state(now) is WindowState.ACTIVE


def _of_window(window: Window) -> Gap:
    zh, en = _WORDS[window.kind]
    width = 4 if window.component is not None else 3 if window.device is not None else 1 if window.zone else 0
    return Gap(
        width=width,
        kind="permit" if window.kind is WindowKind.WATER_PERMIT else window.kind,
        unit=window.unit,
        zone=window.zone,
        device=window.device,
        component=window.component,
        main=window.main,
        place=None,
        what_zh=zh,
        what_en=en,
        since=window.starts_at,
        until=window.ends_at,
        reason=window.reason,
        measure=window.measure,
        by=window.approved_by,
        window_id=window.id,
        alert_id=None,
    )


def _of_alert(row: Any) -> Gap:
    held = row["kind"] not in {"shielded", "silent"}
    return Gap(
        width=row["width"],
        kind=row["kind"],
        unit=row["unit"],
        zone=row["zone"],
        device=row["device"],
        component=row["component"] or None,
        main=row["main"],
        place=row["place"],
        what_zh=row["title_zh"],
        what_en=row["title_en"],
        since=from_datetime(row["device_at"]),
        until=from_datetime(row["held_until"]) if held and row["held_until"] is not None else None,
        reason=(row["hold_reason"] if held else row["text"]) or None,
        measure=None,
        by=row["held_by"] if held else None,
        window_id=None,
        alert_id=row["id"],
    )
