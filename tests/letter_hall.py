"""A dispatcher at work in virtual time: its store in memory, its clock, and recipients that fail as they are bid."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from alert_making import T0
from letter_making import alert_of, low_pressure
from memory_outbox import MemoryOutbox
from virtual_time import LoopClock

from firetower.alerts.duty.channels import WebhookChannel
from firetower.alerts.notify.dispatcher import Dispatcher
from firetower.alerts.notify.letters import Letter, NewLetter
from firetower.alerts.notify.message import Facts, Message
from firetower.alerts.notify.senders import SendFailed
from firetower.rules.verdicts import Verdict


class Recipient:
    """A channel that keeps what it took, and fails as it is bid: ``says`` of the next tries, ``always`` of the others.

    ``takes_s``: how long each try takes.
    """

    def __init__(self) -> None:
        self.says: list[SendFailed | None] = []
        self.always: SendFailed | None = None
        self.takes_s = 0.0
        self.tried: list[tuple[float, Message]] = []
        self.taken: list[tuple[float, Message]] = []
        self.at_once = self.most_at_once = 0

    async def send(self, message: Message) -> Mapping[str, Any]:
        now = asyncio.get_running_loop().time()
        self.tried.append((now, message))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        failed = self.says.pop(0) if self.says else self.always
        if failed is not None:
            raise failed
        self.taken.append((now, message))
        return {}

    @property
    def keys(self) -> list[str]:
        return [message.letter.new.key for _, message in self.taken]


def channel(name: str = "hook", **more: Any) -> WebhookChannel:
    return WebhookChannel(kind="webhook", name=name, url="https://x/y", secret="s" * 16, **more)


class Hall:
    """A store, its clock, the recipients by channel, and what was said of the channels."""

    def __init__(self, **channels: WebhookChannel) -> None:
        self.store = MemoryOutbox({1: alert_of(1), 2: low_pressure(2)})
        self.clock = LoopClock(T0)
        self.channels = channels or {"hook": channel()}
        self.recipients = {name: Recipient() for name in self.channels}
        self.said: list[tuple[str, str]] = []
        self.dispatcher = self.made()

    def made(self) -> Dispatcher:
        async def facts(candidate: Any) -> Facts:
            return Facts(candidate.alert, ZoneInfo("Asia/Shanghai"))

        async def tell(verdicts: Sequence[Verdict], now: int) -> None:
            self.said += [(each.component, each.kind.value) for each in verdicts]

        lines = [(each, self.recipients[name]) for name, each in self.channels.items()]
        return Dispatcher(self.store, lines, self.clock, facts=facts, tell=tell)

    @property
    def hook(self) -> Recipient:
        return self.recipients["hook"]

    async def put(self, *letters: NewLetter) -> None:
        now = self.clock.now()
        await self.store.put([replace(each, due_at=now) for each in letters], now)

    def letter(self, key: str) -> Letter:
        return next(each for each in self.store.letters.values() if each.new.key == key)

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.dispatcher.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
