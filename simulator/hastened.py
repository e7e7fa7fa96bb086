"""How a run goes through time: as it passes, or faster, from the past until it has caught up."""

from collections.abc import Sequence

from firetower.core.clock import DAY, MINUTE, SECOND, Micros
from firetower.core.errors import InvalidInput
from firetower.simulator.curves import LOCAL
from firetower.simulator.script_file import Part

FASTEST = 10_000.0


def length(parts: Sequence[Part], seconds: float | None) -> float | None:
    """Return the seconds that a run lasts: those given, else until all scenarios are over; None: without end.

    Raises InvalidInput for a run of no length: nothing would be sent, and nothing of it would be wrong.
    """
    if seconds is not None and seconds <= 0:
        raise InvalidInput(f"a run of {seconds:g} seconds is not possible: give more than 0, or leave --seconds out")
    if seconds is not None:
        return seconds
    lasting = [None if part.script.lasts is None else part.at + part.script.lasts for part in parts]
    return None if None in lasting else max((each for each in lasting if each is not None), default=None)


def start_of(parts: Sequence[Part], *, now: Micros, speed: float, seconds: float | None) -> Micros:
    """Return the device time (µs) at which a run begins, so that ``speed`` times as fast as time it ends at present.

    Where a scenario has a time of day at which it begins, it is the last one that was so long ago.
    Raises InvalidInput for a speed outside 1 to 10,000, a hastened run without end, scenarios that wait for silence or
    act on the service, and such as begin at different times of the day.
    """
    if not 1 <= speed <= FASTEST:
        raise InvalidInput(f"a speed of {speed} is not possible; give 1 (real time) to {FASTEST:,.0f}")
    if speed == 1:
        return now
    if real := [part.name for part in parts if part.script.realtime]:
        raise InvalidInput(
            f"{', '.join(real)} cannot be hastened: silence and acts on the service take their time; leave --speed out"
        )
    lasts = length(parts, seconds)
    if lasts is None:
        raise InvalidInput("a hastened run ends when it has caught up with time: say how long it is with --seconds")
    begins = {part.script.begins for part in parts} - {None}
    if len(begins) > 1:
        raise InvalidInput(
            f"scenarios that begin at {', '.join(sorted(map(str, begins)))} cannot be hastened together; run them "
            "one after the other"
        )
    start = now - round(lasts * SECOND * (1 - 1 / speed))
    for clock in begins:
        assert clock is not None
        hour, _, minute = clock.partition(":")
        start -= (start + LOCAL - (int(hour) * 60 + int(minute)) * MINUTE) % DAY
    return start
