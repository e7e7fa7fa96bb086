"""Grids with their boundaries over HTTP, as a registry file brought them."""

from typing import Any

from firetower.devices.city import FORMAT, read_city
from firetower.storage import registry

SQUARE = [[108.0, 22.0], [108.1, 22.0], [108.1, 22.1]]


async def bring(running: Any, *grids: dict[str, Any]) -> Any:
    units = [{"code": "mall-01", "grid": "g1"}, {"code": "school-02", "grid": "g1"}]
    city, errors = read_city({"format": FORMAT, "grids": list(grids), "units": units})
    assert errors == []
    return await registry.import_city(running.pool, city)


async def test_a_boundary_stays_until_a_file_says_another_or_none(running: Any) -> None:
    await running.sign_in("vera")
    other = {"code": "g2", "name": "二", "district": "东区"}
    await bring(running, {"code": "g1", "boundary": SQUARE}, other)
    first = await running.get("/api/v1/grids")
    closed = [*SQUARE, SQUARE[0]]
    assert first["items"] == [
        {"grid": "g1", "name": "", "district": None, "boundary": closed, "units": 2},
        {"grid": "g2", "name": "二", "district": "东区", "boundary": None, "units": 0},
    ]
    again = await bring(running, {"code": "g1", "boundary": SQUARE}, other)
    assert again.updated["grids"] == again.created["grids"] == 0
    await bring(running, {"code": "g1", "name": "一"})
    page = await running.get("/api/v1/grids", limit="1")
    assert (page["items"][0]["name"], page["items"][0]["boundary"]) == ("一", closed)
    rest = await running.get("/api/v1/grids", cursor=page["next_cursor"])
    assert [item["grid"] for item in rest["items"]] == ["g2"]
    await bring(running, {"code": "g1", "boundary": []})
    assert (await running.get("/api/v1/grids"))["items"][0]["boundary"] is None
