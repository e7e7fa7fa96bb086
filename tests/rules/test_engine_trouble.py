"""A part of the engine that fails takes nothing with it that the others decided: it is said with the next step."""

import pytest
from scenario import World, at

from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Readings
from firetower.rules.steps import Batch
from firetower.rules.verdicts import Verdict


def fails(*_: object, **__: object) -> list[Verdict]:
    """Fail, as over one device with a strange file."""
    raise ValueError("a strange file")


def fires(verdicts: list[Verdict]) -> list[Verdict]:
    return [each for each in verdicts if each.rule == "smoke-fire"]


def burning() -> World:
    """A world with a smoke detector that has been beyond its limit since 0 s."""
    world = World()
    world.device(DeviceKind.SMOKE, interval=30)
    world.report((1, "smoke", 0, 0.5))
    return world


@pytest.mark.parametrize("part", ["_events", "_silence", "_sequences", "_combinations"])
@pytest.mark.parametrize("next_step", ["tick", "batch"])
def test_a_fire_found_at_a_tick_that_fails_is_said_with_the_next_step(
    part: str, next_step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trouble is let through, so that it is noted; the fire comes once, with its own instant."""
    world, wanted = burning(), fires(burning().tick(11))
    with monkeypatch.context() as patch:
        patch.setattr(getattr(world.engine, part), "tick", fails)
        with pytest.raises(ValueError, match="strange"):
            world.tick(11)
    said = world.tick(12) if next_step == "tick" else world.report((1, "smoke", 12, 0.5))
    assert wanted
    assert fires(said) == wanted
    assert fires(world.tick(13)) == []


@pytest.mark.parametrize("part", ["_combinations", "_suppression", "_events"])
def test_a_fire_of_a_batch_in_which_another_part_fails_is_said_with_the_next_step(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part fails over all that is put to it until then, twice: the fire waits for the first step that succeeds."""
    world = burning()
    wanted = fires(burning().report((1, "smoke", 30, 0.5)))
    alarms = [Event("unit", "d1", 1, "fault", True, "", "", at(30), at(30), None)] if part == "_events" else []
    with monkeypatch.context() as patch:
        patch.setattr(getattr(world.engine, part), "step", fails)
        with pytest.raises(ValueError, match="strange"):
            world.engine.evaluate(Batch(world.readings((1, "smoke", 30, 0.5)), at(30), alarms))
        with pytest.raises(ValueError, match="strange"):
            world.engine.evaluate(Batch(world.readings((1, "smoke", 60, 0.0)), at(60), alarms))
    assert wanted
    assert fires(world.tick(61))[:1] == wanted


def test_what_a_device_says_itself_is_not_said_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hears of the failure passes the device's own alarm on at once; a second one would be one too many."""
    world = burning()
    alarm = Event("unit", "d1", 1, "fire", True, "", "", at(1), at(1), None)
    with monkeypatch.context() as patch:
        patch.setattr(world.engine._combinations, "step", fails)
        with pytest.raises(ValueError, match="strange"):
            world.engine.evaluate(Batch(Readings.empty(), at(1), [alarm]))
    assert [each.rule for each in world.tick(2) if each.event is not None] == []
