"""Keeps the risk of units and grids up to date, beside the desk's steps: all every minute, what changed at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
import numpy.typing as npt

from firetower.alerts.duty.self_tests import Period
from firetower.alerts.risk import telling
from firetower.alerts.risk.facts import Facts
from firetower.alerts.risk.grids import rate_grids
from firetower.alerts.risk.model import Model, shipped
from firetower.alerts.risk.rating import UNKNOWN, Ratings, rate
from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.logs import logger
from firetower.storage import follower
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.pool import store_errors
from firetower.storage.risk_facts import Around, Gatherer
from firetower.storage.risk_results import CHUNK, Result, Scope, forget_empty_grids, note_round, put
from firetower.storage.rounds import keep_looking

EVERY: Micros = 60 * SECOND
"""All units are reckoned this often."""
LOOK_S = 3.0
"""Changed alerts are looked for this often: with what the reckoning takes, a changed unit stands within 5 s."""
MOST_UNITS = 2_000
"""Units reckoned at one look; more wait for the next look, or for the round, which takes all."""
_READS = 20
"""Reads of the live changes at one look, of ``_NUMBERS`` each; beyond, everything is reckoned."""
_NUMBERS = 500
_PIECE = 5_000
"""Units that one call of numpy is given, which holds the interpreter no longer than the event loop can bear."""

_log = logger("storage.risk")


@dataclass(frozen=True, slots=True)
class _Picture:
    """What was reckoned last, by rising number of the unit, and what lay around."""

    facts: Facts
    ratings: Ratings
    around: Around


class RiskRounds:
    """Rates units and grids. ``period``: of the units' fire tests, None where there are none; ``zone``: whose days."""

    name = "risk"

    def __init__(
        self,
        pool: asyncpg.Pool,
        lease: Fence,
        clock: Clock,
        *,
        period: Period | None,
        zone: ZoneInfo,
        model: Model | None = None,
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._clock = clock
        self._model = model or shipped()
        self._gatherer = Gatherer(pool, self._model, period, zone)
        self._picture: _Picture | None = None
        self._reckoned: Micros | None = None
        self._seq: int | None = None
        self._waiting: dict[tuple[int, str], None] = {}

    async def run(self) -> None:
        """Reckon until cancelled. Raises LeaseLost."""
        self._picture = self._reckoned = self._seq = None  # another instance may have written meanwhile
        self._waiting.clear()
        await keep_looking(self.look, LOOK_S, "reckoning the risk of units", _log)

    async def look(self) -> None:
        """Reckon everything where that is due, else units whose alerts changed. Raises LeaseLost, StoreUnavailable."""
        now = self._clock.now()
        picture, due = self._picture, self._reckoned is None or not 0 <= now - self._reckoned < EVERY
        if not due and picture is not None and await self._heard():
            await self._some(picture, now)
        else:
            await self._all(now)

    async def _heard(self) -> bool:
        """Take in which units' alerts changed; say whether that is known."""
        for _ in range(_READS):
            with store_errors():
                news = await follower.read(self._pool, self._seq, _NUMBERS)
            self._seq = news.seq
            if news.lost:
                return False
            if news.alerts:
                self._waiting |= dict.fromkeys(await self._gatherer.affected(news.alerts))
            if not news.behind:
                return True
        return False

    async def _all(self, now: Micros) -> None:
        begun = asyncio.get_running_loop().time()
        with store_errors():
            self._seq = (await follower.read(self._pool, None, 1)).seq  # before the facts: what comes later comes again
        facts, around = await self._gatherer.everything(now)
        ratings = await asyncio.to_thread(_rated, facts, self._model)
        before, self._picture = self._picture, None  # until it stands in the store
        changed, grids = await asyncio.to_thread(_differing, None if before is None else before.facts, facts)
        await self._write(_Picture(facts, ratings, around), changed, grids, now)
        async with fenced(self._pool, self._lease) as conn:
            await forget_empty_grids(conn)
            took = round((asyncio.get_running_loop().time() - begun) * 1000)
            await note_round(conn, now, self._model.version, len(facts), took)
        self._waiting.clear()
        self._reckoned = now

    async def _some(self, picture: _Picture, now: Micros) -> None:
        """Reckon at most MOST_UNITS of the units that wait."""
        units = list(islice(self._waiting, MOST_UNITS))
        if not units:
            return
        facts = await self._gatherer.some(units, picture.around, now)
        after, changed = await asyncio.to_thread(_updated, picture, facts, self._model)
        self._picture = None  # until it stands in the store
        await self._write(after, changed, after.facts.rows["grid"][changed], now)
        for unit in units:
            self._waiting.pop(unit, None)

    async def _write(
        self, picture: _Picture, changed: npt.NDArray[Any], grids: npt.NDArray[np.int32] | None, now: Micros
    ) -> None:
        """Write the units at the places ``changed``, then their ``grids`` (None: all), and keep the picture."""
        async for results in _in_chunks(picture, changed, self._model):
            await self._put("unit", results, now)
        rated = await asyncio.to_thread(rate_grids, picture.facts, picture.ratings, self._model, grids)
        for start in range(0, len(rated), CHUNK):
            results = []
            for each in rated[start : start + CHUNK]:
                parts, rest = telling.of_grid(each)
                band = telling.band_of(each.score, self._model)
                results.append(Result(each.grid, each.score, band, each.known, parts, rest))
            await self._put("grid", results, now)
        self._picture = picture

    async def _put(self, scope: Scope, results: Sequence[Result], now: Micros) -> None:
        async with fenced(self._pool, self._lease) as conn:
            await put(conn, scope, results, now)


def _rated(facts: Facts, model: Model) -> Ratings:
    pieces = [rate(facts.only(slice(n, n + _PIECE)), model) for n in range(0, max(len(facts), 1), _PIECE)]
    return Ratings.joined(pieces)


def _updated(picture: _Picture, facts: Facts, model: Model) -> tuple[_Picture, npt.NDArray[np.intp]]:
    """Return the picture with newer facts of some of its units, and the places of those that differ."""
    ids = picture.facts.rows["id"]
    facts = facts.only(np.isin(facts.rows["id"], ids))  # one that is new is taken in by the next round
    places = np.searchsorted(ids, facts.rows["id"])
    changed = places[facts.rows != picture.facts.rows[places]]
    ratings = picture.ratings.with_rows(places, rate(facts, model))
    return _Picture(picture.facts.with_rows(places, facts), ratings, picture.around), changed


def _differing(before: Facts | None, now: Facts) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32] | None]:
    """Return the places of units about which something is known that was not so before, and the grids they are in.

    Grids None: all of them; those that a unit has left are among them.
    """
    if before is None or not len(before):
        return np.arange(len(now)), None
    ids = before.rows["id"]
    places = np.minimum(np.searchsorted(ids, now.rows["id"]), len(ids) - 1)
    old = before.only(places)
    same = (old.rows == now.rows) & (old.water_m == now.water_m) & (old.station_m == now.station_m)
    changed = np.flatnonzero(~same)
    return changed, np.union1d(now.rows["grid"][changed], old.rows["grid"][changed])


async def _in_chunks(picture: _Picture, places: npt.NDArray[Any], model: Model) -> AsyncIterator[list[Result]]:
    for start in range(0, len(places), CHUNK):
        yield await asyncio.to_thread(_results, picture, places[start : start + CHUNK].tolist(), model)


def _results(picture: _Picture, places: Sequence[int], model: Model) -> list[Result]:
    found = []
    for n in places:
        score = int(picture.ratings.score[n])
        known = None if score == UNKNOWN else score
        parts, rest = telling.of_unit(picture.facts, picture.ratings, n)
        number = int(picture.facts.rows["id"][n])
        band = telling.band_of(known, model)
        found.append(Result(number, known, band, float(picture.ratings.known[n]), parts, rest))
    return found
