"""Late data and backlogs: what they show of the past is said once, and the present is left alone."""

from dataclasses import replace

import pytest
from hydrants import INTERVALS, VALUES, city, columns, rules
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Sample
from scenario import SHIPPED, START, World, at, brief

from firetower.core.clock import MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Mark
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch
from firetower.rules.verdicts import Verdict, VerdictKind

LATE = int(Mark.LATE)
SMOKE, HYDRANT = DeviceKind.SMOKE, DeviceKind.HYDRANT
DAY = 86_400.0
AS_MEASURED = Rulebook(tuple(rule for rule in SHIPPED.rules if rule.condition.limit is not None))
"""Late readings are judged by rules on values as measured; the others of the rulebook have their say elsewhere."""


def late(world: World, *rows: tuple[int, str, float, float], quality: int = 0) -> list[Verdict]:
    """What late readings decide; all of it must be historical raises."""
    verdicts = world.report(*rows, quality=LATE | quality)
    assert all(each.kind is VerdictKind.RAISE and "historical" in each.flags for each in verdicts)
    return verdicts


def smoke(interval: float = 10) -> tuple[World, int]:
    """A detector whose newest reading, of clean air, is a day old."""
    world = World(AS_MEASURED)
    device = world.device(SMOKE, interval)
    assert world.report((device, "smoke", DAY, 0.01)) == []
    return world, device


def test_ten_late_smoke_readings_over_the_limit_are_a_fire_of_their_own_time() -> None:
    world, device = smoke()
    verdicts = late(world, *((device, "smoke", 10.0 * n, 0.5) for n in range(10)))
    assert ("raise", "smoke-fire", 1, 10) in brief(verdicts)
    assert brief(verdicts) == sorted(brief(verdicts), key=lambda one: one[3])
    assert world.tick(2 * DAY) == [], "nothing of it holds now"


def test_late_readings_in_order_say_nothing() -> None:
    world, device = smoke()
    assert late(world, *((device, "smoke", 10.0 * n, 0.01) for n in range(10))) == []
    assert late(world, (device, "rssi", 5, -300)) == []


def test_readings_that_are_not_marked_late_are_ignored_when_they_are_not_newer() -> None:
    world, device = smoke()
    assert world.report(*((device, "smoke", 10.0 * n, 0.5) for n in range(10))) == []


def test_a_bad_late_reading_says_nothing_and_an_uncertain_one_says_so() -> None:
    world, device = smoke(3600)
    assert late(world, (device, "smoke", 0, 0.5), quality=2) == []
    verdicts = late(world, (device, "smoke", 3600, 0.5), quality=1)
    assert {each.flags for each in verdicts} == {("uncertain", "historical")}


def test_late_data_does_not_touch_the_state_of_the_present() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    world.report((device, "pressure", DAY, 0.05), (device, "pressure", DAY + 60, 0.05))
    late(world, *((device, "pressure", 60.0 * n, 0.3) for n in range(10)))
    verdicts = world.report(*((device, "pressure", DAY + 60.0 * n, 0.05) for n in range(2, 6)))
    assert brief(verdicts) == [("raise", "hydrant-pressure-low", 3, DAY + 300)]
    assert verdicts[0].flags == ()


def test_each_band_of_a_late_stretch_is_said_once_and_a_return_to_a_milder_one_not_at_all() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    world.report((device, "pressure", DAY, 0.3))
    values = [0.09] * 7 + [0.01] * 7 + [0.09] * 30 + [0.3] * 30
    verdicts = late(world, *((device, "pressure", 60.0 * n, value) for n, value in enumerate(values)))
    assert brief(verdicts) == [
        ("raise", "hydrant-pressure-low", 3, 300),
        ("raise", "hydrant-pressure-low", 2, 12 * 60),
    ]


def test_late_readings_further_apart_than_a_reading_stands_are_not_taken_for_one_condition() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    world.report((device, "pressure", DAY, 0.3))
    assert late(world, (device, "pressure", 0, 0.05)) == []
    assert late(world, (device, "pressure", 181, 0.05), (device, "pressure", 400, 0.05)) == []
    assert brief(late(world, *((device, "pressure", 400.0 + 60 * n, 0.05) for n in range(1, 6)))) == [
        ("raise", "hydrant-pressure-low", 3, 700)
    ]


