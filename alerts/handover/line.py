"""The line to the command centre: one signed message to one of its addresses, and the link test 与119的通信测试."""

import json
from uuid import uuid4

from firetower.alerts.duty.command_centre import CommandCentre
from firetower.alerts.handover.payload import INTERFACE
from firetower.alerts.handover.receipt import NoReceipt, read
from firetower.alerts.notify.signing import sign
from firetower.core.clock import SECOND, Clock, rfc3339
from firetower.core.outside import Answer, Outside, OutsideFailed, place


class Line:
    """The line to ``centre`` over ``outside``; ``clock``: whose time signs."""

    def __init__(self, centre: CommandCentre, outside: Outside, clock: Clock) -> None:
        self.centre = centre
        self._outside = outside
        self._clock = clock

    async def say(self, number: int, key: str, body: bytes) -> Answer:
        """Send a message to address ``number`` and return what it answers. Raises OutsideFailed."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": key,
            **sign(self.centre.secret.get_secret_value().encode(), body, self._clock.now()),
        }
        within = self.centre.answers_within / SECOND
        return await self._outside.ask("POST", self.centre.addresses[number], body, headers, within_s=within)

    async def test(self) -> list[str]:
        """Send every address a message that opens no case, and return what is wrong: nothing when all gave receipts."""
        return [why for number in range(len(self.centre.addresses)) if (why := await self._wrong(number)) is not None]

    async def _wrong(self, number: int) -> str | None:
        key, now = str(uuid4()), self._clock.now()
        said = {
            "interface": INTERFACE,
            "kind": "link_test",
            "key": key,
            "report_key": key,
            "sender": self.centre.sender,
            "written_at": rfc3339(now),
        }
        try:
            answer = await self.say(number, key, json.dumps(said).encode())
            read(answer.body, key, created_at=now, now=self._clock.now())
        except OutsideFailed as err:
            return str(err)
        except NoReceipt as err:
            return f"{place(self.centre.addresses[number])} gives no receipt: {err}"
        return None
