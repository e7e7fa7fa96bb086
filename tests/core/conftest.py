"""A broker of each kind and version of MQTT, for the tests that hold for all of them."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mosquitto_broker import MISSING, PROGRAM, mosquitto

needs_mosquitto = [pytest.mark.system, pytest.mark.skipif(PROGRAM is None, reason=MISSING)]


@pytest.fixture(
    params=[
        "nats",
        pytest.param("mosquitto", marks=needs_mosquitto),
        pytest.param("mosquitto?version=5", marks=needs_mosquitto),
    ]
)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A broker's URL, of each kind and version of MQTT it speaks."""
    if request.param == "nats":
        yield request.getfixturevalue("nats").url
    else:
        async with mosquitto(tmp_path) as port:
            yield f"mqtt://127.0.0.1:{port}{request.param.removeprefix('mosquitto')}"
