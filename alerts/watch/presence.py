"""The presence check 查岗: whoever is on duty is asked at intervals whether they are there; a key press answers.

*Present* until ``every`` has passed since the last proof; then *asked*; answered in time, present again; else *missed*,
which is an alert until they answer. What nobody could see or answer does not count against anybody: after a start, a
stall or a step of the clock the question is asked anew.
"""

from dataclasses import dataclass, replace

from firetower.core.clock import SECOND, Micros

STALL: Micros = 30 * SECOND
"""Two looks further apart than this, or in the wrong order: a start, a stall, or a clock that was set."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty. ``present_at``: last proof that they are there; ``asked_at``: since when a question stands;
    ``missed_at``: when it was not answered in time. Times in µs.
    """

    account: str
    since: Micros
    present_at: Micros
    asked_at: Micros | None = None
    missed_at: Micros | None = None


def is_steady(looked_at: Micros | None, now: Micros) -> bool:
    """Say whether time went on as usual since the last look (None: there was none)."""
    return looked_at is not None and 0 <= now - looked_at <= STALL


def looked(duty: OnDuty, now: Micros, every: Micros | None, within: Micros, *, steady: bool, asks: bool) -> OnDuty:
    """Return what has become of a presence check at ``now``; the same object where nothing has.

    ``every``: None never asks and takes back what was asked. ``asks``: whether a new question may be put now.
    """
    if every is None:
        return duty if duty.asked_at is None and duty.missed_at is None else answered(duty, now)
    if duty.missed_at is not None:
        return duty
    if duty.asked_at is not None:
        if not steady or duty.asked_at > now:
            return replace(duty, asked_at=now)
        return replace(duty, missed_at=now) if now - duty.asked_at >= within else duty
    if duty.present_at > now:
        return replace(duty, present_at=now)
    return replace(duty, asked_at=now) if asks and now - duty.present_at >= every else duty


def answered(duty: OnDuty, now: Micros) -> OnDuty:
    """Return what an answer, or any other proof of presence, makes of it."""
    return replace(duty, present_at=now, asked_at=None, missed_at=None)
