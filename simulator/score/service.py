"""The service as a tester's script sees it: signed in to its HTTP interface, and its figures."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp

from firetower.core.clock import Micros, from_datetime, rfc3339
from firetower.core.errors import FiretowerError
from firetower.simulator.score.judge import Seen

PAGE = 200
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_SAMPLE = re.compile(r"^(\w+(?:\{[^}]*\})?) ([0-9.eE+-]+|NaN)$")


class ServiceTrouble(FiretowerError):
    """The service does not answer, or refuses; ``status``: of its answer, None without one."""

    code = "service"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Service:
    """The service at ``url``, signed in as ``user``."""

    def __init__(self, http: aiohttp.ClientSession, url: str, user: str) -> None:
        self._http = http
        self.url, self.user = url, user

    async def alerts(self, since: Micros) -> list[Seen]:
        """Return every alert raised at or after ``since``, closed ones too, each once.

        Pages are of a list that moves: one that changed its place in between is asked for again with the next look.
        """
        found: dict[str, Seen] = {}
        cursor: str | None = None
        while True:
            query = {"since": rfc3339(since), "limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
            page = await self.get("/alerts", query)
            for item in page["items"]:
                found[item["id"]] = _seen(item)
            cursor = page["next_cursor"]
            if cursor is None:
                return list(found.values())

    async def open_alert(self, unit: str, device: str, alert_class: str, since: Micros, *, closed: bool) -> str | None:
        """Return the id of the newest alert of a device that is, or is not, closed; None when there is none."""
        query = {"unit": unit, "device": device, "class": alert_class, "since": rfc3339(since)}
        items = (await self.get("/alerts", query))["items"]
        fit = [item for item in items if (item["state"] == "closed") is closed]
        return max(fit, key=lambda item: item["raised_at"])["id"] if fit else None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """GET; the decoded answer."""
        return await self._ask("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, Any], key: str) -> Any:
        """POST with ``key`` as its Idempotency-Key; the decoded answer."""
        return await self._ask("POST", path, body=body, headers={"Idempotency-Key": key})

    async def metrics(self) -> dict[str, float] | None:
        """Return what /metrics of this node says, by name and labels as written there; None where it has none."""
        try:
            async with self._http.get(f"{self.url}/metrics") as answer:
                if answer.status != 200:
                    return None
                lines = (await answer.text()).splitlines()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        found = (_SAMPLE.match(line) for line in lines)
        return {match[1]: float(match[2]) for match in found if match is not None}

    async def _ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        return await _asked(
            self._http.request(method, f"{self.url}/api/v1{path}", params=query, json=body, headers=headers),
            f"{method} {path}",
        )


@asynccontextmanager
async def signed_in(url: str, user: str, password: str) -> AsyncIterator[Service]:
    """Give the service at ``url`` to ``user``; ServiceTrouble when it cannot be reached or refuses the account."""
    url = url.rstrip("/")
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
        try:
            request = http.post(f"{url}/api/v1/session", json={"username": user, "password": password})
        except (aiohttp.InvalidURL, ValueError) as err:
            raise ServiceTrouble(f"--score {url!r} is no address: give http://host:port or https://") from err
        try:
            answer = await _asked(request, "sign-in")
        except ServiceTrouble as err:
            remedy = (
                "check FIRETOWER_USER and FIRETOWER_PASSWORD" if err.status else "check --score and that it runs there"
            )
            raise ServiceTrouble(f"the service at {url}: {err}; {remedy}", err.status) from err
        http.headers["Authorization"] = f"Bearer {answer['token']}"
        yield Service(http, url, user)


async def _asked(request: Any, what: str) -> Any:
    try:
        async with request as answer:
            body = await answer.json(content_type=None)
            if answer.status >= 400:
                error = body["error"]["message"] if isinstance(body, dict) and "error" in body else str(body)[:200]
                raise ServiceTrouble(f"{what} was refused ({answer.status}): {error}", answer.status)
            return body
    except aiohttp.InvalidURL as err:
        raise ServiceTrouble(f"{what}: {err} is no address: give http://host:port or https://") from err
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as err:
        raise ServiceTrouble(f"{what} had no answer: {err or type(err).__name__}") from err


def _seen(item: Mapping[str, Any]) -> Seen:
    return Seen(
        id=item["id"], subject_kind=item["subject_kind"], subject=item["subject"], unit=item["unit"],
        device=item["device"], component=item["component"], alert_class=item["class"], priority=item["priority"],
        rule=item["rule"], raised_at=from_datetime(datetime.fromisoformat(item["raised_at"])),
        flags=tuple(item["flags"]), occurrences=item["occurrences"], text=item["text"],
    )  # fmt: skip
