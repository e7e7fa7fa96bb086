"""A camera is asked in bounded time and size, follows nobody elsewhere, and is not believed."""

import asyncio
import gzip
import socket
import threading

import pytest
from aiohttp import web
from camera_making import JPEG, Lens, lens
from waiting import until

from firetower.alerts.cameras.eye import Eye, NoPicture
from firetower.alerts.duty.cameras import CameraSecret

SECRETS = {
    "door": CameraSecret(kind="basic", username="fire", password="pass:wörd"),
    "nvr": CameraSecret(username="fire", password="secret"),
    "cloud": CameraSecret(kind="bearer", password="t0ken"),
}


async def why(eye: Eye, address: str, secret: str | None = None) -> str:
    with pytest.raises(NoPicture) as told:
        await eye.look(address, secret)
    return told.value.trouble.why


async def test_a_picture_comes_as_it_is() -> None:
    async with lens() as camera, Eye({}) as eye:
        found = await eye.look(f"{camera.url}/1.jpg", None)
    assert (found.media, found.body) == ("image/jpeg", JPEG)


async def test_what_is_no_picture_is_told_by_its_reason() -> None:
    """A redirect above all: whoever answers must not choose whom this service asks."""
    async with lens() as elsewhere, lens() as camera, Eye({}) as eye:
        camera.answers = [
            web.Response(status=302, headers={"Location": f"{elsewhere.url}/metadata"}),
            web.Response(status=503),
            web.Response(status=401),
            web.Response(text="<html>sign in</html>", content_type="image/jpeg"),
            web.Response(body=gzip.compress(JPEG), headers={"Content-Encoding": "gzip", "Content-Type": "image/jpeg"}),
            web.Response(body=JPEG + b"\0" * (4 * 1024 * 1024), content_type="image/jpeg"),
        ]
        told = [await why(eye, camera.url) for _ in range(6)]
        assert elsewhere.asked == []
    assert told == ["redirect", "status", "refused", "no_picture", "no_picture", "too_large"]


async def test_a_camera_that_hangs_or_never_ends_is_left_at_the_deadline() -> None:
    async with lens() as camera, Eye({}, within_s=0.2) as eye:
        camera.gate.clear()
        assert await why(eye, camera.url) == "no_answer"
        camera.gate.set()
    async with lens() as camera, Eye({}) as eye:
        camera.endless = True
        assert await why(eye, camera.url) == "too_large"
    async with Eye({}) as eye:
        assert await why(eye, "http://127.0.0.1:1/x.jpg") == "unreachable"


async def test_a_name_server_that_is_away_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up holds its thread until it ends: the threads of sign-in, broker and database must be others."""
    away = threading.Event()
    asked = []

    def look_up(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        away.wait(20)
        raise socket.gaierror("no name server")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with Eye({}, within_s=0.5) as eye:
        looks = [asyncio.create_task(why(eye, f"http://camera-{n}.example/x.jpg")) for n in range(60)]
        await until(lambda: asked)
        try:
            async with asyncio.timeout(10):
                assert await asyncio.to_thread(int, "7") == 7
            assert set(await asyncio.gather(*looks)) == {"no_answer"}
        finally:
            away.set()


async def test_secrets_go_to_the_camera_that_names_them_and_a_digest_never_shows_the_password() -> None:
    async with lens() as camera, Eye(SECRETS) as eye:
        await eye.look(camera.url, "door")
        await eye.look(camera.url, "cloud")
        camera.answers = [_challenge()]
        await eye.look(camera.url, "nvr")
        camera.answers = [_challenge(), _challenge()]
        assert await why(eye, camera.url, "nvr") == "refused"
        asked = len(camera.asked)
        assert await why(eye, camera.url, "nobody's") == "no_secret"
        assert len(camera.asked) == asked
    told = _told(camera)
    assert told[:2] == ["Basic ZmlyZTpwYXNzOnfDtnJk", "Bearer t0ken"]
    assert told[3].startswith("Digest ")
    assert 'username="fire"' in told[3]
    assert not any("secret" in each for each in told)
    assert "pass" not in repr(SECRETS)


async def test_a_recorder_that_refuses_a_password_is_not_asked_with_it_for_its_other_cameras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Eight cameras of one recorder are eight wrong passwords: it locks the account out, and nobody sees anything."""
    async with lens() as camera, Eye(SECRETS) as eye:
        camera.answers = [_challenge(), _challenge()]
        told = [await why(eye, f"{camera.url}/{n}", "nvr") for n in range(8)]
        assert (told, len(camera.asked)) == (["refused"] * 8, 2)
        await eye.look(camera.url, "door")
        monkeypatch.setattr("firetower.alerts.cameras.eye.LEFT_ALONE_S", 0.0)
        camera.answers = [_challenge()]
        await eye.look(camera.url, "nvr")


def _challenge() -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Digest realm="nvr", nonce="abc", qop="auth"'})


def _told(camera: Lens) -> list[str]:
    return [each.get("Authorization", "") for each in camera.headers]
