"""The brake on guessing passwords, and the passwords themselves."""

import asyncio

from firetower.core.clock import MINUTE, SECOND
from firetower.web.passwords import Throttle, Verifier, hash_password

NOW = 1_763_800_000 * SECOND


def _fail(throttle: Throttle, account: str, address: str, times: int, now: int = NOW) -> list[int]:
    return [throttle.attempt(account, address, now) for _ in range(times)]


def test_five_wrong_passwords_are_free_and_the_sixth_has_to_wait() -> None:
    waits = _fail(Throttle(), "admin", "10.0.0.1", 6)
    assert waits == [0, 0, 0, 0, 0, 1]


def test_each_further_failure_doubles_the_wait_up_to_a_minute() -> None:
    throttle, now, waits = Throttle(), NOW, []
    _fail(throttle, "admin", "10.0.0.1", 5)
    for _ in range(9):
        wait = throttle.attempt("admin", "10.0.0.1", now)
        waits.append(wait)
        now += wait * SECOND
        assert throttle.attempt("admin", "10.0.0.1", now) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_stranger_guessing_does_not_lock_the_operator_out_elsewhere() -> None:
    throttle = Throttle()
    _fail(throttle, "admin", "203.0.113.9", 40)
    assert throttle.attempt("admin", "10.0.0.1", NOW) == 0


def test_one_address_trying_many_accounts_is_slowed_too() -> None:
    throttle = Throttle()
    waits = [throttle.attempt(f"user{n}", "203.0.113.9", NOW) for n in range(21)]
    assert waits == [0] * 20 + [1]


def test_many_addresses_guessing_one_account_are_slowed_but_never_longer_than_ten_seconds() -> None:
    throttle = Throttle()
    waits = [throttle.attempt("admin", f"198.51.100.{n}", NOW) for n in range(51)]
    assert waits == [0] * 50 + [1]
    now = NOW
    for n in range(12):
        now += 10 * SECOND
        assert throttle.attempt("admin", f"203.0.113.{n}", now) == 0
    assert throttle.attempt("admin", "10.0.0.1", now) <= 10


def test_success_and_a_quiet_quarter_hour_forget_the_failures() -> None:
    throttle = Throttle()
    _fail(throttle, "admin", "10.0.0.1", 4)
    throttle.succeeded("admin", "10.0.0.1")
    assert _fail(throttle, "admin", "10.0.0.1", 5) == [0] * 5
    assert throttle.attempt("admin", "10.0.0.1", NOW) == 1
    assert throttle.attempt("admin", "10.0.0.1", NOW + 15 * MINUTE + 1) == 0


def test_the_brake_remembers_no_more_than_it_was_told_to() -> None:
    throttle = Throttle(keep=30)
    for n in range(1000):
        throttle.attempt(f"user{n}", f"address{n}", NOW)
    assert len(throttle._counts) <= 30


async def test_a_password_matches_its_own_hash_only_and_nobody_matches_nothing() -> None:
    verifier = Verifier()
    stored = hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert await verifier.matches(stored, "correct horse")
    assert not await verifier.matches(stored, "wrong horse")
    assert not await verifier.matches(None, "nobody signs in with this")
    assert not await verifier.matches("not a hash", "x")


async def test_many_passwords_are_checked_at_once_without_standing_still() -> None:
    stored = hash_password("correct horse")
    verifier = Verifier(at_once=4)
    async with asyncio.timeout(60):
        found = await asyncio.gather(*(verifier.matches(stored, f"wrong {n}") for n in range(12)))
    assert not any(found)
