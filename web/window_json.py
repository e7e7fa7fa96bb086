"""An announced window as the API and the live feed write it."""

from pydantic import Field

from firetower.alerts.windows import Window, WindowKind, WindowState
from firetower.core.clock import Micros
from firetower.web.api_models import Answered, Instant, instant, instant_or_none


class WindowOut(Answered):
    """One announced window (公告窗口): a test, a drill, maintenance, an impairment or a hydrant-use permit."""

    id: str = Field(description="opaque")
    kind: WindowKind
    state: WindowState = Field(description="follows from its times and from what was decided")
    unit: str | None
    zone: str | None = Field(description="`building`, `building/floor` or `building/floor/zone`; null: the whole unit")
    device: str | None
    component: str | None = Field(description="the point (部位) of the device; null: all of it")
    main: str | None = Field(description="the water main a permit is for")
    starts_at: Instant
    ends_at: Instant = Field(description="when it ends by itself")
    reason: str
    measure: str | None = Field(description="what protects meanwhile (临时防范措施)")
    person: str | None = Field(description="who of the unit asked, by the account whose password (口令) was given")
    requested_by: str
    requested_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    refused_by: str | None
    refused_at: Instant | None
    refusal: str | None = Field(description="why it was refused")
    ended_by: str | None = Field(description="who ended it early")
    ended_at: Instant | None


def window_out(window: Window, now: Micros) -> WindowOut:
    """Return a window as the API writes it at ``now``."""
    return WindowOut(
        id=str(window.id),
        kind=window.kind,
        state=window.state(now),
        unit=window.unit,
        zone=window.zone,
        device=window.device,
        component=window.component,
        main=window.main,
        starts_at=instant(window.starts_at),
        ends_at=instant(window.ends_at),
        reason=window.reason,
        measure=window.measure,
        person=window.person,
        requested_by=window.requested_by,
        requested_at=instant(window.requested_at),
        approved_by=window.approved_by,
        approved_at=instant_or_none(window.approved_at),
        refused_by=window.refused_by,
        refused_at=instant_or_none(window.refused_at),
        refusal=window.refusal,
        ended_by=window.ended_by,
        ended_at=instant_or_none(window.ended_at),
    )


def window_bytes(window: Window, now: Micros) -> bytes:
    """Return a window as JSON, as it stands at ``now``."""
    return window_out(window, now).model_dump_json(by_alias=True).encode()
