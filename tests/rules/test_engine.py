"""What the engine promises besides the limits: watermarks, quality, channels, restart, arrival and event time."""

import numpy as np
import pytest
from estate import Estate, low, turns
from scenario import START, World, at, brief

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import SubjectKind

HEAT, ELEC, TANK, SMOKE = DeviceKind.HEAT, DeviceKind.ELECTRICAL, DeviceKind.WATER_LEVEL, DeviceKind.SMOKE


def test_a_verdict_names_rule_subject_point_value_and_limit() -> None:
    world = World()
    world.registry.add_channel("2", 5)
    device = world.device(ELEC, 3600)
    (verdict,) = world.report((device, "cable_temperature", 0, 75.5), channel=5)
    assert verdict.key == ("cable-temperature-high", "device", "unit/d1", "cable_temperature.2")
    assert (verdict.value, verdict.limit, verdict.priority) == (75.5, 70.0, 3)
    assert (verdict.device_number, verdict.rule_version, verdict.latch) == (device, 1, False)
    assert verdict.subject_kind is SubjectKind.DEVICE
    assert verdict.title_zh == "线缆温度超限"


def test_each_channel_is_an_alert_of_its_own() -> None:
    world = World()
    world.registry.add_channel("2", 5)
    device = world.device(ELEC, 3600)
    assert len(world.report((device, "cable_temperature", 0, 75))) == 1
    assert len(world.report((device, "cable_temperature", 0, 75), channel=5)) == 1


def test_readings_of_one_batch_take_effect_in_time_order_whatever_their_order() -> None:
    world = World()
    device = world.device(HEAT, 3600)
    verdicts = world.report(
        (device, "temperature", 7200, 20), (device, "temperature", 0, 20), (device, "temperature", 3600, 70)
    )
    assert brief(verdicts) == [("raise", "heat-fire", 1, 3600), ("clear", "heat-fire", 1, 7200)]


def test_a_late_reading_changes_nothing_and_is_unsure() -> None:
    world = World()
    device = world.device(HEAT, 3600)
    world.report((device, "temperature", 100, 20))
    late = world.readings(
        (device, "temperature", 100, 70), (device, "temperature", 99, 70), (device, "temperature", 101, 20)
    )
    assert world.engine.unsure(late).tolist() == [True, True, False]
    assert world.engine.evaluate(Batch(late.take(np.array([0, 1])), START)) == []


def test_a_series_never_met_is_unsure_only_for_times_before_the_replay() -> None:
    world = World(warm_since=at(50))
    device = world.device(HEAT)
    readings = world.readings((device, "temperature", 49, 20), (device, "temperature", 50, 20))
    assert world.engine.unsure(readings).tolist() == [True, False]


def test_a_bad_reading_trips_nothing_but_moves_the_watermark() -> None:
    world = World()
    device = world.device(HEAT, 3600)
    assert world.report((device, "temperature", 0, 70), quality=2) == []
    assert world.engine.unsure(world.readings((device, "temperature", 0, 70))).tolist() == [True]


def test_an_uncertain_reading_trips_and_says_so() -> None:
    world = World()
    device = world.device(HEAT, 3600)
    (verdict,) = world.report((device, "temperature", 0, 400), quality=1)
    assert verdict.flags == ("uncertain",)


def test_a_fire_from_a_retired_device_is_raised_and_annotated() -> None:
    world = World()
    device = world.device(HEAT, 3600, retired=True)
    (verdict,) = world.report((device, "temperature", 0, 70))
    assert verdict.flags == ("retired",)


def test_metrics_and_kinds_without_a_rule_say_nothing() -> None:
    world = World()
    heat, tank = world.device(HEAT, 3600), world.device(TANK, 3600)
    assert world.report((heat, "rssi", 0, -300), (heat, "pressure", 0, 0.0), (tank, "temperature", 0, 300)) == []


def test_an_empty_batch_is_fine() -> None:
    assert World().engine.evaluate(Batch(Readings.empty(), START)) == []


