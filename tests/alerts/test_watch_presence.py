"""Presence and vacancy in virtual time: a key press answers, silence is told, a set clock accuses nobody."""

from dataclasses import replace

from firetower.alerts.watch.absence import GRACE, START_GRACE, Absence
from firetower.alerts.watch.presence import OnDuty, answered, is_steady, looked
from firetower.core.clock import HOUR, MINUTE, SECOND, Micros

EVERY, WITHIN = 60 * MINUTE, 3 * MINUTE
T0: Micros = 1_763_800_000 * SECOND


def watched(
    duty: OnDuty, start: Micros, end: Micros, *, answers_after: Micros | None = None
) -> tuple[OnDuty, list[str]]:
    """Look each second from ``start`` to ``end``; return what became of it and what happened, with minutes from T0."""
    told = []
    before: Micros | None = start - SECOND
    for now in range(start, end + 1, SECOND):
        after = looked(duty, now, EVERY, WITHIN, steady=is_steady(before, now), asks=True)
        if after.asked_at != duty.asked_at:
            told.append(f"asked {(now - T0) // MINUTE}")
        if after.missed_at is not None and duty.missed_at is None:
            told.append(f"missed {(now - T0) // MINUTE}")
        if answers_after is not None and after.asked_at is not None and now - after.asked_at >= answers_after:
            after = answered(after, now)
        duty, before = after, now
    return duty, told


def test_over_a_twelve_hour_shift_whoever_answers_is_asked_every_hour_and_never_missed() -> None:
    duty, told = watched(OnDuty("olga", T0, T0), T0, T0 + 12 * HOUR, answers_after=MINUTE)
    assert told == [f"asked {60 * n + n - 1}" for n in range(1, 12)]
    assert duty.missed_at is None


def test_who_does_not_answer_is_missed_once_after_three_minutes_and_asked_no_more_until_they_answer() -> None:
    duty, told = watched(OnDuty("olga", T0, T0), T0, T0 + 4 * HOUR)
    assert told == ["asked 60", "missed 63"]
    back = answered(duty, T0 + 4 * HOUR)
    assert (back.asked_at, back.missed_at, back.present_at) == (None, None, T0 + 4 * HOUR)


def test_a_key_press_puts_the_question_off() -> None:
    duty = answered(OnDuty("olga", T0, T0), T0 + 50 * MINUTE)
    _, told = watched(duty, T0 + 50 * MINUTE, T0 + 2 * HOUR)
    assert told == ["asked 110", "missed 113"]


def test_a_clock_that_is_set_an_hour_on_or_back_misses_nobody_and_forgets_no_question() -> None:
    """The question is put anew: nobody had three minutes to answer it."""
    asked = OnDuty("olga", T0, T0, asked_at=T0 + HOUR)
    for now in (T0 + 2 * HOUR, T0):
        steady = is_steady(T0 + HOUR + SECOND, now)
        assert not steady
        assert looked(asked, now, EVERY, WITHIN, steady=steady, asks=True) == replace(asked, asked_at=now)
    ahead = OnDuty("olga", T0, T0 + 5 * HOUR)  # answered before the clock was set back
    known = looked(ahead, T0, EVERY, WITHIN, steady=False, asks=True)
    assert known.present_at == T0, "else nobody asked for six hours"


def test_a_start_of_the_service_puts_the_question_anew_instead_of_missing_it() -> None:
    asked = OnDuty("olga", T0, T0, asked_at=T0 + HOUR)
    later = T0 + HOUR + 10 * MINUTE
    assert looked(asked, later, EVERY, WITHIN, steady=is_steady(None, later), asks=True).asked_at == later


def test_never_asking_takes_back_what_was_asked_and_an_empty_room_is_not_asked() -> None:
    missed = OnDuty("olga", T0, T0, asked_at=T0, missed_at=T0 + WITHIN)
    assert looked(missed, T0 + HOUR, None, WITHIN, steady=True, asks=True).missed_at is None
    due = OnDuty("olga", T0, T0)
    assert looked(due, T0 + 2 * HOUR, EVERY, WITHIN, steady=True, asks=False) is due


def empty_for(absence: Absence, start: Micros, seconds: int) -> Absence:
    for n in range(seconds + 1):
        absence = absence.after(start + n * SECOND, missing=True)
    return absence


def test_a_seat_is_missed_after_twenty_seconds_and_after_a_start_only_after_sixty() -> None:
    seen = Absence().after(T0, missing=False)
    assert not empty_for(seen, T0, GRACE // SECOND - 1).stands
    assert empty_for(seen, T0, GRACE // SECOND).stands
    assert not empty_for(Absence(), T0, START_GRACE // SECOND - 1).stands
    assert empty_for(Absence(), T0, START_GRACE // SECOND).stands


def test_a_page_that_is_loaded_anew_is_no_vacancy_however_often() -> None:
    absence = Absence()
    for n in range(50):
        absence = empty_for(absence, T0 + n * MINUTE, 15).after(T0 + n * MINUTE + 16 * SECOND, missing=False)
        assert not absence.stands


def test_a_clock_that_is_set_neither_empties_a_seat_nor_hides_that_it_is_empty() -> None:
    seen = Absence().after(T0, missing=False)
    assert not seen.after(T0 + HOUR, missing=True).stands
    back = empty_for(seen.after(T0 + HOUR, missing=True), T0, 15)
    assert back.stands, "what was watched counts, whatever the clock said"
