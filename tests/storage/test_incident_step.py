"""Incidents on the real store: alerts are given one, members counted, changes announced, nothing done twice."""

from typing import Any

import asyncpg
import pytest
from alert_making import T0, clear, commit, fire, hazard

from firetower.alerts.acts import Acknowledge
from firetower.alerts.incidents import JOINS_WITHIN
from firetower.alerts.ports import IncidentFilter
from firetower.core.clock import MINUTE, SECOND, ManualClock
from firetower.core.errors import InvalidInput, LeaseLost, NotFound
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import HISTORICAL, SubjectKind
from firetower.storage import changes, incident_step, incidents
from firetower.storage.alerts import AlertStore
from firetower.storage.incident_step import IncidentStep
from firetower.storage.lease import Lease

AT = T0 + 5 * SECOND
ZONE = "zone:u1/b1/f3/za"


@pytest.fixture
def step(pool: asyncpg.Pool, lease: Lease) -> IncidentStep:
    return IncidentStep(pool, lease)


async def raised(pool: asyncpg.Pool, *verdicts: Any, scene: str = ZONE, at: int = AT) -> list[int]:
    """Raise alerts in a scene; return their ids."""
    ids = (await commit(pool, verdicts, at)).alert_ids
    await pool.execute("UPDATE alert SET scene = $2, zone = 'b1/f3/za' WHERE id = ANY($1)", ids, scene)
    return ids


async def of(pool: asyncpg.Pool, *ids: int) -> list[int | None]:
    rows = await pool.fetch("SELECT incident_id FROM alert WHERE id = ANY($1) ORDER BY id", ids)
    return [row["incident_id"] for row in rows]


async def test_alerts_of_a_scene_get_one_incident_which_names_the_place_and_is_announced(
    pool: asyncpg.Pool, step: IncidentStep
) -> None:
    """With the registry's words; the alerts that were given one are announced with it."""
    await pool.execute(
        "WITH u AS (INSERT INTO unit (code, name) VALUES ('u1', '人民医院') RETURNING id),"
        " b AS (INSERT INTO building (unit_id, code, name) SELECT id, 'b1', '住院楼' FROM u RETURNING id),"
        " f AS (INSERT INTO floor (building_id, code, name) SELECT id, 'f3', '3F' FROM b RETURNING id)"
        " INSERT INTO zone (floor_id, code, name) SELECT id, 'za', 'A区' FROM f"
    )
    ids = await raised(pool, fire(), fire("smk-2"), hazard())
    before = await changes.latest(pool)
    await step.take(ids, AT)
    (one,) = await incidents.open_incidents(pool)
    assert one.headline_zh == "人民医院 住院楼/3F/A区：火警 2、隐患 1"
    assert one.headline_en == "人民医院, 住院楼/3F/A区: 2 fire alarms, 1 hazard"
    assert (one.unit, one.place, one.opened_at, one.version) == ("u1", "住院楼/3F/A区", AT, 1)
    assert await of(pool, *ids) == [one.id] * 3
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
        told = await changes.since(conn, before)
    assert told is not None
    assert (told.alerts, told.incidents) == (sorted(ids), [one.id])


async def test_what_is_said_of_a_group_joins_the_incident_of_its_members(
    pool: asyncpg.Pool, step: IncidentStep
) -> None:
    """One fire, the building's water flow and the burnt line are one, in whatever order the desk sees them.

    The most urgent of the group's own; not one elsewhere, nor of another class, nor one of long ago.
    """
    older = await raised(pool, fire("smk-9"), scene="zone:u1/b2/f1/zb", at=AT - MINUTE)
    low = await raised(pool, hazard(), scene="gateway:u1/gw")
    await pool.execute("UPDATE alert SET zone = 'b2/f1/zb' WHERE id = $1", older[0])
    both = {"event": None, "component": "", "rule": "fire-with-waterflow"}
    about = [
        fire(**both, subject_kind=SubjectKind(kind), subject=subject)
        for kind, subject in (("zone", "u1/b1"), ("unit", "u1"), ("gateway", "u1/gw"), ("zone", "u1/b3"))
    ]
    said = [(await raised(pool, each, scene=f"{each.subject_kind}:{each.subject}"))[0] for each in about]
    silent = await raised(
        pool, hazard(alert_class=AlertClass.OFFLINE, subject_kind=SubjectKind.UNIT, subject="u1"), scene="unit:u1"
    )
    burning = await raised(pool, fire(), at=AT + SECOND)
    await pool.execute("UPDATE alert SET gateway = 'gw' WHERE id = ANY($1)", [*burning, *low])
    await pool.execute("UPDATE alert SET zone = substr(subject, 4) WHERE subject_kind = 'zone'")
    await step.take([*silent, *said, *older, *low, *burning], AT + SECOND)
    one = (await of(pool, *burning))[0]
    assert await of(pool, *said[:3]) == [one] * 3
    assert len({*await of(pool, *said[3:], *older, *low, *silent), one}) == 5
    late = await raised(pool, fire(**both, subject_kind=SubjectKind.ZONE, subject="u1/b1/f3"), at=AT + 2 * JOINS_WITHIN)
    await step.take(late, AT + 2 * JOINS_WITHIN)
    assert one not in await of(pool, *late)


