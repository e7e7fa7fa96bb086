"""The engine's checkpoint: written once all that it knows is committed, read at a start, true to what is stored."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from firetower.checkpoints import Checkpoints
from firetower.core.clock import HOUR, MINUTE, ManualClock, Micros
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.ingest.ports import Stranger, Work
from firetower.ingest.rules_in_force import RulesInForce
from firetower.rules.book.rulebook import Rulebook, load
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch
from firetower.storage import registry as stored_registry
from firetower.storage.alerts import AlertStore
from firetower.storage.checkpoints import CheckpointStore, ReplayFloor
from firetower.storage.ingest import IngestStore
from firetower.storage.lease import Lease
from firetower.warming import Warming

PRESSURE = catalogue().by_name["pressure"].number
SLOW = """
rules:
  - id: hydrant-low-for-long
    version: 1
    title: {zh: 水压长时间偏低, en: Pressure low for long}
    advice: {zh: 检查, en: Look}
    class: hazard
    kinds: [hydrant]
    metric: pressure
    condition:
      limit:
        side: below
        bands: [{priority: 3, limit: 0.14 MPa, clear: 0.16 MPa, on_delay: 6h, source: "J, a test"}]
"""


class Installation:
    """Two hydrants, their store, and engines that come and go."""

    def __init__(self, pool: asyncpg.Pool, lease: Lease, clock: ManualClock, book: Rulebook) -> None:
        self.pool, self.lease, self.clock, self.book = pool, lease, clock, book
        self.begun = clock.now()
        self.waiting: list[str] = []

    async def start(self) -> None:
        """Begin with what is stored and nothing in memory, as after a crash."""
        self.registry, self.floor = Registry(), ReplayFloor()
        await stored_registry.load(self.pool, self.registry)
        self.kept = CheckpointStore(self.pool, self.lease, self.floor)
        self.store = IngestStore(self.pool, self.registry, self.clock, lease=self.lease, floor=self.floor)
        alerts, quality = AlertStore(self.pool, self.clock), DeviceQuality(self.registry)
        self.warming = Warming(self.pool, self.registry, alerts, quality, clock=self.clock, checkpoints=self.kept)
        await self.store.register([Stranger("u1", each, DeviceKind.HYDRANT) for each in ("h1", "h2")], self.begun)

    async def settled(self) -> None:
        """What a lane says once everything is committed."""
        self.waiting.append("settled")

    async def checkpoint(self, engine: Engine) -> None:
        assert await Checkpoints(RulesInForce(engine), self.kept, self.floor, [self], self.clock).take()

    def low(self, hours: float, *, device: str = "h1", value: float = 0.05) -> Readings:
        number = self.registry.number("u1", device)
        assert number is not None
        at = self.begun + round(hours * HOUR)
        series = self.registry.series(number, PRESSURE, 0)
        return Readings.of([series], [number], [PRESSURE], [0], [at], [at], [value], [0])

    async def judge(self, engine: Engine, readings: Readings) -> list[tuple[str, Micros]]:
        """Have readings judged and stored, at the time of the newest or later; return rules and event times."""
        self.clock.set(max(self.clock.now(), int(readings.ts.max())))
        verdicts = engine.evaluate(Batch(readings, self.clock.now()))
        await self.store.commit(Work("telemetry", readings=readings, verdicts=verdicts))
        return [(verdict.rule, verdict.at) for verdict in verdicts]


@pytest_asyncio.fixture
async def here(
    pool: asyncpg.Pool, database_url: str, clock: ManualClock, tmp_path: Path
) -> AsyncIterator[Installation]:
    (tmp_path / "slow.yaml").write_text(SLOW, "utf-8")
    lease = Lease(database_url, 0, clock=clock)
    await lease.take()
    made = Installation(pool, lease, clock, load(tmp_path))
    await made.start()
    yield made
    lease.release()


async def test_a_delay_longer_than_any_warm_up_stays_half_over_through_a_restart(here: Installation) -> None:
    """Low since the first hour; the checkpoint knows it, though the last hours alone could not tell."""
    engine = Engine(here.book, here.registry)
    for hour in range(6):
        assert await here.judge(engine, here.low(hour)) == []
    await here.checkpoint(engine)
    assert await here.judge(engine, here.low(5.9)) == []

    await here.start()
    warm = await here.warming.at_start(here.book)
    assert warm.whole
    assert await here.judge(warm.engine, here.low(6)) == [("hydrant-low-for-long", here.begun + 6 * HOUR)]


async def test_a_backlog_stored_after_the_checkpoint_is_known_after_a_restart(here: Installation) -> None:
    """Hours older than what is replayed else: the checkpoint is replayed from the oldest of it on."""
    engine = Engine(here.book, here.registry)
    await here.judge(engine, here.low(5))
    await here.checkpoint(engine)
    for hour in range(6):
        assert await here.judge(engine, here.low(hour, device="h2")) == []

    await here.start()
    warm = await here.warming.at_start(here.book)
    assert warm.whole
    assert await here.judge(warm.engine, here.low(6, device="h2")) == [("hydrant-low-for-long", here.begun + 6 * HOUR)]


async def test_without_a_checkpoint_the_whole_state_is_made_from_what_is_stored(here: Installation) -> None:
    """A start does not wait for it and says so; what is made afterwards knows as much as if it had never stopped."""
    engine = Engine(here.book, here.registry)
    for hour in range(6):
        await here.judge(engine, here.low(hour))
    await here.start()
    assert not (await here.warming.at_start(here.book)).whole
    whole = await here.warming.whole(here.book, None)
    await here.warming.catch_up(whole, here.clock.now() - HOUR)
    assert await here.judge(whole, here.low(6)) == [("hydrant-low-for-long", here.begun + 6 * HOUR)]


async def test_a_checkpoint_of_another_rulebook_is_not_taken(here: Installation, tmp_path: Path) -> None:
    await here.judge(engine := Engine(here.book, here.registry), here.low(0))
    await here.judge(engine, here.low(1))
    await here.checkpoint(engine)
    (tmp_path / "slow.yaml").write_text(SLOW.replace("0.14 MPa", "0.13 MPa"), "utf-8")
    here.clock.advance(3 * HOUR)
    assert not (await here.warming.at_start(load(tmp_path))).whole


async def test_a_new_rulebook_keeps_what_its_unchanged_rules_know(here: Installation, tmp_path: Path) -> None:
    """With no readings left to learn it from: at a reload from the running engine, at a start from its checkpoint."""
    engine = Engine(here.book, here.registry)
    for hour in range(6):
        await here.judge(engine, here.low(hour))
    await here.checkpoint(engine)
    await here.pool.execute("DELETE FROM reading")
    other = SLOW.replace("hydrant-low-for-long", "flow-low").replace("pressure", "flow").replace("MPa", "L/s")
    (tmp_path / "other.yaml").write_text(other, "utf-8")
    book = load(tmp_path)
    wanted = [("hydrant-low-for-long", here.begun + 6 * HOUR)]
    reloaded = await here.warming.whole(book, engine)
    assert [(each.rule, each.at) for each in reloaded.evaluate(Batch(here.low(6), here.clock.now()))] == wanted
    await here.start()
    started = (await here.warming.at_start(book)).engine
    assert [(each.rule, each.at) for each in started.evaluate(Batch(here.low(6), here.clock.now()))] == wanted


async def test_a_checkpoint_that_cannot_be_read_is_thrown_away_and_the_start_goes_on(
    here: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    await here.judge(engine := Engine(here.book, here.registry), here.low(0))
    await here.checkpoint(engine)
    await here.pool.execute("UPDATE rule_checkpoint_piece SET data = 'nonsense' WHERE n = 0")
    await here.start()
    here.clock.advance(3 * HOUR)
    assert not (await here.warming.at_start(here.book)).whole
    assert "the checkpoint of the rules cannot be used" in caplog.text
    assert await here.pool.fetchval("SELECT count(*) FROM rule_checkpoint") == 0


async def test_a_checkpoint_is_written_only_when_all_it_knows_is_committed(here: Installation) -> None:
    """Else a crash could leave a state that knows of an alert nobody stored."""
    await here.judge(engine := Engine(here.book, here.registry), here.low(0))
    before = await here.pool.fetchval("SELECT count(*) FROM rule_checkpoint")

    class Slow(Installation):
        async def settled(self) -> None:
            self.waiting.append(str(await self.pool.fetchval("SELECT count(*) FROM rule_checkpoint")))

    lane = Slow(here.pool, here.lease, here.clock, here.book)
    assert await Checkpoints(RulesInForce(engine), here.kept, here.floor, [lane], here.clock).take()
    assert (before, lane.waiting) == (0, ["0"])
    assert await here.pool.fetchval("SELECT count(*) FROM rule_checkpoint") == 1


async def test_of_two_checkpoints_the_newer_one_stays(here: Installation) -> None:
    engine = Engine(here.book, here.registry)
    for hour in range(2):
        await here.judge(engine, here.low(hour))
        await here.checkpoint(engine)
    assert await here.pool.fetchval("SELECT count(*) FROM rule_checkpoint") == 1
    pieces = await here.pool.fetchval("SELECT count(DISTINCT checkpoint_id) FROM rule_checkpoint_piece")
    assert pieces == 1


OPENED = """
rules:
  - id: hydrant-opened-for-long
    version: 1
    title: {zh: 长时间打开, en: Open for long}
    advice: {zh: 检查, en: Look}
    class: hazard
    kinds: [hydrant]
    condition:
      event: {events: [cover_open], priority: 3, source: "J, a test"}
