"""A night shift of twelve hours in virtual time: fires answered and not, restarts, an outage, clocks that jump."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from alert_making import fire
from telling_hall import MemoryHall, contact, policy, step, telling

from firetower.alerts.acts import Acknowledge
from firetower.alerts.contacts import Hours, Role
from firetower.alerts.model import State
from firetower.core.clock import HOUR, MINUTE, SECOND, Micros, from_datetime, to_datetime
from firetower.storage.telling import Telling

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = from_datetime(datetime(2025, 10, 25, 20, tzinfo=ZONE))  # at three in the morning it is two again
END = 12 * HOUR
TICK = 5 * SECOND
JUMPS = {2 * HOUR: -3 * HOUR, 4 * HOUR: 3 * HOUR, 6 * HOUR: HOUR, 8 * HOUR: -HOUR}
DOWN = (10 * HOUR, 10 * HOUR + 10 * MINUTE)
AFTER = (30 * SECOND, 2 * MINUTE, 5 * MINUTE)
EVERY, AT_MOST = 3 * MINUTE, 5
NIGHT = Hours(since=22 * 60, until=6 * 60)
PEOPLE = (
    contact(1, Role.CONTROL_ROOM, "desk"),
    contact(2, Role.RESPONSIBLE, "day", (Hours(since=6 * 60, until=22 * 60),)),
    contact(3, Role.RESPONSIBLE, "night", (NIGHT,)),
    contact(4, Role.DUTY_LEAD, "lead"),
)
POLICY = policy(
    steps=[
        step("30s", "control_room"),
        step("2min", "responsible"),
        step("5min", "duty_lead", channels=["voice"], every="3min", at_most=AT_MOST),
    ]
)


def shown(at: Micros) -> Micros:
    """What the clock shows ``at`` after the beginning."""
    return BEGIN + at + sum(jump for when, jump in JUMPS.items() if when <= at)


@dataclass(slots=True)
class Period:
    """Since when a fire waits, and until when, by a clock that never jumps; ``since``: as the clock showed it."""

    alert_id: int
    since: Micros
    begin: Micros
    end: Micros = END

    @property
    def expected(self) -> list[tuple[int, Micros]]:
        """Which step is told when, in order, where nothing jumps."""
        told = [(number, self.begin + after) for number, after in enumerate(AFTER, 1)]
        told += [(3, self.begin + AFTER[2] + n * EVERY) for n in range(1, AT_MOST + 1)]
        return sorted((each for each in told if each[1] < self.end), key=lambda each: each[1])

    @property
    def is_disturbed(self) -> bool:
        """Whether the clock jumps while it lasts, or nobody keeps the desk."""
        is_down = self.begin <= DOWN[1] and self.end >= DOWN[0]
        return is_down or any(self.begin <= at <= self.end for at in JUMPS)


@dataclass(slots=True)
class Shift:
    """What happens in it, and what was told. ``told_at``: of each key, by a clock that never jumps."""

    chance: random.Random
    hall: MemoryHall = field(default_factory=lambda: MemoryHall(PEOPLE))
    subjects: dict[int, str] = field(default_factory=dict)
    periods: list[Period] = field(default_factory=list)
    answers: dict[Micros, list[int]] = field(default_factory=lambda: defaultdict(list))
    again: dict[Micros, list[int]] = field(default_factory=lambda: defaultdict(list))
    told_at: dict[str, Micros] = field(default_factory=dict)

    async def run(self) -> None:
        desk: Telling | None = None
        begins = {self.chance.randrange(0, END - HOUR, TICK) for _ in range(80)}
        restarts = {self.chance.randrange(0, END, TICK) for _ in range(12)}
        for at in range(0, END, TICK):
            changed = [await self._raised(f"s{len(self.subjects)}", at)] if at in begins else []
            changed += [await self._answered(each, at) for each in self.answers.get(at, ())]
            changed += [await self._raised(self.subjects[each], at) for each in self.again.get(at, ())]
            if DOWN[0] <= at < DOWN[1]:
                desk = None
                continue
            is_new = desk is None or at in restarts
            if desk is None or is_new:
                desk = telling(self.hall.store, POLICY, zone="Europe/Berlin")
            await desk.take(None if is_new else changed, shown(at))
            for key in self.hall.puts[len(self.told_at) :]:
                self.told_at[key] = at

    async def _raised(self, subject: str, at: Micros) -> int:
        alert_id = await self.hall.raised(fire(subject, shown(at)), shown(at))
        self.subjects[alert_id] = subject
        self.periods.append(Period(alert_id, self.hall.alerts[alert_id].alarmed_at, at))
        if self.chance.random() < 0.8:
            self.answers[at + self.chance.randrange(TICK, 25 * MINUTE, TICK)].append(alert_id)
        return alert_id

    async def _answered(self, alert_id: int, at: Micros) -> int:
        await self.hall.act(alert_id, Acknowledge(), shown(at))
        next(each for each in reversed(self.periods) if each.alert_id == alert_id).end = at
        if self.chance.random() < 0.3:
            self.again[at + 7 * MINUTE].append(alert_id)
        return alert_id

    def told(self) -> dict[tuple[int, Micros], list[tuple[int, Micros]]]:
        """Return of each alert and period which step was told when, in order."""
        found: dict[tuple[int, Micros], list[tuple[int, Micros]]] = defaultdict(list)
        for key, at in self.told_at.items():
            letter, _ = self.hall.written[key]
            found[letter.alert_id, int(key.split(":")[1])].append((letter.level, at))
        return found


@pytest.mark.parametrize("seed", range(8))
async def test_no_letter_is_lost_none_doubled_and_none_is_for_what_was_handled(seed: int) -> None:
    """To the second where nothing jumps; late by as much as the clock jumped within a step's own time at most."""
    shift = Shift(random.Random(seed))
    await shift.run()
    assert len(shift.hall.puts) == len(set(shift.hall.puts)) > 100, "none is doubled, not even to be dropped"
    for letter, alert in shift.hall.written.values():
        assert alert.state is State.UNACKNOWLEDGED, "none is for what was handled"
        is_night = NIGHT.hold(to_datetime(letter.due_at).astimezone(ZONE))
        assert letter.name != ("day" if is_night else "night"), "whoever is on at that hour, by the clock on the wall"
    told = shift.told()
    assert told.keys() <= {(each.alert_id, each.since) for each in shift.periods}
    for period in shift.periods:
        found = told.get((period.alert_id, period.since), [])
        if not period.is_disturbed:
            assert found == period.expected
            continue
        levels = [level for level, _ in found]
        assert all(levels.count(level) <= most for level, most in ((1, 1), (2, 1), (3, 1 + AT_MOST)))
        lasted = period.end - period.begin - (DOWN[1] - DOWN[0])
        assert {level for level, after in enumerate(AFTER, 1) if lasted > 2 * after + TICK} <= set(levels)
    assert sum(period.is_disturbed for period in shift.periods) > 5
