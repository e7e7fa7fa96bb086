"""The channel ``apprise``: the library waits for its services, so each try is a thread of its own, bounded in time.

A try that takes longer is given up, but its thread cannot be ended: it keeps its place until the service lets go of it.
While all places are kept so, the channel takes nothing more, and says so.
"""

import asyncio
import re
import threading
from collections.abc import Mapping
from typing import Any

from firetower.alerts.duty.channels import AppriseChannel
from firetower.alerts.notify.apprise_library import notify, service_of, shows_markdown
from firetower.alerts.notify.message import Message
from firetower.alerts.notify.senders import SendFailed
from firetower.alerts.notify.texts import escaped
from firetower.core.clock import SECOND

_STATUS = re.compile(r"error=(\d{3})\b")
_PARTS = re.compile(r"[^\s:/@?&=#,]{6,}")
_REFUSES_US = frozenset({401, 403})
_MAY_PASS = frozenset({408, 425, 429})


class AppriseSender:
    """Hands messages to the first of a channel's services that takes them."""

    def __init__(self, channel: AppriseChannel) -> None:
        self._channel = channel
        self._under_way = 0

    async def send(self, message: Message) -> Mapping[str, Any]:
        """Send ``message``. Raises SendFailed, of the last service."""
        failed: SendFailed | None = None
        for number, url in enumerate(self._channel.urls):
            try:
                await self._try(url, message)
            except SendFailed as err:
                failed = err
                continue
            return {"service": number + 1} if number else {}
        assert failed is not None
        raise failed

    async def _try(self, url: str, message: Message) -> None:
        within_s = self._channel.answers_within / SECOND
        if self._under_way >= self._channel.at_once:
            raise SendFailed(
                f"{self._under_way} tries of channel {self._channel.name} still hang, at_once is"
                f" {self._channel.at_once}; check the service",
                permanent=False,
            )
        loop = asyncio.get_running_loop()
        done: asyncio.Future[SendFailed | None] = loop.create_future()

        def finish(failed: SendFailed | None) -> None:
            self._under_way -= 1
            if not done.done():
                done.set_result(failed)

        def run() -> None:
            failed = _send(url, message, self._channel, within_s)
            try:
                loop.call_soon_threadsafe(finish, failed)
            except RuntimeError:
                return  # the loop has ended, nobody waits any more

        self._under_way += 1
        threading.Thread(target=run, name=f"channel {self._channel.name}", daemon=True).start()
        try:
            async with asyncio.timeout(within_s):
                failed = await done
        except TimeoutError as err:
            raise SendFailed(
                f"channel {self._channel.name} does not answer within {within_s:g} s; check service and network",
                permanent=False,
            ) from err
        if failed is not None:
            raise failed


def _send(url: str, message: Message, channel: AppriseChannel, within_s: float) -> SendFailed | None:
    """Send in a thread; return what failed."""
    try:
        service = service_of(url, message.letter.new.address)
        if service is None:
            return SendFailed(
                f"{message.letter.new.address[:80]!r} is no address for channel {channel.name}; mend the contact",
                permanent=True,
            )
        markup = "markdown" if shows_markdown(service) else "none"
        title = "" if service.title_maxlen == 0 else escaped(message.title, markup)
        said = notify(service, title, escaped(message.text(channel.form), markup), within_s)
    except Exception as err:  # noqa: BLE001  # reason: a service of the library may raise anything
        return SendFailed(f"channel {channel.name}: {type(err).__name__}", permanent=False)
    if said is None:
        return None
    status = int(found[1]) if (found := _STATUS.search(said)) else 0
    refuses = status in _REFUSES_US or 300 <= status < 400
    return SendFailed(
        f"channel {channel.name}: {_without_secrets(said, url)}",
        permanent=400 <= status < 500 and status not in _MAY_PASS and not refuses,
        of_channel=refuses,
    )


def _without_secrets(said: str, url: str) -> str:
    """Return what a service says of a failure without the parts of its URL that may be secrets."""
    for part in _PARTS.findall(url.replace("{address}", "").partition("://")[2]):
        said = said.replace(part, "***")
    return " ".join(said.split())[:300]