def test_a_delay_runs_from_the_arrival_so_that_a_slow_line_ends_none_too_early() -> None:
    world = World()
    device = world.device(HEAT, 5)
    world.report((device, "temperature", 0, 70), delay=3600)
    assert world.tick(3600 + 9) == []
    assert brief(world.tick(3600 + 10)) == [("raise", "heat-fire", 1, 10)]


def test_a_stale_reading_ends_no_delay() -> None:
    world = World()
    device = world.device(DeviceKind.HYDRANT, 60)
    world.report((device, "pressure", 0, 0.05), (device, "pressure", 60, 0.05))
    assert world.tick(10_000) == []


def test_a_delay_that_ended_in_a_gap_is_found_by_the_next_reading_even_a_normal_one() -> None:
    world = World()
    device = world.device(HEAT, 5)
    world.report((device, "temperature", 0, 70))
    assert brief(world.report((device, "temperature", 30, 20))) == [
        ("raise", "heat-fire", 1, 10),
        ("clear", "heat-fire", 1, 30),
    ]


def test_own_limits_in_the_wrong_order_alarm_once_and_do_not_chatter() -> None:
    world = World()
    device = world.device(TANK, 3600, level_90=0.5, level_low=1.5)
    verdicts = world.report(*[(device, "level", hour * 3600, 1.0) for hour in range(5)])
    assert brief(verdicts + world.tick(5 * 3600)) == [("raise", "water-level-low", 2, 0)]


def test_a_device_that_becomes_another_kind_is_judged_by_its_new_rules() -> None:
    world = World()
    device = world.device(TANK, 3600)
    assert world.report((device, "temperature", 0, 70)) == []
    world.registry.add(DeviceEntry(device, "unit", "d1", HEAT, interval=3600 * SECOND))
    assert brief(world.report((device, "temperature", 3600, 70))) == [("raise", "heat-fire", 1, 3600)]


def test_what_was_raised_on_a_device_that_becomes_another_kind_is_over_unless_it_is_latched() -> None:
    """Its file was wrong. At the next tick, whether it speaks or not; a fire stays until somebody has looked."""
    for speaks in (False, True):
        world = World()
        smoke, fire = world.device(SMOKE, 100), world.device(SMOKE, 100)
        said = world.report((smoke, "smoke", 0, 0.12), (smoke, "smoke", 100, 0.12), (fire, "smoke", 0, 0.5))
        assert {each.rule for each in said} >= {"smoke-prealarm", "smoke-fire"}
        world.tick(150)
        for device in (smoke, fire):
            world.registry.add(DeviceEntry(device, "unit", f"d{device}", DeviceKind.HYDRANT, interval=100 * SECOND))
        said = world.report((smoke, "smoke", 200, 0.12)) if speaks else []
        said = [each for each in said + world.tick(201) + world.tick(202) if each.rule.startswith("smoke")]
        assert {each.kind.value for each in said} == {"clear"}
        assert ("smoke-prealarm", "unit/d1", at(200 if speaks else 201)) in {
            (each.rule, each.subject, each.at) for each in said
        }
        assert "smoke-fire" not in {each.rule for each in said}


def test_a_rule_that_is_for_the_new_kind_too_ends_for_the_old_and_begins_for_the_new() -> None:
    """The same rule on the same value: over and raised again with the first reading, so that it stays raised."""
    estate = Estate(low())
    device = estate.put()
    estate.report((device, "pressure", 0, 0.05))
    estate.put(DeviceKind.PUMP_ROOM, number=device)
    assert turns(estate.report((device, "pressure", 60, 0.05))) == [("clear", "low", 60), ("raise", "low", 60)]
    assert estate.tick(61) == []


# restart ------------------------------------------------------------------------------------------


def half_over() -> tuple[World, int]:
    world = World()
    return world, world.device(DeviceKind.HYDRANT, 60)


