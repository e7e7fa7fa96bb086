"""Asks a camera for one picture: bounded in time and size, redirects refused, believed only by its first bytes."""

import asyncio
import base64
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from firetower.alerts.cameras.names import Names
from firetower.alerts.cameras.picture import kind_of
from firetower.alerts.cameras.ports import Picture
from firetower.alerts.cameras.trouble import Trouble, Why
from firetower.alerts.duty.cameras import CameraSecret

ANSWERS_WITHIN_S = 5.0
MOST_BYTES = 4 * 1024 * 1024
LEFT_ALONE_S = 1800.0
"""A host that refused a password is not asked with it again for so long: one recorder has many cameras, and locks the
account of all of them out after some five wrong passwords within half an hour."""


class NoPicture(Exception):
    """There is no picture; ``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.words("en"))
        self.trouble = trouble


class Eye:
    """The client; to be entered before use. ``secrets``: by the name a camera gives."""

    def __init__(self, secrets: Mapping[str, CameraSecret], *, within_s: float = ANSWERS_WITHIN_S) -> None:
        self._secrets = secrets
        self._within_s = within_s
        self._session: aiohttp.ClientSession | None = None
        self._names = Names()
        self._refused: dict[tuple[str, str], tuple[float, Trouble]] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._within_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Firetower", "Accept": "image/jpeg, image/png, image/webp"},
            skip_auto_headers=("Accept-Encoding",),
            auto_decompress=False,  # pictures are compressed already; a bomb is no picture
            # cameras close what they said they would keep: each asking has a connection of its own
            connector=aiohttp.TCPConnector(limit=0, force_close=True, resolver=self._names),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()
        await self._names.close()

    async def look(self, address: str, secret: str | None) -> Picture:
        """Return the picture ``address`` answers with now. Raises NoPicture."""
        assert self._session is not None
        known = None if secret is None else self._secrets.get(secret)
        if secret is not None and known is None:
            raise NoPicture(Trouble(Why.NO_SECRET))
        key = urlsplit(address).netloc, secret or ""
        if known is not None and (trouble := self._left_alone(key)) is not None:
            raise NoPicture(trouble)
        headers, middlewares = _signed(known)
        try:
            async with self._session.get(
                address, allow_redirects=False, headers=headers, middlewares=middlewares
            ) as answer:
                _check(answer.status)
                body = await _whole(answer)
        except NoPicture as err:
            if err.trouble.why is Why.REFUSED and known is not None:
                self._refused[key] = asyncio.get_running_loop().time(), err.trouble
            raise
        except TimeoutError as err:
            raise NoPicture(Trouble(Why.NO_ANSWER)) from err
        except (aiohttp.ClientError, OSError, ValueError) as err:  # a ValueError: an address aiohttp cannot read
            raise NoPicture(Trouble(Why.UNREACHABLE)) from err
        found = kind_of(body)
        if found is None:
            raise NoPicture(Trouble(Why.NO_PICTURE))
        return Picture(found.media, body)

    def _left_alone(self, key: tuple[str, str]) -> Trouble | None:
        """Return why a host is not asked with a secret now; None where it is."""
        since, trouble = self._refused.get(key, (0.0, None))
        if trouble is not None and asyncio.get_running_loop().time() - since >= LEFT_ALONE_S:
            del self._refused[key]
            return None
        return trouble


def _signed(secret: CameraSecret | None) -> tuple[dict[str, str], tuple[aiohttp.ClientMiddlewareType, ...]]:
    if secret is None:
        return {}, ()
    if secret.kind == "digest":
        return {}, (aiohttp.DigestAuthMiddleware(secret.username, secret.password),)
    if secret.kind == "basic":
        known = base64.b64encode(f"{secret.username}:{secret.password}".encode()).decode()
        return {"Authorization": f"Basic {known}"}, ()
    return {"Authorization": f"Bearer {secret.password}"}, ()


def _check(status: int) -> None:
    if 300 <= status < 400:
        raise NoPicture(Trouble(Why.REDIRECT, status))
    if status in {401, 403}:
        raise NoPicture(Trouble(Why.REFUSED, status))
    if not 200 <= status < 300:
        raise NoPicture(Trouble(Why.STATUS, status))


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    said = bytearray()
    async for part in answer.content.iter_any():
        said += part
        if len(said) > MOST_BYTES:
            raise NoPicture(Trouble(Why.TOO_LARGE))
    return bytes(said)
