"""Debian's Mosquitto as an independent broker, on a free port with a configuration of the test's own."""

import asyncio
import contextlib
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
MISSING = "mosquitto is not installed (apt-get install mosquitto), so no independent broker was tried"

CONFIG = """\
persistence false
max_queued_messages 0
max_inflight_messages 1000
max_packet_size 200000
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def mosquitto(folder: Path, extra: str = "allow_anonymous true\n", port: int | None = None) -> AsyncIterator[int]:
    """Run it until the block ends; gives its port."""
    assert PROGRAM is not None
    port = port or free_port()
    config = folder / f"mosquitto-{port}.conf"
    config.write_text(f"user root\nlistener {port} 127.0.0.1\n{CONFIG}{extra}")
    process = await asyncio.create_subprocess_exec(PROGRAM, "-c", str(config), stderr=asyncio.subprocess.DEVNULL)
    try:
        deadline = asyncio.get_running_loop().time() + 10
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                assert asyncio.get_running_loop().time() < deadline, "mosquitto does not listen"
                assert process.returncode is None, f"mosquitto ended with {process.returncode}"
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                break
        yield port
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
