"""Cameras and kept pictures over the API: who sees which, taking one by hand, the picture itself, the record."""

import asyncio
import hashlib
from typing import Any

import pytest
import unit_world
from camera_making import JPEG, picture

from firetower.core.clock import SECOND, to_datetime
from firetower.devices.city import read_city
from firetower.storage import snapshots
from firetower.storage.registry import import_city
from firetower.web import incident_record

ALERTS = "/api/v1/alerts"
DIGEST = hashlib.sha256(JPEG).hexdigest()


@pytest.fixture
async def city(running: Any) -> str:
    """The mall burns in zone A/1/e; a camera there, one in the next zone, and the school's before the door."""
    await unit_world.build(running.pool, running.clock.now())
    given, errors = read_city(
        {
            "format": "firetower-registry/1",
            "cameras": [
                {"code": "zone", "name": "一层东", "unit": "mall-01", "sees": ["A/1/e"], "link": "https://nvr/1",
                 "snapshot": "http://10.0.0.9/secret-path", "secret": "nvr"},
                {"code": "next", "unit": "mall-01", "sees": ["A/1/w"], "link": "https://nvr/2"},
                {"code": "door", "unit": "school-02", "lon": 113.0, "lat": 22.0, "snapshot": "http://10.0.0.9/door"},
            ],
        }
    )  # fmt: skip
    assert errors == []
    assert (await import_city(running.pool, given)).errors == []
    await running.sign_in()
    alert_id = await running.raise_alert("smk-1")
    await running.pool.execute("UPDATE alert SET unit = 'mall-01', zone = 'A/1/e', lon = 113.0, lat = 22.0")
    return alert_id


async def taken(running: Any, body: bytes = JPEG, media: str = "image/jpeg") -> None:
    """Have the desk bring what was asked for."""
    await running.pool.execute(
        "UPDATE snapshot SET state = 'taken', next_try_at = NULL, tries = 1, asked_at = $1, taken_at = $1,"
        " media = $2, sha256 = $3, bytes = $4, picture = $5 WHERE state = 'waiting'",
        to_datetime(running.clock.now()), media, hashlib.sha256(body).digest(), len(body), body,
    )  # fmt: skip


async def by_hand(running: Any, alert_id: str, camera: str, key: str) -> tuple[int, Any]:
    return await running.call(
        "POST", f"{ALERTS}/{alert_id}/snapshots", json={"camera": camera}, headers={"Idempotency-Key": key}
    )


async def test_an_alert_has_its_cameras_and_no_address_or_secret_of_one_is_told(running: Any, city: str) -> None:
    body = await running.get(f"{ALERTS}/{city}/cameras")
    assert [(each["camera"], each["sight"], each["takes_pictures"], each["link"]) for each in body["items"]] == [
        ("zone", "zone", True, "https://nvr/1"), ("door", "outdoor", True, None),
        ("next", "unit", False, "https://nvr/2"),
    ]  # fmt: skip
    assert "secret" not in str(body)
    assert "10.0.0.9" not in str(body)
    of_unit = await running.get("/api/v1/units/mall-01/cameras")
    assert [each["camera"] for each in of_unit["items"]] == ["next", "zone"]
    assert "10.0.0.9" not in str(of_unit)
    assert (await running.call("GET", "/api/v1/units/nobody/cameras"))[0] == 404


