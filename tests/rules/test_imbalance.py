"""Imbalance: the phase furthest from the mean of all, as a share of it; one alert a device, told by its first phase."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Sample
from oracle_derived import imbalance
from scenario import START, World, at, brief

from firetower.core.clock import MINUTE, SECOND
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.rules.book.loosening import looser
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import Quantity
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import decode, encode
from firetower.rules.measured.columns import Column
from firetower.rules.measured.imbalance import Imbalance
from firetower.rules.steps import Batch
from firetower.rules.verdicts import Verdict

WORDS = {"zh": "测", "en": "T"}
RULE = Rule.model_validate({
    "id": "unbalanced", "version": 1, "title": WORDS, "advice": WORDS, "class": "hazard", "kinds": ["electrical"],
    "metric": "current",
    "condition": {"imbalance": {
        "channels": ["a", "b", "c"], "within": "5min", "least": "5 A", "side": "at_or_above",
        "bands": [
            {"priority": 4, "limit": "30 %", "clear": "25 %", "on_delay": "2min", "source": "J, a test"},
            {"priority": 3, "limit": "50 %", "clear": "40 %", "on_delay": "2min", "source": "J, a test"},
        ],
    }},
})  # fmt: skip
CHANNELS = {"a": 3, "b": 1, "c": 2, "n": 4}
NUMBER = catalogue().by_name["current"].number
Reading = tuple[int, str, float, float]  # device, channel, seconds after START, value


class Board(World):
    """A world with electrical devices whose currents are reported by phase."""

    def __init__(self) -> None:
        super().__init__(Rulebook((RULE,)))
        for name, number in CHANNELS.items():
            self.registry.add_channel(name, number)

    def put(self) -> int:
        return self.device(DeviceKind.ELECTRICAL)

    def batch(self, rows: list[Reading]) -> Batch:
        channel = [CHANNELS[name] for _, name, _, _ in rows]
        times = [at(row[2]) for row in rows]
        series = [self.registry.series(row[0], NUMBER, each) for row, each in zip(rows, channel, strict=True)]
        devices, values = [row[0] for row in rows], [row[3] for row in rows]
        return Batch(
            Readings.of(series, devices, [NUMBER] * len(rows), channel, times, times, values, [0] * len(rows)), START
        )

    def takes(self, *rows: Reading) -> list[Verdict]:
        return self.engine.evaluate(self.batch(list(rows)))


def message(device: int, second: float, *amperes: float) -> list[Reading]:
    """What a device says of its phases at once."""
    return [(device, name, second, value) for name, value in zip("abc", amperes, strict=True)]


def test_an_unbalanced_board_raises_one_alert_about_its_first_phase() -> None:
    """20, 20 and 50 A: the mean is 30 A, the furthest 20 A from it, 66.7 %; back when even again."""
    board = Board()
    device = board.put()
    said = [each for second in range(0, 200, 60) for each in board.takes(*message(device, second, 20, 20, 50))]
    assert brief(said) == [("raise", "unbalanced", 3, 120)]
    assert said[0].component == "current.a"
    assert said[0].value == pytest.approx(200 / 3)
    assert (said[0].limit, said[0].metric) == (50, NUMBER)
    assert brief(board.takes(*message(device, 240, 30, 30, 31))) == [("clear", "unbalanced", 3, 240)]


def test_a_nearly_idle_board_has_no_balance() -> None:
    """Below a mean of 5 A it counts as in order, which ends what was active; at 5 A it is judged."""
    board = Board()
    device = board.put()
    for second in range(0, 200, 60):
        assert board.takes(*message(device, second, 4, 4, 6.9)) == []
    said = [each for second in range(240, 400, 60) for each in board.takes(*message(device, second, 4, 4, 7))]
    assert brief(said) == [("raise", "unbalanced", 4, 360)]
    assert brief(board.takes(*message(device, 420, 0, 0, 9))) == [("clear", "unbalanced", 4, 420)]


def test_a_phase_that_was_not_heard_of_lately_leaves_the_balance_unknown() -> None:
    """Five minutes old it still counts, a microsecond more and nothing is raised; nor is the alert over by that."""
    board = Board()
    device = board.put()
    board.takes((device, "b", 0, 20), (device, "c", 0, 50))
    assert [board.takes((device, "a", second, 20)) for second in (60, 120)] == [[], []]
    assert brief(board.takes((device, "a", 300, 20))) == [("raise", "unbalanced", 3, 180)]
    assert board.takes((device, "a", 300.000001, 20)) == []
    states = board.engine.describe(device)
    assert {channel for _, channel in states if states[_, channel]} == {CHANNELS["a"]}  # a rule of the board, told once
    assert states[NUMBER, CHANNELS["a"]][0].rule == "unbalanced"


def test_phases_that_no_rule_names_and_other_boards_do_not_count() -> None:
    """The neutral carries what it likes; and each board is balanced by itself."""
    board = Board()
    even, uneven = board.put(), board.put()
    said = []
    for second in range(0, 200, 60):
        rows = message(even, second, 20, 20, 20) + message(uneven, second, 20, 20, 33)
        said += board.takes(*rows, (even, "n", second, 400))
    assert [(each.device_number, each.priority) for each in said] == [(uneven, 4)]


streams = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.sampled_from("aaabbccn"),
        st.sampled_from([0, 0, 1, 20, 60, 61, 290]),
        st.sampled_from([0.0, 3.0, 5.0, 10.0, 10.1, 20.0, 50.0]),
    ),
    min_size=1,
    max_size=60,
)
cuts = st.lists(st.integers(1, 59), max_size=8)


def stream_of(steps: list[tuple[int, str, int, float]]) -> list[Reading]:
    """Readings in the order of time, several of one instant, each series once at an instant."""
    now, out, seen = 0, [], set()
    for device, name, step, value in steps:
        now += step
        if (device, name, now) not in seen:
            seen.add((device, name, now))
            out.append((device, name, float(now), value))
    return out


def parts_of(readings: list[Reading], where: list[int]) -> list[list[Reading]]:
    """Cut a stream, but not between readings of one instant."""
    whole = [cut for cut in where if 0 < cut < len(readings) and readings[cut - 1][2] != readings[cut][2]]
    ends = sorted({0, *whole, len(readings)})
    return [readings[start:end] for start, end in pairwise(ends)]


def fed(made: Imbalance, parts: list[list[Reading]]) -> dict[tuple[int, float], float]:
    """Give readings to rows 4 × device + channel, and return what is derived, by device and time."""
    out: dict[tuple[int, float], float] = {}
    for part in parts:
        rows = sorted((4 * device + CHANNELS[name], second, value, device) for device, name, second, value in part)
        row, second, value, device = (np.array(each) for each in zip(*rows, strict=True))
        first = np.append(True, row[1:] != row[:-1])
        times = np.array([at(each) for each in second])
        given = Column(
            row, device, times, times, value.astype(float), np.zeros(len(row), bool), None if first.all() else first
        )
        turned = made.turn(given)
        seconds = ((turned.ts - START) / SECOND).tolist()
        out.update(zip(zip(turned.device.tolist(), seconds, strict=True), turned.value.tolist(), strict=True))
    return out


def derivation() -> Imbalance:
    made = Imbalance(("a", "b", "c"), 5 * MINUTE, 5.0, CHANNELS.get)
    made.fit(16)
    rows = np.arange(4, 13)
    made.take_in(rows, (rows - 1) // 4, (rows - 1) % 4 + 1)
    return made


def plain(readings: list[Reading]) -> dict[tuple[int, float], float]:
    """What the oracle derives of each reading of the first phase, over the list of all readings."""
    out: dict[tuple[int, float], float] = {}
    for device, name, second, _ in readings:
        if name != "a":
            continue
        newest = []
        for channel in "abc":
            mine = [each for each in readings if each[:2] == (device, channel) and each[2] <= second]
            newest.append(Sample(at(mine[-1][2]), 0, mine[-1][3]) if mine else None)
        figure, in_order = imbalance(RULE.condition.imbalance, newest)
        out[device, second] = -math.inf if in_order else math.nan if figure is None else figure
    return out


@settings(max_examples=60)
@given(steps=streams, cuts=cuts)
def test_imbalance_is_that_of_the_newest_of_each_phase_however_the_stream_is_batched(steps, cuts) -> None:
    """Several readings of a phase in one batch, phases in messages of their own, and gaps included."""
    readings = stream_of(steps)
    np.testing.assert_equal(fed(derivation(), parts_of(readings, cuts)) if readings else {}, plain(readings))


@settings(max_examples=20)
@given(steps=streams, cuts=cuts)
def test_cutting_a_stream_between_messages_changes_no_verdict(steps, cuts) -> None:
    """All at once, some at a time, one instant at a time."""
    readings = stream_of(steps)
    told = []
    for where in ([], cuts, list(range(60))):
        board = Board()
        board.put(), board.put()
        told.append([(each.subject, each.kind, each.priority, each.at, each.value) for part in parts_of(readings, where)
                     for each in board.takes(*part)])  # fmt: skip
    assert sorted(told[0]) == sorted(told[1]) == sorted(told[2])


@settings(max_examples=20)
@given(steps=streams, begun=st.integers(0, 59), copied=st.integers(0, 59))
def test_a_checkpoint_given_again_what_came_since_goes_on_as_the_live_engine(steps, begun, copied) -> None:
    """Its pieces are copied while readings go on: the first before some instants that the last one knows already."""
    readings = message(1, -1, 1, 1, 1) + message(2, -1, 1, 1, 1) + stream_of(steps)
    instants = parts_of(readings, list(range(len(readings))))
    begun = min(begun, len(instants))
    live, other = Board(), Board()
    for board in (live, other):
        board.put(), board.put()
    for part in instants[:begun]:
        live.takes(*part)
    pieces, rest = live.engine.checkpoint(), instants[begun:]
    kept = [encode(next(pieces))] if begun else []
    meanwhile = rest[: copied % (len(rest) + 1)]
    for part in meanwhile:
        live.takes(*part)
    kept += [encode(piece) for piece in pieces]
    other.engine.restore([decode(each) for each in kept])
    for part in meanwhile:
        other.engine.warm(other.batch(part))
    for part in rest[len(meanwhile) :]:
        live.takes(*part), other.takes(*part)
    ends = [board.engine.describe(device) for board in (live, other) for device in (1, 2)]
    assert str(ends[:2]) == str(ends[2:])  # text: nothing is equal to NaN


@pytest.mark.parametrize(("looser_by", "said"), [
    ({"least": Quantity(6, "A")}, ["least from 5 A to 6 A"]),
    ({"within": MINUTE}, ["within from 5min to 1min"]),
    ({"channels": ("a", "b")}, ["channels from [a, b, c] to [a, b]"]),
    ({"least": Quantity(4, "A"), "within": 10 * MINUTE}, []),
])  # fmt: skip
def test_a_prealarm_that_asks_for_more_load_or_fresher_readings_is_looser(looser_by, said) -> None:
    """It would alarm less often; less load and older readings are no loosening."""
    old = RULE.model_copy(update={"alert_class": AlertClass.PREALARM})
    form = old.condition.imbalance.model_copy(update=looser_by)
    new = old.model_copy(update={"condition": old.condition.model_copy(update={"imbalance": form})})
    assert looser(old, new) == said


def test_saved_state_of_another_form_is_refused() -> None:
    """It is rebuilt from what is stored instead."""
    with pytest.raises(ValueError, match="rebuild it from the stored readings"):
        derivation().load(np.array([7]), {"times": np.zeros((1, 2), np.int64), "values": np.zeros((1, 2))})


def test_a_restarted_engine_knows_its_open_alert() -> None:
    """It is not raised again, and its end is noticed."""
    board = Board()
    device = board.put()
    assert board.engine.seed("unbalanced", device, "current.a", 3, at(0))
    board.engine.warm(board.batch([row for second in (0, 60, 120) for row in message(device, second, 20, 20, 50)]))
    assert brief(board.takes(*message(device, 180, 20, 20, 20))) == [("clear", "unbalanced", 3, 180)]
