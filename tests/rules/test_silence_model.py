"""Silence against a plain model, device by device; and what is said when many fall silent at once."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario import SHIPPED, World, at

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry
from firetower.rules.book.conditions import SilenceBand
from firetower.rules.book.model import Rule
from firetower.rules.steps import Tick
from firetower.rules.verdicts import Verdict
from firetower.rules.watches import silence

HOUR = 3600
RULES = [rule for rule in SHIPPED.rules if rule.condition.silence is not None]
POINTS = replace(SHIPPED, rules=tuple(RULES))  # without what follows from many: a unit's link
KINDS = (DeviceKind.HYDRANT, DeviceKind.PANEL, DeviceKind.GATEWAY, DeviceKind.SMOKE)
INTERVALS = (20, 60, HOUR, 24 * HOUR)
Said = tuple[str, str, int, int, int]
"""Kind, rule, device, priority, instant."""


@dataclass
class Watched:
    kind: DeviceKind
    interval: int
    registered: int
    last: int = 0
    offline: bool = False
    retired: bool = False
    said: int | None = None
    rule: Rule | None = None
    level: int = 0
    reference: int = 0
    messages: int = 0


@dataclass
class Model:
    """The rules of silence in plain words; instants in µs."""

    devices: dict[int, Watched] = field(default_factory=dict)

    def tick(self, now: int, listening: int | None, lag: int) -> list[Said]:
        return [said for number, one in self.devices.items() for said in self._look(number, one, now, listening, lag)]

    def _look(self, number: int, one: Watched, now: int, listening: int | None, lag: int) -> list[Said]:
        out: list[Said] = []
        seen_rule, never_rule = rule_for(one, "seen"), rule_for(one, "never_seen")
        allowed = None if seen_rule is None else seen_rule.condition.silence.offline_for
        one.said = None if allowed is None or not one.offline else one.said if one.said is not None else now
        told = one.said is not None and allowed is not None and now - one.said >= allowed
        watching = seen_rule if one.last else never_rule
        start = one.last or one.registered
        since = None if listening is None else max(start, listening)
        overdue = told or (
            watching is not None
            and since is not None
            and now - since >= length(watching.condition.silence.bands[0], one.interval)
        )
        if one.rule is not None:
            heard = one.last > one.reference
            one.reference = max(one.reference, one.last)
            one.messages = 0 if overdue else one.messages + heard
            still = never_rule if one.rule.condition.silence.of == "never_seen" else seen_rule
            if one.messages >= one.rule.condition.silence.clear_messages or still is not one.rule or one.retired:
                out.append(("clear", one.rule.id, number, priority(one.rule, one.level), one.last))
                one.rule, one.level, one.messages = None, 0, 0
        if since is None or watching is None or one.retired or not overdue or one.rule not in {None, watching}:
            return out
        if one.interval < lag and not told:
            return out
        bands = watching.condition.silence.bands
        ends = [since + length(band, one.interval) for band in bands]
        if told and watching.condition.silence.offline_for is not None:
            ends[0] = min(ends[0], one.said + allowed)
        level = max((n for n, end in enumerate(ends, 1) if end <= now), default=0)
        if level > one.level:
            out.append(("raise", watching.id, number, priority(watching, level), ends[level - 1]))
            if one.rule is None:
                one.reference = one.last
            one.rule, one.level = watching, level
        return out


def rule_for(one: Watched, of: str) -> Rule | None:
    for rule in RULES:
        condition = rule.condition.silence
        if condition.of != of or one.kind not in rule.kinds or one.interval < condition.interval_from:
            continue
        if condition.interval_below is None or one.interval < condition.interval_below:
            return rule
    return None


def length(band: SilenceBand, interval: int) -> int:
    if band.after is not None:
        return band.after
    long = interval * band.intervals
    long = long if band.at_least is None else max(long, band.at_least)
    return long if band.at_most is None else min(long, band.at_most)


def priority(rule: Rule, level: int) -> int:
    return rule.condition.silence.bands[level - 1].priority


def brief(verdicts: list[Verdict]) -> list[Said]:
    return sorted((v.kind.value, v.rule, v.device_number, v.priority, v.at) for v in verdicts)


_numbers = st.integers(1, 5)
_acts = st.one_of(
    st.tuples(st.just("file"), _numbers, st.sampled_from(KINDS), st.sampled_from(INTERVALS), st.booleans()),
    st.tuples(st.just("heard"), _numbers, st.sampled_from([0, 0, 5, 100])),
    st.tuples(st.just("offline"), _numbers, st.booleans()),
    st.tuples(
        st.just("tick"),
        st.sampled_from([1, 30, 61, 100, 130, 200, HOUR, 9 * HOUR, 25 * HOUR]),
        st.sampled_from([None, 0, 0, 0, 0, 150, 10 * HOUR]),
        st.sampled_from([0, 0, 0, 90]),
    ),
)


@settings(max_examples=150)
@given(acts=st.lists(_acts, max_size=60))
def test_silence_is_what_the_plain_model_says(acts: list[Any]) -> None:
    """Whatever is registered, heard, changed and retired, every tick says what looking at each device would say."""
    world, model, now = World(POINTS), Model(), 0
    for act in acts:
        if act[0] == "tick":
            _, step, listening, lag = act
            now += step
            floor = None if listening is None else now - 30 * HOUR if listening == 0 else now - listening
            said = world.engine.evaluate(Tick(at(now), None if floor is None else at(floor), lag * SECOND))
            assert brief(said) == sorted(model.tick(at(now), None if floor is None else at(floor), lag * SECOND))
        elif act[0] == "file":
            _, number, kind, interval, retired = act
            known = model.devices.get(number)
            registered = at(now) if known is None else known.registered
            world.registry.add(
                DeviceEntry(
                    number, "unit", f"d{number}", kind, interval=interval * SECOND, registered_at=registered,
                    retired=retired,
                )
            )  # fmt: skip
            if known is None:
                known = model.devices[number] = Watched(kind, interval * SECOND, registered)
            known.kind, known.interval, known.retired = kind, interval * SECOND, retired
        elif act[1] in model.devices:
            one = model.devices[act[1]]
            if act[0] == "heard":
                one.last = max(one.last, at(now - act[2]))
                world.registry.last_seen[act[1]] = one.last
            else:
                one.offline = world.registry.offline[act[1]] = act[2]


def test_of_many_that_fall_silent_at_once_the_oldest_are_told_first_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tick says so many and no more; the next go on, each silence dated when it was. So do the ends."""
    monkeypatch.setattr(silence, "TOLD_A_TICK", 10)
    world = World(POINTS)
    numbers = [world.device(DeviceKind.HYDRANT, 60) for _ in range(35)]
    for number in numbers:
        world.heard(number, number * 7 % 36)
    told: list[Verdict] = []
    for second in range(5):
        said = world.tick(1000 + second, -1e7)
        assert len(said) == min(10, 35 - len(told))
        told += said
    assert [(v.at, v.device_number) for v in told] == sorted((at(n * 7 % 36 + 180), n) for n in numbers)
    for number in numbers:
        world.heard(number, 1005 + number / 100)
    over = [verdict for second in range(5) for verdict in world.tick(1010 + second, -1e7)]
    assert [(v.kind.value, v.device_number) for v in over] == [("clear", number) for number in numbers]


