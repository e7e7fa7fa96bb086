"""The half of the wiring (``app.py``) that takes messages in: lanes, engine, and all between broker and store."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.alerts.notify.webhook import Webhook
from firetower.alerts.provisional import ProvisionalBoard
from firetower.checkpoints import Checkpoints
from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.config import Settings
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.core.mqtt import MqttSession
from firetower.core.outside import Outside
from firetower.devices.metrics import catalogue
from firetower.devices.quality import DeviceQuality
from firetower.devices.registry import Registry
from firetower.devices.topics import lane_filters
from firetower.devices.wire import Decoder
from firetower.engines import Urls
from firetower.health import Signal
from firetower.ingest.canary import CanaryWatch
from firetower.ingest.deadman import DeadMan
from firetower.ingest.lane import Lane
from firetower.ingest.order import CommitOrder
from firetower.ingest.precedence import Precedence
from firetower.ingest.probe import Probe
from firetower.ingest.processing import Shared
from firetower.ingest.replay import Replayer
from firetower.ingest.rules_in_force import RulesInForce
from firetower.ingest.system import SystemWatch
from firetower.ingest.ticker import Ticker
from firetower.rules_reload import Current, RulesReload, on_hangup
from firetower.storage import liveness, rejects
from firetower.storage.alerts import AlertStore
from firetower.storage.backlog import AlarmBacklog
from firetower.storage.burning_rules import note_in_force, with_burning
from firetower.storage.checkpoints import CheckpointStore, ReplayFloor
from firetower.storage.ingest import IngestStore
from firetower.storage.installation import installation_id
from firetower.storage.lease import Lease
from firetower.storage.quality import QualityStore
from firetower.storage.rule_gone import end_gone
from firetower.warming import Warming

log = logger("app")

LANES = ("alarm", "telemetry", "status")


@dataclass(frozen=True, slots=True)
class Base:
    """What is there before any part is started. ``lease``: taken where devices' messages are taken in."""

    settings: Settings
    urls: Urls
    pool: asyncpg.Pool
    registry: Registry
    current: Current
    alerts: AlertStore
    clock: Clock
    lease: Lease
    outside: Outside
    board: ProvisionalBoard
    canary: CanaryWatch


@dataclass(frozen=True, slots=True)
class Hearing:
    """What takes devices' messages in, as the rest of the process sees it."""

    lanes: Sequence[Lane]
    ticker: Ticker
    precedence: Precedence
    signals: Mapping[str, Signal]


async def hear(base: Base, start: Callable[[str, Coroutine[Any, Any, None]], None]) -> Hearing:
    """Bring the engine to the state it had, and start everything between the broker and the store."""
    settings, urls, pool, registry, clock = base.settings, base.urls, base.pool, base.registry, base.clock
    start("lease", base.lease.keep())

    quality = DeviceQuality(registry)
    figures = QualityStore(pool, quality)
    await figures.load()
    floor = ReplayFloor()
    kept = CheckpointStore(pool, base.lease, floor)
    warming = Warming(pool, registry, base.alerts, quality, clock=clock, checkpoints=kept)
    base.current.set(await with_burning(pool, base.current.rulebook))
    warm = await warming.at_start(base.current.rulebook)
    engine = RulesInForce(warm.engine, whole=warm.whole)
    await note_in_force(pool, base.current.rulebook)
    await end_gone(pool, base.lease, base.current.rulebook, clock.now())
    installation = await installation_id(pool)
    probe = Probe(
        MqttSession(urls.mqtt, f"firetower-p0-probe-{installation}", clean=True, clock=clock), installation, clock
    )
    shared = Shared(
        decoder=Decoder(catalogue(), registry, retention_days=settings.retention_days),
        engine=engine,
        store=IngestStore(pool, registry, clock, retention_days=settings.retention_days, lease=base.lease, floor=floor),
        registry=registry,
        clock=clock,
        order=CommitOrder(),
        precedence=Precedence(),
        own=probe,
        quality=quality,
        provisional=base.board,
        backlog=AlarmBacklog(pool, base.lease),
    )
    lanes = [
        Lane(
            name,
            MqttSession(
                urls.mqtt,
                f"firetower-p0-{name}-{installation}",
                filters=lane_filters(name),
                # a new session is told every retained status, which a resumed one is not
                clean=name == "status",
                clock=clock,
            ),
            shared,
            batch_messages=settings.batch_messages,
            batch_age_ms=settings.batch_age_ms,
            auto_register=settings.auto_register,
        )
        for name in LANES
    ]
    telemetry = lanes[LANES.index("telemetry")]
    system = SystemWatch(telemetry, base.canary, certain=lambda: probe.known("telemetry"))
    ticker = Ticker(engine, shared.store, clock, shared.order, telemetry=telemetry, system=system)
    replayer = Replayer(rejects.Ledger(pool), telemetry)
    signals: dict[str, Signal] = {}

    for lane in lanes:
        start(f"lane {lane.name}", lane.run())
    start("probe", probe.run())
    start("ticker", ticker.run())
    start("replay", replayer.run())
    reload = RulesReload(
        settings.rulebook,
        engine,
        warming,
        [*lanes, ticker],
        pool,
        lease=base.lease,
        clock=clock,
        on_loaded=base.current.set,
    )
    on_hangup(reload.ask)
    start("rulebook", reload.run())
    start("checkpoints", Checkpoints(engine, kept, floor, [*lanes, ticker], clock).run())
    start("replay asked", rejects.follow_asked(pool, replayer.told))
    start("liveness", every(5 * SECOND, lambda: liveness.flush(pool, registry, clock.now())))
    start("quality", every(5 * SECOND, lambda: figures.flush(clock.now())))
    if settings.deadman_url is not None:
        deadman = DeadMan(settings.deadman_url, base.outside, base.canary, clock)
        signals["dead_man"] = deadman
        start("dead-man signal", deadman.run())
    if settings.notify_url is not None and settings.notify_secret is not None:
        webhook = Webhook(
            settings.notify_url, settings.notify_secret.get_secret_value(), base.outside, base.board, clock
        )
        signals["notify"] = webhook
        start("webhook", webhook.run())
    return Hearing(lanes, ticker, shared.precedence, signals)


async def every(period: Micros, act: Callable[[], Awaitable[object]]) -> None:
    """Do ``act`` each ``period``; a store that cannot answer now is asked again next time."""
    while True:
        try:
            await act()
        except (StoreUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as err:
            task = asyncio.current_task()
            assert task is not None  # this is a coroutine that runs as one
            log.warning("%s: put off, the store cannot answer: %s", task.get_name(), err)
        await asyncio.sleep(period / SECOND)
