"""Who is online, offline or was never seen, by the same limits as the shipped silence rules."""

import pytest

from firetower.core.clock import HOUR, MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.liveness import NO_DEVICE, STATUS_NAMES, silence_after, statuses
from firetower.devices.registry import DeviceEntry, Registry

NOW = 1_763_800_000 * SECOND


def registry_of(kind: DeviceKind = DeviceKind.HYDRANT, interval: int = MINUTE) -> Registry:
    registry = Registry()
    registry.add(DeviceEntry(1, "u", "d", kind, interval=interval))
    return registry


def status(registry: Registry) -> str:
    return STATUS_NAMES[statuses(registry, NOW)[1]]


def test_a_device_is_never_seen_until_its_first_message() -> None:
    registry = registry_of()
    assert status(registry) == "never_seen"
    registry.last_seen[1] = NOW
    assert status(registry) == "online"


@pytest.mark.parametrize("kind", list(DeviceKind))
@pytest.mark.parametrize("interval", [SECOND, MINUTE, 15 * MINUTE, 12 * HOUR, 24 * HOUR, 25 * HOUR])
def test_a_device_is_offline_at_its_silence_not_before(kind: DeviceKind, interval: int) -> None:
    registry = registry_of(kind, interval)
    registry.last_seen[1] = NOW - silence_after(kind, interval) + 1
    assert status(registry) == "online"
    registry.last_seen[1] -= 1
    assert status(registry) == "offline"


def test_a_device_that_said_offline_is_offline() -> None:
    registry = registry_of()
    registry.last_seen[1] = NOW
    registry.offline[1] = True
    assert status(registry) == "offline"


def test_a_number_no_device_has_is_neither() -> None:
    assert statuses(registry_of(), NOW)[[0, 2]].tolist() == [NO_DEVICE, NO_DEVICE]


def test_silences_are_those_of_the_default_rulebook() -> None:
    assert silence_after(DeviceKind.HYDRANT, 15 * MINUTE) == 45 * MINUTE
    assert silence_after(DeviceKind.SMOKE, 24 * HOUR) == 25 * HOUR
    assert silence_after(DeviceKind.SMOKE, MINUTE) == 3 * MINUTE
    assert silence_after(DeviceKind.PANEL, 20 * SECOND) == 100 * SECOND
    assert silence_after(DeviceKind.PANEL, 24 * HOUR) == 2 * HOUR
