"""The in-memory registry: names become small integers here, and names again only at the API.

Device numbers are the database's ids, dense from 1. What the hot path and the engine need of a device lies in
columns indexed by its number; the rest of its file stays in the database. Series numbers (device, metric,
channel) are local to the process.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.labels import LABELS, Groups, Labels
from firetower.devices.names import Names
from firetower.devices.readings import Bools, Floats, Int16s, Int32s, Int64s
from firetower.devices.series import SeriesTable

DEFAULT_INTERVAL: Micros = 60 * SECOND
_SERIES_EACH = 3


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """What the registry is told of one device.

    ``interval``: µs between reports it promised. ``attributes``: numbers of its own file that rules may use as
    limits, for example ``level_low`` in m. ``registered_at``: µs since the epoch. ``zone``: ``building/floor/zone``.
    ``gateway``: the device of its unit behind which it stands. ``unit_category`` and ``district`` are its unit's.
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
    district: str | None = None
    unit_category: str | None = None
    model: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceRows:
    """What the registry is told of n devices at once, each number and each name there once; all of length n.

    ``kind``: KIND_NUMBER. ``interval``, ``registered_at``: µs. ``lon``, ``lat``: NaN where unknown. ``attributes``:
    by row, only of rows that have some. ``districts``, ``unit_categories``, ``models``, ``gateways``: empty where no
    row has one.
    """

    number: Int64s
    units: Sequence[str]
    devices: Sequence[str]
    kind: Int16s
    interval: Int64s
    registered_at: Int64s
    retired: Bools
    lon: Floats
    lat: Floats
    mains: Sequence[str | None]
    zones: Sequence[str | None]
    attributes: Mapping[int, Mapping[str, float]]
    districts: Sequence[str | None] = ()
    unit_categories: Sequence[str | None] = ()
    models: Sequence[str | None] = ()
    gateways: Sequence[str | None] = ()

    def __len__(self) -> int:
        return len(self.number)


