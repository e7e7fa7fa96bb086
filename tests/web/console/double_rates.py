"""What the service's double knows of rates and bad actors; nobody is told of a change here."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web
from double_facts import Facts, Json, at

TARGETS = {"connection": 0.9, "online": 0.95, "intact": 0.9}


def rate(name: str, count: int, of: int) -> Json:
    """A rate as the API writes it."""
    found = count / of if of else None
    target = TARGETS[name]
    return {"rate": found, "count": count, "of": of, "target": target, "reached": found and found >= target}


def devices(online: int, intact: int, of: int) -> Json:
    """The two rates of devices."""
    beside = {"never_reported": 3, "in_maintenance": 2}
    return {"online": rate("online", online, of), "intact": rate("intact", intact, of), **beside}


class RatesDouble(Facts):
    """``rates_old``: seconds since they were counted; ``days_known``: what is known of how many days ago."""

    def __init__(self) -> None:
        super().__init__()
        self.rates_old = 0.0
        self.hearing = True
        self.connected = (8, 10)
        self.days_known: dict[int, float | None] = {}  # days ago: intact rate; None: nobody counted

    def add_rates_to(self, app: web.Application) -> None:
        """Serve them."""
        app.router.add_get("/api/v1/rates", self._rates)
        app.router.add_get("/api/v1/rates/days", self._days)
        app.router.add_get("/api/v1/bad-actors", self._actors)

    async def _rates(self, request: web.Request) -> web.Response:
        city = devices(999_600, 899_999, 1_000_000) | {"connection": rate("connection", *self.connected)}
        kinds = [devices(0, 0, 0) | {"kind": "water_crane"}, devices(95, 80, 100) | {"kind": "hydrant"}]
        grids = [devices(5, 5, 5) | {"grid": "g1", "name": "一网格"}, devices(1, 0, 2) | {"grid": None, "name": ""}]
        asked = request.query["by"]
        answer: dict[str, Any] = {"as_of": at(self.rates_old), "hearing": self.hearing, "city": city}
        answer |= {"kinds": kinds if "kind" in asked else [], "grids": grids if "grid" in asked else []}
        return web.json_response(answer)

    async def _days(self, request: web.Request) -> web.Response:
        today: date = datetime.now(UTC).date()
        items = [
            {
                "day": str(today - timedelta(days=back)), "frozen_at": at(), "late": known is None,
                "as_of": None if known is None else at(),
                **dict.fromkeys(("connection", "online"), None if known is None else rate("online", 95, 100)),
                "intact": None if known is None else rate("intact", round(known * 100), 100),
            }
            for back, known in sorted(self.days_known.items(), reverse=True)
        ]  # fmt: skip
        return web.json_response({"items": items, "next_cursor": None})

    async def _actors(self, request: web.Request) -> web.Response:
        return web.json_response({"items": [], "next_cursor": None})
