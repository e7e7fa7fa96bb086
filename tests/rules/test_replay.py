"""Stored history through the engine again: what came late counts when it came, and nobody hears of it before."""

from dataclasses import replace

import numpy as np
from scenario import START, World, at, brief

from firetower.core.clock import MINUTE
from firetower.devices.readings import Mark, Readings
from firetower.rules.book.rulebook import load_texts
from firetower.rules.engine import Engine
from firetower.rules.memory import events_watched
from firetower.rules.told.backtest import Replay, fire_digest
from firetower.rules.verdicts import Verdict

BOOK = """
rules:
  - id: low
    version: 1
    title: {zh: 低, en: Low}
    advice: {zh: 检查, en: Look}
    class: hazard
    kinds: [hydrant]
    metric: pressure
    condition:
      limit:
        side: below
        bands: [{priority: 3, limit: 0.14 MPa, clear: 0.16 MPa, on_delay: 5min, source: "J, a test"}]
  - id: silent
    version: 1
    title: {zh: 离线, en: Silent}
    advice: {zh: 检查, en: Look}
    class: offline
    kinds: [hydrant]
    condition: {silence: {of: seen, bands: [{priority: 4, after: 10min, source: "J, a test"}]}}
  - id: wet
    version: 1
    title: {zh: 水流, en: Flow}
    advice: {zh: 检查, en: Look}
    class: hazard
    kinds: [panel]
    condition: {event: {events: [waterflow], priority: 2, source: "J, a test"}}
"""
FIRST = -(-START // MINUTE) * MINUTE - START
"""Seconds, as µs, after START at which the first whole minute begins."""


def replayed(readings: Readings, world: World, minutes: int) -> list[Verdict]:
    """What an engine of its own decides of them, in so many minutes."""
    replay = Replay([Engine(load_texts({"a.yaml": BOOK}), world.registry)], world.registry, START + FIRST)
    replay.feed(readings)
    return [verdict for each in replay.run_to(START + FIRST + minutes * MINUTE) for verdict in each.verdicts]


def pressures(world: World, *values: float, first: float = 0) -> Readings:
    begin = FIRST / 1e6
    return world.readings(*((1, "pressure", begin + first + 60 * n, value) for n, value in enumerate(values)))


def test_a_delay_ends_at_its_own_instant_between_readings() -> None:
    """Low from the second minute on: raised five minutes later, whichever minute of the replay finds it."""
    world = World()
    world.device()
    said = replayed(pressures(world, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), world, 9)
    assert brief(said) == [("raise", "low", 3, FIRST / 1e6 + 360)]


def test_what_was_marked_late_is_of_the_past_when_it_arrives() -> None:
    """Ten minutes of low pressure that came an hour later raise nothing live; what they show is historical."""
    world = World()
    world.device()
    live = pressures(world, *([0.3] * 70), first=30)
    low = pressures(world, *([0.1] * 10), first=60)
    late = replace(low, flags=low.flags | np.int16(Mark.LATE), received=low.ts + 60 * MINUTE)
    whole = Readings(*(np.concatenate([getattr(live, name), getattr(late, name)]) for name in Readings.__slots__))
    said = replayed(whole.take(whole.ts.argsort(kind="stable")), world, 75)
    assert [each.historical for each in said if each.rule == "low"] == [True]


def test_a_backlog_says_nothing_of_its_device_before_it_arrives() -> None:
    """Readings of minutes 1 to 30 that arrived at minute 31 are no sign of life before: it was silent meanwhile."""
    world = World()
    world.device(registered=-600)
    early = pressures(world, 0.3)
    world.heard(1, -60)
    backlog = pressures(world, *([0.3] * 30), first=60)
    backlog = replace(backlog, received=np.full(30, at(FIRST / 1e6 + 31 * 60)))
    whole = Readings(*(np.concatenate([getattr(early, name), getattr(backlog, name)]) for name in Readings.__slots__))
    said = replayed(whole, world, 35)
    assert [(each.kind.value, round((each.at - START - FIRST) / MINUTE)) for each in said] == [
        ("raise", 10),
        ("clear", 31),
    ]


def test_a_district_that_falls_silent_at_once_is_told_in_the_minute_in_which_it_is() -> None:
    """A tick tells so many; the service goes on at once, and a replay whose ticks are minutes apart must, too."""
    world = World()
    devices = [world.device() for _ in range(300)]
    once = world.readings(*((device, "pressure", FIRST / 1e6, 0.3) for device in devices))
    said = replayed(once, world, 11)
    assert len(said) == len(devices)
    assert {(each.kind.value, each.at) for each in said} == {("raise", START + FIRST + 10 * MINUTE)}


def test_the_digest_is_of_fire_and_prealarm_rules_only() -> None:
    """A rulebook without any has the same digest whatever its limits; its events are known by name."""
    book, other = load_texts({"a.yaml": BOOK}), load_texts({"a.yaml": BOOK.replace("0.14", "0.12")})
    assert fire_digest(book) == fire_digest(other)
    assert events_watched(book) == {"waterflow"}
