"""The simulated cameras show what burns, where it burns, and stand in the registry file of their city."""

import json
from io import BytesIO

import numpy as np
from aiohttp import ClientSession
from PIL import Image

from firetower.core.child import free_port
from firetower.core.clock import SECOND, ManualClock
from firetower.devices.city import read_city
from firetower.devices.kinds import DeviceKind
from firetower.simulator.cameras import Theatre, address, cameras_of, serving
from firetower.simulator.city import build
from firetower.simulator.physics.effects import Effect
from firetower.simulator.signals import Signals

NOW = 1_763_800_000 * SECOND


async def test_the_camera_of_the_zone_that_burns_shows_it_and_no_other_does() -> None:
    port = free_port()
    made = build(3, 400, cameras=port)
    again, errors = read_city(json.loads(made.city_json()))
    assert errors == []
    assert again.cameras == made.city.cameras == cameras_of(made.city, address(port))
    assert build(3, 400).city.cameras == ()
    near = next(each for each in made.city.cameras if each.sees and each.sees[0].count("/") == 2)
    smoke = next(
        n for n, device in enumerate(made.city.devices)
        if device.kind is DeviceKind.SMOKE and (device.unit, device.zone) == (near.unit, near.sees[0])
    )  # fmt: skip
    signals = Signals(made.seed, made.city)
    signals.befall(Effect("fire", smoke, NOW - 25 * SECOND, None))
    theatre = Theatre(made.city, ManualClock(NOW), made.seed, port)
    theatre.sample = signals.sample
    thick = {each.code: theatre.smoke(each.code, NOW) for each in made.city.cameras}
    assert near.unit is not None
    blind = [
        code for code in thick if code != near.code and not (code.startswith(near.unit) and code.endswith("-hall"))
    ]
    assert thick[near.code] > 0.3 > max(thick[code] for code in blind)

    broken = next(each for each in made.city.cameras if each.snapshot and "broken" in each.snapshot)
    async with serving(theatre, port), ClientSession() as client:
        async with client.get(near.snapshot or "") as answer:
            burning = Image.open(BytesIO(await answer.read())).convert("RGB")
        theatre.sample = None
        async with client.get(near.snapshot or "") as answer:
            quiet = Image.open(BytesIO(await answer.read())).convert("RGB")
        for url, status in ((broken.snapshot, 503), (near.link, 200), (f"{address(port)}/nobody.jpg", 404)):
            async with client.get(url or "") as answer:
                assert answer.status == status
    assert _flames(burning) > 500 > _flames(quiet)


def _flames(image: Image.Image) -> int:
    """Pixels as yellow and red as nothing else in the room is."""
    colours = np.asarray(image)
    return int(((colours[:, :, 0] > 200) & (colours[:, :, 2] < 140)).sum())
