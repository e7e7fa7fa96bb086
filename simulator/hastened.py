"""A clock that begins in the past and goes faster than time until it has caught up with it."""

from firetower.core.clock import DAY, MINUTE, SECOND, Clock, Micros
from firetower.core.errors import InvalidInput
from firetower.simulator.curves import LOCAL

FASTEST = 10_000.0


class HastenedClock:
    """Tells device time: ``speed`` times as fast as ``clock``, from so long ago that ``seconds`` later it is now.

    ``begins``: a time of day in the city (``18:30``) at which it begins, at the last time it was so long ago.
    Raises InvalidInput for a speed outside 1 to 10,000.
    """

    def __init__(self, clock: Clock, speed: float, seconds: float, begins: str | None = None) -> None:
        if not 1 <= speed <= FASTEST:
            raise InvalidInput(f"a speed of {speed} is not possible; give 1 (real time) to {FASTEST:,.0f}")
        self.speed = speed
        self._clock = clock
        self.wall: Micros = clock.now()
        ago = round(seconds * SECOND * (1 - 1 / speed))
        if begins is not None:
            ago += (self.wall - ago + LOCAL - _of_day(begins)) % DAY
        self.start: Micros = self.wall - ago

    def now(self) -> Micros:
        """Return the present instant of the run; never later than the clock's own."""
        now = self._clock.now()
        return min(now, self.start + round((now - self.wall) * self.speed))


def _of_day(text: str) -> Micros:
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        raise InvalidInput(f"{text!r} is no time of day; give hours and minutes, for example 18:30")
    return (int(hour) * 60 + int(minute)) * MINUTE