"""


@pytest.mark.parametrize("behind", [0, 8 * HOUR], ids=["right clock", "clock 8 h behind"])
async def test_the_end_of_an_event_after_the_checkpoint_is_known_after_a_restart(
    here: Installation, tmp_path: Path, behind: Micros
) -> None:
    """Whatever the device's clock says: else the next time it happens would be no news."""
    (tmp_path / "slow.yaml").write_text(OPENED, "utf-8")
    book = load(tmp_path)

    async def says(engine: Engine, minutes: int, *, active: bool) -> list[str]:
        now = here.begun + HOUR + minutes * MINUTE
        here.clock.set(now)
        said = Event(
            "u1", "h1", here.registry.number("u1", "h1"), "cover_open", active, "", "", now - behind, now, f"k{minutes}"
        )
        verdicts = engine.evaluate(Batch(Readings.empty(), now, [said]))
        await here.store.commit(Work("alarm", events=[said], verdicts=verdicts))
        return [verdict.rule for verdict in verdicts]

    engine = Engine(book, here.registry)
    assert "hydrant-opened-for-long" in await says(engine, 0, active=True)
    await here.checkpoint(engine)
    await says(engine, 5, active=False)
    await here.start()
    engine = (await here.warming.at_start(book)).engine
    assert "hydrant-opened-for-long" in await says(engine, 10, active=True)


