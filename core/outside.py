"""Signals to addresses outside: one HTTP client, every call bounded in time, and how long to wait before the next."""

import random
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from firetower.core.errors import FiretowerError

ANSWERS_WITHIN_S = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
_MAY_PASS = frozenset({408, 425, 429})
"""Statuses below 500 that ask for another try."""


class OutsideFailed(FiretowerError):
    """A signal was not taken. ``permanent``: the same one will not be taken later either."""

    code = "outside_failed"

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class Outside:
    """The client; to be entered before use. A signal is taken when the answer is 2xx; redirects are not followed.

    ``answers_within_s``: seconds a call may take from the first byte of the connection to the answer.
    """

    def __init__(self, *, answers_within_s: float = ANSWERS_WITHIN_S) -> None:
        self._answers_within_s = answers_within_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._answers_within_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Firetower"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def get(self, url: str) -> None:
        """GET ``url``; raises OutsideFailed."""
        await self._call("GET", url)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """POST ``body`` to ``url``; raises OutsideFailed."""
        await self._call("POST", url, body, headers)

    async def _call(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        if self._session is None:
            raise RuntimeError("the client is used before it is entered")
        try:
            async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except TimeoutError as err:
            raise OutsideFailed(
                f"{place(url)} does not answer within {self._answers_within_s:g} s; check the address and the network",
                permanent=False,
            ) from err
        except (aiohttp.ClientError, OSError) as err:
            raise OutsideFailed(
                f"{place(url)} cannot be reached: {type(err).__name__}; check the address and the network",
                permanent=False,
            ) from err
        if not 200 <= status < 300:
            raise OutsideFailed(
                f"{place(url)} answers {method} with status {status}, 2xx is expected; check the address there",
                permanent=status < 500 and status not in _MAY_PASS,
            )


def place(url: str) -> str:
    """Return scheme, host and port of ``url``: its path and query may be a secret, so they are never told."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def wait_before(attempt: int) -> float:
    """Return the seconds to wait after failure number ``attempt``: 0.5 s doubling to 15 s, jittered."""
    return float(min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt - 1, 10))) * random.uniform(0.5, 1.5)
