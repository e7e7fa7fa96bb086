"""Silence: who is silent, since when, how it ends, and what is not their silence but ours."""

import pytest
from scenario import World, at, brief

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.liveness import silence_after
from firetower.devices.registry import DeviceEntry
from firetower.rules.verdicts import SubjectKind

HOUR = 3600.0
LONG_AGO = -1e7

CASES = [
    # kind, interval s, rule, priority, silence s
    (DeviceKind.HYDRANT, 900, "point-silent", 4, 2700),
    (DeviceKind.ELECTRICAL, 60, "point-silent", 4, 180),
    (DeviceKind.SMOKE, 60, "point-silent", 4, 180),
    (DeviceKind.SMOKE, 24 * HOUR, "sleeping-smoke-silent", 4, 25 * HOUR),
    (DeviceKind.SMOKE, 12 * HOUR, "sleeping-smoke-silent", 4, 25 * HOUR),
    (DeviceKind.PANEL, 20, "panel-silent", 2, 100),
    (DeviceKind.PANEL, 60, "panel-silent", 2, 180),
    (DeviceKind.PANEL, 86400, "panel-silent", 2, 2 * HOUR),
    (DeviceKind.GATEWAY, 60, "gateway-silent", 2, 180),
]


@pytest.mark.parametrize(("kind", "interval", "rule", "priority", "silence"), CASES)
def test_a_device_is_silent_at_its_limit_not_before_and_speaks_again(
    kind: DeviceKind, interval: float, rule: str, priority: int, silence: float
) -> None:
    world = World()
    device = world.device(kind, interval)
    world.heard(device, 0)
    assert world.tick(silence - 1, LONG_AGO) == []
    (verdict,) = world.tick(silence + 5, LONG_AGO)
    assert brief([verdict]) == [("raise", rule, priority, silence)]
    assert verdict.component == ""
    assert verdict.subject == "unit/d1"
    assert world.tick(silence + 6, LONG_AGO) == []
    needed = 2 if kind is DeviceKind.PANEL else 1
    for message in range(needed):
        assert world.tick(silence + 9 + message, LONG_AGO) == []
        world.heard(device, silence + 10 + message)
    assert brief(world.tick(silence + 12, LONG_AGO)) == [("clear", rule, priority, silence + 9 + needed)]


def test_every_shipped_silence_is_the_liveness_everyone_else_sees() -> None:
    for kind in DeviceKind:
        for interval in (20, 60, 900, 3600, 12 * HOUR, 24 * HOUR, 25 * HOUR, 48 * HOUR):
            world = World()
            world.heard(world.device(kind, interval, level_low=1.0, level_90=2.0, level_overflow=3.0), 0)
            limit = silence_after(kind, round(interval * SECOND)) / SECOND
            assert world.tick(limit - 1, LONG_AGO) == []
            assert brief(world.tick(limit, LONG_AGO))[0][3] == limit


def test_a_sleeping_detector_silent_for_50_hours_is_raised_from_4_to_3() -> None:
    world = World()
    world.heard(world.device(DeviceKind.SMOKE, 24 * HOUR), 0)
    assert [each[2] for each in brief(world.tick(25 * HOUR, LONG_AGO))] == [4]
    assert world.tick(50 * HOUR - 1, LONG_AGO) == []
    assert brief(world.tick(50 * HOUR, LONG_AGO)) == [("raise", "sleeping-smoke-silent", 3, 50 * HOUR)]


@pytest.mark.parametrize(("interval", "limit"), [(60, 24 * HOUR), (8 * HOUR, 24 * HOUR), (24 * HOUR, 72 * HOUR)])
def test_a_device_never_heard_of_is_found_after_24_hours_or_three_intervals(interval: float, limit: float) -> None:
    world = World()
    device = world.device(DeviceKind.HYDRANT, interval, registered=100)
    assert world.tick(100 + limit - 1, LONG_AGO) == []
    assert brief(world.tick(100 + limit, LONG_AGO)) == [("raise", "never-seen", 3, 100 + limit)]
    world.heard(device, 101 + limit)
    assert brief(world.tick(102 + limit, LONG_AGO)) == [("clear", "never-seen", 3, 101 + limit)]


def test_our_own_restart_is_not_their_silence() -> None:
    world = World()
    world.heard(world.device(DeviceKind.HYDRANT, 60), 0)
    assert world.tick(1000, None) == []
    assert world.tick(1179, 1000) == []
    assert brief(world.tick(1180, 1000)) == [("raise", "point-silent", 4, 1180)]


