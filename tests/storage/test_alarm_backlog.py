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
    back = await kept.take(["mall"], each=3, most=100)
    assert [(m.topic, m.payload, m.received_at, m.retain) for m in back] == [
        (f"firetower/v1/mall/d{n}/alarm", b"\x00%d" % n, NOW + n, n == 1) for n in range(3)
    ]
    assert {message.epoch for message in back} == {BACKLOG}


async def test_every_sender_gets_its_turn_however_long_another_ones_queue_is(pool: asyncpg.Pool) -> None:
    kept = AlarmBacklog(pool)
    await kept.put([("flood", alarm("flood", n)) for n in range(50)] + [("quiet", alarm("quiet", 99))])
    assert sorted(await kept.senders()) == ["flood", "quiet"]
    back = await kept.take(["flood", "quiet"], each=10, most=4)
    assert [message.topic.split("/")[2] for message in back].count("quiet") == 1


async def test_what_was_judged_leaves_with_its_commit_and_stays_without_it(pool: asyncpg.Pool) -> None:
    kept = AlarmBacklog(pool)
    await kept.put([("mall", alarm("mall", n)) for n in range(2)])
    first, second = await kept.take(["mall"], each=10, most=10)
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await backlog.leave(conn, [first.mid])
        await transaction.rollback()
        assert len(await kept.take(["mall"], each=10, most=10)) == 2
        async with conn.transaction():
            await backlog.leave(conn, [first.mid])
    assert [message.mid for message in await kept.take(["mall"], each=10, most=10)] == [second.mid]
