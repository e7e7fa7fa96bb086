"""What devices have in common: the labels of their files as small numbers, and the groups that share one."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.readings import Int32s, Int64s

if TYPE_CHECKING:
    from firetower.devices.registry import Registry

LABELS = ("district", "unit_category", "model", "gateway", "main", "zone")
"""Labels a device's file may give, a column each."""
_CHANGED_AT_MOST = 4096
"""Devices changed since an index was sorted, beyond which it is sorted again: some 0.1 s for a million devices."""
_REMEMBERED = 1 << 16


class _Numbers(dict[str | None, int]):
    """Gives each new label the next number; ``names`` is the way back."""

    def __init__(self) -> None:
        super().__init__({None: 0})
        self.names: list[str | None] = [None]

    def __missing__(self, label: str | None) -> int:
        number = self[label] = len(self.names)
        self.names.append(label)
        return number


class Labels:
    """Columns of label numbers by device number, 0 for no label; a label has the same number in all of them."""

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._columns: dict[str, Column[np.int32]] = {name: Column(np.int32) for name in LABELS}
        self._building: Column[np.int32] = Column(np.int32)  # by the label number of a zone
        self._buildings_known = 1

    def fit(self, size: int) -> None:
        """Make room for device numbers below ``size``."""
        for column in self._columns.values():
            column.fit(size)

    def column(self, name: str) -> Int32s:
        """Return the label numbers of one of LABELS; room to spare at the end."""
        return self._columns[name].rows

    def numbers_of(self, labels: Sequence[str | None]) -> Int32s:
        """Return the number of each label, given on first sight."""
        return np.fromiter(map(self._numbers.__getitem__, labels), np.int32, len(labels))

    def number(self, label: str | None) -> int | None:
        """Return the number of a label, None for one no device has had."""
        return self._numbers.get(label)

    def label(self, name: str, device: int) -> str | None:
        """Return a device's label of one of LABELS, or of ``building``, the first part of its zone."""
        if name == "building":
            zone = self.label("zone", device)
            return None if zone is None else zone.partition("/")[0]
        return self._numbers.names[self._columns[name].rows.item(device)]

    def buildings(self, devices: Int64s) -> Int32s:
        """Return the label number of each one's building, 0 for none."""
        known, names = self._buildings_known, self._numbers.names
        if known < len(names):  # labels that are no zones get a building too: nobody asks for it
            fresh = self.numbers_of([None if name is None else name.partition("/")[0] for name in names[known:]])
            self._building.fit(known + len(fresh))[known : known + len(fresh)] = fresh
            self._buildings_known = known + len(fresh)
        return self._building.rows[self.column("zone")[devices]]


class Groups:
    """Which devices belong together, by zone, building, unit, main or gateway.

    A group's index is sorted when it is first asked for, and again when many devices have changed since; the few that
    changed meanwhile are looked at one by one. 12 bytes a device and group in use.
    """

    def __init__(self, registry: "Registry", labels: Labels) -> None:
        self._registry = registry
        self._labels = labels
        self._indexes: dict[str, tuple[int, Int64s, Int32s]] = {}
        self._revision = -1
        self._members: dict[tuple[str, str, frozenset[DeviceKind]], Int64s] = {}
        self._changed: dict[int, Int64s] = {}

    def of(self, group: str, device: int) -> str | None:
        """Return the subject of a device's group, None when it belongs to none (``Registry.group_of``)."""
        if group == "device":
            return "/".join(self._registry.name(device))
        if group == "unit":
            return self._registry.unit(device)
        label = self._labels.label(group, device)
        return label if label is None or group == "main" else f"{self._registry.unit(device)}/{label}"

    def members(self, group: str, subject: str, kinds: Collection[DeviceKind]) -> Int64s:
        """Return the numbers of a group's devices (``Registry.members``)."""
        registry = self._registry
        if self._revision != registry.revision or len(self._members) >= _REMEMBERED:
            self._revision = registry.revision
            self._members, self._changed = {}, {}
        key = (group, subject, frozenset(kinds))
        found = self._members.get(key)
        if found is None:
            found = self._all(group, subject)
            wanted = np.array([KIND_NUMBER[kind] for kind in key[2]], np.int16)
            found = found[np.isin(registry.kind[found], wanted) & ~registry.retired[found]]
            found.setflags(write=False)
            self._members[key] = found
        return found

    def _all(self, group: str, subject: str) -> Int64s:
        if group == "device":
            number = self._registry.number(*subject.split("/", 1))
            return np.array([] if number is None else [number], np.int64)
        revision, codes, devices = self._index(group)
        changed = self._changed_since(revision)
        codes_changed = self._codes(group, changed)
        code = self._code(group, subject)  # last: a building's label has its number since the codes were asked for
        if code is None:
            return np.zeros(0, np.int64)
        first, last = np.searchsorted(codes, [code, code + 1]).tolist()
        sorted_in = devices[first:last].astype(np.int64)
        sorted_in = sorted_in[self._registry.changed[sorted_in] <= revision]
        return np.sort(np.append(sorted_in, changed[codes_changed == code]))

    def _index(self, group: str) -> tuple[int, Int64s, Int32s]:
        index = self._indexes.get(group)
        if index is None or len(self._changed_since(index[0])) > _CHANGED_AT_MOST:
            devices = self._registry.numbers()
            codes = self._codes(group, devices)
            devices, codes = devices[codes > 0], codes[codes > 0]
            order = np.argsort(codes)
            index = self._registry.revision, codes[order], devices[order].astype(np.int32)
            self._indexes[group] = index
        return index

    def _changed_since(self, revision: int) -> Int64s:
        """Return the devices changed since, found once for each revision of the registry."""
        changed = self._changed.get(revision)
        if changed is None:
            changed = np.flatnonzero(self._registry.changed > revision).astype(np.int64)
            self._changed[revision] = changed
        return changed

    def _codes(self, group: str, devices: Int64s) -> Int64s:
        """Return a number for each device's group, 0 where it has none."""
        if group == "unit":
            return self._registry.unit_number[devices].astype(np.int64)
        if group == "main":
            return self._labels.column("main")[devices].astype(np.int64)
        label = self._labels.buildings(devices) if group == "building" else self._labels.column(group)[devices]
        codes = (self._registry.unit_number[devices].astype(np.int64) << 32) + label
        codes[label == 0] = 0
        return codes

    def _code(self, group: str, subject: str) -> int | None:
        """Return the number of the group of that subject, None for one that no device belongs to."""
        if group == "main":
            return self._labels.number(subject)
        unit_code, _, rest = subject.partition("/")
        unit = self._registry.number_of_unit(unit_code)
        if unit is None or group == "unit":
            return unit
        label = self._labels.number(rest) if rest else None
        return None if label is None else (unit << 32) + label
