"""Numbers by 64-bit codes: open addressing in numpy, a few bytes an entry, one call for thousands of codes."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from firetower.devices.columns import Column
from firetower.devices.readings import Int32s, Int64s

Codes = npt.NDArray[np.uint64]

_LEAST_BITS = 10
_MERGED_BITS = 17
_NEAR = 15
_ALL = (1 << 64) - 1


class Lookup:
    """Which number has which code.

    Where an entry lies is told by the code's highest bits, so these must be well mixed; codes that differ in their
    four lowest bits only lie side by side. Tables are at most half full. Growing never moves many entries at once,
    which would stop the event loop: a large table is left as it is, and one eight times its size takes what comes
    after; ``reserve`` spares the steps.
    """

    def __init__(self) -> None:
        self._codes: Column[np.uint64] = Column(np.uint64)  # by number + 1, the value that tables hold; 0 is empty
        self._codes.fit(1)
        self._tables: list[Int32s] = [np.zeros(1 << _LEAST_BITS, np.int32)]
        self._used = 0

    def code(self, numbers: Int64s) -> Codes:
        """Return the code each number was last given; any value for one that never was given a code."""
        codes: Codes = self._codes.fit(int(numbers.max(initial=0)) + 2)[numbers + 1]
        return codes

    def candidates(self, code: int) -> Iterator[int]:
        """Yield every number whose code is ``code``, newest tables first."""
        codes, code = self._codes.rows, code & _ALL
        for table in reversed(self._tables):
            size = len(table)
            place = (code >> (65 - size.bit_length())) + (code & _NEAR)
            while entry := table.item(place & (size - 1)):
                if codes.item(entry) == code:
                    yield entry - 1
                place += 1

    def find(self, codes: Codes) -> Int32s:
        """Return, per code, a number that has it, -1 for none."""
        found = np.zeros(len(codes), np.int32)
        rest: Int64s | None = None  # those not found yet, None for all
        for table in reversed(self._tables):
            wanted = codes if rest is None else codes[rest]
            got = self._find_in(table, wanted)
            if rest is None:
                found = got
            else:
                found[rest] = got
            rest = np.flatnonzero(found == 0)
            if not len(rest):
                break
        return found - np.int32(1)

    def put(self, codes: Codes, numbers: Int64s | Int32s) -> None:
        """Give each number its code, which no other number may have; a code it had before finds it no longer."""
        entries = numbers.astype(np.int32) + np.int32(1)
        self._codes.fit(int(entries.max(initial=0)) + 1)[entries] = codes
        self._room(len(codes))
        self._insert(codes, entries)

    def forget(self, number: int) -> None:
        """Let no code find ``number`` any more."""
        self._codes.rows[number + 1] ^= np.uint64(_ALL)

    def reserve(self, entries: int) -> None:
        """Make room at once for ``entries`` more than there are."""
        self._room(entries)
        self._tables[-1] |= np.int32(0)  # takes the memory now, not in the middle of the first batch

    def _room(self, more: int) -> None:
        table = self._tables[-1]
        if 2 * (self._used + more) <= len(table):
            return
        bits = max((16 * self._used).bit_length() - 1, (2 * more).bit_length(), _LEAST_BITS)
        if len(table) <= 1 << _MERGED_BITS:  # all before it are small too
            held = [old[old > 0] for old in self._tables]
            self._tables, self._used = [], 0
            entries = np.concatenate(held)
            bits = max((4 * (len(entries) + more)).bit_length(), _LEAST_BITS)
            self._tables.append(np.zeros(1 << bits, np.int32))
            self._insert(self._codes.rows[entries], entries)
        else:
            self._tables.append(np.zeros(1 << bits, np.int32))
            self._used = 0

    def _find_in(self, table: Int32s, codes: Codes) -> Int32s:
        """Return the entry of each code in one table, 0 for none."""
        known, mask = self._codes.rows, len(table) - 1
        place = _place(codes, len(table))
        found = table[place]
        rest = np.flatnonzero((known[found] != codes) & (found > 0))
        while len(rest):
            place[rest] = next_place = (place[rest] + 1) & mask
            found[rest] = got = table[next_place]
            rest = rest[(known[got] != codes[rest]) & (got > 0)]
        return found

    def _insert(self, codes: Codes, entries: Int32s) -> None:
        table = self._tables[-1]
        self._used += len(entries)
        place = _place(codes, len(table))
        while len(entries):
            free = table[place] == 0
            table[place[free]] = entries[free]
            lost = table[place] != entries
            entries, place = entries[lost], (place[lost] + 1) & (len(table) - 1)


def _place(codes: Codes, size: int) -> Int64s:
    """Return where in a table of ``size`` slots the entry of each code lies if nothing was there before it."""
    place = (codes >> np.uint64(65 - size.bit_length())) + (codes & np.uint64(_NEAR))
    return (place & np.uint64(size - 1)).view(np.int64)
