"""Verdicts and transactions the alert store's tests share."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from firetower.core.clock import SECOND, Micros
from firetower.devices.events import AlertClass, Event
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage.alert_verdicts import Overtaken
from firetower.storage.alerts import Applied, apply_verdicts
from firetower.storage.changes import announce

T0: Micros = 1_763_800_000 * SECOND


def hazard(device: str = "h1", at: Micros = T0, kind: VerdictKind = VerdictKind.RAISE, **more: Any) -> Verdict:
    """A rule's verdict on a hydrant of unit u1."""
    fields: dict[str, Any] = {
        "kind": kind,
        "rule": "hydrant.pressure.low",
        "rule_version": 3,
        "subject_kind": SubjectKind.DEVICE,
        "subject": f"u1/{device}",
        "component": "pressure",
        "alert_class": AlertClass.HAZARD,
        "priority": 3,
        "latch": False,
        "at": at,
        "title_zh": "水压低",
        "title_en": "Low pressure",
    }
    return Verdict(**(fields | more))


def fire(device: str = "smk-1", at: Micros = T0, *, active: bool = True, **more: Any) -> Verdict:
    """A device's own fire alarm, or its return to normal."""
    event = Event("u1", device, None, "fire", active, "2-3-017", "3F corridor", at, at + SECOND, str(at))
    return hazard(
        device,
        at,
        **{
            "kind": VerdictKind.RAISE if active else VerdictKind.CLEAR,
            "rule": "event:fire",
            "rule_version": 1,
            "component": "2-3-017",
            "alert_class": AlertClass.FIRE,
            "priority": 1,
            "latch": True,
            "title_zh": "火警",
            "title_en": "Fire alarm",
            "text": "3F corridor",
            "event": event,
        }
        | more,
    )


def clear(verdict: Verdict, at: Micros) -> Verdict:
    """The return to normal of a rule's verdict."""
    return hazard(
        verdict.subject.partition("/")[2], at, VerdictKind.CLEAR, rule=verdict.rule, component=verdict.component
    )


async def commit(pool: asyncpg.Pool, verdicts: Sequence[Verdict], at: Micros = T0 + 5 * SECOND) -> Applied:
    """Apply verdicts the way ingest does: one transaction, announced last, begun again when it was overtaken."""
    async with pool.acquire() as conn:
        while True:
            try:
                async with conn.transaction():
                    applied = await apply_verdicts(conn, verdicts, at=at)
                    await announce(conn, applied.alert_ids, at)
            except Overtaken:
                continue
            return applied