def test_a_backlog_sent_newest_first_still_finds_what_one_reading_shows_and_says_it_once() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 3600)
    world.report((device, "pressure", DAY, 0.3))
    said = [late(world, (device, "pressure", 3600.0 * n, 0.05)) for n in reversed(range(20))]
    assert [len(each) for each in said] == [1] + [0] * 19
    assert len(late(world, (device, "pressure", -30 * 3600.0, 0.05))) == 1, "not the same stretch"


def test_a_fire_is_said_by_every_reading_of_a_backlog_sent_newest_first() -> None:
    world, device = smoke(3600)
    said = [late(world, (device, "smoke", 3600.0 * n, 0.5)) for n in reversed(range(4))]
    assert ["smoke-fire" in {each.rule for each in some} for some in said] == [True] * 4


def test_the_same_late_reading_again_says_nothing_twice() -> None:
    world, device = smoke(3600)
    assert late(world, (device, "smoke", 0, 0.5), (device, "smoke", 0, 0.5))
    assert late(world, (device, "smoke", 0, 0.5)) == []


def test_late_and_live_of_one_batch_come_out_in_the_order_of_their_times() -> None:
    world = World(AS_MEASURED)
    first, second = world.device(SMOKE, 3600), world.device(SMOKE, 3600)
    world.report((first, "smoke", DAY, 0.01))
    verdicts = world.report((second, "smoke", 50, 0.5), (first, "smoke", 100, 0.5), quality=LATE)
    assert [(each.at, each.historical) for each in verdicts if each.rule == "smoke-fire"] == [
        (at(50), False),
        (at(100), True),
    ], "what is marked late but newer than all we know of its series is of the present"


def test_many_stretches_of_one_batch_do_not_mix_and_their_rows_are_used_again() -> None:
    world = World(AS_MEASURED)
    devices = [world.device(HYDRANT, 60) for _ in range(5)]
    world.report(*((device, "pressure", 30 * DAY, 0.3) for device in devices))
    for day in range(20):
        rows = []
        for device in devices:
            for start in (0, 1000, 2000, 3000):
                broken = start == 2000 and device != devices[0]
                rows += [(device, "pressure", day * DAY + start + 60.0 * n, 0.05 if broken else 0.3) for n in range(7)]
        verdicts = late(world, *rows)
        assert [each.device_number for each in verdicts] == devices[1:]
        assert {each.at for each in verdicts} == {at(day * DAY + 2300)}
    assert sum(table.rows for group in world.engine._late._tables for table in group.tables) <= 25, (
        "five series, four stretches at a time"
    )


@pytest.mark.parametrize("clear", [True, False])
def test_a_backlog_in_order_is_historical_when_its_condition_is_over_at_the_newest_reading_else_live(
    clear: bool,
) -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    values = [0.3] * 100 + [0.05] * 100 + ([0.3] * 400 if clear else [0.05] * 400)
    delay = 600 * 60.0
    verdicts = world.report(*((device, "pressure", 60.0 * n, value) for n, value in enumerate(values)), delay=delay)
    (only,) = verdicts
    assert brief(verdicts) == [("raise", "hydrant-pressure-low", 3, 6300)]
    assert only.historical is clear


def test_what_comes_and_goes_within_one_batch_of_now_is_live() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    values = [0.3, *[0.05] * 6, *[0.3] * 20]
    verdicts = world.report(*((device, "pressure", 60.0 * n, value) for n, value in enumerate(values)), delay=2)
    assert [(each.kind.value, each.flags) for each in verdicts] == [
        ("raise", ()),
        ("raise", ()),  # on its way back, past the milder band
        ("clear", ()),
    ]


def test_a_clear_of_what_was_raised_before_the_backlog_comes_through() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    world.report(*((device, "pressure", 60.0 * n, 0.05) for n in range(7)))
    values = [0.01] * 7 + [0.3] * 30
    rows = [(device, "pressure", 60.0 * (7 + n), value) for n, value in enumerate(values)]
    verdicts = world.report(*rows, delay=DAY)
    assert [(each.kind.value, each.priority, each.flags) for each in verdicts] == [
        ("raise", 2, ()),
        ("raise", 4, ()),
        ("clear", 4, ()),
    ]