def test_a_delay_half_over_stays_half_over_through_a_restart() -> None:
    before, device = half_over()
    after, _ = half_over()
    first = [(device, "pressure", moment, 0.05) for moment in range(0, 180, 60)]
    before.report(*first)
    after.engine.warm(Batch(after.readings(*first), 0))
    rest = [(device, "pressure", moment, 0.05) for moment in range(180, 360, 60)]
    assert brief(after.report(*rest)) == brief(before.report(*rest)) == [("raise", "hydrant-pressure-low", 3, 300)]


def test_what_is_already_wrong_is_raised_at_the_first_tick_once() -> None:
    world, device = half_over()
    world.engine.warm(Batch(world.readings(*[(device, "pressure", moment, 0.05) for moment in range(0, 600, 60)]), 0))
    assert brief(world.tick(600)) == [("raise", "hydrant-pressure-low", 3, 300)]
    assert world.tick(601) == []


def test_an_open_alert_is_not_raised_again_after_a_restart() -> None:
    world, device = half_over()
    assert world.engine.seed("hydrant-pressure-low", device, "pressure", 3, at(300))
    world.engine.warm(Batch(world.readings(*[(device, "pressure", moment, 0.05) for moment in range(0, 600, 60)]), 0))
    assert world.tick(600) == []


def test_an_open_alert_that_has_grown_worse_meanwhile_is_raised_higher() -> None:
    world, device = half_over()
    world.engine.seed("hydrant-pressure-low", device, "pressure", 3, at(-900))
    world.engine.warm(Batch(world.readings(*[(device, "pressure", moment, 0.0) for moment in range(0, 600, 60)]), 0))
    assert brief(world.tick(600)) == [("raise", "hydrant-pressure-low", 2, 300)]


def test_an_open_alert_whose_series_is_normal_again_is_cleared_at_the_first_tick() -> None:
    world = World()
    device = world.device(HEAT, 60)
    world.engine.seed("heat-fire", device, "temperature", 1, at(-600))
    world.engine.warm(Batch(world.readings((device, "temperature", 0, 20)), 0))
    assert brief(world.tick(1)) == [("clear", "heat-fire", 1, 0)]


def test_an_open_alert_is_cleared_by_the_first_normal_reading_when_nothing_was_stored() -> None:
    world = World()
    device = world.device(HEAT, 60)
    world.engine.seed("heat-fire", device, "temperature", 1, at(-600))
    assert world.tick(1) == []
    assert brief(world.report((device, "temperature", 5, 20))) == [("clear", "heat-fire", 1, 5)]


def test_what_came_and_went_before_the_restart_is_not_said() -> None:
    world = World()
    device = world.device(HEAT, 3600)
    world.engine.warm(Batch(world.readings((device, "temperature", 0, 70), (device, "temperature", 3600, 20)), 0))
    assert world.tick(3601) == []


@pytest.mark.parametrize(
    ("rule", "component"),
    [("gone-rule", "temperature"), ("heat-fire", "pressure"), ("heat-fire", "temperature.9"), ("gone", "")],
)
def test_seeding_says_when_nobody_will_watch_the_alert(rule: str, component: str) -> None:
    world = World()
    assert world.engine.seed(rule, world.device(HEAT), component, 1, START) is False


def test_what_only_a_tick_had_raised_is_not_taken_back_and_raised_again_by_a_restart() -> None:
    """The delay ended between two reports, while the last one stood."""
    world, after = World(), World()
    device = world.device(DeviceKind.HYDRANT, interval=60)
    readings = [(device, "pressure", 0, 0.3)] + [(device, "pressure", moment, 0.05) for moment in range(60, 301, 60)]
    world.report(*readings)
    assert brief(world.tick(360)) == [("raise", "hydrant-pressure-low", 3, 360)]
    after.device(DeviceKind.HYDRANT, interval=60)
    after.engine.seed("hydrant-pressure-low", device, "pressure", 3, at(360))
    after.engine.warm(Batch(after.readings(*readings), at(360)))
    after.engine.warm(Tick(at(365), None))
    assert after.report((device, "pressure", 420, 0.05)) == []
