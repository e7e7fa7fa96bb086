"""Letters: who was told of an alert, what gateways tell of them, and the page behind a letter's link."""

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, Field

from firetower.alerts.duty.channels import GatewayChannel, WebhookChannel
from firetower.alerts.model import State
from firetower.alerts.notify import meters
from firetower.alerts.notify.letters import Letter
from firetower.alerts.notify.ports import Fact
from firetower.alerts.notify.signing import SIGNATURE, TIMESTAMP, refusal
from firetower.alerts.notify.texts import message
from firetower.alerts.notify.wanted import Candidate
from firetower.core.clock import DAY
from firetower.storage.letter_facts import LetterFacts
from firetower.storage.outbox import Outbox
from firetower.web.alert_routes import PATH as ALERTS
from firetower.web.alert_routes import alert_id
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Moment, Nothing
from firetower.web.errors import Refused
from firetower.web.letter_json import ChannelOut, LetterOut, channel_out, letter_out
from firetower.web.letter_page import page

PATH = "/api/v1/letters"


class LettersOut(Answered):
    """The letters about one alert, oldest first."""

    items: list[LetterOut]


class ReceiptGiven(Asked):
    """What a gateway tells of a letter."""

    fact: Literal["delivered", "read", "acted", "failed"] = Field(
        description="`acted`: the recipient pressed a key; `failed`: taken, but it did not arrive"
    )
    at: Moment | None = Field(None, description="when that was; absent: now")
    word: str | None = Field(None, max_length=200, description="in the gateway's words: the key pressed, the reason")


async def list_letters(call: Call[Nothing, None]) -> BaseModel:
    """List who was told of an alert, over which channel, and what became of each letter."""
    alert = await call.deps.alerts.get(alert_id(call))
    letters = await Outbox(call.deps.pool).of_alert(alert.id)
    return LettersOut(items=[letter_out(each) for each in letters])


class ChannelsOut(Answered):
    """The channels of the duty plan, in its order."""

    items: list[ChannelOut]


async def list_channels(call: Call[Nothing, None]) -> BaseModel:
    """List the channels over which people are told, and how each did in the last 24 hours."""
    outbox = Outbox(call.deps.pool)
    figures, dead = await outbox.figures(call.deps.clock.now() - DAY), await outbox.dead()
    return ChannelsOut(
        items=[
            channel_out(each.name, each.kind, figures.get(each.name), dead=each.name in dead)
            for each in call.deps.duty.channels
        ]
    )


async def give_receipt(call: Call[Nothing, ReceiptGiven]) -> BaseModel:
    """Take a gateway's receipt, signed with its channel's secret; the same one again changes nothing."""
    outbox, now, told = Outbox(call.deps.pool), call.deps.clock.now(), call.body
    letter = await outbox.of_reference(call.path("reference"))
    secret = _secret(call, letter)
    headers = call.request.headers
    why = refusal(secret, await call.request.read(), headers.get(TIMESTAMP), headers.get(SIGNATURE), now)
    if why is not None:
        raise Refused(403, "bad_signature", why)
    fact = None if told.fact == "failed" else Fact(told.fact)
    facts: dict[str, str | bool] = {"undelivered": True} if fact is None else {}
    if told.word is not None:
        facts[f"{told.fact}_word"] = told.word
    at = now if told.at is None else min(max(told.at, letter.created_at), now)
    if await outbox.note(letter.reference or "", fact, at, facts):
        meters.notifications.labels(letter.new.channel, fact or "undelivered").inc()
    return letter_out(await outbox.of_reference(letter.reference or ""))


def _secret(call: Call[Nothing, ReceiptGiven], letter: Letter) -> bytes:
    for channel in call.deps.duty.channels:
        if channel.name == letter.new.channel and isinstance(channel, WebhookChannel | GatewayChannel):
            if channel.secret is None:
                break
            return channel.secret.encode()
    raise Refused(
        403, "no_receipts", f"channel {letter.new.channel} has no secret, so no receipt of it is believed; give it one"
    )


async def show_letter(call: Call[Nothing, None]) -> web.StreamResponse:
    """Show what a letter told of, with the button that says that it was read."""
    letter = await Outbox(call.deps.pool).of_reference(call.path("reference"))
    return await _shown(call, letter, read=letter.read_at is not None)


async def read_letter(call: Call[Nothing, None]) -> web.StreamResponse:
    """Note that whoever was told has read the letter."""
    outbox = Outbox(call.deps.pool)
    letter = await outbox.of_reference(call.path("reference"))
    if await outbox.note(letter.reference or "", Fact.READ, call.deps.clock.now(), {}):
        meters.notifications.labels(letter.new.channel, Fact.READ).inc()
    return await _shown(call, letter, read=True)


async def _shown(call: Call[Nothing, None], letter: Letter, *, read: bool) -> web.StreamResponse:
    alert = await call.deps.alerts.get(letter.new.alert_id)
    text = None
    if alert.state is not State.CLOSED:
        facts = LetterFacts(call.deps.pool, call.deps.roster.zone, call.deps.rulebook().rule)
        text = message(letter, await facts.of(Candidate(letter, alert))).long
    action = f"{PATH}/{letter.reference}/read"
    return web.Response(
        text=page(letter.new.language, text, read=read, action=action),
        content_type="text/html",
        headers={"Referrer-Policy": "same-origin"},  # without one a browser says of its button that it is of no origin
    )


ROUTES = (
    Route(
        "GET",
        "/api/v1/channels",
        list_channels,
        "The channels over which people are told",
        "letters",
        answer=ChannelsOut,
    ),
    Route(
        "GET",
        ALERTS + "/{id}/letters",
        list_letters,
        "Who was told of an alert",
        "letters",
        answer=LettersOut,
    ),
    Route(
        "POST",
        PATH + "/{reference}/receipt",
        give_receipt,
        "A gateway's receipt",
        "letters",
        access=Access.OPEN,
        body=ReceiptGiven,
        answer=LetterOut,
        headers=(
            (TIMESTAMP, "seconds since the epoch"),
            (SIGNATURE, "`v1=` and the hex HMAC-SHA256, with the channel's secret, of timestamp, full stop and body"),
        ),
    ),
    Route(
        "GET",
        PATH + "/{reference}",
        show_letter,
        "The page behind a letter's link",
        "letters",
        access=Access.OPEN,
        media="text/html",
    ),
    Route(
        "POST",
        PATH + "/{reference}/read",
        read_letter,
        "The button on that page",
        "letters",
        access=Access.OPEN,
        media="text/html",
    ),
)
