"""Pictures of cameras on PostgreSQL: registered, asked for once, taken beside the desk, kept, forgotten in time."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from alert_making import T0, fire
from camera_making import JPEG, Lens, lens
from desk_city import City
from waiting import until

from firetower.alerts.cameras import photographer
from firetower.alerts.cameras.eye import Eye
from firetower.alerts.cameras.photographer import Photographer
from firetower.alerts.model import Alert
from firetower.core.clock import DAY, MINUTE, SECOND, ManualClock, to_datetime
from firetower.devices.city import read_city
from firetower.devices.events import AlertClass
from firetower.storage import cameras, snapshots
from firetower.storage.lease import DESK, Lease
from firetower.storage.registry import import_city
from firetower.storage.snapshot_step import SnapshotStep
from firetower.storage.snapshots import Snapshot, Snapshots

NOW = T0 + 6 * SECOND
FIRES = (AlertClass.FIRE, AlertClass.PREALARM)


def registry(url: str, **more: Any) -> dict[str, Any]:
    """Unit u1 with two zones, a camera in each, one in the hall and one in the street."""
    zones = [{"code": "z1"}, {"code": "z2"}]
    units = [{"code": "u1", "buildings": [{"code": "a", "floors": [{"code": "f1", "zones": zones}]}]}]
    return {
        "format": "firetower-registry/1",
        "units": units,
        "cameras": [
            {"code": "c-z1", "unit": "u1", "sees": ["a/f1/z1"], "snapshot": f"{url}/z1.jpg", "link": "http://nvr/1"},
            {"code": "c-z2", "unit": "u1", "sees": ["a/f1/z2"], "snapshot": f"{url}/z2.jpg"},
            {"code": "c-hall", "unit": "u1", "sees": ["a"], "snapshot": f"{url}/hall.jpg"},
            {"code": "c-street", "lon": 113.0, "lat": 22.0, "link": "https://city/7"},
        ],
    } | more


async def register(pool: asyncpg.Pool, file: dict[str, Any]) -> Any:
    given, errors = read_city(file)
    assert errors == []
    return await import_city(pool, given)


@pytest.fixture
async def eyes(pool: asyncpg.Pool) -> AsyncIterator[Lens]:
    """A camera server that the registered cameras are on."""
    async with lens() as made:
        report = await register(pool, registry(made.url))
        assert report.errors == []
        yield made


@pytest.fixture
def step(pool: asyncpg.Pool, lease: Lease) -> SnapshotStep:
    return SnapshotStep(pool, lease, FIRES)


async def burning(city: City, *devices: str, zone: str = "a/f1/z1") -> list[int]:
    ids = await city.raised(*(fire(device) for device in devices), zone=zone)
    await city.pool.execute("UPDATE alert SET alarmed_at = $1", to_datetime(NOW))
    return ids


async def kept(pool: asyncpg.Pool, alert_id: int) -> list[Snapshot]:
    return await snapshots.of_alert(pool, alert_id)


@contextlib.asynccontextmanager
async def photographing(pool: asyncpg.Pool, lease: Lease, clock: ManualClock) -> AsyncIterator[None]:
    work = Photographer(Snapshots(pool, lease), lambda: Eye({}, within_s=1.0), clock)
    task = asyncio.create_task(work.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """A photographer that looks often, by a clock that stands at NOW."""
    monkeypatch.setattr(photographer, "LOOK_S", 0.02)
    return ManualClock(NOW)


async def test_cameras_are_imported_as_the_rest_is_all_or_nothing_and_twice_without_effect(pool: asyncpg.Pool) -> None:
    file = registry("http://nvr")
    report = await register(pool, file)
    assert (report.created["cameras"], report.errors) == (4, [])
    report = await register(pool, file)
    assert (report.created["cameras"], report.updated["cameras"], report.unchanged["cameras"]) == (0, 0, 4)
    changed = [file["cameras"][0] | {"retired": True}, file["cameras"][1] | {"sees": ["a", "a/f1"]}]
    report = await register(pool, {"format": file["format"], "cameras": changed})
    assert (report.updated["cameras"], report.unchanged["cameras"]) == (2, 0)
    report = await register(pool, {"format": file["format"], "cameras": changed})
    assert report.unchanged["cameras"] == 2  # a camera that is out of use stays so since then
    assert [each.code for each in await cameras.of_unit(pool, "u1")] == ["c-hall", "c-z2"]
    wrong = [{"code": "c-new", "unit": "u1", "sees": ["a/f9"], "link": "http://x"},
             {"code": "c-who", "unit": "u9", "sees": ["a"], "link": "http://x"},
             {"code": "c-good", "unit": "u1", "sees": ["a"], "link": "http://x"}]  # fmt: skip
    report = await register(pool, {"format": file["format"], "cameras": wrong})
    assert [(error.where, error.item) for error in report.errors] == [("/cameras/0", "c-new"), ("/cameras/1", "c-who")]
    assert await pool.fetchval("SELECT count(*) FROM camera") == 4


async def test_a_fire_is_pictured_at_once_and_after_once_for_all_points_of_the_zone(
    city: City, pool: asyncpg.Pool, eyes: Lens, step: SnapshotStep, lease: Lease, quick: ManualClock
) -> None:
    """Whatever the desk is asked twice, and whoever keeps it next: no picture more, and none lost."""
    first, second = await burning(city, "s1", "s2")
    (other,) = await burning(city, "s9", zone="a/f1/z2")
    await step.take([first, second, other], NOW)
    await step.take([first, second, other], NOW + SECOND)
    await SnapshotStep(pool, lease, FIRES).take(None, NOW + 2 * SECOND)
    assert [(each.camera, each.moment, each.state) for each in await kept(pool, second)] == [
        ("c-hall", "after", "waiting"), ("c-z1", "after", "waiting"),
        ("c-hall", "raised", "waiting"), ("c-z1", "raised", "waiting"),
    ]  # fmt: skip
    assert await pool.fetchval("SELECT count(*) FROM snapshot") == 6  # z1, z2 and the hall that both share

    async with photographing(pool, lease, quick):
        await until(lambda: _all_of(pool, NOW))
        quick.set(NOW + 30 * SECOND)
        await until(lambda: _all_of(pool, NOW + MINUTE))
    assert sorted(eyes.asked) == ["/hall.jpg"] * 2 + ["/z1.jpg"] * 2 + ["/z2.jpg"] * 2
    taken = await kept(pool, first)
    assert {each.id for each in taken} == {each.id for each in await kept(pool, second)}
    assert {each.sha256 for each in taken} == {hashlib.sha256(JPEG).hexdigest()}
    stored = await snapshots.picture(pool, taken[0].id)
    assert stored is not None
    assert (stored.body, stored.media, stored.units) == (JPEG, "image/jpeg", {"u1"})
    assert taken[0].taken_at == NOW + 30 * SECOND

    await pool.execute("UPDATE alert SET alarmed_at = $2 WHERE id = $1", first, to_datetime(NOW + 5 * MINUTE))
    await step.take([first], NOW + 5 * MINUTE)
    assert [len(await kept(pool, each)) for each in (first, second)] == [8, 4]


async def test_a_camera_that_fails_is_asked_again_and_what_it_answered_is_kept(
    city: City, pool: asyncpg.Pool, eyes: Lens, step: SnapshotStep, lease: Lease, quick: ManualClock
) -> None:
    (alert,) = await burning(city, "s9", zone="a/f1/z2")
    await pool.execute("UPDATE camera SET snapshot = NULL WHERE code = 'c-hall'")
    await step.take([alert], NOW)
    eyes.answers = [web.Response(status=503)]
    async with photographing(pool, lease, quick):
        await until(lambda: _tried(pool, alert, 1))
        (raised,) = [each for each in await kept(pool, alert) if each.moment == "raised"]
        assert (raised.state, raised.trouble and raised.trouble.words("en")) == ("waiting", "the camera answered 503")
        quick.set(NOW + SECOND)
        await until(lambda: _tried(pool, alert, 2))
        eyes.answers = [web.Response(status=503), web.Response(text="<html>"), web.Response(status=503)]
        quick.set(NOW + 30 * SECOND)
        await until(lambda: _tried(pool, alert, 1, "after"))
        quick.set(NOW + 31 * SECOND)
        await until(lambda: _tried(pool, alert, 2, "after"))
        quick.set(NOW + 34 * SECOND)
        await until(lambda: _all_of(pool, NOW + MINUTE))
    found = {each.moment.value: each for each in await kept(pool, alert)}
    assert (found["raised"].state, found["raised"].tries, found["raised"].trouble) == ("taken", 2, None)
    after = found["after"]
    assert (after.state, after.tries, after.sha256) == ("failed", 3, None)
    assert after.trouble is not None
    assert after.trouble.status == 503
    assert len(eyes.asked) == 5


async def test_hundreds_that_wait_for_a_recorder_that_hangs_hide_nobody_elses(
    pool: asyncpg.Pool, eyes: Lens, lease: Lease
) -> None:
    await pool.execute("UPDATE camera SET snapshot = 'http://10.0.0.7/hall' WHERE code = 'c-hall'")
    await pool.execute(
        "INSERT INTO snapshot (camera_id, due_at, next_try_at) SELECT c.id, t.at, t.at FROM camera c,"
        " LATERAL (SELECT $1::timestamptz - n * interval '1 s' AS at FROM generate_series(1, 100) n) t"
        " WHERE c.code = 'c-hall'",
        to_datetime(NOW),
    )
    (one,) = await pool.fetch(
        "INSERT INTO snapshot (camera_id, due_at, next_try_at) SELECT id, $1, $1 FROM camera WHERE code = 'c-z1'"
        " RETURNING id",
        to_datetime(NOW),
    )
    due = await Snapshots(pool, lease).due(NOW, (), 20)
    assert len(due) == snapshots.OF_A_HOST + 1
    assert due[-1].id == one["id"]


async def test_a_second_try_that_comes_too_late_is_none(
    city: City, pool: asyncpg.Pool, eyes: Lens, step: SnapshotStep, lease: Lease, quick: ManualClock
) -> None:
    """After an hour without a desk it would be kept as the picture of the alarm, and show the fire brigade."""
    (alert,) = await burning(city, "s9", zone="a/f1/z2")
    await step.take([alert], NOW)
    await pool.execute("UPDATE snapshot SET tries = 1, asked_at = due_at, trouble = 'status', trouble_status = 503")
    quick.set(NOW + 6 * MINUTE)
    async with photographing(pool, lease, quick):
        await until(lambda: _all_of(pool, NOW + MINUTE))
    assert {(each.state, each.tries, each.trouble and each.trouble.why) for each in await kept(pool, alert)} == {
        ("failed", 1, "too_late")
    }
    assert eyes.asked == []


async def test_many_pictures_are_written_a_few_at_a_time(
    pool: asyncpg.Pool, eyes: Lens, lease: Lease, quick: ManualClock
) -> None:
    await pool.execute(
        "INSERT INTO snapshot (camera_id, due_at, next_try_at)"
        " SELECT (SELECT min(id) FROM camera), $1, $1 FROM generate_series(1, 9)",
        to_datetime(NOW),
    )
    store, now, most = Snapshots(pool, lease), 0, 0
    keep = store.keep

    async def counted(*given: Any) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.05)
        await keep(*given)
        now -= 1

    store.keep = counted  # type: ignore[method-assign]
    eyes.gate.clear()
    task = asyncio.create_task(Photographer(store, lambda: Eye({}), quick).run())
    try:
        await until(lambda: len(eyes.asked) == photographer.OF_ONE)
        eyes.gate.set()
        await until(lambda: _all_of(pool, NOW))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert most == photographer.STORED_AT_ONCE


async def test_a_desk_that_was_overtaken_keeps_no_picture_and_the_next_takes_it(
    city: City, pool: asyncpg.Pool, eyes: Lens, step: SnapshotStep, lease: Lease, quick: ManualClock, database_url: str
) -> None:
    (alert,) = await burning(city, "s1")
    await step.take([alert], NOW)
    eyes.gate.clear()
    with contextlib.suppress(BaseExceptionGroup):
        async with photographing(pool, lease, quick):
            await until(lambda: len(eyes.asked) == 2)  # killed while two are asked
    lease.release()
    heir = Lease(database_url, DESK, owner="hall-2")
    await heir.take()
    eyes.gate.set()
    try:
        async with photographing(pool, heir, quick):
            await until(lambda: _all_of(pool, NOW))
    finally:
        heir.release()
    assert await pool.fetchval("SELECT count(*) FROM snapshot WHERE state = 'taken'") == 2


async def test_pictures_are_forgotten_in_time_but_those_of_a_real_fire_and_of_what_is_open(
    city: City, pool: asyncpg.Pool, eyes: Lens, step: SnapshotStep
) -> None:
    """A picture that two alerts share stays as long as one of them was real."""
    real, false, still = await burning(city, "s1", "s2", "s3")
    await step.take([real, false], NOW)
    await pool.execute("UPDATE alert SET state = 'closed', closed_at = now(), disposition = 'false_alarm'")
    assert await snapshots.prune(pool, NOW + 200 * DAY, 400) == 0
    await pool.execute("UPDATE alert SET disposition = 'real_fire' WHERE id = $1", real)
    assert await snapshots.prune(pool, NOW + 200 * DAY, 180) == 0
    await pool.execute("UPDATE alert SET disposition = 'drill' WHERE id = $1", real)
    await step.take([still], NOW + SECOND)
    assert await snapshots.prune(pool, NOW + 200 * DAY, 180) == 4
    assert await kept(pool, false) == []


async def test_by_hand_two_presses_are_one_picture_and_a_camera_elsewhere_may_be_asked(
    city: City, pool: asyncpg.Pool, eyes: Lens
) -> None:
    (alert_id,) = await burning(city, "s1")
    alert: Alert = await city.alert(alert_id)
    seen = {each.camera.code: each for each in await cameras.of_alert(pool, alert)}
    assert list(seen) == ["c-z1", "c-hall", "c-z2"]
    z2 = seen["c-z2"].camera
    one = await snapshots.ask_by_hand(pool, alert, z2, actor="wang", at=NOW, idempotency_key="k1")
    same = await snapshots.ask_by_hand(pool, alert, z2, actor="wang", at=NOW + 9 * SECOND, idempotency_key="k1")
    soon = await snapshots.ask_by_hand(pool, alert, z2, actor="li", at=NOW + 4 * SECOND)
    later = await snapshots.ask_by_hand(pool, alert, z2, actor="li", at=NOW + 6 * SECOND)
    assert one.id == same.id == soon.id != later.id
    assert (one.by, one.moment, later.by) == ("wang", "by_hand", "li")


async def _all_of(pool: asyncpg.Pool, until_at: int) -> bool:
    waiting = "SELECT count(*) FROM snapshot WHERE state = 'waiting' AND due_at <= $1"
    return await pool.fetchval(waiting, to_datetime(until_at)) == 0


async def _tried(pool: asyncpg.Pool, alert_id: int, times: int, moment: str = "raised") -> bool:
    return any(each.moment == moment and each.tries == times for each in await kept(pool, alert_id))
