"""Messages of a device that get lost are a finding about it, while as many are missing within the time."""

from typing import Any

import msgspec
import numpy as np
import pytest
from estate import Estate, rule, turns
from scenario import at

from firetower.devices.kinds import DeviceKind
from firetower.devices.quality import DeviceQuality
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine
from firetower.rules.verdicts import VerdictKind


def gaps(name: str, samples: int, **fields: Any) -> Rule:
    """So many within an hour."""
    condition = {"of": "sequence_gap", "samples": samples, "over": "1h", "priority": 4}
    return rule(name, "quality", condition, **fields, **{"class": "quality"})


GAPS = gaps("gaps", 10)
TWELFTH = 300
"""Seconds; START is a multiple of 20 s, but not of it."""


class Line(Estate):
    """An estate whose devices number their messages."""

    def __init__(self, *rules: Any) -> None:
        super().__init__()
        self.quality = DeviceQuality(self.registry)
        self.engine = Engine(Rulebook(rules), self.registry, quality=self.quality)

    def number(self, device: int, *seq: int) -> None:
        self.quality.note([device] * len(seq), [at(0)] * len(seq), seq, [at(0)] * len(seq))


@pytest.mark.parametrize(("newest", "raised"), [(11, True), (10, False)])
def test_as_many_missing_as_allowed_raise_and_one_fewer_does_not(newest: int, raised: bool) -> None:
    line = Line(GAPS)
    device = line.put()
    line.number(device, 0)
    line.tick(0)
    line.number(device, newest)
    said = line.tick(1)
    assert turns(said) == [("raise", "gaps", 1)] * raised
    if raised:
        assert (said[0].subject, said[0].value, said[0].limit, said[0].priority) == ("unit/d1", 10, 10, 4)


def test_it_is_over_once_fewer_are_missing_within_the_last_of_the_time() -> None:
    """The time slides by its twelfths: after an hour at the latest, and not before eleven twelfths of it."""
    line = Line(GAPS)
    device = line.put()
    line.number(device, 0)
    line.tick(0)
    line.number(device, 21)
    assert turns(line.tick(1)) == [("raise", "gaps", 1)]
    assert line.tick(11 * TWELFTH) == []
    assert [each.kind for each in line.tick(12 * TWELFTH + 1)] == [VerdictKind.CLEAR]
    assert line.tick(20 * TWELFTH) == []


def test_what_came_late_after_all_was_not_missing() -> None:
    line = Line(GAPS)
    device = line.put()
    line.number(device, 0)
    line.tick(0)
    line.number(device, 15)
    line.tick(1)
    line.number(device, *range(1, 14))
    assert turns(line.tick(2)) == [("clear", "gaps", 2)]


def test_a_few_now_and_a_few_later_add_up_within_the_time_only() -> None:
    line = Line(GAPS)
    one, other = line.put(), line.put()
    for device in (one, other):
        line.number(device, 0)
    line.tick(0)
    for device in (one, other):
        line.number(device, 6)
    line.tick(1)
    line.number(one, 12)
    assert [each.subject for each in line.tick(3000)] == ["unit/d1"]
    assert [(each.kind.value, each.subject) for each in line.tick(4000)] == [("clear", "unit/d1")]
    line.number(other, 12)
    assert line.tick(4001) == []


def test_what_went_missing_before_the_start_is_no_finding() -> None:
    line = Line(GAPS)
    device = line.put()
    line.quality.restore(np.array([device]), np.array([500]), np.array([0]), np.array([np.nan]))
    assert line.tick(0) == []


def test_a_device_takes_the_first_rule_of_its_kind_and_others_none() -> None:
    line = Line(gaps("g1", 5, kinds=["panel"]), gaps("g2", 5, kinds=["panel", "gateway"]))
    devices = [line.put(kind) for kind in (DeviceKind.PANEL, DeviceKind.GATEWAY, DeviceKind.SMOKE)]
    for device in devices:
        line.number(device, 0)
    line.tick(0)
    for device in devices:
        line.number(device, 50)
    assert [(each.rule, each.subject) for each in line.tick(1)] == [("g1", "unit/d1"), ("g2", "unit/d2")]


def test_a_retired_device_loses_nothing_and_its_finding_ends() -> None:
    line = Line(GAPS)
    device = line.put()
    line.number(device, 0)
    line.tick(0)
    line.number(device, 50)
    line.tick(1)
    line.put(number=device, retired=True)
    assert turns(line.tick(2)) == [("clear", "gaps", 2)]
    line.number(device, 100)
    assert line.tick(3) == []


def test_an_open_finding_stands_for_the_rules_time_after_a_start() -> None:
    """What was missing before is not known without the checkpoint, and no recovery."""
    line = Line(GAPS)
    device = line.put()
    line.tick(0)
    again = Line(GAPS)
    again.put()
    assert again.engine.seed("gaps", device, "", 4, at(0))
    assert again.tick(0) == again.tick(3599) == []
    assert turns(again.tick(3600)) == [("clear", "gaps", 3600)]


def test_with_the_checkpoint_what_is_missing_is_known() -> None:
    before = Line(GAPS)
    device = before.put()
    before.number(device, 0)
    before.tick(0)
    before.number(device, 7)
    before.tick(1)
    after = Line(GAPS)
    after.put()
    after.number(device, 7)
    for portion in before.engine._sequences.save():
        after.engine._sequences.load(msgspec.msgpack.decode(msgspec.msgpack.encode(portion)))
    after.tick(2)
    after.number(device, 12)
    assert turns(after.tick(3)) == [("raise", "gaps", 3)]
