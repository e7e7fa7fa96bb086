"""One console's queue of frames between the live hub and its socket."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

QUEUE_FRAMES = 128
QUEUE_BYTES = 8 * 1024 * 1024

SLOW_READER = 4008  # close codes of ours; the console comes back with ?after=<its last seq>
SESSION_OVER = 4401  # the console asks for a sign-in


@dataclass(eq=False, slots=True)
class Subscription:
    """One console's queue of frames, at most 128 and 8 MiB.

    When full the console is dropped (``dropped`` is its close code): it comes back with ``?after`` and loses
    nothing, and nobody waits for it. The first frame always fits.
    """

    digest: bytes
    account: str = ""
    seq: int = -1
    dropped: int | None = None
    frames: deque[bytes] = field(default_factory=deque)
    held: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, frame: bytes, *, seq: int | None = None) -> bool:
        """Queue a frame; return False for one left out, as this console already has its changes up to ``seq``."""
        if self.dropped is not None:
            return True
        if seq is not None:
            if seq <= self.seq:
                return False
            self.seq = seq
        if self.frames and (len(self.frames) >= QUEUE_FRAMES or self.held + len(frame) > QUEUE_BYTES):
            self.drop(SLOW_READER)
            return True
        self.frames.append(frame)
        self.held += len(frame)
        self.wake.set()
        return True

    def drop(self, code: int) -> None:
        """End the subscription with a WebSocket close code."""
        if self.dropped is None:
            self.dropped = code
            self.frames.clear()
            self.wake.set()
            self.ended.set()

    async def next(self) -> bytes | None:
        """Return the next frame, None once dropped."""
        while not self.frames:
            if self.dropped is not None:
                return None
            self.wake.clear()
            await self.wake.wait()
        frame = self.frames.popleft()
        self.held -= len(frame)
        return frame