async def test_a_later_alert_joins_and_after_a_pause_another_incident_begins(
    pool: asyncpg.Pool, step: IncidentStep
) -> None:
    """Half an hour after the last one, not after the first."""
    first = await raised(pool, fire())
    await step.take(first, AT)
    second = await raised(pool, fire("smk-2"), at=AT + JOINS_WITHIN)
    await step.take(second, AT + JOINS_WITHIN)
    third = await raised(pool, fire("smk-3"), at=AT + 3 * JOINS_WITHIN)
    await step.take(third, AT + 3 * JOINS_WITHIN)
    one, two, three = await of(pool, *first, *second, *third)
    assert one == two != three
    assert (await incidents.get(pool, one or 0)).members == (("fire", 2, 2),)


async def test_an_incident_follows_its_members_until_the_last_is_closed_and_when_one_is_opened_again(
    pool: asyncpg.Pool, step: IncidentStep
) -> None:
    """The fire is closed, the hazard leads; that ends, the incident is closed."""
    low = hazard()
    burning, falling = await raised(pool, fire()), await raised(pool, low)
    await step.take([*burning, *falling], AT)
    store = AlertStore(pool, ManualClock(AT + MINUTE))
    await store.act(burning[0], Acknowledge(), actor="li")
    await store.act(falling[0], Acknowledge(), actor="li")
    await pool.execute(
        "UPDATE alert SET state = 'closed', disposition = 'false_alarm', cause = 'steam' WHERE id = $1", burning[0]
    )
    await step.take(burning, AT + MINUTE)
    (one,) = await incidents.open_incidents(pool)
    assert (one.alert_class, one.priority, one.members) == ("hazard", 3, (("fire", 1, 0), ("hazard", 1, 1)))
    await commit(pool, [clear(low, T0 + MINUTE)], AT + MINUTE)
    await step.take(falling, AT + 2 * MINUTE)
    assert await incidents.open_incidents(pool) == []
    assert (await incidents.get(pool, one.id)).closed_at == AT + 2 * MINUTE
    await pool.execute("UPDATE alert SET state = 'unacknowledged' WHERE id = $1", burning[0])
    await step.take(burning, AT + 3 * MINUTE)
    assert [(each.id, each.closed_at) for each in await incidents.open_incidents(pool)] == [(one.id, None)]


async def test_seen_again_nothing_is_written(pool: asyncpg.Pool, step: IncidentStep) -> None:
    """After a crash the same ids come again, and everything may be looked at: no new version, no announcement."""
    ids = await raised(pool, fire(), fire("smk-2"))
    await step.take(ids, AT)
    seq, stands = await changes.latest(pool), await incidents.open_incidents(pool)
    await step.take(ids, AT + SECOND)
    await step.take(None, AT + SECOND)
    await step.take([], AT + SECOND)
    assert (await changes.latest(pool), await incidents.open_incidents(pool)) == (seq, stands)


async def test_a_look_at_everything_finds_what_was_raised_closed_and_opened_meanwhile(
    pool: asyncpg.Pool, step: IncidentStep
) -> None:
    """Alerts without an incident, one already closed among them, and an incident whose member changed."""
    known = await raised(pool, fire())
    await step.take(known, AT)
    open_one = await raised(pool, hazard("h1"), scene="main:M12")
    gone = hazard("h2")
    closed_one = await raised(pool, gone, scene="device:u1/h2")
    await AlertStore(pool, ManualClock(AT)).act(closed_one[0], Acknowledge(), actor="li")
    await commit(pool, [clear(gone, T0 + 1)], AT)
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm' WHERE id = $1", known[0])
    await step.take(None, AT + MINUTE)
    assert None not in await of(pool, *known, *open_one, *closed_one)
    assert [each.headline_zh for each in await incidents.open_incidents(pool)] == ["供水管 M12：隐患 1"]


