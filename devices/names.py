"""The names of devices, as bytes in one store: numbers by (unit, device) and back, some forty bytes a device."""

from collections.abc import Sequence

import numpy as np

from firetower.devices.columns import Column
from firetower.devices.lookup import Lookup
from firetower.devices.readings import Int32s, Int64s


class Names:
    """Device numbers by name, names by number. A device has one name, the last it was given."""

    def __init__(self) -> None:
        self._units: list[str] = [""]
        self._unit_numbers: dict[str, int] = {"": 0}
        self._text = bytearray()
        self._unit: Column[np.int32] = Column(np.int32)
        self._start: Column[np.int64] = Column(np.int64)
        self._length: Column[np.int16] = Column(np.int16)
        self._lookup = Lookup()

    def find(self, unit: str, device: str) -> int | None:
        """Return the number of a device, None for an unknown one."""
        name = (unit, device)
        for number in self._lookup.candidates(hash(name)):
            if self.name(number) == name:
                return number
        return None

    def name(self, number: int) -> tuple[str, str]:
        """Return (unit, device) of a number; empty for one that was never named."""
        start = self._start.rows.item(number)
        text = self._text[start : start + self._length.rows.item(number)]
        return self._units[self._unit.rows.item(number)], text.decode()

    def unit(self, number: int) -> str:
        """Return the unit of a number; empty for one that was never named."""
        return self._units[self._unit.rows.item(number)]

    @property
    def unit_number(self) -> Int32s:
        """A small number for each device's unit, by device number, 0 for one that was never named."""
        return self._unit.rows

    def number_of_unit(self, unit: str) -> int | None:
        """Return the small number of a unit, None for one without devices."""
        return self._unit_numbers.get(unit)

    def fit(self, size: int) -> None:
        """Make room for numbers below ``size``."""
        for column in (self._unit, self._start, self._length):
            column.fit(size)

    def reserve(self, devices: int) -> None:
        """Spare the steps of growth up to ``devices`` more."""
        self._lookup.reserve(devices)

    def put(self, numbers: Int64s, units: Sequence[str], devices: Sequence[str]) -> None:
        """Name devices, room for whose numbers is there; of several of one name the last is found by it."""
        codes = np.fromiter(map(hash, zip(units, devices, strict=True)), np.int64, len(numbers)).view(np.uint64)
        renamed = np.flatnonzero((self._lookup.code(numbers) != codes) | (self._length.rows[numbers] == 0))
        if not len(renamed):
            return
        taken = self._lookup.find(codes[renamed]) >= 0
        if taken.any() or len(np.unique(codes[renamed])) < len(renamed):
            for row in renamed.tolist():
                other = self.find(units[row], devices[row])
                if other is not None:
                    self._lookup.forget(other)
                self._put_new(np.array([row]), numbers, units, devices)
                self._lookup.put(codes[row : row + 1], numbers[row : row + 1])
            return
        self._put_new(renamed, numbers, units, devices)
        self._lookup.put(codes[renamed], numbers[renamed])

    def _put_new(self, rows: Int64s, numbers: Int64s, units: Sequence[str], devices: Sequence[str]) -> None:
        texts = [devices[row].encode() for row in rows.tolist()]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        into = numbers[rows]
        self._length.rows[into] = lengths
        self._start.rows[into] = len(self._text) + np.cumsum(lengths) - lengths
        self._unit.rows[into] = [self._unit_number(units[row]) for row in rows.tolist()]
        self._text += b"".join(texts)

    def _unit_number(self, unit: str) -> int:
        number = self._unit_numbers.get(unit)
        if number is None:
            number = self._unit_numbers[unit] = len(self._units)
            self._units.append(unit)
        return number
