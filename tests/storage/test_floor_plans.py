"""Floor plans on PostgreSQL: nothing is lost, nothing moves under a fire, and a place counts on its own floor only."""

from typing import Any

import asyncpg
import pytest
from alert_making import T0, commit, fire
from plan_making import drawn

from firetower.core.errors import Conflict, NotFound
from firetower.devices.city import City, read_city
from firetower.devices.plan_images import read_image
from firetower.rules.verdicts import SubjectKind
from firetower.storage import floor_plans, plan_positions, registry
from firetower.storage.alert_acts import get as get_alert
from firetower.storage.floor_plans import Where
from firetower.storage.plan_positions import Placed

HERE = Where("u1", "A", "3")
FLOORS = [{"code": "3", "level": 3, "zones": [{"code": "e"}]}, {"code": "4", "level": 4, "zones": [{"code": "e"}]}]
POINTS = [
    {"component": "2-3-017", "zone": "A/3/e", "plan_at": [0.25, 0.5]},
    {"component": "2-3-018", "zone": "A/3/e"},
    {"component": "2-4-001", "zone": "A/4/e"},
]
PANEL: dict[str, Any] = {"unit": "u1", "device": "fap-1", "kind": "panel", "points": POINTS}
SMOKE: dict[str, Any] = {"unit": "u1", "device": "smk-1", "kind": "smoke", "zone": "A/3/e", "plan_at": [0.1, 0.2]}


def city(*devices: dict[str, Any]) -> City:
    made, errors = read_city(
        {
            "format": "firetower-registry/1",
            "units": [{"code": "u1", "name": "Ward", "buildings": [{"code": "A", "floors": FLOORS}]}],
            "devices": [*devices],
        }
    )
    assert errors == []
    return made


@pytest.fixture
async def ward(pool: asyncpg.Pool) -> asyncpg.Pool:
    assert (await registry.import_city(pool, city(PANEL, SMOKE))).errors == []
    return pool


async def put(pool: asyncpg.Pool, data: bytes, at: int = T0, where: Where = HERE) -> str:
    became, _ = await floor_plans.put(pool, where, read_image(data), data, by="ada", at=at)
    return became


async def burn(pool: asyncpg.Pool, component: str = "2-3-017") -> int:
    number = await pool.fetchval("SELECT id FROM device WHERE name = 'fap-1'")
    said = fire("fap-1", subject_kind=SubjectKind.DEVICE, component=component, device_number=number)
    return (await commit(pool, [said])).alert_ids[0]


async def spots(pool: asyncpg.Pool) -> dict[tuple[str, str], tuple[float, float] | None]:
    listed = await plan_positions.listed(pool, "u1", "A", "3")
    return {(each.device, each.component): each.spot and (each.spot.x, each.spot.y) for each in listed}


async def test_a_plan_is_put_replaced_and_withdrawn_and_every_image_is_kept(ward: asyncpg.Pool) -> None:
    first, second = drawn(), drawn(shade=90)
    assert [await put(ward, each, T0 + n) for n, each in enumerate((first, first, second))] == [
        "created",
        "unchanged",
        "replaced",
    ]
    stands = await floor_plans.which(ward, HERE, None)
    assert await floor_plans.image(ward, stands.sha256) == second
    old = read_image(first), (await floor_plans.floors(ward, "u1"))[0][1][1]
    assert (old[1].ended_at, old[1].width, old[1].put_by) == (T0 + 2, old[0].width, "ada")
    assert await floor_plans.image(ward, (await floor_plans.which(ward, HERE, old[1].sha256)).sha256) == first
    await floor_plans.withdraw(ward, HERE, by="ada", at=T0 + 5)
    for gone in (floor_plans.which(ward, HERE, None), floor_plans.withdraw(ward, HERE, by="ada", at=T0 + 6)):
        with pytest.raises(NotFound):
            await gone
    assert await put(ward, first, T0 + 7) == "created"
    assert len((await floor_plans.floors(ward, "u1"))[0][1]) == 3
    with pytest.raises(NotFound, match="has no floor A/9"):
        await put(ward, first, where=Where("u1", "A", "9"))
    for statement in ("DELETE FROM plan_image", "UPDATE plan_image SET width = 1"):
        with pytest.raises(asyncpg.RaiseError, match="are kept"):
            await ward.execute(statement)


