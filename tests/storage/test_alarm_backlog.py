"""The backlog of alarms: kept as they came, given back in order and a few of each sender at a time."""

import asyncpg

from firetower.core.clock import ManualClock
from firetower.core.mqtt import Incoming
from firetower.ingest.ports import BACKLOG
from firetower.storage import backlog
from firetower.storage.backlog import AlarmBacklog

NOW = ManualClock().now()


def alarm(unit: str, n: int, *, retain: bool = False) -> Incoming:
    return Incoming(
        topic=f"firetower/v1/{unit}/d{n}/alarm", payload=b"\x00%d" % n, mid=n, qos=1, dup=False, retain=retain,
        received_at=NOW + n, epoch=3,
    )  # fmt: skip


async def test_alarms_come_back_as_they_came_oldest_first(pool: asyncpg.Pool) -> None:
    kept = AlarmBacklog(pool)
    await kept.put([("mall", alarm("mall", n, retain=n == 1)) for n in range(5)])
    back = [message for _, message in await kept.take([("mall", 3)])]
    assert [(m.topic, m.payload, m.received_at, m.retain) for m in back] == [
        (f"firetower/v1/mall/d{n}/alarm", b"\x00%d" % n, NOW + n, n == 1) for n in range(3)
    ]
    assert {message.epoch for message in back} == {BACKLOG}


async def test_it_tells_whose_alarms_it_has_how_many_and_since_when_and_gives_of_each_what_was_asked(
    pool: asyncpg.Pool,
) -> None:
    kept = AlarmBacklog(pool)
    await kept.put([("flood", alarm("flood", n)) for n in range(50)] + [("calm", alarm("calm", 99))])
    assert await kept.senders() == [("flood", 50, NOW), ("calm", 1, NOW + 99)], "the first put away first"
    back = await kept.take([("calm", 5), ("flood", 3), ("nobody", 2)])
    assert [(sender, message.received_at - NOW) for sender, message in back] == [
        ("flood", 0), ("flood", 1), ("flood", 2), ("calm", 99)
    ], "oldest first, and all there is where it is less"  # fmt: skip


async def test_what_was_judged_leaves_with_its_commit_and_stays_without_it(pool: asyncpg.Pool) -> None:
    kept = AlarmBacklog(pool)
    await kept.put([("mall", alarm("mall", n)) for n in range(2)])
    (_, first), (_, second) = await kept.take([("mall", 10)])
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await backlog.leave(conn, [first.mid])
        await transaction.rollback()
        assert len(await kept.take([("mall", 10)])) == 2
        async with conn.transaction():
            await backlog.leave(conn, [first.mid])
    assert [message.mid for _, message in await kept.take([("mall", 10)])] == [second.mid]
