"""What the simulator's load generator sends from one core: to a sink that only acknowledges, and to the broker."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from firetower.core.child import free_port
from firetower.core.datadir import DataDir
from firetower.embedded import EmbeddedNats
from firetower.simulator.load.connections import Wiring
from firetower.simulator.load.fleet import MILLI, Outcome, fleet
from firetower.simulator.load.limits import Limits, not_held, refused, speed
from firetower.simulator.load.measure import order
from firetower.simulator.load.shapes import profile

DEVICES = 10_000
RATES = (50_000, 100_000, 150_000, 200_000, 250_000, 300_000)
DRAIN_S = 20


def measure(*, quick: bool) -> dict[str, Any]:
    """Offer more and more until the one process cannot keep up, or 1 % of its messages are 50 ms late."""
    seconds = 3 if quick else 10
    print(f"{'':14}{'offered/s':>10}{'sent/s':>10}{'late p99':>10}{'p99':>10} ms   us a message")
    with _sink() as url:
        rows = asyncio.run(_rise("sink, QoS 1", url, 1, seconds))
        rows += asyncio.run(_rise("sink, QoS 0", url, 0, seconds))
    with tempfile.TemporaryDirectory(prefix="firetower-bench-") as folder:
        Path(folder).chmod(0o755)
        with DataDir(Path(folder)).held() as data:
            nats = EmbeddedNats(data, port=0)
            nats.start()
            try:
                rows += asyncio.run(_rise("NATS, QoS 1", nats.device_url, 1, seconds))
            finally:
                nats.stop()
    kept = [row for row in rows if row["name"] == "sink, QoS 1" and row["refused"] == ""]
    return {
        "sent_per_second": max((row["sent_per_second"] for row in kept), default=0.0),
        "rows": [{name: value for name, value in row.items() if name != "refused"} for row in rows],
    }


@contextmanager
def _sink() -> Iterator[str]:
    port = free_port()
    with Popen([sys.executable, "-m", "bench.sink", str(port)], cwd=Path(__file__).parent.parent, stdout=PIPE) as sink:
        assert sink.stdout is not None
        sink.stdout.readline()
        try:
            yield f"mqtt://127.0.0.1:{port}"
        finally:
            sink.kill()


async def _rise(name: str, url: str, qos: int, seconds: float) -> list[dict[str, Any]]:
    wiring = Wiring(connections=4, qos=qos)
    one = order(url, seed=1, devices=DEVICES, pace="demo", arrival="device", wiring=wiring, workers=1)
    rows: list[dict[str, Any]] = []
    async with fleet(one) as running:
        for rate in RATES:
            outcome = await running.load(profile("steady", rate, seconds=seconds), drain=DRAIN_S)
            rows.append(_row(name, rate, outcome))
            if rows[-1]["refused"] or not_held(outcome, Limits(p99_ms=1000)):
                break
    return rows


def _row(name: str, rate: float, outcome: Outcome) -> dict[str, Any]:
    tally = outcome.tally
    latency, lateness = tally.latency, tally.lateness
    row = {
        "name": name, "offered_per_second": rate, "sent_per_second": speed(outcome)[0],
        "lateness_p99_ms": lateness.percentile(99) / MILLI, "latency_p50_ms": latency.percentile(50) / MILLI,
        "latency_p99_ms": latency.percentile(99) / MILLI, "cpu_us_per_message": sum(outcome.cpu) / tally.sent * 1e6,
        "refused": refused(tally, Limits()) or "",
    }  # fmt: skip
    print(f"{name:14}{rate:10,.0f}{row['sent_per_second']:10,.0f}{row['lateness_p99_ms']:10.1f}"
          f"{row['latency_p99_ms']:10.1f}{row['cpu_us_per_message']:10.1f}  {row['refused']}")  # fmt: skip
    return row
