"""State is a function of what is stored: an engine rebuilt goes on as one that never stopped (promise 7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_streams import batch_of, calls_of, led, streams
from oracle_worlds import DAILY, FAST, SLOW, START, Item, Reading, books, city, registry_of

from firetower.devices.events import Event
from firetower.devices.readings import Mark
from firetower.devices.registry import Registry
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import Piece, decode, encode
from firetower.rules.engine import Engine
from firetower.rules.steps import Tick
from firetower.rules.verdicts import Verdict, VerdictKind

PACES = pytest.mark.parametrize("pace", [FAST, SLOW, DAILY], ids=["seconds", "hours", "days"])
Key = tuple[str, str, str, str]


@dataclass
class Store:
    """What is stored: readings, each once, those marked that came late; events; and the alerts that are active."""

    items: list[Item] = field(default_factory=list)
    newest: dict[tuple[int, str], int] = field(default_factory=dict)
    times: set[tuple[int, str, int]] = field(default_factory=set)
    active: dict[Key, Verdict] = field(default_factory=dict)

    def keep(self, items: list[Item]) -> None:
        """Store what a batch held, in the order of time."""
        for item in sorted(items, key=instant_of):
            if isinstance(item, Event):
                self.items.append(item)
            elif isinstance(item, Reading) and (item.device, item.component, item.sample.ts) not in self.times:
                self.times.add((item.device, item.component, item.sample.ts))
                newest = self.newest.get((item.device, item.component), 0)
                late = item.sample.ts < newest
                sample = replace(item.sample, quality=item.sample.quality | (int(Mark.LATE) if late else 0))
                self.items.append(replace(item, sample=sample))
                self.newest[item.device, item.component] = max(newest, item.sample.ts)

    def hear(self, verdicts: Iterable[Verdict]) -> None:
        """Follow which alerts are active."""
        for verdict in verdicts:
            if verdict.historical:
                continue
            if verdict.kind is VerdictKind.RAISE:
                self.active[verdict.key] = verdict
            elif verdict.kind is VerdictKind.CLEAR:
                self.active.pop(verdict.key, None)

    def standing(self) -> dict[Key, int]:
        """Return the priorities of what is active."""
        return {key: verdict.priority for key, verdict in self.active.items()}


def instant_of(item: Item) -> int:
    return item.at if isinstance(item, Event) else item.sample.ts if isinstance(item, Reading) else item


def live_until(engine: Engine, registry: Registry, stream: list[Item], cuts: set[int], store: Store) -> None:
    """Lead an engine through a stream, and store what it takes in and says."""
    for _, what in calls_of(stream, cuts):
        if isinstance(what, int):
            store.hear(engine.evaluate(Tick(what, None)))
        else:
            store.keep(what)
            store.hear(engine.evaluate(batch_of(registry, what)))


def rebuilt(
    book: Rulebook, registry: Registry, store: Store, pieces: list[Piece] | None = None, since: int = 0
) -> Engine:
    """Return an engine started anew from the store, and a checkpoint if there is one; ``since``: replayed from then."""
    engine = Engine(book, registry)
    if pieces is not None:
        engine.restore(decode(encode(piece)) for piece in pieces)
    for verdict in store.active.values():
        engine.seed(
            verdict.rule,
            verdict.device_number,
            verdict.component,
            verdict.priority,
            verdict.at,
            subject=verdict.subject,
        )
    stored = sorted(store.items[since:], key=instant_of)
    for start in range(0, len(stored), 7):
        engine.warm(batch_of(registry, stored[start : start + 7]))
    return engine


def newer_only(stream: list[Item], store: Store) -> list[Item]:
    """Leave out what is late or repeated: that is evidence of the past, and no part of the present state."""
    newest, kept = dict(store.newest), []
    for item in stream:
        if isinstance(item, Reading):
            if item.sample.ts <= newest.get((item.device, item.component), 0):
                continue
            newest[item.device, item.component] = item.sample.ts
        kept.append(item)
    return kept


def go_on_alike(live: Engine, other: Engine, registry: Registry, store: Store, rest: list[Item], now: int) -> None:
    """After a tick that lets both find what is over by ``now``, both say the same of everything that follows."""
    both = (store, Store(active=dict(store.active)))
    for engine, each in zip((live, other), both, strict=True):
        each.hear(engine.evaluate(Tick(now, None)))
    assert both[0].standing() == both[1].standing()
    for call in calls_of(newer_only(rest, store), {5, 9, 20, 31}):
        assert led(live, registry, [call]) == led(other, registry, [call])


def last_instant(stream: list[Item]) -> int:
    return max((i.sample.received if isinstance(i, Reading) else instant_of(i) for i in stream), default=START)


@PACES
@settings(max_examples=25)
@given(st.data())
def test_engine_rebuilt_from_what_is_stored_goes_on_as_if_it_had_never_stopped(pace: int, data: st.DataObject) -> None:
    """Wherever the service stops: all that is stored, replayed through a new engine, gives the state it had."""
    book, stream = data.draw(books(pace)), data.draw(streams(pace))
    cut = data.draw(st.integers(0, len(stream)))
    registry, store = registry_of(city(pace)), Store()
    live = Engine(book, registry)
    live_until(live, registry, stream[:cut], data.draw(st.sets(st.integers(0, 40), max_size=5)), store)
    go_on_alike(live, rebuilt(book, registry, store), registry, store, stream[cut:], last_instant(stream[:cut]))


@PACES
@settings(max_examples=25)
@given(st.data())
def test_checkpoint_and_what_was_stored_since_equal_a_rebuild_without_it(pace: int, data: st.DataObject) -> None:
    """A checkpoint of any earlier moment, and any superset of what was stored since: the state of the full rebuild."""
    book, stream = data.draw(books(pace)), data.draw(streams(pace))
    cut = data.draw(st.integers(0, len(stream)))
    taken = data.draw(st.integers(0, cut))
    registry, store = registry_of(city(pace)), Store()
    live = Engine(book, registry)
    live_until(live, registry, stream[:taken], set(), store)
    pieces, since = list(live.checkpoint()), data.draw(st.integers(0, len(store.items)))
    live_until(live, registry, stream[taken:cut], set(), store)
    now, rest = last_instant(stream[:cut]), stream[cut:]
    restored, full = rebuilt(book, registry, store, pieces, since), rebuilt(book, registry, store)
    again = Store(active=dict(store.active), newest=dict(store.newest))
    go_on_alike(full, restored, registry, again, rest, now)
