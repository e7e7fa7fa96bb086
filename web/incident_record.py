"""The incident record 警情处置单 of an alert: as JSON with everything, as a page, or as PDF to print."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, Field

from firetower.alerts.cameras.taking import Moment
from firetower.alerts.deadlines import Limits
from firetower.alerts.handover.record import IncidentRecord, Sheet, sheet
from firetower.core.clock import Micros
from firetower.storage import incident_record as stored
from firetower.storage import snapshots
from firetower.web.alert_json import AlertOut, HistoryEntry, alert_out
from firetower.web.alert_routes import PATH, history_entry, shown_alert
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, instant, instant_or_none
from firetower.web.call_routes import CallOut, call_out
from firetower.web.handover_json import MessageOut, message_out
from firetower.web.incident_record_html import CSP, html

_press = ThreadPoolExecutor(1, thread_name_prefix="pdf")
"""Documents are made one after another: each takes the processor from alarms for as long as it is made."""


class RecordQuery(Asked):
    """As what, and in which language it is printed."""

    format: Literal["html", "pdf", "json"] = "html"
    lang: Literal["zh", "en"] = "zh"


class PremisesOut(Answered):
    """Where in the unit it is, by the registry's names; empty where it knows none."""

    category: str
    address: str
    building: str
    floor: str
    level: int | None = Field(description="1 the ground floor, negative below it")
    zone: str
    lon: float | None
    lat: float | None


class LetterOnRecord(Answered):
    """Who was told over which channel, and what became of it."""

    created_at: Instant
    channel: str
    role: str
    name: str
    reason: str
    state: str
    sent_at: Instant | None
    delivered_at: Instant | None
    read_at: Instant | None
    acted_at: Instant | None
    trouble: str | None


class ReadingOnRecord(Answered):
    """What the device measured within ten minutes of the alarm."""

    at: Instant
    metric: str
    value: float
    uom: str
    quality: str = Field(description="good, uncertain or bad")


class PictureOnRecord(Answered):
    """A picture of a camera, or why there is none; the picture is at `/api/v1/snapshots/{id}`."""

    id: str
    camera: str
    camera_name: str
    moment: Moment
    by: str
    at: Instant = Field(description="when it was taken, or else asked for or due")
    sha256: str | None = Field(description="hex, of the picture as it came; null: there is none")
    trouble: str | None = Field(description="why there is none")


class SealOut(Answered):
    """The newest sealed entry of the history."""

    n: int = Field(description="number in the chain")
    seq: int = Field(description="of the entry in this alert's history")
    hash: str = Field(description="sha256, hex")
    sealed_at: Instant


class RecordOut(Answered):
    """Everything that stands on record of one alert."""

    alert: AlertOut
    premises: PremisesOut
    history: list[HistoryEntry]
    handover: list[MessageOut] = Field(description="messages to 119 in the order in which they are sent")
    calls: list[CallOut]
    letters: list[LetterOnRecord]
    readings: list[ReadingOnRecord]
    pictures: list[PictureOnRecord] = Field(description="oldest first")
    seal: SealOut | None
    printed_at: Instant


async def get_record(call: Call[RecordQuery, None]) -> BaseModel | web.StreamResponse:
    """Return the incident record (警情处置单) to print, as a page, as PDF, or with `format=json` as data.

    A unit's account gets it without calls and letters, which hold other people's names and numbers.
    """
    alert = await shown_alert(call)
    query, now = call.query, call.deps.clock.now()
    record = await stored.read(call.deps.pool, alert.id)
    own = call.person.unit
    if own is not None:
        seen = [each for each in record.pictures if each.unit in {None, own}]
        record = replace(record, calls=(), letters=(), pictures=seen)
    if query.format == "json":
        return _out(record, call.deps.limits, now)
    printed = sheet(record, query.lang, call.deps.roster.zone, by=call.person.username, at=now)
    if query.format == "html":
        text = await asyncio.to_thread(html, printed)
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": CSP})
    shown = [each.id for section in printed.sections for each in section.pictures]
    async with call.site.press:
        pictures = {number: kept.body for number in shown if (kept := await snapshots.picture(call.deps.pool, number))}
        body = await asyncio.get_running_loop().run_in_executor(_press, _pdf, printed, pictures)
    name = f'inline; filename="firetower-{alert.id}.pdf"'
    return web.Response(body=body, content_type="application/pdf", headers={"Content-Disposition": name})


def _pdf(printed: Sheet, pictures: Mapping[int, bytes]) -> bytes:
    from firetower.web.incident_record_pdf import pdf  # no start waits for what draws it

    return pdf(printed, pictures)


def _out(record: IncidentRecord, limits: Limits, now: Micros) -> RecordOut:
    premises, seal = record.premises, record.seal
    return RecordOut(
        alert=alert_out(record.alert, limits),
        premises=PremisesOut(**{name: getattr(premises, name) for name in PremisesOut.model_fields}),
        history=[history_entry(each) for each in record.entries],
        handover=[message_out(each) for each in record.messages],
        calls=[call_out(each, now) for each in record.calls],
        letters=[
            LetterOnRecord(
                created_at=instant(each.created_at),
                sent_at=instant_or_none(each.sent_at),
                delivered_at=instant_or_none(each.delivered_at),
                read_at=instant_or_none(each.read_at),
                acted_at=instant_or_none(each.acted_at),
                channel=each.channel,
                role=each.role,
                name=each.name,
                reason=each.reason,
                state=each.state,
                trouble=each.trouble,
            )
            for each in record.letters
        ],
        readings=[
            ReadingOnRecord(
                at=instant(each.at), metric=each.metric, value=each.value, uom=each.uom, quality=each.quality
            )
            for each in record.readings
        ],
        pictures=[
            PictureOnRecord(
                id=str(each.id),
                camera=each.camera,
                camera_name=each.camera_name,
                moment=Moment(each.moment),
                by=each.by,
                at=instant(each.at),
                sha256=each.sha256,
                trouble=None if each.trouble is None else each.trouble[1],
            )
            for each in record.pictures
        ],
        seal=None
        if seal is None
        else SealOut(n=seal.n, seq=seal.seq, hash=seal.hash, sealed_at=instant(seal.sealed_at)),
        printed_at=instant(now),
    )


ROUTES = (
    Route(
        "GET",
        PATH + "/{id}/record",
        get_record,
        "The incident record of an alert",
        "hand-over",
        access=Access.EVERYBODY,
        query=RecordQuery,
        answer=RecordOut,
    ),
)
