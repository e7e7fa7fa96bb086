"""Alarms that a broker kept and says again to every new session: raised once, and never in place of a new one."""

import sys
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_ingest_store import NOW, alarm, counts, event

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from firetower.devices.registry import Registry
from firetower.ingest.ports import Work
from firetower.storage.ingest import IngestStore


@pytest.fixture
def store(pool: asyncpg.Pool) -> IngestStore:
    return IngestStore(pool, Registry(), ManualClock())


async def test_an_alarm_a_broker_had_kept_is_the_one_heard_before_even_after_its_alert_was_closed(
    store: IngestStore, pool: asyncpg.Pool
) -> None:
    """Without a time of its own only its words tell it apart; a point that was not heard of before is a new alarm."""
    heard = replace(event(None), flags=())
    await store.commit(alarm(heard))
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'test', condition = 'normal'")
    kept = replace(heard, flags=("retained",), received_at=NOW + HOUR, at=NOW + HOUR)
    assert (await store.commit(alarm(kept))).raised == {}
    other = replace(kept, component="another point")
    assert (await store.commit(alarm(kept, other))).raised == {"fire": 1}
    again = replace(heard, received_at=NOW + 2 * HOUR, at=NOW + 2 * HOUR)
    assert (await store.commit(alarm(again))).raised == {"fire": 1}, "said live, it is a new alarm"


async def test_an_old_alarm_with_its_own_time_that_a_broker_had_kept_is_not_raised_again_by_a_new_session(
    store: IngestStore, pool: asyncpg.Pool
) -> None:
    """More than a day old it is stored by the time of its arrival, too; its own time tells that it was heard before."""
    heard = replace(event("at its first arrival"), flags=(), received_at=NOW + SECOND)
    await store.commit(alarm(heard))
    await store.commit(Work("alarm", events=[replace(heard, key="returned", active=False, at=NOW + MINUTE)]))
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'test', condition = 'normal'")
    kept = replace(heard, key="at its second arrival", flags=("retained",), received_at=NOW + 3 * DAY)
    assert (await store.commit(alarm(kept))).raised == {}
    later = replace(kept, key="another time", at=NOW + 2 * DAY)
    assert (await store.commit(alarm(later))).raised == {"fire": 1}, "the same words of another time are a new alarm"


async def test_a_kept_alarm_without_a_time_is_new_after_a_return_of_its_point(
    store: IngestStore, pool: asyncpg.Pool
) -> None:
    """A fire while the broker had lost the session must not be taken for the one that came back before."""
    heard = replace(event(None), flags=())
    await store.commit(alarm(heard))
    back = replace(heard, active=False, received_at=NOW + MINUTE, at=NOW + MINUTE)
    await store.commit(Work("alarm", events=[back]))
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'test', condition = 'normal'")
    kept = replace(heard, flags=("retained",), received_at=NOW + HOUR, at=NOW + HOUR)
    assert (await store.commit(alarm(kept))).raised == {"fire": 1}
    again = replace(kept, received_at=NOW + 2 * HOUR, at=NOW + 2 * HOUR)
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'test', condition = 'normal'")
    assert (await store.commit(alarm(again))).raised == {}, (
        "the next session hears what was the last heard of its point"
    )


async def test_points_told_apart_by_their_text_are_each_known_again(store: IngestStore, pool: asyncpg.Pool) -> None:
    """One kept message of a panel without components says two fires; no new session raises either anew."""
    first, second = (replace(event(None), flags=(), component="", text=text) for text in ("3F", "4F"))
    await store.commit(alarm(first, second))
    kept = [replace(one, flags=("retained",), received_at=NOW + HOUR, at=NOW + HOUR) for one in (first, second)]
    await store.commit(alarm(*kept))
    assert (await counts(pool))["device_event"] == 2
