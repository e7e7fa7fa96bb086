"""Why rules did or did not fire on a device at an instant: its stored history replayed up to then, and what stands."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np

from firetower.backtest import remembered
from firetower.core.clock import DAY, MINUTE, Micros, from_datetime, rfc3339
from firetower.core.errors import InvalidInput, NotFound
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Quality, Readings
from firetower.devices.registry import Registry
from firetower.rules.book import rulebook as rulebooks
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine
from firetower.rules.memory import WORDS_BACK, events_of, memory_of
from firetower.rules.told.backtest import Replay
from firetower.rules.told.explain import Speaker
from firetower.rules.told.explained import Explained, explained
from firetower.rules.told.heard import Heard
from firetower.storage import history, readings
from firetower.storage import registry as stored_registry
from firetower.storage.burning_rules import in_force

SHOWN = 5
"""Newest readings of a series, and events, that are told."""
MOST_MEMBERS = 2_000
"""Devices of the groups of a device that are replayed with it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained: a device, an instant, and the rulebook; None: the one in force.

    ``at``: µs, or a time without a zone, which is taken as the rulebook's calendar has it.
    """

    unit: str
    device: str
    at: Micros | datetime
    rulebook: Rulebook | None = None


async def explain(pool: asyncpg.Pool, asked: Asked, *, now: Micros) -> dict[str, Any]:
    """Return, of JSON's types, each rule that applies to a device with its inputs, its state, and why it fired or not.

    Only what is of the device, and of the other devices of its groups as far as combinations watch them, is replayed,
    from as long before as the rules remember. Times are in UTC; those within sentences as clocks in ``zone`` show them,
    the zone of the rulebook's calendar. Raises NotFound, InvalidInput, StoreUnavailable.
    """
    book = asked.rulebook or await in_force(pool) or rulebooks.load()
    at = _instant(asked.at, book)
    speaker = Speaker(at, book.calendar.zone)
    if at > now:
        raise InvalidInput(
            f"{speaker.instant(at)} is in the future, it is {speaker.instant(now)}; give an instant of the past"
        )
    registry = Registry()
    await stored_registry.load(pool, registry)
    number = registry.number(asked.unit, asked.device)
    if number is None:
        raise NotFound(f"there is no device {asked.unit}/{asked.device}; the registry has it by another name, or not")
    first = await history.oldest(pool)
    if first is None or at < first - DAY:
        since = "nothing" if first is None else f"what is stored begins at {speaker.instant(first)}"
        raise InvalidInput(f"of {speaker.instant(at)} nothing is stored any more ({since}); give a later instant")
    members = _members(book, registry, number)
    heard = await _replay(pool, registry, book, [number, *members[: MOST_MEMBERS - 1]], at)
    told = explained(book, registry, number, heard, speaker)
    return {
        "device": f"{asked.unit}/{asked.device}",
        "kind": _kind(registry, number).value,
        "at": rfc3339(at),
        "zone": book.calendar.zone,
        "zone_taken": isinstance(asked.at, datetime),
        "rulebook": "given" if asked.rulebook is not None else "in force",
        "replayed_from": rfc3339(heard.begin),
        "interval_s": int(registry.interval[number]) / 1e6,
        "last_heard_at": rfc3339(heard.last_heard) if heard.last_heard else None,
        "others_replayed": min(len(members), MOST_MEMBERS - 1),
        "others_left_out": max(len(members) - MOST_MEMBERS + 1, 0),
        "readings": _newest_readings(registry, heard),
        "events": [_event(event) for event in heard.events[: -SHOWN - 1 : -1]],
        "rules": [_rule(each) for each in told],
    }


def _instant(at: Micros | datetime, book: Rulebook) -> Micros:
    if not isinstance(at, datetime):
        return at
    return from_datetime(at.replace(tzinfo=ZoneInfo(book.calendar.zone)))


def _members(book: Rulebook, registry: Registry, number: int) -> list[int]:
    """Return the other devices that a combination looks at together with this one."""
    known = {rule.id: rule for rule in book.rules}
    found: set[int] = set()
    for rule in book.rules:
        condition = rule.condition.combination
        subject = None if condition is None else registry.group_of(condition.group, number)
        if condition is None or subject is None or condition.group == "device":
            continue
        clauses = (*condition.all, *condition.none)
        kinds: Collection[DeviceKind] = {
            kind for clause in clauses for name in clause.rules if name in known for kind in known[name].kinds
        }
        if any(clause.events or clause.classes for clause in clauses):
            kinds = tuple(DeviceKind)
        found.update(registry.members(condition.group, subject, kinds).tolist())
    return sorted(found - {number})


async def _replay(pool: asyncpg.Pool, registry: Registry, book: Rulebook, numbers: list[int], at: Micros) -> Heard:
    """Replay what is stored of some devices, the one asked about first, up to an instant."""
    first = await history.oldest(pool)
    begin = max(at - events_of(book), first or 0)
    names = [registry.name(number) for number in numbers]
    last = await history.last_heard(pool, numbers, begin)
    replay_engine = Engine(book, registry)
    replay = Replay([replay_engine], registry, begin, listening_since=0)
    for number, heard in last.items():
        registry.last_seen[number] = heard
    heard_of = Heard(begin=replay.now, device=numbers[0])
    before = await history.events(pool, registry, replay.now - WORDS_BACK, replay.now, devices=names)
    spans = memory_of(book, registry)
    async for page in remembered(pool, registry, replay.now, spans, first=first or 0, devices=numbers):
        for decided in replay.remember(page):
            heard_of.decided(decided.verdicts)
        heard_of.take(page)
    for decided in replay.remember(Readings.empty(), before):
        heard_of.decided(decided.verdicts)
    heard_of.events += [event for event in before if event.device_number == numbers[0]]
    since = await history.events(pool, registry, replay.now, at + 1, devices=names)
    async for page in readings.recent(pool, registry, replay.now, until=at + 1, devices=numbers):
        replay.feed(page)
        heard_of.take(page)
    replay.feed(Readings.empty(), since)
    heard_of.events += [event for event in since if event.device_number == numbers[0]]
    for decided in replay.run_to(at // MINUTE * MINUTE):
        heard_of.decided(decided.verdicts)
    for decided in replay.finish(at):
        heard_of.decided(decided.verdicts)
    heard_of.states = replay_engine.describe(numbers[0])
    heard_of.last_heard = int(registry.last_seen[numbers[0]])
    return heard_of


def _kind(registry: Registry, number: int) -> DeviceKind:
    return tuple(DeviceKind)[int(registry.kind[number])]


def _newest_readings(registry: Registry, heard: Heard) -> list[dict[str, Any]]:
    """Return the newest readings of each series, the newest first."""
    told = []
    for page in (heard.readings(),):
        for series in np.unique(page.series).tolist():
            mine = page.take(np.flatnonzero(page.series == series)[-SHOWN:][::-1])
            metric = catalogue().by_number[int(mine.metric[0])]
            channel = registry.channel_name(int(mine.channel[0]))
            told.append(
                {
                    "metric": metric.name + (f".{channel}" if channel else ""),
                    "unit": metric.unit,
                    "newest": [
                        {
                            "at": rfc3339(int(mine.ts[place])),
                            "received_at": rfc3339(int(mine.received[place])),
                            "value": float(mine.value[place]),
                            "quality": Quality(int(mine.quality[place])).name.lower(),
                        }
                        for place in range(len(mine))
                    ],
                }
            )
    return told


def _event(event: Event) -> dict[str, Any]:
    return {"at": rfc3339(event.at), "event": event.event, "active": event.active, "component": event.component}


def _rule(each: Explained) -> dict[str, Any]:
    rule = each.rule
    return {
        "rule": rule.id,
        "version": rule.version,
        "form": rule.condition.forms[0],
        "class": rule.alert_class.value,
        "title": {"zh": rule.title.zh, "en": rule.title.en},
        "where": each.where,
        "component": each.component,
        "active": each.active,
        "since": None if each.since is None else rfc3339(each.since),
        "priority": each.priority,
        "suppressed_by": each.suppressed_by or None,
        "on_trial": rule.shadow,
        "schedule_active": each.schedule_active,
        "overrides": [
            {
                "scope": f"{override.scope.level} {override.scope.value}",
                "reason": override.reason,
                "source": override.source,
            }
            for override in each.overrides
        ],
        "value": each.value,
        "bands": [
            {
                "priority": band.priority,
                "limit": band.limit,
                "zone": band.zone,
                "since": None if band.since is None else rfc3339(band.since),
                "readings": band.readings,
                "fires_at": None if band.fires_at is None else rfc3339(band.fires_at),
                "raised": band.raised,
                "why": band.why,
            }
            for band in each.bands
        ],
        "why": each.why,
    }
