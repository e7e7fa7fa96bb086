"""Readings as a table of rules takes them in."""

from dataclasses import dataclass

from firetower.devices.readings import Bools, Floats, Int64s


@dataclass(frozen=True, slots=True)
class Column:
    """Readings of one table, sorted by row then time, newer than all before of their row.

    Each of shape (n,). ``row``: the table's own number of the series. ``first``: starts a row; None when no row is
    there twice. ``ts``, ``received``: event and arrival time, µs.
    """

    row: Int64s
    device: Int64s
    ts: Int64s
    received: Int64s
    value: Floats
    uncertain: Bools
    first: Bools | None
