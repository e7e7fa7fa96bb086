"""The one place that wires everything: the service from its settings and its servers' URLs."""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import asyncpg

from firetower.core.child import check_port, keep_running
from firetower.core.clock import HOUR, MINUTE, SECOND, Clock, Micros, SystemClock
from firetower.core.config import Settings
from firetower.core.errors import FiretowerError, StoreUnavailable
from firetower.core.logs import logger
from firetower.core.mqtt import MqttSession
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.devices.topics import lane_filters
from firetower.devices.wire import Decoder
from firetower.engines import Urls
from firetower.health import Health
from firetower.ingest.lane import Lane
from firetower.ingest.order import CommitOrder
from firetower.ingest.precedence import Precedence
from firetower.ingest.processing import Shared
from firetower.ingest.replay import Replayer
from firetower.ingest.ticker import Ticker
from firetower.rules import rulebook as rulebooks
from firetower.rules.engine import Engine
from firetower.storage import accounts, liveness, migrate, readings, rejects
from firetower.storage import pool as pools
from firetower.storage import registry as stored_registry
from firetower.storage.alerts import AlertStore
from firetower.storage.ingest import IngestStore
from firetower.storage.installation import installation_id
from firetower.storage.upkeep import upkeep
from firetower.web import passwords
from firetower.web.server import Deps, make_app, serve

log = logger("app")

WARM_WINDOW: Micros = 2 * HOUR
SUBSCRIBED_WITHIN_S = 5.0
LANES = ("alarm", "telemetry", "status")


@dataclass(frozen=True, slots=True)
class Running:
    """What is up: where the console is, and the first account's password when it was just generated."""

    http_url: str | None
    admin_password: str | None


async def run(
    settings: Settings,
    urls: Urls,
    *,
    on_ready: Callable[[Running], None] = lambda _: None,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
) -> None:
    """Run the service until ``stop`` is set, or SIGINT or SIGTERM comes; then end every part in order."""
    clock = clock or SystemClock()
    stop = stop or _stop_on_signals()
    if settings.role in {"all", "web"}:  # before anything that would have to be taken back
        check_port(settings.http_host, settings.http_port, "the console and the API", "--port or FIRETOWER_HTTP_PORT")
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_plain_errors())
        await asyncio.to_thread(migrate.upgrade, urls.database)
        pool = await pools.connect(urls.database)
        stack.push_async_callback(_close, pool)
        # of their own, so that however many people look up whatever is slow, no commit waits for a connection
        desk = await pools.connect(urls.database)
        stack.push_async_callback(_close, desk)
        generated = await _first_account(pool, settings, clock.now())

        registry = Registry()
        await stored_registry.load(pool, registry)
        rulebook = rulebooks.load(settings.rulebook)
        alerts = AlertStore(desk, clock)
        engine = await _warm_engine(rulebook, registry, pool, alerts, clock.now())
        store = IngestStore(pool, registry, clock, retention_days=settings.retention_days)

        hears = settings.role in {"all", "ingest"}
        keep_liveness = liveness.flush if hears else liveness.mirror
        parts = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [
            parts.create_task(keep_running(urls.children), name="embedded engines"),
            parts.create_task(stored_registry.watch(pool, registry), name="registry"),
            parts.create_task(_every(5 * SECOND, lambda: keep_liveness(pool, registry, clock.now())), name="liveness"),
            parts.create_task(
                _every(10 * MINUTE, lambda: upkeep(pool, clock.now(), settings.retention_days)), name="upkeep"
            ),
        ]
        lanes: list[Lane] = []
        ticker: Ticker | None = None
        if hears:
            decoder = Decoder(catalogue(), registry, retention_days=settings.retention_days)
            shared = Shared(decoder, engine, store, registry, clock, CommitOrder(), Precedence())
            installation = await installation_id(pool)
            for name in LANES:
                session = MqttSession(
                    urls.mqtt,
                    f"firetower-p0-{name}-{installation}",
                    filters=lane_filters(name),
                    on_messages=None,  # the lane takes it over
                    # a new session is told every retained status, which a resumed one is not
                    clean=name == "status",
                    clock=clock,
                )
                lane = Lane(
                    name, session, shared,
                    batch_messages=settings.batch_messages, batch_age_ms=settings.batch_age_ms,
                    auto_register=settings.auto_register,
                )  # fmt: skip
                lanes.append(lane)
                tasks.append(parts.create_task(lane.run(), name=f"lane {name}"))
            ticker = Ticker(engine, store, clock, shared.order, telemetry=lanes[LANES.index("telemetry")])
            tasks.append(parts.create_task(ticker.run(), name="ticker"))
            replayer = Replayer(rejects.Ledger(pool), lanes[LANES.index("telemetry")])
            tasks.append(parts.create_task(replayer.run(), name="replay"))
            tasks.append(parts.create_task(rejects.follow_asked(pool, replayer.told), name="replay asked"))
        stack.callback(_cancel, tasks)

        health = Health(pool, lanes, clock, ticker=ticker)
        tasks.append(parts.create_task(health.run(), name="health"))
        http_url = None
        if settings.role in {"all", "web"}:
            console = Path(str(files("firetower.web") / "console"))
            app = make_app(
                Deps(
                    pool=desk, registry=registry, alerts=alerts, clock=clock, rulebook=rulebook, health=health,
                    message_rate=health.message_rate, console=console,
                )
            )  # fmt: skip
            port = await stack.enter_async_context(serve(app, settings.http_host, settings.http_port))
            http_url = f"http://{settings.http_host}:{port}/"
        await _subscribed(lanes)
        on_ready(Running(http_url, generated))
        await stop.wait()
        log.info("stopping")


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Give an error that a person can act on as itself, not inside the group a TaskGroup makes of it."""
    try:
        yield
    except BaseExceptionGroup as group:
        ours, others = group.split(FiretowerError)
        if ours is None or others is not None:
            raise
        leaf: BaseException = ours
        while isinstance(leaf, BaseExceptionGroup):
            leaf = leaf.exceptions[0]
        raise leaf from None


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _subscribed(lanes: Sequence[Lane]) -> None:
    """Wait a little for the lanes' subscriptions, so that what is published from now on is kept for us."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SUBSCRIBED_WITHIN_S):
            for lane in lanes:
                await lane.session.wait_connected()


