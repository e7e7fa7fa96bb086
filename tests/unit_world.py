"""A small registered city, and accounts of its units, for the tests of windows and of unit accounts."""

from typing import Any

from accounts_making import hash_cheaply

from firetower.devices.city import read_city
from firetower.storage import accounts
from firetower.storage.registry import import_city

PASSWORD = "a long enough one"
HASH = hash_cheaply(PASSWORD)


async def build(pool: Any, at: int) -> None:
    """Register units mall-01 and school-02 with a panel, detectors and a hydrant, and an account of each unit."""
    floors = [{"code": "1", "zones": [{"code": "e"}, {"code": "w"}]}, {"code": "2", "zones": [{"code": "e"}]}]
    city, errors = read_city(
        {
            "format": "firetower-registry/1",
            "mains": [{"code": "main-1"}],
            "units": [
                {"code": "mall-01", "name": "万象城", "buildings": [{"code": "A", "floors": floors}]},
                {"code": "school-02"},
            ],
            "devices": [
                {
                    "unit": "mall-01",
                    "device": "panel-1",
                    "kind": "panel",
                    "points": [{"component": "2-1", "zone": "A/1/e"}, {"component": "2-2", "zone": "A/1/w"}],
                },
                {"unit": "mall-01", "device": "smk-1", "kind": "smoke", "zone": "A/1/e"},
                {"unit": "mall-01", "device": "smk-old", "kind": "smoke", "retired": True},
                {"unit": "mall-01", "device": "hyd-1", "kind": "hydrant", "main": "main-1"},
                {"unit": "school-02", "device": "smk-1", "kind": "smoke"},
            ],
        }
    )
    assert errors == []
    assert (await import_city(pool, city)).errors == []
    for name, unit in (("mall-room", "mall-01"), ("school-room", "school-02")):
        await accounts.add(pool, name, HASH, "unit", at, unit=unit)
