"""One alarm is committed at once; in a storm batches gather for milliseconds and are cut short for the next fire."""

import pytest

from firetower.ingest.pace import GATHERS_S, LEAST, MOST_IN_A_BATCH, TAKES_S, AlarmPace, Pace


@pytest.mark.parametrize("gap", [0.06, 0.5, 10.0])
def test_single_alarms_never_wait_for_more(gap: float) -> None:
    pace = AlarmPace(2000)
    for number in range(50):
        assert pace.gathers_until(number * gap) == number * gap
        pace.begins(number * gap)


def test_a_short_burst_does_not_wait_and_a_storm_gathers_until_it_pauses() -> None:
    pace, now = AlarmPace(2000), 0.0
    while now < 0.5:
        assert pace.gathers_until(now) == now
        pace.begins(now)
        now += 0.005
    pace.begins(now)
    assert pace.gathers_until(now + 0.005) == now + GATHERS_S
    assert pace.gathers_until(now + 0.04) == now + 0.04, "it has gathered while the one before was committed"
    assert pace.gathers_until(now + 0.1) == now + 0.1, "the storm has paused"
    pace.begins(now + 0.1)
    assert pace.gathers_until(now + 0.105) == now + 0.105


def test_batches_whose_commits_are_slow_are_cut_and_grow_again() -> None:
    pace = AlarmPace(2000)
    assert pace.others == pace.most == MOST_IN_A_BATCH
    for _ in range(20):
        pace.committed(pace.others, pace.others * 0.001)
    assert TAKES_S / 0.001 * 0.7 <= pace.others <= TAKES_S / 0.001 * 1.3
    for _ in range(20):
        pace.committed(pace.others, 10.0)
    assert pace.others == LEAST
    for _ in range(20):
        pace.committed(pace.others, 0.01)
    assert pace.others == MOST_IN_A_BATCH


def test_a_slow_commit_of_a_few_alarms_says_nothing_of_their_number() -> None:
    pace = AlarmPace(2000)
    for _ in range(20):
        pace.committed(3, 1.0)
    assert pace.others == MOST_IN_A_BATCH


def test_a_small_setting_is_heeded() -> None:
    pace = AlarmPace(10)
    for _ in range(20):
        pace.committed(10, 1.0)
    assert pace.others == pace.most == 10


def test_telemetry_gathers_since_the_batch_before() -> None:
    pace = Pace(2000, 0.02)
    assert pace.gathers_until(100.0) == 100.0
    pace.begins(100.0)
    assert pace.gathers_until(100.005) == 100.02
    pace.committed(2000, 10.0)
    assert pace.others == pace.most == 2000