async def test_a_picture_by_hand_is_asked_for_once_and_then_given_as_it_came_to_nobody_else(
    running: Any, city: str
) -> None:
    status, made = await by_hand(running, city, "zone", "k1")
    assert (status, made["state"], made["moment"], made["by"], made["url"]) == (201, "waiting", "by_hand", "olga", None)
    running.clock.advance(9 * SECOND)
    assert (await by_hand(running, city, "zone", "k1"))[1]["id"] == made["id"]
    for camera, key, code in (("next", "k2", 400), ("nobody", "k3", 400), ("door", "k1", 409)):
        assert (await by_hand(running, city, camera, key))[0] == code
    assert (await running.call("GET", f"/api/v1/snapshots/{made['id']}"))[0] == 404

    await taken(running)
    (shot,) = (await running.get(f"{ALERTS}/{city}/snapshots"))["items"]
    assert (shot["state"], shot["sha256"], shot["bytes"]) == ("taken", DIGEST, len(JPEG))
    async with running.client.get(f"{running.url}{shot['url']}", headers=running.headers) as answer:
        assert await answer.read() == JPEG
        assert answer.content_type == "image/jpeg"
        told = answer.headers
    assert told["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in told["Content-Security-Policy"]
    assert told["Cache-Control"].startswith("private")
    async with running.client.get(f"{running.url}{shot['url']}") as answer:
        assert answer.status == 401
    for nonsense in ("0", "x", "9" * 30, "-1", "%00"):
        assert (await running.call("GET", f"/api/v1/snapshots/{nonsense}"))[0] == 404

    await running.sign_in("vera")
    assert (await by_hand(running, city, "zone", "k9"))[0] == 403


async def test_a_units_account_sees_its_own_cameras_never_its_neighbours(running: Any, city: str) -> None:
    zone, door = [(await by_hand(running, city, camera, camera))[1]["id"] for camera in ("zone", "door")]
    await taken(running)
    mall = [("zone", 200), ("door", 404)]
    for account, seen, own in (("mall-room", mall, 200), ("school-room", [("zone", 404), ("door", 404)], 404)):
        await running.sign_in(account)
        assert (await running.call("GET", f"{ALERTS}/{city}/cameras"))[0] == own
        for camera, status in seen:
            number = {"zone": zone, "door": door}[camera]
            assert (await running.call("HEAD", f"/api/v1/snapshots/{number}"))[0] == status, (account, camera)
        assert (await running.call("GET", "/api/v1/units/mall-01/cameras"))[0] == own
        assert (await by_hand(running, city, "zone", "k"))[0] == 403
    await running.sign_in("mall-room")
    for part in ("cameras", "snapshots"):
        shown = await running.get(f"{ALERTS}/{city}/{part}")
        assert {each["camera"] for each in shown["items"]} <= {"zone", "next"}
    record = await running.get(f"{ALERTS}/{city}/record", format="json")
    assert [each["camera"] for each in record["pictures"]] == ["zone"]


async def test_the_record_shows_pictures_with_their_digest_and_survives_one_that_nobody_can_draw(
    running: Any, city: str
) -> None:
    """A picture cut off in its middle must not keep a record from being printed."""
    large = picture("PNG", (2000, 1000))
    for number, body in enumerate((JPEG, large, large[:3000])):
        await by_hand(running, city, "zone", f"k{number}")
        await taken(running, body, "image/jpeg" if body is JPEG else "image/png")
        running.clock.advance(10 * SECOND)
    await by_hand(running, city, "zone", "failed")
    await running.pool.execute(
        "UPDATE snapshot SET state = 'failed', next_try_at = NULL, trouble = 'status', trouble_status = 503"
        " WHERE state = 'waiting'"
    )
    record = await running.get(f"{ALERTS}/{city}/record", format="json")
    assert [(each["sha256"] is None, each["trouble"]) for each in record["pictures"]] == [
        (False, None), (False, None), (False, None), (True, "the camera answered 503"),
    ]  # fmt: skip
    status, page = await running.call("GET", f"{ALERTS}/{city}/record", params={"lang": "zh"})
    assert status == 200
    assert page.count("<img ") == 3
    assert DIGEST in page
    assert "摄像机返回 503" in page
    async with running.client.get(f"{running.url}{ALERTS}/{city}/record", headers=running.headers) as answer:
        assert "img-src 'self'" in answer.headers["Content-Security-Policy"]
    async with running.client.get(
        f"{running.url}{ALERTS}/{city}/record", params={"format": "pdf"}, headers=running.headers
    ) as answer:
        assert answer.status == 200
        body = await answer.read()
    assert body.startswith(b"%PDF")
    assert body.count(b"/Subtype /Image") == 2


async def test_of_records_that_are_printed_together_one_has_its_pictures_in_memory(
    running: Any, city: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dozen pictures of 4 MiB for each of whoever asks at once would be the memory of the whole service."""
    await by_hand(running, city, "zone", "k1")
    await taken(running)
    held, most = 0, 0
    read, press = snapshots.picture, incident_record._pdf

    async def picture_read(*given: Any) -> Any:
        nonlocal held, most
        held += 1
        most = max(most, held)
        await asyncio.sleep(0.02)
        return await read(*given)

    def pressed(*given: Any) -> bytes:
        nonlocal held
        held -= 1
        return press(*given)

    monkeypatch.setattr(snapshots, "picture", picture_read)
    monkeypatch.setattr(incident_record, "_pdf", pressed)
    records = [running.call("HEAD", f"{ALERTS}/{city}/record", params={"format": "pdf"}) for _ in range(4)]
    assert [status for status, _ in await asyncio.gather(*records)] == [200] * 4
    assert most == 1
