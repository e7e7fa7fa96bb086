"""The one place that wires everything: the service from its settings and its servers' URLs."""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg

from firetower import garbage
from firetower.alerts.correlate import confirms_within
from firetower.alerts.duty import plan as duty_plan
from firetower.alerts.performance import Roster
from firetower.alerts.provisional import ProvisionalBoard
from firetower.backtest_process import BacktestProcesses
from firetower.core.child import check_port, keep_running
from firetower.core.clock import MINUTE, SECOND, Clock, Micros, SystemClock
from firetower.core.config import Settings
from firetower.core.errors import FiretowerError
from firetower.core.logs import logger
from firetower.core.mqtt import MqttSession
from firetower.core.outside import Outside
from firetower.desk_wiring import make_desk
from firetower.devices.metrics import catalogue
from firetower.devices.rates import Targets
from firetower.devices.registry import Registry
from firetower.devices.topics import lane_filters
from firetower.devices.wire import Decoder
from firetower.engines import Urls
from firetower.health import Health
from firetower.hearing import LANES, Base, Hearing, every, hear
from firetower.ingest.canary import CanaryWatch
from firetower.ingest.lane import Lane
from firetower.ingest.lookout import Lookout
from firetower.rule_protection import rules_for_a_start
from firetower.rules_reload import Current, on_hangup
from firetower.storage import accounts, liveness, migrate
from firetower.storage import canary as canaries
from firetower.storage import pool as pools
from firetower.storage import registry as stored_registry
from firetower.storage.alerts import AlertStore
from firetower.storage.ingest import IngestStore
from firetower.storage.lease import Lease
from firetower.storage.upkeep import upkeep
from firetower.web import deps, passwords
from firetower.web.base_map import base_map
from firetower.web.server import Deps, make_app, serve

log = logger("app")

SUBSCRIBED_WITHIN_S = 5.0
ENDS_WITHIN_S = 5.0
"""An end that takes longer waits for a database that does not answer."""


@dataclass(frozen=True, slots=True)
class Running:
    """What is up: where the console is, and the first account's password when it was just generated."""

    http_url: str | None
    admin_password: str | None


async def run(  # noqa: PLR0915  # reason: the one straight line in which everything is wired
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
    hears = settings.role in {"all", "ingest"}
    ground = base_map(settings.map_base, settings.map_attribution, settings.map_review_number, settings.map_crs)
    duty = duty_plan.shipped() if settings.duty is None else duty_plan.load(settings.duty)
    if not duty.policies:
        log.info("the duty plan has no policies: nobody outside is told of anything; see FIRETOWER_DUTY, docs/duty.md")
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
        current = Current(await rules_for_a_start(pool, settings.rulebook))
        alerts = AlertStore(desk, clock)
        lease = Lease(urls.database, 0, clock=clock)
        if hears:  # before the engine is warmed: whoever was overtaken commits no more
            await lease.take()
            stack.callback(lease.release)
        outside = await stack.enter_async_context(Outside())
        parts = await stack.enter_async_context(asyncio.TaskGroup())
        tasks: list[asyncio.Task[None]] = []
        stack.callback(_cancel, tasks)

        def start(name: str, part: Coroutine[Any, Any, None]) -> None:
            tasks.append(parts.create_task(part, name=name))

        start("embedded engines", keep_running(urls.children))
        start("registry", stored_registry.watch(pool, registry))
        kept = (settings.retention_days, settings.snapshot_days)
        start("upkeep", every(10 * MINUTE, lambda: upkeep(pool, clock.now(), *kept)))
        board = ProvisionalBoard(registry, clock)
        canary = CanaryWatch(lambda: canaries.latest(desk), clock)
        start("canary", canary.run())
        hearing: Hearing | None = None
        if hears:
            base = Base(settings, urls, pool, registry, current, alerts, clock, lease, outside, board, canary)
            hearing = await hear(base, start)
        else:
            on_hangup(lambda: None)  # whoever judges loads it; what is in force is shown here soon after
            start("rulebook", current.follow(pool))
            start("liveness", every(5 * SECOND, lambda: liveness.mirror(pool, registry, clock.now())))
        alarms = hearing.lanes[LANES.index("alarm")] if hearing else None
        own_name = f"firetower-look-out-{secrets.token_hex(8)}"
        lookout = Lookout(
            MqttSession(urls.mqtt, own_name, filters=lane_filters("alarm"), clean=True, clock=clock),
            Decoder(catalogue(), registry, retention_days=settings.retention_days),
            IngestStore(desk, registry, clock), board, clock, active=lambda: alarms is None or alarms.paused,
        )  # fmt: skip
        start("look-out", lookout.run())
        office = make_desk(
            settings,
            urls.database,
            pool,
            clock,
            hearing.precedence if hearing else None,
            duty=duty,
            outside=outside,
            within=lambda: confirms_within(current.rulebook.rules),
            rule=lambda rule_id: current.rulebook.rule(rule_id),  # noqa: PLW0108  # reason: the book in force changes
            hears=lambda: deps.hears(health),
            aside=desk,
        )
        start("desk", office.run())
        health = Health(
            pool,
            hearing.lanes if hearing else [lookout],
            clock,
            ticker=hearing.ticker if hearing else None,
            canary=canary,
            signals={"desk": office, **(hearing.signals if hearing else {})},
        )
        start("health", health.run())
        http_url = None
        if settings.role in {"all", "web"}:
            console = Path(str(files("firetower.web") / "console"))
            backtests = BacktestProcesses(pool, urls.database, clock)
            start("back-tests", backtests.run())
            app = make_app(
                Deps(
                    pool=desk, registry=registry, alerts=alerts, clock=clock, rulebook=lambda: current.rulebook,
                    health=health, message_rate=health.message_rate, lags=health.lags, console=console,
                    provisional=board,
                    roster=Roster(settings.shift_times, settings.zone), backtests=backtests,
                    base_map=ground,
                    duty=duty,
                    targets=Targets(settings.target_connection, settings.target_online, settings.target_intact),
                )
            )  # fmt: skip
            port = await stack.enter_async_context(serve(app, settings.http_host, settings.http_port))
            http_url = f"http://{settings.http_host}:{port}/"
        if hearing is not None:
            await _subscribed(hearing.lanes)
        garbage.set_apart()
        stack.callback(asyncio.get_running_loop().call_later, ENDS_WITHIN_S, _free, (pool, desk))
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


def _free(held: Sequence[asyncpg.Pool]) -> None:
    """Close, without a word, the connections that somebody still waits on: a database that hangs must not hold us."""
    for pool in held:
        pool.terminate()


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _first_account(pool: asyncpg.Pool, settings: Settings, now: Micros) -> str | None:
    """Make the account ``admin`` where there is none; return its password when it was generated."""
    if await accounts.list_accounts(pool):
        return None
    given = settings.admin_password.get_secret_value() if settings.admin_password else None
    password = given or secrets.token_urlsafe(12)
    await accounts.add(pool, "admin", await asyncio.to_thread(passwords.hash_password, password), "admin", now)
    return None if given else password
