"""The administrator's commands on a real database: what they print, and what they refuse in which words."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from plan_making import drawn
from typer.testing import CliRunner

from firetower.cli import main

CITY: dict[str, Any] = {
    "format": "firetower-registry/1",
    "name": "Example",
    "units": [{"code": "mall-01", "name": "万象城", "category": "mall"}],
    "devices": [{"unit": "mall-01", "device": "smk-0301", "kind": "smoke", "interval_s": 60}],
}


Command = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]


def environment(database_url: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "FIRETOWER_DATABASE_URL": database_url, "PYTHONUTF8": "1"}


@pytest.fixture
def program(database_url: str) -> Command:
    """The installed program, as a process of its own."""

    async def call(*words: str, given: bytes = b"") -> tuple[int, str, str]:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "firetower", *words],
            input=given,
            capture_output=True,
            env=environment(database_url),
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return call


@pytest.fixture
def command(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """What the program runs, in this process: a process of its own takes most of a second to start."""
    for name in [name for name in os.environ if name.startswith("FIRETOWER_")]:
        monkeypatch.delenv(name)

    def run(words: tuple[str, ...], given: bytes) -> tuple[int, str, str]:
        with CliRunner().isolation(input=given, env=environment(database_url)) as (out, err, _):
            monkeypatch.setattr(sys, "argv", ["firetower", *words])
            with pytest.raises(SystemExit) as end:
                main()
            return int(end.value.code or 0), out.getvalue().decode(), err.getvalue().decode()

    async def call(*words: str, given: bytes = b"") -> tuple[int, str, str]:
        return await asyncio.to_thread(run, words, given)

    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield call
    root.handlers[:] = before[0]  # the command's own writes to a stream that is gone
    root.setLevel(before[1])


async def test_an_import_counts_by_part_and_its_repeat_changes_nothing(program: Command, tmp_path: Path) -> None:
    file = tmp_path / "city.json"
    file.write_text(json.dumps(CITY), "utf-8")
    status, out, _ = await program("devices", "import", str(file))
    assert status == 0
    assert "devices         1 created       0 updated       0 unchanged" in out
    _, out, _ = await program("devices", "import", str(file))
    assert "devices         0 created       0 updated       1 unchanged" in out


async def test_a_plan_is_given_from_a_file_and_a_bad_one_says_what_to_do(command: Command, tmp_path: Path) -> None:
    city, good, bad = tmp_path / "city.json", tmp_path / "a.png", tmp_path / "b.png"
    floors = [{"code": "A", "floors": [{"code": "3F", "level": 3}]}]
    city.write_text(json.dumps(CITY | {"units": [CITY["units"][0] | {"buildings": floors}]}), "utf-8")
    good.write_bytes(drawn())
    bad.write_bytes(b"<svg/>")
    assert (await command("devices", "import", str(city)))[0] == 0
    _, out, _ = await command("devices", "plan", "mall-01", "A", "3F", str(good))
    assert "created, 60 × 40 pixels" in out
    assert "unchanged" in (await command("devices", "plan", "mall-01", "A", "3F", str(good)))[1]
    for floor, file, told in (
        ("3F", bad, "SVG"),
        ("9F", good, "has no floor A/9F"),
        ("3F", tmp_path / "c", "cannot be"),
    ):
        status, _, err = await command("devices", "plan", "mall-01", "A", floor, str(file))
        assert (status, told in err) == (2, True), err


async def test_an_import_with_one_wrong_item_names_its_place_and_writes_nothing(
    command: Command, tmp_path: Path, database_url: str
) -> None:
    file = tmp_path / "city.json"
    file.write_text(json.dumps(CITY | {"devices": [CITY["devices"][0] | {"kind": "smok"}]}), "utf-8")
    status, _, err = await command("devices", "import", str(file))
    assert status == 1
    assert f"{file}/devices/0 mall-01/smk-0301: kind" in err
    assert "1 item is wrong; nothing was written." in err
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select count(*) from api.units") == 0
    finally:
        await connection.close()


@pytest.mark.parametrize(("content", "says"), [(b'{"name": "\xe9"}', "not valid JSON in UTF-8"), (b"[1", "line 1")])
async def test_a_file_that_is_no_json_is_one_line(command: Command, tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "city.json"
    file.write_bytes(content)
    status, _, err = await command("devices", "import", str(file))
    assert status == 2
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a\x1b[2J"])
async def test_a_name_nobody_could_sign_in_with_is_refused(command: Command, name: str) -> None:
    status, _, err = await command("users", "add", name, given=b"long enough\n")
    assert status == 2
    assert "1 to 64 printable characters" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("given", "says"),
    [(b"short\n", "5 characters; take 8 to 1024"), (b"\n", "no password"), (b"caf\xe9 long enough\n", "not UTF-8")],
)
async def test_a_password_sign_in_would_not_take_is_refused_in_one_line(
    command: Command, given: bytes, says: str
) -> None:
    for words in (("users", "add", "wang"), ("users", "passwd", "admin")):
        status, _, err = await command(*words, given=given)
        assert status == 2
        assert says in err
        assert err.count("\n") == 1


async def test_an_account_is_added_once_listed_and_given_another_password(command: Command) -> None:
    assert (await command("users", "add", "王", "--role", "viewer", given=b"long enough\n"))[0] == 0
    assert "exists already" in (await command("users", "add", "王", given=b"long enough\n"))[2]
    assert (await command("users", "list"))[1].split() == ["王", "viewer"]
    assert "its sessions are ended" in (await command("users", "passwd", "王", given=b"another one\n"))[1]


async def test_an_account_of_a_unit_needs_a_unit_that_is_registered(command: Command, database_url: str) -> None:
    words = ("users", "add", "mall-room", "--role", "unit")
    status, _, err = await command(*words, given=b"long enough\n")
    assert (status, "--role unit says of no unit: give --unit CODE" in err) == (2, True)
    status, _, err = await command("users", "add", "wang", "--unit", "mall-01", given=b"long enough\n")
    assert (status, "--unit mall-01 is for --role unit only, and the role is operator" in err) == (2, True)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("insert into unit (code) values ('mall-01')")
    finally:
        await connection.close()
    status, _, err = await command(*words, "--unit", "mall-1", given=b"long enough\n")
    assert (status, "there is no unit 'mall-1'; registered near it: mall-01" in err) == (2, True)
    assert (await command(*words, "--unit", "mall-01", given=b"long enough\n"))[0] == 0
    assert (await command("users", "list"))[1].split() == ["mall-room", "unit", "mall-01"]


async def test_rejected_bytes_cannot_steer_the_administrators_terminal(command: Command, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "insert into reject (at, lane, topic, reason, detail, payload) values (now(), 'telemetry', $1, 'bad_json',"
            " 'not JSON', $2)",
            "firetower/v1/mall-01/a\x1b[2J/telemetry",
            b"\x1b]0;owned\x07\nforged line" + b"x" * 300,
        )
    finally:
        await connection.close()
    _, out, _ = await command("rejects", "list", "--unit", "mall-01")
    assert "\x1b" not in out
    assert "\x07" not in out
    assert r"\x1b]0;owned\x07\nforged line" in out
    assert "(322 bytes)" in out
    assert out.count("\n") == 3


async def test_an_empty_ledger_says_so(command: Command) -> None:
    status, out, err = await command("rejects", "list", "--unit", "mall-01")
    assert (status, out) == (0, "")
    assert "holds nothing on topics of unit mall-01" in err
