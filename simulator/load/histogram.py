"""A log-linear histogram of µs: every value is kept within a tenth of a percent, and many are recorded at once.

Below 2,048 µs each value has a place of its own; above, each doubling is cut into 1,024 places of equal width, so that
a value is known to 1/1024 of itself. Counts of several processes add up without loss. The `hdrhistogram` wheel does the
same for one value a call, at 0.74 µs here; a block of values costs an eighth of that or less (`docs/decisions/0004`).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from firetower.devices.readings import Floats, Int64s

HALF = 1024
"""Places a doubling is cut into: the precision is 1/1024."""
_HALF_BITS = 10
MOST = 1 << 37
"""µs, some 38 hours: a longer value stands in the last place; ``largest`` is exact all the same."""
PLACES = (37 - _HALF_BITS) * HALF + HALF + 1
_TOGETHER = 1024
"""Values that are counted at once."""


def place(values: Int64s) -> Int64s:
    """Return the number of the place of each of ``values`` (µs, 0 to MOST)."""
    doublings: Int64s = np.maximum(np.frexp(values.astype(np.float64))[1].astype(np.int64) - _HALF_BITS - 1, 0)
    places: Int64s = doublings * HALF + (values >> doublings)
    return places


def highest(places: Int64s) -> Int64s:
    """Return the largest value (µs) that stands in each of ``places``."""
    doublings: Int64s = np.maximum(places // HALF - 1, 0)
    top: Int64s = ((places - doublings * HALF + 1) << doublings) - 1
    return top


class Histogram:
    """Counts of durations in µs. ``count``, ``total``, ``smallest`` and ``largest`` are exact; 0 of nothing."""

    def __init__(self) -> None:
        self._settled: Int64s = np.zeros(PLACES, np.int64)
        self._count = self._total = self._smallest = self._largest = 0
        self._waiting: list[Int64s] = []
        self._waits = 0

    def record(self, values: Int64s) -> None:
        """Count ``values`` (µs); one below zero, which only a clock that was set back gives, counts as zero."""
        self._waiting.append(values)
        self._waits += len(values)
        if self._waits >= _TOGETHER:
            self._settle()

    def _settle(self) -> None:
        """Count what waits: a value at a time would cost as much as a block of them."""
        if self._waits:
            values = np.maximum(np.concatenate(self._waiting), 0)
            self._waiting, self._waits = [], 0
            np.add.at(self._settled, place(np.minimum(values, MOST)), 1)
            self._span(len(values), int(values.sum()), int(values.min()), int(values.max()))

    @property
    def _counts(self) -> Int64s:
        self._settle()
        return self._settled

    @property
    def count(self) -> int:
        """How many values there are."""
        return self._count + self._waits

    @property
    def total(self) -> int:
        """Their sum in µs."""
        self._settle()
        return self._total

    @property
    def smallest(self) -> int:
        """The smallest, µs."""
        self._settle()
        return self._smallest

    @property
    def largest(self) -> int:
        """The largest, µs."""
        self._settle()
        return self._largest

    def add(self, other: "Histogram") -> None:
        """Add what ``other`` counted."""
        counts = self._counts
        counts += other._counts  # noqa: SLF001  # reason: of the same class
        self._span(other.count, other.total, other.smallest, other.largest)

    def _span(self, count: int, total: int, smallest: int, largest: int) -> None:
        if count:
            self._smallest = min(self._smallest, smallest) if self._count else smallest
            self._largest = max(self._largest, largest)
            self._count += count
            self._total += total

    @property
    def mean(self) -> float:
        """The mean in µs; 0 of nothing."""
        return self.total / self.count if self.count else 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation in µs, of the places' highest values."""
        where = np.flatnonzero(self._counts)
        if not len(where):
            return 0.0
        spread: Floats = (highest(where).astype(np.float64) - self.mean) ** 2
        return float(np.sqrt((spread * self._counts[where]).sum() / self.count))

    def percentile(self, percent: float) -> int:
        """Return the µs that ``percent`` of the values do not exceed, at most 1/1024 above it; 0 of none."""
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Sequence[float]) -> list[int]:
        """Return ``percentile`` of each of ``percents``."""
        if not self.count:
            return [0] * len(percents)
        # rounded first: 99.9 % of 1,000 is the 999th, not what a product of floats makes of it
        ranks = np.maximum(np.ceil(np.round(np.array(percents) / 100 * self.count, 6)), 1)
        found = highest(np.searchsorted(np.cumsum(self._counts), ranks))
        return [int(value) for value in np.clip(found, self.smallest, self.largest)]

    def above(self, limit: int) -> int:
        """Return how many values are above ``limit`` µs, those of its own place not counted."""
        return int(self._counts[int(place(np.array([min(limit, MOST)]))[0]) + 1 :].sum())

    # as text -------------------------------------------------------------------------------------------

    def sparse(self) -> list[list[int]]:
        """Return ``[[place, count], …]`` after a first row of the exact figures, for a line of JSON."""
        where = np.flatnonzero(self._counts)
        rows = np.stack([where, self._counts[where]], 1).tolist()
        return [[self.count, self.total, self.smallest, self.largest], *rows]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> "Histogram":
        """Return the histogram that ``sparse`` wrote."""
        made = cls()
        made._span(*rows[0])
        if len(rows) > 1:
            where, counts = np.array(rows[1:], np.int64).T
            made._settled[where] = counts
        return made

    def table(self) -> str:
        """Return the percentile table HdrHistogram's plotter reads (``.hgrm``), in milliseconds."""
        lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
        lines += [
            f"{value / 1000:12.3f} {share:2.12f} {count:10d} "
            + (f"{1 / (1 - share):14.2f}" if share < 1 else f"{'inf':>14}")
            for value, share, count in self._steps()
        ]
        lines.append(f"#[Mean    = {self.mean / 1000:12.3f}, StdDeviation   = {self.deviation / 1000:12.3f}]")
        lines.append(f"#[Max     = {self.largest / 1000:12.3f}, Total count    = {self.count:12d}]")
        lines.append(f"#[Buckets = {37 - _HALF_BITS:12d}, SubBuckets     = {2 * HALF:12d}]")
        return "\n".join(lines) + "\n"

    def _steps(self) -> Iterator[tuple[int, float, int]]:
        """(µs, share, values not above): five steps to each halving of what is left, down to the last value."""
        if not self.count:
            return
        sums = np.cumsum(self._counts)
        share, left, step = 0.0, 1.0, 0.1
        while share < 1 - 0.5 / self.count:
            at = int(np.searchsorted(sums, max(np.ceil(round(share * self.count, 6)), 1)))
            value = int(np.clip(highest(np.array([at]))[0], self.smallest, self.largest))
            yield value, share, int(sums[at])
            share += step
            if share >= 1 - left / 2 - 1e-12:
                left /= 2
                step /= 2
        yield self.largest, 1.0, self.count