async def test_a_look_at_more_than_one_call_may_take_goes_on_in_the_next(
    pool: asyncpg.Pool, step: IncidentStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over a look that begins anew; what changes meanwhile is not kept waiting."""
    monkeypatch.setattr(incident_step, "_A_CALL", 2)
    known = [(await raised(pool, hazard(f"h{n}"), scene=f"device:u1/h{n}"))[0] for n in range(3)]
    await step.take(known, AT)
    await pool.execute("UPDATE alert SET state = 'closed'")
    found = [(await raised(pool, hazard(f"g{n}"), scene=f"device:u1/g{n}"))[0] for n in range(3)]
    late = await raised(pool, fire())
    await step.take(None, AT + MINUTE)
    await step.take(late, AT + MINUTE)
    assert None not in await of(pool, *found, *late)
    for _ in range(3):
        await step.take([], AT + 2 * MINUTE)
    assert {each.scene[-2:] for each in await incidents.open_incidents(pool)} == {"g0", "g1", "g2", "za"}


async def test_what_is_for_the_record_or_was_raised_before_there_were_scenes_opens_none(
    pool: asyncpg.Pool, step: IncidentStep
) -> None:
    """A historical alert that began closed joins what is open in its scene, and else stays alone."""
    past, old = await raised(pool, hazard(flags=(HISTORICAL,))), await raised(pool, fire("smk-9"), scene="")
    await step.take([*past, *old], AT)
    await step.take(None, AT)
    assert await of(pool, *past, *old) == [None, None]
    ids = await raised(pool, fire())
    await step.take(ids, AT)
    await step.take(past, AT)
    assert await of(pool, *past) == await of(pool, *ids)


async def test_a_flood_of_two_thousand_is_grouped_right_and_every_fire_stays_a_row(
    pool: asyncpg.Pool, step: IncidentStep
) -> None:
    """Twenty scenes of a hundred: twenty incidents, each listing all of its members, at a single version a chunk."""
    ids: list[int] = []
    for n in range(20):
        ids += await raised(pool, *(fire(f"smk-{n}-{m}") for m in range(100)), scene=f"zone:u1/b1/f1/z{n}")
    await step.take(ids[::-1], AT)
    stands = await incidents.open_incidents(pool)
    assert [each.members for each in stands] == [(("fire", 100, 100),)] * 20
    assert len(set(await of(pool, *ids))) == 20
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE alert_class = 'fire' AND state <> 'closed'") == 2000


async def test_an_overtaken_desk_writes_nothing(pool: asyncpg.Pool, step: IncidentStep) -> None:
    """The step is fenced by the lease."""
    ids = await raised(pool, fire())
    await pool.execute("UPDATE lease SET epoch = epoch + 1, owner = 'hall-2'")
    with pytest.raises(LeaseLost, match=r"the lease of the desk was taken over.*stands by"):
        await step.take(ids, AT)
    assert await of(pool, *ids) == [None]


async def test_incidents_are_listed_by_pages_newest_first(pool: asyncpg.Pool, step: IncidentStep) -> None:
    """By state and unit; a cursor that is not ours and an id nobody has are refused by name."""
    for n in range(3):
        await step.take(await raised(pool, hazard(f"h{n}"), scene=f"device:u1/h{n}"), AT)
    page = await incidents.list_incidents(pool, IncidentFilter(is_open=True, unit="u1", limit=2))
    rest = await incidents.list_incidents(pool, IncidentFilter(cursor=page.next_cursor, limit=2))
    assert [each.scene[-2:] for each in (*page.items, *rest.items)] == ["h2", "h1", "h0"]
    assert rest.next_cursor is None
    assert (await incidents.list_incidents(pool, IncidentFilter(is_open=False))).items == []
    assert [each.id for each in await incidents.by_ids(pool, [page.items[0].id])] == [page.items[0].id]
    with pytest.raises(InvalidInput, match="cursor 'x' is not one of ours"):
        await incidents.list_incidents(pool, IncidentFilter(cursor="x"))
    with pytest.raises(NotFound, match="there is no incident 99"):
        await incidents.get(pool, 99)
