"""An incident as the API and the live feed write it."""

from pydantic import Field

from firetower.alerts.incidents import Incident
from firetower.devices.events import AlertClass
from firetower.web.alert_json import Title
from firetower.web.api_models import Answered, Instant, instant, instant_or_none


class MembersOut(Answered):
    """How many alerts of one class belong to an incident, and how many of them are open."""

    alert_class: AlertClass = Field(serialization_alias="class")
    count: int
    open: int


class IncidentOut(Answered):
    """One incident (警情): alerts that belong together. Nothing is left out: each member stays an alert of its own."""

    id: str = Field(description="opaque")
    scene: str = Field(description="what its members have in common: `zone:…`, `main:…`, `gateway:…`, `device:…`, …")
    headline: Title = Field(description="place and members in a line")
    alert_class: AlertClass = Field(serialization_alias="class", description="of the highest open member, else of all")
    priority: int = Field(ge=1, le=4, description="1 red, 2 orange, 3 yellow, 4 blue; of the highest open member")
    unit: str | None
    unit_name: str | None
    place: str | None
    lon: float | None
    lat: float | None
    members: list[MembersOut] = Field(description="by class, the highest first")
    opened_at: Instant
    last_raised_at: Instant
    closed_at: Instant | None = Field(description="null while a member is open")
    version: int = Field(description="rises with each change")


def incident_out(incident: Incident) -> IncidentOut:
    """Return an incident as the API writes it."""
    return IncidentOut(
        id=str(incident.id),
        scene=incident.scene,
        headline=Title(zh=incident.headline_zh, en=incident.headline_en),
        alert_class=incident.alert_class,
        priority=incident.priority,
        unit=incident.unit,
        unit_name=incident.unit_name,
        place=incident.place,
        lon=incident.lon,
        lat=incident.lat,
        members=[MembersOut(alert_class=of, count=count, open=still) for of, count, still in incident.members],
        opened_at=instant(incident.opened_at),
        last_raised_at=instant(incident.last_raised_at),
        closed_at=instant_or_none(incident.closed_at),
        version=incident.version,
    )


def incident_bytes(incident: Incident) -> bytes:
    """Return an incident as JSON."""
    return incident_out(incident).model_dump_json(by_alias=True).encode()
