"""Shapes of the day and the week that signals follow: electrical load, and heat that lags behind it."""

from functools import cache

import numpy as np

from firetower.core.clock import DAY, HOUR, MINUTE
from firetower.devices.readings import Floats, Int64s

LOCAL = 8 * HOUR
"""The city lives in UTC+8."""
WEEK = 7 * DAY
STEP = 5 * MINUTE
STEPS = WEEK // STEP
LOADS = ("day", "shop", "home", "always")
LAGS_MIN = (10, 14, 18, 22, 26, 30)
"""Time constants of a cable in minutes (10 to 30: field knowledge, without a source)."""
_MONDAY = 4 * DAY  # the epoch was a Thursday


def week_time(at: Int64s) -> Int64s:
    """Return µs since Monday 00:00 local time."""
    local: Int64s = (at + LOCAL - _MONDAY) % WEEK
    return local


def bump(hour: Floats, begin: float, end: float, edge: float) -> Floats:
    """Return 1 between the hours ``begin`` and ``end``, 0 outside, edges ``edge`` hours wide; it may pass midnight."""
    length = (end - begin) % 24
    since = (hour - begin + edge) % 24 - edge
    rise = np.clip((since + edge / 2) / edge, 0, 1)
    fall = np.clip((length + edge / 2 - since) / edge, 0, 1)
    level: Floats = np.minimum(rise * rise * (3 - 2 * rise), fall * fall * (3 - 2 * fall))
    return level


@cache
def load_table() -> Floats:
    """Return electrical load as a share of the rated current, shape (loads, steps of a week)."""
    at = np.arange(STEPS) * STEP
    hour = at % DAY / HOUR
    weekend = at >= 5 * DAY
    day = np.where(weekend, 0.15, 1.0) * bump(hour, 8, 18, 1.5)
    shop = np.where(weekend, 1.0, 0.85) * bump(hour, 10, 22, 1.0)
    home = (
        0.45 * bump(hour, 6.5, 8.5, 1.0) + bump(hour, 18, 23, 1.5) + np.where(weekend, 0.3, 0.0) * bump(hour, 9, 18, 2)
    )
    always = 0.55 + 0.45 * bump(hour, 8, 20, 3.0)
    return 0.15 + 0.65 * np.clip(np.stack([day, shop, home, always]), 0, 1)


@cache
def _warmth_table() -> Floats:
    """Return warmth at the steps of a week, shape (loads, lags, steps + 1): the square of the load behind a lag.

    The square is taken as straight between its steps, for which the lag is solved in closed form; the week closes on
    itself, since what was a week ago has long been forgotten.
    """
    square = load_table() ** 2
    slope = (np.roll(square, -1, axis=1) - square)[:, None]
    before = np.repeat(square[:, None], len(LAGS_MIN), axis=1)
    tau = np.array(LAGS_MIN) * MINUTE / STEP  # in steps
    kept = np.exp(-1 / tau)
    state = before.mean(2)
    warmth_of = np.zeros((*state.shape, STEPS + 1))
    for turn in range(2 * STEPS):
        place = turn % STEPS
        warmth_of[:, :, place] = state
        rise = slope[:, :, place]
        # first order towards a straight line: it follows tau behind, and forgets where it began
        state = before[:, :, place] + rise - rise * tau + (state - before[:, :, place] + rise * tau) * kept
    warmth_of[:, :, STEPS] = warmth_of[:, :, 0]
    return warmth_of


def warmth(load: Int64s, lag: Int64s, at: Int64s) -> Floats:
    """Return the square of the load behind a first-order lag, (n,), exact at any instant (µs), without stepping.

    ``load``: numbers in LOADS, ``lag``: numbers in LAGS_MIN.
    """
    step, rest = np.divmod(week_time(at), STEP)
    square = load_table() ** 2
    here = square[load, step]
    rise = square[load, (step + 1) % STEPS] - here
    tau = (np.array(LAGS_MIN) * MINUTE / STEP)[lag]
    share = rest / STEP
    begun = _warmth_table()[load, lag, step]
    warm: Floats = here + rise * share - rise * tau + (begun - here + rise * tau) * np.exp(-share / tau)
    return warm


def look_up(table: Floats, row: tuple[Int64s, ...], at: Int64s) -> Floats:
    """Return a week table's value for ``row`` at instants ``at`` (µs), linear between its steps."""
    step, rest = np.divmod(week_time(at), STEP)
    share = rest / STEP
    value: Floats = table[(*row, step)] * (1 - share) + table[(*row, (step + 1) % STEPS)] * share
    return value
