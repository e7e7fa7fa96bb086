"""The channels ``voice`` and ``http``: a gateway that somebody else wrote, called as the duty plan describes it."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from firetower.alerts.duty.channels import Found, GatewayChannel
from firetower.alerts.notify.message import Message
from firetower.alerts.notify.ports import Fact
from firetower.alerts.notify.senders import SendFailed, of_outside
from firetower.alerts.notify.texts import escaped
from firetower.alerts.words import storable
from firetower.core.clock import SECOND
from firetower.core.outside import Answer, Outside, OutsideFailed, place

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_TYPES = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}
_MISSING = object()


class GatewaySender:
    """Calls one gateway. Taken is an answer of 2xx that holds what the plan says it must."""

    def __init__(self, channel: GatewayChannel, outside: Outside) -> None:
        self._channel = channel
        self._outside = outside
        self._of_recipient = "{phone}" in channel.url or "{address}" in channel.url
        status = channel.status
        self.asks_every_s = None if status is None else status.every / SECOND
        self.asks_until = 0 if status is None else status.until

    async def send(self, message: Message) -> Mapping[str, Any]:
        """Hand ``message`` over and return the gateway's id for it, where it gives one. Raises SendFailed."""
        channel = self._channel
        values = {
            "phone": message.letter.new.address,
            "address": message.letter.new.address,
            "name": message.letter.new.name,
            "title": escaped(message.title, channel.markup),
            "text": escaped(message.text(channel.form), channel.markup),
            "long": escaped(message.long, channel.markup),
            "language": message.letter.new.language,
            "key": message.reference,
        }
        headers = {
            "Idempotency-Key": message.reference,
            **({"Content-Type": _TYPES[channel.encoding]} if channel.body else {}),
            **{name: _filled(value, values, _on_one_line) for name, value in channel.headers.items()},
        }
        body = _filled(channel.body, values, _WRITTEN[channel.encoding]).encode("utf-8", "replace")
        answer = await self._call(channel.method, _filled(channel.url, values, _quoted), body or None, headers)
        if channel.taken is None and channel.id_at is None:
            return {}
        said = _decoded(answer, channel.url)
        if channel.taken is not None and not _is(said, channel.taken):
            found = _at(said, channel.taken.at)
            raise SendFailed(
                f"{place(channel.url)} answers with {channel.taken.at} {_told(found)}, "
                f"{' or '.join(map(repr, channel.taken.equals))} means taken; its answer: {_told(said)}",
                permanent=False,
            )
        gateway_id = None if channel.id_at is None else _at(said, channel.id_at)
        known = isinstance(gateway_id, str | int) and storable(str(gateway_id))
        return {"gateway_id": str(gateway_id)[:200]} if known else {}

    async def ask(self, reference: str, facts: Mapping[str, Any]) -> tuple[Fact | None, Mapping[str, Any]]:
        """Ask what became of a message it took. Raises SendFailed."""
        status = self._channel.status
        if status is None or ("{id}" in status.url and "gateway_id" not in facts):
            return None, {}
        values = {"id": str(facts.get("gateway_id", "")), "key": reference}
        headers = {name: value for name, value in self._channel.headers.items() if not _PLACEHOLDER.search(value)}
        said = _decoded(await self._call("GET", _filled(status.url, values, _quoted), None, headers), status.url)
        word = _at(said, status.at)
        for fact, words in ((Fact.ACTED, status.acted), (Fact.READ, status.read), (Fact.DELIVERED, status.delivered)):
            if _among(word, words):
                return fact, {"status": word}
        if _among(word, status.failed):
            return None, {"status": word, "undelivered": True}
        return None, {}

    async def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            return await self._outside.ask(method, url, body, headers, within_s=self._channel.answers_within / SECOND)
        except OutsideFailed as err:
            raise of_outside(err, of_recipient=self._of_recipient) from err


def _decoded(answer: Answer, url: str) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as err:
        raise SendFailed(
            f"{place(url)} answers with what is no JSON ({answer.body[:80]!r}); check the address, or taken, there",
            permanent=False,
        ) from err


def _at(said: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(said, list) and name.isdigit() and int(name) < len(said):
            said = said[int(name)]
        elif isinstance(said, dict) and name in said:
            said = said[name]
        else:
            return _MISSING
    return said


def _among(value: Any, words: tuple[str | int | bool, ...]) -> bool:
    return any(type(value) is type(word) and value == word for word in words)  # True is no 1 here


def _is(said: Any, wanted: Found) -> bool:
    return _among(_at(said, wanted.at), wanted.equals)


def _told(value: Any) -> str:
    return "nothing" if value is _MISSING else repr(value)[:120]


def _filled(template: str, values: Mapping[str, str], write: Callable[[str], str]) -> str:
    """Put values in once: what stands in a value is never looked at for placeholders."""
    return _PLACEHOLDER.sub(lambda found: write(values[found[1]]) if found[1] in values else found[0], template)


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _on_one_line(value: str) -> str:
    return quote(" ".join(value.split()), safe=" !#$&'()*+,/:;=?@[]~-._")


_WRITTEN: dict[str, Callable[[str], str]] = {
    "json": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "form": _quoted,
    "text": lambda value: value,
}
