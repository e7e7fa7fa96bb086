"""The open-loop schedule and the JSON of a report."""

import json

import numpy as np
import pytest

from firetower.core.clock import SECOND
from firetower.simulator import messages
from firetower.simulator.schedule import NEVER, Schedule, natural_rate

START = 1_763_800_000 * SECOND


def test_each_device_reports_once_an_interval_however_late_it_is_asked() -> None:
    every = np.array([10, 20, 30, 0]) * SECOND
    prompt, late = Schedule(3, START, every), Schedule(3, START, every)
    end = START + 60 * SECOND

    def drain(schedule: Schedule, now: int) -> list[tuple[int, int]]:
        got: list[tuple[int, int]] = []
        while True:
            index, due = schedule.take(now, 2)
            if not len(index):
                return got
            assert len(set(index.tolist())) == len(index)
            got += zip(index.tolist(), due.tolist(), strict=True)

    promptly = [report for now in range(START, end, SECOND // 2) for report in drain(prompt, now)]
    promptly += drain(prompt, end - 1)
    assert sorted(promptly) == sorted(drain(late, end - 1))  # nothing is skipped because nobody asked
    assert [sum(device == number for device, _ in promptly) for number in range(4)] == [6, 3, 2, 0]


def test_the_longest_due_goes_first() -> None:
    schedule = Schedule(1, START, np.full(50, 10 * SECOND))
    _, due = schedule.take(START + 10 * SECOND, 20)
    assert len(due) == 20
    assert (np.diff(due) >= 0).all()
    assert due[-1] <= schedule.due.min()


def test_a_device_can_be_hurried_silenced_and_sent_back_to_its_own_pace() -> None:
    schedule = Schedule(1, START, np.array([10 * SECOND]))
    schedule.retime(0, START + SECOND, 2 * SECOND)
    assert schedule.take(START + SECOND, 9)[1].tolist() == [START + SECOND]
    assert schedule.due.tolist() == [START + 3 * SECOND]
    schedule.silence(0)
    assert schedule.due.tolist() == [NEVER]
    schedule.retime(0, START + 5 * SECOND, None)
    schedule.take(START + 5 * SECOND, 9)
    assert schedule.due.tolist() == [START + 15 * SECOND]


def test_the_rate_of_intervals_is_the_sum_over_devices_that_report() -> None:
    assert natural_rate(np.array([10, 20, 0]) * SECOND) == pytest.approx(0.15)


def test_alarm_objects_carry_device_time_in_milliseconds_and_the_words_as_utf8() -> None:
    body = json.loads(messages.alarm(START + 1500, "fire", active=True, component="2-3-017", text="3层走廊"))
    assert body == {"ts": START // 1000 + 1, "event": "fire", "active": True, "component": "2-3-017", "text": "3层走廊"}


def test_several_reports_of_one_device_in_a_batch_are_told_apart() -> None:
    assert messages.repeats(np.array([5, 3, 5, 5, 3])).tolist() == [0, 0, 1, 2, 1]
    assert messages.repeats(np.zeros(0, np.int64)).tolist() == []
