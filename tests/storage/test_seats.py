"""Who sits where: seats of several nodes, live for fifteen seconds, and how many operators that makes."""

import asyncpg
from alert_making import T0

from firetower.core.clock import HOUR, SECOND
from firetower.storage import accounts, seats
from firetower.storage.seats import Seat

OLGA, OLGA_AT_HOME, ADA, VERA = (
    Seat(b"1", "olga", armed=True),
    Seat(b"2", "olga", armed=True),
    Seat(b"3", "ada", armed=False),
    Seat(b"4", "vera", armed=True),
)


async def test_a_seat_is_live_while_a_node_says_so_and_armed_where_one_of_its_consoles_is(pool: asyncpg.Pool) -> None:
    """Two nodes may both have a console of one session; what a node no longer has is gone with its next word."""
    await seats.write(pool, "a", [OLGA, ADA], T0)
    await seats.write(pool, "b", [Seat(b"3", "ada", armed=True)], T0 + SECOND)
    assert await seats.live(pool, T0 + 2 * SECOND) == [OLGA, Seat(b"3", "ada", armed=True)]
    await seats.write(pool, "a", [ADA], T0 + 5 * SECOND)
    await seats.write(pool, "b", [], T0 + 5 * SECOND)
    assert await seats.live(pool, T0 + 6 * SECOND) == [ADA]


async def test_what_a_dead_node_left_behind_counts_no_longer_after_fifteen_seconds(pool: asyncpg.Pool) -> None:
    """Nobody takes a killed node's seats away at once; they are empty all the same, and forgotten in the end."""
    await seats.write(pool, "killed", [OLGA], T0)
    assert await seats.live(pool, T0 + 14 * SECOND) == [OLGA]
    assert await seats.live(pool, T0 + 15 * SECOND) == []
    await seats.write(pool, "b", [ADA], T0 + 3600 * SECOND)
    assert await pool.fetchval("SELECT count(*) FROM seat") == 1


async def test_operators_are_people_who_may_act_at_seats_that_sound(pool: asyncpg.Pool) -> None:
    """Two seats of one person are one operator; a viewer and a seat without sound are none."""
    for name, role in (("olga", "operator"), ("ada", "admin"), ("vera", "viewer")):
        await accounts.add(pool, name, "-", role, T0)  # type: ignore[arg-type]
    await seats.write(pool, "a", [OLGA, OLGA_AT_HOME, ADA, VERA], T0)
    assert await seats.operators(pool, T0) == 1
    await seats.write(pool, "b", [Seat(b"3", "ada", armed=True)], T0)
    assert await seats.operators(pool, T0) == 2
    assert await seats.operators(pool, T0 + 16 * SECOND) == 0


async def test_a_display_on_the_wall_signs_in_once_and_an_operator_off_duty_does_not(pool: asyncpg.Pool) -> None:
    """A viewer's session shows for twelve hours more with each word of its node; whoever may act signs in again."""
    for name, role, digest in (("olga", "operator", b"1"), ("vera", "viewer", b"4")):
        account = await accounts.add(pool, name, "-", role, T0)  # type: ignore[arg-type]
        await accounts.open_session(pool, account.id, digest, at=T0, expires_at=T0 + HOUR, client="wall")
    await seats.write(pool, "a", [OLGA, VERA], T0 + HOUR - SECOND)
    later = T0 + 10 * HOUR
    assert await accounts.find_session(pool, b"1", later) is None
    found = await accounts.find_session(pool, b"4", later)
    assert found is not None
    assert found.shows_until == T0 + 13 * HOUR - SECOND
