"""What channels do with a message, against receivers that misbehave: each failure says what is at fault, in time."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from letter_making import alert_of, letter
from outside_server import Receiver, receiving
from waiting import until

from firetower.alerts.duty.channels import AppriseChannel, GatewayChannel, WebhookChannel
from firetower.alerts.notify import signing
from firetower.alerts.notify.apprise_sender import AppriseSender
from firetower.alerts.notify.gateway_sender import GatewaySender
from firetower.alerts.notify.message import Facts, Message, Water
from firetower.alerts.notify.ports import Fact
from firetower.alerts.notify.senders import Sender, SendFailed
from firetower.alerts.notify.texts import message
from firetower.alerts.notify.webhook_sender import WebhookSender
from firetower.core.clock import SECOND, ManualClock
from firetower.core.outside import Outside

SECRET = "a secret of sixteen"
HOSTILE = 'x", "to": "13900000000"} {key} & *b*\n'


def told(text: str = "3F走廊", **more: Any) -> Message:
    facts = Facts(
        alert_of(text=text, lon=116.4, lat=39.9), ZoneInfo("Asia/Shanghai"), water=(Water("hydrant", "h", 9),)
    )
    return message(letter(7, **more), facts)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with Outside() as made:
        yield made


def gateway(url: str, outside: Outside, **more: Any) -> GatewaySender:
    fields = {"kind": "voice", "name": "voice", "url": url, "body": '{"to": "{phone}", "say": "{long}", "id": "{key}"}'}
    return GatewaySender(GatewayChannel.model_validate(fields | more), outside)


def webhook(url: str, outside: Outside, clock: ManualClock, **more: Any) -> WebhookSender:
    return WebhookSender(WebhookChannel(kind="webhook", name="hook", url=url, secret=SECRET, **more), outside, clock)


async def failure(sender: Sender, said: Message | None = None) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await sender.send(said or told())
    assert "secret-path" not in str(caught.value)
    return caught.value


async def test_the_webhook_signs_what_it_posts_and_names_it(
    receiver: Receiver, outside: Outside, clock: ManualClock
) -> None:
    await webhook(receiver.url, outside, clock).send(told())
    (call,) = receiver.calls
    headers = call.headers
    stamp, signature = headers["Firetower-Timestamp"], headers["Firetower-Signature"]
    now = clock.now()
    assert signing.refusal(SECRET.encode(), call.body, stamp, signature, now) is None
    assert "does not match" in (signing.refusal(SECRET.encode(), call.body + b" ", stamp, signature, now) or "")
    assert "does not match" in (signing.refusal(b"another", call.body, stamp, signature, now) or "")
    assert "301 s off" in (signing.refusal(SECRET.encode(), call.body, stamp, signature, now + 301 * SECOND) or "")
    assert "no time" in (signing.refusal(SECRET.encode(), call.body, "soon", signature, now) or "")
    assert "missing" in (signing.refusal(SECRET.encode(), call.body, stamp, None, now) or "")
    body = json.loads(call.body)
    assert body["key"] == headers["Idempotency-Key"] == "reference-7"
    assert (body["alert"]["text"], body["alert"]["coordinates"]) == ("3F走廊", "WGS-84")
    assert body["to"] == {"name": "王芳", "role": "responsible", "address": "+86 138 0013 8000"}
    assert body["water"] == [{"kind": "hydrant", "name": "h", "distance_m": 9, "faulty": False}]


@pytest.mark.parametrize(
    ("status", "permanent", "of_channel"),
    [
        (500, False, False), (503, False, False), (429, False, False), (408, False, False), (400, True, False),
        (422, True, False), (401, False, True), (403, False, True), (404, False, True), (302, False, True),
    ],
)  # fmt: skip
async def test_a_status_says_whether_the_letter_or_the_channel_is_at_fault(
    receiver: Receiver, outside: Outside, clock: ManualClock, status: int, permanent: bool, of_channel: bool
) -> None:
    receiver.statuses = [status]
    failed = await failure(webhook(receiver.url, outside, clock))
    assert (failed.permanent, failed.of_channel) == (permanent, of_channel)
    assert len(receiver.calls) == 1, "a redirect was followed"


async def test_a_receiver_that_never_answers_or_hangs_in_its_answer_is_given_up_in_time(
    receiver: Receiver, outside: Outside, clock: ManualClock
) -> None:
    receiver.gate.clear()
    failed = await failure(webhook(receiver.url, outside, clock, answers_within="1s"))
    assert (failed.permanent, "within 1 s" in str(failed)) == (False, True)
    hangs, endless = asyncio.Event(), web.Application()

    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Retry-After": "9"})
        await answer.prepare(request)
        if request.path == "/endless":
            while not hangs.is_set():
                await answer.write(b"x" * 65536)
        await answer.write(b'{"code"')
        await hangs.wait()
        return answer

    endless.router.add_route("*", "/{path:.*}", half)
    server = TestServer(endless)
    await server.start_server()
    try:
        taken = {"at": "code", "equals": [0]}
        for path, words in (("/half", "within 1 s"), ("/endless", "more than 65536 bytes")):
            sender = gateway(str(server.make_url(path)), outside, answers_within="1s", taken=taken)
            failed = await failure(sender)
            assert (failed.permanent, words in str(failed)) == (False, True), str(failed)
    finally:
        hangs.set()
        await server.close()


class Liar:
    """A gateway that answers 200 with whatever it is told to."""

    def __init__(self) -> None:
        self.says: Any = {"code": 0}
        self.asked: list[tuple[str, str, bytes, Mapping[str, str]]] = []
        self.retry_after: str | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.raw_path, await request.read(), request.headers))
        if self.retry_after is not None:
            return web.Response(status=429, headers={"Retry-After": self.retry_after})
        said = self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()
        return web.Response(body=said)


@pytest.fixture
async def liar() -> AsyncIterator[tuple[Liar, str]]:
    made, app = Liar(), web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    server = TestServer(app)
    await server.start_server()
    yield made, str(server.make_url("/send"))
    await server.close()


@pytest.mark.parametrize(
    ("says", "taken"),
    [
        ({"data": {"code": 0}}, True), ({"data": {"code": "0"}}, True), ({"data": {"code": False}}, False),
        ({"data": {"code": 310000, "errmsg": "keywords not in content"}}, False), ({"data": []}, False), ({}, False),
        (b"<html>ok</html>", False), (b"", False),
    ],
)  # fmt: skip
async def test_an_answer_of_200_is_taken_only_when_it_holds_what_the_plan_says(
    liar: tuple[Liar, str], outside: Outside, says: Any, taken: bool
) -> None:
    """Group robots answer 200 and refuse in the body; a refusal of theirs must not count as sent."""
    liar[0].says = says
    sender = gateway(liar[1], outside, taken={"at": "data.code", "equals": [0, "0"]})
    if taken:
        assert await sender.send(told()) == {}
        return
    failed = await failure(sender)
    assert not failed.permanent
    if isinstance(says, dict) and says.get("data"):
        assert "means taken" in str(failed)


@pytest.mark.parametrize(("given", "kept"), [("7", 7.0), ("99999", 900.0), ("soon", None), ("-1", None)])
async def test_retry_after_is_honoured_and_bounded(
    liar: tuple[Liar, str], outside: Outside, given: str, kept: float | None
) -> None:
    liar[0].retry_after = given
    failed = await failure(gateway(liar[1], outside))
    assert (failed.permanent, failed.retry_after_s) == (False, kept)


async def test_values_are_written_so_that_none_leaves_its_place(liar: tuple[Liar, str], outside: Outside) -> None:
    """A panel's text can neither add a field to the gateway's JSON or form, nor fill in a placeholder, nor a header."""
    said = told(HOSTILE)
    headers = {"X-Title": "{title}", "X-Who": "{name}"}
    await gateway(liar[1] + "?to={phone}&t={text}", outside, headers=headers, markup="markdown").send(said)
    method, path, body, sent = liar[0].asked[-1]
    assert (method, sent["X-Who"]) == ("POST", "%E7%8E%8B%E8%8A%B3")
    decoded = json.loads(body)
    assert decoded.keys() == {"to", "say", "id"}
    assert decoded["to"] == "+86 138 0013 8000"
    assert "\\{key\\}" in decoded["say"]
    assert "\\*b\\*" in decoded["say"]
    assert path.count("&") == 1
    form = gateway(liar[1], outside, kind="http", encoding="form", body="to={phone}&say={text}", form="long")
    await form.send(said)
    assert liar[0].asked[-1][2].count(b"&") == 1


async def test_a_gateway_is_asked_what_became_of_a_call(liar: tuple[Liar, str], outside: Outside) -> None:
    status = {
        "url": liar[1] + "/{id}", "at": "state", "delivered": ["answered"], "acted": ["key_1"], "failed": ["busy"]
    }  # fmt: skip
    sender = gateway(liar[1], outside, id_at="data.id", status=status)
    liar[0].says = {"data": {"id": "a/b"}}
    facts = await sender.send(told())
    assert facts == {"gateway_id": "a/b"}
    for odd in ("a\0b", "\ud800", None, ["a"]):  # what no database holds would be called again after every restart
        liar[0].says = {"data": {"id": odd}}
        assert await sender.send(told()) == {}
    expected = {
        "ringing": (None, {}), "answered": (Fact.DELIVERED, {"status": "answered"}),
        "key_1": (Fact.ACTED, {"status": "key_1"}), "busy": (None, {"status": "busy", "undelivered": True}),
    }  # fmt: skip
    for word, known in expected.items():
        liar[0].says = {"state": word}
        assert await sender.ask("reference-7", facts) == known
    assert liar[0].asked[-1][1] == "/send/a%2Fb"
    assert await sender.ask("reference-7", {}) == (None, {})


def apprise(*urls: str, **more: Any) -> AppriseSender:
    return AppriseSender(AppriseChannel(kind="apprise", name="apprise", urls=urls, **more))


def as_json(receiver: Receiver, path: str = "{address}") -> str:
    return receiver.url.replace("http://", "json://").replace("secret-path", path)


async def test_apprise_posts_to_the_address_and_says_what_failed(receiver: Receiver) -> None:
    sender = apprise(as_json(receiver))
    await sender.send(told(address="an/address"))
    said = json.loads(receiver.calls[0].body)
    assert said["message"].startswith("[红] 火警")
    assert "an" in receiver.calls[0].path
    for status, permanent, of_channel in (
        (500, False, False),
        (404, True, False),
        (401, False, True),
        (302, False, True),
    ):
        receiver.statuses = [status]
        failed = await failure(sender)
        assert (failed.permanent, failed.of_channel) == (permanent, of_channel), str(failed)
    assert len(receiver.calls) == 5, "a redirect was followed"


async def test_apprise_goes_on_to_the_next_url_and_tells_no_secret(receiver: Receiver) -> None:
    receiver.statuses = [500]
    sender = apprise(as_json(receiver, "tokentoken"), as_json(receiver, "other"))
    assert await sender.send(told()) == {"service": 2}
    receiver.statuses = [500, 500]
    assert "other" not in str(await failure(apprise(as_json(receiver, "otherother"))))


@pytest.mark.parametrize(
    "url",
    [
        "mailto://u:p@smtp.example.org?from=a@example.org&to={address}",
        "twilio://AC0123456789012345678901234567890a:0123456789abcdef0123456789abcdef@+15551234567/{address}",
    ],
)
async def test_an_address_that_is_none_fails_for_good(url: str) -> None:
    """Some services would then tell the sender himself, and call that taken."""
    failed = await failure(apprise(url), told(address="nobody"))
    assert failed.permanent
    assert "'nobody' is no address for channel apprise" in str(failed)


async def test_a_recipient_that_is_not_found_is_no_fault_of_the_channel(receiver: Receiver, outside: Outside) -> None:
    receiver.statuses = [404, 404]
    failed = await failure(gateway(receiver.url + "/{phone}", outside))
    assert (failed.permanent, failed.of_channel) == (True, False)
    assert (await failure(gateway(receiver.url, outside))).of_channel


async def test_a_service_that_hangs_keeps_its_places_and_no_more(receiver: Receiver) -> None:
    """Threads cannot be ended: a hung service must not gather them without end."""
    receiver.gate.clear()
    sender = apprise(as_json(receiver), at_once=2, answers_within="1s")
    failed = await asyncio.gather(*(failure(sender) for _ in range(3)))
    assert sorted("still hang" in str(each) for each in failed) == [False, False, True]
    receiver.gate.set()
    await until(lambda: not [each for each in threading.enumerate() if each.name == "channel apprise"])
    await sender.send(told())
