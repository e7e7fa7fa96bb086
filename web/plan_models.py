"""Floor plans and what stands on them, as the API reads and writes them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from firetower.alerts.floor_plan import Spot, Stood, Why, is_doubtful, plan_for, spot_of
from firetower.alerts.model import Alert, Hold, State
from firetower.devices.city import Code, ItemError
from firetower.devices.events import AlertClass
from firetower.storage.floor_plans import Floor, OnFloor
from firetower.storage.plan_positions import OnPlan
from firetower.web.alert_json import Title
from firetower.web.api_models import Answered, Asked, Instant, instant

PLAN = "/api/v1/units/{unit}/plans/{building}/{floor}"
MOST_AT_ONCE = 2000


class PlanOut(Answered):
    """An image, and since when it is the plan of its floor."""

    url: str = Field(description="where it is fetched; another image has another address")
    sha256: str
    media: str
    width: int = Field(description="pixels, as it is shown")
    height: int
    size: int = Field(description="bytes")
    put_at: Instant
    put_by: str


class PutOut(Answered):
    """What became of an image that was put."""

    became: Literal["created", "replaced", "unchanged"]
    plan: PlanOut


class SpotOut(Answered):
    """A place on a plan."""

    x: float = Field(ge=0, le=1, description="of its width, from the left")
    y: float = Field(ge=0, le=1, description="of its height, from above")
    doubtful: bool = Field(description="it was marked on another drawing of the floor, which may be cut differently")
    placed_at: Instant
    placed_by: str


class FloorOut(Answered):
    """A floor of a building."""

    building: str
    building_name: str
    floor: str
    floor_name: str
    level: int | None = Field(description="1 is the ground floor, below it negative; null: not known")


class StandingOut(Answered):
    """A device, or a point of a panel, on its floor."""

    device: str
    component: str = Field(description="the point; empty for the device itself")
    kind: str
    status: str
    place: str
    zone: str
    at: SpotOut | None = Field(description="null: it is not on the plan")


class FloorPlanOut(FloorOut):
    """A floor, its plan, and what stands on it."""

    plan: PlanOut | None
    earlier: int = Field(description="plans that stood before and are kept")
    points: list[StandingOut]


class FloorPlans(Answered):
    """The floors of a unit, by building and level."""

    items: list[FloorPlanOut]


class PlansQuery(Asked):
    """Which floors."""

    building: str | None = Field(None, max_length=64)
    floor: str | None = Field(None, max_length=64)


class ImageQuery(Asked):
    """Which image."""

    v: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="sha256 of one that stands or stood; else the one that stands",
    )


class PositionIn(Asked):
    """Where a device or a point is on the plan of its floor."""

    device: Code
    component: str = Field("", max_length=200)
    x: Annotated[float, Field(ge=0, le=1)] | None = Field(description="null with `y`: it is taken off the plan")
    y: Annotated[float, Field(ge=0, le=1)] | None

    @model_validator(mode="after")
    def _both(self) -> "PositionIn":
        if (self.x is None) is not (self.y is None):
            raise ValueError("x and y are both numbers, or both null to take it off the plan")
        return self


class PositionsIn(Asked):
    """Places on plans."""

    positions: list[PositionIn] = Field(min_length=1, max_length=MOST_AT_ONCE)


class PositionsOut(Answered):
    """What became of them."""

    placed: int
    errors: list[ItemError] = Field(description="what was not placed, and why; the others were")


class OtherAlert(Answered):
    """Another open alert of the floor."""

    id: str
    alert_class: AlertClass = Field(serialization_alias="class")
    priority: int
    state: State
    hold: Hold
    title: Title
    device: str | None
    device_kind: str | None
    component: str
    place: str | None
    at: SpotOut | None


class FiresThere(FloorOut):
    """Open fires on another floor of the same building."""

    fires: int


class AlertPlan(Answered):
    """The floor plan to show with an alert."""

    floor: FloorOut | None
    plan: PlanOut | None
    at: SpotOut | None = Field(description="the alert's own point; never a place near it")
    why: Why | None = Field(description="why there is no plan or no point; null: there are both")
    others: list[OtherAlert] = Field(description="other open alerts of the floor, worst first")
    more: int = Field(description="open alerts of the floor beyond those")
    fires_elsewhere: list[FiresThere]
    devices: list[StandingOut] = Field(description="devices and points of the floor that are on the plan")


def plan_out(floor: Floor, plan: Stood) -> PlanOut:
    """Return a plan as the API writes it."""
    digest = plan.sha256.hex()
    address = PLAN.format(unit=floor.unit, building=floor.building, floor=floor.floor)
    return PlanOut(
        url=f"{address}?v={digest}",
        sha256=digest,
        media=plan.media,
        width=plan.width,
        height=plan.height,
        size=plan.size,
        put_at=instant(plan.put_at),
        put_by=plan.put_by,
    )


def floor_plan_out(floor: Floor, plans: Sequence[Stood], points: Sequence[OnPlan]) -> FloorPlanOut:
    """Return a floor with its plans, the newest first, and what stands on it."""
    shown = next((plan for plan in plans if plan.ended_at is None), None)
    return FloorPlanOut(
        **_names(floor),
        plan=None if shown is None else plan_out(floor, shown),
        earlier=sum(plan.ended_at is not None for plan in plans),
        points=[standing_out(each, shown, plans) for each in points],
    )


def standing_out(each: OnPlan, shown: Stood | None, plans: Sequence[Stood]) -> StandingOut:
    """Return what stands on a floor as the API writes it."""
    return StandingOut(
        device=each.device,
        component=each.component,
        kind=each.kind,
        status=each.status,
        place=each.place,
        zone=each.zone,
        at=_spot_out(each.spot, shown, plans),
    )


def alert_plan_out(alert: Alert, found: OnFloor | None, standing: Sequence[OnPlan]) -> AlertPlan:
    """Return what is shown of an alert's floor; ``found`` None: its floor is not known."""
    if found is None:
        unknown = Why.NO_ZONE if alert.zone is None else Why.NO_FLOOR
        return AlertPlan(floor=None, plan=None, at=None, why=unknown, others=[], more=0, fires_elsewhere=[], devices=[])
    shown = plan_for(alert, found.plans)
    at = _spot_out(spot_of(alert, found.spots), shown, found.plans)
    why = Why.NO_PLAN if shown is None else Why.NO_POSITION if at is None else None
    return AlertPlan(
        floor=FloorOut(**_names(found.floor)),
        plan=None if shown is None else plan_out(found.floor, shown),
        at=at,
        why=why,
        others=[
            OtherAlert(
                id=str(other.id),
                alert_class=other.alert_class,
                priority=other.priority,
                state=other.state,
                hold=other.hold,
                title=Title(zh=other.title_zh, en=other.title_en),
                device=other.device,
                device_kind=other.device_kind,
                component=other.component,
                place=other.place,
                at=_spot_out(spot_of(other, found.spots), shown, found.plans),
            )
            for other in found.alerts
        ],
        more=found.more,
        fires_elsewhere=[FiresThere(**_names(floor), fires=fires) for floor, fires in found.fires_elsewhere],
        devices=[standing_out(each, shown, found.plans) for each in standing if each.spot is not None],
    )


def _names(floor: Floor) -> dict[str, Any]:
    return {
        "building": floor.building,
        "building_name": floor.building_name,
        "floor": floor.floor,
        "floor_name": floor.floor_name,
        "level": floor.level,
    }


def _spot_out(spot: Spot | None, shown: Stood | None, plans: Sequence[Stood]) -> SpotOut | None:
    if spot is None:
        return None
    return SpotOut(
        x=spot.x,
        y=spot.y,
        doubtful=is_doubtful(spot, shown, plans),
        placed_at=instant(spot.placed_at),
        placed_by=spot.placed_by,
    )
