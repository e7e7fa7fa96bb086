"""Shapes of the day and the week that signals follow: water, electrical load, and heat that lags behind it."""

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
LAGS_MIN = (10, 20, 30)
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


def mains_pressure(at: Int64s) -> Floats:
    """Return the pressure of the mains in MPa: 0.28, 0.04 more at night, 0.03 less at 07–09 and 18–21 local time."""
    hour = ((at + LOCAL) % DAY) / HOUR
    peaks = bump(hour, 7, 9, 1.0) + bump(hour, 18, 21, 1.0)
    pressure: Floats = 0.28 + 0.04 * bump(hour, 23, 5, 1.5) - 0.03 * peaks
    return pressure


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
def warmth_table() -> Floats:
    """Return the square of the load behind a first-order lag, shape (loads, lags, steps): how warm a cable is."""
    square = np.repeat(load_table()[:, None] ** 2, len(LAGS_MIN), axis=1)
    gain = 1 - np.exp(-STEP / (np.array(LAGS_MIN) * MINUTE))
    warmth = np.zeros_like(square)
    state = square.mean(2)
    # the second week starts from the end of the first, so that the table closes on itself
    for step in range(2 * STEPS):
        place = step % STEPS
        state = state + gain * (square[:, :, place] - state)
        warmth[:, :, place] = state
    return warmth


def look_up(table: Floats, row: tuple[Int64s, ...], at: Int64s) -> Floats:
    """Return a week table's value for ``row`` at instants ``at`` (µs), linear between its steps."""
    step, rest = np.divmod(week_time(at), STEP)
    share = rest / STEP
    value: Floats = table[(*row, step)] * (1 - share) + table[(*row, (step + 1) % STEPS)] * share
    return value
