"""What the desk does in this release: its steps, in the order in which they are asked."""

from collections.abc import Callable
from functools import partial

import asyncpg

from firetower.alerts.cameras.eye import Eye
from firetower.alerts.cameras.photographer import Photographer
from firetower.alerts.cameras.taking import classes_named
from firetower.alerts.correlate import CONFIRMS_WITHIN
from firetower.alerts.duty.plan import DutyPlan
from firetower.alerts.escalation.people import ways
from firetower.alerts.escalation.situations import classes_of
from firetower.alerts.handover.line import Line
from firetower.alerts.handover.sender import Sender
from firetower.alerts.notify.channel_senders import sender_of
from firetower.alerts.notify.dispatcher import Dispatcher
from firetower.core.clock import Clock, Micros
from firetower.core.config import Settings
from firetower.core.outside import Outside
from firetower.ingest.precedence import Precedence
from firetower.rules.book.model import Rule
from firetower.storage import own_alerts
from firetower.storage.cases import Cases
from firetower.storage.causes import Causes
from firetower.storage.chatter import Chatter
from firetower.storage.correlation import OverruleStep, SecondSignalStep
from firetower.storage.desk import Desk
from firetower.storage.escalations import Escalations
from firetower.storage.flood_episodes import FloodEpisodes
from firetower.storage.handovers import Handovers
from firetower.storage.hold_ends import ShelvingEnds, WindowTurns
from firetower.storage.incident_step import IncidentStep
from firetower.storage.lease import DESK, Lease
from firetower.storage.letter_facts import LetterFacts
from firetower.storage.letter_turns import LetterTurns
from firetower.storage.link_tests import LinkTests
from firetower.storage.outbox import Outbox
from firetower.storage.rate_days import RateDays
from firetower.storage.risk_rounds import RiskRounds
from firetower.storage.sealer import Sealer
from firetower.storage.self_test_step import SelfTestStep
from firetower.storage.snapshot_step import SnapshotStep
from firetower.storage.snapshots import Snapshots
from firetower.storage.telling import Telling
from firetower.storage.watch_step import WatchStep

WAITS_S = 1.0
"""Longest that the desk waits for a flood of alarms to pass; its headlines then come a second later."""


def make_desk(
    settings: Settings,
    url: str,
    pool: asyncpg.Pool,
    clock: Clock,
    precedence: Precedence | None = None,
    *,
    duty: DutyPlan,
    outside: Outside,
    within: Callable[[], Micros] = lambda: CONFIRMS_WITHIN,
    rule: Callable[[str], Rule | None] = lambda _: None,
    hears: Callable[[], bool] = lambda: True,
    aside: asyncpg.Pool | None = None,
) -> Desk:
    """Return the desk on the database at ``url``; fires first, the figures last.

    ``precedence``: of alarms on this processor; None where none pass. ``outside``: for whatever it sends. ``within``:
    gives the time within which two signals of a zone confirm each other, as the rulebook in force has it; ``rule``: the
    rule of that book by its id; ``hears``: whether devices are heard now; ``aside``: the pool for what reads or writes
    much, so that no commit waits for its connections; ``pool`` where there is none.
    """
    lease = Lease(url, DESK, clock=clock)
    letters = Dispatcher(
        Outbox(pool, lease),
        [(channel, sender_of(channel, outside, clock)) for channel in duty.channels],
        clock,
        facts=LetterFacts(pool, settings.zone, rule).of,
        tell=partial(own_alerts.tell, pool, lease),
    )
    steps = (
        OverruleStep(pool, lease),
        SecondSignalStep(pool, lease, forward=settings.forward_confirmed, within=within),
        Escalations(pool, lease, duty.deadlines.limits),
        SnapshotStep(pool, lease, classes_named(settings.snapshot_classes)),
        WatchStep(pool, lease, duty.watch),
        IncidentStep(pool, lease),
        WindowTurns(pool, lease),
        Causes(pool, lease),
        Telling(
            Cases(pool, lease, classes_of(duty.policies)),
            duty.policies,
            ways(duty.channels, settings.zone, letters.is_dead),
        ),
        ShelvingEnds(pool, lease),
        Chatter(pool, lease),
        LetterTurns(pool, lease),
        Sealer(pool, lease, settings.zone),
        SelfTestStep(pool, lease, duty.self_tests, settings.zone, clock),
        FloodEpisodes(pool, lease),
    )
    give_way = None if precedence is None else partial(precedence.give_way, WAITS_S)
    messages = Handovers(pool, lease, duty.command_centre, settings.zone)
    line = None if duty.command_centre is None else Line(duty.command_centre, outside, clock)
    told = Sender(line, messages, clock)
    links = LinkTests(pool, lease, line, duty.self_tests.link_119, zone=settings.zone, clock=clock)
    aside = aside or pool
    days = RateDays(aside, lease, settings.zone, clock, hears)
    pictures = Photographer(Snapshots(aside, lease), partial(Eye, duty.camera_secrets), clock)
    risk = RiskRounds(aside, lease, clock, period=duty.self_tests.unit_fire_test, zone=settings.zone)
    beside = (told, letters, links, days, pictures, risk)
    return Desk(url, pool, lease, clock, steps, beside=beside, give_way=give_way)
