"""The in-memory registry: numbers for names, names for numbers, columns that follow."""

import numpy as np

from firetower.devices.kinds import KIND_NUMBER, DeviceKind, guess_kind
from firetower.devices.registry import DeviceEntry, Registry


def _entry(number: int, device: str, **more: object) -> DeviceEntry:
    return DeviceEntry(number, "mall-01", device, DeviceKind.SMOKE, **more)  # type: ignore[arg-type]


def test_a_device_is_found_by_name_and_by_number_far_beyond_the_first_columns() -> None:
    registry = Registry()
    registry.add(_entry(1, "a"))
    registry.add(_entry(50_000, "b", interval=7_000_000))
    assert registry.number("mall-01", "b") == 50_000
    assert registry.name(50_000) == ("mall-01", "b")
    assert registry.interval[50_000] == 7_000_000
    assert registry.kind[50_000] == KIND_NUMBER[DeviceKind.SMOKE]
    assert registry.number("mall-01", "stranger") is None
    assert registry.number("nowhere", "a") is None
    assert registry.numbers().tolist() == [1, 50_000]
    assert registry.devices == 2


def test_a_changed_file_replaces_the_old_one() -> None:
    registry = Registry()
    registry.add(_entry(1, "a", attributes={"level_low": 1.5}, main="m1"))
    registry.add(_entry(1, "a", attributes={"level_overflow": 4.0}))
    assert np.isnan(registry.attribute("level_low")[1])
    assert registry.attribute("level_overflow")[1] == 4.0
    assert registry.main(1) is None
    assert registry.devices == 1


def test_an_attribute_column_grows_with_the_registry() -> None:
    registry = Registry()
    registry.add(_entry(1, "a", attributes={"level_low": 1.5}))
    registry.add(_entry(9_999, "b", attributes={"level_low": 2.5}))
    column = registry.attribute("level_low")
    assert (column[1], column[9_999]) == (1.5, 2.5)
    assert np.isnan(column[2])


def test_series_are_told_apart_by_device_metric_and_channel() -> None:
    registry = Registry()
    keys = [(1, 8, 0), (1, 8, 1), (2, 8, 0), (1, 9, 0), (1_000_000, 15, 32_000)]
    numbers = [registry.series(*key) for key in keys]
    assert sorted(numbers) == [0, 1, 2, 3, 4]
    assert [registry.series(*key) for key in keys] == numbers
    assert registry.series_device[numbers[4]] == 1_000_000
    assert registry.series_channel[numbers[4]] == 32_000


def test_thousands_of_series_keep_their_columns() -> None:
    registry = Registry()
    for device in range(5_000):
        assert registry.series(device, 5, 0) == device
    assert registry.series_device[4_999] == 4_999


def test_last_seen_only_moves_forward() -> None:
    registry = Registry()
    registry.add(_entry(1, "a"))
    registry.heard(np.array([1, 1, 1], np.int32), np.array([5, 9, 7], np.int64))
    registry.heard(np.array([1], np.int32), np.array([3], np.int64))
    assert registry.last_seen[1] == 9


def test_a_strangers_kind_is_guessed_from_what_it_measures() -> None:
    assert guess_kind({"pressure", "battery"}) is DeviceKind.HYDRANT
    assert guess_kind({"temperature", "smoke"}) is DeviceKind.SMOKE
    assert guess_kind({"temperature"}) is DeviceKind.HEAT
    assert guess_kind({"cable_temperature", "temperature"}) is DeviceKind.ELECTRICAL
    assert guess_kind({"level"}) is DeviceKind.WATER_LEVEL
    assert guess_kind({"battery"}) is DeviceKind.PANEL
