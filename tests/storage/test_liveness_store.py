"""What was heard of many devices goes to the store and back in bounded steps, and nothing is written twice."""

import asyncpg
import numpy as np
import pytest

from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock, to_datetime
from firetower.devices.city import City, Device, Unit
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import Registry
from firetower.storage import liveness, registry

NOW = ManualClock().now()
NUMBERS = np.arange(1, 8, dtype=np.int32)


async def _heard(pool: asyncpg.Pool, at: int) -> Registry:
    """Seven registered devices, all heard of at ``at``, and the registry that knows it."""
    names = [f"d{number}" for number in NUMBERS.tolist()]
    devices = tuple(Device(unit="u", device=name, kind=DeviceKind.HYDRANT) for name in names)
    await registry.import_city(pool, City(units=(Unit(code="u"),), devices=devices))
    made = await _loaded(pool)
    made.heard(NUMBERS, np.full(len(NUMBERS), at))
    return made


async def _loaded(pool: asyncpg.Pool) -> Registry:
    made = Registry()
    await registry.load(pool, made)
    return made


async def test_a_start_writes_only_what_changed_while_it_was_away(pool: asyncpg.Pool) -> None:
    """What the store says already is not said again; a device that fell silent meanwhile is written."""
    made = await _heard(pool, NOW)
    assert await liveness.flush(pool, made, NOW) == 7
    assert await liveness.flush(pool, await _loaded(pool), NOW) == 0
    late = await _loaded(pool)
    late.heard(np.array([3], np.int32), np.array([NOW + HOUR]))
    assert await liveness.flush(pool, late, NOW + HOUR) == 7
    assert [row[0] for row in await pool.fetch("SELECT status FROM device ORDER BY id")] == [
        "online" if number == 3 else "offline" for number in NUMBERS
    ]


async def test_what_was_loaded_again_is_still_written_when_it_changes(pool: asyncpg.Pool) -> None:
    """Loading again after an import does not make the writer believe that the store is newer than it is."""
    made = await _heard(pool, NOW)
    await registry.load(pool, made)
    assert await liveness.flush(pool, made, NOW) == 7
    await registry.load(pool, made)
    made.offline[2] = True
    assert await liveness.flush(pool, made, NOW) == 1
    assert await pool.fetchval("SELECT status FROM device WHERE id = 2") == "offline"


async def test_of_many_heard_later_a_bounded_number_is_written_a_time_and_none_is_forgotten(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer time alone may wait for its turn; a changed status never does."""
    for name, value in (("REFRESHED_AT_ONCE", 3), ("_LOOKED_AT", 2), ("_BATCH", 2)):
        monkeypatch.setattr(liveness, name, value)
    made = await _heard(pool, NOW)
    assert await liveness.flush(pool, made, NOW) == 7
    later = NOW + MINUTE
    made.heard(NUMBERS, np.full(len(NUMBERS), later))
    made.offline[7] = True
    assert await liveness.flush(pool, made, later) == 4
    assert await pool.fetchval("SELECT status FROM device WHERE id = 7") == "offline"
    assert [await liveness.flush(pool, made, later + SECOND) for _ in range(3)] == [3, 0, 0]
    assert await pool.fetchval("SELECT count(*) FROM device WHERE last_seen_at = $1", to_datetime(later)) == 7


async def test_a_process_that_only_shows_takes_over_every_range_of_numbers(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many steps it takes, each device has the status the ingest wrote."""
    monkeypatch.setattr(liveness, "_LOOKED_AT", 3)
    monkeypatch.setattr(registry, "_PAGE", 2)
    made = await _heard(pool, NOW)
    made.offline[[1, 4, 7]] = True
    await liveness.flush(pool, made, NOW)
    shown = await _loaded(pool)
    await liveness.mirror(pool, shown, NOW + SECOND)
    assert np.flatnonzero(shown.offline).tolist() == [1, 4, 7]
    assert shown.last_seen[[2, 3, 5, 6]].tolist() == [NOW + SECOND] * 4
    assert shown.devices == 7
    assert shown.name(7) == ("u", "d7")
