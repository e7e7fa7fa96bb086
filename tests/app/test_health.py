"""Readiness says what is wrong: the database, the broker, the rules, or a lane that is behind."""

from dataclasses import dataclass

import asyncpg
import pytest

from firetower.core.clock import MINUTE, SECOND, ManualClock, Micros
from firetower.health import Health


@dataclass
class _Lane:
    name: str = "alarm"
    received: int = 0
    rules_trouble: str | None = None
    connected: bool = True
    trouble: str | None = None
    store_trouble: str | None = None
    behind: Micros = 0

    def lag(self, now: Micros) -> Micros:
        del now
        return self.behind


async def _checked(pool: asyncpg.Pool, clock: ManualClock, lane: _Lane) -> dict[str, tuple[bool, str]]:
    health = Health(pool, [lane], clock)
    health._database = await health._ask()
    return {name: (ok, detail) for name, ok, detail in health.ready()}


async def test_all_is_well_when_everything_answers(pool: asyncpg.Pool, clock: ManualClock) -> None:
    checks = await _checked(pool, clock, _Lane())
    assert all(ok for ok, _ in checks.values()), checks


@pytest.mark.parametrize(
    ("lane", "check", "told"),
    [
        (_Lane(connected=False, trouble="connection refused"), "broker", "alarm: connection refused"),
        (_Lane(store_trouble="No space left on device"), "database", "alarm: No space left on device"),
        (_Lane(rules_trouble="ZeroDivisionError"), "rules", "alarm: ZeroDivisionError"),
        (_Lane(behind=MINUTE + SECOND), "lag", "alarm is 61 s behind"),
    ],
)
async def test_one_trouble_is_named_and_only_that_one(
    pool: asyncpg.Pool, clock: ManualClock, lane: _Lane, check: str, told: str
) -> None:
    checks = await _checked(pool, clock, lane)
    assert [name for name, (ok, _) in checks.items() if not ok] == [check]
    assert told in checks[check][1]


async def test_a_database_that_is_gone_is_named(pool: asyncpg.Pool, clock: ManualClock) -> None:
    pool.terminate()
    ok, detail = (await _checked(pool, clock, _Lane()))["database"]
    assert not ok
    assert "FIRETOWER_DATABASE_URL" in detail


@dataclass
class _Canary:
    gone: bool

    def age(self, now: Micros) -> Micros:
        return 95 * SECOND

    def missed(self, now: Micros) -> bool:
        return self.gone


@dataclass
class _Signal:
    trouble: str | None


@pytest.mark.parametrize("gone", [False, True])
async def test_three_missed_canaries_make_it_unready(pool: asyncpg.Pool, clock: ManualClock, gone: bool) -> None:
    health = Health(pool, [], clock, canary=_Canary(gone))
    (check,) = [(ok, detail) for name, ok, detail in health.ready() if name == "canary"]
    assert check[0] is not gone
    assert ("none was committed for 95 s" in check[1]) is gone


async def test_a_signal_that_is_not_taken_is_a_warning_and_nothing_more(pool: asyncpg.Pool, clock: ManualClock) -> None:
    signals = {"dead-man": _Signal("no answer"), "notify": _Signal(None)}
    health = Health(pool, [], clock, signals=signals)
    checks = {name: (ok, detail) for name, ok, detail in health.ready()}
    assert checks["dead-man"] == (True, "warning: no answer")
    assert checks["notify"] == (True, "taken")
