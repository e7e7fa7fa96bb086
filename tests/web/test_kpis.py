"""The header's figures of devices, and which changes of status the live feed is told."""

import numpy as np
import pytest

from firetower.core.clock import HOUR, SECOND, ManualClock
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry, Registry
from firetower.web import kpis
from firetower.web.kpis import StatusWatch

NOW = ManualClock().now()


def city(devices: int, **more: bool) -> Registry:
    registry = Registry()
    for number in range(1, devices + 1):
        registry.add(DeviceEntry(number, "u", f"d{number}", DeviceKind.HYDRANT, registered_at=NOW, **more))
    return registry


def test_the_first_look_counts_everybody_and_tells_nothing() -> None:
    """A console gets the figures of all devices in service; retired ones are none."""
    registry = city(5)
    registry.add(DeviceEntry(6, "u", "old", DeviceKind.HYDRANT, retired=True))
    registry.last_seen[[1, 2]] = NOW
    watch = StatusWatch(registry)
    assert watch.look(NOW) == []
    assert (watch.counts.online, watch.counts.never_seen, watch.counts.offline, watch.counts.total) == (2, 3, 0, 5)


def test_a_change_is_told_once_and_what_is_too_much_for_one_look_at_the_next() -> None:
    """Each changed device is told with its status, none twice and none never."""
    registry = city(5)
    watch = StatusWatch(registry, most=2)
    watch.look(NOW)
    registry.last_seen[1:6] = NOW
    told = [watch.look(NOW + SECOND) for _ in range(4)]
    assert [len(each) for each in told] == [2, 2, 1, 0]
    assert {each["device"] for look in told for each in look} == {f"d{n}" for n in range(1, 6)}
    assert told[0][0] == {"unit": "u", "device": "d1", "number": 1, "status": "online"}
    assert [each["status"] for each in watch.look(NOW + HOUR)] == ["offline"] * 2


@pytest.mark.parametrize("devices", [7, 3_000])
def test_of_more_devices_than_a_look_goes_over_all_are_told_and_counted_in_turn(
    devices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes and figures of a large city come some looks later, whole, also of devices registered meanwhile."""
    monkeypatch.setattr(kpis, "_PART", 100)
    monkeypatch.setattr(kpis, "_PARTS_A_LOOK", 1)
    registry = city(devices)
    watch = StatusWatch(registry, most=10_000)
    watch.look(NOW)
    assert watch.counts.never_seen == watch.counts.total == devices
    registry.add(DeviceEntry(5_000, "u", "new", DeviceKind.HYDRANT, registered_at=NOW))
    registry.heard(np.arange(1, devices + 1, dtype=np.int32), np.full(devices, NOW))
    registry.last_seen[5_000] = NOW
    told = [each["device"] for _ in range(80) for each in watch.look(NOW)]
    assert sorted(told) == sorted([f"d{n}" for n in range(1, devices + 1)] + ["new"])
    assert watch.counts.online == watch.counts.total == devices + 1