REAL = SLOW.replace("on_delay: 6h", "on_delay: 0s")
TRIED = REAL.replace("kinds: [hydrant]", "kinds: [hydrant]\n    shadow: true")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (REAL, REAL, []),
        (TRIED, TRIED, []),
        (TRIED, REAL, [("raise", False)]),
        (REAL, TRIED, [("raise", True)]),
    ],
    ids=["real", "on trial", "tried before, real now", "real before, tried now"],
)
async def test_a_restart_knows_what_stands_of_a_rule_as_it_is_now_real_or_on_trial(
    here: Installation, tmp_path: Path, before: str, after: str, said: list[tuple[str, bool]]
) -> None:
    """Else what was tried would never alarm once it is real, or every restart would raise it anew; it ends once."""
    (tmp_path / "slow.yaml").write_text(before, "utf-8")
    engine = Engine(load(tmp_path), here.registry)
    assert await here.judge(engine, here.low(0)) == [("hydrant-low-for-long", here.begun)]
    (tmp_path / "slow.yaml").write_text(after, "utf-8")
    await here.start()
    engine = (await here.warming.at_start(load(tmp_path))).engine
    for value, wanted in ((0.05, said), (0.3, [("clear", after is TRIED)])):
        here.clock.advance(MINUTE)
        low = here.low((here.clock.now() - here.begun) / HOUR, value=value)
        told = engine.evaluate(Batch(low, here.clock.now()))
        assert [(each.kind.value, each.shadow) for each in told] == wanted


HELD = REAL.replace(
    "    condition:", "    suppressed: {events: [cover_open], reason: {zh: 打开, en: open}}\n    condition:", 1
)


async def test_what_was_held_by_design_before_a_restart_comes_up_when_that_is_over(
    here: Installation, tmp_path: Path
) -> None:
    """Hours later, when neither the reading nor the alarm that led to it is replayed: nobody else would tell of it."""
    (tmp_path / "slow.yaml").write_text(HELD, "utf-8")
    book = load(tmp_path)

    def opened(hours: float, *, active: bool) -> Event:
        at = here.begun + round(hours * HOUR)
        return Event("u1", "h1", here.registry.number("u1", "h1"), "cover_open", active, "", "", at, at, f"k{hours}")

    engine, said = Engine(book, here.registry), opened(0, active=True)
    verdicts = engine.evaluate(Batch(here.low(0), here.clock.now(), [said]))
    assert {each.rule: each.suppressed for each in verdicts}["hydrant-low-for-long"] == "event:cover_open"
    await here.store.commit(Work("alarm", readings=here.low(0), events=[said], verdicts=verdicts))
    here.clock.advance(5 * HOUR)
    await here.start()
    engine = (await here.warming.at_start(book)).engine
    assert engine.evaluate(Batch(here.low(5), here.clock.now())) == []
    told = engine.evaluate(Batch(Readings.empty(), here.clock.now(), [opened(5.1, active=False)]))
    (released,) = [each for each in told if each.event is None]
    assert (released.rule, released.suppressed, released.again) == ("hydrant-low-for-long", "", True)


async def test_where_nothing_older_is_stored_a_start_knows_all_there_is_to_know(here: Installation) -> None:
    """A new installation, or one of this morning: no second engine is made to learn nothing."""
    assert (await here.warming.at_start(here.book)).whole
    await here.judge(Engine(here.book, here.registry), here.low(0))
    assert (await here.warming.at_start(here.book)).whole
    here.clock.advance(3 * HOUR)
    assert not (await here.warming.at_start(here.book)).whole