async def test_a_component_that_is_another_point_now_is_not_where_the_one_before_was(ward: asyncpg.Pool) -> None:
    """A wrong point is worse than none: an address that was taken out of a loop is given away again elsewhere."""
    assert (await registry.import_city(ward, city(PANEL | {"points": POINTS[1:]}))).errors == []
    again = [POINTS[0] | {"plan_at": None, "place": "stairs"}, *POINTS[1:]]
    assert (await registry.import_city(ward, city(PANEL | {"points": again}))).errors == []
    assert (await spots(ward))["fap-1", "2-3-017"] is None
    found = await floor_plans.around(ward, await get_alert(ward, await burn(ward)))
    assert found is None or ("fap-1", "2-3-017") not in found.spots


async def test_nothing_an_operator_works_by_changes_under_a_fire_and_what_is_missing_can_be_added(
    ward: asyncpg.Pool,
) -> None:
    await burn(ward)
    assert await put(ward, drawn()) == "created", "a first plan helps"
    with pytest.raises(Conflict, match="while fire alert"):
        await put(ward, drawn(shade=90))
    with pytest.raises(Conflict, match="while fire alert"):
        await floor_plans.withdraw(ward, HERE, by="ada", at=T0)
    assert await put(ward, drawn(), where=Where("u1", "A", "4")) == "created"
    assert await put(ward, drawn(shade=90), where=Where("u1", "A", "4")) == "replaced", "no fire on that floor"
    errors = await plan_positions.place(
        ward,
        "u1",
        [
            Placed("fap-1", "2-3-017", 0.9, 0.9),
            Placed("fap-1", "2-3-018", 0.4, 0.4),
            Placed("smk-1", "", 0.5, 0.5),
            Placed("fap-1", "", 0.5, 0.5),
            Placed("fap-1", "2-3-099", 0.5, 0.5),
            Placed("gone-1", "", 0.5, 0.5),
        ],
        "ada",
        T0,
    )
    assert [(error.where, error.item) for error in errors] == [
        ("/positions/0", "u1/fap-1 2-3-017"),
        ("/positions/3", "u1/fap-1"),
        ("/positions/4", "u1/fap-1 2-3-099"),
        ("/positions/5", "u1/gone-1"),
    ]
    for error, word in zip(errors, ("fire alert", "no zone", "no point '2-3-099'", "no device 'gone-1'"), strict=True):
        assert word in error.message
    assert await spots(ward) == {
        ("fap-1", "2-3-017"): (0.25, 0.5),
        ("fap-1", "2-3-018"): (0.4, 0.4),
        ("smk-1", ""): (0.5, 0.5),
    }
    moved = city(PANEL | {"points": [POINTS[0] | {"plan_at": [0.9, 0.9]}, *POINTS[1:]]})
    report = await registry.import_city(ward, moved)
    assert [error.item for error in report.errors] == ["u1/fap-1 2-3-017"]


async def test_a_file_again_changes_nothing_and_what_it_does_not_speak_of_stays(ward: asyncpg.Pool) -> None:
    again = await registry.import_city(ward, city(PANEL, SMOKE))
    assert (again.created["positions"], again.updated["positions"], again.unchanged["positions"]) == (0, 0, 2)
    silent = await registry.import_city(ward, city({key: SMOKE[key] for key in SMOKE if key != "plan_at"}))
    assert "positions" not in silent.created
    assert (await spots(ward))["smk-1", ""] == (0.1, 0.2)
    moved = await registry.import_city(ward, city(SMOKE | {"plan_at": [1, 0]}))
    assert moved.updated["positions"] == 1
    assert await plan_positions.place(ward, "u1", [Placed("smk-1", "", None, None)], "ada", T0) == []
    assert (await spots(ward))["smk-1", ""] is None


async def test_a_device_that_moved_to_another_floor_is_not_where_it_was_on_the_old_one(ward: asyncpg.Pool) -> None:
    await registry.import_city(ward, city({"unit": "u1", "device": "smk-1", "kind": "smoke", "zone": "A/4/e"}))
    listed = {(each.device, each.floor): each.spot for each in await plan_positions.listed(ward, "u1")}
    assert listed["smk-1", "4"] is None
    assert ("smk-1", "3") not in listed


async def test_an_alert_has_its_floor_with_every_other_open_alert_there_and_fires_above(ward: asyncpg.Pool) -> None:
    here, beside, above = [await burn(ward, component) for component in ("2-3-017", "2-3-018", "2-4-001")]
    found = await floor_plans.around(ward, await get_alert(ward, here))
    assert found is not None
    assert [alert.id for alert in found.alerts] == [beside]
    assert [(floor.floor, fires) for floor, fires in found.fires_elsewhere] == [("4", 1)]
    assert found.spots["fap-1", "2-3-017"].x == 0.25
    assert found.plans == []
    other = await floor_plans.around(ward, await get_alert(ward, above))
    assert other is not None
    assert (other.floor.floor, other.spots, other.fires_elsewhere[0][1]) == ("4", {}, 2)
