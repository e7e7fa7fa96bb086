"""A back-test 回测: stored history under another rulebook, beside the rules in force, and how the two differ."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import asyncpg

from firetower.alerts.comparison import LISTED, Outcome, Side, compared
from firetower.alerts.rehearsal import Rehearsal, by_key
from firetower.core.clock import HOUR, Micros, rfc3339
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.rules.book import rulebook as rulebooks
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine
from firetower.rules.memory import WORDS_BACK, events_of, events_watched, memory_of
from firetower.rules.told.backtest import STEP, Replay, changed_rules
from firetower.rules.told.limits_of import limits_of
from firetower.storage import history, readings
from firetower.storage import registry as stored_registry
from firetower.storage.burning_rules import in_force

_CHUNK: Micros = HOUR
_PAGE = 200_000
"""Readings taken in at once where no time passes between them."""


async def backtest(
    pool: asyncpg.Pool,
    new: Rulebook,
    since: Micros,
    until: Micros,
    *,
    now: Micros,
    progress: Callable[[float], None] = lambda _: None,
) -> dict[str, Any]:
    """Return how ``new`` and the rules in force differ on what is stored from ``since`` to ``until``, of JSON's types.

    The replay begins one memory of the rules before, uncounted, so that what was half over at ``since`` is. Devices are
    those of the registry as it is now. ``progress``: told the share that is done. Raises InvalidInput for a range of
    which nothing can be said, StoreUnavailable.
    """
    ruling = await in_force(pool) or rulebooks.load()
    first = await history.check_range(pool, since, until, now)
    begin = max(since - max(events_of(new), events_of(ruling)), first)
    registry = Registry()
    await stored_registry.load(pool, registry)
    replay = Replay([Engine(new, registry), Engine(ruling, registry)], registry, begin)
    outcomes = await history.outcomes(pool, begin, until)
    answers = by_key((each.key, each.answered) for each in outcomes)
    desks = Rehearsal(answers), Rehearsal(answers)
    began = time.monotonic()
    memories = _memories(registry, new, ruling)
    async for page in remembered(pool, registry, replay.now, memories, first=first):
        for decided in replay.remember(page):
            desks[decided.engine].take(decided.verdicts, int(page.ts[0]), decided.now)
    names = events_watched(new) | events_watched(ruling)
    words = await history.last_words(pool, registry, names, replay.now - WORDS_BACK, replay.now)
    for decided in replay.remember(Readings.empty(), words):
        desks[decided.engine].take(decided.verdicts, 0, decided.now)
    await _run(pool, registry, replay, desks, until=until, progress=progress)
    took = time.monotonic() - began
    return {
        "from": rfc3339(since),
        "to": rfc3339(until),
        "stored_from": rfc3339(first),
        "replayed_from": rfc3339(max(first, begin - max(memories.values(), default=0))),
        "devices": registry.devices,
        "readings": replay.readings,
        "events": replay.events,
        "took_s": round(took, 3),
        "times_real_time": round((until - begin) / 1e6 / max(took, 1e-6), 1),
        **(told := _told(desks, outcomes, registry, since, until, changed=changed_rules(new, ruling))),
        "lines": _lines(told["marks"]["list"], registry, {"new": new, "in_force": ruling}),
    }


def _lines(marks: list[dict[str, Any]], registry: Registry, books: Mapping[str, Rulebook]) -> list[dict[str, Any]]:
    """Return the limits of either rulebook for what its marks are about, to be drawn beside them."""
    pairs = dict.fromkeys((mark["rule"], mark["subject"]) for mark in marks)
    lines = []
    for rule, subject in list(pairs)[:LISTED]:
        number = registry.number(*subject.split("/", 1)) if subject.count("/") == 1 else None
        if number is None:
            continue
        for side, book in books.items():
            lines += [
                {"side": side, "subject": subject, "rule": rule, "metric": line.metric, "priority": line.priority,
                 "value": line.value, "high": line.high, "clear": line.clear, "uom": line.uom}
                for line in limits_of(book, registry, number, rule)
            ]  # fmt: skip
    return lines


def _memories(registry: Registry, *books: Rulebook) -> dict[int, Micros]:
    """Return how far back readings count for any of ``books``, µs, by metric number."""
    longest: dict[int, Micros] = {}
    for book in books:
        for metric, span in memory_of(book, registry).items():
            longest[metric] = max(longest.get(metric, 0), span)
    return longest


async def remembered(
    pool: asyncpg.Pool,
    registry: Registry,
    begin: Micros,
    memories: Mapping[int, Micros],
    *,
    first: Micros,
    devices: Sequence[int] | None = None,
) -> AsyncIterator[Readings]:
    """Yield the stored readings before ``begin`` of metrics that remember so far back, µs by number; oldest first.

    ``first``: nothing is stored before. ``devices``: only of these numbers. Raises StoreUnavailable.
    """
    starts = sorted({max(begin - span, first) for span in memories.values()} - {begin})
    for start, end in pairwise([*starts, begin]):
        metrics = [metric for metric, span in memories.items() if max(begin - span, first) <= start]
        pages = readings.recent(pool, registry, start, until=end, metrics=metrics, devices=devices, page=_PAGE)
        async for page in pages:
            yield page


async def _run(
    pool: asyncpg.Pool,
    registry: Registry,
    replay: Replay,
    desks: tuple[Rehearsal, Rehearsal],
    *,
    until: Micros,
    progress: Callable[[float], None],
) -> None:
    begin = start = replay.now
    while start < until:
        end = min(start + _CHUNK, until)
        events = await history.events(pool, registry, start, end)
        fed = 0
        async for page in readings.recent(pool, registry, start, until=end):
            last = int(page.ts[-1])
            upto = next((place for place in range(fed, len(events)) if events[place].at > last), len(events))
            replay.feed(page, events[fed:upto])
            fed = upto
            _decide(replay, desks, last)
        replay.feed(Readings.empty(), events[fed:])
        _decide(replay, desks, -(-end // STEP) * STEP)
        start = end
        progress((end - begin) / (until - begin))


def _decide(replay: Replay, desks: tuple[Rehearsal, Rehearsal], until: Micros) -> None:
    for decided in replay.run_to(until):
        desks[decided.engine].take(decided.verdicts, decided.now - STEP, decided.now)


def _told(
    desks: tuple[Rehearsal, Rehearsal],
    outcomes: list[Outcome],
    registry: Registry,
    since: Micros,
    until: Micros,
    *,
    changed: frozenset[str],
) -> dict[str, Any]:
    sides = []
    for desk in desks:
        counted = [each for each in desk.sounded if since <= each.at]
        zones: dict[int, str] = {}
        for number in {each.device_number for each in counted if each.device_number is not None}:
            zone = registry.zone(number)
            if zone is not None:
                zones[number] = f"{registry.name(number)[0]}/{zone}"
        sides.append(Side(counted, zones, [each for each in desk.cleared if since <= each.device_at]))
    return compared(sides[0], sides[1], outcomes, since=since, until=until, changed=changed)
