"""Demand for water through the day and the week, as a factor of its mean, and the pressure it leaves."""

from functools import cache

import numpy as np

from firetower.core.clock import DAY, HOUR
from firetower.devices.readings import Floats, Int64s
from firetower.simulator.curves import STEP, STEPS, WEEK, bump, look_up, week_time

HAZEN_WILLIAMS = 1.852
"""Head loss grows with this power of the flow. All demands times f make every loss of a network f^1.852 times."""
FEED = 0.328
"""MPa at the inlet of a district. With MEAN_LOSS it gives the field's usual figures (general knowledge, without a
source): 0.28 by day, 0.04 more at night, 0.03 less at 07-09 and 18-21 of a working day."""
MEAN_LOSS = 0.044
"""MPa lost on the way to a hydrant at the mean demand, in the mean of a district."""
NIGHT, BY_DAY, PEAK = 0.40, 1.05, 1.40


@cache
def demand_table() -> Floats:
    """Return demand as a factor of its mean, shape (steps of a week,), Monday 00:00 first.

    At weekends the morning peak is two hours later, longer and lower, and noon is higher.
    """
    at = np.arange(STEPS) * STEP
    hour, weekend = at % DAY / HOUR, at >= 5 * DAY
    morning = np.where(weekend, 0.7 * bump(hour, 9, 11.5, 1.5), bump(hour, 7, 9, 1.0))
    evening = bump(hour, 18, 21, 1.0)
    noon = np.where(weekend, 0.35 * bump(hour, 11.5, 14, 1.0), 0.0)
    night = bump(hour, 23, 5, 1.5)
    table: Floats = BY_DAY + (PEAK - BY_DAY) * np.maximum(np.maximum(morning, evening), noon) - (BY_DAY - NIGHT) * night
    return table


@cache
def _loss_table() -> Floats:
    losses: Floats = demand_table()[None] ** HAZEN_WILLIAMS
    return losses


@cache
def _used_table() -> Floats:
    """Demand added up from Monday 00:00 on, in hours at a factor of 1, shape (steps + 1,)."""
    table = demand_table()
    used: Floats = np.concatenate([[0.0], np.cumsum((table + np.roll(table, -1)) / 2)]) * (STEP / HOUR)
    return used


def loss_factor(at: Int64s) -> Floats:
    """Return by what factor losses differ from those at the mean demand, (n,) for instants (n,) in µs."""
    return look_up(_loss_table(), (np.zeros(len(at), np.int64),), at)


def demand(at: Int64s) -> Floats:
    """Return the demand as a factor of its mean, (n,)."""
    return look_up(demand_table()[None], (np.zeros(len(at), np.int64),), at)


def used(at: Int64s) -> Floats:
    """Return the demand added up since a Monday long ago, (n,), in hours at a factor of 1: the water gone by then."""
    table = _used_table()
    weeks = (at - week_time(at)) // WEEK
    step, rest = np.divmod(week_time(at), STEP)
    total: Floats = weeks * table[-1] + table[step] + (table[step + 1] - table[step]) * (rest / STEP)
    return total
