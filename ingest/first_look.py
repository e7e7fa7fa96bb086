"""What an alarm is taken for before anybody decodes it: whose it is, and whether it may be a fire."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from firetower.core.logs import logger
from firetower.core.mqtt import Incoming
from firetower.devices.wire_json import clean

log = logger("ingest.first_look")

_EVENT = re.compile(rb'"event"\s*:\s*"((?:[^"\\]|\\.){0,200})')
_FIRE = re.compile(rb"fire|manual_call|\\u706b|" + "火".encode())
_HEAD = len("firetower/v1/")
_LONGEST_UNIT = 64
"""Characters of a unit's name that are looked at: no sound name has more, an unsound one is a sender all the same."""


class Sender(NamedTuple):
    """Whose share a message counts to: a unit, its fires and readings apart from the rest."""

    unit: str
    urgent: bool

    def __str__(self) -> str:
        return f"{'!' if self.urgent else '.'}{self.unit}"

    @staticmethod
    def read(written: str) -> "Sender":
        """Return the sender that ``str`` wrote."""
        return Sender(written[1:], written[:1] == "!")


class Look(NamedTuple):
    """One message: its sender, urgent where every event in it is a fire, or it has readings only.

    ``may_be_fire``: any event in it is a fire, or none is told apart in it: it has readings, or is unreadable.
    """

    sender: Sender
    may_be_fire: bool


class Looks:
    """Looks at messages, one at each as long as it waits."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Incoming, Look]] = {}

    def at(self, message: Incoming) -> Look:
        """Return what a message is taken for; whoever asks has it forgotten in the end."""
        known = self._known.get(id(message))
        if known is None or known[0] is not message:
            known = self._known[id(message)] = (message, _surely(message))
        return known[1]

    def forget(self, messages: Sequence[Incoming]) -> None:
        """Forget messages that wait no more."""
        if self._known:
            for message in messages:
                self._known.pop(id(message), None)


def look_at(message: Incoming) -> Look:
    """Return what a message is taken for, whatever its topic and payload."""
    topic = message.topic
    end = topic.find("/", _HEAD)
    unit = topic[_HEAD:end] if end >= 0 else topic
    fires = _fires(message)
    return Look(Sender(clean(unit[:_LONGEST_UNIT]), all(fires)), not fires or any(fires))


def _surely(message: Incoming) -> Look:
    try:
        return look_at(message)
    except Exception:  # a fault of ours in telling alarms apart must not cost one; in doubt it is a fire
        log.exception("an alarm on %.200r cannot be looked at and is taken for a fire", message.topic)
        return Look(Sender("", urgent=True), may_be_fire=True)


def may_be_fire(message: Incoming) -> bool:
    """Say whether any event in a message is a fire, or none is told apart in it."""
    fires = _fires(message)
    return not fires or any(fires)


def _fires(message: Incoming) -> list[bool]:
    """Return of each event in a message, as far as bytes tell, whether it is a fire."""
    return [_FIRE.search(event) is not None for event in _EVENT.findall(message.payload.lower())]
