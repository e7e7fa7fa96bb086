"""Finding the highest rate that holds: up by steps until one does not, then halving what is left in between.

The search decides and does nothing: it is asked for the next rate and told how that went.

    state     told it held           told it did not
    rising    rise on                a rate held before: narrow; none did: fall
    falling   narrow                 fall on, to LEAST
    narrow    the lower end rises    the upper end falls; over when they are within PRECISION
"""

from dataclasses import dataclass, field

RISE = 1.6
PRECISION = 1.05
LEAST = 10.0
"""Messages a second below which nobody looks."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A rate that was tried, messages/s; ``why``: the reason it did not hold, None when it did."""

    rate: float
    why: str | None


@dataclass(slots=True)
class Search:
    """A search from ``start`` messages/s, never above ``most``."""

    start: float
    most: float = float("inf")
    trials: list[Trial] = field(default_factory=list)

    @property
    def held(self) -> Trial | None:
        """The highest rate that held."""
        return max((one for one in self.trials if one.why is None), key=lambda one: one.rate, default=None)

    @property
    def failed(self) -> Trial | None:
        """The lowest rate that did not."""
        return min((one for one in self.trials if one.why is not None), key=lambda one: one.rate, default=None)

    def next(self) -> float | None:
        """Return the rate to try next, None when the limit is found, or none is to be."""
        held, failed = self.held, self.failed
        if not self.trials:
            return min(self.start, self.most)
        if failed is None:
            assert held is not None
            return None if held.rate >= self.most else min(_round(held.rate * RISE), self.most)
        if held is None:
            return None if failed.rate <= LEAST else max(_round(failed.rate / RISE / RISE), LEAST)
        if failed.rate <= held.rate * PRECISION:
            return None
        between = _round((held.rate + failed.rate) / 2)
        return between if held.rate < between < failed.rate else None

    def tell(self, rate: float, why: str | None) -> None:
        """Note how ``rate`` went."""
        self.trials.append(Trial(rate, why))


def _round(rate: float) -> float:
    """Three digits: a rate a person can say."""
    return float(f"{rate:.3g}")
