"""What rules on trial would have raised: counted and listed, and no alert."""

from typing import Any

import asyncpg
from alert_making import T0, commit, hazard

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, to_datetime
from firetower.devices.registry import Registry
from firetower.ingest.ports import Work
from firetower.rules.verdicts import HISTORICAL, SubjectKind, Verdict, VerdictKind
from firetower.storage import shadow_alerts
from firetower.storage.ingest import IngestStore

NOW = T0 + HOUR


def tried(device: str, at: int, kind: VerdictKind = VerdictKind.RAISE, **more: Any) -> Verdict:
    return hazard(device, at, kind, **{"rule": "new-rule", "shadow": True, **more})


async def committed(pool: asyncpg.Pool, *verdicts: Verdict) -> dict[str, int]:
    """Commit as ingest does; return how many real alerts were raised, by class."""
    store = IngestStore(pool, Registry(), ManualClock(NOW))
    return dict((await store.commit(Work("telemetry", verdicts=list(verdicts)))).raised)


async def listed(pool: asyncpg.Pool, rule: str = "new-rule") -> list[tuple[str, int, int, int | None]]:
    """Subject, priority, occurrences, seconds after T0 at which it was over; newest first."""
    found = (await shadow_alerts.page(pool, rule, now=NOW)).items
    return [
        (
            one.subject,
            one.priority,
            one.occurrences,
            None if one.cleared_at is None else (one.cleared_at - T0) // SECOND,
        )
        for one in found
    ]


async def test_what_a_rule_on_trial_raises_is_no_alert_and_nobody_is_told_of_it(pool: asyncpg.Pool) -> None:
    """In the same commit another rule's alert is raised as ever; only that one is announced."""
    raised = await committed(pool, tried("h1", T0), hazard("h1", T0 + SECOND))
    assert raised == {"hazard": 1}
    assert [row["rule"] for row in await pool.fetch("SELECT rule FROM alert")] == ["hydrant.pressure.low"]
    assert await pool.fetchval("SELECT count(*) FROM live_change") == 1
    assert await listed(pool) == [("u1/h1", 3, 1, None)]
    await committed(pool, tried("h2", T0))
    assert await pool.fetchval("SELECT count(*) FROM live_change") == 1


async def test_one_condition_is_one_row_however_the_batches_are_cut(pool: asyncpg.Pool) -> None:
    """Said again it is counted and keeps its newest level; after its end it is another one, in one batch as in many."""
    said = [
        tried("h1", T0),
        tried("h1", T0 + 5 * SECOND, priority=2),
        tried("h1", T0 + 9 * SECOND, VerdictKind.CLEAR),
        tried("h1", T0 + 20 * SECOND),
    ]
    await committed(pool, *said)
    at_once = await listed(pool)
    assert at_once == [("u1/h1", 3, 1, None), ("u1/h1", 2, 2, 9)]
    await pool.execute("DELETE FROM shadow_alert")
    for each in said:
        await committed(pool, each)
    assert await listed(pool) == at_once
    await committed(pool, tried("h1", T0 + MINUTE, VerdictKind.CLEAR), tried("h9", T0, VerdictKind.CLEAR))
    assert (await listed(pool))[0] == ("u1/h1", 3, 1, 60)


async def test_late_evidence_of_a_rule_on_trial_is_left_out(pool: asyncpg.Pool) -> None:
    await committed(pool, tried("h1", T0, flags=(HISTORICAL,)))
    assert await listed(pool) == []


async def test_the_list_is_by_pages_and_counts_what_stands_and_what_is_new(pool: asyncpg.Pool) -> None:
    """Of one rule only; what began a day and a week ago is counted apart."""
    await committed(pool, *(tried(f"h{n}", NOW - n * DAY) for n in (10, 3, 0)), tried("h1", T0, rule="other-rule"))
    await committed(pool, tried("h3", NOW - 2 * DAY, VerdictKind.CLEAR))
    first = await shadow_alerts.page(pool, "new-rule", now=NOW, limit=2)
    assert (first.open, first.day, first.week) == (2, 1, 2)
    rest = await shadow_alerts.page(pool, "new-rule", now=NOW, before=first.last_id, limit=2)
    assert len({one.subject for one in first.items + rest.items}) == 3
    assert rest.last_id is None
    recent = await shadow_alerts.page(pool, "new-rule", now=NOW, since=NOW - DAY)
    assert [one.subject for one in recent.items] == ["u1/h0"]


async def test_what_is_long_over_is_forgotten_and_what_stands_is_not(pool: asyncpg.Pool) -> None:
    await committed(pool, tried("h1", NOW - 50 * DAY), tried("h2", NOW - 50 * DAY))
    await committed(pool, tried("h1", NOW - 49 * DAY, VerdictKind.CLEAR))
    assert await shadow_alerts.prune(pool, NOW, 40) == 1
    assert await listed(pool) == [("u1/h2", 3, 1, None)]


async def test_a_trial_that_is_over_leaves_nothing_standing(pool: asyncpg.Pool) -> None:
    """A rule that is on trial no more, or gone, ends what it would have raised; the others stand."""
    await committed(pool, tried("h1", T0), tried("h1", T0, rule="other-rule"))
    async with pool.acquire() as conn:
        await shadow_alerts.end_others(conn, ["other-rule"], NOW)
    assert (await listed(pool))[0][3] == (NOW - T0) // SECOND
    assert (await listed(pool, "other-rule"))[0][3] is None


async def test_what_stands_is_known_to_the_engine_at_start_by_the_number_of_its_device(pool: asyncpg.Pool) -> None:
    """A group has none; what is over is not among it."""
    await pool.execute("INSERT INTO unit (code) VALUES ('u1')")
    await pool.execute("INSERT INTO device (unit_id, name, kind) SELECT id, 'h1', 'hydrant' FROM unit")
    number = await pool.fetchval("SELECT id FROM device")
    group = tried("", T0, subject_kind=SubjectKind.MAIN, subject="m1")
    await committed(pool, tried("h1", T0, priority=2), tried("h2", T0 - SECOND), group)
    await committed(pool, tried("h2", T0, VerdictKind.CLEAR))
    found = {each.subject: each for each in await shadow_alerts.standing(pool)}
    assert {subject: each.device_number for subject, each in found.items()} == {"u1/h1": number, "m1": None}
    assert (found["u1/h1"].rule, found["u1/h1"].priority, found["u1/h1"].condition_at) == ("new-rule", 2, T0)


async def test_nothing_of_a_trial_stands_in_the_alerts_that_seed_the_engine(pool: asyncpg.Pool) -> None:
    """A trial's rows and real alerts of the same key keep out of each other's way."""
    await commit(pool, [hazard("h1", T0, rule="new-rule")])
    await committed(pool, tried("h1", T0 + SECOND, VerdictKind.CLEAR))
    assert await pool.fetchval("SELECT condition FROM alert") == "active"
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE raised_at > $1", to_datetime(T0)) == 1