class Registry:
    """Devices, channels and series by name and by number; columns indexed by number.

    Column ``kind``: KIND_NUMBER of the kind, -1 for a number not in use. ``interval``: µs.
    ``registered_at``, ``last_seen``: µs since the epoch, ``last_seen`` 0 when never seen.
    ``offline``: the device said so itself (status topic, Last Will). ``offline_said_at``: arrival of its newest such
    word in µs, 0 without one; what arrived before does not make it online again.
    ``revision`` rises when a device is added or changed; ``changed``: the revision of a device's last change, so that
    whoever derives columns of their own does it again for what has changed only.
    Columns have room to spare and grow in place: take them from the registry each time, for their length.
    """

    def __init__(self) -> None:
        self._names = Names()
        self._labels = Labels()
        self._groups = Groups(self, self._labels)
        self._attributes: dict[str, Column[np.float64]] = {}
        self._channels: dict[str, int] = {"": 0}
        self._channel_names: list[str] = [""]
        self._series = SeriesTable()
        self.devices = 0
        self.revision = 0
        self._changed: Column[np.int64] = Column(np.int64)
        self._kind: Column[np.int16] = Column(np.int16, -1)
        self._interval: Column[np.int64] = Column(np.int64)
        self._registered_at: Column[np.int64] = Column(np.int64)
        self._last_seen: Column[np.int64] = Column(np.int64)
        self._offline: Column[np.bool_] = Column(np.bool_)
        self._offline_said_at: Column[np.int64] = Column(np.int64)
        self._retired: Column[np.bool_] = Column(np.bool_)
        self._lon: Column[np.float64] = Column(np.float64, np.nan)
        self._lat: Column[np.float64] = Column(np.float64, np.nan)
        self._fit(1)

    # devices ------------------------------------------------------------------------------------

    def add(self, entry: DeviceEntry) -> None:
        """Add a device, or replace what is known of it; its number never changes."""
        self.add_many(
            DeviceRows(
                number=np.array([entry.number], np.int64),
                units=(entry.unit,),
                devices=(entry.device,),
                kind=np.array([KIND_NUMBER[entry.kind]], np.int16),
                interval=np.array([entry.interval], np.int64),
                registered_at=np.array([entry.registered_at], np.int64),
                retired=np.array([entry.retired]),
                lon=np.array([np.nan if entry.lon is None else entry.lon], np.float64),
                lat=np.array([np.nan if entry.lat is None else entry.lat], np.float64),
                mains=(entry.main,),
                zones=(entry.zone,),
                attributes={0: entry.attributes} if entry.attributes else {},
                districts=(entry.district,),
                unit_categories=(entry.unit_category,),
                models=(entry.model,),
                gateways=(entry.gateway,),
            )
        )

    def add_many(self, rows: DeviceRows) -> None:
        """Add devices, or replace what is known of them, as ``add`` does one by one."""
        if not len(rows):
            return
        number = rows.number
        self._fit(int(number.max()) + 1)
        new = self.kind[number] < 0
        self.devices += int(np.count_nonzero(new))
        self._names.put(number, rows.units, rows.devices)
        changed = new
        columns: list[tuple[Bools | Int16s | Int32s | Int64s | Floats, Bools | Int16s | Int32s | Int64s | Floats]] = [
            (self.kind, rows.kind),
            (self.interval, rows.interval),
            (self.registered_at, rows.registered_at),
            (self.retired, rows.retired),
            (self.lon, rows.lon),
            (self.lat, rows.lat),
            *self._labels_of(rows),
            *self._attributes_of(rows),
        ]
        for column, values in columns:
            before = column[number]
            changed = changed | ((before != values) & ((before == before) | (values == values)))  # noqa: PLR0124  # reason: NaN
            column[number] = values
        if changed.any():
            self.revision += 1
            self.changed[number[changed]] = self.revision

    def reserve(self, devices: int) -> None:
        """Spare the steps of growth up to ``devices`` more with three series each; numbers need not be dense yet."""
        self._names.reserve(devices)
        self._series.reserve(_SERIES_EACH * devices)

    def number(self, unit: str, device: str) -> int | None:
        """Return the number of a device, or None for a stranger."""
        return self._names.find(unit, device)

    def name(self, number: int) -> tuple[str, str]:
        """Return (unit, device) of a number."""
        return self._names.name(number)

    def unit(self, number: int) -> str:
        """Return the unit of a number."""
        return self._names.unit(number)

    def label(self, name: str, number: int) -> str | None:
        """Return what a device's file says of it: ``district``, ``unit_category``, ``model``, ``main``, ``zone``
        (``building/floor/zone``), ``building``, or ``gateway``, behind which it stands, a gateway behind itself.
        """
        return self._labels.label(name, number)

    def label_numbers(self, name: str) -> Int32s:
        """Return the column of numbers that stand for a label (not ``building``), 0 for none."""
        return self._labels.column(name)

    def number_of_label(self, label: str) -> int | None:
        """Return the number that stands for a label in every such column, None for one no device has had."""
        return self._labels.number(label)

    @property
    def unit_number(self) -> Int32s:
        """The column of numbers that stand for units."""
        return self._names.unit_number

    def number_of_unit(self, unit: str) -> int | None:
        """Return the number that stands for a unit, None for one without devices."""
        return self._names.number_of_unit(unit)

    def group_of(self, group: str, number: int) -> str | None:
        """Return what an alert about a device's group is about, None when the device belongs to none.

        ``device`` and ``gateway``: ``unit/device``; ``zone``: ``unit/building/floor/zone``; ``building``:
        ``unit/building``; ``unit`` and ``main``: its code.
        """
        return self._groups.of(group, number)

    def members(self, group: str, subject: str, kinds: Collection[DeviceKind]) -> Int64s:
        """Return the numbers, ascending, of the devices of these kinds in the group ``subject``, none retired."""
        return self._groups.members(group, subject, kinds)

    def main(self, number: int) -> str | None:
        """Return the code of the water main a hydrant stands on."""
        return self.label("main", number)

    def zone(self, number: int) -> str | None:
        """Return the zone a device protects, as ``building/floor/zone``."""
        return self.label("zone", number)

    def attribute(self, name: str) -> Floats:
        """Return the column of a number from the devices' own files; NaN where a device has none."""
        column = self._attributes.get(name)
        if column is None:
            column = self._attributes[name] = Column(np.float64, np.nan)
        return column.fit(len(self.kind))

    def numbers(self) -> Int64s:
        """Return the numbers in use, ascending."""
        return np.flatnonzero(self.kind >= 0).astype(np.int64)

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
        return self._series.number(device, metric, channel)

    def series_many(self, device: Int32s, metric: Int16s, channel: Int16s) -> Int32s:
        """Return the numbers of n series; columns of shape (n,), none below 0; new ones in the order of first sight."""
        return self._series.numbers(device, metric, channel)

    @property
    def series_device(self) -> Int32s:
        """Device number by series number; room to spare at the end."""
        return self._series.device

    @property
    def series_count(self) -> int:
        """How many series there are."""
        return self._series.count

    @property
    def series_metric(self) -> Int16s:
        """Metric number by series number."""
        return self._series.metric

    @property
    def series_channel(self) -> Int16s:
        """Channel number by series number."""
        return self._series.channel

    def _attributes_of(self, rows: DeviceRows) -> list[tuple[Floats, Floats]]:
        """Return, for each attribute known or named here, its column and what it is to hold for ``rows``."""
        names = dict.fromkeys(self._attributes)
        for given in rows.attributes.values():
            names.update(dict.fromkeys(given))
        values = {name: np.full(len(rows), np.nan) for name in names}
        for row, given in rows.attributes.items():
            for name, value in given.items():
                values[name][row] = value
        return [(self.attribute(name), column) for name, column in values.items()]

    def _labels_of(self, rows: DeviceRows) -> list[tuple[Int32s, Int32s]]:
        """Return, for each of LABELS, its column and what it is to hold for ``rows``."""
        given = dict(
            zip(LABELS, (rows.districts, rows.unit_categories, rows.models, (), rows.mains, rows.zones), strict=True)
        )
        given["gateway"] = self._gateways_of(rows)
        none = np.zeros(len(rows), np.int32)
        return [
            (self._labels.column(name), self._labels.numbers_of(labels) if len(labels) else none)
            for name, labels in given.items()
        ]

    @staticmethod
    def _gateways_of(rows: DeviceRows) -> Sequence[str | None]:
        gateways = np.flatnonzero(rows.kind == KIND_NUMBER[DeviceKind.GATEWAY]).tolist()
        if not gateways:
            return rows.gateways
        labels = list(rows.gateways) or [None] * len(rows)
        for row in gateways:
            labels[row] = rows.devices[row]
        return labels

    def _fit(self, size: int) -> None:
        self._names.fit(size)
        self._labels.fit(size)
        for column in self._attributes.values():
            column.fit(size)
        self.changed: Int64s = self._changed.fit(size)
        self.kind: Int16s = self._kind.fit(size)
        self.interval: Int64s = self._interval.fit(size)
        self.registered_at: Int64s = self._registered_at.fit(size)
        self.last_seen: Int64s = self._last_seen.fit(size)
        self.offline: Bools = self._offline.fit(size)
        self.offline_said_at: Int64s = self._offline_said_at.fit(size)
        self.retired: Bools = self._retired.fit(size)
        self.lon: Floats = self._lon.fit(size)
        self.lat: Floats = self._lat.fit(size)