def test_a_silence_known_before_the_restart_stays_until_the_device_speaks() -> None:
    world = World()
    device = world.device(DeviceKind.HYDRANT, 60)
    world.heard(device, 0)
    assert world.engine.seed("point-silent", device, "", 4, at(180))
    assert world.tick(1000, 1000) == []
    assert world.tick(5000, 1000) == []
    world.heard(device, 5001)
    assert brief(world.tick(5002, 1000)) == [("clear", "point-silent", 4, 5001)]


def test_a_device_that_spoke_while_we_were_away_is_cleared_at_the_first_tick() -> None:
    world = World()
    device = world.device(DeviceKind.HYDRANT, 60)
    world.engine.seed("point-silent", device, "", 4, at(180))
    world.heard(device, 990)
    assert brief(world.tick(1000, 1000)) == [("clear", "point-silent", 4, 990)]


def test_a_retired_device_is_never_silent_and_its_open_silence_ends() -> None:
    world = World()
    world.heard(world.device(DeviceKind.HYDRANT, 60, retired=True), 0)
    other = world.device(DeviceKind.HYDRANT, 60)
    world.heard(other, 0)
    assert [verdict.subject for verdict in world.tick(1000, LONG_AGO)] == ["unit/d2"]
    world.registry.add(DeviceEntry(other, "unit", "d2", DeviceKind.HYDRANT, retired=True))
    assert [each[:2] for each in brief(world.tick(1001, LONG_AGO))] == [("clear", "point-silent")]
    assert world.tick(1002, LONG_AGO) == []


def test_a_gateway_that_said_offline_is_silent_120_s_later_and_back_when_it_speaks() -> None:
    world = World()
    device = world.device(DeviceKind.GATEWAY, 3600)
    world.heard(device, 0)
    world.registry.offline[device] = True
    assert world.tick(10, LONG_AGO) == []
    assert world.tick(129, LONG_AGO) == []
    (verdict,) = world.tick(130, LONG_AGO)
    assert brief([verdict]) == [("raise", "gateway-silent", 2, 130)]
    assert verdict.subject_kind is SubjectKind.GATEWAY
    world.heard(device, 140)
    world.registry.offline[device] = False
    assert brief(world.tick(141, LONG_AGO)) == [("clear", "gateway-silent", 2, 140)]


def test_a_device_registered_later_is_watched_too() -> None:
    world = World()
    world.heard(world.device(DeviceKind.HYDRANT, 60), 0)
    world.tick(1, LONG_AGO)
    for _ in range(3000):
        world.device(DeviceKind.HYDRANT, 60)
    world.heard(3000, 0)
    assert {verdict.subject for verdict in world.tick(1000, LONG_AGO)} == {"unit/d1", "unit/d3000"}


def test_while_telemetry_is_behind_only_devices_that_report_more_often_are_not_judged() -> None:
    world = World()
    quick, slow, gone = (world.device(DeviceKind.HYDRANT, interval) for interval in (60, 900, 60))
    rare = world.device(DeviceKind.HYDRANT, 86400)  # three of four devices are not the unit's link
    for device in (quick, slow, gone, rare):
        world.heard(device, 0)
    assert [each.subject for each in world.tick(200, LONG_AGO, lag=30)] == ["unit/d1", "unit/d3"]
    world.heard(quick, 201)
    assert [each[:2] for each in brief(world.tick(202, LONG_AGO, lag=3600))] == [("clear", "point-silent")]
    assert world.tick(3000, LONG_AGO, lag=901) == []
    assert [each.subject for each in world.tick(3001, LONG_AGO, lag=900)] == ["unit/d2"]
    assert world.tick(3002, LONG_AGO, lag=61) == []
    assert [each.subject for each in world.tick(3003, LONG_AGO, lag=60)] == ["unit/d1"]


def test_what_a_gateway_says_of_itself_counts_however_far_telemetry_is_behind() -> None:
    world = World()
    device = world.device(DeviceKind.GATEWAY, 60)
    world.heard(device, 0)
    world.registry.offline[device] = True
    assert world.tick(1, LONG_AGO, lag=3600) == []
    assert brief(world.tick(121, LONG_AGO, lag=3600)) == [("raise", "gateway-silent", 2, 121)]
