"""Who comes back from the backlog, and when a sender may be judged without a detour again: decisions, no I/O."""

from collections import deque

from firetower.ingest.first_look import Sender
from firetower.ingest.turns import EACH, FED, Turns


class Away:
    """A backlog beside ``turns``: what was put, by sender, in order; ``lane``: what came back and is not judged."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.rows: dict[Sender, deque[int]] = {}
        self.lane: dict[int, Sender] = {}
        self.judged: list[tuple[str, int]] = []
        self._number = 0

    def put(self, unit: str, count: int, *, urgent: bool = False, fire: bool = False, since: int | None = None) -> None:
        sender = Sender(unit, urgent)
        for _ in range(count):
            self.turns.hold(sender, fire=fire or urgent, since=since)
        self.turns.put([sender] * count)
        self.turns.held_no_more([sender] * count)
        self.rows.setdefault(sender, deque()).extend(range(self._number, self._number + count))
        self._number += count

    def feed(self) -> list[tuple[Sender, int]]:
        asked = self.turns.following()
        came = [(self.rows[sender].popleft(), sender) for sender, count in asked for _ in range(count)]
        self.turns.fed(asked, came)
        self.lane |= dict(came)
        return asked

    def judge(self, count: int, at: int = 0) -> None:
        for number in list(self.lane)[:count]:
            sender = self.lane.pop(number)
            self.judged.append((sender.unit, number))
            self.turns.judged(number, at)

    def work_off(self, batch: int = 250) -> None:
        while len(self.turns):
            self.feed()
            self.judge(batch)


def test_one_senders_five_thousand_keep_another_ones_alarm_no_longer_than_it_takes_to_judge_a_thousand() -> None:
    away = Away()
    away.put("flood", 5000)
    away.feed()
    away.put("calm", 1)
    away.work_off()
    assert [unit for unit, _ in away.judged].index("calm") <= FED + EACH
    assert [number for unit, number in away.judged if unit == "flood"] == list(range(5000))


def test_a_city_of_senders_comes_back_in_the_order_it_was_put_away_and_each_one_in_its_own() -> None:
    away = Away()
    for round_ in range(3):
        for unit in range(2000):
            away.put(str(unit), 1, since=round_)
    away.work_off()
    first = list(dict.fromkeys(unit for unit, _ in away.judged))
    assert first == [str(unit) for unit in range(2000)], "whoever has waited longest comes first"
    assert len(away.judged) == 6000
    for unit in ("0", "1999"):
        numbers = [number for of, number in away.judged if of == unit]
        assert numbers == sorted(numbers)


def test_more_is_asked_for_while_half_is_still_in_the_lane_so_that_the_lane_never_waits() -> None:
    away = Away()
    for unit in range(3 * FED):
        away.put(str(unit), 1)
    away.feed()
    assert len(away.lane) == FED
    away.judge(FED // 2 - 1)
    assert not away.turns.may_feed
    away.judge(1)
    assert away.turns.may_feed
    away.feed()
    assert len(away.lane) == FED


def test_a_sender_is_away_until_its_last_alarm_is_judged_and_free_then() -> None:
    away, sender = Away(), Sender("mall", urgent=False)
    away.put("mall", 2)
    away.feed()
    away.judge(1)
    assert sender in away.turns, "what it says now would pass what is still in the lane"
    away.turns.hold(sender, fire=False, since=None)
    away.judge(1)
    assert sender in away.turns, "one of it waits to be put"
    away.turns.put([sender])
    away.turns.held_no_more([sender])
    away.rows[sender].append(9)
    away.work_off()
    assert sender not in away.turns
    assert not away.turns.may_feed


def test_of_fires_come_before_the_others_however_many_wait() -> None:
    """A unit's thousand fires over its share, and a gateway's message that holds a fire among faults."""
    away = Away()
    for unit in range(5000):
        away.put(str(unit), 1)
    away.feed()
    away.put("tower", 3, urgent=True)
    away.put("4000", 1, fire=True)
    asked = away.feed()
    assert asked == [], "the lane is full of what came back"
    away.judge(1)
    assert [sender.unit for sender, _ in away.feed()] == ["tower"], "with one place free a fire has it"
    away.judge(5)
    assert away.feed()[0][0] in (Sender("4000", urgent=False), Sender("tower", urgent=True))


def test_a_put_that_was_tried_twice_and_a_backlog_that_holds_less_set_themselves_right() -> None:
    """Whether an attempt that failed was stored is not known; counted too high, the sender would be away for ever."""
    turns, sender = Turns(), Sender("mall", urgent=False)
    turns.hold(sender, fire=False, since=5)
    turns.put([sender])
    turns.put([sender])
    turns.held_no_more([sender])
    asked = turns.following()
    assert asked == [(sender, 2)]
    turns.fed(asked, [(1, sender)])
    turns.judged(1, 5)
    assert (sender in turns, turns.since) == (False, None)
    turns.left(sender, 3, 7)
    turns.fed(turns.following(), [])
    assert (sender in turns, turns.since) == (False, None)


def test_it_tells_since_when_the_one_waits_that_has_waited_longest_for_no_flood_of_its_own() -> None:
    away = Away()
    away.put("flood", 300)
    assert away.turns.since is None
    away.put("first", 2 * EACH, since=10)
    away.put("second", 1, since=20)
    assert away.turns.since == 10
    assert not away.turns.for_no_fault(Sender("flood", urgent=False))
    assert away.turns.for_no_fault(Sender("second", urgent=False))
    away.work_off()
    assert away.turns.since is None


def test_nothing_comes_back_while_what_its_sender_said_before_waits_in_the_lane() -> None:
    """The lane takes a part of each batch from what came back: the 201st alarm of a panel would pass its 2nd."""
    ahead = {Sender("noisy", urgent=False)}
    noisy, quiet = Sender("noisy", urgent=False), Sender("quiet", urgent=False)
    turns = Turns(lambda sender: sender in ahead)
    for sender in (noisy, quiet):
        turns.hold(sender, fire=False, since=1)
        turns.put([sender])
        turns.held_no_more([sender])
    assert turns.following() == [(quiet, 1)]
    ahead.clear()
    turns.caught_up(noisy)
    assert turns.following() == [(noisy, 1)]
