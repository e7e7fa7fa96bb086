"""The console's files, the headers on every answer, health, metrics, and the port."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from waiting import until

from firetower.core.errors import ConfigError
from firetower.web.server import serve
from firetower.web.static import CSP, ConsoleFiles


async def test_the_console_is_one_revalidated_page_and_immutable_files(running: Any) -> None:
    async with running.client.get(running.url) as response:
        assert response.url.path == "/console/"
        page = await response.text()
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["Content-Security-Policy"] == CSP
        etag = response.headers["ETag"]
    async with running.client.get(f"{running.url}/console/", headers={"If-None-Match": etag}) as response:
        assert response.status == 304
    source = page.split('src="')[1].split('"')[0]
    async with running.client.get(f"{running.url}{source}") as response:
        assert response.status == 200
        assert response.content_type == "text/javascript"
        assert "immutable" in response.headers["Cache-Control"]
        assert response.headers["Content-Encoding"] == "gzip"
        assert (await response.text()).startswith("export const x")
    async with running.client.get(f"{running.url}{source}", headers={"Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        assert (await response.text()).startswith("export const x")
    base = source.rsplit("/app/", 1)[0]
    for path in (f"{base}/../../etc/passwd", f"{base}/%2e%2e/server.py", f"{base}/app", f"{base}/index.html"):
        assert (await running.call("GET", path))[0] == 404


def test_the_version_is_that_of_the_tree_and_of_nothing_else(console_folder: Path) -> None:
    first = ConsoleFiles(console_folder).version
    (console_folder / ".hidden").write_text("x")
    assert ConsoleFiles(console_folder).version == first
    (console_folder / "app" / "main.js").write_text("export const x = 2;")
    assert ConsoleFiles(console_folder).version != first


def test_a_console_without_its_page_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"index\.html"):
        ConsoleFiles(tmp_path)


@pytest.mark.parametrize("path", ["/", "/console/", "/api/docs", "/api/openapi.json", "/nowhere", "/api/v1/alerts"])
async def test_every_answer_has_the_security_headers(running: Any, path: str) -> None:
    async with running.client.get(f"{running.url}{path}", allow_redirects=False) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in response.headers["Content-Security-Policy"]


async def test_the_description_is_served_as_data_and_as_a_page(running: Any) -> None:
    document = (await running.call("GET", "/api/openapi.json"))[1]
    assert document["openapi"] == "3.1.0"
    async with running.client.get(f"{running.url}/api/docs") as response:
        assert response.content_type == "text/html"
        assert "/api/v1/alerts/{id}/acknowledge" in await response.text()
    async with running.client.get(f"{running.url}/api/docs/style.css") as response:
        assert response.content_type == "text/css"


async def test_readiness_gives_its_reasons(running: Any) -> None:
    assert await running.call("GET", "/healthz") == (200, {"status": "ok"})
    async with running.client.head(f"{running.url}/healthz") as response:
        assert response.status == 200
    status, body = await running.call("GET", "/readyz")
    assert (status, body["ready"]) == (200, True)
    running.health.checks[1] = ("broker", False, "no connection to mqtt://127.0.0.1:1 for 12 s")
    status, body = await running.call("GET", "/readyz")
    assert (status, body["ready"]) == (503, False)
    assert body["checks"][1] == {
        "name": "broker",
        "ok": False,
        "detail": "no connection to mqtt://127.0.0.1:1 for 12 s",
    }


async def test_metrics_count_open_alerts_and_devices(running: Any) -> None:
    await running.raise_alert("smk-1")
    await running.raise_alert("smk-2", event="fault")
    await until(lambda: running.site.hub.seq == 2)
    status, text = await running.call("GET", "/metrics")
    assert status == 200
    assert 'firetower_alerts_open{class="fire",priority="1"} 1.0' in text
    assert 'firetower_alerts_open{class="fault",priority="3"} 1.0' in text
    assert 'firetower_devices{status="online"}' in text


async def test_a_taken_port_is_named_with_the_way_out(running: Any) -> None:
    port = int(running.url.rsplit(":", 1)[1])
    with pytest.raises(ConfigError) as refused:
        async with serve(web.Application(), "127.0.0.1", port):
            pass
    for word in (str(port), "taken", "FIRETOWER_HTTP_PORT", "--port"):
        assert word in str(refused.value)


async def test_bytes_that_are_no_http_are_one_quiet_line_in_the_log(
    running: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    host, port = running.url.removeprefix("http://").split(":")
    for request in (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01garbage\r\n\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        assert (await reader.readline()).startswith(b"HTTP/1.")
        writer.close()
    assert not [record for record in caplog.records if record.levelname == "ERROR" or record.exc_info]
    lines = [record.getMessage() for record in caplog.records if record.name == "firetower.web.server"]
    assert "more than" in lines[0]


async def test_the_live_feed_asked_for_without_a_websocket_says_what_it_is(running: Any) -> None:
    await running.sign_in()
    status, body = await running.call("GET", "/api/v1/live")
    assert status == 400
    assert "WebSocket" in body["error"]["message"]
