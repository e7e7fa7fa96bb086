"""Every shipped scenario end to end against the real service: nothing missed, nothing twice, nothing false.

They run side by side, four services at once, since most of their time is waiting.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scenario_runs import GRACE, at_any_hour, bring_in, cast_only, check, faster, often, played
from service import PASSWORD, Service, running

from firetower.core.clock import SystemClock
from firetower.simulator.city import SimCity, build
from firetower.simulator.score.report import Limits
from firetower.simulator.score.scored import judged
from firetower.simulator.score.service import signed_in
from firetower.simulator.script_file import load_parts, shipped
from firetower.simulator.truth import read_truth

AS_TYPED = (
    "mall-fire", "alarm-storm", "two-points", "registrations", "fire-no-console", "clocks", "second-fire",
    "fire-handover", "fire-under-test", "fire-rulebook-reload",
)  # fmt: skip
SILENT = ("power-cut", "partition-backlog", "burnt-detector")
OVERNIGHT = ("tank-leak", "frozen-hydrants", "burst-main", "smouldering-electrical", "false-alarm-prone")
MORE_OF_THE_SAME = ("everything",)
"""Put together of others."""


@pytest.mark.alone
@pytest.mark.timeout(300)  # a minute on a machine of its own
async def test_every_shipped_scenario_finds_all_that_is_true_once_and_nothing_else(
    databases: list[str], nats: Any, other_nats: Any, own_postgres: Any, tmp_path: Path
) -> None:
    assert {*AS_TYPED, *SILENT, *OVERNIGHT, *MORE_OF_THE_SAME, "fire-database-down", "demo", "quiet"} == set(shipped())
    one = asyncio.Lock()
    async with asyncio.TaskGroup() as all_at_once:
        for name, group, database, broker in (
            ("silent", _silent, databases[0], other_nats[0]),
            ("typed", _as_typed, databases[1], nats),
            ("down", _database_down, own_postgres, other_nats[2]),
            ("night", _overnight, databases[2], other_nats[1]),
        ):
            all_at_once.create_task(group(database, broker, tmp_path / name, one), name=name)


@asynccontextmanager
async def _knowing(
    city: SimCity, database: str, broker: str, folder: Path, one_by_one: asyncio.Lock
) -> AsyncIterator[Service]:
    """Give a running service that knows the city. They start one by one: four at once take each other's time."""
    folder.mkdir()  # noqa: ASYNC240 - as everything of a test
    async with AsyncExitStack() as stack:
        async with one_by_one:
            service = await stack.enter_async_context(running(database, broker, folder))
            await bring_in(service, city, folder)
        yield service


async def _as_typed(url: str, nats: Any, folder: Path, one_by_one: asyncio.Lock) -> None:
    """Those that run in real time, by the command itself, with hooks as a tester writes them."""
    async with _knowing(build(1, 400), url, nats.url, folder, one_by_one) as service:
        python = f"{sys.executable} -m firetower"
        hooks = {
            "unit-account": f'echo "$PASSWORD" | {python} users add "$ACCOUNT" --role unit --unit "$UNIT"',
            "rulebook-reload": f"kill -HUP {service.pid}",
        }
        service.environment |= {"FIRETOWER_USER": "admin", "FIRETOWER_PASSWORD": PASSWORD}
        status, said = await service.command(
            "simulate", "--devices", "400", "--seed", "1", "--broker", nats.device_url, "--seconds", "30",
            *(word for name in AS_TYPED for word in ("--scenario", name)),
            *(word for name, command in hooks.items() for word in ("--hook", f"{name}={command}")),
            "--score", service.url, "--truth", str(folder / "truth.jsonl"), "--report", str(folder / "score.json"),
            "--quiet", "--grace", str(GRACE / 1e6), "--allow-late", "1000",
        )  # fmt: skip
        assert status == 0, said
        report = json.loads((folder / "score.json").read_text("utf-8"))
        assert report["passed"], said
        assert report["found"] > 250, "each point of the storm, and the fires"
        assert {each.split(":")[0] for each in report["undecided"]} == {"clocks"}, "their clocks are not measured yet"
        assert report["messages"]["readings_lost"] in {0, None}
        page = (folder / "score.html").read_text("utf-8")
        assert "<svg" in page
        assert "http" not in page.replace(service.url, "").replace("http-equiv", "")
        await _judged_again(service, folder / "truth.jsonl")


async def _judged_again(service: Service, file: Path) -> None:
    """The truth log alone gives the same score; what is changed in it is found, and nothing else."""
    log = read_truth(file.read_text("utf-8"), str(file))  # noqa: ASYNC240 - a small file, and nothing else to do
    clock, limits = SystemClock(), Limits()
    async with signed_in(service.url, "admin", PASSWORD) as seen:
        as_it_was = await judged(seen, log, clock=clock, limits=limits)
        check(as_it_was, undecided={"eight hours ahead", "eight hours behind"})
        fire = next(each for each in log.expected if each.step == "second alarm")
        log.expected.append(
            replace(fire, step="invented", about=replace(fire.about, code="mall-01/nobody", device="nobody"))
        )
        log.expected.remove(fire)
        changed = await judged(seen, log, clock=clock, limits=limits)
    assert [each.step for each in changed.score.missed] == ["invented"]
    assert [alert.rule for alert, _ in changed.score.false] == ["event:fire"]
    assert len(changed.score.found) == len(as_it_was.score.found) - 1
    assert not changed.passed


async def _silent(url: str, nats: Any, folder: Path, one_by_one: asyncio.Lock) -> None:
    """Those that wait for silence, and the demo: devices report each 3 s, so that 9 s are silence."""
    parts = (*(faster(part, 7.5) for part in load_parts(SILENT)), *load_parts(("demo",)))
    city = often(build(4, 300), 3)
    async with _knowing(city, url, nats.url, folder, one_by_one) as service:
        report = await played(service, nats.device_url, city, parts, seconds=38, settle=6)
        # what has to last for half a minute or more: tests/simulator/test_truth.py sees the demo's to their end
        slow = {"tank runs empty", "loose terminal", "cable heats up", "insulation fails", "small troubles"}
        check(report, undecided={*slow, "a terminal heats up meanwhile"})


async def _overnight(url: str, nats: Any, folder: Path, one_by_one: asyncio.Lock) -> None:
    """Those that take hours: a night within seconds."""
    parts = tuple(at_any_hour(part) for part in load_parts(OVERNIGHT))
    city = cast_only(build(1, 300), parts)
    async with _knowing(city, url, nats.url, folder, one_by_one) as service:
        check(await played(service, nats.device_url, city, parts, speed=1200))


async def _database_down(own_postgres: Any, nats: Any, folder: Path, one_by_one: asyncio.Lock) -> None:
    """The database is stopped under the service, and started again."""

    async def down(_: Mapping[str, str]) -> None:
        await asyncio.to_thread(own_postgres.stop)

    async def up(_: Mapping[str, str]) -> None:
        await asyncio.to_thread(own_postgres.start)

    city = build(2, 100)
    async with _knowing(city, own_postgres.url, nats.url, folder, one_by_one) as service:
        hooks = {"database-down": down, "database-up": up}
        parts = load_parts(("fire-database-down",))
        check(await played(service, nats.device_url, city, parts, seconds=30, hooks=hooks))
