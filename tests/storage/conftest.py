"""What the tests of the desk's steps stand on: the database of a test as they see it, and the desk's lease."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from desk_city import City
from handover_world import World, make_world

from firetower.alerts.handover import sender
from firetower.storage.lease import DESK, Lease


@pytest.fixture
def city(pool: asyncpg.Pool) -> City:
    return City(pool)


@pytest.fixture
async def lease(database_url: str) -> AsyncIterator[Lease]:
    """The desk's lease, taken."""
    taken = Lease(database_url, DESK, owner="hall-1")
    await taken.take()
    yield taken
    taken.release()


@pytest.fixture
def world(city: City, lease: Lease, monkeypatch: pytest.MonkeyPatch) -> World:
    """A hand-over whose sender looks often."""
    monkeypatch.setattr(sender, "LOOK_S", 0.01)
    monkeypatch.setattr(sender, "RETRY_S", 0.01)
    return make_world(city, lease)
