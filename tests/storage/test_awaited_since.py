"""An upgrade finds in the history since when somebody is awaited, as it stands on alerts from then on."""

from pathlib import Path

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory
from alert_making import T0, commit, fire, hazard
from desk_city import City

from firetower.alerts.acts import Acknowledge
from firetower.alerts.closing import Reopen
from firetower.core.clock import SECOND, ManualClock
from firetower.storage import migrate
from firetower.storage.alerts import AlertStore
from firetower.storage.escalations import Escalations
from firetower.storage.lease import Lease

S = SECOND


def statements() -> tuple[str, ...]:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config).get_revision("0011").module.STATEMENTS


async def test_what_the_upgrade_reads_from_the_history_is_what_stands_on_the_alert(pool: asyncpg.Pool, lease: Lease):
    """Raised, said again, risen, escalated, verified too late, reopened: each as the service itself writes it."""
    city, clock = City(pool), ManualClock(T0)
    store, step = AlertStore(pool, clock), Escalations(pool, lease)

    async def act(alert_id: int, what, at: int) -> None:
        clock.set(at)
        await store.act(alert_id, what, actor="li")

    waiting, again, late, low, gone = await city.raised(
        fire("s1"), fire("s2"), fire("s3"), hazard("h1"), fire("s4")
    )  # fmt: skip
    await city.shown(waiting, again, late, low, gone)
    for each in (again, late, gone):
        await act(each, Acknowledge(), T0 + 10 * S)
    await step.take(None, T0 + 40 * S)
    await commit(pool, [fire("s2", T0 + 50 * S), hazard("h1", T0 + 50 * S, priority=2)], T0 + 55 * S)
    await step.take([again], T0 + 100 * S)
    await step.take(None, T0 + 200 * S)
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm' WHERE id = $1", gone)
    await act(gone, Reopen("smoke again"), T0 + 300 * S)

    async def stands() -> list[tuple[object, ...]]:
        rows = await pool.fetch("SELECT id, alarmed_at, missed FROM alert ORDER BY id")
        return [tuple(row) for row in rows]

    before = await stands()
    assert len({at for _, at, _ in before}) == 4, "the case tells periods apart"
    assert {tuple(missed) for _, _, missed in before} == {(), ("acknowledgement_overdue",)}
    await pool.execute("UPDATE alert SET alarmed_at = now(), missed = '{}'")
    for statement in statements()[1:3]:
        await pool.execute(statement)
    assert await stands() == before
