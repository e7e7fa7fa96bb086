"""What a console is told while it is behind, held to a model: in the end it has what the store has."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.web import backlog
from firetower.web.backlog import Backlog, News, Part
from firetower.web.provisional_view import Listing
from firetower.web.subscription import Subscription, Whole
from firetower.web.told import Piece, Told

EMPTY = Listing({}, 0)


def piece(id_: int, version: int, rank: int = 2, *, ended: bool = False) -> Piece:
    """An alert, incident or window in the test's own JSON."""
    return Piece(id_, json.dumps([id_, version, ended]).encode(), rank, ended)


def frame(kind: str, seq: int, told: Told, devices: Any = (), listing: Listing | None = None) -> bytes:
    """A frame in the test's own JSON."""
    said = {name: [json.loads(each.written) for each in getattr(told, name)] for name in Told.__dataclass_fields__}
    alarms = None if listing is None else sorted(listing.alarms)
    return json.dumps({"type": kind, "seq": seq, **said, "devices": list(devices), "provisional": alarms}).encode()


def part_frame(part: Part) -> bytes:
    return frame("changes" if part.is_changes else "heartbeat", part.seq, part.told, part.devices, part.listing)


@dataclass
class World:
    """A store that changes, a hub that reads it now and then, and a console that reads the hub now and then."""

    log: list[tuple[str, Piece]] = field(default_factory=list)
    read_to: int = 0
    devices: dict[int, str] = field(default_factory=dict)
    console: dict[str, dict[int, int]] = field(default_factory=dict)
    statuses: dict[int, str] = field(default_factory=dict)
    seq: int = -1
    feed: Subscription = field(init=False)

    def __post_init__(self) -> None:
        self.connect()

    def since(self, after: int, upto: int) -> Told:
        """What changed after a number, each as it stands at ``upto``."""
        newest: dict[tuple[str, int], Piece] = {}
        for kind, each in self.log[:upto]:
            newest[kind, each.id] = each
        changed = {(kind, each.id) for kind, each in self.log[after:upto]}
        of = {kind: [newest[one] for one in sorted(changed) if one[0] == kind] for kind in Told.__dataclass_fields__}
        return Told(**of)

    def standing(self, upto: int) -> Told:
        every = self.since(0, upto)
        return Told(*([each for each in getattr(every, kind) if not each.ended] for kind in Told.__dataclass_fields__))

    def whole(self) -> Whole:
        return Whole(frame("snapshot", self.read_to, self.standing(self.read_to), (), EMPTY), self.read_to, EMPTY)

    def connect(self) -> None:
        self.feed = Subscription(b"", "olga", part_frame, self.whole, lambda text, _: text)
        self.feed.replace(self.whole())

    def change(self, kind: str, id_: int, rank: int, *, ended: bool) -> None:
        self.log.append((kind, piece(id_, len(self.log), rank, ended=ended)))

    def read(self, most: int, takes: int = 0) -> None:
        """The hub reads on and tells of it, alerts beyond ``most`` ahead; the console takes frames in between."""
        after, seq = self.read_to, len(self.log)
        told = self.since(after, seq)
        alerts = list(told.alerts)
        while len(alerts) > most:
            self.offer(after, seq, Told(alerts[:most]), last=False)
            alerts = alerts[most:]
            for _ in range(takes):
                self.take()
        self.read_to = seq
        self.offer(after, seq, Told(alerts, told.incidents, told.windows))

    def beat(self, devices: list[int], status: str) -> None:
        """The hub's heartbeat, with devices whose status changed."""
        self.devices |= dict.fromkeys(devices, status)
        self.offer(self.read_to, self.read_to, Told(), [{"number": number, "status": status} for number in devices])

    def offer(self, after: int, seq: int, told: Told, devices: Any = (), *, last: bool = True) -> None:
        kind = "heartbeat" if seq == after and not devices else "changes"
        text = frame(kind, seq if last else after, told, devices)
        self.feed.offer(News(text, after, seq, last, told, devices))

    def resume(self, beats: int) -> None:
        """The console is cut off and comes back with the number it has; the hub goes on meanwhile."""
        self.statuses = dict(self.devices)  # no number covers them: who comes back reads all devices anew
        if self.seq < 0:
            return self.connect()
        self.feed = Subscription(b"", "olga", part_frame, self.whole, lambda text, _: text)
        self.feed.hold()
        found = len(self.log)
        for _ in range(beats):
            self.change("alerts", 1, 2, ended=False)
            self.read(2)
        assert self.feed.resume(self.seq, found, self.since(self.seq, found), EMPTY)
        return None

    def take(self) -> bool:
        """The console reads a frame; False where there is none."""
        text = self.feed._take()
        if text is None:
            return False
        said = json.loads(text)
        if said["type"] != "heartbeat":
            assert said["type"] == "snapshot" or said["seq"] >= self.seq, "a page would begin anew"
            self.seq = said["seq"]
        else:
            assert said["seq"] == self.seq, "a page would think that it missed something"
        for kind in Told.__dataclass_fields__:
            known = self.console.setdefault(kind, {})
            if said["type"] == "snapshot":
                known.clear()
            for id_, version, ended in said[kind]:
                known[id_] = version
                if ended:
                    del known[id_]
        self.statuses |= {each["number"]: each["status"] for each in said["devices"]}
        assert len(said["alerts"]) <= 3 or said["type"] == "snapshot"
        for kind in Told.__dataclass_fields__:
            for each in getattr(self.since(0, self.seq), kind):
                version = self.console[kind].get(each.id)
                is_ended = each.ended or any(one.ended and one.id == each.id for _, one in self.log[self.seq :])
                assert is_ended if version is None else version >= json.loads(each.written)[1], "a resume would lose it"
        return True


