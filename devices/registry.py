"""The in-memory registry: names become small integers here, and names again only at the API.

Device numbers are the database's ids, dense from 1. What the hot path and the engine need of a device lies in
columns indexed by its number; the rest of its file stays in the database. Series numbers (device, metric,
channel) are local to the process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from firetower.core.clock import SECOND, Micros
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.readings import Bools, Floats, Int16s, Int32s, Int64s

Scalar = TypeVar("Scalar", bound=np.generic)

DEFAULT_INTERVAL: Micros = 60 * SECOND


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """What the registry is told of one device.

    ``interval``: µs between reports it promised. ``attributes``: numbers of its own file that rules may use as
    limits, for example ``level_low`` in m. ``registered_at``: µs since the epoch.
    """

    number: int
    unit: str
    device: str
    kind: DeviceKind
    interval: Micros = DEFAULT_INTERVAL
    lon: float | None = None
    lat: float | None = None
    main: str | None = None
    zone: str | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)
    registered_at: Micros = 0
    retired: bool = False


class Registry:
    """Devices, channels and series by name and by number; columns indexed by number.

    Column ``kind``: KIND_NUMBER of the kind, -1 for a number not in use. ``interval``: µs.
    ``registered_at``, ``last_seen``: µs since the epoch, ``last_seen`` 0 when never seen.
    ``offline``: the device said so itself (status topic, Last Will).
    ``revision`` rises with every ``add``; ``changed``: the revision of a device's last change, so that whoever derives
    columns of their own does it again for what has changed only.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._names: list[tuple[str, str]] = [("", "")]
        self._mains: dict[int, str] = {}
        self._zones: dict[int, str] = {}
        self._attributes: dict[str, Floats] = {}
        self._channels: dict[str, int] = {"": 0}
        self._channel_names: list[str] = [""]
        self._series: dict[int, int] = {}
        self._series_count = 0
        self.devices = 0
        self.revision = 0
        self.changed: Int64s = np.zeros(1, np.int64)
        self.kind: Int16s = np.full(1, -1, np.int16)
        self.interval: Int64s = np.zeros(1, np.int64)
        self.registered_at: Int64s = np.zeros(1, np.int64)
        self.last_seen: Int64s = np.zeros(1, np.int64)
        self.offline: Bools = np.zeros(1, np.bool_)
        self.retired: Bools = np.zeros(1, np.bool_)
        self.lon: Floats = np.full(1, np.nan)
        self.lat: Floats = np.full(1, np.nan)
        self.series_device: Int32s = np.zeros(0, np.int32)
        self.series_metric: Int16s = np.zeros(0, np.int16)
        self.series_channel: Int16s = np.zeros(0, np.int16)

    # devices ------------------------------------------------------------------------------------

    def add(self, entry: DeviceEntry) -> None:
        """Add a device, or replace what is known of it; its number never changes."""
        number = entry.number
        self.revision += 1
        self._grow(number + 1)
        self.changed[number] = self.revision
        if self.kind[number] < 0:
            self.devices += 1
        self._numbers.setdefault(entry.unit, {})[entry.device] = number
        self._names[number] = (entry.unit, entry.device)
        self.kind[number] = KIND_NUMBER[entry.kind]
        self.interval[number] = entry.interval
        self.registered_at[number] = entry.registered_at
        self.retired[number] = entry.retired
        self.lon[number] = np.nan if entry.lon is None else entry.lon
        self.lat[number] = np.nan if entry.lat is None else entry.lat
        for names, name in ((self._mains, entry.main), (self._zones, entry.zone)):
            if name is None:
                names.pop(number, None)
            else:
                names[number] = name
        for name, column in self._attributes.items():
            column[number] = entry.attributes.get(name, np.nan)
        for name, value in entry.attributes.items():
            self.attribute(name)[number] = value

    def number(self, unit: str, device: str) -> int | None:
        """Return the number of a device, or None for a stranger."""
        of_unit = self._numbers.get(unit)
        return None if of_unit is None else of_unit.get(device)

    def name(self, number: int) -> tuple[str, str]:
        """Return (unit, device) of a number."""
        return self._names[number]

    def main(self, number: int) -> str | None:
        """Return the code of the water main a hydrant stands on."""
        return self._mains.get(number)

    def zone(self, number: int) -> str | None:
        """Return the zone a device protects, as ``building/floor/zone``."""
        return self._zones.get(number)

    def attribute(self, name: str) -> Floats:
        """Return the column of a number from the devices' own files; NaN where a device has none."""
        column = self._attributes.get(name)
        if column is None:
            column = self._attributes[name] = np.full(len(self.kind), np.nan)
        return column

    def numbers(self) -> Int64s:
        """Return the numbers in use, ascending."""
        return np.flatnonzero(self.kind >= 0).astype(np.int64)

    def of_unit(self, unit: str) -> Iterator[tuple[str, int]]:
        """Yield (device, number) of a unit's devices."""
        yield from self._numbers.get(unit, {}).items()

    def heard(self, numbers: Int32s, at: Int64s) -> None:
        """Note that devices were heard of at arrival times ``at`` (µs); the newest stands."""
        np.maximum.at(self.last_seen, numbers, at)

    # channels and series ------------------------------------------------------------------------

    def add_channel(self, name: str, number: int) -> None:
        """Give a channel its stored number."""
        while len(self._channel_names) <= number:
            self._channel_names.append("")
        self._channel_names[number] = name
        self._channels[name] = number

    def channel(self, name: str) -> int | None:
        """Return the number of a channel suffix (``2`` of ``cable_temperature.2``); None when unknown."""
        return self._channels.get(name)

    def channel_name(self, number: int) -> str:
        """Return a channel's suffix, "" for none."""
        return self._channel_names[number]

    @property
    def channels(self) -> int:
        """How many channel names are known."""
        return len(self._channels)

    def series(self, device: int, metric: int, channel: int) -> int:
        """Return the process-local number of a series, given on first sight."""
        key = device << 32 | metric << 16 | channel
        found = self._series.get(key)
        if found is not None:
            return found
        number = self._series_count
        if number >= len(self.series_device):
            size = max(1024, 2 * len(self.series_device))
            self.series_device = _grown(self.series_device, size, 0)
            self.series_metric = _grown(self.series_metric, size, 0)
            self.series_channel = _grown(self.series_channel, size, 0)
        self.series_device[number] = device
        self.series_metric[number] = metric
        self.series_channel[number] = channel
        self._series[key] = number
        self._series_count = number + 1
        return number

    def _grow(self, size: int) -> None:
        if size <= len(self.kind):
            return
        size = max(size, 2 * len(self.kind), 1024)
        self._names.extend([("", "")] * (size - len(self._names)))
        self.changed = _grown(self.changed, size, 0)
        self.kind = _grown(self.kind, size, -1)
        self.interval = _grown(self.interval, size, 0)
        self.registered_at = _grown(self.registered_at, size, 0)
        self.last_seen = _grown(self.last_seen, size, 0)
        self.offline = _grown(self.offline, size, False)
        self.retired = _grown(self.retired, size, False)
        self.lon = _grown(self.lon, size, np.nan)
        self.lat = _grown(self.lat, size, np.nan)
        for name, column in self._attributes.items():
            self._attributes[name] = _grown(column, size, np.nan)


def _grown(column: npt.NDArray[Scalar], size: int, fill: float) -> npt.NDArray[Scalar]:
    grown = np.full(size, fill, column.dtype)
    grown[: len(column)] = column
    return grown
