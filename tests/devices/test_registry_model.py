"""The registry against dictionaries: names, numbers, files and series stay true however it was filled."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.devices import columns
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.lookup import Lookup
from firetower.devices.registry import DeviceEntry, DeviceRows, Registry

_KINDS = (DeviceKind.SMOKE, DeviceKind.HYDRANT, DeviceKind.ELECTRICAL)
_files = st.fixed_dictionaries(
    {
        "unit": st.sampled_from(["a", "mall-01", "x" * 64]),
        "device": st.sampled_from(["d", "dd", "s-1", "s_1", "Z" * 64, *map(str, range(40))]),
        "kind": st.sampled_from(_KINDS),
        "interval": st.sampled_from([1, 60_000_000]),
        "main": st.sampled_from([None, "m1", "m2"]),
        "zone": st.sampled_from([None, "A/1/e"]),
        "retired": st.booleans(),
        "lon": st.sampled_from([None, 114.0]),
        "attributes": st.dictionaries(st.sampled_from(["level_low", "level_overflow"]), st.floats(0, 9), max_size=2),
    }
)
_batches = st.lists(st.tuples(st.booleans(), st.lists(_files, min_size=1, max_size=30)), max_size=6)


def _many(entries: list[DeviceEntry]) -> DeviceRows:
    return DeviceRows(
        number=np.array([one.number for one in entries], np.int64),
        units=[one.unit for one in entries],
        devices=[one.device for one in entries],
        kind=np.array([KIND_NUMBER[one.kind] for one in entries], np.int16),
        interval=np.array([one.interval for one in entries], np.int64),
        registered_at=np.array([one.registered_at for one in entries], np.int64),
        retired=np.array([one.retired for one in entries], np.bool_),
        lon=np.array([np.nan if one.lon is None else one.lon for one in entries]),
        lat=np.array([np.nan if one.lat is None else one.lat for one in entries]),
        mains=[one.main for one in entries],
        zones=[one.zone for one in entries],
        attributes={row: one.attributes for row, one in enumerate(entries) if one.attributes},
    )


@settings(max_examples=60)
@given(batches=_batches, step=st.sampled_from([1, 997]))
def test_devices_added_one_by_one_and_many_at_once_are_found_and_known_as_last_told(
    batches: list[tuple[bool, list[dict[str, Any]]]], step: int
) -> None:
    """Whatever was added how often: a name finds its number, the number its name, every column the last file."""
    registry = Registry()
    numbers: dict[tuple[str, str], int] = {}
    told: dict[int, DeviceEntry] = {}
    for at_once, files in batches:
        entries: dict[int, DeviceEntry] = {}
        for file in files:
            number = numbers.setdefault((file["unit"], file["device"]), 1 + step * len(numbers))
            entries[number] = DeviceEntry(number=number, **file)
        if at_once:
            registry.add_many(_many(list(entries.values())))
        else:
            for entry in entries.values():
                registry.add(entry)
        told.update(entries)
    assert registry.devices == len(told)
    assert registry.numbers().tolist() == sorted(told)
    for number, entry in told.items():
        assert registry.number(entry.unit, entry.device) == number
        assert registry.name(number) == (entry.unit, entry.device)
        assert (registry.main(number), registry.zone(number)) == (entry.main, entry.zone)
        assert registry.kind[number] == KIND_NUMBER[entry.kind]
        assert registry.interval[number] == entry.interval
        assert registry.retired[number] == entry.retired
        assert np.isnan(registry.lon[number]) if entry.lon is None else registry.lon[number] == entry.lon
        for name in ("level_low", "level_overflow"):
            value = registry.attribute(name)[number]
            assert value == entry.attributes[name] if name in entry.attributes else np.isnan(value)
    assert registry.number("a", "nobody") is None
    assert registry.number("nowhere", "d") is None


_keys = st.tuples(
    st.integers(0, 40) | st.integers(0, 2**31 - 1), st.integers(0, 20), st.integers(0, 3) | st.integers(0, 32_767)
)


@settings(max_examples=80)
@given(batches=st.lists(st.tuples(st.booleans(), st.lists(_keys, min_size=1, max_size=80)), max_size=8))
def test_a_series_keeps_the_number_it_got_at_first_sight(
    batches: list[tuple[bool, list[tuple[int, int, int]]]],
) -> None:
    """Numbers are given densely in the order of first sight, alone or many at once, and never change."""
    registry = Registry()
    model: dict[tuple[int, int, int], int] = {}
    for at_once, keys in batches:
        expected = [model.setdefault(key, len(model)) for key in keys]
        if at_once:
            device, metric, channel = np.array(keys).T
            got = registry.series_many(device.astype(np.int32), metric.astype(np.int16), channel.astype(np.int16))
            assert got.tolist() == expected
        else:
            assert [registry.series(*key) for key in keys] == expected
    for (device_, _, channel_), number in model.items():
        assert registry.series_device[number] == device_
        assert registry.series_channel[number] == channel_


def test_hundreds_of_thousands_are_found_across_every_step_of_growth() -> None:
    """Devices and series met a few thousand at a time, with no room made beforehand, are all still found at the end."""
    registry = Registry()
    devices, step = 200_000, 7_000
    for first in range(1, devices + 1, step):
        numbers = np.arange(first, min(first + step, devices + 1))
        registry.add_many(
            _many([DeviceEntry(n, f"u{n % 997}", f"d{n}", DeviceKind.SMOKE, interval=n) for n in numbers.tolist()])
        )
        registry.series_many(
            np.repeat(numbers, 3).astype(np.int32),
            np.tile(np.array([1, 4, 8], np.int16), len(numbers)),
            np.zeros(3 * len(numbers), np.int16),
        )
    every = np.arange(1, devices + 1)
    assert registry.interval[every].tolist() == every.tolist()
    assert (registry.kind[devices + 1 :] == -1).all()
    assert all(registry.number(f"u{n % 997}", f"d{n}") == n for n in range(1, devices + 1, 331))
    again = registry.series_many(every.astype(np.int32), np.full(devices, 4, np.int16), np.zeros(devices, np.int16))
    assert again.tolist() == (3 * (every - 1) + 1).tolist()


def test_only_what_is_new_or_told_otherwise_counts_as_changed() -> None:
    """A registry loaded again as it is changes nothing; one changed file changes one device."""
    registry = Registry()
    entries = [DeviceEntry(n, "u", f"d{n}", DeviceKind.HEAT, attributes={"level_low": 1.0}) for n in range(1, 6)]
    registry.add_many(_many(entries))
    known = registry.revision
    registry.add_many(_many(entries))
    assert registry.revision == known
    entries[2] = DeviceEntry(3, "u", "d3", DeviceKind.HEAT, attributes={"level_low": 2.0})
    registry.add_many(_many(entries))
    assert np.flatnonzero(registry.changed > known).tolist() == [3]


def test_a_name_given_to_another_number_is_that_numbers() -> None:
    """A device removed from the store and registered anew is found under its new number."""
    registry = Registry()
    registry.add(DeviceEntry(1, "u", "d", DeviceKind.HEAT))
    registry.add(DeviceEntry(2, "u", "d", DeviceKind.HEAT))
    registry.add(DeviceEntry(3, "u", "e", DeviceKind.HEAT))
    registry.add_many(_many([DeviceEntry(4, "u", "e", DeviceKind.HEAT), DeviceEntry(2, "u", "f", DeviceKind.HEAT)]))
    assert registry.number("u", "e") == 4
    assert registry.number("u", "f") == 2
    assert registry.number("u", "d") is None


def test_codes_that_collide_are_told_apart_by_whoever_asks() -> None:
    """Every number of one code is a candidate, so that two names of one hash are both found."""
    lookup = Lookup()
    code = np.array([7], np.uint64)
    lookup.put(code, np.array([10]))
    lookup.put(code, np.array([11]))
    assert sorted(lookup.candidates(7)) == [10, 11]
    lookup.forget(10)
    assert list(lookup.candidates(7)) == [11]


@pytest.mark.parametrize("size", [10, 3 * columns.SMALL])
def test_a_column_that_grows_leaves_earlier_views_true(size: int) -> None:
    """Rows keep what was written, and new ones hold the fill."""
    column: columns.Column[np.float64] = columns.Column(np.float64, np.nan)
    before = column.fit(size)
    before[:] = 1.0
    after = column.fit(2 * size + 5)
    assert (after[: len(before)] == 1.0).all()
    assert np.isnan(after[len(before) :]).all()
    if size > columns.SMALL:
        before[3] = 2.0
        assert after[3] == 2.0
