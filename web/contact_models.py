"""Contacts, micro fire stations and water nearby as the API takes and writes them."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from firetower.alerts.contacts import Contact, ContactScope, Role, reach
from firetower.core.clock import Micros
from firetower.devices.city import Code, Lat, Lon, Name
from firetower.devices.contacts import CentreContacts, GridContacts, StationContacts, UnitContacts
from firetower.devices.earth import Bearing
from firetower.devices.kinds import DeviceKind
from firetower.storage.contacts import Listed
from firetower.storage.nearest import Near, Station, Water
from firetower.storage.stations import StationFile
from firetower.web.api_models import Answered, Asked, Instant, instant, instant_or_none


class UnitContactsIn(Asked):
    """All contacts of a unit: who is not among them is forgotten."""

    contacts: UnitContacts


class GridContactsIn(Asked):
    """All contacts of a grid."""

    contacts: GridContacts


class CentreContactsIn(Asked):
    """All contacts of the centre."""

    contacts: CentreContacts


class StationIn(Asked):
    """A micro fire station 微型消防站."""

    name: Name = ""
    lon: Lon = Field(description="WGS-84, degrees")
    lat: Lat
    grid: Code | None = None
    unit: Code | None = Field(None, description="whose it is, if a unit's")
    contacts: StationContacts | None = Field(None, description="all of them; absent: those that stand stay")


class StationQuery(Asked):
    """Which stations."""

    grid: str | None = Field(None, max_length=64)
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class NearQuery(Asked):
    """How much of what is near."""

    limit: int = Field(3, ge=1, le=20, description="at most so many of each")


class HoursOut(Answered):
    """Hours at which somebody can be reached, by the centre's clock."""

    days: list[int] = Field(description="1 Monday to 7 Sunday: those on which it begins")
    since: str = Field(serialization_alias="from")
    until: str = Field(serialization_alias="to", description="at or before `from`: past midnight")


class ContactOut(Answered):
    """Somebody who is called."""

    id: str = Field(description="opaque; stays while role and name do")
    scope: ContactScope
    of: str = Field(description="code of the unit, grid or station; empty of the centre")
    role: Role
    name: str
    phone: str | None = Field(description="as it is dialled")
    email: str | None
    addresses: dict[str, str] = Field(description="others, by channel")
    hours: list[HoursOut] = Field(description="none: at any time")
    order: int
    language: Literal["zh", "en"]


class ListedContactOut(ContactOut):
    """A contact with who wrote it last, and whether they can be called now."""

    changed_by: str
    changed_at: Instant
    reachable: bool
    why: Literal["off_hours", "no_phone"] | None = Field(description="why not")
    reachable_from: Instant | None = Field(description="when their next hours begin")


class ContactList(Answered):
    """The contacts of one unit, grid or of the centre, by role and order."""

    items: list[ListedContactOut]


class StationOut(Answered):
    """A micro fire station and who is called there."""

    station: str
    name: str
    lon: float
    lat: float
    grid: str | None
    unit: str | None
    contacts: list[ContactOut]


class StationPage(Answered):
    """Stations by code."""

    items: list[StationOut]
    next_cursor: str | None


class TroubleOut(Answered):
    """An open alert that speaks against drawing water there."""

    alert_id: str
    alert_class: str = Field(serialization_alias="class")
    zh: str
    en: str


class WaterOut(Answered):
    """A hydrant, water crane or water point nearby."""

    unit: str
    device: str
    kind: DeviceKind
    place: str
    main: str | None
    status: str
    lon: float
    lat: float
    distance_m: int = Field(description="great circle, metres")
    bearing: Bearing = Field(description="where it lies as seen from the alert")
    faulty: bool = Field(description="offline, or an open alert says that its water is in doubt")
    trouble: list[TroubleOut]


class NearStationOut(Answered):
    """A micro fire station nearby."""

    station: str
    name: str
    grid: str | None
    unit: str | None
    lon: float
    lat: float
    distance_m: int
    bearing: Bearing


class NearOut(Answered):
    """What lies near an alert, the nearest first, within 20 km."""

    lon: float | None = Field(description="where it was looked for from; null: nobody knows where the alert is")
    lat: float | None
    of: Annotated[Literal["alert", "unit"] | None, Field(description="whose place that is")]
    water: list[WaterOut]
    stations: list[NearStationOut]


def contact_out(contact: Contact) -> ContactOut:
    """Return a contact as the API writes it."""
    return ContactOut.model_validate(_contact(contact))


def listed_out(rows: list[Listed], now: Micros, zone: ZoneInfo) -> ContactList:
    """Return contacts with who wrote them, and whether they can be called at ``now`` by the clock of ``zone``."""
    items = []
    for row in rows:
        can = reach(row.contact, now, zone)
        more = {
            "changed_by": row.changed_by,
            "changed_at": instant(row.changed_at),
            "reachable": can.now,
            "why": can.why or None,
            "reachable_from": instant_or_none(can.from_at),
        }
        items.append(ListedContactOut.model_validate(_contact(row.contact) | more))
    return ContactList(items=items)


def station_out(row: StationFile) -> StationOut:
    """Return a station as the API writes it."""
    return StationOut(
        station=row.code,
        name=row.name,
        lon=row.lon,
        lat=row.lat,
        grid=row.grid,
        unit=row.unit,
        contacts=[contact_out(each) for each in row.contacts],
    )


def near_out(near: Near) -> NearOut:
    """Return what lies near an alert."""
    lon, lat = (None, None) if near.place is None else near.place
    return NearOut(
        lon=lon,
        lat=lat,
        of=near.of,
        water=[_water(each) for each in near.water],
        stations=[_station(each) for each in near.stations],
    )


def _contact(contact: Contact) -> dict[str, object]:
    others = {kind: address for kind, address in contact.addresses.items() if kind not in {"phone", "email"}}
    return {
        "id": str(contact.id),
        "scope": contact.scope,
        "of": contact.of,
        "role": contact.role,
        "name": contact.name,
        "phone": contact.phone,
        "email": contact.addresses.get("email"),
        "addresses": others,
        "hours": [
            HoursOut(days=list(hours.days), since=_clock(hours.since), until=_clock(hours.until))
            for hours in contact.hours
        ],
        "order": contact.order,
        "language": contact.language,
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _water(each: Water) -> WaterOut:
    return WaterOut(
        unit=each.unit,
        device=each.device,
        kind=each.kind,
        place=each.place,
        main=each.main,
        status=each.status,
        lon=each.lon,
        lat=each.lat,
        distance_m=round(each.distance_m),
        bearing=each.bearing,
        faulty=each.faulty,
        trouble=[
            TroubleOut(alert_id=str(t.alert_id), alert_class=t.alert_class, zh=t.title_zh, en=t.title_en)
            for t in each.trouble
        ],
    )


def _station(each: Station) -> NearStationOut:
    return NearStationOut(
        station=each.code,
        name=each.name,
        grid=each.grid,
        unit=each.unit,
        lon=each.lon,
        lat=each.lat,
        distance_m=round(each.distance_m),
        bearing=each.bearing,
    )
