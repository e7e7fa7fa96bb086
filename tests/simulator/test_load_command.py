"""``firetower simulate --load`` and ``--find-limit`` in processes of their own, as a tester runs them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from firetower.core.child import free_port
from firetower.simulator.load import fleet as fleet_module
from firetower.simulator.load.connections import Wiring
from firetower.simulator.load.fleet import WorkerLost, fleet
from firetower.simulator.load.measure import order
from firetower.simulator.load.shapes import profile

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sink() -> Iterator[str]:
    """The URL of a broker that only acknowledges, a process of its own."""
    port = free_port()
    running = subprocess.Popen([sys.executable, "-m", "bench.sink", str(port)], cwd=ROOT, stdout=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    yield f"mqtt://127.0.0.1:{port}"
    running.kill()
    running.wait()
    running.stdout.close()


@pytest.fixture
def command(command: Any, sink: str) -> Any:
    return lambda *words: command("--broker", sink, "--devices", "100", *words)


def test_a_load_of_two_workers_is_one_figure_with_its_files(command: Any, tmp_path: Path) -> None:
    report = tmp_path / "spike.json"
    result = command(
        "--load", "spike", "--rate", "400", "--to", "4000", "--seconds", "1.5", "--workers", "2",
        "--arrival", "poisson",
        "--allow-lateness", "60000", "--report", str(report), "--quiet",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    said = json.loads(report.read_text("utf-8"))
    accounting = said["accounting"]
    assert 800 < accounting["intended"] == accounting["acknowledged"] < 1500
    assert said["figure"]["latency_ms"]["count"] == accounting["intended"]
    assert len(said["generator"]["cpu_seconds"]) == 2
    assert said["problems"] == []
    assert said["each_second"][-1]["sent"] == accounting["sent"]
    table = (tmp_path / "spike.hgrm").read_text("utf-8")
    assert f"Total count    = {accounting['intended']:12d}]" in table
    assert "p99.9" in result.output


def test_a_figure_is_refused_with_status_1_when_the_generator_was_late(command: Any) -> None:
    result = command("--load", "steady", "--rate", "500", "--seconds", "0.4", "--allow-lateness", "0.001")
    assert result.exit_code == 1
    assert "no figure: the generator was late" in result.output
    assert "latency    p50" not in result.output


def test_the_limit_is_searched_and_what_held_and_what_did_not_are_told(command: Any, tmp_path: Path) -> None:
    """No broker answers within a hundredth of a millisecond, so nothing holds; with a patient limit the cap does."""
    report = tmp_path / "limit.json"
    words = ["--find-limit", "--rate", "40", "--seconds", "0.3", "--allow-lateness", "60000", "--report", str(report)]
    result = command(*words, "--allow-p99", "0.01")
    assert result.exit_code == 1
    assert "no rate held" in result.output
    assert [one["messages_per_second"] for one in json.loads(report.read_text("utf-8"))["limit"]["trials"]] == [
        40, 15.6, 10,
    ]  # fmt: skip
    result = command(*words, "--allow-p99", "60000", "--to", "60")
    assert result.exit_code == 0, result.output
    assert "the last rate that held: 60 messages/s" in result.output


@pytest.mark.parametrize(
    ("how", "says"),
    [("hangs", "worker [01] .* has said nothing for 3 s"), ("dies", r"worker 1 \(process \d+\) ended with status -9")],
)
async def test_a_worker_that_hangs_or_dies_is_an_error_and_not_a_smaller_figure(
    sink: str, monkeypatch: pytest.MonkeyPatch, how: str, says: str
) -> None:
    monkeypatch.setattr(fleet_module, "SILENT", 3 if how == "hangs" else 60)
    made = order(sink, seed=1, devices=100, pace="demo", arrival="device", wiring=Wiring(), workers=2)
    async with fleet(made) as running:
        seconds: list[int] = []
        load = asyncio.create_task(
            running.load(
                profile("steady", 200, seconds=60), drain=1, on_second=lambda second, _: seconds.append(second.number)
            ),
            name="load",
        )
        await until(lambda: seconds, seconds=30)
        os.kill(running.pids[how == "dies"], signal.SIGSTOP if how == "hangs" else signal.SIGKILL)
        with pytest.raises(WorkerLost, match=says):
            await load
    for pid in running.pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_ctrl_c_ends_a_load_with_its_report(sink: str) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "firetower", "simulate", "--load", "soak", "--rate", "300", "--broker", sink,
         "--devices", "100", "--allow-lateness", "60000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert running.stderr is not None
    try:
        assert "published" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=30)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0, errors
    assert "soak load, device arrivals" in output
    assert "stopped early" in output
    assert "Traceback" not in output + errors


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--load", "steady", "--rate", "-5"), "give more than 0"),
        (("--load", "steady", "--rate", "10", "--to", "20"), "leave --to out"),
        (("--load", "steady", "--workers", "0"), "--workers 0 is not possible"),
        (("--load", "steady", "--connections", "none"), "'device' for one each"),
        (("--load", "steady", "--scenario", "quiet"), "--scenario plays a scenario"),
        (("--workers", "2"), "add --load or --find-limit"),
        (("--find-limit", "--load", "ramp"), "leave --load ramp out"),
        (("--load", "steady", "--report", "/nowhere/report.json"), "/nowhere/report.json cannot be read or written"),
        (("--load", "steady", "--report", "table.hgrm"), "name it .json"),
        (("--load", "steady", "--credentials", "/nowhere/file.csv"), "/nowhere/file.csv cannot be read"),
        (("--load", "steady", "--ca", "/nowhere/ca.pem", "--rate", "10"), "write mqtts://"),
    ],
)
def test_what_is_no_load_is_said_in_one_line_with_status_1(command: Any, words: tuple[str, ...], says: str) -> None:
    result = command(*words)
    assert result.exit_code == 1
    assert says in result.output
    assert "Traceback" not in result.output
    assert len(result.output.splitlines()) == 1


def test_limits_also_judge_a_city_that_is_played(command: Any) -> None:
    words = ["--rate", "200", "--seconds", "0.6", "--scenario", "quiet"]
    assert command(*words, "--allow-lost", "0", "--allow-lateness", "60000").exit_code == 0
    result = command(*words, "--allow-p99", "0.001", "--allow-lateness", "60000")
    assert result.exit_code == 1
    assert "BEYOND LIMITS: p99 of the latency is" in result.output
