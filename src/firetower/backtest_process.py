"""A back-test that was asked for through the API, in a process of its own, so that the service goes on beside it."""

import asyncio
import contextlib
import os
import sys
from typing import Any

from firetower.backtest import backtest
from firetower.core.clock import Clock
from firetower.core.errors import FiretowerError, StoreUnavailable
from firetower.core.logs import logger
from firetower.rules.book.rulebook import load_texts
from firetower.storage import backtests
from firetower.storage.pool import Pool

log = logger("backtest")

_TAIL = 600
"""Characters of what a failed process said that stand in its error."""
_ENDS_WITHIN_S = 5.0
_TOLD_EVERY_S = 1.0
_NICER = 10
"""How much it gives way to the service on the same machine (nice)."""


class BacktestProcesses:
    """Starts and watches the processes; to be started only once ``storage.backtests.ask`` has written it down.

    ``database``: the URL they are to use. A process ends with us: its standard input is closed when we are gone.
    """

    def __init__(self, pool: Pool, database: str, clock: Clock) -> None:
        self._pool = pool
        self._database = database
        self._clock = clock
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Take care of those that are begun, until cancelled; then they end, too."""
        async with asyncio.TaskGroup() as self._group:
            await asyncio.get_running_loop().create_future()

    def begin(self, backtest_id: str) -> None:
        """Begin a back-test that was asked for."""
        assert self._group is not None  # the composition root started run()
        self._group.create_task(self._watch(backtest_id), name=f"back-test {backtest_id}")

    async def _watch(self, backtest_id: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "firetower", "rules", "backtest", "--id", backtest_id,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "FIRETOWER_DATABASE_URL": self._database},
                start_new_session=True,  # Ctrl-C reaches us alone
            )  # fmt: skip
        except OSError as err:
            await self._failed(backtest_id, f"its process cannot be started: {err.strerror}; free memory, ask again")
            return
        assert process.stderr is not None
        try:
            said = b""
            while part := await process.stderr.read(4096):
                said = (said + part)[-_TAIL:]
            status = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            with contextlib.suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await process.wait()
                    await backtests.fail(
                        self._pool, backtest_id, "the service was stopped; ask again", self._clock.now()
                    )
            raise
        if status:
            words = said.decode("utf-8", "replace").strip() or "it said nothing"
            await self._failed(backtest_id, f"its process ended with status {status}: {words}")

    async def _failed(self, backtest_id: str, error: str) -> None:
        log.error("back-test %s failed: %s", backtest_id, error)
        try:
            await backtests.fail(self._pool, backtest_id, error, self._clock.now())
        except StoreUnavailable as err:  # whoever asks for it next finds that nobody does it
            log.warning("that back-test %s failed could not be written down: %s", backtest_id, err)


async def do_asked(pool: Pool, backtest_id: str, clock: Clock, *, whole: asyncio.StreamReader | None = None) -> str:
    """Do a back-test that was asked for and return its state, ``done``, ``failed``, ``cancelled``, or ``""`` where
    there is nothing to do. ``whole``: ends when whoever asked is gone.
    """
    os.nice(_NICER)
    async with backtests.at_work(pool, backtest_id) as texts:
        if texts is None:
            return ""
        asked = await backtests.found(pool, backtest_id, clock.now())
        assert asked is not None  # it is at work
        told = _Told()
        work: asyncio.Task[dict[str, Any]] = asyncio.create_task(
            backtest(pool, load_texts(texts), asked[0].since, asked[0].until, now=clock.now(), progress=told.take),
            name="back-test",
        )
        telling = asyncio.create_task(_tell(pool, backtest_id, told, work), name="how far it is")
        watch = None
        if whole is not None:
            watch = asyncio.create_task(_until_alone(whole, work), name="whoever asked")
        try:
            result = await work
        except FiretowerError as err:
            await backtests.fail(pool, backtest_id, str(err), clock.now())
            return "failed"
        except asyncio.CancelledError:
            if told.off:
                return "cancelled"
            raise
        finally:
            telling.cancel()
            if watch is not None:
                watch.cancel()
        await backtests.finish(pool, backtest_id, result, clock.now())
        return "done"


class _Told:
    """The share that is done; ``off``: it was called off."""

    def __init__(self) -> None:
        self.share = 0.0
        self.off = False

    def take(self, share: float) -> None:
        self.share = share


async def _tell(pool: Pool, backtest_id: str, told: _Told, work: asyncio.Task[Any]) -> None:
    """Say each second how far it is, and stop it once it was called off; a store that is away is told later."""
    while True:
        await asyncio.sleep(_TOLD_EVERY_S)
        with contextlib.suppress(StoreUnavailable):
            if not await backtests.note_progress(pool, backtest_id, told.share):
                told.off = True
                work.cancel()
                return


async def _until_alone(whole: asyncio.StreamReader, work: asyncio.Task[Any]) -> None:
    while await whole.read(4096):
        pass
    work.cancel()