IDS = st.integers(1, 8)
STEPS = st.one_of(
    st.tuples(
        st.just("change"),
        st.sampled_from(["alerts", "alerts", "incidents", "windows"]),
        IDS,
        st.integers(0, 2),
        st.booleans(),
    ),
    st.tuples(st.just("read"), st.integers(1, 3), st.integers(0, 2)),
    st.tuples(st.just("beat"), st.lists(st.integers(1, 4), max_size=2), st.sampled_from(["online", "offline"])),
    st.tuples(st.just("take"), st.integers(1, 3)),
    st.tuples(st.just("resume"), st.integers(0, 2)),
    st.tuples(st.just("restart")),
)


@pytest.fixture(scope="module", autouse=True)
def few() -> Any:
    """Limits so small that a story of a few steps meets them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backlog, "PART", 2)
        patch.setattr(backlog, "PART_DEVICES", 1)
        patch.setattr(backlog, "MOST_ENDED", 4)
        yield


@settings(max_examples=400)
@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_a_console_ends_up_with_what_the_store_has(steps: list[tuple[Any, ...]]) -> None:
    """Storms, stalls, resumes in the middle and snapshots in any order; at any time a resume would lose nothing."""
    world = World()
    for name, *given_ in steps:
        match name:
            case "change":
                kind, id_, rank, ended = given_
                world.change(kind, id_, rank, ended=ended)
            case "take":
                for _ in range(given_[0]):
                    world.take()
            case "restart":
                world.feed.replace(world.whole())
            case _:
                getattr(world, name)(*given_)
    world.read(3)
    while world.take():
        pass
    newest = world.standing(len(world.log))
    for kind in Told.__dataclass_fields__:
        wanted = {each.id: json.loads(each.written)[1] for each in getattr(newest, kind)}
        assert world.console.get(kind, {}) == wanted
    assert world.seq == len(world.log)
    assert world.statuses == world.devices


def test_fires_go_first_then_priority_1_then_what_waits_longest() -> None:
    """Also where an alert's priority rose while it waited."""
    waiting = Backlog(0)
    told = [piece(1, 1), piece(2, 1), piece(3, 1, 1), piece(4, 1, 0)]
    waiting.add(News(b"", 0, 1, told=Told(told)))
    waiting.add(News(b"", 1, 2, told=Told([piece(2, 2, 1), piece(1, 2)])))
    parts = [waiting.part() for _ in range(2)]
    assert [[each.id for each in part.told.alerts] for part in parts] == [[4, 3], [2, 1]]
    assert [part.seq for part in parts] == [0, 2]
    assert not waiting


def test_a_provisional_alarm_stays_listed_until_all_that_waits_was_told() -> None:
    """Between its leaving the list and the alert that it became there is no frame that has neither; new ones come at
    once."""
    waiting = Backlog(0, Listing({"a": b"1"}, 0))
    told = [piece(n, 1) for n in range(4)]
    waiting.add(News(b"", 0, 1, told=Told(told), listing=Listing({"b": b"2"}, 0)))
    listings = [waiting.part().listing for _ in range(2)]
    assert [listing and set(listing.alarms) for listing in listings] == [{"a", "b"}, {"b"}]
    waiting.add(News(b"", 1, 1, listing=Listing({"b": b"2"}, 0)))
    assert waiting.part().listing is None


def test_what_a_resumed_console_was_told_already_is_not_told_again() -> None:
    """The hub may read later what the console was told from the store when it came back."""
    world = World()
    world.seq = 0
    world.change("alerts", 1, 0, ended=False)
    world.resume(0)
    frames = []
    for _ in range(2):
        world.read(3)
        text = world.feed._take()
        assert text is not None
        frames.append(json.loads(text))
        world.offer(0, 1, world.since(0, 1))
        text = world.feed._take()
        assert text is not None
        frames.append(json.loads(text))
    assert [(each["type"], each["seq"], len(each["alerts"])) for each in frames] == [
        ("changes", 1, 1),
        *[("heartbeat", 1, 0)] * 3,
    ]


def test_a_heartbeat_of_a_hub_that_has_read_less_bears_the_consoles_own_number() -> None:
    """A page that hears of a lower number than its own would begin anew."""
    world = World()
    world.take()
    world.change("alerts", 1, 0, ended=False)
    world.resume(0)
    world.take()
    world.beat([], "online")
    world.take()
    assert world.seq == 1
