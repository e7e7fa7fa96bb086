"""A shift 班 as the page lives through it, at its own pace or hurried: how often what happens; the desk beside it."""

import asyncio
import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.generator import Load
from bench.stand import Stand

DEVICES = 10_000
ROUND, STRIDE = 9_450, 11
"""Devices that report, and the steps they come in: what a message says comes back after 3,150, so each device always
says the same. Hurried it would else rise N times as fast, and be an alarm."""
DAY_S = 86_400
OPEN_AT_MOST = 60
"""Alerts the desk beside leaves open, the newest."""
AT_ONCE = 8
"""Acts of the desk beside that are on their way together: it keeps up with a hurried shift."""
_LISTED = 500


@dataclass(frozen=True, slots=True)
class Shift:
    """Everything that happens, ``times`` as often as in a shift of one day's length."""

    times: float = 1.0
    telemetry: float = 20.0
    alarms: float = 0.5
    """A second; each is acknowledged and closed by somebody else, as many as come."""
    fires: float = 0.1
    round_s: float = 300.0
    """The operator begins a round through all of the page each so many seconds, or when the one before is over. As
    often as a shift hurried 24 times can keep up with: then everything that happens comes in proportion."""
    cut_s: float = 600.0

    @property
    def hurried(self) -> bool:
        """Whether pauses are left out."""
        return self.times > 1

    @property
    def day(self) -> dict[str, float]:
        """How many of each there are in 24 hours, by the name a sample counts them under."""
        return {"alarms": DAY_S * (self.alarms + self.fires), "rounds": DAY_S / self.round_s}

    def each(self, seconds: float) -> float:
        """How long that is in this shift, s."""
        return seconds / self.times

    def loads(self, url: str, lasts: float) -> tuple[Load, Load, Load]:
        """Readings, faults and fires for so many seconds; device time is the time they are sent."""
        readings, faults, fires = (rate * self.times for rate in (self.telemetry, self.alarms, self.fires))
        return (
            Load(url, int(readings * lasts) + 1, ROUND, rate=readings, stride=STRIDE, counted=True),
            Load(url, int(faults * lasts) + 1, 900, rate=faults, kind="alarm", event="fault", stride=7),
            Load(url, int(fires * lasts) + 1, 900, rate=fires, kind="alarm", stride=7),
        )

    def first(self, url: str) -> Load:
        """As many alarms as stand open all the while; of a kind of their own, for a point has one of each at a time."""
        return Load(url, OPEN_AT_MOST, 900, rate=10, kind="alarm", event="shielded", stride=7)


async def close_the_oldest(it: Stand, shift: Shift) -> None:
    """Be somebody else's seat, which leaves OPEN_AT_MOST open; SystemExit where an act of it is refused."""
    token = await asyncio.to_thread(it.token)
    keys = itertools.count()
    async with aiohttp.ClientSession(f"{it.http_url}/api/v1/", headers={"Authorization": f"Bearer {token}"}) as http:
        while True:
            query = {"state": "unacknowledged,acknowledged,returned", "limit": str(_LISTED)}
            async with http.get("alerts", params=query) as answer:
                answer.raise_for_status()
                items = sorted((await answer.json())["items"], key=lambda alert: alert["raised_at"])
            left = iter(items[: max(0, len(items) - OPEN_AT_MOST)])
            async with asyncio.TaskGroup() as tasks:
                for number in range(AT_ONCE):
                    tasks.create_task(_close(http, left, keys), name=f"closing {number}")
            await asyncio.sleep(shift.each(5))


async def _close(http: aiohttp.ClientSession, alerts: Iterable[dict[str, Any]], keys: "itertools.count[int]") -> None:
    """Do with each what its class asks for until it is closed."""
    for alert in alerts:
        fire = alert["class"] == "fire"
        steps: dict[str, dict[str, str]] = {} if alert["state"] == "acknowledged" else {"acknowledge": {}}
        if fire:
            steps["verify"] = {"result": "false", "method": "video", "cause": "dust"}
            steps["close"] = {"disposition": "false_alarm", "cause": "dust"}
        else:
            steps["close"] = {"disposition": "hazard_fixed"}
        for verb, body in steps.items():
            key = {"Idempotency-Key": f"soak-{time.time_ns()}-{next(keys)}"}
            async with http.post(f"alerts/{alert['id']}/{verb}", json=body, headers=key) as answer:
                if answer.status not in {200, 409}:  # 409: the operator was first
                    raise SystemExit(f"{verb} of an alert was refused: {answer.status} {await answer.text()}")