def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _every(period: Micros, act: Callable[[], Awaitable[object]]) -> None:
    """Do ``act`` each ``period``; a store that cannot answer now is asked again next time."""
    while True:
        try:
            await act()
        except (StoreUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as err:
            task = asyncio.current_task()
            assert task is not None  # this is a coroutine that runs as one
            log.warning("%s: put off, the store cannot answer: %s", task.get_name(), err)
        await asyncio.sleep(period / SECOND)


async def _first_account(pool: asyncpg.Pool, settings: Settings, now: Micros) -> str | None:
    """Make the account ``admin`` where there is none; return its password when it was generated."""
    if await accounts.list_accounts(pool):
        return None
    given = settings.admin_password.get_secret_value() if settings.admin_password else None
    password = given or secrets.token_urlsafe(12)
    await accounts.add(pool, "admin", await asyncio.to_thread(passwords.hash_password, password), "admin", now)
    return None if given else password


async def _warm_engine(
    rulebook: rulebooks.Rulebook, registry: Registry, pool: asyncpg.Pool, alerts: AlertStore, now: Micros
) -> Engine:
    """Bring the engine to the state it had: open alerts first, then the stored readings of the last hours."""
    since = now - WARM_WINDOW
    engine = Engine(rulebook, registry, warm_since=since)
    for row in await alerts.open_for_engine():
        if not engine.seed(row.rule, row.device_number, row.component, row.priority, row.condition_at):
            log.warning(
                "alert of %s on %s %s: the rulebook has no such rule any more, so its return to normal is not noticed; "
                "close it by hand",
                row.rule, row.subject, row.component,
            )  # fmt: skip
    async for batch in readings.recent(pool, registry, since):
        engine.warm(batch)
    return engine
