"""Signals to addresses outside: one HTTP client, every call bounded in time, and how long to wait before the next."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from firetower.core.errors import FiretowerError

ANSWERS_WITHIN_S = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
_MAY_PASS = frozenset({408, 425, 429})
"""Statuses below 500 that ask for another try."""
_BYTES = 64 * 1024
"""Most of an answer's body that is read; one that goes on is no answer."""
_LONGEST_ASKED_S = 900.0
"""Longest wait that a receiver may ask for."""


class OutsideFailed(FiretowerError):
    """A signal was not taken. ``permanent``: the same one will not be taken later either.

    ``status``: of the answer, None where there was none. ``retry_after_s``: seconds it asked to be left alone.
    """

    code = "outside_failed"

    def __init__(
        self, message: str, *, permanent: bool, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered with a status of 2xx. ``body``: whole, at most 64 KiB. ``retry_after_s``: when to ask again."""

    status: int
    body: bytes
    retry_after_s: float | None = None


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

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        within_s: float | None = None,
    ) -> Answer:
        """Call ``url`` and return what it answers, body and all, within ``within_s`` seconds; raises OutsideFailed."""
        return await self._call(method, url, body, headers, within_s=within_s, reads=True)

    async def _call(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        within_s: float | None = None,
        reads: bool = False,
    ) -> Answer:
        if self._session is None:
            raise RuntimeError("the client is used before it is entered")
        within = self._answers_within_s if within_s is None else within_s
        said, asked = b"", None
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=within),
            ) as answer:  # fmt: skip
                status, asked = answer.status, answer.headers.get("Retry-After")
                if reads and 200 <= status < 300:
                    said = await _whole(answer, url)
        except TimeoutError as err:
            raise OutsideFailed(
                f"{place(url)} does not answer within {within:g} s; check the address and the network",
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
                status=status,
                retry_after_s=_seconds(asked),
            )
        return Answer(status, said, _seconds(asked))


async def _whole(answer: aiohttp.ClientResponse, url: str) -> bytes:
    """Return an answer's body; raises OutsideFailed for one without end."""
    said = bytearray()
    async for part in answer.content.iter_any():
        said += part
        if len(said) > _BYTES:
            raise OutsideFailed(
                f"{place(url)} answers with more than {_BYTES} bytes; check the address there", permanent=False
            )
    return bytes(said)


def _seconds(asked: str | None) -> float | None:
    """Return a Retry-After in seconds, bounded; None for one that is absent, a date or nonsense."""
    if asked is None or not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return None
    return min(float(asked), _LONGEST_ASKED_S)


def place(url: str) -> str:
    """Return scheme, host and port of ``url``: its path and query may be a secret, so they are never told."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def wait_before(attempt: int) -> float:
    """Return the seconds to wait after failure number ``attempt``: 0.5 s doubling to 15 s, jittered."""
    return float(min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt - 1, 10))) * random.uniform(0.5, 1.5)
