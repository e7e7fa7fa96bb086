"""What was said to 119 about an alert, and the telephone script for when they have to be called."""

from typing import Literal

from pydantic import BaseModel, Field

from firetower.alerts.handover.script import script, text_of
from firetower.storage import handover_facts, handover_list
from firetower.web.alert_routes import PATH, shown_alert
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Asked, Nothing
from firetower.web.handover_json import MessageOut, message_out


class MessageList(Answered):
    """Messages to 119, in the order in which they are sent."""

    items: list[MessageOut]


class ScriptQuery(Asked):
    """In which language."""

    lang: Literal["zh", "en"] = "zh"


class ScriptLine(Answered):
    """One line to read out."""

    part: str = Field(description="who, place, burns, signals, contacts, access, water, ask")
    label: str = Field(description="what stands before it on the screen")
    text: str


class ScriptOut(Answered):
    """What to say on the telephone to 119 (话术)."""

    lang: Literal["zh", "en"]
    lines: list[ScriptLine] = Field(description="in the order in which they are read out")
    text: str = Field(description="all of it, a line each")


async def list_messages(call: Call[Nothing, None]) -> BaseModel:
    """Return what was sent to 119 about an alert through the interface, with every receipt (签收)."""
    alert = await shown_alert(call)
    return MessageList(items=[message_out(each) for each in await handover_list.messages(call.deps.pool, alert.id)])


async def get_script(call: Call[ScriptQuery, None]) -> BaseModel:
    """Return what to say to 119 on the telephone: place, what burns, contacts, access and the nearest water."""
    alert = await shown_alert(call)
    zone, now = call.deps.roster.zone, call.deps.clock.now()
    lines = script(await handover_facts.facts(call.deps.pool, alert, now, zone), call.query.lang, zone)
    told = [ScriptLine(part=line.part, label=line.label, text=line.text) for line in lines]
    return ScriptOut(lang=call.query.lang, lines=told, text=text_of(lines))


ROUTES = (
    Route("GET", PATH + "/{id}/handover", list_messages, "Messages to 119", "hand-over", answer=MessageList),
    Route(
        "GET",
        PATH + "/{id}/script",
        get_script,
        "What to say to 119 by telephone",
        "hand-over",
        query=ScriptQuery,
        answer=ScriptOut,
    ),
)
