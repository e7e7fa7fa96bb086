"""The demo as a newcomer runs it: everything starts, a fire comes, Ctrl-C leaves nothing behind, the data stays."""

import asyncio
import json
import os
import pwd
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from folders import open_folder
from service import Api
from waiting import until

from firetower.core.datadir import closed_parent


class Demo:
    """`firetower demo` as a process of its own."""

    def __init__(self, data: Path, *options: str, user: int | None = None, python: str = sys.executable,
                 password: str | None = None) -> None:  # fmt: skip
        self.output = b""
        self._data = data
        self._options = ("--data-dir", str(data), "--port", "0", "--mqtt-port", "0", "--devices", "120", *options)
        self._user = user
        self._python = python
        self._password = {} if password is None else {"FIRETOWER_ADMIN_PASSWORD": password}
        self.process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and collect what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRETOWER_")}
        self.process = await asyncio.create_subprocess_exec(
            self._python, "-m", "firetower", "demo", *self._options,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
            env=kept | _our_packages() | self._password,
            user=self._user, group=None if self._user is None else pwd.getpwuid(self._user).pw_gid,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(), name="demo output")

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.output += line

    def text(self) -> str:
        """What it printed so far."""
        return self.output.decode()

    async def ended(self, seconds: float = 60) -> int:
        """Wait for its end; return its exit status."""
        assert self.process is not None
        assert self._reading is not None
        async with asyncio.timeout(seconds):
            await self.process.wait()
            await self._reading
        return int(self.process.returncode or 0)

    async def sign_in_line(self) -> tuple[str, str]:
        """Wait until it says how to sign in; return the console's URL and the password."""
        pattern = re.compile(r"Console +(\S+)\s+Sign in +admin / (\S+)$", re.MULTILINE)
        found = await until(lambda: pattern.search(self.text()) or self.has_ended(), 60, f"sign-in line: {self.text()}")
        return found[1], found[2]

    def has_ended(self) -> None:
        """Fail when it has."""
        assert self.process is not None
        if self.process.returncode is not None:
            raise AssertionError(f"the demo ended with {self.process.returncode}: {self.text()}")


@asynccontextmanager
async def running_demo(
    data: Path, *options: str, user: int | None = None, python: str = sys.executable, password: str | None = None
) -> AsyncIterator[Demo]:
    """Give a started demo; end it whatever happens."""
    demo = Demo(data, *options, user=user, python=python, password=password)
    await demo.start()
    try:
        yield demo
    finally:
        assert demo.process is not None
        if demo.process.returncode is None:
            demo.process.send_signal(signal.SIGINT)
            try:
                await demo.ended(40)
            except TimeoutError:
                demo.process.kill()
        await demo.ended()


def _our_packages() -> dict[str, str]:
    """The environment in which another interpreter finds this one's packages and programs."""
    packages = [path for path in sys.path if "site-packages" in path or Path(path).name == "src"]
    programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
    home = tempfile.gettempdir()  # an ordinary user's home is open to that user; ours may not be
    return {"HOME": home, "PYTHONPATH": os.pathsep.join(packages), "PATH": os.pathsep.join(programs)}


def _open_python() -> str:
    """A Python of our version that other accounts can run; skips where there is none or the checkout is closed."""
    if (closed := closed_parent(Path(__file__))) is not None:
        pytest.skip(f"{closed} is closed to other accounts, so none of them can run this checkout")
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        if Path(python).exists() and closed_parent(Path(python).resolve()) is None:
            return python
    pytest.skip("this Python lies in a folder closed to other accounts, and the system has none of its version")


def _descendants(pid: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: set[int] = set()
    todo = [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            found.add(child)
            todo.append(child)
    return found


def _alive(pids: set[int]) -> set[int]:
    living = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if state != "Z":
            living.add(pid)
    return living


async def _api(http: aiohttp.ClientSession, url: str, password: str) -> Api:
    credentials = {"username": "admin", "password": password}
    async with http.post(f"{url}api/v1/session", json=credentials) as answer:
        assert answer.status == 200, await answer.text()
        http.headers["Authorization"] = f"Bearer {(await answer.json())['token']}"
    return Api(http, url.rstrip("/"))


async def test_a_fire_comes_ctrl_c_leaves_no_process_and_a_second_start_has_the_data() -> None:
    with open_folder("firetower-demo-") as folder:
        async with running_demo(folder) as demo, aiohttp.ClientSession() as http:
            url, password = await demo.sign_in_line()
            await _refused_beside(folder, url)
            api = await _api(http, url, password)

            async def fires() -> Any:
                return (await api.get("/alerts", **{"class": "fire"}))["items"]

            first = (await until(fires, 20, "a first fire within 20 s"))[0]
            assert demo.process is not None
            started = _descendants(demo.process.pid)
            assert len(started) >= 3, "database, broker and simulator run"
            demo.process.send_signal(signal.SIGINT)
            assert await demo.ended() == 0, demo.text()
            assert not _alive(started)
            assert "Traceback" not in demo.text()
        async with running_demo(folder) as demo, aiohttp.ClientSession() as http:
            url, again = await demo.sign_in_line()
            assert again == password
            api = await _api(http, url, password)
            assert (await api.get(f"/alerts/{first['id']}"))["raised_at"] == first["raised_at"]


async def _refused_beside(folder: Path, url: str) -> None:
    """Beside a running demo, a second on the same data and one on its port say what is wrong."""
    second = Demo(folder)
    await second.start()
    assert await second.ended() == 2
    assert "belongs to a running instance" in second.text()
    port = url.rstrip("/").rsplit(":", 1)[1]
    with open_folder("firetower-demo-") as other:
        third = Demo(other, "--port", port)
        await third.start()
        assert await third.ended() == 2
    assert port in third.text()
    assert "--port" in third.text()
    assert "Traceback" not in second.text() + third.text()
    assert len(third.text().strip().splitlines()) == 2, "the greeting, and one line that says what is wrong"


async def test_after_kill_9_nothing_runs_on_the_next_start_works_and_contradicts_no_earlier_password() -> None:
    with open_folder("firetower-demo-") as folder:
        async with running_demo(folder, password="first password") as demo:
            told = "the password in FIRETOWER_ADMIN_PASSWORD"
            await until(lambda: told in demo.text() or demo.has_ended(), 60, f"it says how to sign in: {demo.text()}")
            assert demo.process is not None
            started = _descendants(demo.process.pid)
            assert len(started) >= 3, "database, broker and simulator run"
            demo.process.kill()
            await demo.ended()
            await until(lambda: not _alive(started), 20, "engines and simulator end with their parent")
        async with running_demo(folder, "--seconds", "1") as demo:
            assert await demo.ended() == 0, demo.text()
            assert "the password it was given before" in demo.text()
            assert "users passwd admin" in demo.text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account; the suite itself runs as one")
async def test_it_works_as_an_ordinary_user() -> None:
    nobody = pwd.getpwnam("nobody")
    python = _open_python()
    with open_folder("firetower-demo-") as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        async with running_demo(
            folder / "data", "--headless", "--seconds", "10", user=nobody.pw_uid, python=python
        ) as demo:
            assert await demo.ended() == 0, demo.text()
            summary = json.loads(demo.text().strip().splitlines()[-2])
            assert summary["readings"] > 0
            assert summary["fires"] > 0