def test_a_device_that_speaks_before_its_turn_was_never_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits to be told and is over by then is not told."""
    monkeypatch.setattr(silence, "TOLD_A_TICK", 1)
    world = World(POINTS)
    first, second = world.device(DeviceKind.HYDRANT, 60), world.device(DeviceKind.HYDRANT, 60)
    world.heard(first, 0)
    world.heard(second, 1)
    assert [verdict.device_number for verdict in world.tick(500, -1e7)] == [first]
    world.heard(second, 500)
    assert world.tick(501, -1e7) == []


@pytest.mark.parametrize("name", ["_TAKEN_IN_A_TICK", "_JUDGED_A_TICK", "_SORTED_A_TICK"])
def test_every_bound_of_a_tick_only_puts_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little a tick looks at, every silent device is found, and found again to have spoken."""
    monkeypatch.setattr(silence, name, 3)
    world = World(POINTS)
    world.device(DeviceKind.HYDRANT, 60)
    numbers = [world.device(DeviceKind.HYDRANT, 60) for _ in range(20)]
    for number in numbers:
        world.heard(number, 0)
    raised = [verdict.device_number for second in range(20) for verdict in world.tick(1000 + second, -1e7)]
    assert sorted(raised) == numbers
    for number in numbers:
        world.heard(number, 1100)
    cleared = [verdict.device_number for second in range(20) for verdict in world.tick(1101 + second, -1e7)]
    assert sorted(cleared) == numbers
