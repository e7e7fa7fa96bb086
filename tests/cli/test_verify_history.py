"""`firetower db verify-history` as an auditor runs it: what it says, and its exit status."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1]))
from alert_making import T0, commit, fire, hazard

from firetower.cli import app
from firetower.cli_history import read_printed
from firetower.core.errors import InvalidInput
from firetower.storage.lease import DESK, Lease
from firetower.storage.sealer import Sealer

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

Verify = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def verify(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Verify:
    monkeypatch.setenv("FIRETOWER_DATABASE_URL", database_url)

    async def call(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["db", "verify-history", *words])

    return call


async def test_an_intact_history_is_status_0_and_a_planted_edit_is_status_1_and_named(
    pool: asyncpg.Pool, database_url: str, verify: Verify
) -> None:
    await commit(pool, [fire(), hazard()])
    lease = Lease(database_url, DESK)
    await lease.take()
    await Sealer(pool, lease, ZoneInfo("UTC")).take(None, T0)
    lease.release()
    await commit(pool, [hazard("h2")])
    intact = await verify()
    assert (intact.exit_code, "2 sealed entries" in intact.output) == (0, True), intact.output
    assert "1 more wait for their seal" in intact.output

    rebuilt = await verify("--day", "2", "--hash", HASH)
    assert (rebuilt.exit_code, "printed hash of entry 2" in rebuilt.output) == (1, True)

    await pool.execute("UPDATE alert_history SET actor = E'some\\x1bone' WHERE alert_id = 1")
    edited = await verify()
    assert edited.exit_code == 1
    assert "seq 1 of alert 1 is not what was sealed" in edited.output
    assert "\x1b" not in edited.output, "what somebody planted does not steer the terminal"
    assert "1 found wrong" in edited.output


@pytest.mark.parametrize(
    ("days", "hashes", "told"),
    [
        (["2026-11-23"], [], "each hash of a shift report stands with its day"),
        (["2026-11-23"], ["abc"], "64 hexadecimal digits"),
        (["yesterday"], [HASH], "neither a day like 2026-11-23 nor an entry's number"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_by_name(days: list[str], hashes: list[str], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_printed(days, hashes)
