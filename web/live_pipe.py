"""The way of frames from here to one console: little stands in it, as nothing overtakes what does."""

import asyncio
import contextlib
import socket

from aiohttp import WSMsgType, web

from firetower.core.logs import logger

_log = logger("web.live")

WINDOW_BYTES = 32 * 1024
"""No frame is begun while more than this was sent that the console has not taken."""
ASK_BYTES = 16 * 1024
"""A ping follows so much: its pong says that all before it was taken. On a quiet day there are two a minute."""
DEAF_S = 2.0
"""A client that never answered a ping is waited for no longer than this, once: then only its socket counts."""
SILENT_S = 15.0
"""Whoever takes nothing at all for so long is dropped; the page itself gives a silent connection up as soon."""
LOOK_S = 1.0


class LivePipe:
    """The WebSocket of one console, prepared with ``writer_limit=0`` and ``autoping=False``.

    What the systems on both sides take ahead of the page can be megabytes. So a frame is begun only when the console
    has taken nearly all before it: by the pongs of the WebSocket protocol, which a browser answers by itself, in turn
    behind the frames, as fast as its page takes those. ``send`` one frame when ``ready``.
    """

    def __init__(self, of: web.WebSocketResponse, transport: asyncio.WriteTransport) -> None:
        self._socket = of
        self._transport = transport
        self._sent = 0
        self._asked = 0
        self._taken = 0
        self._is_deaf: bool | None = None
        self._pong = asyncio.Event()
        transport.set_write_buffer_limits(high=0)  # a frame counts as sent when the system has all of it
        made = transport.get_extra_info("socket")
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # not everywhere
        if option is not None and made is not None and made.family in {socket.AF_INET, socket.AF_INET6}:
            with contextlib.suppress(OSError):  # closed meanwhile
                made.setsockopt(socket.IPPROTO_TCP, option, WINDOW_BYTES)

    async def ready(self) -> None:
        """Wait until a frame may be begun."""
        while self._is_full:
            self._pong.clear()
            if self._is_deaf is not None:
                await self._pong.wait()
                continue
            try:
                async with asyncio.timeout(DEAF_S):
                    await self._pong.wait()
            except TimeoutError:
                self._is_deaf = True
                _log.info("a live connection does not answer pings: its system's buffers are not bounded")

    async def send(self, frame: bytes) -> None:
        """Send a frame; returns when the system has all of it."""
        await self._socket.send_frame(frame, WSMsgType.TEXT)
        self._sent += len(frame)
        if self._sent - self._asked >= ASK_BYTES:
            self._asked = self._sent
            await self._socket.ping(b"%d" % self._sent)

    def answered(self, pong: bytes) -> None:
        """Take in a pong."""
        if pong.isdigit() and self._taken < (taken := int(pong)) <= self._asked:
            self._taken = taken
            self._is_deaf = False
            self._pong.set()

    async def until_stuck(self) -> None:
        """Return once frames wait and nothing was taken for ``SILENT_S``."""
        loop = asyncio.get_running_loop()
        seen, since = (0, 0), loop.time()
        while True:
            await asyncio.sleep(LOOK_S)
            now = self._taken, self._transport.get_write_buffer_size()
            if now != seen or not (now[1] or self._is_full):
                seen, since = now, loop.time()
            elif loop.time() - since >= SILENT_S:
                return

    @property
    def _is_full(self) -> bool:
        return not self._is_deaf and self._sent - self._taken > WINDOW_BYTES
