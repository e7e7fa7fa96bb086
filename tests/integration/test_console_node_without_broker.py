"""A node that only serves consoles and cannot reach the broker says so, and stays usable."""

import contextlib
from pathlib import Path

import aiohttp
from service import Service, free_port, signed_in
from waiting import until


async def test_a_console_node_without_a_broker_is_not_ready_names_it_and_still_serves(
    database_url: str, tmp_path: Path
) -> None:
    """A balancer or a watcher learns that alarms could be missed here; who sits there works with what is stored."""
    port = free_port()
    node = Service(database_url, f"mqtt://127.0.0.1:{port}", tmp_path, role="web")
    await node.launch()
    try:
        broker = await until(lambda: _broker(node, str(port)), 40, "the broker is named")
        assert broker["ok"] is False
        assert "look-out" in broker["detail"]
        await until(lambda: _only_the_broker_fails(node), 20)
        assert not await node.ready(), "503"
        async with signed_in(node) as api:
            assert (await api.get("/alerts"))["items"] == []
    finally:
        await node.stop()


async def _broker(node: Service, port: str) -> dict[str, object] | None:
    """What /readyz says of the broker once it names the address."""
    with contextlib.suppress(aiohttp.ClientError):
        check = (await node.checks())["broker"]
        return check if port in check["detail"] else None
    return None


async def _only_the_broker_fails(node: Service) -> bool:
    """Whether every other check passes, which the database's does once it was asked."""
    return [name for name, check in (await node.checks()).items() if not check["ok"]] == ["broker"]