def test_a_fire_of_a_backlog_is_live_though_it_is_over() -> None:
    world = World(AS_MEASURED)
    device = world.device(SMOKE, 60)
    values = [0.01, 0.5, 0.5, 0.01, 0.01]
    verdicts = world.report(*((device, "smoke", 60.0 * n, value) for n, value in enumerate(values)), delay=DAY)
    assert [each.flags for each in verdicts if each.rule == "smoke-fire"] == [(), ()]


def test_each_time_a_condition_came_and_went_in_a_backlog_is_one_record_of_the_worst() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    values = ([0.05] * 7 + [0.01] * 7 + [0.3] * 30) * 3
    rows = [(device, "pressure", 60.0 * n, value) for n, value in enumerate(values)]
    verdicts = world.report(*rows, delay=DAY)
    assert [(each.kind.value, each.priority, each.flags) for each in verdicts] == [("raise", 2, ("historical",))] * 3


def test_after_a_restart_late_readings_are_not_taken_for_the_present_and_are_known() -> None:
    """Low for eight minutes an hour ago, then one reading in order: never raised, so not raised by a restart either."""
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    past = [(device, "pressure", 60.0 * n, 0.05) for n in range(8)]
    world.engine.warm(Batch(world.readings(*past, quality=LATE), 0))
    world.engine.warm(Batch(world.readings((device, "pressure", 3600, 0.3)), 0))
    assert world.tick(3601) == []
    assert world.engine.unsure(world.readings(*past)).all()


def test_a_series_of_which_a_restart_finds_late_readings_only_is_unsure_up_to_them() -> None:
    world = World(AS_MEASURED)
    device = world.device(HYDRANT, 60)
    world.engine.warm(
        Batch(world.readings((device, "pressure", 60, 0.05), (device, "pressure", 0, 0.05), quality=LATE), 0)
    )
    again = world.readings((device, "pressure", 60, 0.05), (device, "pressure", 61, 0.05))
    assert world.engine.unsure(again).tolist() == [True, False]


def said_of(verdicts: list[Verdict]) -> list[Verdict]:
    """The raises that say more than was said since the last clear: what a late stretch is to say of the same."""
    known: dict[tuple[int | None, str], int] = {}
    out = []
    for verdict in verdicts:
        key = (verdict.device_number, verdict.rule)
        if verdict.kind is VerdictKind.CLEAR:
            known.pop(key, None)
        elif verdict.priority < known.get(key, 9):
            known[key] = verdict.priority
            out.append(replace(verdict, flags=(*verdict.flags, "historical")))
    return out


STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 5, 30, 60]), VALUES), min_size=1, max_size=40)


@settings(max_examples=150)
@given(rules("first"), rules("second"), STEPS, st.sets(st.integers(0, 40)))
def test_a_late_stretch_in_order_says_what_it_would_have_said_in_time_however_it_is_cut_into_batches(
    first: Rule, second: Rule, steps: list[tuple[int, int, float]], cuts: set[int]
) -> None:
    now = dict.fromkeys(range(3), START)
    samples = []
    for series, step, value in steps:
        now[series] += step * SECOND
        samples.append((series, Sample(now[series], now[series], value, LATE)))
    book = Rulebook((first, second))
    in_time, afterwards = Engine(book, city()), Engine(book, city())
    newest = [(series, Sample(START + 10_000 * MINUTE, START, 0.25)) for series in range(len(INTERVALS))]
    afterwards.evaluate(Batch(columns(newest), START))
    got: list[Verdict] = []
    batch: list[tuple[int, Sample]] = []
    for place, sample in enumerate(samples):
        if place in cuts and batch:
            got += afterwards.evaluate(Batch(columns(batch), START))
            batch = []
        batch.append(sample)
    got += afterwards.evaluate(Batch(columns(batch), START))
    expected = said_of(in_time.evaluate(Batch(columns(samples), START)))

    def of_series(verdict: Verdict) -> tuple[int | None, str]:
        return (verdict.device_number, verdict.rule)

    assert sorted(got, key=of_series) == sorted(expected, key=of_series)
