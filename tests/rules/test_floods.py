"""What befalls very many devices at once holds nobody up: a tick tells so much, the oldest first, the next one more."""

from collections.abc import Callable

import pytest
from estate import Estate, low, rule, turns
from scenario import at, brief

from firetower.devices.kinds import DeviceKind
from firetower.rules import checkpoint, engine
from firetower.rules.book.model import Rule
from firetower.rules.checkpoint import decode, encode
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict

SOURCE = "J, of a test"
PRESSURE = {"priority": 3, "limit": "0.14 MPa", "clear": "0.16 MPa", "on_delay": "60s", "source": SOURCE}
SMOKE = {"priority": 1, "limit": "0.2 dB/m", "clear": "0.1 dB/m", "on_delay": "10s", "latch": True, "source": SOURCE}
SLOW = rule("slow", "limit", {"side": "below", "bands": [PRESSURE]}, metric="pressure")
FIRE = rule("fire", "limit", {"side": "above", "bands": [SMOKE]}, metric="smoke", kinds=["smoke"], **{"class": "fire"})


def flooded(*rules: Rule) -> Estate:
    """Ten hydrants whose delays end one second after the other, from 60 s on, the last first; a fire at 90 s."""
    estate = Estate(*rules)
    for place in range(10):
        estate.report((estate.put(), "pressure", 9 - place, 0.1))
    estate.report((estate.device(DeviceKind.SMOKE, interval=5), "smoke", 80, 0.5))
    return estate


def delays(verdicts: list[Verdict]) -> list[tuple[str, str, float]]:
    return [each for each in turns(verdicts) if each[1] in {"slow", "fire"}]


def test_delays_that_end_together_are_told_by_several_ticks_each_at_its_own_instant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The longest due first, and fires before all others; whoever's turn comes late is dated no later."""
    monkeypatch.setattr(engine, "TOLD_A_TICK", 4)
    monkeypatch.setattr(engine, "_LEAST", 3)
    estate = flooded(SLOW, FIRE)
    slow = [("raise", "slow", 60.0 + place) for place in range(10)]
    assert delays(estate.tick(100)) == [*slow[:3], ("raise", "fire", 90)]
    assert [delays(estate.tick(100 + n)) for n in (1, 2, 3)] == [slow[3:7], slow[7:], []]


def test_a_reading_ends_a_delay_that_no_tick_has_told_of_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The alert that was put off and the return to normal both come, in their order."""
    monkeypatch.setattr(engine, "TOLD_A_TICK", 4)
    monkeypatch.setattr(engine, "_LEAST", 4)
    estate = flooded(SLOW)
    estate.tick(100)
    assert turns(estate.report((1, "pressure", 101, 0.3))) == [("raise", "slow", 69), ("clear", "slow", 101)]
    assert len(delays(estate.tick(102)) + delays(estate.tick(103))) == 5


def test_a_start_ends_all_delays_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what a tick had raised before would be taken back and raised again: the first tick finds all of it known."""
    monkeypatch.setattr(engine, "TOLD_A_TICK", 4)
    before, after = flooded(SLOW), Estate(SLOW)
    raised = [each for second in range(100, 104) for each in before.tick(second)]
    for _ in range(10):
        after.put()
    stored = after.readings(*((number, "pressure", 10 - number, 0.1) for number in range(1, 11)))
    for each in raised:
        assert each.device_number is not None
        after.engine.seed(each.rule, each.device_number, each.component, each.priority, each.at)
    after.engine.warm(Batch(stored, at(100)))
    after.engine.warm(Tick(at(100), None))
    assert after.tick(104) == []


OFTEN = rule("often", "event", {"events": ["fault"], "count": 3, "within": "10min"})
MANY = rule("many", "combination", {"group": "unit", "all": [{"rules": ["low"], "events": ["fault"], "devices": 3}]})
HELD = low(suppressed={"on": "unit", "events": ["shielded"], "reason": {"zh": "屏蔽", "en": "shielded"}})


@pytest.mark.parametrize("cut", range(20))
def test_a_checkpoint_copied_in_portions_beside_the_work_stands_where_the_engine_stands(
    cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes between two portions is given to the copy again: it counts once, and nothing is missed."""
    monkeypatch.setattr(checkpoint, "_AT_ONCE", 1)
    before, after = Estate(OFTEN, MANY, HELD), Estate(OFTEN, MANY, HELD)
    for each in (before, after):
        devices = [each.put() for _ in range(4)]
        for device in devices:
            each.registry.series(device, 1, 0)
    one, two, three, guard = devices

    def first(live: Estate) -> None:
        live.says(one, "fault", 0)
        live.says(one, "fault", 1, active=False)
        live.says(two, "fault", 2)
        live.says(guard, "shielded", 3)
        live.report((three, "pressure", 4, 0.12))

    def meanwhile(live: Estate, take: Callable[[Batch], object]) -> None:
        take(Batch(live.readings(), at(10), [live.event(one, "fault", 10), live.event(two, "fault", 11, active=False)]))
        take(Batch(live.readings(), at(12), [live.event(guard, "shielded", 12, active=False)]))
        take(Batch(live.readings((one, "pressure", 13, 0.12)), at(13)))

    first(before)
    pieces = []
    for number, piece in enumerate(before.engine.checkpoint()):
        pieces.append(decode(encode(piece)))
        if number == cut:
            meanwhile(before, before.engine.evaluate)
    if len(pieces) <= cut:
        meanwhile(before, before.engine.evaluate)
    after.engine.restore(pieces)
    meanwhile(after, after.engine.warm)
    after.tick(15)
    before.tick(15)
    answers = [
        [
            brief(live.says(two, "fault", 20)),
            brief(live.says(one, "fault", 21, active=False)),
            brief(live.says(one, "fault", 22)),
            brief(live.report((three, "pressure", 23, 0.3), (two, "pressure", 23, 0.05))),
            brief(live.says(guard, "shielded", 24)),
            brief(live.report((one, "pressure", 25, 0.3))),
            brief(live.says(two, "fault", 26, active=False)),
        ]
        for live in (before, after)
    ]
    assert answers[1] == answers[0]
    assert ("raise", "often", 3, 22.0) in answers[0][2]
