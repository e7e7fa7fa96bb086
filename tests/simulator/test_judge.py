"""The scorer alone: planted misses, inventions, duplicates and late alarms are each found, and nothing else."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.clock import HOUR, SECOND
from firetower.simulator.score.figures import confusion, percentile, times_by_class
from firetower.simulator.score.judge import Score, Seen, judge
from firetower.simulator.score.matching import paired
from firetower.simulator.truth import About, Expected, Forbidden, Run, Sent, TruthLog

START = 1_763_800_000 * SECOND
END = START + HOUR


def about(device: str, unit: str = "mall-01") -> About:
    return About("device", unit, device, f"{unit}/{device}")


def due(device: str, at: float = 10, *, within: float = 5, **more: object) -> Expected:
    """A fire of a device, expected ``at`` seconds, unless said otherwise."""
    begins = START + round(at * SECOND)
    base = Expected("s", f"step of {device}", about(device), "fire", (1, 1), begins, begins + round(within * SECOND))
    return replace(base, **more)  # type: ignore[arg-type]


def alarm(device: str, at: float = 11, number: int = 0, **more: object) -> Seen:
    base = Seen(
        f"{device}-{at}-{number}", "device", f"mall-01/{device}", "mall-01", device, "", "fire", 1, "event:fire",
        START + round(at * SECOND),
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def scored(expected: list[Expected], alerts: list[Seen], *forbidden: Forbidden, speed: float = 1.0) -> Score:
    log = TruthLog(Run(START, START, speed), expected, list(forbidden), Sent(END))
    return judge(log, alerts, now=END + HOUR)


def found(score: Score) -> dict[str, int]:
    """What is wrong, by kind."""
    lists = {
        "missed": score.missed, "false": score.false, "duplicate": score.duplicate, "late": score.late,
        "undecided": score.undecided,
    }  # fmt: skip
    return {name: len(items) for name, items in lists.items() if items}


def test_all_that_was_expected_and_nothing_else_is_no_mistake() -> None:
    score = scored([due("a"), due("b")], [alarm("b", 12), alarm("a", 10)])
    assert found(score) == {}
    assert [each.after for each in score.found] == [0, 2 * SECOND]


@pytest.mark.parametrize(
    ("expected", "alerts", "wrong"),
    [
        ([due("a"), due("b")], [alarm("a")], {"missed": 1}),
        ([due("a")], [alarm("a"), alarm("c")], {"false": 1}),
        ([due("a")], [alarm("a"), alarm("a", 12)], {"duplicate": 1}),
        ([due("a")], [alarm("a", 16)], {"late": 1}),
        ([due("a")], [alarm("a", 8)], {"missed": 1, "false": 1}),  # it came before its cause
        ([due("a")], [alarm("a", priority=2)], {"missed": 1, "false": 1}),
        ([due("a")], [alarm("a", alert_class="prealarm")], {"missed": 1, "false": 1}),
        ([due("a", rule="smoke-fire")], [alarm("a")], {"missed": 1, "false": 1}),
        ([due("a", component="smoke")], [alarm("a", component="heat")], {"missed": 1, "false": 1}),
        ([due("a", flags=("in_test",))], [alarm("a")], {"missed": 1, "false": 1}),
        ([due("a", occurrences=2)], [alarm("a")], {"missed": 1, "false": 1}),
        ([due("a", least=0)], [alarm("a")], {}),
        ([due("a", least=0)], [], {}),
        ([due("a", least=0)], [alarm("a"), alarm("a", 12)], {"duplicate": 1}),
        ([due("a", least=2, most=2)], [alarm("a"), alarm("a", 12)], {}),
        ([due("a", least=2, most=3)], [alarm("a")], {"missed": 1}),
        ([due("a", priority=(2, 4))], [alarm("a", priority=3)], {}),
        ([due("a", at=3700)], [], {"undecided": 1}),  # the run was over before
    ],
)
def test_each_mistake_is_found_for_what_it_is(
    expected: list[Expected], alerts: list[Seen], wrong: dict[str, int]
) -> None:
    assert found(scored(expected, alerts)) == wrong


def test_two_fires_of_one_detector_are_two_alerts() -> None:
    fires = [due("a", 10), due("a", 30)]
    assert found(scored(fires, [alarm("a", 11), alarm("a", 31)])) == {}
    (missed,) = scored(fires, [alarm("a", 11)]).missed
    assert missed.at == START + 30 * SECOND
    assert found(scored(fires, [alarm("a", 11), alarm("a", 12)])) == {"missed": 1, "duplicate": 1}


def test_two_points_without_component_are_two_alerts_and_one_alert_misses_one() -> None:
    points = [due("p", 10, step="east"), due("p", 11, step="west")]
    assert found(scored(points, [alarm("p", 10), alarm("p", 11)])) == {}
    assert found(scored(points, [alarm("p", 10)])) == {"missed": 1}


def test_a_group_is_another_thing_than_a_device_of_the_same_name() -> None:
    zone = due("a", about=About("zone", "mall-01", None, "mall-01/b1/f1/z1"))
    of_zone = replace(alarm("a"), device=None, subject_kind="zone", subject="mall-01/b1/f1/z1")
    assert found(scored([zone], [of_zone])) == {}
    assert found(scored([zone], [alarm("a")])) == {"missed": 1, "false": 1}


def test_what_must_not_be_is_named_by_what_forbids_it() -> None:
    never = Forbidden("s", "cooking is no fire", about("a"), "fire")
    ((_, why),) = scored([], [alarm("a")], never).false
    assert "cooking is no fire" in why
    ((_, why),) = scored([], [alarm("a", alert_class="fault")], never).false
    assert "cooking" not in why


def test_what_firetower_says_of_itself_what_people_report_and_what_was_before_is_neither_right_nor_wrong() -> None:
    own = replace(alarm("x"), device=None, unit=None, subject_kind="system", subject="firetower")
    score = scored([], [own, alarm("y", rule="manual:report"), alarm("z", at=-5)])
    assert found(score) == {}
    assert len(score.own) == 2


def test_what_is_raised_after_the_last_message_is_nobodys_mistake_but_what_was_due_is_still_found() -> None:
    after = (END - START) / SECOND + 1
    score = scored([due("a", 3598)], [alarm("a", after), alarm("b", after, alert_class="offline"), alarm("c", 100)])
    assert found(score) == {"false": 1}
    assert [alert.device for alert in score.afterwards] == ["b"]


def test_a_second_alarm_of_one_fire_is_a_duplicate_though_it_comes_after_the_end() -> None:
    after = (END - START) / SECOND + 1
    assert found(scored([due("a")], [alarm("a"), alarm("a", after)])) == {"duplicate": 1}


def test_the_silence_that_the_end_of_the_run_makes_is_nobodys_mistake() -> None:
    """A device that was silent before, as expected, falls silent again with all others when nobody sends any more."""
    after = (END - START) / SECOND + 1
    silences = [alarm("a", at, alert_class="offline", priority=4) for at in (11, after)]
    score = scored([due("a", alert_class="offline", priority=(4, 4))], silences)
    assert found(score) == {}
    assert [alert.device for alert in score.afterwards] == ["a"]


def test_a_hastened_run_is_judged_by_when_each_instant_was_played() -> None:
    """60 times as fast: what is due within 300 s is due within 5; and the delay is told in device time."""
    run = Run(START, START + HOUR, 60.0)
    log = TruthLog(run, [due("a", at=600, within=300)], [], Sent(END))
    played = (HOUR + 10 * SECOND) / SECOND  # the tenth minute
    in_time = judge(log, [alarm("a", at=played + 4)], now=END + HOUR)
    assert found(in_time) == {}
    assert in_time.found[0].after == 240 * SECOND
    assert found(judge(log, [alarm("a", at=played + 6)], now=END + HOUR)) == {"late": 1}
    assert found(judge(log, [alarm("a", at=played + 6)], now=END + HOUR, grace=2 * SECOND)) == {}


def test_a_wrong_alert_beside_a_missing_one_stands_in_the_confusion() -> None:
    table = confusion(scored([due("a"), due("b")], [alarm("a"), alarm("b", priority=3, rule="odd"), alarm("a", 13)]))
    assert table == {
        "fire 1": {"event:fire": 1, "missed": 1}, "nothing": {"odd": 1}, "one too many": {"event:fire": 1},
    }  # fmt: skip


def test_times_are_told_by_class_as_nearest_ranks() -> None:
    alerts = [alarm(f"d{number}", 10 + number / 10) for number in range(11)]
    times = times_by_class(scored([due(f"d{number}") for number in range(11)], alerts))
    (fire,) = times.values()
    assert (fire.count, fire.p50, fire.most) == (11, 0.5, 1.0)
    assert [percentile([3, 1, 2, 4], share) for share in (0.25, 0.5, 0.99)] == [1, 2, 4]


@given(st.lists(st.lists(st.integers(0, 6), max_size=5), max_size=6))
def test_as_many_are_paired_as_can_be(edges: list[list[int]]) -> None:
    pairs = paired(edges)
    assert len(set(pairs.values())) == len(pairs)
    assert all(right in edges[left] for left, right in pairs.items())
    assert len(pairs) == _most(edges, 0, frozenset())


def _most(edges: list[list[int]], left: int, taken: frozenset[int]) -> int:
    """The oracle: every way of pairing."""
    if left == len(edges):
        return 0
    ways = [_most(edges, left + 1, taken)]
    ways += [1 + _most(edges, left + 1, taken | {right}) for right in set(edges[left]) - taken]
    return max(ways)


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_planted_mistakes_are_found_each_for_itself_in_any_order(seed: int) -> None:
    """Of devices that alarm once: some are forgotten, some doubled, some late, and strangers speak up."""
    dice = random.Random(seed)
    expected, alerts, planted = [], [], Counter[str]()
    for number in range(dice.randint(1, 30)):
        at = dice.uniform(0, 3000)
        device = f"d{number}"
        expected.append(due(device, at))
        fate = dice.choice(["right", "missed", "duplicate", "late", "false"])
        if fate == "missed":
            planted["missed"] += 1
            continue
        after = dice.uniform(6, 60) if fate == "late" else dice.uniform(0, 4.9)
        alerts.append(alarm(device, at + after))
        planted["late"] += fate == "late"
        if fate == "duplicate":
            alerts.append(alarm(device, at + after + 1, 1))
            planted["duplicate"] += 1
        if fate == "false":
            alerts.append(alarm(f"stranger-{number}", at))
            planted["false"] += 1
    dice.shuffle(expected)
    dice.shuffle(alerts)
    assert found(scored(expected, alerts)) == {name: count for name, count in planted.items() if count}
